import type { Tensor4D, Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../backend.js';
import { type CompiledOp, nothing } from './compiled.js';
import { poolBack, poolForward, poolMap } from './pooling.js';
import type { GraphNode, Padding } from './types.js';

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** As tf.pad takes them. */
export const zeros = ([top, bottom, left, right]: Padding): [number, number][] => [
  [0, 0],
  [top, bottom],
  [left, right],
  [0, 0],
];

/** Max and average pooling. */
export function pool(
  tf: Tf,
  node: Extract<GraphNode, { kind: 'max-pool' | 'average-pool' }>,
  input: number[],
  out: number[],
): CompiledOp {
  const [size, strides] = [[...node.size] as [number, number], [...node.strides] as [number, number]];
  const max = node.kind === 'max-pool';
  const padded = node.padding.some((side) => side > 0);
  // tfjs's own padding would leave the zeros out of a mean's count, or not, as it likes: pad first, then mend the count.
  let factor: TfTensor | null = null;
  if (node.kind === 'average-pool' && padded && !node.countPadding) {
    const one = [input[0]!, input[1]!, 1];
    const { weights } = poolMap(node, new Float32Array(product(one)), one, [out[0]!, out[1]!, 1]);
    factor = tf.tensor4d(
      weights!.map((weight) => weight * size[0] * size[1]),
      [1, out[0]!, out[1]!, 1],
    );
  }
  return {
    run([x]) {
      const image = (padded ? tf.pad(x!, zeros(node.padding), max ? -3.4e38 : 0) : x!) as Tensor4D;
      if (max) return tf.maxPool(image, size, strides, 'valid');
      const mean = tf.avgPool(image, size, strides, 'valid');
      return factor ? tf.mul(mean, factor) : mean;
    },
    at([x]) {
      const map = poolMap(node, max ? x!.dataSync<'float32'>() : new Float32Array(0), input, out);
      const inSize = product(input);
      return {
        forward: ([v], k) => tf.tensor(poolForward(map, v!.dataSync<'float32'>(), k, inSize), [k, ...out]),
        back: (u, k) => [tf.tensor(poolBack(map, u.dataSync<'float32'>(), k, inSize), [k, ...input])],
        dispose: nothing,
      };
    },
    dispose: () => factor?.dispose(),
  };
}
