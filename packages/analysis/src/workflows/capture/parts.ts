import { guard, type Matrix } from '@epochscope/core-wasm';
import { captureGraph } from '../../capture/graph.js';
import { type CaptureOptions, captureOutputs } from '../../capture/index.js';
import { elementCount } from '../../formats/dtypes.js';
import { selectPart, tensorToMatrix } from '../../formats/matrix.js';
import type { Tensor } from '../../formats/types.js';
import { GraphRunner, graphOfRun, inputScaleOf, isGraphSpec } from '../../models/graph/index.js';
import { buildModel, loadWeights, type ModelSpec, prepareTf } from '../../models/index.js';
import { findLayer } from '../../run/manifest.js';
import { outputsWriter } from '../../run/outputs-writer.js';
import type { Run } from '../../run/types.js';
import { writeOutputs } from '../../run/write.js';
import { noteCaptured, PlanInput } from '../input.js';
import { keyOf } from '../keys.js';
import { type Chosen, rows } from '../select.js';
import type { Part, PartContext } from '../types.js';

/** Outputs of layers that a run's own net gives on its own samples. */
export interface CaptureTask {
  kind: 'capture';
  snapshot: string;
  /** Name and key of each. */
  layers: { name: string; key: string }[];
}

/** Arrays where the run could not be written to; nothing else. */
export interface CaptureOutput {
  outputs: Record<string, { data: Float32Array; shape: number[] }> | null;
}

/** Larger outputs are captured and written in blocks of samples, and read again by those who need them, rather than kept. */
const KEPT_BYTES = 512e6;
/** Samples that a net takes at once; blocks are so many times that, so that batches, and bits, are the same. */
const BATCH = 250;
const BLOCK_BYTES = 128e6;
const blockOf = (width: number) => BATCH * Math.max(1, Math.floor(BLOCK_BYTES / (4 * BATCH * width)));

/**
 * The parts that capture what a run does not hold yet, one a snapshot. Throws `unsupported` for a run whose net is not one of ours,
 * `missing` where it holds no inputs. `of` names the part to wait for, if any.
 */
export async function captureParts(
  run: Run,
  input: PlanInput,
  snapshots: readonly string[],
  layers: readonly string[],
): Promise<{ parts: Part<CaptureTask>[]; of(snapshot: string, layer: string): string[] }> {
  const { model, samples, inputShape } = run.manifest;
  const names = [...new Set(layers.map((layer) => run.layer(layer).name))];
  // A result names what its method read: outputs, whoever captured them, not what the capture read.
  const own = new PlanInput(run);
  const parts: Part<CaptureTask>[] = [];
  for (const snapshot of snapshots) {
    const missing: string[] = [];
    for (const layer of names) if (!(await run.hasOutputs(snapshot, layer))) missing.push(layer);
    if (!missing.length) continue;
    guard(
      model,
      'unsupported',
      () =>
        `${run.store.name}: snapshot ${snapshot} holds no outputs of layer ${missing[0]}, and the run does not say which net made it; record the outputs where it was trained`,
      { path: run.store.name },
    );
    const inputs = await own.inputs();
    guard(
      inputs && inputShape,
      'missing',
      () => `${run.store.name} holds no samples/inputs.npy to run the net on`,
      { path: run.store.name },
    );
    const weights = await own.weights(snapshot);
    const keys = missing.map((name) => ({ name, key: keyOf('capture', { model, weights, inputs, name }) }));
    for (const { name, key } of keys) input.willCapture(snapshot, name, key);
    const count = samples?.count ?? 0;
    const width = missing.reduce((sum, name) => sum + elementCount(run.layer(name).shape), 0);
    parts.push({
      key: keyOf('capture', { snapshot, layers: keys }),
      stage: 'Capturing layer outputs',
      title: snapshot,
      after: [],
      // Larger ones go through in blocks, read and written again and again.
      memory:
        4 *
        (4 * count * width > KEPT_BYTES ? Math.min(count, blockOf(width)) : count) *
        (2 * width + 2 * elementCount(inputShape)),
      // A layer's output costs about as much as a hundred numbers compared with each other.
      work: 100 * count * (width + elementCount(inputShape)),
      task: { kind: 'capture', snapshot, layers: keys },
    });
  }
  return {
    parts,
    of: (snapshot, layer) =>
      parts
        .filter(
          ({ task }) =>
            task.snapshot === snapshot && task.layers.some(({ name }) => name === run.layer(layer).name),
        )
        .map(({ key }) => key),
  };
}

