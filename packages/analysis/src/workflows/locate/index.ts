import { guard, type Matrix, METRICS, type Metric } from '@epochscope/core-wasm';
import { vatPointsBytes } from '@epochscope/core-wasm/jobs';
import { readPredictions } from '../../capture/predictions.js';
import { elementCount } from '../../formats/dtypes.js';
import { selectedShape, selectPart, tensorToMatrix } from '../../formats/matrix.js';
import type { Tensor } from '../../formats/types.js';
import { blockAt, type LocatedPanel, type LocateResult, nearestRows } from '../../methods/locate/index.js';
import { analyseTendency } from '../../methods/tendency/index.js';
import { inputScaleOf } from '../../models/graph/index.js';
import { RESULT_FORMAT } from '../../results/types.js';
import { imagesOf } from '../../run/images.js';
import { findLayer } from '../../run/manifest.js';
import type { Run, SnapshotInfo } from '../../run/types.js';
import { toolInfo } from '../../version.js';
import {
  type CaptureOutput,
  type CaptureTask,
  captureParts,
  computeCapture,
  netOf,
  outputsOf,
} from '../capture/parts.js';
import { inputOfResult, PlanInput } from '../input.js';
import { keyOf, sha256 } from '../keys.js';
import { predictingLayer } from '../predictions.js';
import { runWorkflow, type WorkflowOptions } from '../run.js';
import { chooseSnapshots, placeOf, withDefaults } from '../select.js';
import { type Part, type PartContext, PLAN_FORMAT, type Workflow } from '../types.js';

export interface LocateRunOptions {
  /** The new samples, one after the other, in the run's own unit (bytes 0 … 255 for pictures of bytes). */
  inputs: readonly number[];
  /** Names; "P1@3" is channel 3 of P1. null: the last layer. */
  layers: readonly string[] | null;
  /** Ids, epochs, "first", "last", "init" or "all". */
  snapshots: readonly (string | number)[];
  metric: Metric;
  /** How many of the run's samples are named, the nearest first. */
  nearest: number;
  /** Of the result. */
  name: string;
}

export const LOCATE_DEFAULTS: LocateRunOptions = {
  inputs: [],
  layers: null,
  snapshots: ['all'],
  metric: 'euclidean',
  nearest: 5,
  name: 'default',
};

interface PlaceTask extends Pick<LocateRunOptions, 'inputs' | 'metric' | 'nearest'> {
  kind: 'place';
  snapshot: Pick<SnapshotInfo, 'id' | 'epoch' | 'step'>;
  layers: readonly string[];
  captures: readonly string[];
}
type Task = CaptureTask | PlaceTask;
interface Places {
  panels: LocatedPanel[];
  predicted: { classes: Uint32Array; logLikelihood: Float32Array } | null;
}

/** New samples through every snapshot of a run (methods/locate): a part a snapshot, captures of the run's own samples before them. */
export const locateWorkflow: Workflow<LocateRunOptions, Task, CaptureOutput | Places, LocateResult> = {
  method: 'locate',

  async plan(run, given) {
    const options = withDefaults('locate', LOCATE_DEFAULTS, given);
    const { inputs, metric, nearest } = options;
    const { model, inputShape, samples } = run.manifest;
    guard(
      METRICS.includes(metric),
      'argument',
      () => `locate: metric: expected one of ${METRICS.join(', ')}, got ${metric}`,
    );
    guard(
      model && inputShape,
      'unsupported',
      () => `${run.store.name} does not say which net made it, so that no other sample can go through it`,
      { path: run.store.name },
    );
    const size = elementCount(inputShape);
    guard(
      inputs.length > 0 && inputs.length % size === 0,
      'shape',
      () =>
        `locate: expected samples of ${inputShape.join('×')} (${size} values each), got ${inputs.length} values`,
      { expected: size, got: inputs.length },
    );
    const wrong = inputs.findIndex((value) => !Number.isFinite(value));
    guard(
      wrong < 0,
      'not-finite',
      () => `locate: sample ${Math.floor(wrong / size)}: expected finite values, got ${inputs[wrong]}`,
    );
    const most = inputs.reduce((a, b) => Math.max(a, b), 0);
    guard(
      inputScaleOf(run.manifest) !== 255 ||
        most === 0 ||
        most > 1 ||
        (await run.inputs({ rows: [0, 1] }))!.data.every((x) => x <= 1),
      'argument',
      () => 'locate: the values are 0 … 1, the run’s samples 0 … 255: multiply by 255',
    );
    const snapshots = chooseSnapshots(run, options.snapshots);
    const last = run.manifest.layers.at(-1)?.name;
    const layers = [...new Set(options.layers ?? (last === undefined ? [] : [last]))];
    guard(layers.length > 0, 'missing', () => `${run.store.name} names no layer`, { path: run.store.name });
    const n = samples?.count ?? 0;
    guard(
      Number.isInteger(nearest) && nearest >= 1 && nearest <= n,
      'argument',
      () => `locate: nearest: expected 1 … ${n} samples, got ${nearest}`,
      { got: nearest },
    );
    const input = new PlanInput(run);
    const hash = sha256(Float64Array.from(inputs));
    const parts: Part<Task>[] = [];
    for (const snapshot of snapshots) {
      const captures = await captureParts(run, input, [snapshot.id], layers);
      parts.push(...captures.parts);
      const after = [...new Set(layers.flatMap((layer) => captures.of(snapshot.id, layer)))];
      const outputs: object[] = [];
      let memory = 0;
      let work = 0;
      for (const layer of layers) {
        const { layer: whole, selection } = findLayer(run.manifest.layers, layer, run.store.name);
        outputs.push(
          input.needed(
            await input.outputs(snapshot.id, whole.name),
            `outputs of layer ${whole.name} at snapshot ${snapshot.id}`,
          ),
        );
        const d = elementCount(selectedShape(whole.shape, selection));
        memory = Math.max(memory, vatPointsBytes(n, d) + 4 * n * d + captures.kept);
        work += n * n * d;
      }
      parts.push({
        key: keyOf('locate', {
          snapshot: placeOf(snapshot),
          layers,
          metric,
          nearest,
          inputs: hash,
          outputs,
          weights: await input.weights(snapshot.id),
        }),
        stage: 'Placing new samples',
        title: snapshot.id,
        after,
        memory,
        work,
        task: {
          kind: 'place',
          snapshot: placeOf(snapshot),
          layers,
          inputs,
          metric,
          nearest,
          captures: after,
        },
      });
    }
    return {
      format: PLAN_FORMAT,
      method: 'locate',
      tool: toolInfo,
      options: { ...options, layers, snapshots: snapshots.map(({ id }) => id) },
      input: input.plan(),
      parts,
      hint: 'take fewer layers',
      notes: [],
    };
  },

  async compute(part, context) {
    const { task } = part;
    return task.kind === 'capture'
      ? computeCapture(part as Part<CaptureTask>, context)
      : place(task, context);
  },

  async join(plan, { run, output, seconds, reads }) {
    const { options } = plan;
    const { inputShape, classes } = run.manifest;
    const panels: LocatedPanel[] = [];
    const predictions: LocateResult['predictions'] = [];
    for (const { key, task } of plan.parts) {
      if (task.kind !== 'place') continue;
      const found = await output<Places>(key);
      panels.push(...found.panels);
      if (found.predicted) predictions.push({ snapshot: task.snapshot.id, ...found.predicted });
    }
    const count = options.inputs.length / elementCount(inputShape!);
    return {
      format: RESULT_FORMAT,
      method: 'locate',
      name: options.name,
      tool: toolInfo,
      input: await inputOfResult(plan, run, reads),
      parameters: {
        metric: options.metric,
        nearest: options.nearest,
        layers: options.layers,
        samples: count,
      },
      seeds: {},
      seconds,
      metric: options.metric,
      count,
      k: options.nearest,
      images: imagesOf(
        { data: Float32Array.from(options.inputs), shape: [count, options.inputs.length / count] },
        inputShape,
      ),
      labels: await run.labels(),
      classes,
      panels,
      predictions,
    };
  },
};

