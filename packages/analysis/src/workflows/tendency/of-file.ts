import {
  joinThinning,
  type TendencyPanel,
  type TendencyResult,
  type ThinnedPanel,
  type ThinningPlan,
  thinningSteps,
} from '../../methods/tendency/index.js';
import { RESULT_FORMAT } from '../../results/types.js';
import { toolInfo } from '../../version.js';
import { checkObject } from '../arguments.js';
import { keyOf } from '../keys.js';
import {
  comparesPoints,
  inputOfRows,
  notesOf,
  type RowsFile,
  type RowsOptions,
  type RowsPlace,
  samplesOfRows,
  treeNeeds,
  withRows,
} from '../rows-file.js';
import { runWorkflow, type WorkflowOptions } from '../run.js';
import { chosenSamples, hashOfSamples } from '../select.js';
import { type Part, type PartContext, PLAN_FORMAT, type Workflow } from '../types.js';
import { checkNeighbours, checkSmallest, type TendencyFileOptions, tendencyFileOptions } from './options.js';
import { type PanelChoice, panelChoice, panelOf, parametersOf, thinnedOf } from './panel.js';

/** The panel of all samples, or the same on subsets along its order. */
interface FileTask extends PanelChoice, Pick<TendencyFileOptions, 'samples' | 'missing'> {
  kind: 'panel' | 'thin';
  plan?: ThinningPlan;
  /** Part of the panel that is thinned. */
  panel?: string;
}
interface FilePanel {
  panel: TendencyPanel;
  /** What reading the rows assumed. */
  notes: string[];
}

/** Marks of more samples than this hide each other. */
const MOST_COLOURED = 5000;
/** Share of a part that is reading: of rows whose dissimilarities are worked out it is most. */
const READING = { points: 0.1, pairs: 0.7 };

/** VAT / iVAT of a file's rows (methods/tendency): a part for all samples, one more where they are thinned. */
export const tendencyOfFileWorkflow: Workflow<
  TendencyFileOptions,
  FileTask,
  FilePanel | ThinnedPanel,
  TendencyResult,
  RowsFile
> = {
  method: 'tendency',

  async plan(rows, given) {
    const options = tendencyFileOptions(given);
    const { matrix, count, name } = rows;
    const { missing, samples, thin, core } = options;
    const chosen = chosenSamples(samples, count);
    const n = chosen?.length ?? count;
    checkSmallest(options.smallestBlock, n);
    checkNeighbours(core, n);
    if (thin) thinningSteps(thin, n);
    const marks =
      options.marks ?? (matrix.labels && n <= MOST_COLOURED && !thin ? [{ rule: 'class' as const }] : null);
    const choice = { ...panelChoice({ ...options, marks }), missing };
    const [, d] = matrix.rows.shape;
    const { bytes, work } = treeNeeds(rows, options);
    const key = keyOf('tendency panel of a file', {
      ...choice,
      name,
      samples: hashOfSamples(chosen),
      state: rows.state,
    });
    const panel: Part<FileTask> = {
      key,
      stage: 'Cluster tendency',
      title: name,
      after: [],
      memory: bytes,
      work,
      task: { kind: 'panel', samples, ...choice },
    };
    const thinned: Part<FileTask>[] = thin
      ? [
          {
            key: keyOf('tendency thinning of a file', { panel: key, plan: thin }),
            stage: 'Thinning',
            title: name,
            after: [key],
            memory: panel.memory,
            work: thinningSteps(thin, n).reduce((sum, { size }) => sum + size * size * d, 0),
            task: { kind: 'thin', samples, ...choice, plan: thin, panel: key },
          },
        ]
      : [];
    return {
      format: PLAN_FORMAT,
      method: 'tendency',
      tool: toolInfo,
      options: { ...options, marks },
      input: { source: rows.source, files: {} },
      parts: [panel, ...thinned],
      hint: 'take fewer samples (option samples)',
      notes: [
        ...matrix.notes,
        ...(typeof samples === 'number' && samples > count
          ? [`${count} samples are all there are: all are taken, where ${samples} were asked for`]
          : []),
      ],
    };
  },

  async compute({ key, task }, context) {
    const { kind, panel: whole, plan } = task;
    const share = kind === 'thin' ? 0 : comparesPoints(task) ? READING.points : READING.pairs;
    const { input, notes } = await readOnce(whole ?? key, task, context, share);
    const rest = {
      ...context,
      onProgress: (done: number) => context.onProgress?.(share + (1 - share) * done),
    };
    if (kind === 'panel') {
      for (const note of notes) context.onNote?.(note);
      const panel = await panelOf(input, task, rest);
      for (const note of panel.notes ?? []) context.onNote?.(note);
      return { panel, notes };
    }
    const { panel } = await context.output<FilePanel>(whole!);
    return thinnedOf({ panel, input, order: panel.order }, { ...task, plan: plan! }, rest);
  },

  async join(plan, { run: rows, output, seconds, reads }) {
    const { options, parts } = plan;
    const { panel, notes } = await output<FilePanel>(parts[0]!.key);
    const { thin } = options;
    const thinned = thin && (await output<ThinnedPanel>(parts[1]!.key));
    const all = [...plan.notes, ...notes, ...(panel.notes ?? [])];
    return {
      format: RESULT_FORMAT,
      method: 'tendency',
      name: options.name,
      tool: toolInfo,
      input: { source: plan.input.source, files: reads },
      parameters: parametersOf(options, panel.n),
      seeds: { analysis: options.seed },
      seconds,
      samples: samplesOfRows(rows, chosenSamples(options.samples, rows.count)),
      panels: [panel],
      ...(all.length ? { notes: all } : {}),
      ...(thinned
        ? {
            thinning: joinThinning([thinned], [panel], panel.order, {
              plan: thin!,
              reference: { snapshot: panel.snapshot.id, layer: panel.layer },
            }),
          }
        : {}),
    };
  },
};

/** The rows are kept for the subsets. */
async function readOnce(key: string, task: FileTask, context: PartContext<RowsFile>, share: number) {
  const { run: rows, signal, reads } = context;
  const read = await context.keep('rows', key, async () => {
    const { input, about } = await inputOfRows(rows, task, {
      signal,
      onProgress: (done, total) => context.onProgress?.((share * done) / (total || 1), 'reading'),
    });
    return { input, notes: about.notes };
  });
  Object.assign(reads, rows.identities());
  return read;
}

/** What a file takes: how its rows are read, and what its panel is. */
export type TendencyOfFileOptions = RowsOptions & Partial<TendencyFileOptions>;

/**
 * VAT / iVAT of the rows of a file: .npy, an array of an .npz or safetensors file, a table as text, each also gzipped; points in any metric,
 * tables with text and gaps, dissimilarities. One panel, `result.panels[0]`. Throws as `openMatrix`, `readInput` and `analyseTendency`:
 * `format`, `shape`, `argument`, `not-finite` with file, line or row and column, `missing`, `memory` before any row is read, `cancelled`.
 */
export async function tendencyOfFile(
  place: RowsPlace,
  given: TendencyOfFileOptions = {},
  how: WorkflowOptions = {},
): Promise<TendencyResult> {
  checkObject(given, 'tendency, options');
  const { table, labels, predictions, ...options } = given;
  const { metric, missing } = options;
  return withRows(place, { table, labels, predictions, metric, missing }, (rows) =>
    runWorkflow(tendencyOfFileWorkflow, rows, options, { ...how, onNote: notesOf(rows, how.onNote) }),
  );
}
