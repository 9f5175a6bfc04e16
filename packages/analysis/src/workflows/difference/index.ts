import { guard, METRICS, type Metric } from '@epochscope/core-wasm';
import { vatPointsBytes } from '@epochscope/core-wasm/jobs';
import { createEngine } from '../../engine/create.js';
import { elementCount } from '../../formats/dtypes.js';
import { selectedShape } from '../../formats/matrix.js';
import {
  analyseDifference,
  type Difference,
  type DifferenceResult,
  type DifferenceSide,
  differenceOf,
  differenceSide,
  linearCka,
} from '../../methods/difference/index.js';
import type { TendencyInput, TendencyMetric } from '../../methods/tendency/index.js';
import { RESULT_FORMAT } from '../../results/types.js';
import { findLayer } from '../../run/manifest.js';
import type { Run, SnapshotInfo } from '../../run/types.js';
import { toolInfo } from '../../version.js';
import { checkObject } from '../arguments.js';
import { captureRun } from '../capture/index.js';
import {
  type CaptureOutput,
  type CaptureTask,
  captureParts,
  computeCapture,
  nameOfOutputs,
} from '../capture/parts.js';
import { paceClock } from '../clock.js';
import { inputOfResult, PlanInput, samplesOfResult } from '../input.js';
import { keyOf } from '../keys.js';
import { type MatrixInput, type MatrixRunOptions, matrixRun } from '../matrix-run.js';
import { announce } from '../memory.js';
import { inputAt, type OutputsPlace, plainInput } from '../plain-input.js';
import {
  type InputOfRows,
  type RowsFile,
  type RowsOptions,
  type RowsPlace,
  readForMethod,
  treeNeeds,
  withRows,
} from '../rows-file.js';
import { runWorkflow, type WorkflowOptions } from '../run.js';
import { chosenSamples, hashOfSamples, pick, placeOf, withDefaults } from '../select.js';
import { type Part, PLAN_FORMAT, type Workflow } from '../types.js';

export const HINT = 'take fewer samples';
/** What scales, bars and CKA take beside a tree, however many samples there are. */
const BESIDE_TREES = 68e6;

export interface DifferenceRunOptions {
  /** Snapshots by id, epoch, "first", "last" or "init". */
  from: string | number;
  to: string | number;
  /** Layer of the first picture; "P1@3" is channel 3 of P1. null: the last. */
  layer: string | null;
  /** Layer of the second. null: the same. */
  toLayer: string | null;
  metric: Metric;
  /** The first so many samples, or these; null: all. */
  samples: number | readonly number[] | null;
  /** Draws the samples that scales and CKA are taken over, where they are not taken over all. */
  seed: number;
  /** Of the result. */
  name: string;
}

export const DIFFERENCE_DEFAULTS: DifferenceRunOptions = {
  from: 'first',
  to: 'last',
  layer: null,
  toLayer: null,
  metric: 'euclidean',
  samples: null,
  seed: 1,
  name: 'default',
};

interface Shared extends Pick<DifferenceRunOptions, 'metric' | 'samples' | 'seed'> {}

/** One side's tree and scale. */
export interface SideTask extends Shared, OutputsPlace {
  kind: 'side';
}

/** CKA of the outputs of both. */
interface CkaTask extends Shared {
  kind: 'cka';
  places: [OutputsPlace, OutputsPlace];
}

type Task = CaptureTask | SideTask | CkaTask;
type Cka = Pick<Difference, 'cka' | 'ckaSamples'>;

/** What changed between two pictures of a run's samples (methods/difference): a part a side, one for CKA, captures before them. */
export const differenceWorkflow: Workflow<
  DifferenceRunOptions,
  Task,
  CaptureOutput | DifferenceSide | Cka,
  DifferenceResult
