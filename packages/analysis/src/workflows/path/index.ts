import { guard, METRICS, type Metric } from '@epochscope/core-wasm';
import { vatPointsBytes } from '@epochscope/core-wasm/jobs';
import { createEngine } from '../../engine/create.js';
import type { Engine } from '../../engine/types.js';
import { elementCount } from '../../formats/dtypes.js';
import { selectedShape } from '../../formats/matrix.js';
import { coreOf, findBridges, minimaxPath, type PathResult } from '../../methods/path/index.js';
import { checkSample } from '../../methods/path/minimax.js';
import { findBlocks, type TendencyInput } from '../../methods/tendency/index.js';
import { inputOfSamples, type TendencyMetric, vatOf } from '../../methods/tendency/space.js';
import { type Figure, RESULT_FORMAT } from '../../results/types.js';
import { findLayer } from '../../run/manifest.js';
import type { Run, SnapshotInfo } from '../../run/types.js';
import { toolInfo } from '../../version.js';
import { checkObject } from '../arguments.js';
import { type CaptureOutput, type CaptureTask, captureParts, computeCapture } from '../capture/parts.js';
import { paceClock } from '../clock.js';
import { inputOfResult, PlanInput, samplesOfResult } from '../input.js';
import { keyOf } from '../keys.js';
import { type MatrixInput, type MatrixRunOptions, matrixRun } from '../matrix-run.js';
import { announce } from '../memory.js';
import { inputAt } from '../plain-input.js';
import { type RowsOptions, type RowsPlace, readForMethod, treeNeeds, withRows } from '../rows-file.js';
import { runWorkflow, type WorkflowOptions } from '../run.js';
import { chosenSamples, hashOfSamples, placeOf, withDefaults } from '../select.js';
import { type Part, PLAN_FORMAT, type Workflow } from '../types.js';

/** A sample by its number among those analysed, or the core of a block, from 0 along the diagonal. */
export type PathEnd = number | { block: number };

export interface PathRunOptions {
  /** Snapshot by id, epoch, "first", "last" or "init". */
  snapshot: string | number;
  /** "P1@3" is channel 3 of P1. null: the last layer. */
  layer: string | null;
  /** The two ends. */
  from: PathEnd;
  to: PathEnd;
  /** How many samples to take out, one after the other. Each takes a few trees. */
  bridges: number;
  metric: Metric;
  /** The first so many samples, or these; null: all. */
  samples: number | readonly number[] | null;
  /** Of the result. */
  name: string;
}

export const PATH_DEFAULTS: PathRunOptions = {
  snapshot: 'last',
  layer: null,
  from: { block: 0 },
  to: { block: 1 },
  bridges: 0,
  metric: 'euclidean',
  samples: null,
  name: 'default',
};

const HINT = 'take fewer samples';
/** What taking one sample out costs, in trees. */
const TREES_OF_A_BRIDGE = 3;

interface PathTask extends Pick<PathRunOptions, 'from' | 'to' | 'bridges' | 'metric' | 'samples'> {
  kind: 'path';
  snapshot: Pick<SnapshotInfo, 'id' | 'epoch' | 'step'>;
  layer: string;
  captures: readonly string[];
}
type Task = CaptureTask | PathTask;
type Found = Pick<
  PathResult,
  'n' | 'd' | 'unit' | 'from' | 'to' | 'path' | 'direct' | 'bridges' | 'noMore' | 'notes'
>;

