import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { elementCount } from '../../formats/dtypes.js';
import {
  analyseFeatures,
  type FeaturePanel,
  type FeaturesResult,
  type GradientSums,
  overlapOf,
} from '../../methods/features/index.js';
import {
  type Graph,
  GraphRunner,
  inputScaleOf,
  scoresNode,
  shapesOf,
  type WeightedLayer,
  weightedLayers,
} from '../../models/graph/index.js';
import { prepareTf, type Tf } from '../../models/index.js';
import { random } from '../../random.js';
import { RESULT_FORMAT } from '../../results/types.js';
import type { Run, SnapshotInfo } from '../../run/types.js';
import { toolInfo } from '../../version.js';
import { yieldToEventLoop } from '../../yield.js';
import { BLOCK_BYTES, netBytes } from '../geometry/places.js';
import { graphAt } from '../graph-at.js';
import { inputOfResult, PlanInput } from '../input.js';
import { keyOf } from '../keys.js';
import { checkNotCancelled, runWorkflow, type WorkflowOptions } from '../run.js';
import { chooseSnapshots, chosenSamples, hashOfSamples, placeOf, withDefaults } from '../select.js';
import { type Part, type PartContext, PLAN_FORMAT, type Workflow } from '../types.js';

export interface FeaturesRunOptions {
  /** Dense layers and convolutions; null: all. */
  layers: readonly string[] | null;
  /** Ids, epochs, "first", "last", "init" or "all". */
  snapshots: readonly (string | number)[];
  /** The first so many samples, or these; null: all. */
  samples: number | readonly number[] | null;
  /** Eigenvectors kept of each layer at each snapshot. */
  k: number;
  /** The node whose derivatives are taken; null: the last before a softmax. */
  output: string | null;
  /** Random mixtures of the output a sample; null: each value by itself up to 64, else 16 mixtures. */
  probes: number | null;
  /** Of the mixtures and of Lanczos' starting vectors. */
  seed: number;
  /** Of the result. */
  name: string;
}

export const FEATURES_DEFAULTS: FeaturesRunOptions = {
  layers: null,
  snapshots: ['all'],
  samples: null,
  k: 8,
  output: null,
  probes: null,
  seed: 1,
  name: 'default',
};

/** Up to so many values of the output each is taken by itself. */
const EACH_OUTPUT = 64;
const PROBES = 16;
/** Samples that go through the net at a time. */
const MOST_BATCH = 256;
/** What a multiply-add of the net costs, in units of work. */
const WORK = 25;

/** All layers at one snapshot. */
interface FeaturesTask extends Pick<FeaturesRunOptions, 'samples' | 'k' | 'seed'> {
  snapshot: Pick<SnapshotInfo, 'id' | 'epoch' | 'step'>;
  /** Whose weights those here are compared with. */
  first: string;
  layers: readonly string[];
  output: string;
  probes: number | null;
}

type FeaturesOutput = Omit<FeaturePanel, 'snapshot' | 'settled'>[];