> = {
  method: 'difference',

  async plan(run, given) {
    const options = differenceOptions(given);
    const last = run.manifest.layers.at(-1)?.name;
    const layer = options.layer ?? last;
    guard(layer !== undefined, 'missing', () => `${run.store.name} names no layer`, { path: run.store.name });
    const toLayer = options.toLayer ?? layer;
    const chosenPlaces = [
      { snapshot: run.snapshot(options.from), layer },
      { snapshot: run.snapshot(options.to), layer: toLayer },
    ];
    guard(
      chosenPlaces[0]!.snapshot.id !== chosenPlaces[1]!.snapshot.id || layer !== toLayer,
      'argument',
      () =>
        `difference: both pictures are ${chosenPlaces[0]!.snapshot.id}, ${layer}; choose two snapshots or two layers`,
    );
    const count =
      run.manifest.samples?.count ?? (await run.outputCount(chosenPlaces[0]!.snapshot.id, layer)) ?? 0;
    const chosen = chosenSamples(options.samples, count);
    const n = chosen?.length ?? count;
    const input = new PlanInput(run);
    const parts: Part<Task>[] = [];
    const places: OutputsPlace[] = [];
    const decided: object[] = [];
    const { metric, samples, seed } = options;
    for (const { snapshot, layer } of chosenPlaces) {
      const captures = await captureParts(run, input, [snapshot.id], [layer]);
      parts.push(...captures.parts.filter(({ key }) => !parts.some((part) => part.key === key)));
      const { part, decides, place } = await sidePart(
        run,
        input,
        { snapshot, layer, after: captures.of(snapshot.id, layer) },
        { metric, samples, seed },
        count,
      );
      decided.push(decides);
      places.push(place);
      parts.push(part);
    }
    const widths = places.map(({ layer }) => elementCount(run.layer(layer).shape));
    parts.push({
      key: keyOf('difference cka', decided),
      stage: 'CKA',
      title: places.map(({ snapshot, layer }) => `${snapshot.id} ${layer}`).join(' – '),
      after: [...new Set(places.flatMap(({ captures }) => captures))],
      memory: 4 * n * (widths[0]! + widths[1]!) * 2 + 64e6,
      work: n * (widths[0]! + widths[1]!) * Math.min(2000, widths[0]! + widths[1]!),
      task: { kind: 'cka', metric, samples, seed, places: [places[0]!, places[1]!] },
    });
    return {
      format: PLAN_FORMAT,
      method: 'difference',
      tool: toolInfo,
      options: {
        ...options,
        from: places[0]!.snapshot.id,
        to: places[1]!.snapshot.id,
        layer,
        toLayer,
      },
      input: input.plan(),
      parts,
      hint: HINT,
      notes: [],
    };
  },

  async compute(part, context) {
    const { task } = part;
    const { engine, run, signal } = context;
    if (task.kind === 'capture') return computeCapture(part as Part<CaptureTask>, context);
    const { metric, seed } = task;
    if (task.kind === 'cka') {
      // Of the outputs as they are, whatever the metric brings them to.
      const [a, b] = [
        await inputAt(task.places[0], { ...task, metric: 'euclidean' }, context),
        await inputAt(task.places[1], { ...task, metric: 'euclidean' }, context),
      ];
      const { cka, samples } = await linearCka(engine, a, b, { seed, signal });
      return { cka, ckaSamples: samples };
    }
    return differenceSide(engine, await inputAt(task, task, context), run.name, {
      metric,
      seed,
      signal,
      onProgress: (done, total) => context.onProgress?.(done / (total || 1)),
    });
  },

  async join(plan, { run, output, seconds, reads }) {
    const { options } = plan;
    const sides: DifferenceSide[] = [];
    let cka: Cka | undefined;
    for (const { key, task } of plan.parts) {
      if (task.kind === 'side') sides.push(await output(key));
      if (task.kind === 'cka') cka = await output(key);
    }
    const found = differenceOf(sides[0]!, sides[1]!);
    const chosen = chosenSamples(options.samples, run.manifest.samples?.count ?? sides[0]!.n);
    return {
      ...resultOf({ ...found, ...cka! }, options, seconds),
      input: await inputOfResult(plan, run, reads),
      samples: await samplesOfResult(run, chosen, sides[0]!.n),
    };
  },
};

