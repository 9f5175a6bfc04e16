import { EpochscopeError, guard } from '@epochscope/core-wasm';
import type { LayersModel, Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tensor } from '../formats/types.js';
import type { Alarm } from '../methods/watch/types.js';
import type { Tf } from '../models/backend.js';
import { graphOfModel } from '../models/graph/from-model.js';
import { layersOfGraph, specOf, withLogSoftmax } from '../models/graph/spec.js';
import type { Graph } from '../models/graph/types.js';
import type { LayerInfo, RunWriter, SnapshotInfo } from '../run/types.js';
import type { RunInit } from '../run/write.js';

export interface RecordOptions {
  /** The samples to analyse: inputs n × shape as the model takes them (uint8: divided by 255 first), one label each. */
  samples?: { inputs: Tensor; labels?: Uint32Array; source?: string };
  classes?: string[];
  /** Record every so many epochs; the last of `epochs` always, if given. Default 1. */
  every?: number;
  epochs?: number;
  /** Anything worth keeping about the training. */
  training?: Record<string, unknown>;
  /** Judged after each snapshot on the run so far, as `watchRun` does. What it sees is not kept as a result. */
  rules?: readonly string[];
  /** Called with each rule that begins to hold; `model.stopTraining = true` ends the training. Default: a line on the console. */
  onAlarm?: (alarm: Alarm) => void | Promise<void>;
}

/** TensorFlow.js of any version or build (`import * as tf from '@tensorflow/tfjs'`), and a model of it, by what tells them from other things. */
export interface TfModule {
  readonly model: unknown;
  readonly tensor: unknown;
  readonly tidy: unknown;
}
export interface TfModel {
  readonly layers: readonly object[];
  readonly inputs: readonly object[];
  readonly fit: unknown;
}

/** For `model.fit(…, { callbacks })`. */
export interface FitCallbacks {
  onTrainBegin(): Promise<void>;
  onEpochEnd(epoch: number, logs?: Record<string, number>): Promise<void>;
  onTrainEnd(): Promise<void>;
}

/** Samples a pass. */
const BATCH = 250;

type Run = Pick<RunWriter, 'writeSamples' | 'writeSnapshot' | 'finish'> & Partial<Pick<RunWriter, 'store'>>;

/**
 * Callbacks for `model.fit` of TensorFlow.js, in Node and in browsers, that record a run: the weights before training
 * ("init") and after epochs, with the metrics. `create` makes the writer: `(init) => createRun('my-run', init)` in Node,
 * `(init) => createRun(memoryStore('my-run'), init)` in a browser, or over `opfsStore`. The run holds the net itself, so that layer outputs are computed
 * when they are analysed; for a model with layers of another kind the outputs on `samples` are recorded instead.
 * Errors of the writer end the training. Cost: one copy of the weights an epoch.
 */
