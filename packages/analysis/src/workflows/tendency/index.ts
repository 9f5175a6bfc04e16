import { guard, type Metric } from '@epochscope/core-wasm';
import { vatPointsBytes } from '@epochscope/core-wasm/jobs';
import { elementCount } from '../../formats/dtypes.js';
import { selectedShape } from '../../formats/matrix.js';
import { NPY_BLOCK_BYTES } from '../../formats/npy.js';
import {
  alignPanels,
  joinThinning,
  type TendencyInput,
  type TendencyPanel,
  type TendencyResult,
  type ThinnedPanel,
  type ThinningPlan,
  thinningSteps,
} from '../../methods/tendency/index.js';
import { RESULT_FORMAT } from '../../results/types.js';
import { findLayer } from '../../run/manifest.js';
import type { Run, SnapshotInfo } from '../../run/types.js';
import { toolInfo } from '../../version.js';
import { checkObject } from '../arguments.js';
import {
  type CaptureOutput,
  type CaptureTask,
  captureParts,
  computeCapture,
  nameOfOutputs,
  outputTensorOf,
} from '../capture/parts.js';
import { inputOfResult, PlanInput, samplesOfResult } from '../input.js';
import { keyOf } from '../keys.js';
import { type MatrixInput, type MatrixRunOptions, matrixRun } from '../matrix-run.js';
import { pointsOf } from '../plain-input.js';
import { decidesPredictions, predictedAt, predictingLayer } from '../predictions.js';
import { runWorkflow, type WorkflowOptions } from '../run.js';
import {
  chooseSnapshots,
  chosenSamples,
  hashOfSamples,
  pick,
  placeOf,
  repeated,
  rowsOfSample,
  withTokens,
} from '../select.js';
import { type Part, type PartContext, PLAN_FORMAT, type Workflow } from '../types.js';
import { checkNeighbours, checkSmallest, type TendencyRunOptions, tendencyOptions } from './options.js';
import { type PanelChoice, panelChoice, panelOf, parametersOf, thinnedOf } from './panel.js';

export { TENDENCY_DEFAULTS, type TendencyRunOptions } from './options.js';

/** What decides one panel, beside what it reads. */
interface PanelTask extends PanelChoice {
  kind: 'panel';
  snapshot: Pick<SnapshotInfo, 'id' | 'epoch' | 'step'>;
  layer: string;
  samples: TendencyRunOptions['samples'];
  /** Parts that capture what it reads. */
  captures: readonly string[];
}

/** One panel on subsets, once it and the panel whose order is thinned are done. */
interface ThinTask extends Omit<PanelTask, 'kind'> {
  kind: 'thin';
  plan: ThinningPlan;
  panel: string;
  order: string;
}

type Task = CaptureTask | PanelTask | ThinTask;
/** A panel, and what the net predicted there, for the result's one list. */
interface PanelOutput {
  panel: TendencyPanel;
  predicted: Uint32Array | null;
}
type Output = CaptureOutput | PanelOutput | ThinnedPanel;

