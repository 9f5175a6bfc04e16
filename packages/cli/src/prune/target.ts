import type { Figure, PictureLayout, PruneTarget } from '@epochscope/analysis';
import {
  buildModel,
  type Dataset,
  evaluate,
  loadWeights,
  lossGradient,
  type ModelSpec,
  type Net,
  prepareTf,
  type Run,
  type Tensor,
  type Tf,
  train,
} from '@epochscope/analysis';
import type { Output } from '../output.js';

/** How the net is trained again after each round. */
export interface Retraining {
  /** Passes over the training samples; 0: not at all. */
  epochs: number;
  batchSize: number;
  optimizer: 'sgd' | 'momentum' | 'adam';
  learningRate: number;
  noise: number;
  seed: number;
  /** Training samples behind ∂L/∂w, for ranking by loss. */
  gradientSamples: number;
}

/** The run's net around the layer that is pruned. */
export interface PruneNet {
  tf: Tf;
  net: Net;
  data: Dataset;
}

/** Builds the run's net with these weights. null where the run does not say which net made it. */
export async function openNet(
  run: Run,
  weights: ReadonlyMap<string, Tensor>,
  data: Dataset | null,
  where: string,
): Promise<PruneNet | null> {
  if (!run.manifest.model || !data) return null;
  const tf = await prepareTf();
  const net = buildModel(tf, run.manifest.model as unknown as ModelSpec);
  loadWeights(tf, net, weights, where);
  return { tf, net, data };
}

type Variable = ReturnType<Tf['variable']>;

/** What `pruneRounds` asks, answered by the net (or by none). */
export function pruneTarget(
  layout: PictureLayout,
  weights: Float32Array,
  own: PruneNet | null,
  how: Retraining,
  rounds: number,
  output: Output,
  progress: { update(done: number, total: number, note?: string): void },
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
    tf.tidy(() => void variable.assign(tf.tensor(values, variable.shape) as never));
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
            masks: new Map([[layout.tensor, mask]]),
            signal: output.signal,
            onProgress: ({ epoch, step, steps, loss }) =>
              progress.update(
                (round - 1) * steps + step,
                rounds * steps,
                `round ${round}/${rounds}, epoch ${epoch}/${how.epochs}, loss ${loss.toFixed(3)}`,
              ),
          });
          return Float32Array.from(variable.dataSync<'float32'>());
        }
      : null,
    async gradient(values) {
      put(values);
      return lossGradient(tf, net, data, layout.tensor, {
        samples: Math.min(how.gradientSamples, data.train.count),
        seed: how.seed,
        signal: output.signal,
      });
    },
  };
}
