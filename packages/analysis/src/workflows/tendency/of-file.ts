import { guard, METRICS, type Metric } from '@epochscope/core-wasm';
import { vatPointsBytes } from '@epochscope/core-wasm/jobs';
import { createEngine } from '../../engine/create.js';
import type { Engine, JobOptions } from '../../engine/types.js';
import { NPY_BLOCK_BYTES } from '../../formats/npy.js';
import {
  type Labels,
  type MatrixFile,
  type MatrixOptions,
  openMatrix,
  readInput,
  readLabels,
} from '../../matrices/index.js';
import {
  analyseTendency,
  checkSpanningTree,
  joinThinning,
  type MarkRule,
  readSpanningTree,
  TENDENCY_METRICS,
  type TendencyInput,
  type TendencyMetric,
  type TendencyPanel,
  type TendencyResult,
  type ThinnedPanel,
  type ThinningPlan,
  type TreeCheck,
  thinningSteps,
  thinPanel,
} from '../../methods/tendency/index.js';
import { type FileIdentity, RESULT_FORMAT } from '../../results/types.js';
import { hashed } from '../../stores/identity.js';
import { toolInfo } from '../../version.js';
import { type ArrayPlace, openArrayFile, withArrayFile } from '../array-file.js';
import { keyOf, sha256 } from '../keys.js';
import { runWorkflow, type WorkflowOptions } from '../run.js';
import { type Chosen, chosenSamples, hashOfSamples, pick, withDefaults } from '../select.js';
import { type Part, type PartContext, PLAN_FORMAT, type Workflow } from '../types.js';
import {
  checkNeighbours,
  checkSmallest,
  PAPER_MARKS,
  TENDENCY_DEFAULTS,
  type TendencyRunOptions,
  tendencyOptions,
} from './options.js';

/** Options of a matrix in a file: those of a run but for layers and snapshots, any metric, and how the file is read. */
export interface TendencyFileOptions
  extends Omit<TendencyRunOptions, 'layers' | 'snapshots' | 'reference' | 'metric'> {
  metric: TendencyMetric;
  /** How a table is read, which columns are compared. */
  table: MatrixOptions | null;
  /** Missing values (NaN) are left out pair by pair. */
  missing: boolean;
}

const { layers: _, snapshots: __, reference: ___, ...OF_A_MATRIX } = TENDENCY_DEFAULTS;
export const TENDENCY_FILE_DEFAULTS: TendencyFileOptions = { ...OF_A_MATRIX, table: null, missing: false };

/** One value a row: a file of its own, or a column of the matrix's. */
export type RowLabels = ArrayPlace | { column: string };

/** A matrix in a file, with what is known of its rows. Files are opened when they are first wanted, and once. */
export class MatrixInFile {
  private opened: Promise<Opened> | null = null;
  private state: FileIdentity | null = null;

  constructor(
    private readonly place: ArrayPlace,
    /** What it is called in results: without an ending; and where it lies. */
    readonly name: string,
    readonly source: string,
    private readonly labels: RowLabels | null = null,
    private readonly predictions: RowLabels | null = null,
  ) {}

  /** Throws what `openMatrix` and `readLabels` throw. */
  open(options: TendencyFileOptions): Promise<Opened> {
    this.opened ??= this.openNow(options);
    return this.opened;
  }

  /** Which state of the file was read, once that is done. */
  async identity(): Promise<FileIdentity> {
    const { file, before } = (await this.opened)!;
    // All of a pipe is there; of a file what was read is hashed.
    this.state ??= 'sha256' in before ? before : file.identity();
    return this.state;
  }

  async close(): Promise<void> {
    await (await this.opened?.catch(() => null))?.file.close();
  }

  private async openNow({ table, missing, metric }: TendencyFileOptions): Promise<Opened> {
    const { file, array } = await openArrayFile(this.place);
    try {
      const before = await stateBefore(file);
      const column = (labels: RowLabels | null) =>
        labels && typeof labels === 'object' && 'column' in labels ? labels.column : undefined;
      const matrix = await openMatrix(file, {
        ...table,
        array: array ?? table?.array,
        labels: column(this.labels),
        predictions: column(this.predictions),
        missing,
        categories: ['jaccard', 'hamming', 'gower'].includes(metric),
      });
      const count = rowCount(matrix.rows.shape, metric);
      const read = (place: RowLabels | null, known?: readonly string[] | null) =>
        place && column(place) === undefined
          ? withArrayFile(place as ArrayPlace, (own, name) => readLabels(own, name, count, known))
          : null;
      const labels = matrix.labels ?? (await read(this.labels));
      const predictions = matrix.predictions ?? (await read(this.predictions, labels?.classes));
      return { file, before, matrix, count, labels, predictions };
    } catch (cause) {
      await file.close();
      throw cause;
    }
  }
}