/** A picture's tree as a part: the same for a difference as for a map, so that one takes what the other made. */
export async function sidePart(
  run: Run,
  input: PlanInput,
  { snapshot, layer, after }: { snapshot: SnapshotInfo; layer: string; after: readonly string[] },
  { metric, samples, seed }: Shared,
  count: number,
): Promise<{ part: Part<SideTask>; decides: object; place: OutputsPlace }> {
  const { layer: whole, selection } = findLayer(run.manifest.layers, layer, run.store.name);
  const chosen = chosenSamples(samples, count);
  const n = chosen?.length ?? count;
  const d = elementCount(selectedShape(whole.shape, selection));
  const place: OutputsPlace = { snapshot: placeOf(snapshot), layer, captures: after };
  const decides = {
    snapshot: place.snapshot,
    layer,
    metric,
    samples: hashOfSamples(chosen),
    seed,
    outputs: input.needed(
      await input.outputs(snapshot.id, whole.name),
      `outputs of layer ${whole.name} at snapshot ${snapshot.id}`,
    ),
  };
  const part: Part<SideTask> = {
    key: keyOf('difference side', decides),
    stage: 'Trees',
    title: `${snapshot.id} ${layer}`,
    after,
    memory: vatPointsBytes(n, d) + 4 * n * d * (chosen ? 2 : 1) + BESIDE_TREES,
    work: n * n * d,
    task: { kind: 'side', metric, samples, seed, ...place },
  };
  return { part, decides, place };
}

/**
 * What changed between two pictures of a run's samples: two snapshots, or two layers (`methods/difference`); outputs that the run does not hold
 * are captured into it first. Throws `argument` for one and the same picture, `missing`, `unsupported`, `memory`, `cancelled`.
 */
export const differenceOfRun = (
  run: Run,
  options: Partial<DifferenceRunOptions> = {},
  how: WorkflowOptions = {},
): Promise<DifferenceResult> => runWorkflow(differenceWorkflow, run, options, how);

/**
 * The same between pictures of two runs of the same samples: two models, two seeds. `from` and `layer` are the first run's, `to` and `toLayer`
 * the second's (default "last" and the last layer of each). Samples are taken as they stand: both runs must hold them in the same order, which
 * is checked by the labels where both have some. Throws `shape` where the numbers or the labels of samples differ.
 */
export async function differenceOfRuns(
  runs: readonly [Run, Run],
  given: Partial<DifferenceRunOptions> = {},
  how: WorkflowOptions = {},
): Promise<DifferenceResult> {
  const options = differenceOptions({ from: 'last', ...given });
  const engine = how.engine ?? createEngine();
  try {
    const layers = [options.layer, options.toLayer ?? options.layer].map(
      (layer, i) => layer ?? runs[i]!.manifest.layers.at(-1)?.name,
    );
    const snapshots = [options.from, options.to].map((snapshot, i) => runs[i]!.snapshot(snapshot));
    const labels = [await runs[0].labels(), await runs[1].labels()] as const;
    const counts = await Promise.all(
      runs.map(
        async (run, i) =>
          run.manifest.samples?.count ?? (await run.outputCount(snapshots[i]!.id, layers[i]!)),
      ),
    );
    const names = runs.map(({ store }) => store.name);
    guard(
      counts[0] === counts[1],
      'shape',
      () =>
        `${names[0]} has ${counts[0]} samples and ${names[1]} ${counts[1]}: a difference is between pictures of the same`,
      { expected: counts[0]!, got: counts[1]! },
    );
    const other = labels[0] && labels[1] ? labels[0].findIndex((label, i) => label !== labels[1]![i]) : -1;
    guard(
      other < 0,
      'shape',
      () =>
        `sample ${other} has label ${labels[0]![other]} in ${names[0]} and ${labels[1]![other]} in ${names[1]}: a difference is between pictures of the same samples`,
      { row: other },
    );
    const chosen = chosenSamples(options.samples, counts[0] ?? 0);
    const n = chosen?.length ?? counts[0] ?? 0;
    const widths = runs.map((run, i) => {
      const { layer, selection } = findLayer(run.manifest.layers, layers[i]!, names[i]!);
      return elementCount(selectedShape(layer.shape, selection));
    });
    const parts = widths.map((d, i) => ({
      title: `${snapshots[i]!.id} ${layers[i]}`,
      memory: vatPointsBytes(n, d) + 4 * n * (widths[0]! + widths[1]! + d) + BESIDE_TREES,
      work: n * n * d,
    }));
    announce({ method: 'difference', hint: HINT, parts }, how);
    const reads: Record<string, never>[] = [{}, {}];
    const inputs: TendencyInput[] = [];
    for (const [i, run] of runs.entries()) {
      const [layer, snapshot] = [layers[i]!, snapshots[i]!];
      if (!(await run.hasOutputs(snapshot.id, run.layer(layer).name)))
        await captureRun(
          run,
          { layers: [run.layer(layer).name], snapshots: [snapshot.id] },
          { ...how, engine },
        );
      inputs.push(
        await plainInput(
          await run.outputTensor(snapshot.id, layer, {
            reads: reads[i]!,
            ...(chosen ? { rows: chosen } : {}),
          }),
          { snapshot: placeOf(snapshot), layer, name: nameOfOutputs(run, snapshot.id, layer) },
          options.metric,
        ),
      );
    }
    return await differenceOfInputs(
      [inputs[0]!, inputs[1]!],
      {
        sources: [runs[0].name, runs[1].name],
        input: {
          source: `${runs[0].name} and ${runs[1].name}`,
          files: Object.fromEntries(
            runs.flatMap((run, i) =>
              Object.entries(reads[i]!).map(([path, state]) => [`${run.name}/${path}`, state]),
            ),
          ),
        },
        samples: {
          count: chosen?.length ?? counts[0] ?? 0,
          labels: pick(labels[0] ?? labels[1], chosen),
          classes: runs[0].manifest.classes ?? runs[1].manifest.classes,
          images: (await runs[0].images(chosen)) ?? (await runs[1].images(chosen)),
          ...(chosen ? { indices: chosen } : {}),
        },
      },
      options,
      { ...how, engine },
    );
  } finally {
    if (!how.engine) await engine.close();
  }
}

