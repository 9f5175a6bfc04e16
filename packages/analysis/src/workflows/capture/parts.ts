import { guard, type Matrix } from '@epochscope/core-wasm';
import {
  batchSizeOf,
  captureAll,
  captureBatches,
  type Probe,
  probeOfGraph,
  probeOfNet,
  type SampleSource,
} from '../../capture/batches.js';
import type { JobOptions } from '../../engine/types.js';
import { elementCount } from '../../formats/dtypes.js';
import { rowsEach, selectPart, tensorToMatrix } from '../../formats/matrix.js';
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

/** Outputs up to so many bytes are kept for the parts that follow; larger ones go into the store batch by batch, and are read again by rows. */
const KEPT_BYTES = 128e6;
/** Inputs up to so many bytes are kept for the snapshots that follow; more are read in blocks of this size. */
const INPUT_BYTES = 64e6;
/** Files written at the same time: more layers take another pass of the net. */
const MOST_FILES = 200;

/** tfjs and a net's first batch, and copies that are not collected yet; measured by scripts/capture-memory.mjs. */
const NET_BYTES = 80e6;

/** What capturing takes, in bytes: a batch on its way through the net and out of it, inputs, and all outputs where they are kept. */
function captureBytes(run: Run, width: number): number {
  const { layers, samples, inputShape } = run.manifest;
  const count = samples?.count ?? 0;
  const inputs = elementCount(inputShape ?? []);
  const values = layers.reduce((sum, { shape }) => sum + elementCount(shape), inputs);
  const batch = 4 * Math.min(count, batchSizeOf(values)) * (2 * values + 2 * width);
  // Bytes as they are stored, as numbers, and scaled.
  const read = 3 * Math.min(INPUT_BYTES, 4 * count * inputs);
  return NET_BYTES + batch + read + (isKept(run, width) ? 4 * count * width : 0);
}

/** Whether outputs are in memory as a whole: small ones, and those of a run that cannot be written to. */
const isKept = ({ manifest, store }: Run, width: number): boolean =>
  !store.writable || 4 * (manifest.samples?.count ?? 0) * width <= KEPT_BYTES;

/**
 * The parts that capture what a run does not hold yet, one a snapshot. Throws `unsupported` for a run whose net is not one of ours,
 * `missing` where it holds no inputs. `of` names the part to wait for, if any.
 */
export async function captureParts(
  run: Run,
  input: PlanInput,
  snapshots: readonly string[],
  layers: readonly string[],
): Promise<{
  parts: Part<CaptureTask>[];
  of(snapshot: string, layer: string): string[];
  /** Bytes that the outputs of a snapshot take while the parts after them are computed. */
  kept: number;
}> {
  const { model, samples, inputShape } = run.manifest;
  const names = [...new Set(layers.map((layer) => run.layer(layer).name))];
  // A result names what its method read: outputs, whoever captured them, not what the capture read.
  const samplesInput = new PlanInput(run);
  const parts: Part<CaptureTask>[] = [];
  let kept = 0;
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
    const inputs = await samplesInput.inputs();
    guard(
      inputs && inputShape,
      'missing',
      () => `${run.store.name} holds no samples/inputs.npy to run the net on`,
      { path: run.store.name },
    );
    const own = new PlanInput(run);
    const weights = await own.weights(snapshot);
    const keys = missing.map((name) => ({ name, key: keyOf('capture', { model, weights, inputs, name }) }));
    for (const { name, key } of keys) input.willCapture(snapshot, name, key);
    const count = samples?.count ?? 0;
    const width = missing.reduce((sum, name) => sum + elementCount(run.layer(name).shape), 0);
    if (isKept(run, width)) kept = Math.max(kept, 4 * count * width);
    parts.push({
      key: keyOf('capture', { snapshot, layers: keys }),
      stage: 'Capturing layer outputs',
      title: snapshot,
      after: [],
      memory: captureBytes(run, width),
      // A layer's output costs about as much as a hundred numbers compared with each other.
      work: 100 * count * (width + elementCount(inputShape)),
      reads: { ...samplesInput.files, ...own.files },
      task: { kind: 'capture', snapshot, layers: keys },
    });
  }
  return {
    parts,
    kept,
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
  const { run, signal, onProgress } = context;
  const { snapshot, layers } = task;
  const names = layers.map(({ name }) => name);
  const width = names.reduce((sum, name) => sum + elementCount(run.layer(name).shape), 0);
  const { probeOf, dispose } = await netOf(snapshot, context);
  try {
    const samples = await samplesOfNet(context);
    if (isKept(run, width)) {
      const captured = await captureAll(probeOf(names), samples, {
        signal,
        onProgress: (done, total) => onProgress?.(done / (total || 1)),
      });
      await context.keep('captured outputs', snapshot, () => captured);
      if (!run.store.writable)
        return {
          outputs: Object.fromEntries(
            [...captured].map(([layer, { data, shape }]) => [layer, { data, shape: [...shape] }]),
          ),
        };
      await writeOutputs(run.store, snapshot, captured);
    } else
      for (let from = 0; from < names.length; from += MOST_FILES)
        await captureInto(run, snapshot, probeOf(names.slice(from, from + MOST_FILES)), samples, {
          signal,
          onProgress: (done, total) =>
            onProgress?.(
              (from + (Math.min(MOST_FILES, names.length - from) * done) / (total || 1)) / names.length,
            ),
        });
    await noteCaptured(run, snapshot, layers);
    return { outputs: null };
  } finally {
    dispose();
  }
}

