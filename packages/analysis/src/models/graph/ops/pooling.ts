import type { Tensor4D, Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../../backend.js';
import { type CompiledOp, linear, nothing } from './compiled.js';
import { windowed } from './convolution.js';
import { type Given, type OpDefinition, product, type Site } from './definition.js';
import { type Pool, poolBack, poolForward, poolMap } from './pool-map.js';

/** As tf.pad takes them. */
const zeros = (padding: readonly number[]): [number, number][] => [
  [0, 0],
  ...Array.from({ length: padding.length / 2 }, (_, i): [number, number] => [
    padding[2 * i]!,
    padding[2 * i + 1]!,
  ]),
  [0, 0],
];

function compilePool(tf: Tf, node: Pool, { inputs, out }: Site): CompiledOp {
  const [input] = inputs as [number[]];
  const max = node.kind === 'max-pool';
  const padded = node.padding.some((side) => side > 0);
  const area = product(node.size);
  // tfjs's own padding would leave the zeros out of a mean's count, or not, as it likes: pad first, then mend the count.
  let factor: TfTensor | null = null;
  if (node.kind === 'average-pool' && padded && !node.countPadding) {
    const one = [...input.slice(0, -1), 1];
    const { weights } = poolMap(node, new Float32Array(product(one)), one, [...out.slice(0, -1), 1]);
    factor = tf.tensor(
      weights!.map((weight) => weight * area),
      [1, ...out.slice(0, -1), 1],
    );
  }
  const plane = (x: TfTensor): TfTensor => {
    const [rank, n] = [node.size.length, x.shape[0]!];
    // One dimension is an image of one row; three are planes, then their depth as rows.
    if (rank === 1)
      return plain(tf.reshape(x, [n, 1, ...x.shape.slice(1)]), [1, node.size[0]!], [1, node.strides[0]!]);
    if (rank === 2) return plain(x, [...node.size], [...node.strides]);
    const [depth, height, width, channels] = x.shape.slice(1) as [number, number, number, number];
    const planes = plain(
      tf.reshape(x, [n * depth, height, width, channels]),
      node.size.slice(1),
      node.strides.slice(1),
    );
    return plain(
      tf.reshape(planes, [n, depth, planes.size / (n * depth * channels), channels]),
      [node.size[0]!, 1],
      [node.strides[0]!, 1],
    );
  };
  const plain = (x: TfTensor, size: number[], strides: number[]): TfTensor =>
    max
      ? tf.maxPool(x as Tensor4D, size as [number, number], strides as [number, number], 'valid')
      : tf.avgPool(x as Tensor4D, size as [number, number], strides as [number, number], 'valid');
  return {
    run([x]) {
      const image = padded ? tf.pad(x!, zeros(node.padding), max ? -3.4e38 : 0) : x!;
      const pooled = tf.reshape(plane(image), [x!.shape[0]!, ...out]);
      return factor ? tf.mul(pooled, factor) : pooled;
    },
    at([x]) {
      const inSize = product(input);
      const values = max ? x!.dataSync<'float32'>() : null;
      // One for all vectors, or at several samples one for each.
      const maps = values
        ? Array.from({ length: values.length / inSize }, (_, i) =>
            poolMap(node, values.subarray(i * inSize, (i + 1) * inSize), input, out),
          )
        : [poolMap(node, new Float32Array(0), input, out)];
      return {
        forward: ([v], k) => tf.tensor(poolForward(maps, v!.dataSync<'float32'>(), k, inSize), [k, ...out]),
        back: (u, k) => [tf.tensor(poolBack(maps, u.dataSync<'float32'>(), k, inSize), [k, ...input])],
        dispose: nothing,
      };
    },
    dispose: () => factor?.dispose(),
  };
}

function inferPool(node: Pool, given: Given): number[] {
  const [input] = given.inputs as [number[]];
  const { size, strides, padding } = node;
  const rank = size.length;
  if (input.length !== rank + 1 || rank > 3)
    given.fail(rank === 2 ? 'an image [height, width, channels]' : `${rank} spatial axes and channels`);
  if (
    strides.length !== rank ||
    padding.length !== 2 * rank ||
    ![...size, ...strides].every((s) => Number.isInteger(s) && s > 0) ||
    !padding.every((p) => Number.isInteger(p) && p >= 0)
  )
    given.refuse(`window [${size}], strides [${strides}] or padding [${padding}] is not possible`);
  if (size.some((side, i) => Math.max(padding[2 * i]!, padding[2 * i + 1]!) >= side))
    given.refuse(`a window of [${size}] can lie wholly in its padding of [${padding}]`);
  return [
    ...size.map((s, i) => windowed(input[i]!, padding[2 * i]!, padding[2 * i + 1]!, s, strides[i]!)),
    input[rank]!,
  ];
}

const FIELDS = { size: 'counts', strides: 'counts', padding: 'counts' } as const;

export const pools: Record<'max-pool' | 'average-pool' | 'global-average-pool', OpDefinition> = {
  'max-pool': {
    inputs: 1,
    fields: FIELDS,
    infer: (node, given) => inferPool(node as Pool, given),
    compile: (tf, node, site) => compilePool(tf, node as Pool, site),
  },
  'average-pool': {
    inputs: 1,
    fields: { ...FIELDS, countPadding: 'flag' },
    infer: (node, given) => inferPool(node as Pool, given),
    compile: (tf, node, site) => compilePool(tf, node as Pool, site),
  },
  'global-average-pool': {
    inputs: 1,
    infer: (_, { inputs, fail }) =>
      inputs[0]!.length === 3 ? [inputs[0]![2]!] : fail('an image [height, width, channels]'),
    compile: (tf, _, { inputs, out }) => {
      const [height, width] = inputs[0] as [number, number, number];
      return linear(
        (v) => tf.mean(v, [1, 2]),
        (u, k) =>
          tf.mul(tf.reshape(u, [k, 1, 1, out[0]!]), tf.fill([1, height, width, 1], 1 / (height * width))),
      );
    },
  },
};
