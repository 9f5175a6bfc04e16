import { guard } from '@epochscope/core-wasm';
import { elementCount } from '../../formats/dtypes.js';
import type { Tensor } from '../../formats/types.js';
import {
  analyseChange,
  analyseTracks,
  type ChangeResult,
  changeByParts,
  choosePaths,
  type FollowedParameters,
  layerFinder,
  type PathRule,
  position,
  type TracksResult,
  tracksByParts,
} from '../../methods/change/index.js';
import { RESULT_FORMAT } from '../../results/types.js';
import type { Run, SnapshotInfo } from '../../run/types.js';
import { toolInfo } from '../../version.js';
import { inputOfResult, PlanInput } from '../input.js';
import { keyOf } from '../keys.js';
import { checkNotCancelled, runWorkflow, type WorkflowOptions } from '../run.js';
import { chooseSnapshots, withDefaults } from '../select.js';

import { type Part, type PartContext, PLAN_FORMAT, type Plan, type Workflow } from '../types.js';
import { withParted } from './parted.js';

export interface ChangeRunOptions {
  /** Snapshots by id, epoch, "first", "last" or "init". */
  from: string | number;
  to: string | number;
  /** null: every layer with parameters. */
  layers: readonly string[] | null;
  /** Of the result. */
  name: string;
}

export const CHANGE_DEFAULTS: ChangeRunOptions = { from: 'first', to: 'last', layers: null, name: 'default' };

export interface TracksRunOptions extends ChangeRunOptions {
  /** Snapshots that paths and update sizes run over, as `chooseSnapshots` takes them; `from` and `to` say whose change decides the largest. */
  snapshots: readonly (string | number)[];
  paths: PathRule;
}

export const TRACKS_DEFAULTS: TracksRunOptions = {
  ...CHANGE_DEFAULTS,
  snapshots: ['all'],
  paths: { rule: 'largest', k: 8 },
};

interface ChangeTask {
  from: string;
  to: string;
  layers: readonly string[] | null;
}
interface TracksTask extends ChangeTask {
  snapshots: readonly string[];
  paths: PathRule;
}
type Change = ReturnType<typeof analyseChange>;
type Tracks = Awaited<ReturnType<typeof analyseTracks>>;

/** Up to so many parameters every value before and every change is kept: a page holds them as text of at most half a gigabyte. */
export const MAX_PARAMETERS = 30_000_000;
/** Of larger nets so many values are kept in all, evenly over the tensors, no fewer than SAMPLED of one; drawn by this seed. */
const KEPT = 4_000_000;
const SAMPLED = 2_000;
const SEED = 1;
/** Memory of going through a large net in parts. */
const PARTS_BYTES = 500_000_000;

/** Δ of every parameter between two snapshots (methods/change): one part. */
export const changeWorkflow: Workflow<ChangeRunOptions, ChangeTask, Change, ChangeResult> = {
  method: 'change',

  async plan(run, given) {
    const options = withDefaults('change', CHANGE_DEFAULTS, given);
    const { task, count, weights, input } = await planned(run, options);
    const { layers, inputShape } = run.manifest;
    const part: Part<ChangeTask> = {
      key: keyOf('change', { ...task, weights, manifest: { layers, inputShape } }),
      stage: 'Change',
      title: `${task.from} → ${task.to}`,
      after: [],
      memory: count > MAX_PARAMETERS ? PARTS_BYTES : 4 * 4 * count,
      work: count,
      task,
    };
    const notes = count > MAX_PARAMETERS ? [sampledNote(count)] : [];
    return plan('change', { ...options, from: task.from, to: task.to }, input, [part], notes);
  },

  compute: async ({ task }, context) =>
    (await isLarge(task, context.run)) ? await largeChange(task, context) : changeOf(task, context),

  async join(plan, { run, output, seconds, reads }) {
    const { options } = plan;
    const change = await output<Change>(plan.parts[0]!.key);
    return {
      format: RESULT_FORMAT,
      method: 'change',
      name: options.name,
      tool: toolInfo,
      input: await inputOfResult(plan, run, reads),
      parameters: {
        from: options.from,
        to: options.to,
        layers: change.layers.map(({ layer }) => layer),
      },
      seeds: sampleSeeds(change),
      seconds,
      ...change,
    };
  },
};