interface Opened {
  file: Awaited<ReturnType<typeof openArrayFile>>['file'];
  /** Tells this state of the file from others, without reading all of it where it has a time. */
  before: FileIdentity;
  matrix: MatrixFile;
  count: number;
  labels: Labels | null;
  predictions: Labels | null;
}

const HEAD = 4096;

/** Of a file: size, time and first bytes; of a pipe or bytes in memory: all. */
async function stateBefore(file: Opened['file']): Promise<FileIdentity> {
  const whole = file.stamp === null;
  // Not through the file itself, whose hash is of what the method reads.
  const probe = hashed({ ...file, read: (offset, length) => file.peek(offset, length) });
  await probe.read(0, whole ? file.size : Math.min(HEAD, file.size));
  return probe.identity();
}

interface FileTask {
  kind: 'panel' | 'thin';
  options: TendencyFileOptions;
  marks: readonly MarkRule[] | null;
  /** Key of the panel whose order is thinned. */
  panel: string | null;
}

interface PanelOutput {
  panel: TendencyPanel;
  /** What was assumed while rows were read. */
  notes: string[];
}

/** Marks of more samples than this hide each other. */
const MOST_COLOURED = 5000;

/** VAT / iVAT of a matrix in a file, points or dissimilarities: a part, and one more where it is thinned. */
export const tendencyFileWorkflow: Workflow<
  TendencyFileOptions,
  FileTask,
  PanelOutput | ThinnedPanel,
  TendencyResult,
  MatrixInFile
