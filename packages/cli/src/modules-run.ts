import { basename, join } from 'node:path';
import {
  analyseModules,
  type ColumnBlocks,
  type CutRule,
  linkModules,
  type ModuleSnapshot,
  type ModulesResult,
  type RemovedUnits,
  random,
  toolInfo,
  type UnitLayer,
  type UnitMode,
  unitLayers,
  unitOutputs,
  unitTotal,
} from '@epochscope/analysis';
import { createEngine } from '@epochscope/analysis/engine';
import {
  buildModel,
  captureOutputs,
  type Dataset,
  isActivation,
  isGraphSpec,
  loadWeights,
  type ModelSpec,
  openRun,
  prepareTf,
  type Run,
  readNpyRows,
  tensorToMatrix,
  withFile,
  writeResult,
} from '@epochscope/analysis/node';
import {
  EpochscopeError,
  formatBytes,
  guard,
  linkageFromPointsBytes,
  type Matrix,
} from '@epochscope/core-wasm';
import type { Output } from './output.js';
import { resultFolder } from './result-folder.js';
import { dataOfRun } from './run-data.js';
import { weightHashes } from './run-inputs.js';
import { chooseSnapshots } from './tendency-run.js';
import { captureRun } from './train-run.js';

export interface ModulesRunOptions {
  /** Hidden layers whose units are clustered; default: those after an activation, or all but the last. */
  layers?: string[];
  snapshots: string[];
  theta: number;
  cut: CutRule;
  /** How many samples, drawn with the seed. */
  samples: number;
  /** training: of the data the run was trained on, run through its net (the paper's way); run: of the samples it holds. */
  samplesOf: 'training' | 'run';
  /** Training data, as `train` takes it; default: what the run says. */
  data?: string;
  /** The data itself, where the caller has it. */
  training?: Dataset;
  units: UnitMode;
  /** probability: exp of a log-softmax layer; layer: the last layer as it is. */
  outputs: 'probability' | 'layer';
  /** Draw so many of the units if there are more. */
  maxUnits?: number;
  /** Thresholds of the sweep; null for none. */
  sweep: readonly number[] | null;
  seed: number;
  name: string;
  output?: string;
}

/** Samples that pass through the net, or are read, at a time: one panel of the correlation kernel. */
const BLOCK = 255;
/** What recordings call some of them. */
const RECORDED = new Set(['selu', 'swish']);

