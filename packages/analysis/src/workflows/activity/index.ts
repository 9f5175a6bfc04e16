import { guard, type Matrix } from '@epochscope/core-wasm';
import { elementCount } from '../../formats/dtypes.js';
import { selectedShape, tensorToMatrix } from '../../formats/matrix.js';
import { type TokenChoice, tokenAxis } from '../../formats/tokens.js';
import { type ActivityPanel, type ActivityResult, analyseActivity } from '../../methods/activity/index.js';
import { isActivation } from '../../models/graph/index.js';
import { RESULT_FORMAT } from '../../results/types.js';
import { findLayer } from '../../run/manifest.js';
import type { LayerInfo, Run, SnapshotInfo } from '../../run/types.js';
import { toolInfo } from '../../version.js';
import {
  type CaptureOutput,
  type CaptureTask,
  captureParts,
  computeCapture,
  outputsOf,
} from '../capture/parts.js';
import { inputOfResult, PlanInput } from '../input.js';
import { keyOf } from '../keys.js';
import { decidesPredictions, notPredicting, predictedAt, predictingLayer } from '../predictions.js';
import { runWorkflow, type WorkflowOptions } from '../run.js';
import { chooseSnapshots, placeOf, withDefaults, withTokens } from '../select.js';
import { type Part, type PartContext, PLAN_FORMAT, type Workflow } from '../types.js';

export interface ActivityRunOptions {
  /** null: the feature maps after their activation, else convolutions, else dense layers. */
  layers: readonly string[] | null;
  /** Ids, epochs, "first", "last", "init" or "all". */
  snapshots: readonly (string | number)[];
  /** Only the first so many samples; null: all. */
  samples: number | null;
  /** Which token stands for a sample in layers of tokens, or their mean; null: the sum over all, as over places of a map. */
  tokens: Exclude<TokenChoice, 'all'> | null;
  /** Of the result. */
  name: string;
}

export const ACTIVITY_DEFAULTS: ActivityRunOptions = {
  layers: null,
  snapshots: ['last'],
  samples: null,
  tokens: null,
  name: 'default',
};

interface PanelTask {
  kind: 'panel';
  snapshot: Pick<SnapshotInfo, 'id' | 'epoch' | 'step'>;
  layer: string;
  samples: number;
  captures: readonly string[];
}
type Task = CaptureTask | PanelTask;

/** What filters respond to, class by class (methods/activity): a part a layer and snapshot, captures before them. */
export const activityWorkflow: Workflow<
  ActivityRunOptions,
  Task,
  CaptureOutput | ActivityPanel,
  ActivityResult
