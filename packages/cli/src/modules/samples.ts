import {
  buildModel,
  captureOutputs,
  type Dataset,
  isGraphSpec,
  loadWeights,
  type ModelSpec,
  prepareTf,
  type Run,
  random,
  tensorToMatrix,
} from '@epochscope/analysis';
import { guard, type Matrix } from '@epochscope/core-wasm';
import { captureRun } from '../capture-run.js';
import type { Output } from '../output.js';
import { rows } from '../rows.js';
import { dataOfRun } from '../run-data.js';
import type { ModulesRunOptions } from './options.js';

/** Samples that pass through the net, or are read, at a time: one panel of the correlation kernel. */
export const BLOCK = 255;

/** Where unit outputs of a snapshot come from. */
export interface Samples {
  inputs: number;
  outputs: number;
  indices: Uint32Array;
  source: string;
  /** [outputs of each layer, then of the last; inputs] of samples [from, to) of `indices`. */
  read(
    snapshot: string,
    layers: readonly string[],
    from: number,
    to: number,
  ): Promise<{ layers: Matrix[]; x: Matrix }>;
}

const draw = (count: number, wanted: number, seed: number) =>
  random(seed, 4).subset(count, Math.min(count, wanted));

/** Of which layers outputs are needed at which snapshots. */
export interface Wanted {
  snapshots: string[];
  layers: string[];
}

/** Training samples where the run says which net made it, else the samples it holds. Throws `missing`, `unsupported`, `argument`. */
export async function samplesOf(
  run: Run,
  wanted: Wanted,
  options: ModulesRunOptions,
  output: Output,
): Promise<Samples> {
  const { manifest } = run;
  const { name: directory } = run.store;
  if (options.samplesOf === 'run') return ofRun(run, wanted, options, output);
  // How training data becomes the inputs of an imported net is not known: scaled, centred, cropped.
  const imported = isGraphSpec(manifest.model);
  if (!manifest.model || imported) {
    const why = imported ? 'holds an imported net' : 'does not say which net made it';
    guard(
      options.data === undefined,
      'unsupported',
      () =>
        `${directory} ${why}, so that training data cannot be run through it; import or record samples of that data instead`,
      { path: directory },
    );
    output.say(`The run ${why}: the samples it holds are used.`);
    return ofRun(run, wanted, options, output);
  }
  return throughNet(
    run,
    options.training ?? (await dataOfRun(run.store.name, run.manifest, options.data)),
    options,
  );
}

/** Training samples through the run's own net: nothing is written. */
async function throughNet(run: Run, data: Dataset, { samples, seed }: ModulesRunOptions): Promise<Samples> {
  const tf = await prepareTf();
  const net = buildModel(tf, run.manifest.model as unknown as ModelSpec);
  const size = data.shape.reduce((a, b) => a * b, 1);
  const indices = draw(data.train.count, samples, seed);
  let loaded = '';
  return {
    inputs: size,
    outputs: net.layers.at(-1)!.shape.reduce((a, b) => a * b, 1),
    indices,
    source: `the training samples of ${data.name}`,
    async read(snapshot, layers, from, to) {
      if (loaded !== snapshot) {
        loadWeights(tf, net, await run.weights(snapshot), `${run.store.name}, snapshot ${snapshot}`);
        loaded = snapshot;
      }
      const bytes = new Uint8Array((to - from) * size);
      for (let s = from; s < to; s++)
        bytes.set(
          data.train.images.subarray(indices[s]! * size, (indices[s]! + 1) * size),
          (s - from) * size,
        );
      const last = net.layers.at(-1)!.name;
      const captured = await captureOutputs(
        tf,
        net,
        { data: bytes, shape: [to - from, ...data.shape], dtype: 'uint8' },
        { layers: [...new Set([...layers, last])], batchSize: BLOCK },
      );
      return {
        layers: [...layers, last].map((name) => tensorToMatrix(captured.get(name)!, name)),
        x: { data: new Float32Array(bytes).map((v) => v / 255), shape: [to - from, size] },
      };
    },
  };
}

/** The run's own samples, and the outputs that it holds; those that its net can give are written into it first. */
async function ofRun(
  run: Run,
  wanted: Wanted,
  { samples, seed }: ModulesRunOptions,
  output: Output,
): Promise<Samples> {
  const { name: directory } = run.store;
  const inputs = await run.inputs();
  guard(inputs, 'missing', () => `${directory} holds no samples/inputs.npy to correlate units with`, {
    path: directory,
  });
  if (run.manifest.model) await captureRun(run, wanted.snapshots, wanted.layers, output);
  const indices = draw(inputs.shape[0], samples, seed);
  const last = run.manifest.layers.at(-1)!;
  return {
    inputs: inputs.shape[1],
    outputs: last.shape.reduce((a, b) => a * b, 1),
    indices,
    source: `the ${inputs.shape[0]} samples of the run`,
    async read(snapshot, layers, from, to) {
      const chosen = indices.subarray(from, to);
      const parts: Matrix[] = [];
      for (const layer of [...layers, last.name]) {
        // Says what is missing, in the run's own words.
        if (!(await run.hasOutputs(snapshot, layer))) await run.outputs(snapshot, layer);
        parts.push(await run.outputs(snapshot, layer, { rows: chosen }));
      }
      return { layers: parts, x: rows(inputs, chosen) };
    },
  };
}