/** Where unit outputs of a snapshot come from. */
interface Samples {
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

/** Modules of a run's snapshots, their transitions, and the result written into it (or `output`). */
export async function modulesOfRun(
  directory: string,
  options: ModulesRunOptions,
  output: Output,
): Promise<{ result: ModulesResult; folder: string }> {
  const run = await openRun(directory);
  const folder = await resultFolder(directory, 'modules', options);
  for (const warning of run.warnings) output.warn(warning);
  const snapshots = chooseSnapshots(run, options.snapshots);
  guard(snapshots.length > 0, 'missing', () => `${directory} holds no complete snapshot`, {
    path: directory,
  });
  const last = run.manifest.layers.at(-1);
  guard(last, 'missing', () => `${directory} names no layer`, { path: directory });
  const layers = unitLayers(
    hiddenLayers(run, options.layers).map((name) => run.layer(name)),
    options.units,
  );
  const total = unitTotal(layers);
  const { maxUnits, seed } = options;
  const without = maxUnits !== undefined && total > maxUnits ? notDrawn(total, maxUnits, seed) : undefined;
  const wanted: Wanted = {
    snapshots: snapshots.map(({ id }) => id),
    layers: [...layers.map(({ name }) => name), last.name],
  };
  const samples = await samplesOf(run, wanted, options, output);
  const dimensions = samples.inputs + samples.outputs;
  output.say(
    `${total} units (${layers.map(({ name, count }) => `${name} ${count}`).join(', ')}) × ${dimensions} dimensions, ${samples.indices.length} samples of ${samples.source}; clustering needs up to ${formatBytes(linkageFromPointsBytes(Math.min(total, maxUnits ?? total), dimensions, true))}`,
  );
  const begun = performance.now();
  const engine = createEngine();
  const analysed: ModuleSnapshot[] = [];
  const progress = output.progress('Modules');
  try {
    for (const [i, { id, epoch, step }] of snapshots.entries()) {
      analysed.push(
        await analyseModules(
          engine,
          {
            snapshot: { id, epoch, step },
            source: blocksOf(samples, id, layers, options, last.kind === 'log-softmax'),
            inputs: samples.inputs,
            ...(without ? { without } : {}),
          },
          {
            theta: options.theta,
            cut: options.cut,
            sweep: options.sweep,
            seed,
            signal: output.signal,
            onProgress: (done) => progress.update(i + done, snapshots.length, id),
          },
        ),
      );
    }
  } finally {
    progress.stop();
    await engine.close();
  }
  const transitions = linkModules(analysed);
  const result: ModulesResult = {
    format: 'epochscope-result/1',
    method: 'modules',
    name: options.name,
    tool: toolInfo,
    input: {
      source: basename(directory),
      sha256: await weightHashes(
        run,
        snapshots.map(({ id }) => id),
      ),
    },
    parameters: {
      theta: options.theta,
      cut: options.cut,
      layers: layers.map(({ name }) => name),
      units: options.units,
      outputs: last.kind === 'log-softmax' ? options.outputs : 'layer',
      samples: samples.indices.length,
      samplesOf: samples.source,
      ...(without ? { maxUnits } : {}),
    },
    seeds: { analysis: seed },
    seconds: (performance.now() - begun) / 1000,
    units: { mode: options.units, total, layers },
    inputs: samples.inputs,
    inputShape: run.manifest.inputShape,
    outputs: samples.outputs,
    classes: run.manifest.classes?.length === samples.outputs ? run.manifest.classes : null,
    samples: { count: samples.indices.length, indices: samples.indices },
    snapshots: analysed,
    transitions,
  };
  if (output.signal.aborted) throw new EpochscopeError('cancelled', 'cancelled before anything was written');
  await writeResult(folder, result);
  return { result, folder };
}

/** The layers asked for, each once and whole; or those after an activation; or all but the last. */
function hiddenLayers(run: Run, wanted: string[] | undefined): string[] {
  const { directory, manifest } = run;
  if (wanted) {
    for (const name of wanted)
      guard(
        run.layer(name).name === name,
        'argument',
        () =>
          `--layers ${name}: units are those of whole layers; give ${run.layer(name).name} and --units channel`,
        { layer: name },
      );
    return [...new Set(wanted)];
  }
  const hidden = manifest.layers.slice(0, -1);
  const active = hidden.filter(({ kind }) => isActivation(kind) || RECORDED.has(kind));
  const names = (active.length ? active : hidden).map(({ name }) => name);
  guard(names.length > 0, 'missing', () => `${directory} has no hidden layer`, { path: directory });
  return names;
}

function notDrawn(total: number, units: number, seed: number): RemovedUnits {
  const drawn = new Set(random(seed, 3).subset(total, units));
  return {
    reason: `not among the ${units} units drawn (seed ${seed})`,
    units: Uint32Array.from({ length: total }, (_, u) => u).filter((u) => !drawn.has(u)),
  };
}

const draw = (count: number, wanted: number, seed: number) =>
  random(seed, 4).subset(count, Math.min(count, wanted));

/** Of which layers outputs are needed at which snapshots. */
interface Wanted {
  snapshots: string[];
  layers: string[];
}

async function samplesOf(
  run: Run,
  wanted: Wanted,
  options: ModulesRunOptions,
  output: Output,
): Promise<Samples> {
  const { directory, manifest } = run;
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
    options.training ?? (await dataOfRun(run.directory, run.manifest, options.data)),
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
        loadWeights(tf, net, await run.weights(snapshot), `${run.directory}, snapshot ${snapshot}`);
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
        x: { data: Float32Array.from(bytes, (v) => v / 255), shape: [to - from, size] },
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
  const { directory } = run;
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
      const first = chosen[0]!;
      const pick = ({ data, shape: [, width] }: Matrix, offset: number): Matrix => {
        const out = new Float32Array(chosen.length * width);
        for (const [k, sample] of chosen.entries())
          out.set(data.subarray((sample - offset) * width, (sample - offset + 1) * width), k * width);
        return { data: out, shape: [chosen.length, width] };
      };
      const parts: Matrix[] = [];
      for (const layer of [...layers, last.name]) {
        // Says what is missing, in the run's own words.
        if (!(await run.hasOutputs(snapshot, layer))) await run.outputs(snapshot, layer);
        const file = join(directory, 'snapshots', snapshot, 'outputs', `${layer}.npy`);
        const rows = await withFile(file, (source) => readNpyRows(source, first, chosen.at(-1)! + 1));
        parts.push(pick(tensorToMatrix(rows, file), first));
      }
      return { layers: parts, x: pick(inputs, 0) };
    },
  };
}

/** Unit outputs beside inputs and outputs of the net, block by block. */
function blocksOf(
  samples: Samples,
  snapshot: string,
  layers: readonly UnitLayer[],
  { units, outputs }: ModulesRunOptions,
  logarithms: boolean,
): ColumnBlocks {
  const names = layers.map(({ name }) => name);
  const width = samples.inputs + samples.outputs;
  return {
    units: unitTotal(layers),
    inputs: width,
    samples: samples.indices.length,
    async *blocks() {
      for (let from = 0; from < samples.indices.length; from += BLOCK) {
        const to = Math.min(samples.indices.length, from + BLOCK);
        const { layers: parts, x } = await samples.read(snapshot, names, from, to);
        const last = parts.at(-1)!;
        const y = new Float32Array((to - from) * width);
        for (let s = 0; s < to - from; s++) {
          y.set(x.data.subarray(s * samples.inputs, (s + 1) * samples.inputs), s * width);
          for (let j = 0; j < samples.outputs; j++) {
            const value = last.data[s * samples.outputs + j]!;
            y[s * width + samples.inputs + j] =
              logarithms && outputs === 'probability' ? Math.exp(value) : value;
          }
        }
        yield [
          unitOutputs(layers, parts.slice(0, -1), units),
          { data: y, shape: [to - from, width] },
        ] as const;
      }
    },
  };
}