> = {
  method: 'activity',

  async plan(run, given) {
    const options = activityOptions(given);
    const { manifest, store } = run;
    const snapshots = chooseSnapshots(run, options.snapshots);
    const layers = withTokens(run, options.layers ?? featureMaps(manifest.layers), options.tokens).map(
      (name) => ({
        ...run.layer(name),
        name,
        shape: selectedShape(run.layer(name).shape, findLayer(manifest.layers, name, store.name).selection),
      }),
    );
    guard(
      layers.length > 0,
      'missing',
      () => `${store.name} has no layer of feature maps; name one (option layers)`,
      { path: store.name },
    );
    const input = new PlanInput(run);
    const labels = await input.labels();
    const inputs = await input.inputs();
    const count =
      manifest.samples?.count ??
      (await run.labels())?.length ??
      (await run.outputCount(snapshots[0]!.id, layers[0]!.name)) ??
      0;
    const about = { labelled: Boolean(labels && manifest.classes), ids: inputs !== null && hasIds(run) };
    const samples = Math.min(options.samples ?? count, count);
    const last = manifest.layers.at(-1)!;
    const names = layers.map(({ name }) => name);
    const needed = manifest.model ? [...new Set([...names, last.name])] : names;
    const parts: Part<Task>[] = [];
    for (const snapshot of snapshots) {
      const captures = await captureParts(run, input, [snapshot.id], needed);
      parts.push(...captures.parts);
      const predictions = await decidesPredictions(run, input, snapshot.id);
      for (const layer of layers) {
        const after = captures.parts.map(({ key }) => key);
        const decides = {
          snapshot: placeOf(snapshot),
          layer: layer.name,
          samples,
          inputs,
          labels,
          predictions,
          outputs: input.needed(
            await input.outputs(snapshot.id, layer.name),
            `outputs of layer ${layer.name} at snapshot ${snapshot.id}; record them where the net was trained`,
          ),
          // Decides how many numbers a filter has.
          shape: layer.shape,
          classes: manifest.classes?.length ?? 0,
          ...about,
        };
        parts.push({
          key: keyOf('activity', decides),
          stage: 'Activity',
          title: `${snapshot.id} ${layer.name}`,
          after,
          memory:
            4 * count * (elementCount(layer.shape) + elementCount(manifest.inputShape ?? [1])) +
            captures.kept,
          work: count * elementCount(layer.shape),
          task: {
            kind: 'panel',
            snapshot: placeOf(snapshot),
            layer: layer.name,
            samples,
            captures: after,
          },
        });
      }
    }
    return {
      format: PLAN_FORMAT,
      method: 'activity',
      tool: toolInfo,
      options: { ...options, layers: names, snapshots: snapshots.map(({ id }) => id), samples },
      input: input.plan(),
      parts,
      hint: 'take fewer samples',
      notes: [],
    };
  },

  async compute(part, context) {
    const { task } = part;
    if (task.kind === 'capture') return computeCapture(part as Part<CaptureTask>, context);
    const { run, reads } = context;
    const { snapshot, samples, captures } = task;
    const { layer, selection } = findLayer(run.manifest.layers, task.layer, run.store.name);
    const labels = run.manifest.classes && (await run.labels({ reads }));
    const predicted = labels && (await predictedAt(context, snapshot.id, captures));
    return analyseActivity({
      snapshot,
      layer: task.layer,
      outputs: head(await outputsOf(context, snapshot.id, task.layer, captures), samples),
      filters: selectedShape(layer.shape, selection).at(-1) ?? 1,
      inputs: await inputsOf(context, samples),
      labels: labels ? labels.subarray(0, samples) : new Uint8Array(samples),
      predictions: predicted?.predictions.subarray(0, samples) ?? {
        reason: labels ? unknownPredictions(run, snapshot.id) : NO_LABELS,
      },
      classes: labels ? run.manifest.classes!.length : 1,
    });
  },

  async join(plan, { run, output, seconds, reads, onWarning }) {
    const { options } = plan;
    const panels: ActivityPanel[] = [];
    for (const { key, task } of plan.parts) if (task.kind === 'panel') panels.push(await output(key));
    const classes = (await run.labels()) && run.manifest.classes ? run.manifest.classes : ['all samples'];
    warnOfUndefined(panels, classes, onWarning);
    return {
      format: RESULT_FORMAT,
      method: 'activity',
      name: options.name,
      tool: toolInfo,
      input: await inputOfResult(plan, run, reads),
      parameters: {
        layers: options.layers,
        snapshots: options.snapshots,
        samples: options.samples,
        ...(options.tokens === null ? {} : { tokens: options.tokens }),
      },
      seeds: {},
      seconds,
      classes,
      panels,
    };
  },
};

/**
 * What the filters of layers respond to, class by class, on the correctly predicted samples (`methods/activity`); outputs that the run does not
 * hold are captured into it first. Without predictions on all samples, without labels over all of them together: panels say so. Throws `missing`,
 * `argument`, `cancelled`.
 */
export const activityOfRun = (
  run: Run,
  options: Partial<ActivityRunOptions> = {},
  how: WorkflowOptions = {},
): Promise<ActivityResult> => runWorkflow(activityWorkflow, run, options, how);

function activityOptions(given: Partial<ActivityRunOptions>): ActivityRunOptions {
  const options = withDefaults('activity', ACTIVITY_DEFAULTS, given);
  const { samples } = options;
  guard(
    samples === null || (Number.isInteger(samples) && samples >= 1),
    'argument',
    () => `activity: samples: expected an integer ≥ 1, got ${samples}`,
    { got: samples },
  );
  return options;
}