/** Chosen parameters and update sizes over a run's snapshots (methods/change): one part. */
export const tracksWorkflow: Workflow<TracksRunOptions, TracksTask, Tracks, TracksResult> = {
  method: 'tracks',

  async plan(run, given) {
    const options = withDefaults('tracks', TRACKS_DEFAULTS, given);
    const { task: change, count, weights, input } = await planned(run, options);
    const snapshots = chooseSnapshots(run, options.snapshots).map(({ id }) => id);
    guard(
      snapshots.length > 1,
      'argument',
      () => `${run.store.name}: tracks run over two snapshots or more, got ${snapshots.length}`,
      { got: snapshots.length },
    );
    if (options.paths.rule === 'index') await checkPlaces(run, change, options.paths);
    // Between them may lie thousands: a result names the first and the last, a key knows them all.
    const between = new PlanInput(run);
    const read: object[] = [];
    for (const id of snapshots)
      read.push(await (id === snapshots[0] || id === snapshots.at(-1) ? input : between).weights(id));
    const task = { ...change, snapshots, paths: options.paths };
    const part: Part<TracksTask> = {
      key: keyOf('tracks', { ...task, weights, read, layers: run.manifest.layers }),
      stage: 'Reading snapshots',
      title: `${snapshots.length} snapshots`,
      after: [],
      memory: count > MAX_PARAMETERS ? PARTS_BYTES : 4 * 6 * count,
      work: count * snapshots.length,
      task,
    };
    return plan('tracks', { ...options, from: change.from, to: change.to, snapshots }, input, [part]);
  },

  async compute({ task }, context) {
    if (await isLarge(task, context.run)) return largeTracks(task, context);
    const change = await changeOf(task, context);
    return analyseTracks(
      reading(
        task.snapshots.map((id) => context.run.snapshot(id)),
        change.tensors.map(({ name }) => name),
        context,
      ),
      context.run.manifest.layers,
      choosePaths(change.tensors, task.paths),
    );
  },

  async join(plan, { run, output, seconds, reads }) {
    const { options } = plan;
    const tracks = await output<Tracks>(plan.parts[0]!.key);
    return {
      format: RESULT_FORMAT,
      method: 'tracks',
      name: options.name,
      tool: toolInfo,
      input: await inputOfResult(plan, run, reads),
      parameters: {
        snapshots: tracks.snapshots.length,
        paths: options.paths,
        layers: tracks.updates.map(({ layer }) => layer),
      },
      seeds: seedsOf(options.paths),
      seconds,
      ...tracks,
    };
  },
};

/** Δ of every parameter between two snapshots of a run (`methods/change`). Throws `missing`, `argument`, `memory` for a net too large at once. */
export const changeOfRun = (
  run: Run,
  options: Partial<ChangeRunOptions> = {},
  how: WorkflowOptions = {},
): Promise<ChangeResult> => runWorkflow(changeWorkflow, run, options, how);

/** Paths of chosen parameters, and update sizes of layers, over a run's snapshots (`methods/change`). Throws as `changeOfRun`. */
export const tracksOfRun = (
  run: Run,
  options: Partial<TracksRunOptions> = {},
  how: WorkflowOptions = {},
): Promise<TracksResult> => runWorkflow(tracksWorkflow, run, options, how);

const sampleSeeds = ({ tensors }: Change): Record<string, number> =>
  tensors.some(({ sample }) => sample) ? { samples: SEED } : {};
const seedsOf = (paths: PathRule): Record<string, number> =>
  paths.rule === 'random' ? { paths: paths.seed } : {};

function plan<Options, Task>(
  method: string,
  options: Options,
  input: PlanInput,
  parts: Part<Task>[],
  notes: string[] = [],
): Plan<Options, Task> {
  return {
    format: PLAN_FORMAT,
    method,
    tool: toolInfo,
    options,
    input: input.plan(),
    parts,
    hint: 'choose layers',
    notes,
  };
}

/** What both plans need: names resolved, and how much there is. */
async function planned(
  run: Run,
  { from, to, layers }: Pick<ChangeRunOptions, 'from' | 'to' | 'layers'>,
): Promise<{ task: ChangeTask; count: number; weights: object[]; input: PlanInput }> {
  const [a, b] = [run.snapshot(from), run.snapshot(to)];
  guard(a.id !== b.id, 'argument', () => `from ${from} and to ${to} are the same snapshot, ${a.id}`, {
    from: a.id,
    to: b.id,
  });
  const { tensors } = await run.weightPlaces(b.id);
  const inLayer = ({ parameters }: { parameters: readonly string[] }) =>
    parameters.filter((name) => tensors.has(name));
  for (const layer of layers ?? [])
    guard(
      inLayer(run.layer(layer)).length > 0,
      'missing',
      () =>
        `layer ${layer} has no parameters; layers with parameters: ${run.manifest.layers
          .filter((one) => inLayer(one).length)
          .map(({ name }) => name)
          .join(', ')}`,
      { layer },
    );
  const own = layers && new Set(layers.flatMap((layer) => run.layer(layer).parameters));
  let count = 0;
  for (const [name, { shape }] of tensors) if (!own || own.has(name)) count += elementCount(shape);
  const input = new PlanInput(run);
  return {
    task: { from: a.id, to: b.id, layers: layers && [...layers] },
    count,
    weights: [await input.weights(a.id), await input.weights(b.id)],
    input,
  };
}

/** Throws `missing`, `argument` for parameters that are not there. */
async function checkPlaces(
  run: Run,
  { to, layers }: ChangeTask,
  paths: PathRule & { rule: 'index' },
): Promise<void> {
  const { tensors } = await run.weightPlaces(to);
  const own = layers && new Set(layers.flatMap((layer) => run.layer(layer).parameters));
  const sizes = [...tensors]
    .filter(([name]) => !own || own.has(name))
    .map(([name, { shape }]) => ({ name, shape: [...shape], delta: { length: elementCount(shape) } }));
  // Places are looked up by names, shapes and lengths alone.
  choosePaths(sizes as unknown as Change['tensors'], paths);
}