/** How two samples hang together (methods/path): one part, captures before it. */
export const pathWorkflow: Workflow<PathRunOptions, Task, CaptureOutput | Found, PathResult> = {
  method: 'path',

  async plan(run, given) {
    const options = pathOptions(given);
    const layer = options.layer ?? run.manifest.layers.at(-1)?.name;
    guard(layer !== undefined, 'missing', () => `${run.store.name} names no layer`, { path: run.store.name });
    const snapshot = run.snapshot(options.snapshot);
    const { layer: whole, selection } = findLayer(run.manifest.layers, layer, run.store.name);
    const count = run.manifest.samples?.count ?? (await run.outputCount(snapshot.id, layer)) ?? 0;
    const chosen = chosenSamples(options.samples, count);
    const n = chosen?.length ?? count;
    for (const end of [options.from, options.to]) if (typeof end !== 'object') checkSample(end, n);
    const input = new PlanInput(run);
    const captures = await captureParts(run, input, [snapshot.id], [layer]);
    const d = elementCount(selectedShape(whole.shape, selection));
    const { from, to, bridges, metric, samples } = options;
    const decides = {
      from,
      to,
      bridges,
      metric,
      samples: hashOfSamples(chosen),
      snapshot: placeOf(snapshot),
      layer,
      outputs: input.needed(
        await input.outputs(snapshot.id, whole.name),
        `outputs of layer ${whole.name} at snapshot ${snapshot.id}`,
      ),
    };
    const after = captures.of(snapshot.id, layer);
    const part: Part<Task> = {
      key: keyOf('path', decides),
      stage: 'Path',
      title: `${snapshot.id} ${layer}`,
      after,
      // Without a sample the rows are copied.
      memory: vatPointsBytes(n, d) + 4 * n * d * ((chosen ? 2 : 1) + (bridges ? 1 : 0)),
      work: n * n * d * (1 + TREES_OF_A_BRIDGE * bridges),
      task: {
        kind: 'path',
        from,
        to,
        bridges,
        metric,
        samples,
        snapshot: placeOf(snapshot),
        layer,
        captures: after,
      },
    };
    return {
      format: PLAN_FORMAT,
      method: 'path',
      tool: toolInfo,
      options: { ...options, layer, snapshot: snapshot.id },
      input: input.plan(),
      parts: [...captures.parts, part],
      hint: HINT,
      notes: [],
    };
  },

  async compute(part, context) {
    const { task } = part;
    if (task.kind === 'capture') return computeCapture(part as Part<CaptureTask>, context);
    const { engine, signal, onProgress } = context;
    return pathIn(engine, await inputAt(task, task, context), task, {
      signal,
      onProgress: (done, _, note) => onProgress?.(done, note),
    });
  },

  async join(plan, { run, output, seconds, reads }) {
    const { options } = plan;
    const part = plan.parts.at(-1)!;
    const found = await output<Found>(part.key);
    const { snapshot, layer } = part.task as PathTask;
    const chosen = chosenSamples(options.samples, run.manifest.samples?.count ?? found.n);
    return {
      format: RESULT_FORMAT,
      method: 'path',
      name: options.name,
      tool: toolInfo,
      input: await inputOfResult(plan, run, reads),
      parameters: {
        snapshot: snapshot.id,
        layer,
        from: options.from,
        to: options.to,
        bridges: options.bridges,
        metric: options.metric,
        samples: found.n,
      },
      seeds: {},
      seconds,
      snapshot,
      layer,
      metric: options.metric,
      ...found,
      samples: await samplesOfResult(run, chosen, found.n),
    };
  },
};

/**
 * How two samples of a run's layer hang together: the path between them whose longest link is shortest, and the samples without which it is
 * longer (`methods/path`). Throws `argument` for samples or blocks that are not there, `missing`, `unsupported`, `memory`, `cancelled`.
 */
export const pathOfRun = (
  run: Run,
  options: Partial<PathRunOptions> = {},
  how: WorkflowOptions = {},
): Promise<PathResult> => runWorkflow(pathWorkflow, run, options, how);

export type PathOfMatrixOptions = Partial<Pick<PathRunOptions, 'from' | 'to' | 'bridges' | 'metric'>> &
  Pick<MatrixRunOptions, 'name' | 'labels' | 'classes'>;

/** The same between two rows of a matrix. */
export async function path(
  x: MatrixInput,
  given: PathOfMatrixOptions = {},
  how: WorkflowOptions = {},
): Promise<PathResult> {
  checkObject(given, 'path, options');
  const { name, labels, classes, ...options } = given;
  return pathOfRun(await matrixRun(x, { name, labels, classes }), options, how);
}

/** The figures of one input, in any metric it has. */
async function pathIn(
  engine: Engine,
  input: TendencyInput,
  {
    from,
    to,
    bridges: count,
    metric,
  }: Pick<PathRunOptions, 'from' | 'to' | 'bridges'> & { metric: TendencyMetric },
  {
    signal,
    onProgress,
  }: { signal?: AbortSignal; onProgress?: (done: number, total: 1, note?: string) => void },
): Promise<Found> {
  const whole = 1 / (1 + count);
  const tree = await vatOf(engine, input, metric, {
    signal,
    onProgress: (done, total) => onProgress?.((whole * done) / (total || 1), 1),
  });
  const [first, last] = [endOf(from, tree), endOf(to, tree)];
  const path = minimaxPath(tree, first, last);
  const { unit, notes } = tree;
  const found = count
    ? await findBridges(engine, input, path, {
        metric,
        unit,
        count,
        signal,
        onProgress: (done) => onProgress?.(whole * (1 + done), 1, `${done} of ${count} bridges`),
      })
    : { bridges: [], noMore: null };
  const [n, width] = input.outputs.shape;
  const direct: Figure =
    first === last
      ? { value: null, reason: 'both ends are one sample' }
      : {
          value: (await vatOf(engine, inputOfSamples(input, Uint32Array.of(first, last)), metric, { signal }))
            .weights[0]!,
        };
  return {
    n,
    d: input.dimensions ?? width,
    ...(unit === 1 ? {} : { unit }),
    from: first,
    to: last,
    path,
    direct,
    ...found,
    ...(notes.length ? { notes } : {}),
  };
}