/** AGOPs of a run's layers over its snapshots (`methods/features`), a part a snapshot. */
export const featuresWorkflow: Workflow<FeaturesRunOptions, FeaturesTask, FeaturesOutput, FeaturesResult> = {
  method: 'features',

  async plan(run, given) {
    const options = featuresOptions(given);
    const snapshots = chooseSnapshots(run, options.snapshots);
    const { manifest, store } = run;
    const input = new PlanInput(run);
    const inputs = await input.inputs();
    guard(
      inputs && manifest.samples,
      'missing',
      () => `${store.name} holds no samples/inputs.npy to linearise the net at`,
      { path: store.name },
    );
    const chosen = chosenSamples(options.samples, manifest.samples.count);
    const count = chosen?.length ?? manifest.samples.count;
    guard(count > 0, 'missing', () => `${store.name} holds no samples: features are means over samples`, {
      path: store.name,
    });
    const graph = await graphAt(run, snapshots[0]!.id);
    const { layers: all, others } = weightedLayers(graph);
    const layers = chosenLayers(all, options.layers, store.name);
    const output = options.output ?? scoresNode(graph);
    const shapes = shapesOf(graph);
    guard(
      shapes.has(output),
      'missing',
      () => `${store.name}: the net has no layer ${output}; it has ${[...shapes.keys()].join(', ')}`,
      { layer: output },
    );
    const outputs = elementCount(shapes.get(output)!);
    const probes = options.probes ?? (outputs > EACH_OUTPUT ? PROBES : null);
    const sums = layers.reduce((sum, { kernel: { shape } }) => sum + 8 * Math.min(...shape) ** 2, 0);
    const largest = Math.max(...layers.map(({ kernel: { shape } }) => Math.min(...shape)));
    const multiplications = all.reduce((sum, { kernel, patches }) => sum + kernel.data.length * patches, 0);
    const { samples, k, seed } = options;
    const parts: Part<FeaturesTask>[] = [];
    const first = await input.weights(snapshots[0]!.id);
    for (const snapshot of snapshots) {
      const task: FeaturesTask = {
        snapshot: placeOf(snapshot),
        first: snapshots[0]!.id,
        layers: layers.map(({ name }) => name),
        output,
        probes,
        samples,
        k,
        seed,
      };
      parts.push({
        key: keyOf('features', {
          ...task,
          samples: hashOfSamples(chosen),
          weights: await input.weights(snapshot.id),
          first,
          inputs,
          model: manifest.model,
          inputShape: manifest.inputShape,
        }),
        stage: 'Features',
        title: snapshot.id,
        after: [],
        memory: netBytes(graph) + sums + 60 * largest ** 2,
        work: WORK * count * (2 + 2 * (probes ?? outputs)) * multiplications,
        task,
      });
    }
    return {
      format: PLAN_FORMAT,
      method: 'features',
      tool: toolInfo,
      options: {
        ...options,
        layers: layers.map(({ name }) => name),
        snapshots: snapshots.map(({ id }) => id),
        output,
        probes,
      },
      input: input.plan(),
      parts,
      hint: 'choose fewer layers',
      notes: [
        ...(probes === null
          ? []
          : [
              `${output} has ${outputs} values: derivatives are taken of ${probes} random mixtures of them at each sample (option probes)`,
            ]),
        ...(options.layers === null && others.length
          ? [`left out, as no single matrix multiplies patches of their input: ${others.join(', ')}`]
          : []),
      ],
      facts: { count, outputs },
    };
  },

  async compute({ task }, context) {
    const { run, engine, signal, reads } = context;
    const tf = await prepareTf();
    const graph = await graphAt(run, task.snapshot.id, reads);
    const first = weightedLayers(await graphAt(run, task.first, reads)).layers;
    const layers = chosenLayers(weightedLayers(graph).layers, task.layers, run.store.name);
    const sums = await gradientSums(tf, graph, layers, task, context);
    const panels: FeaturesOutput = [];
    for (const { name, node, kernel, patchShape, patches } of layers) {
      const other = first.find((one) => one.node === node);
      guard(
        other && String(other.kernel.shape) === String(kernel.shape),
        'shape',
        () =>
          `${run.store.name}: layer ${name} has weights of ${kernel.shape.join(' × ')} at ${task.snapshot.id} and ${other?.kernel.shape.join(' × ') ?? 'none'} at ${task.first}`,
        { layer: name },
      );
      const { k, seed } = task;
      panels.push({
        layer: name,
        inputs: kernel.shape[0],
        units: kernel.shape[1],
        patches,
        patchShape,
        ...(await analyseFeatures(
          engine,
          { kernel, first: other.kernel, gradients: sums.get(node)! },
          { k, seed, signal },
        )),
      });
    }
    return panels;
  },

  async join(plan, { run, output, seconds, reads }) {
    const { options, notes } = plan;
    const { count, outputs } = plan.facts as { count: number; outputs: number };
    const all: FeaturePanel[] = [];
    const last: FeaturesOutput = await output(plan.parts.at(-1)!.key);
    for (const { key, task } of plan.parts) {
      const panels: FeaturesOutput = await output(key);
      panels.forEach((panel, i) => {
        all.push({
          snapshot: task.snapshot,
          ...panel,
          settled: overlapOf(panel.vectors, last[i]!.vectors, panel.inputs),
        });
      });
    }
    const { k, layers, snapshots, probes, seed } = options;
    return {
      format: RESULT_FORMAT,
      method: 'features',
      name: options.name,
      tool: toolInfo,
      input: await inputOfResult(plan, run, reads),
      parameters: { layers, snapshots, samples: count, k, output: options.output, probes },
      seeds: { analysis: seed },
      seconds,
      samples: { count },
      output: { node: options.output!, count: outputs, probes },
      panels: options.layers!.flatMap((name) => all.filter(({ layer }) => layer === name)),
      ...(notes.length ? { notes } : {}),
    };
  },
};

/**
 * When each layer of a run learnt its features: correlations of its weights with the average gradient outer product over the snapshots
 * (`methods/features`). Throws `unsupported` for a run whose net is not known, `missing`, `argument`, `memory`, `cancelled`.
 */
export const featuresOfRun = (
  run: Run,
  options: Partial<FeaturesRunOptions> = {},
  how: WorkflowOptions = {},
): Promise<FeaturesResult> => runWorkflow(featuresWorkflow, run, options, how);

function featuresOptions(given: Partial<FeaturesRunOptions>): FeaturesRunOptions {
  const options = withDefaults('features', FEATURES_DEFAULTS, given);
  for (const [name, least] of [
    ['k', 1],
    ['probes', 1],
    ['seed', 0],
  ] as const) {
    const value = options[name];
    guard(
      value === null || (Number.isInteger(value) && value >= least),
      'argument',
      () => `features: ${name}: expected an integer ≥ ${least}, got ${value}`,
      { got: value },
    );
  }
  return options;
}

