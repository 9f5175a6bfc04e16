import { formatBytes, guard } from '@epochscope/core-wasm';
import type { Dataset } from '../../datasets/types.js';
import { elementCount } from '../../formats/dtypes.js';
import { buildModel, loadWeights, type ModelSpec, prepareTf, weightsOf } from '../../models/index.js';
import { RESULT_FORMAT, type ResultBase } from '../../results/types.js';
import { openRun, readManifest } from '../../run/read.js';
import type { LayerInfo, RunWriter, SnapshotInfo } from '../../run/types.js';
import { checkRunPlace, createRun, resumeRun } from '../../run/write.js';
import { type Place, storeOf } from '../../stores/of.js';
import type { Store } from '../../stores/types.js';
import {
  evaluate,
  pretrain,
  snapshotPlan,
  type TrainOptions,
  type TrainState,
  train,
} from '../../training/index.js';
import { toolInfo } from '../../version.js';
import { checkObject, shownValue } from '../arguments.js';
import { keyOf, sha256 } from '../keys.js';
import { runWorkflow, type WorkflowOptions } from '../run.js';
import { type Part, type PartContext, PLAN_FORMAT, type Workflow } from '../types.js';
import { type TrainRunOptions, trainOptions } from './options.js';
import { readState, removeState, writeState } from './state.js';

export { TRAIN_DEFAULTS, TRANSFORMER_DEFAULTS, type TrainRunOptions, trainDefaults } from './options.js';

/** Where a run is trained to. */
export interface TrainPlace {
  store: Store;
  /** Replaces a run that is there, unless it is this very training, cut off: that goes on. */
  overwrite: boolean;
  /** Seconds between states that are kept, from which a training that is cut off goes on. */
  stateSeconds: number;
  /** Called after each step with the net as it is now, which must stay so; a promise is awaited. */
  onStep?: TrainOptions['onStep'];
}

export interface TrainResult extends ResultBase {
  method: 'train';
  /** Of this process, without evaluation and snapshots. */
  imagesPerSecond: number;
  testAccuracy: number;
  snapshots: number;
}

interface TrainTask extends TrainRunOptions {
  kind: 'pretrain' | 'train';
  /** Of the whole training, as run.json keeps it. */
  training: string;
}
type Output = { steps: number } | Pick<TrainResult, 'imagesPerSecond' | 'testAccuracy' | 'snapshots'>;

const specOf = ({ model }: TrainRunOptions, data: Dataset): ModelSpec => ({
  ...model,
  inputShape: [...data.shape],
  classes: data.classes.length,
});

/** Measured: tfjs, started, with a net's first batch. */
const TF_BYTES = 80e6;
const EVALUATED_AT_ONCE = 500;

/**
 * A net of ours, trained: one part, or two where it is pre-trained. Snapshots go into the run as they are taken, and now and then the
 * state of the training, from which the same plan goes on after a stop, to the same bits.
 */
