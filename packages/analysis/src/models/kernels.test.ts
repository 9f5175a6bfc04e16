import type { Tensor4D } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { random } from '../random.js';
import { prepareTf, type Tf } from './backend.js';
import { chain } from './net.js';

let tf: Tf;
beforeAll(async () => {
  tf = await prepareTf();
});

const values = (count: number, seed: number) => {
  const source = random(seed);
  return Float32Array.from({ length: count }, () => source.normal());
};
const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Runs the same computation on the wasm backend with our kernels and on tfjs's own cpu backend. */
async function both(compute: () => ReturnType<Tf['tensor']>[]): Promise<[Float32Array[], Float32Array[]]> {
  const on = async (backend: string) => {
    await tf.setBackend(backend);
    try {
      return tf.tidy(() => compute().map((tensor) => tensor.dataSync<'float32'>().slice() as Float32Array));
    } finally {
      await tf.setBackend('wasm');
    }
  };
  return [await on('wasm'), await on('cpu')];
}

/** float32 sums of up to some thousand products of standard normals: 1e-5 of the largest value leaves a factor of ten. */
function expectClose(got: Float32Array, expected: Float32Array): void {
  expect(got.length).toBe(expected.length);
  const scale = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const worst = got.reduce((a, b, i) => Math.max(a, Math.abs(b - expected[i]!)), 0);
  expect(worst).toBeLessThanOrEqual(1e-5 * scale);
}

describe('gradients of convolution equal the cpu backend', () => {
  it.each([
    { x: [2, 8, 8, 1], w: [5, 5, 1, 6], stride: 1, pad: 'valid' },
    { x: [3, 12, 12, 6], w: [5, 5, 6, 16], stride: 1, pad: 'valid' },
    { x: [2, 7, 9, 3], w: [3, 3, 3, 8], stride: 1, pad: 'same' },
    { x: [2, 8, 7, 3], w: [3, 2, 3, 5], stride: 2, pad: 'same' },
    { x: [1, 9, 9, 2], w: [3, 3, 2, 4], stride: 2, pad: 'valid' },
    { x: [2, 6, 6, 4], w: [1, 1, 4, 9], stride: 1, pad: 'valid' },
    { x: [1, 11, 11, 5], w: [4, 4, 5, 1], stride: 3, pad: 'same' },
    { x: [1, 5, 5, 17], w: [3, 3, 17, 3], stride: 1, pad: 2 },
    { x: [1, 3, 3, 1], w: [3, 3, 1, 1], stride: 1, pad: 'valid' },
  ] as const)('x $x, filter $w, stride $stride, pad $pad', async ({ x, w, stride, pad }) => {
    const data = [values(size(x), 1), values(size(w), 2)];
    const [got, expected] = await both(() => {
      const grads = tf.grads((a, b) => {
        const y = tf.conv2d(a as Tensor4D, b as Tensor4D, stride, pad as 'valid');
        return tf.sum(tf.mul(y, tf.tensor(values(y.size, 3), y.shape)));
      });
      return grads([tf.tensor(data[0]!, [...x]), tf.tensor(data[1]!, [...w])]);
    });
    expectClose(got[0]!, expected[0]!);
    expectClose(got[1]!, expected[1]!);
  });
});

describe('gradient of max pooling equals the cpu backend', () => {
  it.each([
    { x: [2, 8, 8, 6], filter: 2, stride: 2, pad: 'valid' },
    { x: [1, 7, 7, 5], filter: 3, stride: 2, pad: 'same' },
    { x: [2, 5, 6, 1], filter: 2, stride: 1, pad: 'valid' },
    { x: [1, 6, 6, 9], filter: 3, stride: 1, pad: 'same' },
  ] as const)(
    'x $x, window $filter, stride $stride, pad $pad, ties too',
    async ({ x, filter, stride, pad }) => {
      for (const tied of [false, true]) {
        const data = values(size(x), 4).map((v) => (tied ? Math.round(v) : v));
        const [got, expected] = await both(() => [
          tf.grad((a) => {
            const y = tf.maxPool(a as Tensor4D, filter, stride, pad);
            return tf.sum(tf.mul(y, tf.tensor(values(y.size, 5), y.shape)));
          })(tf.tensor(data, [...x])),
        ]);
        expectClose(got[0]!, expected[0]!);
      }
    },
  );
});