/** What a result says of two inputs beside its figures. */
interface DifferenceAbout extends Pick<DifferenceResult, 'input' | 'samples' | 'notes'> {
  /** Names of the two runs or files. */
  sources: readonly [string, string];
}

export type DifferenceOfFilesOptions = Pick<RowsOptions, 'missing' | 'table' | 'labels'> &
  Partial<Pick<DifferenceRunOptions, 'samples' | 'seed' | 'name'>> & { metric?: TendencyMetric };

/**
 * What changed between two files whose rows are the same samples, points or dissimilarities in any metric they have. Labels are the first
 * file's, or of a file of their own. Throws as `tendencyOfFile`, `shape` where the numbers of samples differ.
 */
export async function differenceOfFiles(
  [first, second]: readonly [RowsPlace, RowsPlace],
  {
    metric = DIFFERENCE_DEFAULTS.metric,
    samples = null,
    missing,
    table,
    labels,
    ...options
  }: DifferenceOfFilesOptions = {},
  how: WorkflowOptions = {},
): Promise<DifferenceResult> {
  // A column of labels is no column of numbers in the second file either.
  const ofSecond = typeof labels === 'object' && 'column' in labels ? labels : undefined;
  const reading = { metric, missing, samples };
  const read = async (rows: RowsFile) => ({
    source: rows.source,
    ...(await readForMethod(rows, reading, how)),
  });
  const [a, b] = await withRows(first, { metric, missing, table, labels }, (one) =>
    withRows(second, { metric, missing, table, labels: ofSecond }, async (two) => {
      const [needs, other] = [treeNeeds(one, reading), treeNeeds(two, reading)];
      // Beside one's tree the other's rows are held, and its tree.
      const parts = [
        { title: one.name, memory: needs.bytes + other.held + BESIDE_TREES, work: needs.work },
        { title: two.name, memory: other.bytes + needs.held + BESIDE_TREES, work: other.work },
      ];
      announce({ method: 'difference', hint: HINT, parts }, how);
      return [await read(one), await read(two)] as const;
    }),
  );
  const sources: [string, string] = [a.source, b.source];
  const identity = ({ about }: InputOfRows) => Object.values(about.input.files)[0]!;
  return differenceOfInputs(
    [a.input, b.input],
    {
      sources,
      input: {
        source: sources.join(' and '),
        // By path: two files may have one name.
        files: { [a.source]: identity(a), [b.source]: identity(b) },
      },
      samples: a.about.samples,
      notes: [...a.about.notes, ...b.about.notes],
    },
    { metric, ...options },
    how,
  );
}