/** Layers whose output is what the paper calls feature maps. */
function featureMaps(layers: readonly LayerInfo[]): string[] {
  const maps = layers.filter(({ shape }) => shape.length === 3 && tokenAxis(layers, shape) === null);
  const activations = maps.filter(({ kind }) => isActivation(kind));
  const convolutions = maps.filter(({ kind }) => kind === 'conv2d');
  const dense = layers.filter(({ kind }) => kind === 'dense');
  // Of tokens, sounds and sequences: units after an activation, over their places.
  const hidden = layers.filter(({ kind, shape }) => shape.length < 3 && isActivation(kind));
  const sequences = hidden.filter(({ shape }) => shape.length === 2);
  return (
    [activations, convolutions, sequences, dense, hidden].find(({ length }) => length) ?? layers.slice(0, -1)
  ).map(({ name }) => name);
}

/** Token ids: they have no order, and no sum. */
const hasIds = ({ manifest: { layers, inputShape } }: Run): boolean =>
  layers.some(
    ({ kind, shape }) => kind === 'embedding' && inputShape?.length === 1 && shape[0] === inputShape[0],
  );

async function inputsOf(context: PartContext, samples: number): Promise<Matrix | { reason: string }> {
  const { run } = context;
  if (hasIds(run)) return { reason: 'the inputs are token ids, which have no sum' };
  if (!(await run.store.has('samples/inputs.npy'))) return { reason: 'the run holds no samples/inputs.npy' };
  return head(await scaledInputs(context), samples);
}

const NO_LABELS = 'the samples have no labels: they count as one class';

/** The samples as the net sees them: bytes are divided by 255. */
const scaledInputs = ({ run, reads, keep }: PartContext): Promise<Matrix> =>
  keep('inputs for activity', run.store.name, async () => {
    const stored = (await run.inputTensor({ reads }))!;
    const inputs = tensorToMatrix(stored, 'samples/inputs.npy');
    return stored.dtype === 'uint8' ? { data: inputs.data.map((x) => x / 255), shape: inputs.shape } : inputs;
  });

const head = ({ data, shape }: Matrix, n: number): Matrix => ({
  data: data.subarray(0, n * shape[1]),
  shape: [Math.min(n, shape[0]), shape[1]],
});

/** One line a snapshot and reason: it is the same for all its layers. */
function warnOfUndefined(
  panels: readonly ActivityPanel[],
  classes: readonly string[],
  onWarning: ((text: string) => void) | undefined,
): void {
  const told = new Map<string, Set<string>>();
  const remarks = new Set<string>();
  for (const { snapshot, undefinedClasses, notSelected, notDivided } of panels) {
    if (notSelected) remarks.add(`${snapshot.id}: ${notSelected}`);
    if (notDivided)
      remarks.add(`${notDivided}: activity is the mean sum over a map, not divided by that of the input`);
    for (const { class: c, reason } of undefinedClasses) {
      const line = `${snapshot.id}: ${reason}`;
      told.set(line, (told.get(line) ?? new Set()).add(classes[c]!));
    }
  }
  for (const remark of remarks) onWarning?.(remark);
  for (const [line, names] of told)
    onWarning?.(
      `${line}, so no activity, for ${names.size > 1 ? 'classes' : 'class'} ${[...names].slice(0, 12).join(', ')}${names.size > 12 ? `, … (${names.size})` : ''}`,
    );
}

/** Why all samples of a class count. */
function unknownPredictions(run: Run, snapshot: string): string {
  const isLast = run.snapshot('last').id === snapshot;
  const why =
    predictingLayer(run) === null ? notPredicting(run) : 'the outputs of its last layer are not there';
  return `what is predicted is not known: ${why}, and samples/predictions.npy ${isLast ? 'is not there' : 'is about the last snapshot'}; all samples of a class count`;
}
