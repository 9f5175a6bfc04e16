import type { Dataset } from '../../datasets/types.js';
import type { Tensor } from '../../formats/types.js';
import { asKernel, asPictures, type PictureLayout, type PruneTarget } from '../../methods/prune/index.js';
import {
  buildModel,
  loadWeights,
  type ModelSpec,
  type Net,
  prepareTf,
  type Tf,
  weightsOf,
} from '../../models/index.js';
import type { Figure } from '../../results/types.js';
import { lossGradient } from '../../training/gradient.js';
import { evaluate, train } from '../../training/index.js';
import type { PartContext } from '../types.js';
import type { Retraining } from './options.js';

/** The run's net around the layer that is pruned. */
export interface PruneNet {
  tf: Tf;
  net: Net;
  data: Dataset;
}

/** The run's net, built once a process, with these weights. */
export async function openNet(
  { run, keep }: PartContext,
  weights: ReadonlyMap<string, Tensor>,
  data: Dataset,
): Promise<PruneNet> {
  const tf = await prepareTf();
  const net = await keep('net', run.store.name, () => {
    const built = buildModel(tf, run.manifest.model as unknown as ModelSpec);
    return { ...built, dispose: () => void built.model.dispose() };
  });
  loadWeights(tf, net, weights, run.store.name);
  return { tf, net, data };
}

type Variable = ReturnType<Tf['variable']>;

/** What `pruneRounds` asks of the net (or of none), for one round. */
export function targetOf(
  layout: PictureLayout,
  weights: Float32Array,
  own: PruneNet | null,
  how: Retraining,
  { signal, onProgress }: Pick<PartContext, 'signal' | 'onProgress'>,
): PruneTarget {
  if (!own) {
    const reason = 'the run does not say which net made it';
    return { layout, weights, evaluate: async () => ({ value: null, reason }), retrain: null };
  }
  const { tf, net, data } = own;
  const layer = net.layers.find(({ name }) => name === layout.layer)!;
  const variable = net.model
    .getLayer(layout.layer)
    .weights[layer.parameters.indexOf(layout.tensor)]!.read() as Variable;
  const put = (values: Float32Array) =>
    tf.tidy(() => void variable.assign(tf.tensor(asKernel(values, layout), variable.shape) as never));
  return {
    layout,
    weights,
    async evaluate(values): Promise<Figure> {
      put(values);
      if (!data.test.count) return { value: null, reason: `${data.source} has no test samples` };
      return { value: evaluate(tf, net, data.test, data.shape).accuracy };
    },
    retrain: how.epochs
      ? async (values, mask, round) => {
          put(values);
          await train(tf, net, data, {
            ...how,
            // Each round is its own training: going on after a break gives the same bits.
            seed: how.seed + 7919 * round,
            snapshots: { epochs: [] },
            masks: new Map([[layout.tensor, asKernel(mask, layout)]]),
            signal,
            onProgress: ({ epoch, step, steps, loss }) =>
              onProgress?.(step / steps, `epoch ${epoch}/${how.epochs}, loss ${loss.toFixed(3)}`),
          });
          return asPictures(Float32Array.from(variable.dataSync<'float32'>()), layout);
        }
      : null,
    async gradient(values) {
      put(values);
      const gradient = await lossGradient(tf, net, data, layout.tensor, {
        samples: Math.min(how.gradientSamples, data.train.count),
        seed: how.seed,
        signal,
      });
      return asPictures(gradient, layout);
    },
  };
}

/** The net's weights now, the pruned layer's as the round left them. */
export function weightsAfter(
  own: PruneNet | null,
  before: ReadonlyMap<string, Tensor>,
  layout: PictureLayout,
  weights: Float32Array,
): Map<string, Tensor> {
  const now = own ? weightsOf(own.net) : new Map(before);
  const { tensor } = layout;
  now.set(tensor, { data: asKernel(weights, layout), shape: before.get(tensor)!.shape, dtype: 'float32' });
  return now;
}
