import { formatBytes, guard } from '@epochscope/core-wasm';
import { correlationBytes, linkageFromPointsBytes } from '@epochscope/core-wasm/jobs';
import { elementCount } from '../../formats/dtypes.js';
import { selectedShape } from '../../formats/matrix.js';
import { tokenAxis } from '../../formats/tokens.js';
import {
  analyseModules,
  type CutRule,
  linkModules,
  type ModuleSnapshot,
  type ModulesResult,
  type RemovedUnits,
  type UnitLayer,
  type UnitMode,
  unitLayers,
  unitTotal,
} from '../../methods/modules/index.js';
import { isActivation, isGraphSpec } from '../../models/graph/index.js';
import { random } from '../../random.js';
import { RESULT_FORMAT } from '../../results/types.js';
import { findLayer } from '../../run/manifest.js';
import type { Run, RunManifest, SnapshotInfo } from '../../run/types.js';
import { toolInfo } from '../../version.js';
import { type CaptureOutput, type CaptureTask, captureParts, computeCapture } from '../capture/parts.js';
import { inputOfResult, PlanInput } from '../input.js';
import { keyOf, sha256 } from '../keys.js';
import { runWorkflow, type WorkflowOptions } from '../run.js';
import { chooseSnapshots, placeOf, rowsOfSample, withTokens } from '../select.js';
import { trainingData, trainingPlace } from '../training-data.js';
import { type Part, PLAN_FORMAT, type PlanContext, type Workflow } from '../types.js';
import { type ModulesRunOptions, modulesOptions } from './options.js';
import { blocksOf, checkInputs, drawn } from './samples.js';

export { MODULES_DEFAULTS, type ModulesRunOptions } from './options.js';

/** What decides the modules of one snapshot, beside what it reads. */
export interface ModulesTask {
  kind: 'modules';
  snapshot: Pick<SnapshotInfo, 'id' | 'epoch' | 'step'>;
  layers: readonly UnitLayer[];
  units: UnitMode;
  /** Where the training data lies; null: samples of the run. */
  data: string | null;
  /** Samples drawn, and of how many dimensions their inputs and outputs are. */
  samples: number;
  inputs: number;
  outputs: number;
  /** Layers that are read, with what stands for a sample: the net's outputs, and its inputs where those are not the samples themselves. */
  last: string;
  embedding: string | null;
  /** Rows of analysis that a sample gives: 1, or its tokens. */
  each: number;
  outputsAs: ModulesRunOptions['outputs'];
  theta: number;
  cut: CutRule;
  sweep: readonly number[] | null;
  maxUnits: number | null;
  seed: number;
  captures: readonly string[];
}

type Task = CaptureTask | ModulesTask;

/** What recordings call some activations. */
const RECORDED = new Set(['selu', 'swish']);

/** Clusters of hidden units and how they change (methods/modules): a part a snapshot. */
export const modulesWorkflow: Workflow<
  ModulesRunOptions,
  Task,
  CaptureOutput | ModuleSnapshot,
  ModulesResult