/** Runs the net on the run's samples and adds the outputs to the run, or answers them where it cannot be written to. */
export async function computeCapture(
  { task }: Part<CaptureTask>,
  context: PartContext,
): Promise<CaptureOutput> {
  const { run, signal, onProgress, keep } = context;
  const { manifest } = run;
  const { snapshot, layers } = task;
  const tf = await prepareTf();
  const weights = await run.weights(snapshot);
  const source = `${run.store.name}, snapshot ${snapshot}`;
  const how = {
    layers: layers.map(({ name }) => name),
    signal,
    onProgress: (done: number, total: number) => onProgress?.(done / (total || 1)),
  };
  const infos = layers.map(({ name }) => run.layer(name));
  const width = infos.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const count = manifest.samples?.count ?? 0;
  const inBlocks = run.store.writable && 4 * count * width > KEPT_BYTES;
  /** All at once, or block by block into the store. */
  const through = async (
    capture: (
      samples: Tensor<Float32Array>,
      options: CaptureOptions,
    ) => Promise<Map<string, Tensor<Float32Array>>>,
  ): Promise<Map<string, Tensor<Float32Array>> | null> => {
    if (!inBlocks) return capture(await inputsOfNet(context), how);
    const block = blockOf(width);
    const writer = outputsWriter(run.store, snapshot, infos, count);
    try {
      for (let first = 0; first < count; first += block) {
        const rows = [first, Math.min(first + block, count)] as const;
        const captured = await capture(await someInputs(run, rows), {
          ...how,
          first,
          onProgress: (done) => onProgress?.((first + done) / count),
        });
        for (const [name, { data }] of captured) await writer.add(name, data);
      }
      await writer.finish();
    } catch (cause) {
      await writer.cancel();
      throw cause;
    }
    return null;
  };
  let captured: Map<string, Tensor<Float32Array>> | null;
  if (isGraphSpec(manifest.model)) {
    const runner = new GraphRunner(tf, graphOfRun(tf, manifest, weights, source));
    captured = await through((samples, options) => captureGraph(runner, samples, options)).finally(() =>
      runner.dispose(),
    );
  } else {
    const net = await keep('net', run.store.name, () => {
      const built = buildModel(tf, manifest.model as unknown as ModelSpec);
      return { ...built, dispose: () => void built.model.dispose() };
    });
    loadWeights(tf, net, weights, source);
    captured = await through((samples, options) => captureOutputs(tf, net, samples, options));
  }
  if (!captured) {
    await noteCaptured(run, snapshot, layers);
    return { outputs: null };
  }
  const bytes = [...captured.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  if (bytes <= KEPT_BYTES) await keep('captured outputs', snapshot, () => captured);
  if (!run.store.writable)
    return {
      outputs: Object.fromEntries(
        [...captured].map(([layer, { data, shape }]) => [layer, { data, shape: [...shape] }]),
      ),
    };
  await writeOutputs(run.store, snapshot, captured);
  await noteCaptured(run, snapshot, layers);
  return { outputs: null };
}

/** The run's samples as its net takes them: bytes 0 … 255 become 0 … 1. */
export async function inputsOfNet({ run, keep }: PartContext): Promise<Tensor<Float32Array>> {
  return keep('inputs of the net', run.store.name, () => someInputs(run));
}

async function someInputs(run: Run, rows?: readonly [number, number]): Promise<Tensor<Float32Array>> {
  const inputs = (await run.inputs(rows ? { rows } : {}))!;
  // run.inputs() widens bytes to float32.
  const scale = inputScaleOf(run.manifest);
  return {
    data: inputs.data.map((x) => x / scale),
    shape: [inputs.shape[0], ...run.manifest.inputShape!],
    dtype: 'float32' as const,
  };
}

/**
 * A layer's outputs, n × d: those just captured, else those of the run, else those that its capture part answered. "P1@3" is channel 3.
 * `chosen`: only these rows. Throws `missing`, `shape` where they are not of as many samples as the run has.
 */
export async function outputsOf(
  context: PartContext,
  snapshot: string,
  name: string,
  captures: readonly string[],
  chosen: Chosen = null,
): Promise<Matrix> {
  const { run, keep, reads } = context;
  const { layer, selection } = findLayer(run.manifest.layers, name, run.store.name);
  const kept = await keep('captured outputs', snapshot, () => new Map<string, Tensor>());
  const fresh = kept.get(layer.name) ?? (await answered());
  const whole = fresh && tensorToMatrix(selection ? selectPart(fresh, selection) : fresh, name);
  const expected = run.manifest.samples?.count;
  const got = whole ? whole.shape[0] : await run.outputCount(snapshot, name);
  guard(
    got === null || expected === undefined || got === expected,
    'shape',
    () =>
      `${run.store.name}/${run.outputsPath(snapshot, name)}: expected outputs of ${expected} samples, got ${got}`,
    { snapshot, layer: name, expected, got: got! },
  );
  return whole
    ? rows(whole, chosen)
    : run.outputs(snapshot, name, chosen ? { reads, rows: chosen } : { reads });

  async function answered(): Promise<Tensor | null> {
    if (await run.hasOutputs(snapshot, layer.name)) return null;
    for (const key of captures) {
      const found = (await context.output<CaptureOutput>(key)).outputs?.[layer.name];
      if (found) return { ...found, dtype: 'float32' };
    }
    return null;
  }
}