export function recordFit(
  tfjs: TfModule,
  fitted: TfModel,
  create: (init: RunInit) => Run | Promise<Run>,
  options: RecordOptions = {},
): FitCallbacks {
  const tf = tfjs as Tf;
  const model = fitted as LayersModel;
  const every = options.every ?? 1;
  if (!Number.isInteger(every) || every < 1)
    throw new EpochscopeError('argument', `every: expected a whole number > 0, got ${every}`);
  let run: Run | null = null;
  let judge: (() => Promise<Alarm[]>) | null = null;
  const graphOf = (): Graph | null => {
    try {
      return withLogSoftmax(graphOfModel(model));
    } catch (cause) {
      if (cause instanceof EpochscopeError && cause.code === 'unsupported') return null;
      throw cause;
    }
  };
  const snapshot = async (info: SnapshotInfo) => {
    const graph = graphOf();
    await run!.writeSnapshot(
      info,
      graph ? new Map(graph.weights) : weightsOfModel(model),
      graph || !options.samples ? undefined : outputsOfModel(tf, model, options.samples.inputs),
    );
    for (const alarm of (await judge?.()) ?? [])
      await (options.onAlarm ?? (({ text }: Alarm) => console.warn(text)))(alarm);
  };
  return {
    async onTrainBegin() {
      const graph = graphOf();
      const { samples } = options;
      const bytes = samples?.inputs.data instanceof Uint8Array;
      run = await create({
        model: graph ? { ...specOf(graph, bytes ? 255 : 1) } : null,
        layers: graph ? layersOfGraph(graph) : layersOfModel(model),
        classes: options.classes ?? null,
        inputShape: graph?.inputShape ?? samples?.inputs.shape.slice(1) ?? null,
        training: { optimizer: model.optimizer?.getClassName() ?? null, ...options.training },
      });
      if (samples)
        await run.writeSamples({
          inputs: samples.inputs,
          labels: samples.labels ?? null,
          source: samples.source ?? 'recorded',
        });
      if (options.rules?.length) {
        const { store } = run;
        guard(store, 'argument', () => 'rules: expected a run of createRun, to be read while it is written');
        const { judgeOf } = await import('../workflows/watch/judge.js');
        judge = judgeOf(store, options.rules);
      }
      await snapshot({ id: 'init', epoch: 0, step: 0, metrics: {} });
    },
    async onEpochEnd(index, logs = {}) {
      const epoch = index + 1;
      if (!run || (epoch % every && epoch !== options.epochs)) return;
      const metrics = Object.fromEntries(Object.entries(logs).filter(([, value]) => Number.isFinite(value)));
      await snapshot({ id: `epoch-${String(epoch).padStart(4, '0')}`, epoch, step: null, metrics });
    },
    async onTrainEnd() {
      await run?.finish();
    },
  };
}

const plain = (name: string) => name.replace(/[/\\\0]/g, '.');

/** "<layer>.<variable>" → float32 copy. */
function weightsOfModel(model: LayersModel): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const layer of model.layers) {
    const values = layer.getWeights();
    for (const [i, variable] of layer.weights.entries())
      tensors.set(`${plain(layer.name)}.${variable.originalName.split('/').pop()}`, {
        data: Float32Array.from(values[i]!.dataSync()),
        shape: [...values[i]!.shape],
        dtype: 'float32',
      });
  }
  return tensors;
}

const recorded = (model: LayersModel) =>
  model.layers.filter((layer) => layer.getClassName() !== 'InputLayer');

function layersOfModel(model: LayersModel): LayerInfo[] {
  return recorded(model).map((layer) => ({
    name: plain(layer.name),
    kind: layer.getClassName().toLowerCase(),
    shape: (layer.outputShape as number[]).slice(1),
    parameters: layer.weights.map(
      ({ originalName }) => `${plain(layer.name)}.${originalName.split('/').pop()}`,
    ),
  }));
}

/** Outputs of every layer on the samples, in one pass a batch. Keeps no tensor. */
function outputsOfModel(tf: Tf, model: LayersModel, { data, shape }: Tensor): Map<string, Tensor> {
  const layers = recorded(model);
  const [n, ...one] = shape as [number, ...number[]];
  const size = one.reduce((a, b) => a * b, 1);
  const scale = data instanceof Uint8Array ? 255 : 1;
  const probe = tf.model({ inputs: model.inputs, outputs: layers.map((layer) => layer.output as never) });
  const outputs = new Map<string, Tensor<Float32Array>>();
  for (let from = 0; from < n; from += BATCH) {
    const count = Math.min(BATCH, n - from);
    const values = Float32Array.from(
      { length: count * size },
      (_, i) => Number(data[from * size + i]) / scale,
    );
    tf.tidy(() => {
      const out = probe.predictOnBatch(tf.tensor(values, [count, ...one])) as TfTensor | TfTensor[];
      for (const [i, tensor] of (Array.isArray(out) ? out : [out]).entries()) {
        const name = plain(layers[i]!.name);
        const whole = outputs.get(name) ?? {
          data: new Float32Array((tensor.size / count) * n),
          shape: [n, ...tensor.shape.slice(1)],
          dtype: 'float32' as const,
        };
        whole.data.set(tensor.dataSync<'float32'>(), (from * tensor.size) / count);
        outputs.set(name, whole);
      }
    });
  }
  return outputs;
}