async function changeOf({ from, to, layers }: ChangeTask, { run, reads }: PartContext): Promise<Change> {
  return analyseChange({
    from: { snapshot: run.snapshot(from), weights: await run.weights(from, { reads }) },
    to: { snapshot: run.snapshot(to), weights: await run.weights(to, { reads }) },
    layers: run.manifest.layers,
    inputShape: run.manifest.inputShape,
    ...(layers ? { only: [...layers] } : {}),
  });
}

const sampledNote = (count: number) =>
  `${count} parameters are too many to keep every value: statistics and counts are of all, values before and changes of ${KEPT} drawn by seed ${SEED}; layers that are chosen (option layers) are kept whole up to ${MAX_PARAMETERS}`;

/** Names of the tensors a task looks at, in the order of the weights. */
function wantedOf({ layers }: ChangeTask, run: Run, tensors: ReadonlyMap<string, unknown>): string[] {
  const own = layers && new Set(layers.flatMap((layer) => run.layer(layer).parameters));
  return [...tensors.keys()].filter((name) => !own || own.has(name));
}

async function isLarge(task: ChangeTask, run: Run): Promise<boolean> {
  const { tensors } = await run.weightPlaces(task.to);
  const count = wantedOf(task, run, tensors).reduce(
    (sum, name) => sum + elementCount(tensors.get(name)!.shape),
    0,
  );
  return count > MAX_PARAMETERS;
}

/** The change of a net that is gone through in parts. */
async function largeChange(
  task: ChangeTask,
  { run, reads, signal, onProgress }: PartContext,
): Promise<Change> {
  const from = run.snapshot(task.from);
  const to = run.snapshot(task.to);
  const named = new Set([from.id, to.id]);
  return withParted(run, [from, to], task, { named, reads }, signal, async (tensors) => {
    const sampled = Math.max(SAMPLED, Math.floor(KEPT / tensors.length));
    const change = await changeByParts(tensors, layerFinder(run.manifest.layers), [from.id, to.id], {
      sampled,
      seed: SEED,
      onTensor: (done, name) => onProgress?.(done / tensors.length, name),
    });
    return { from: point(from), to: point(to), inputShape: run.manifest.inputShape, ...change };
  });
}

const point = ({ id, epoch, step }: SnapshotInfo) => ({ id, epoch, step });

async function largeTracks(task: TracksTask, context: PartContext): Promise<Tracks> {
  const { run, reads, signal, onProgress } = context;
  const snapshots = task.snapshots.map((id) => run.snapshot(id));
  const { paths } = task;
  // Those whose change decides which are followed come after those that tracks run over, where they are none of them.
  const all = [...new Set([...task.snapshots, ...(paths.rule === 'largest' ? [task.from, task.to] : [])])];
  return withParted(
    run,
    all.map((id) => run.snapshot(id)),
    task,
    { named: new Set([task.from, task.to, snapshots[0]!.id, snapshots.at(-1)!.id]), reads },
    signal,
    async (tensors) => {
      const layerOf = layerFinder(run.manifest.layers);
      const sizes = tensors.map(({ name, shape, size }) => ({
        name,
        ...layerOf(name),
        shape: [...shape],
        delta: { length: size },
      }));
      const followed: FollowedParameters =
        paths.rule === 'largest'
          ? { k: paths.k, from: all.indexOf(task.from), to: all.indexOf(task.to) }
          : // Places are looked up by names, shapes and lengths alone.
            choosePaths(sizes as unknown as Change['tensors'], paths);
      const found = await tracksByParts(tensors, layerOf, task.snapshots, followed, (done, name) =>
        onProgress?.(done / tensors.length, name),
      );
      const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
      return {
        snapshots: snapshots.map(point),
        paths: found.paths.map(({ tensor, index, values }) => ({
          tensor,
          index,
          position: position(index, shapes.get(tensor)!),
          values,
        })),
        updates: found.updates,
      };
    },
  );
}

/** Snapshots one after the other, with only the tensors asked for. */
async function* reading(
  snapshots: readonly SnapshotInfo[],
  tensors: readonly string[],
  { run, reads, signal, onProgress }: PartContext,
): AsyncGenerator<{ snapshot: SnapshotInfo; weights: Map<string, Tensor> }> {
  const wanted = new Set(tensors);
  for (const [i, snapshot] of snapshots.entries()) {
    checkNotCancelled(signal, 'reading snapshots was cancelled');
    const named = i === 0 || i === snapshots.length - 1;
    const weights = await run.weights(snapshot.id, named ? { reads } : {});
    for (const name of [...weights.keys()]) if (!wanted.has(name)) weights.delete(name);
    yield { snapshot, weights };
    onProgress?.((i + 1) / snapshots.length, snapshot.id);
  }
}