describe('sums and copies', () => {
  it('sums over the leading axes equal the cpu backend, as do all others', async () => {
    for (const [shape, axis, keep] of [
      [[100, 12, 12, 6], [0, 1, 2], false],
      [[7, 120], 0, false],
      [[3, 1], [0], false],
      [[5, 4, 6], [1, 0], false],
      [[5, 4, 6], [0, 2], false],
      [[5, 4, 6], [1], false],
      [[5, 4, 6], [0, 1], true],
      [[5, 4, 6], undefined, false],
      [[9], 0, false],
    ] as const) {
      const data = values(size(shape), 8);
      const [got, expected] = await both(() => [tf.sum(tf.tensor(data, [...shape]), axis as never, keep)]);
      expectClose(got[0]!, expected[0]!);
    }
  });

  it('a clone outlives what it was made of, and the other way round', async () => {
    await tf.setBackend('wasm');
    const [a, before] = [tf.tensor([1, 2, 3]), tf.memory().numTensors];
    const b = a.clone();
    a.dispose();
    expect([...b.dataSync()]).toEqual([1, 2, 3]);
    const c = b.clone();
    c.dispose();
    expect([...b.dataSync()]).toEqual([1, 2, 3]);
    const variable = tf.variable(b);
    variable.assign(tf.tensor([4, 5, 6]));
    expect([...b.dataSync()]).toEqual([1, 2, 3]);
    tf.dispose([b, variable]);
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before);
  });

  it('a first convolution has the gradients of tfjs’s own, to the bit', async () => {
    await tf.setBackend('wasm');
    for (const [padding, strides] of [
      ['valid', 1],
      ['same', 2],
    ] as const) {
      const net = chain(tf, [9, 8, 2], 5).conv2d('C', 5, 3, padding, strides).relu('R').dense('D', 3).build();
      const own = tf.layers.conv2d({ filters: 5, kernelSize: 3, padding, strides });
      const x = tf.tensor4d(values(4 * 144, 9), [4, 9, 8, 2]);
      own.apply(x);
      const layer = net.model.getLayer('C') as never as typeof own;
      own.setWeights(layer.getWeights());
      const gradients = (l: typeof own) =>
        tf.variableGrads(
          () => tf.sum(tf.square(l.apply(x, { training: true }) as Tensor4D)) as never,
          l.trainableWeights.map((weight) => weight.read() as never),
        );
      const [got, expected] = [gradients(layer), gradients(own)];
      expect(got.value.dataSync()).toEqual(expected.value.dataSync());
      expect(Object.values(got.grads).map((g) => [...g.dataSync()])).toEqual(
        Object.values(expected.grads).map((g) => [...g.dataSync()]),
      );
    }
  });
});

describe('matrix products equal the cpu backend', () => {
  it.each([
    [1, 1, 1],
    [3, 5, 7],
    [4, 8, 8],
    [5, 49, 9],
    [13, 100, 25],
    [100, 256, 120],
  ])('%i×%i by ×%i, either side transposed', async (m, k, n) => {
    for (const [ta, tb] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      const [got, expected] = await both(() => [
        tf.matMul(
          tf.tensor2d(values(m * k, 1), ta ? [k, m] : [m, k]),
          tf.tensor2d(values(k * n, 2), tb ? [n, k] : [k, n]),
          ta,
          tb,
        ),
      ]);
      expectClose(got[0]!, expected[0]!);
    }
  });

  it('broadcast one matrix over a batch, and take empty sides', async () => {
    const [got, expected] = await both(() => [
      tf.matMul(tf.tensor3d(values(30, 1), [2, 3, 5]), tf.tensor3d(values(20, 2), [1, 5, 4])),
      tf.matMul(tf.zeros([0, 5]), tf.zeros([5, 4])),
    ]);
    expectClose(got[0]!, expected[0]!);
    expect(got[1]!.length).toBe(0);
  });

  it('of a tensor seen in two shapes are right both times (tfjs alone gives garbage)', async () => {
    const [got, expected] = await both(() => {
      const b = tf.tensor2d(values(24, 3), [4, 6]);
      const first = tf.matMul(tf.tensor2d(values(8, 4), [2, 4]), b);
      return [first, tf.matMul(tf.tensor2d(values(12, 5), [2, 6]), tf.reshape(b, [6, 4]) as never)];
    });
    expectClose(got[0]!, expected[0]!);
    expectClose(got[1]!, expected[1]!);
  });

  it('fused with bias and ReLU, K > 48, transposed, are right (tfjs alone is wrong)', async () => {
    const [got, expected] = await both(() => [
      tf.fused.matMul({
        a: tf.tensor2d(values(7 * 64, 1), [7, 64]),
        b: tf.tensor2d(values(64 * 10, 2), [10, 64]),
        transposeB: true,
        bias: tf.tensor1d(values(10, 3)),
        activation: 'relu',
      }),
      tf.fused.matMul({
        a: tf.tensor2d(values(15, 1), [3, 5]),
        b: tf.tensor2d(values(20, 2), [5, 4]),
        bias: tf.tensor1d(values(4, 3)),
        activation: 'elu',
      }),
    ]);
    expectClose(got[0]!, expected[0]!);
    expectClose(got[1]!, expected[1]!);
    expect(Math.min(...got[0]!)).toBe(0);
  });
});