/** Those named, in the net's order; null: all. Throws `argument`, naming those with weights, `unsupported` where there are none. */
function chosenLayers(
  layers: readonly WeightedLayer[],
  names: readonly string[] | null,
  where: string,
): WeightedLayer[] {
  if (!layers.length)
    throw new EpochscopeError('unsupported', `${where}: the net has no dense layer and no convolution`);
  for (const name of names ?? [])
    guard(
      layers.some((layer) => layer.name === name || layer.node === name),
      'argument',
      () =>
        `features: layer ${name} of ${where} is no dense layer or convolution; those that are: ${layers.map((layer) => layer.name).join(', ')}`,
      { layer: name },
    );
  return names === null
    ? [...layers]
    : layers.filter(({ name, node }) => names.includes(name) || names.includes(node));
}

/**
 * Mean over samples of the sums of products of derivatives, by layer node: of each output by itself, or of random mixtures with signs ±1,
 * whose mean is the same. One pass back through the net gives all layers.
 */
async function gradientSums(
  tf: Tf,
  graph: Graph,
  layers: readonly WeightedLayer[],
  { output, probes, samples, seed }: FeaturesTask,
  { run, signal, onProgress }: PartContext,
): Promise<Map<string, GradientSums>> {
  const { manifest } = run;
  const chosen = chosenSamples(samples, manifest.samples!.count);
  const count = chosen?.length ?? manifest.samples!.count;
  const net = new GraphRunner(tf, graph);
  const byInputs = new Map(
    layers
      .filter(({ kernel: { shape } }) => shape[0] < shape[1])
      .map(({ node, kernel }) => [node, tf.tensor2d(kernel.data as Float32Array, [...kernel.shape])]),
  );
  const sums = new Map<string, GradientSums>(
    layers.map(({ node, kernel: { shape } }) => [
      node,
      { of: byInputs.has(node) ? 'inputs' : 'units', sums: new Float64Array(Math.min(...shape) ** 2) },
    ]),
  );
  try {
    const rows = net.sizeOf(output);
    const values = [...net.shapes.values()].reduce((sum, shape) => sum + elementCount(shape), 0);
    const batch = Math.max(1, Math.min(MOST_BATCH, Math.floor(BLOCK_BYTES / (16 * values))));
    const times = probes ?? rows;
    const scale = inputScaleOf(manifest);
    for (let from = 0; from < count; from += batch) {
      const n = Math.min(batch, count - from);
      const picked = chosen?.subarray(from, from + n);
      const { data } = (await run.inputs({ rows: picked ?? [from, from + n] }))!;
      const at = net.at(scale === 1 ? data : data.map((value) => value / scale), n);
      try {
        for (let t = 0; t < times; t++) {
          await yieldToEventLoop();
          checkNotCancelled(signal, 'features was cancelled');
          at.gradients(
            probes === null
              ? unitVectors(n, rows, t)
              : signs(n, rows, (i) => random(seed, picked?.[i] ?? from + i, t)),
            n,
            layers.map(({ node }) => node),
            output,
            (node, gradient) => {
              // The values are read outside: tidy would look through all of them for tensors.
              const square = tf.tidy(() => {
                const units = gradient.shape.at(-1)!;
                const flat = tf.reshape(gradient, [gradient.size / units, units]);
                const by = byInputs.get(node);
                const rows = by ? tf.matMul(flat, by, false, true) : flat;
                return tf.matMul(rows, rows, true, false);
              });
              const products = square.dataSync<'float32'>();
              square.dispose();
              const own = sums.get(node)!.sums;
              const weight = 1 / (count * (probes ?? 1));
              for (let i = 0; i < own.length; i++) own[i]! += weight * products[i]!;
            },
          );
          onProgress?.((from + (n * (t + 1)) / times) / count);
        }
      } finally {
        at.dispose();
      }
    }
  } finally {
    tf.dispose([...byInputs.values()]);
    net.dispose();
  }
  return sums;
}

/** The t-th unit vector, n times. */
function unitVectors(n: number, rows: number, t: number): Float32Array {
  const u = new Float32Array(n * rows);
  for (let i = 0; i < n; i++) u[i * rows + t] = 1;
  return u;
}

/** Signs of ±1, each sample's from a source of its own. */
function signs(n: number, rows: number, sourceOf: (i: number) => ReturnType<typeof random>): Float32Array {
  const u = new Float32Array(n * rows);
  for (let i = 0; i < n; i++) {
    const source = sourceOf(i);
    for (let r = 0; r < rows; r++) u[i * rows + r] = source.uniform() < 0.5 ? -1 : 1;
  }
  return u;
}
