import { guard } from '@epochscope/core-wasm';
import type { Optimizer, Variable } from '@tensorflow/tfjs';
import type { Tensor } from '../formats/types.js';
import type { Tf } from '../models/backend.js';

/** Where a training stands between two steps: all that decides how it goes on, so that it goes on to the same bits. */
export interface TrainState {
  step: number;
  /** Σ loss · images of the epoch at hand. */
  lossSum: number;
  /** Images trained on, and how many they were when the test samples were last used. */
  images: number;
  imagesAtEvaluation: number | null;
  weights: Map<string, Tensor>;
  optimizer: Map<string, Tensor>;
}

/** Adam's powers of its rates: tfjs would make them anew, and not to the same bits. */
const POWERS = ['accBeta1', 'accBeta2'] as const;
type Powers = Partial<Record<(typeof POWERS)[number], Variable>>;

/** What an optimizer has summed up, in its order. */
export async function optimizerState(optimizer: Optimizer): Promise<Map<string, Tensor>> {
  const state = new Map<string, Tensor>();
  const values = await optimizer.getWeights();
  for (const [i, { tensor }] of values.entries())
    state.set(`${String(i).padStart(6, '0')}`, {
      data: tensor.dataSync().slice() as Float32Array | Int32Array,
      shape: tensor.shape,
      dtype: tensor.dtype as 'float32' | 'int32',
    });
  values[0]?.tensor.dispose();
  for (const name of POWERS) {
    const power = (optimizer as unknown as Powers)[name];
    if (power) state.set(name, { data: power.dataSync<'float32'>().slice(), shape: [], dtype: 'float32' });
  }
  return state;
}

export async function restoreOptimizer(
  tf: Tf,
  optimizer: Optimizer,
  state: ReadonlyMap<string, Tensor>,
): Promise<void> {
  const tensors: Parameters<Optimizer['setWeights']>[0] = [...state]
    .filter(([name]) => /^\d+$/.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { data, shape, dtype }]) => ({
      name,
      tensor: tf.tensor(data as Float32Array, [...shape], dtype as 'float32'),
    }));
  await optimizer.setWeights(tensors);
  for (const { tensor } of tensors) tensor.dispose();
  for (const name of POWERS) {
    const power = (optimizer as unknown as Powers)[name];
    if (!power) continue;
    const saved = state.get(name);
    guard(saved, 'format', () => `state of a training: ${name} is not there`, { tensor: name });
    tf.tidy(() => power.assign(tf.scalar((saved.data as Float32Array)[0]!)));
  }
}