> = {
  method: 'tendency',

  async plan(input, given) {
    const options = fileOptions(given);
    const { matrix, count, labels, predictions, before } = await input.open(options);
    const { metric, samples, thin, missing } = options;
    const chosen = chosenSamples(samples, count);
    const n = chosen?.length ?? count;
    checkSmallest(options.smallestBlock, n);
    checkNeighbours(options.core, n);
    if (thin) thinningSteps(thin, n);
    const marks =
      options.marks ?? (labels && n <= MOST_COLOURED && !thin ? [{ rule: 'class' as const }] : null);
    const [all, d] = matrix.rows.shape;
    const points = METRICS.includes(metric as Metric) && !missing;
    const memory = points
      ? vatPointsBytes(n, d, 1, options.core ?? 0) + 8 * n * d + Math.min(8 * all * d, NPY_BLOCK_BYTES)
      : 12 * n * n + 8 * n * d;
    const { name: ____, ...decides } = options;
    const key = keyOf('tendency of a file', {
      ...decides,
      samples: hashOfSamples(chosen),
      file: before,
      labels: labels && sha256(labels.codes, ...(labels.classes ?? [])),
      predictions: predictions && sha256(predictions.codes),
      as: input.name,
    });
    const part = (
      kind: FileTask['kind'],
      stage: string,
      work: number,
      extra: object = {},
    ): Part<FileTask> => ({
      key: kind === 'panel' ? key : keyOf('tendency thinning', { panel: key }),
      stage,
      title: input.name,
      after: [],
      memory,
      work: Math.max(1, work),
      task: { kind, options, marks, panel: null },
      ...extra,
    });
    const few = typeof samples === 'number' && samples > count;
    const [first, ...notes] = matrix.notes;
    return {
      format: PLAN_FORMAT,
      method: 'tendency',
      tool: toolInfo,
      options,
      input: { source: input.source, files: { [lastName(input.source)]: before } },
      parts: [
        part('panel', 'Cluster tendency', n * n * d),
        ...(thin
          ? [
              part('thin', 'Thinning', workOf(thin, n, d), {
                after: [key],
                task: { kind: 'thin', options, marks, panel: key },
              }),
            ]
          : []),
      ],
      hint: 'take fewer samples',
      notes: [
        `${input.source}: ${first}`,
        ...notes,
        ...(few ? [`${count} samples are all there are: ${samples} were asked for`] : []),
      ],
    };
  },

  async compute({ task }, context) {
    const { options, marks } = task;
    const thinning = task.kind === 'thin';
    const share = (from: number, to: number) => (done: number, total: number) =>
      context.onProgress?.(from + ((to - from) * done) / (total || 1));
    const { input, notes } = await inputOf(options, context, share(0, 0.3));
    const shared = {
      metric: options.metric,
      ...(options.core === null ? {} : { core: options.core }),
      marks: (marks ?? (input.logLikelihood ? PAPER_MARKS : [])) as MarkRule[],
      ...(options.smallestBlock === null ? {} : { smallestBlock: options.smallestBlock }),
      ...(options.stabilitySubsets === null ? {} : { stabilitySubsets: options.stabilitySubsets }),
      seed: options.seed,
      signal: context.signal,
      onProgress: share(0.3, 1),
    };
    if (!thinning) {
      const panel = await analyseTendency(context.engine, input, { ...shared, vatSide: options.vatSide });
      for (const note of panel.notes ?? []) context.onNote?.(note);
      return { panel, notes };
    }
    const { panel } = await context.output<PanelOutput>(task.panel!);
    return thinPanel(context.engine, { panel, input }, panel.order, {
      ...shared,
      vatSide: 0,
      plan: options.thin!,
      // Of no account for one panel along an order given.
      reference: { snapshot: '', layer: '' },
    });
  },

  async join(plan, { run: file, output, seconds, reads }) {
    const { options, parts } = plan;
    const { labels, predictions, matrix, count } = await file.open(options);
    const { panel, notes: assumed } = await output<PanelOutput>(parts[0]!.key);
    const { thin, samples } = options;
    const chosen = chosenSamples(samples, count);
    const marks = parts[0]!.task.marks;
    // The first says what the file is.
    const notes = [...plan.notes.slice(1), ...assumed, ...(panel.notes ?? [])];
    const first = matrix.notes[0];
    return {
      format: RESULT_FORMAT,
      method: 'tendency',
      name: options.name,
      tool: toolInfo,
      input: { source: plan.input.source, files: reads },
      parameters: {
        metric: options.metric,
        ...(options.core === null ? {} : { core: options.core }),
        marks: marks ?? 'top-likelihood 10 where there are predictions',
        vatSide: options.vatSide,
        samples: panel.n,
        ...(options.smallestBlock === null ? {} : { smallestBlock: options.smallestBlock }),
        ...(options.stabilitySubsets === null ? {} : { stabilitySubsets: options.stabilitySubsets }),
        ...(thin ? { thin: { ...thin } } : {}),
      },
      seeds: { analysis: options.seed },
      seconds,
      samples: {
        count: panel.n,
        labels: pick(labels?.codes ?? null, chosen),
        classes: labels?.classes ?? predictions?.classes ?? null,
        images: null,
        ...(matrix.names
          ? { names: chosen ? Array.from(chosen, (row) => matrix.names![row]!) : matrix.names }
          : {}),
        ...(chosen ? { indices: chosen } : {}),
      },
      panels: [panel],
      notes: first === undefined ? notes : [first, ...notes],
      ...(thin
        ? {
            thinning: joinThinning([await output<ThinnedPanel>(parts[1]!.key)], [panel], panel.order, {
              plan: thin,
              reference: { layer: panel.layer, snapshot: panel.snapshot.id },
            }),
          }
        : {}),
    };
  },
};

/** What `tendencyOfFile` takes beside the method's options. */
export interface TendencyOfFileOptions extends Partial<TendencyFileOptions> {
  /** One label a row: a file, or a column of the matrix's. */
  labels?: RowLabels;
  predictions?: RowLabels;
  /** What it is called in results, and where it lies; default: from the place. */
  as?: { name: string; source: string };
}

/**
 * VAT / iVAT of a matrix in a file, whatever made it (`openMatrix`): points, a table with gaps and categories, dissimilarities. One panel,
 * `result.panels[0]`. Throws `missing`, `format`, `unsupported`, `argument`, `not-finite`, `memory`, `cancelled`.
 */
export async function tendencyOfFile(
  place: ArrayPlace,
  { labels, predictions, as, ...options }: TendencyOfFileOptions = {},
  how: WorkflowOptions = {},
): Promise<TendencyResult> {
  const { name, source } = as ?? namesOf(place);
  const file = new MatrixInFile(place, name, source, labels ?? null, predictions ?? null);
  try {
    return await runWorkflow(tendencyFileWorkflow, file, options, how);
  } finally {
    await file.close();
  }
}

/**
 * Proves or refutes that a file of edges (rows from, to, weight) is a minimum spanning tree of a matrix's rows (`checkSpanningTree`).
 * Throws `format` with the first edge that is wrong.
 */