/** VAT / iVAT of layers × snapshots (methods/tendency): a part a panel, one more where it is thinned, captures before them. */
export const tendencyWorkflow: Workflow<TendencyRunOptions, Task, Output, TendencyResult> = {
  method: 'tendency',

  async plan(run, given) {
    const options = tendencyOptions(given);
    const snapshots = chooseSnapshots(run, options.snapshots);
    const layers = layersOf(run, options);
    rowsOfSample(run, layers);
    const reference = options.thin && referenceOf(run, layers, snapshots, options);
    const count = await sampleCount(run, snapshots[0]!.id, layers[0]!);
    const chosen = chosenSamples(options.samples, count);
    const n = chosen?.length ?? count;
    checkSmallest(options.smallestBlock, n);
    checkNeighbours(options.core, n);
    const choice = panelChoice(options);
    if (options.thin) thinningSteps(options.thin, n);
    const input = new PlanInput(run);
    // The last layer's outputs give predictions, for marks and scores.
    const last = predictingLayer(run);
    const needed = run.manifest.model && last ? [...new Set([...layers, last])] : layers;
    const labels = await input.labels();
    const parts: Part<Task>[] = [];
    const thin: Part<Task>[] = [];
    for (const snapshot of snapshots) {
      const captures = await captureParts(run, input, [snapshot.id], needed);
      parts.push(...captures.parts);
      const predictions = await decidesPredictions(run, input, snapshot.id);
      for (const layer of layers) {
        const { layer: whole, selection } = findLayer(run.manifest.layers, layer, run.store.name);
        const d = elementCount(selectedShape(whole.shape, selection));
        const after = [
          ...new Set([...captures.of(snapshot.id, layer), ...(last ? captures.of(snapshot.id, last) : [])]),
        ];
        const decides = {
          snapshot: placeOf(snapshot),
          layer,
          ...choice,
          samples: hashOfSamples(chosen),
          outputs: input.needed(
            await input.outputs(snapshot.id, whole.name),
            `outputs of layer ${whole.name} at snapshot ${snapshot.id}`,
          ),
          labels,
          predictions,
        };
        const task = {
          snapshot: placeOf(snapshot),
          layer,
          ...choice,
          samples: options.samples,
          captures: after,
        };
        const all = elementCount(whole.shape);
        const memory =
          vatPointsBytes(n, d, 1, options.core ?? 0) +
          4 * n * d +
          (selection ? 4 * n * all : 0) +
          (chosen ? Math.min(4 * count * all, NPY_BLOCK_BYTES) : 0) +
          captures.kept;
        const key = keyOf('tendency panel with predictions', decides);
        const title = snapshot.id === layer ? layer : `${snapshot.id} ${layer}`;
        parts.push({
          key,
          stage: 'Cluster tendency',
          title,
          after,
          memory,
          work: n * n * d,
          task: { kind: 'panel', ...task },
        });
        if (options.thin)
          thin.push({
            key: keyOf('tendency thinning', { panel: key, plan: options.thin, reference }),
            stage: 'Thinning',
            title,
            after: [...after, key],
            memory,
            work: thinningSteps(options.thin, n).reduce((sum, { size }) => sum + size * size * d, 0),
            task: { kind: 'thin', ...task, plan: options.thin, panel: key, order: '' },
          });
      }
    }
    const order = reference && panelAt(parts, reference.snapshot, reference.layer)!.key;
    return {
      format: PLAN_FORMAT,
      method: 'tendency',
      tool: toolInfo,
      options: { ...options, layers, snapshots: snapshots.map(({ id }) => id), reference },
      input: input.plan(),
      parts: [...parts, ...thin.map((part) => thinnedAlong(part, order!))],
      hint: 'take fewer samples',
      notes: [],
    };
  },

  async compute(part, context) {
    const { task } = part;
    if (task.kind === 'capture') return computeCapture(part as Part<CaptureTask>, context);
    const input = await inputOf(task, context);
    if (task.kind === 'panel')
      return {
        panel: await panelOf(input, task, context),
        predicted: input.predictions && Uint32Array.from(input.predictions),
      };
    const { panel } = await context.output<PanelOutput>(task.panel);
    const { order } = (await context.output<PanelOutput>(task.order)).panel;
    return thinnedOf({ panel, input, order }, task, context);
  },

  async join(plan, { run, output, seconds, reads }) {
    const { options } = plan;
    const panels: TendencyPanel[] = [];
    const predictions = new Map<string, Uint32Array>();
    for (const part of plan.parts) {
      if (part.task.kind !== 'panel') continue;
      const { panel, predicted } = await output<PanelOutput>(part.key);
      panels.push(panel);
      if (predicted) predictions.set(panel.snapshot.id, predicted);
    }
    const thinned: ThinnedPanel[] = [];
    for (const part of plan.parts) if (part.task.kind === 'thin') thinned.push(await output(part.key));
    const { thin, reference } = options;
    const along =
      reference &&
      panels.find(({ snapshot, layer }) => snapshot.id === reference.snapshot && layer === reference.layer)!;
    const n = panels[0]!.n;
    const { samples } = run.manifest;
    const each = rowsOfSample(run, options.layers!);
    const chosen = chosenSamples(options.samples, samples ? samples.count * each : n);
    return {
      format: RESULT_FORMAT,
      method: 'tendency',
      name: options.name,
      tool: toolInfo,
      input: await inputOfResult(plan, run, reads),
      parameters: parametersOf(options, n),
      seeds: { analysis: options.seed },
      seconds,
      samples: {
        ...(await samplesOfResult(run, chosen, n, each)),
        ...(predictions.size
          ? { predictions: [...predictions].map(([snapshot, classes]) => ({ snapshot, classes })) }
          : {}),
      },
      panels: alignPanels(panels),
      ...(thin && along
        ? {
            thinning: joinThinning(thinned, panels, along.order, {
              plan: thin,
              reference: { layer: along.layer, snapshot: along.snapshot.id },
            }),
          }
        : {}),
    };
  },
};

