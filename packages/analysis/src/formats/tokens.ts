import { EpochscopeError } from '@epochscope/core-wasm';
import type { Tensor } from './types.js';

/**
 * Which tokens of a sample stand for it: the first (a class token), the mean of all, the last (of a decoder); or all, each a
 * sample of its own. Padding is not known: it counts as a token.
 */
export type TokenChoice = 'cls' | 'mean' | 'last' | 'all';
export const TOKEN_CHOICES: readonly TokenChoice[] = ['cls', 'mean', 'last', 'all'];

/**
 * The axis of a layer's shape that tokens lie along: of [tokens, width] the first, of [heads, tokens, width] (and of
 * attention's weights [heads, queries, keys]) the second; null where the layer has none, or has space: [height, width,
 * channels] looks like heads, so the kinds of attention decide.
 */
export function tokenAxis(
  layers: readonly { kind: string; shape: readonly number[] }[],
  shape: readonly number[],
): number | null {
  const count = tokenCount(layers);
  if (count === null) return null;
  if (shape.length === 2 && shape[0] === count) return 0;
  return shape.length === 3 && shape[1] === count ? 1 : shape.length === 3 && shape[0] === count ? 0 : null;
}

/** How many tokens a sample has: keys of attention [heads, tokens, tokens], rows of an embedding, steps of a recurrent layer. */
export function tokenCount(layers: readonly { kind: string; shape: readonly number[] }[]): number | null {
  const square = layers.find(
    ({ kind, shape }) => kind === 'softmax' && shape.length === 3 && shape[1] === shape[2],
  );
  if (square) return square.shape[1]!;
  const rows = layers.find(
    ({ kind, shape }) => ['embedding', 'lstm', 'gru', 'rnn'].includes(kind) && shape.length === 2,
  );
  return rows?.shape[0] ?? null;
}

/** n samples × shape → n × shape without the tokens' axis; `all`: n · tokens of them. O(values). */
export function selectTokens(tensor: Tensor, axis: number, choice: TokenChoice): Tensor<Float32Array> {
  if (choice === 'all') return tokensAsSamples(tensor, axis);
  const [n, ...shape] = tensor.shape as [number, ...number[]];
  const [count, before, after] = parts(shape, axis, n);
  const data = new Float32Array(before * after);
  const from = choice === 'last' ? count - 1 : 0;
  const to = choice === 'cls' ? 1 : count;
  for (let b = 0; b < before; b++)
    for (let a = 0; a < after; a++) {
      let sum = 0;
      for (let t = from; t < to; t++) sum += Number(tensor.data[(b * count + t) * after + a]);
      data[b * after + a] = sum / (to - from);
    }
  return { data, shape: [n, ...shape.filter((_, i) => i !== axis)], dtype: 'float32' };
}

/** n samples × shape → n · tokens × shape without the tokens' axis: each token a sample, those of one sample in a row. O(values). */
export function tokensAsSamples(tensor: Tensor, axis: number): Tensor<Float32Array> {
  const [n, ...shape] = tensor.shape as [number, ...number[]];
  const [count, before, after] = parts(shape, axis, n);
  const lead = before / n;
  const data = new Float32Array(tensor.data.length);
  let to = 0;
  for (let s = 0; s < n; s++)
    for (let t = 0; t < count; t++)
      for (let b = 0; b < lead; b++)
        for (let a = 0; a < after; a++)
          data[to++] = Number(tensor.data[((s * lead + b) * count + t) * after + a]);
  return { data, shape: [n * count, ...shape.filter((_, i) => i !== axis)], dtype: 'float32' };
}

/** n × [heads, …] → n × heads: the Euclidean norm of each head's values, so that heads are units. O(values). */
export function headNorms(tensor: Tensor): Tensor<Float32Array> {
  const [n, heads, ...rest] = tensor.shape as [number, number, ...number[]];
  if (!rest.length)
    throw new EpochscopeError('shape', `expected n × heads × values, got [${tensor.shape}]`, {
      got: `[${tensor.shape}]`,
    });
  const width = rest.reduce((a, b) => a * b, 1);
  const data = new Float32Array(n * heads);
  for (let i = 0; i < data.length; i++) {
    let sum = 0;
    for (let j = 0; j < width; j++) sum += Number(tensor.data[i * width + j]) ** 2;
    data[i] = Math.sqrt(sum);
  }
  return { data, shape: [n, heads], dtype: 'float32' };
}

function parts(
  shape: readonly number[],
  axis: number,
  n: number,
): [count: number, before: number, after: number] {
  const count = shape[axis];
  if (!count)
    throw new EpochscopeError('shape', `expected tokens along axis ${axis} of [${shape}]`, {
      got: `[${shape}]`,
    });
  return [
    count,
    shape.slice(0, axis).reduce((a, b) => a * b, n),
    shape.slice(axis + 1).reduce((a, b) => a * b, 1),
  ];
}