> = {
  method: 'modules',

  async plan(run, given, context) {
    const options = modulesOptions(given ?? {});
    const snapshots = chooseSnapshots(run, options.snapshots);
    const last = run.manifest.layers.at(-1);
    const where = run.store.name;
    guard(last, 'missing', () => `${where} names no layer`, { path: where });
    const names = hiddenLayers(run, options);
    const each = rowsOfSample(run, names);
    const layers = unitLayers(
      names.map((name) => ({ name, shape: shapeAt(run, name) })),
      options.units,
    );
    const total = unitTotal(layers);
    const { units, theta, cut, sweep, seed } = options;
    const maxUnits = options.maxUnits !== null && total > options.maxUnits ? options.maxUnits : null;
    const input = new PlanInput(run);
    const notes: string[] = [];
    const samples = await samplesOf(run, options, input, notes, context);
    const end = hasTokens(run, last.name) ? withTokens(run, [last.name], options.tokens)[0]! : last.name;
    if (samples.embedding && each > 1) samples.embedding += '@all';
    if (samples.embedding) samples.inputs = elementCount(shapeAt(run, samples.embedding));
    if (each > 1) samples.of *= each;
    if (each > 1) samples.count = drawn(samples.of, options.samples, seed).length;
    const outputs = elementCount(shapeAt(run, end));
    const dimensions = samples.inputs + outputs;
    const clustered = Math.min(total, maxUnits ?? total);
    const memory =
      linkageFromPointsBytes(clustered, dimensions, true) +
      correlationBytes(clustered, dimensions) +
      4 * samples.count * samples.inputs;
    notes.push(
      `${total} units (${layers.map(({ name, count }) => `${name} ${count}`).join(', ')}) × ${dimensions} dimensions, ${samples.count} samples of ${samples.source}; clustering needs up to ${formatBytes(linkageFromPointsBytes(clustered, dimensions, true))}`,
    );
    const parts: Part<Task>[] = [];
    for (const snapshot of snapshots) {
      const needed = [...names, end, ...(samples.embedding ? [samples.embedding] : [])];
      const captures =
        samples.data === null && run.manifest.model
          ? await captureParts(run, input, [snapshot.id], needed)
          : { parts: [], kept: 0 };
      parts.push(...captures.parts);
      const decides: Omit<ModulesTask, 'kind' | 'captures' | 'data'> = {
        snapshot: placeOf(snapshot),
        layers,
        units,
        samples: samples.count,
        inputs: samples.inputs,
        outputs,
        last: end,
        embedding: samples.embedding,
        each,
        outputsAs: options.outputs,
        theta,
        cut,
        sweep,
        maxUnits,
        seed,
      };
      const read =
        samples.data === null
          ? await Promise.all(
              needed.map(async (name) =>
                input.needed(
                  await input.outputs(snapshot.id, name),
                  `outputs of layer ${name} at snapshot ${snapshot.id}`,
                ),
              ),
            )
          : await input.weights(snapshot.id);
      const after = captures.parts.map(({ key }) => key);
      parts.push({
        key: keyOf('modules', { ...decides, read, data: samples.decides, kind: last.kind }),
        stage: 'Modules',
        title: snapshot.id,
        after,
        memory: memory + captures.kept,
        work: total * dimensions * samples.count + clustered * clustered * dimensions,
        task: { kind: 'modules', ...decides, data: samples.data, captures: after },
      });
    }
    return {
      format: PLAN_FORMAT,
      method: 'modules',
      tool: toolInfo,
      options: {
        ...options,
        layers: layers.map(({ name }) => name),
        snapshots: snapshots.map(({ id }) => id),
        maxUnits,
        data: samples.data,
        samplesOf: samples.data === null ? 'run' : 'training',
      },
      input: input.plan(),
      parts,
      hint: 'take channels for units (units "channel"), fewer layers, or draw some of the units (maxUnits)',
      notes,
      facts: { samplesOf: samples.source, samples: samples.count, of: samples.of },
    };
  },

  async compute(part, context) {
    const { task } = part;
    if (task.kind === 'capture') return computeCapture(part as Part<CaptureTask>, context);
    const { theta, cut, sweep, seed } = task;
    return analyseModules(
      context.engine,
      {
        snapshot: task.snapshot,
        source: await blocksOf(task, context),
        inputs: task.inputs,
        ...(task.maxUnits === null
          ? {}
          : { without: notDrawn(unitTotal(task.layers as UnitLayer[]), task.maxUnits, seed) }),
      },
      {
        theta,
        cut,
        sweep,
        seed,
        signal: context.signal,
        onProgress: (done, total) => context.onProgress?.(done / (total || 1)),
      },
    );
  },

  async join(plan, { run, output, seconds, reads }) {
    const { options, facts } = plan;
    const snapshots: ModuleSnapshot[] = [];
    const tasks = plan.parts.flatMap(({ key, task }) => (task.kind === 'modules' ? [{ key, task }] : []));
    for (const { key } of tasks) snapshots.push(await output(key));
    const transitions = linkModules(snapshots);
    const { task } = tasks[0]!;
    const last = run.manifest.layers.at(-1)!;
    const { classes, inputShape } = run.manifest;
    return {
      format: RESULT_FORMAT,
      method: 'modules',
      name: options.name,
      tool: toolInfo,
      input: await inputOfResult(plan, run, reads),
      parameters: {
        theta: options.theta,
        cut: options.cut,
        layers: options.layers,
        units: options.units,
        ...(options.tokens === null ? {} : { tokens: options.tokens }),
        outputs: last.kind === 'log-softmax' ? options.outputs : 'layer',
        samples: task.samples,
        samplesOf: facts!.samplesOf,
        ...(options.maxUnits === null ? {} : { maxUnits: options.maxUnits }),
      },
      seeds: { analysis: options.seed },
      seconds,
      units: { mode: options.units, total: unitTotal(task.layers as UnitLayer[]), layers: [...task.layers] },
      inputs: task.inputs,
      inputShape: task.embedding ? [...shapeAt(run, task.embedding)] : inputShape,
      outputs: task.outputs,
      classes: classes?.length === task.outputs ? classes : null,
      ...(task.embedding ? { inputsOf: task.embedding } : {}),
      samples: {
        count: task.samples,
        indices: drawn(facts!.of as number, task.samples, options.seed),
      },
      snapshots,
      transitions,
    };
  },
};

/**
 * Modules of hidden units at a run's snapshots, and their transitions (`methods/modules`): over training samples where the run's net is one of
 * ours, else over the samples it holds. Throws `missing`, `argument`, `unsupported`, `memory`, `cancelled`.
 */
export const modulesOfRun = (
  run: Run,
  options: Partial<ModulesRunOptions> = {},
  how: WorkflowOptions = {},
): Promise<ModulesResult> => runWorkflow(modulesWorkflow, run, options, how);