export const trainWorkflow: Workflow<TrainRunOptions, TrainTask, Output, TrainResult, TrainPlace> = {
  method: 'train',

  async plan({ store, overwrite }, given, context) {
    const asked = trainOptions(given);
    const data = await context.dataset(asked.data);
    const options = { ...asked, batchSize: Math.min(asked.batchSize, Math.max(1, data.train.count)) };
    // Refused before anything is written.
    const { size: count } = snapshotPlan(
      options.snapshots,
      options.epochs,
      Math.ceil(data.train.count / options.batchSize),
    );
    const spec = specOf(options, data);
    const { layers, weights } = await sizesOf(spec);
    const { data: _, weightDecay, ...rest } = options;
    // Keys of trainings without it are as they were before there was any.
    const decides = { ...rest, ...(weightDecay ? { weightDecay } : {}) };
    const training = keyOf('training', {
      ...decides,
      model: spec,
      data: sha256(...[data.train, data.test].flatMap(({ images, labels }) => [images, labels])),
    });
    const resumed = await isCutOff(store, training);
    if (!resumed) await checkRunPlace(store, overwrite);
    const { batchSize, pretrain: before, epochs } = options;
    const values = layers.reduce((sum, { shape }) => sum + elementCount(shape), elementCount(data.shape));
    const memory =
      TF_BYTES +
      data.train.images.length +
      data.test.images.length +
      4 * values * (4 * batchSize + EVALUATED_AT_ONCE) +
      6 * 4 * values;
    const part = (
      kind: TrainTask['kind'],
      stage: string,
      passes: number,
      after: string[],
    ): Part<TrainTask> => ({
      key: keyOf('train', { kind, training }),
      stage,
      title: spec.name,
      after,
      memory,
      work: Math.max(1, passes * data.train.count),
      task: { ...options, kind, training },
    });
    const first = before
      ? [part('pretrain', 'Pre-training', before.epochs * Math.max(1, layers.length / 2 - 1), [])]
      : [];
    return {
      format: PLAN_FORMAT,
      method: 'train',
      tool: toolInfo,
      options,
      input: { source: data.source, files: {} },
      parts: [
        ...first,
        part(
          'train',
          'Training',
          epochs,
          first.map(({ key }) => key),
        ),
      ],
      hint: 'take smaller batches (batchSize)',
      notes: [
        ...(resumed ? [`${store.name} holds this training, cut off: it goes on`] : []),
        `${count} ${count === 1 ? 'snapshot' : 'snapshots'} of ${formatBytes(4 * weights)} will be kept, ${formatBytes(4 * weights * count)} in all`,
      ],
      facts: { data: data.name },
    };
  },

  async compute({ task }, context) {
    const { store, overwrite } = context.run;
    const tf = await prepareTf();
    const data = await context.dataset(task.data);
    const spec = specOf(task, data);
    const net = buildModel(tf, spec);
    const { writer, there } = await writerOf(store, task, spec, net.layers, data, overwrite);
    try {
      if (task.kind === 'pretrain')
        return { steps: await pretrained({ tf, net, data, task, writer, there }, context) };
      return await trained({ tf, net, data, task, writer, there }, context);
    } finally {
      await writer.close();
      net.model.dispose();
    }
  },

  async join(plan, { output, seconds }) {
    const { parts, options, input } = plan;
    const { data: _, ...parameters } = options;
    return {
      format: RESULT_FORMAT,
      method: 'train',
      name: 'default',
      tool: toolInfo,
      input: { source: input.source, files: {} },
      parameters: { ...parameters },
      seeds: { training: options.seed, model: options.model.seed },
      seconds,
      ...(await output<Pick<TrainResult, 'imagesPerSecond' | 'testAccuracy' | 'snapshots'>>(
        parts.at(-1)!.key,
      )),
    };
  },
};

export interface TrainRunHow extends Omit<WorkflowOptions, 'parts' | 'dataset'> {
  /** Replaces a run that is there, unless it is this very training, cut off: that goes on. */
  overwrite?: boolean;
  /** Seconds between states that are kept, from which a training that is cut off goes on; default 15. */
  stateSeconds?: number;
  /** Called after each step with the net as it is now, which must stay so; a promise is awaited. */
  onStep?: TrainOptions['onStep'];
}

/**
 * Trains a net of ours and writes the run: samples, snapshots, metrics. Same options, data and seed, same bits. Cut off, it leaves a run that
 * opens, with the snapshots so far; called again, it goes on to the same bits. Throws `argument`, `io` before anything is written,
 * `memory`, `not-finite`, `cancelled`.
 */
