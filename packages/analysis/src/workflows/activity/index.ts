import { EpochscopeError, guard, type Matrix } from '@epochscope/core-wasm';
import { elementCount } from '../../formats/dtypes.js';
import { tensorToMatrix } from '../../formats/matrix.js';
import { type ActivityPanel, type ActivityResult, analyseActivity } from '../../methods/activity/index.js';
import { isActivation } from '../../models/graph/index.js';
import { RESULT_FORMAT } from '../../results/types.js';
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
import { decidesPredictions, predictedAt, predictingLayer } from '../predictions.js';
import { runWorkflow, type WorkflowOptions } from '../run.js';
import { chooseSnapshots, placeOf, withDefaults } from '../select.js';
import { type Part, type PartContext, PLAN_FORMAT, type Workflow } from '../types.js';

export interface ActivityRunOptions {
  /** null: the feature maps after their activation, else convolutions, else dense layers. */
  layers: readonly string[] | null;
  /** Ids, epochs, "first", "last", "init" or "all". */
  snapshots: readonly (string | number)[];
  /** Only the first so many samples; null: all. */
  samples: number | null;
  /** Of the result. */
  name: string;
}

export const ACTIVITY_DEFAULTS: ActivityRunOptions = {
  layers: null,
  snapshots: ['last'],
  samples: null,
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
    const layers = [...new Set(options.layers ?? featureMaps(manifest.layers))].map((name) =>
      run.layer(name),
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
    guard(
      labels && inputs && manifest.classes,
      'missing',
      () =>
        `${store.name} holds no ${!labels ? 'samples/labels.npy' : !inputs ? 'samples/inputs.npy' : 'class names'}; activity compares the classes of its samples`,
      { path: store.name },
    );
    const count = manifest.samples?.count ?? (await run.labels())!.length;
    const samples = Math.min(options.samples ?? count, count);
    const last = manifest.layers.at(-1)!;
    const names = layers.map(({ name }) => name);
    const needed = manifest.model ? [...new Set([...names, last.name])] : names;
    const parts: Part<Task>[] = [];
    for (const snapshot of snapshots) {
      const captures = await captureParts(run, input, [snapshot.id], needed);
      parts.push(...captures.parts);
      const predictions = await decidesPredictions(run, input, snapshot.id);
      if (!predictions) throw unknownPredictions(run, snapshot.id);
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
          classes: manifest.classes.length,
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
    const layer = run.layer(task.layer);
    const labels = (await run.labels({ reads }))!;
    const predicted = await predictedAt(context, snapshot.id, captures);
    if (!predicted) throw unknownPredictions(run, snapshot.id);
    return analyseActivity({
      snapshot,
      layer: layer.name,
      outputs: head(await outputsOf(context, snapshot.id, layer.name, captures), samples),
      filters: layer.shape.at(-1) ?? 1,
      inputs: head(await scaledInputs(context), samples),
      labels: labels.subarray(0, samples),
      predictions: predicted.predictions.subarray(0, samples),
      classes: run.manifest.classes!.length,
    });
  },

  async join(plan, { run, output, seconds, reads, onWarning }) {
    const { options } = plan;
    const panels: ActivityPanel[] = [];
    for (const { key, task } of plan.parts) if (task.kind === 'panel') panels.push(await output(key));
    const classes = run.manifest.classes!;
    warnOfUndefined(panels, classes, onWarning);
    return {
      format: RESULT_FORMAT,
      method: 'activity',
      name: options.name,
      tool: toolInfo,
      input: await inputOfResult(plan, run, reads),
      parameters: { layers: options.layers, snapshots: options.snapshots, samples: options.samples },
      seeds: {},
      seconds,
      classes,
      panels,
    };
  },
};

/**
 * What the filters of layers respond to, class by class, on the correctly predicted samples (`methods/activity`); outputs that the run does not
 * hold are captured into it first. Throws `missing` where labels, predictions or inputs are not there, `argument`, `cancelled`.
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
  const maps = layers.filter(({ shape }) => shape.length === 3);
  const activations = maps.filter(({ kind }) => isActivation(kind));
  const convolutions = maps.filter(({ kind }) => kind === 'conv2d');
  const dense = layers.filter(({ kind }) => kind === 'dense');
  return (activations.length ? activations : convolutions.length ? convolutions : dense).map(
    ({ name }) => name,
  );
}

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
  for (const { snapshot, undefinedClasses } of panels)
    for (const { class: c, reason } of undefinedClasses) {
      const line = `${snapshot.id}: ${reason}`;
      told.set(line, (told.get(line) ?? new Set()).add(classes[c]!));
    }
  for (const [line, names] of told)
    onWarning?.(
      `${line}, so no activity, for ${names.size > 1 ? 'classes' : 'class'} ${[...names].slice(0, 12).join(', ')}${names.size > 12 ? `, … (${names.size})` : ''}`,
    );
}

function unknownPredictions(run: Run, snapshot: string): EpochscopeError {
  const isLast = run.snapshot('last').id === snapshot;
  const why =
    predictingLayer(run) === null
      ? 'its last layer gives no log-probabilities'
      : 'the outputs of its last layer are not there';
  return new EpochscopeError(
    'missing',
    `${run.store.name}: what snapshot ${snapshot} predicts is not known: ${why}, and samples/predictions.npy ${isLast ? 'is not there' : 'is about the last snapshot'}`,
    { path: run.store.name, snapshot },
  );
}