export async function checkTreeOfFile(
  place: ArrayPlace,
  treePlace: ArrayPlace,
  { labels, predictions, ...given }: Omit<TendencyOfFileOptions, 'as'>,
  { engine, ...job }: JobOptions & { engine?: Engine } = {},
): Promise<TreeCheck> {
  const options = fileOptions(given);
  const { name, source } = namesOf(place);
  const file = new MatrixInFile(place, name, source, labels ?? null, predictions ?? null);
  const own = engine ?? createEngine();
  try {
    const { matrix, count } = await file.open(options);
    const { metric, missing } = options;
    const input = await readInput(matrix, {
      metric,
      missing,
      chosen: chosenSamples(options.samples, count),
      ...job,
    });
    const tree = await withArrayFile(treePlace, async (bytes, array) => {
      const { rows } = await openMatrix(bytes, { array });
      const [edges, columns] = rows.shape;
      guard(
        columns <= 3,
        'format',
        () => `${bytes.name}: expected rows of from, to and weight, got ${columns} columns`,
        { file: bytes.name },
      );
      return readSpanningTree(bytes.name, await rows.rows(0, edges), rows.shape, input.outputs.shape[0]);
    });
    const about = { snapshot: { id: name, epoch: null, step: null }, layer: name };
    const rowsOnly = { ...input, ...about, labels: null, predictions: null, logLikelihood: null };
    return await checkSpanningTree(own, rowsOnly, tree, metric, {
      ...job,
      ...(options.core === null ? {} : { core: options.core }),
    });
  } finally {
    await file.close();
    if (!engine) await own.close();
  }
}

const ENDINGS = /(?:\.(?:npy|npz|csv|tsv|txt|safetensors|gz))+(?=-|$)/i;

function namesOf(place: ArrayPlace): { name: string; source: string } {
  const source =
    typeof place === 'object' && 'file' in place
      ? place.file.name
      : place instanceof Blob
        ? ((place as Partial<File>).name ?? 'file')
        : String(place);
  return { name: lastName(source).replace(':', '-').replace(ENDINGS, ''), source };
}

const lastName = (source: string) =>
  source
    .replace(/(\.(?:npz|safetensors)):.+$/i, '$1')
    .split(/[/\\]/)
    .at(-1)! || source;

function fileOptions(given: Partial<TendencyFileOptions>): TendencyFileOptions {
  const options = withDefaults('tendency', TENDENCY_FILE_DEFAULTS, given);
  const { metric, table: _, missing: __, ...rest } = options;
  guard(
    TENDENCY_METRICS.includes(metric),
    'argument',
    () => `tendency: metric: expected one of ${TENDENCY_METRICS.join(', ')}, got ${metric}`,
    { got: metric },
  );
  tendencyOptions(rest);
  return options;
}

const workOf = (thin: ThinningPlan, n: number, d: number) =>
  thinningSteps(thin, n).reduce((sum, { size }) => sum + size * size * d, 0);

/** The rows, read once for the parts of one process. */
async function inputOf(
  options: TendencyFileOptions,
  { run: file, keep, signal, reads, onNote }: PartContext<MatrixInFile>,
  onProgress: (done: number, total: number) => void,
): Promise<{ input: TendencyInput; notes: string[] }> {
  const { matrix, count, labels, predictions } = await file.open(options);
  const chosen: Chosen = chosenSamples(options.samples, count);
  const kept = await keep('rows', file.source, async () => {
    const { notes, ...read } = await readInput(matrix, {
      metric: options.metric,
      missing: options.missing,
      chosen,
      signal,
      onProgress,
    });
    for (const note of notes) onNote?.(note);
    const input: TendencyInput = {
      ...read,
      snapshot: { id: file.name, epoch: null, step: null },
      layer: file.name,
      labels: pick(labels?.codes ?? null, chosen),
      predictions: pick(predictions?.codes ?? null, chosen),
      logLikelihood: null,
    };
    return { input, notes };
  });
  reads[lastName(file.source)] = await file.identity();
  return kept;
}

/** Samples: rows, or what a condensed matrix stands for. */
function rowCount([n, d]: readonly [number, number], metric: TendencyMetric): number {
  const condensed = Math.round((1 + Math.sqrt(1 + 8 * n)) / 2);
  return metric === 'precomputed' && d === 1 && (condensed * (condensed - 1)) / 2 === n ? condensed : n;
}