/** Batch by batch into the run's store; the files appear at the end, all of them whole. */
async function captureInto(
  { store }: Run,
  snapshot: string,
  probe: Probe,
  samples: SampleSource,
  job: JobOptions,
): Promise<void> {
  const writer = outputsWriter(store, snapshot, probe.layers, samples.count);
  try {
    for await (const { outputs } of captureBatches(probe, samples, job))
      for (const [name, values] of outputs) await writer.add(name, values);
    await writer.finish();
  } catch (cause) {
    await writer.cancel();
    throw cause;
  }
}

/** The run's net with the weights of a snapshot. */
export async function netOf(
  snapshot: string,
  { run, keep }: PartContext,
): Promise<{ probeOf(layers: readonly string[]): Probe; dispose(): void }> {
  const { manifest } = run;
  const tf = await prepareTf();
  const weights = await run.weights(snapshot);
  const source = `${run.store.name}, snapshot ${snapshot}`;
  if (isGraphSpec(manifest.model)) {
    const runner = new GraphRunner(tf, graphOfRun(tf, manifest, weights, source));
    return { probeOf: (layers) => probeOfGraph(runner, layers), dispose: () => runner.dispose() };
  }
  const net = await keep('net', run.store.name, () => {
    const built = buildModel(tf, manifest.model as unknown as ModelSpec);
    return { ...built, dispose: () => void built.model.dispose() };
  });
  loadWeights(tf, net, weights, source);
  return { probeOf: (layers) => probeOfNet(tf, net, layers), dispose: () => {} };
}

/** The run's samples as its net takes them (bytes 0 … 255 become 0 … 1): all of them, or block by block where they are many. */
async function samplesOfNet({ run, keep }: PartContext): Promise<SampleSource> {
  const count = run.manifest.samples?.count ?? 0;
  const size = elementCount(run.manifest.inputShape!);
  const some = async (rows: readonly [number, number]): Promise<Float32Array> => {
    // run.inputs() widens bytes to float32.
    const { data } = (await run.inputs({ rows }))!;
    const scale = inputScaleOf(run.manifest);
    return scale === 1 ? data : data.map((x) => x / scale);
  };
  const rows = Math.max(1, Math.floor(INPUT_BYTES / (4 * size)));
  let block: { from: number; to: number; data: Float32Array } | null = null;
  return {
    count,
    async read(from, to) {
      if (count <= rows) {
        const all = await keep('inputs of the net', run.store.name, async () => ({
          data: await some([0, count]),
        }));
        return all.data.subarray(from * size, to * size);
      }
      if (!block || from < block.from || to > block.to) {
        const end = Math.max(to, Math.min(count, from + rows));
        block = null;
        block = { from, to: end, data: await some([from, end]) };
      }
      return block.data.subarray((from - block.from) * size, (to - block.from) * size);
    },
  };
}

/**
 * A layer's outputs, n × d: those just captured, else those of the run, else those that its capture part answered. "P1@3" is channel 3.
 * `chosen`: only these rows. Throws `missing`, `shape` where they are not of as many samples as the run has.
 */
export const outputsOf = async (
  context: PartContext,
  snapshot: string,
  name: string,
  captures: readonly string[],
  chosen: Chosen = null,
): Promise<Matrix> => tensorToMatrix(await outputTensorOf(context, snapshot, name, captures, chosen), name);

/** What messages call them. */
export const nameOfOutputs = (run: Run, snapshot: string, layer: string): string =>
  `${run.store.name}/${run.outputsPath(snapshot, layer)}`;

/** The same as they are stored: where that is wider than float32, until differences are taken. */
export async function outputTensorOf(
  context: PartContext,
  snapshot: string,
  name: string,
  captures: readonly string[],
  chosen: Chosen = null,
): Promise<Tensor> {
  const { run, keep, reads } = context;
  const { layer, selection } = findLayer(run.manifest.layers, name, run.store.name);
  const kept = await keep('captured outputs', snapshot, () => new Map<string, Tensor>());
  const fresh = kept.get(layer.name) ?? (await answered());
  const whole = fresh && tensorToMatrix(selection ? selectPart(fresh, selection) : fresh, name);
  const { samples } = run.manifest;
  const expected = samples ? samples.count * rowsEach(layer.shape, selection) : undefined;
  const got = whole ? whole.shape[0] : await run.outputCount(snapshot, name);
  guard(
    got === null || expected === undefined || got === expected,
    'shape',
    () => `${nameOfOutputs(run, snapshot, name)}: expected outputs of ${expected} samples, got ${got}`,
    { snapshot, layer: name, expected, got: got! },
  );
  return whole
    ? { ...rows(whole, chosen), dtype: 'float32' }
    : run.outputTensor(snapshot, name, chosen ? { reads, rows: chosen } : { reads });

  async function answered(): Promise<Tensor | null> {
    if (await run.hasOutputs(snapshot, layer.name)) return null;
    for (const key of captures) {
      const found = (await context.output<CaptureOutput>(key)).outputs?.[layer.name];
      if (found) return { ...found, dtype: 'float32' };
    }
    return null;
  }
}