/** Training samples where the run says which net made it, else the samples it holds. Throws `missing`, `unsupported`, `argument`. */
async function samplesOf(
  run: Run,
  options: ModulesRunOptions,
  input: PlanInput,
  notes: string[],
  context: PlanContext,
): Promise<{
  data: string | null;
  count: number;
  of: number;
  inputs: number;
  /** The layer that token ids are looked up in, which stands for them: ids have no order. */
  embedding: string | null;
  source: string;
  decides: object | null;
}> {
  const { manifest, store } = run;
  // How training data becomes the inputs of an imported net is not known: scaled, centred, cropped.
  const imported = isGraphSpec(manifest.model);
  if (options.samplesOf === 'training' && manifest.model && !imported) {
    const place = trainingPlace(run, options.data);
    const data = await trainingData(run, place, options.data, context.dataset);
    const indices = drawn(data.train.count, options.samples, options.seed);
    const size = elementCount(data.shape);
    return {
      data: place,
      count: indices.length,
      of: data.train.count,
      inputs: size,
      embedding: null,
      source: `the training samples of ${data.name}`,
      decides: {
        sha256: sha256(...Array.from(indices, (i) => data.train.images.subarray(i * size, (i + 1) * size))),
      },
    };
  }
  if (options.samplesOf === 'training') {
    const why = imported ? 'holds an imported net' : 'does not say which net made it';
    guard(
      options.data === null,
      'unsupported',
      () =>
        `${store.name} ${why}, so that training data cannot be run through it; import or record samples of that data instead`,
      { path: store.name },
    );
    notes.push(`The run ${why}: the samples it holds are used.`);
  }
  const decides = await input.inputs();
  const of = manifest.samples?.count ?? 0;
  checkInputs(decides !== null && manifest.samples !== null, store.name);
  const embedding = embeddingOf(run);
  const inputs = embedding
    ? 0
    : manifest.inputShape
      ? elementCount(manifest.inputShape)
      : (await run.inputs())!.shape[1];
  const count = drawn(of, options.samples, options.seed).length;
  return { data: null, count, of, inputs, embedding, source: `the ${of} samples of the run`, decides };
}

/** The layers asked for, each once; or attention's heads; or those after an activation; or all but the last. */
function hiddenLayers(
  run: Run,
  { layers: wanted, units, tokens }: Pick<ModulesRunOptions, 'layers' | 'units' | 'tokens'>,
): string[] {
  const { manifest, store } = run;
  if (units === 'head') {
    const names = wanted ?? attentionLayers(manifest);
    guard(names.length > 0, 'missing', () => `${store.name} has no layer of attention heads`, {
      path: store.name,
    });
    return [...new Set(names.map((name) => (name.endsWith('@heads') ? name : `${name}@heads`)))];
  }
  if (wanted) {
    for (const name of wanted)
      guard(
        !/@\d+$/.test(name) || run.layer(name).name === name,
        'argument',
        () =>
          `layer ${name}: units are those of whole layers; give ${run.layer(name).name} and channels for units (option units)`,
        { layer: name },
      );
    return [...new Set(withTokens(run, wanted, tokens))];
  }
  const hidden = manifest.layers.slice(0, -1);
  const active = hidden.filter(({ kind }) => isActivation(kind) || RECORDED.has(kind));
  const names = (active.length ? active : hidden).map(({ name }) => name);
  guard(names.length > 0, 'missing', () => `${store.name} has no hidden layer`, { path: store.name });
  const chosen = tokens === 'all' ? names.filter((name) => hasTokens(run, name)) : names;
  return withTokens(run, chosen.length ? chosen : names, tokens);
}

/** What attention gives before its heads are joined: [heads, tokens, width], a product of the weights that soft-max makes. */
function attentionLayers({ layers, model }: RunManifest): string[] {
  const heads = layers.filter(
    ({ kind, shape }) => kind === 'matmul' && shape.length === 3 && tokenAxis(layers, shape) === 1,
  );
  if (!isGraphSpec(model)) return heads.map(({ name }) => name);
  const weights = new Set(model.nodes.flatMap(({ name, kind }) => (kind === 'softmax' ? [name] : [])));
  return heads
    .map(({ name }) => name)
    .filter((name) => weights.has(model.nodes.find((node) => node.name === name)?.inputs[0] ?? ''));
}

const hasTokens = ({ manifest: { layers } }: Run, name: string): boolean =>
  tokenAxis(layers, layers.find((layer) => layer.name === name)!.shape) !== null;

/** Shape of what a name chooses of one row of analysis. */
function shapeAt({ manifest, store }: Run, name: string): readonly number[] {
  const { layer, selection } = findLayer(manifest.layers, name, store.name);
  return selectedShape(layer.shape, selection);
}

/** The layer that a run of token ids looks them up in. */
const embeddingOf = ({ manifest: { layers, inputShape } }: Run): string | null =>
  layers.find(
    ({ kind, shape }) =>
      kind === 'embedding' && inputShape?.length === 1 && shape.length === 2 && shape[0] === inputShape[0],
  )?.name ?? null;

/** What is left out where only some of the units are analysed. */
function notDrawn(total: number, units: number, seed: number): RemovedUnits {
  const kept = new Set(random(seed, 3).subset(total, units));
  return {
    reason: `not among the ${units} units drawn (seed ${seed})`,
    units: Uint32Array.from({ length: total }, (_, u) => u).filter((u) => !kept.has(u)),
  };
}