/** The same of two inputs as they were read, in any metric they have. Throws as `analyseDifference`. */
async function differenceOfInputs(
  inputs: readonly [TendencyInput, TendencyInput],
  { sources, ...about }: DifferenceAbout,
  given: Partial<Pick<DifferenceRunOptions, 'seed' | 'name'>> & { metric: TendencyMetric },
  how: Pick<WorkflowOptions, 'engine' | 'signal' | 'onProgress'> = {},
): Promise<DifferenceResult> {
  const { metric, seed = DIFFERENCE_DEFAULTS.seed, name = DIFFERENCE_DEFAULTS.name } = given;
  const engine = how.engine ?? createEngine();
  const begun = performance.now();
  try {
    const found = await analyseDifference(engine, inputs, sources, {
      metric,
      seed,
      signal: how.signal,
      onProgress: asProgress(how),
    });
    const [a, b] = inputs;
    return {
      ...resultOf(
        found,
        {
          from: a.snapshot.id,
          to: b.snapshot.id,
          layer: a.layer,
          toLayer: b.layer,
          metric,
          seed,
          name,
        },
        (performance.now() - begun) / 1000,
      ),
      ...about,
    };
  } finally {
    if (!how.engine) await engine.close();
  }
}

export type DifferenceOfMatricesOptions = Partial<Pick<DifferenceRunOptions, 'metric' | 'seed'>> &
  Pick<MatrixRunOptions, 'labels' | 'classes'> & {
    /** Of the two, for messages and results. */
    names?: readonly [string, string];
  };

/** What changed between two matrices whose rows are the same samples. Throws `shape`, `argument`, `not-finite`, `memory`, `cancelled`. */
export async function difference(
  x: MatrixInput,
  y: MatrixInput,
  given: DifferenceOfMatricesOptions = {},
  how: WorkflowOptions = {},
): Promise<DifferenceResult> {
  checkObject(given, 'difference, options');
  const { names = ['first', 'second'], labels, classes, ...options } = given;
  const runs = [
    await matrixRun(x, { name: names[0], labels, classes }),
    await matrixRun(y, { name: names[1] }),
  ] as const;
  return differenceOfRuns(runs, options, how);
}

export function differenceOptions(given: Partial<DifferenceRunOptions>): DifferenceRunOptions {
  const options = withDefaults('difference', DIFFERENCE_DEFAULTS, given);
  const { metric, seed } = options;
  guard(
    METRICS.includes(metric),
    'argument',
    () => `difference: metric: expected one of ${METRICS.join(', ')}, got ${metric}`,
    { got: metric },
  );
  guard(
    Number.isInteger(seed) && seed >= 0,
    'argument',
    () => `difference: seed: expected an integer ≥ 0, got ${seed}`,
    { got: seed },
  );
  return options;
}

function asProgress({ onProgress }: WorkflowOptions): ((done: number, total: number) => void) | undefined {
  const clock = paceClock();
  return (
    onProgress &&
    ((done, total) => {
      const share = done / (total || 1);
      onProgress({
        share,
        stage: 'Trees',
        title: share < 0.5 ? 'first' : 'second',
        stageShare: share,
        secondsLeft: clock(share),
      });
    })
  );
}

function resultOf(
  found: Difference,
  options: Omit<DifferenceRunOptions, 'samples' | 'metric'> & { metric: TendencyMetric },
  seconds: number,
): Omit<DifferenceResult, 'input' | 'samples'> {
  const { from, to, layer, toLayer, metric, seed, name } = options;
  return {
    format: RESULT_FORMAT,
    method: 'difference',
    name,
    tool: toolInfo,
    parameters: { from, to, layer, toLayer, metric, samples: found.order.length },
    seeds: { analysis: seed },
    seconds,
    ...found,
  };
}
