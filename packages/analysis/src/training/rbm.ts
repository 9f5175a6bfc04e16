import type { Tensor2D, Variable } from '@tensorflow/tfjs';
import type { Tf } from '../models/backend.js';
import type { Random } from '../random.js';

/** Standard deviation of initial weights, and the weight cost: Hinton (2010), "A practical guide to training RBMs", §8 and §10. */
const INITIAL_SD = 0.01;
const WEIGHT_COST = 0.0002;

/**
 * A restricted Boltzmann machine with logistic units, E(v, h) = −vᵀWh − aᵀv − bᵀh, as variables on tfjs. Visible states
 * are probabilities in 0 … 1. O(visible · hidden) memory, twice (weights and their speed).
 */
export class Rbm {
  readonly weights: Variable;
  readonly visibleBias: Variable;
  readonly hiddenBias: Variable;
  private readonly speed: [weights: Variable, visible: Variable, hidden: Variable];

  constructor(
    private readonly tf: Tf,
    visible: number,
    hidden: number,
    source: Random,
  ) {
    const initial = Float32Array.from({ length: visible * hidden }, () => INITIAL_SD * source.normal());
    const zeros = (shape: number[]) => tf.tidy(() => tf.variable(tf.zeros(shape)));
    this.weights = tf.tidy(() => tf.variable(tf.tensor2d(initial, [visible, hidden])));
    this.visibleBias = zeros([visible]);
    this.hiddenBias = zeros([hidden]);
    this.speed = [zeros([visible, hidden]), zeros([visible]), zeros([hidden])];
  }

  /**
   * One step of contrastive divergence (CD-1) on a batch v₀ (batch × visible): h₀ = σ(v₀W + b), states s ~ Bernoulli(h₀)
   * drawn row by row from `source`, v₁ = σ(sWᵀ + a), h₁ = σ(v₁W + b); ΔW ∝ (v₀ᵀh₀ − v₁ᵀh₁)/batch − cost · W, biases
   * likewise without the cost; with momentum. Answers the mean squared v₀ − v₁.
   */
  descend(v0: Tensor2D, source: Random, step: { learningRate: number; momentum: number }): number {
    const { tf } = this;
    return tf.tidy(() => {
      const [batch] = v0.shape;
      const w = this.weights as never as Tensor2D;
      const up = (v: Tensor2D): Tensor2D => tf.sigmoid(tf.add(tf.matMul(v, w), this.hiddenBias) as Tensor2D);
      const h0 = up(v0);
      const states = tf.tensor2d(
        h0.dataSync<'float32'>().map((p) => (source.uniform() < p ? 1 : 0)),
        h0.shape,
      );
      const v1: Tensor2D = tf.sigmoid(
        tf.add(tf.matMul(states, tf.transpose(w)), this.visibleBias) as Tensor2D,
      );
      const h1 = up(v1);
      const both = (v: Tensor2D, h: Tensor2D) => tf.matMul(tf.transpose(v), h);
      const gradients = [
        tf.sub(tf.div(tf.sub(both(v0, h0), both(v1, h1)), batch), tf.mul(w, WEIGHT_COST)),
        tf.div(tf.sub(tf.sum(v0, 0), tf.sum(v1, 0)), batch),
        tf.div(tf.sub(tf.sum(h0, 0), tf.sum(h1, 0)), batch),
      ];
      [this.weights, this.visibleBias, this.hiddenBias].forEach((variable, i) => {
        const speed = this.speed[i]!;
        speed.assign(tf.add(tf.mul(speed, step.momentum), tf.mul(gradients[i]!, step.learningRate)));
        variable.assign(tf.add(variable, speed));
      });
      return tf.mean(tf.squaredDifference(v0, v1)).dataSync<'float32'>()[0]!;
    });
  }

  dispose(): void {
    for (const variable of [this.weights, this.visibleBias, this.hiddenBias, ...this.speed])
      variable.dispose();
  }
}