/**
 * VAT / iVAT of a run's layers × snapshots (`methods/tendency`); outputs that the run does not hold are captured into it first.
 * Throws `missing`, `argument`, `unsupported` for a run whose net is not known, `memory`, `cancelled`.
 */
export const tendencyOfRun = (
  run: Run,
  options: Partial<TendencyRunOptions> = {},
  how: WorkflowOptions = {},
): Promise<TendencyResult> => runWorkflow(tendencyWorkflow, run, options, how);

/** What a matrix takes: no layers and snapshots, but labels and predictions. */
export type TendencyOfMatrixOptions = Partial<
  Omit<TendencyRunOptions, 'layers' | 'tokens' | 'snapshots' | 'reference' | 'name'>
> &
  MatrixRunOptions;

/**
 * VAT / iVAT of the rows of a matrix: order, weights, blocks, scores against labels where there are any. One panel, `result.panels[0]`.
 * `name` is its layer's and its snapshot's. Throws `shape`, `argument`, `not-finite`, `memory`, `cancelled`.
 */
export async function tendency(
  x: MatrixInput,
  given: TendencyOfMatrixOptions = {},
  how: WorkflowOptions = {},
): Promise<TendencyResult> {
  checkObject(given, 'tendency, options');
  const { name, labels, predictions, classes, ...options } = given;
  return tendencyOfRun(await matrixRun(x, { name, labels, predictions, classes }), options, how);
}

function layersOf(
  run: Run,
  { layers: wanted, tokens }: Pick<TendencyRunOptions, 'layers' | 'tokens'>,
): string[] {
  const last = run.manifest.layers.at(-1)?.name;
  const layers = [...new Set(withTokens(run, wanted ?? (last === undefined ? [] : [last]), tokens))];
  guard(layers.length > 0, 'missing', () => `${run.store.name} names no layer`, { path: run.store.name });
  for (const layer of layers) run.layer(layer);
  return layers;
}

/** The panel whose order is thinned, by the names the run knows; it must be one of those analysed. */
function referenceOf(
  run: Run,
  layers: readonly string[],
  snapshots: readonly SnapshotInfo[],
  { reference: wanted, tokens }: Pick<TendencyRunOptions, 'reference' | 'tokens'>,
): { layer: string; snapshot: string } {
  const layer = wanted ? withTokens(run, [wanted.layer], tokens)[0]! : layers.at(-1)!;
  run.layer(layer);
  const snapshot = wanted ? run.snapshot(wanted.snapshot).id : snapshots.at(-1)!.id;
  guard(
    layers.includes(layer) && snapshots.some(({ id }) => id === snapshot),
    'missing',
    () => `thinning: the reference ${layer}/${snapshot} is not among the layers and snapshots analysed`,
    { layer, snapshot },
  );
  return { layer, snapshot };
}

const panelAt = (parts: readonly Part<Task>[], snapshot: string, layer: string) =>
  parts.find(({ task }) => task.kind === 'panel' && task.snapshot.id === snapshot && task.layer === layer);

/** A thinning part along the order of the panel with that key. */
function thinnedAlong(part: Part<Task>, order: string): Part<Task> {
  return {
    ...part,
    key: keyOf('tendency thinning', { part: part.key, order }),
    after: [...new Set([...part.after, order])],
    task: { ...(part.task as ThinTask), order },
  };
}

/** Rows of analysis: samples, or their tokens. */
async function sampleCount(run: Run, snapshot: string, layer: string): Promise<number> {
  const { samples } = run.manifest;
  return samples
    ? samples.count * rowsOfSample(run, [layer])
    : ((await run.outputCount(snapshot, layer)) ?? 0);
}

async function inputOf(task: PanelTask | ThinTask, context: PartContext): Promise<TendencyInput> {
  const { snapshot, layer, captures } = task;
  const predicted = await predictedAt(context, snapshot.id, captures);
  const { run, reads } = context;
  const each = rowsOfSample(run, [layer]);
  const chosen = chosenSamples(task.samples, await sampleCount(run, snapshot.id, layer));
  return {
    snapshot,
    layer,
    ...(await pointsOf(
      await outputTensorOf(context, snapshot.id, layer, captures, chosen),
      nameOfOutputs(run, snapshot.id, layer),
      task.metric as Metric,
    )),
    labels: pick(repeated(await run.labels({ reads }), each), chosen),
    predictions: pick(repeated(predicted?.predictions ?? null, each), chosen),
    logLikelihood: pick(repeated(predicted?.logLikelihood ?? null, each), chosen),
  };
}