export async function trainRun(
  place: Place,
  data: Dataset,
  options: Partial<Omit<TrainRunOptions, 'data'>> = {},
  { overwrite = false, stateSeconds = 15, onStep, ...how }: TrainRunHow = {},
): Promise<TrainResult> {
  checkObject(options, 'train, options');
  guard(
    typeof data?.train?.count === 'number' && typeof data.source === 'string',
    'argument',
    () => `train: expected training data, as \`await bundledMnist()\` gives it, got ${shownValue(data)}`,
    { got: shownValue(data) },
  );
  return runWorkflow(
    trainWorkflow,
    { store: await storeOf(place), overwrite, stateSeconds, onStep },
    { ...options, data: data.source },
    { ...how, dataset: async () => data },
  );
}

async function sizesOf(spec: ModelSpec): Promise<{ layers: readonly LayerInfo[]; weights: number }> {
  const net = buildModel(await prepareTf(), spec);
  const weights = net.model.countParams();
  net.model.dispose();
  return { layers: net.layers, weights };
}

/** Whether a place holds this training, not done yet. */
async function isCutOff(store: Store, training: string): Promise<boolean> {
  if (!(await store.has('run.json'))) return false;
  const manifest = await readManifest(store);
  return !manifest.complete && manifest.training?.key === training;
}

/** A new run, or the one that was begun, with the names of its snapshots. */
async function writerOf(
  store: Store,
  task: TrainTask,
  spec: ModelSpec,
  layers: LayerInfo[],
  data: Dataset,
  overwrite: boolean,
): Promise<{ writer: RunWriter; there: ReadonlySet<string> }> {
  const resumed = (await isCutOff(store, task.training)) ? await resumeRun(store) : null;
  const { epochs, batchSize, optimizer, learningRate, weightDecay, noise, seed } = task;
  const training = {
    data: `${data.name} (${data.source})`,
    trainingSamples: data.train.count,
    testSamples: data.test.count,
    epochs,
    batchSize,
    optimizer,
    learningRate,
    ...(weightDecay ? { weightDecay } : {}),
    noise,
    seed,
    ...(task.pretrain ? { pretrain: task.pretrain } : {}),
    key: task.training,
  };
  const writer =
    resumed ??
    (await createRun(
      store,
      { model: { ...spec }, layers, classes: data.classes, inputShape: [...data.shape], training },
      { overwrite },
    ));
  // Of a run that was killed at its very end, and is begun anew: going on from there would give its last snapshot alone.
  if (!resumed) await removeState(store);
  if (!resumed?.manifest.samples) {
    const count = Math.min(task.samples, data.test.count);
    await writer.writeSamples({
      inputs: {
        data: data.test.images.subarray(0, count * elementCount(data.shape)),
        shape: [count, ...data.shape],
        dtype: 'uint8',
      },
      labels: Uint32Array.from(data.test.labels.subarray(0, count)),
      source: `first ${count} test samples of ${data.name}`,
    });
  }
  return { writer, there: new Set(resumed?.manifest.snapshots.map(({ id }) => id)) };
}

interface Training {
  tf: Awaited<ReturnType<typeof prepareTf>>;
  net: ReturnType<typeof buildModel>;
  data: Dataset;
  task: TrainTask;
  writer: RunWriter;
  there: ReadonlySet<string>;
}

/** Writes a snapshot, unless it is there from before: it would be the same. */
function keeper({ writer, task, there }: Training, { onNote }: PartContext<TrainPlace>) {
  return async (info: SnapshotInfo, weights: ReturnType<typeof weightsOf>): Promise<void> => {
    // Chosen epochs are folders that people copy and open; steps by the thousand go into the log.
    if (there.has(info.id)) return;
    if ('epochs' in task.snapshots!) await writer.writeSnapshot(info, weights);
    else await writer.appendSnapshot(info, weights);
    const { testAccuracy, reconstructionError } = info.metrics;
    if (reconstructionError !== undefined)
      onNote?.(`  ${info.id}: reconstruction error ${reconstructionError.toFixed(4)}`);
    else if (info.epoch !== null)
      onNote?.(`  ${info.id}: test accuracy ${(100 * (testAccuracy ?? 0)).toFixed(2)} %`);
  };
}