async function place(task: PlaceTask, context: PartContext): Promise<Places> {
  const { run, engine, signal, onProgress } = context;
  const { snapshot, layers, metric, nearest, captures } = task;
  const { manifest } = run;
  const scale = inputScaleOf(manifest);
  const x = Float32Array.from(task.inputs, (value) => Math.fround(value) / scale);
  const count = x.length / elementCount(manifest.inputShape!);
  const predicting = predictingLayer(run);
  const whole = (layer: string) => findLayer(manifest.layers, layer, run.store.name).layer;
  const names = [
    ...new Set([...layers.map((layer) => whole(layer).name), ...(predicting ? [predicting] : [])]),
  ];
  const { probeOf, dispose } = await netOf(snapshot.id, context);
  let outputs: Map<string, Float32Array>;
  try {
    outputs = probeOf(names).run(x, count);
  } finally {
    dispose();
  }
  const rowsOf = (layer: string): Matrix => {
    const { selection } = findLayer(manifest.layers, layer, run.store.name);
    const { name, shape } = whole(layer);
    const tensor: Tensor = { data: outputs.get(name)!, shape: [count, ...shape], dtype: 'float32' };
    return tensorToMatrix(selection ? selectPart(tensor, selection) : tensor, layer);
  };
  const panels: LocatedPanel[] = [];
  for (const [l, layer] of layers.entries()) {
    const among = await outputsOf(context, snapshot.id, layer, captures);
    const found = nearestRows(rowsOf(layer), among, metric, nearest);
    const panel = await analyseTendency(
      engine,
      { snapshot, layer, outputs: among, labels: null, predictions: null, logLikelihood: null },
      {
        metric,
        marks: [],
        vatSide: 0,
        stabilitySubsets: 0,
        seed: 1,
        signal,
        onProgress: (done, total) => onProgress?.((l + done / (total || 1)) / layers.length),
      },
    );
    panels.push({
      snapshot,
      layer,
      ...found,
      blocks: panel.blocks.count,
      block: Int32Array.from({ length: count }, (_, i) =>
        blockAt(panel, found.nearest[i * nearest]!, found.distances[i * nearest]!),
      ),
    });
  }
  if (!predicting) return { panels, predicted: null };
  const { predictions, logLikelihood } = readPredictions(rowsOf(predicting), null);
  return { panels, predicted: { classes: predictions, logLikelihood } };
}

/**
 * Where new samples stand among a run's own, at every snapshot (`methods/locate`). Throws `unsupported` for a run whose net is not known,
 * `shape`, `missing`, `memory`, `cancelled`.
 */
export const locateOfRun = (
  run: Run,
  options: Partial<LocateRunOptions> & Pick<LocateRunOptions, 'inputs'>,
  how: WorkflowOptions = {},
): Promise<LocateResult> => runWorkflow(locateWorkflow, run, options, how);