/** What a result says of an input beside its figures. */
type PathAbout = Pick<PathResult, 'input' | 'samples' | 'notes'>;

export type PathOfFileOptions = Pick<RowsOptions, 'missing' | 'table' | 'labels'> &
  Partial<Pick<PathRunOptions, 'from' | 'to' | 'bridges' | 'samples' | 'name'>> & { metric?: TendencyMetric };

/** The same between two rows of a file, points or dissimilarities in any metric it has. Throws as `tendencyOfFile`. */
export function pathOfFile(
  place: RowsPlace,
  {
    metric = PATH_DEFAULTS.metric,
    samples = null,
    missing,
    table,
    labels,
    ...options
  }: PathOfFileOptions = {},
  how: WorkflowOptions = {},
): Promise<PathResult> {
  return withRows(place, { metric, missing, table, labels }, async (rows) => {
    const { bytes, work } = treeNeeds(rows, { metric, missing, samples });
    const { bridges = PATH_DEFAULTS.bridges } = options;
    const part = {
      title: rows.name,
      memory: bytes * (bridges ? 2 : 1),
      work: work * (1 + TREES_OF_A_BRIDGE * bridges),
    };
    announce({ method: 'path', hint: HINT, parts: [part] }, how);
    const { input, about } = await readForMethod(rows, { metric, missing, samples }, how);
    return pathOfInput(input, about, { metric, ...options }, how);
  });
}

/** The same of an input as it was read, in any metric it has. Throws `argument`, as `Engine.vat`. */
async function pathOfInput(
  input: TendencyInput,
  about: PathAbout,
  given: Partial<Pick<PathRunOptions, 'from' | 'to' | 'bridges' | 'name'>> & { metric: TendencyMetric },
  how: Pick<WorkflowOptions, 'engine' | 'signal' | 'onProgress'> = {},
): Promise<PathResult> {
  const { from, to, bridges, name } = { ...PATH_DEFAULTS, ...given };
  const { metric } = given;
  const n = input.outputs.shape[0];
  const engine = how.engine ?? createEngine();
  const clock = paceClock();
  const begun = performance.now();
  try {
    const found = await pathIn(
      engine,
      input,
      { from, to, bridges, metric },
      {
        signal: how.signal,
        onProgress: (share, _, note) =>
          how.onProgress?.({
            share,
            stage: 'Path',
            title: note ?? input.layer,
            stageShare: share,
            secondsLeft: clock(share),
          }),
      },
    );
    const notes = [...(about.notes ?? []), ...(found.notes ?? [])];
    return {
      format: RESULT_FORMAT,
      method: 'path',
      name,
      tool: toolInfo,
      parameters: { from, to, bridges, metric, samples: n },
      seeds: {},
      seconds: (performance.now() - begun) / 1000,
      snapshot: input.snapshot,
      layer: input.layer,
      metric,
      ...found,
      ...about,
      ...(notes.length ? { notes } : {}),
    };
  } finally {
    if (!how.engine) await engine.close();
  }
}

function endOf(end: PathEnd, tree: { order: Uint32Array; weights: Float32Array }): number {
  if (typeof end === 'number') return end;
  const blocks = findBlocks(tree.weights, tree.order.length);
  const block = blocks.ranges[end.block];
  guard(
    block,
    'argument',
    () =>
      blocks.count === 0
        ? `path: there is no block ${end.block}: ${blocks.reason ?? 'no clear blocks'}; name samples`
        : `path: expected a block 0 … ${blocks.count - 1}, got ${end.block}`,
    { got: end.block },
  );
  return coreOf(tree, block);
}

function pathOptions(given: Partial<PathRunOptions>): PathRunOptions {
  const options = withDefaults('path', PATH_DEFAULTS, given);
  const { metric, bridges, from, to } = options;
  guard(
    METRICS.includes(metric),
    'argument',
    () => `path: metric: expected one of ${METRICS.join(', ')}, got ${metric}`,
    { got: metric },
  );
  const natural = (value: number, what: string) =>
    guard(
      Number.isInteger(value) && value >= 0,
      'argument',
      () => `path: ${what}: expected an integer ≥ 0, got ${value}`,
      { got: value },
    );
  natural(bridges, 'bridges');
  natural(typeof from === 'object' ? from.block : from, 'from');
  natural(typeof to === 'object' ? to.block : to, 'to');
  return options;
}