/** Writes the untrained state and the net after each restricted Boltzmann machine; answers the steps taken. */
async function pretrained(training: Training, context: PartContext<TrainPlace>): Promise<number> {
  const { tf, net, data, task, there } = training;
  const keep = keeper(training, context);
  if (task.snapshots!.init && !there.has('init')) {
    const { accuracy, loss } = evaluate(tf, net, data.test, data.shape);
    await keep(
      { id: 'init', epoch: 0, step: 0, metrics: { testAccuracy: accuracy, testLoss: loss } },
      weightsOf(net),
    );
  }
  // A machine that is done is in the last snapshot.
  const done = [...there].filter((id) => /^rbm-\d+$/.test(id)).length;
  if (done) await load(training, context, `rbm-${done}`);
  const { steps } = await pretrain(tf, net, data, {
    ...task.pretrain!,
    batchSize: task.batchSize,
    seed: task.seed,
    done,
    signal: context.signal,
    onProgress: ({ layer, epoch, epochs, step, steps: all, reconstructionError }) =>
      context.onProgress?.(
        step / all,
        `${layer}, epoch ${epoch}/${epochs}, reconstruction error ${reconstructionError.toFixed(4)}`,
      ),
    onSnapshot: keep,
  });
  return steps;
}

/** The training proper, from the state that was kept last if there is one. */
async function trained(training: Training, context: PartContext<TrainPlace>): Promise<Output> {
  const { tf, net, data, task, writer, there } = training;
  const { store, stateSeconds, onStep } = context.run;
  const keep = keeper(training, context);
  const pretraining = task.pretrain ? lastMachine(there) : null;
  const before = pretraining ? await stepsOf(store, pretraining) : 0;
  if (pretraining) await load(training, context, pretraining);
  let kept = performance.now();
  const state: TrainState | null = await readState(store, task.training);
  const { epochs } = task;
  const summary = await train(tf, net, data, {
    ...task,
    // After pre-training the untrained state has been written, and steps go on counting.
    snapshots: pretraining ? { ...task.snapshots!, init: false } : task.snapshots!,
    signal: context.signal,
    onStep,
    ...(state ? { from: state } : {}),
    state: {
      due: () => performance.now() - kept >= 1000 * stateSeconds,
      async keep(now) {
        await writeState(store, task.training, now);
        kept = performance.now();
      },
    },
    onProgress: ({ epoch, step, steps, loss, imagesPerSecond }) =>
      context.onProgress?.(
        step / steps,
        `epoch ${epoch}/${epochs}, loss ${loss.toFixed(3)}, ${Math.round(imagesPerSecond)} images/s`,
      ),
    onSnapshot: (info, weights) => keep(before ? later(info, before) : info, weights),
  });
  await writer.finish();
  const { snapshots } = await readManifest(store);
  const { imagesPerSecond, testAccuracy } = summary;
  return { imagesPerSecond, testAccuracy, snapshots: snapshots.length };
}

const lastMachine = (there: ReadonlySet<string>): string =>
  `rbm-${[...there].filter((id) => /^rbm-\d+$/.test(id)).length}`;

const stepsOf = async (store: Store, snapshot: string): Promise<number> =>
  (await readManifest(store)).snapshots.find(({ id }) => id === snapshot)!.step!;

async function load(
  { tf, net }: Training,
  { run }: PartContext<TrainPlace>,
  snapshot: string,
): Promise<void> {
  loadWeights(tf, net, await (await openRun(run.store)).weights(snapshot), `${run.store.name}, ${snapshot}`);
}

/** A snapshot of the training proper, with the steps of pre-training counted. */
function later(info: SnapshotInfo, before: number): SnapshotInfo {
  const step = info.step! + before;
  return { ...info, step, id: info.epoch === null ? `step-${String(step).padStart(8, '0')}` : info.id };
}
