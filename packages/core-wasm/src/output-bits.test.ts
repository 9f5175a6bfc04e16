// Every kernel's output bits over seeded inputs, as stored hashes: a change that is meant to change no result changes
// none here. Where a result is meant to change, say why in the commit and run vitest with -u. Some thousand points:
// output-bits.slow.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { DATA, fills, hash } from '../bench/bits.js';
import { uniform } from '../bench/data.js';
import { conv, guarded, type TfjsRoom, tfjsRoom } from '../bench/tfjs.js';
import { filterGradient } from '../kernels/tfjs-conv2d-filter-gradient/bench.js';
import { type ConvShape, convOutput } from '../kernels/tfjs-conv2d-filter-gradient/reference.js';
import { inputGradient } from '../kernels/tfjs-conv2d-input-gradient/bench.js';
import { matMul } from '../kernels/tfjs-matmul/bench.js';
import { poolGradient } from '../kernels/tfjs-max-pool-gradient/bench.js';
import {
  copheneticDistances,
  correlation,
  cutByCount,
  ivatCondensed,
  ivatImage,
  ivatMatrix,
  type Kernels,
  LINKAGE_METHODS,
  labelRegions,
  leafOrder,
  linkage,
  linkageFromPoints,
  loadKernels,
  METRICS,
  pairwise,
  pairwiseCondensed,
  truncatedSvd,
  truncatedSvdOperator,
  vatFromMatrix,
  vatFromPoints,
} from './index.js';

let kernels: Kernels;
let room: TfjsRoom;
beforeAll(async () => {
  kernels = await loadKernels();
  room = await tfjsRoom();
});

describe('output bits', () => {
  it('of pairwise', () => {
    const bits: Record<string, string> = {};
    for (const metric of METRICS)
      for (const fill of ['uniform', 'integers', 'rectified', 'outliers'])
        for (const [n, d] of [
          [0, 3],
          [1, 0],
          [5, 1],
          [16, 4],
          [33, 17],
          [130, 84],
          [150, 784],
        ] as const) {
          const x = DATA[fill]!(n, d, n + d);
          const other = DATA[fill]!(n + 3, d, 7);
          bits[`${metric} ${fill} ${n}×${d}`] = hash([
            pairwise(kernels, x, { metric }),
            pairwise(kernels, x, { metric, other }),
            pairwiseCondensed(kernels, x, { metric }),
          ]);
        }
    expect(bits).toMatchSnapshot();
  });

  it('of VAT and iVAT of a matrix', () => {
    const bits: Record<string, string> = {};
    for (const fill of ['uniform', 'duplicates', 'integers', 'one-hot', 'equal'])
      for (const n of [0, 1, 2, 3, 16, 17, 64, 300, 1100]) {
        const vat = vatFromMatrix(kernels, pairwise(kernels, DATA[fill]!(n, 6, n), { metric: 'euclidean' }));
        bits[`${fill} ${n}`] = hash([
          vat,
          n > 0 ? ivatImage(vat, { side: Math.min(n, 37) }) : 0,
          n > 0 ? ivatImage(vat, { side: Math.min(n, 16), reduce: 'max' }) : 0,
          n <= 300 ? [ivatMatrix(kernels, vat), ivatCondensed(vat)] : 0,
        ]);
      }
    expect(bits).toMatchSnapshot();
  });

  it('of VAT of points', () => {
    const bits: Record<string, string> = {};
    const sizes = [
      [0, 4],
      [1, 4],
      [2, 3],
      [3, 0],
      [15, 2],
      [16, 50],
      [17, 9],
      [31, 10],
      [33, 47],
      [49, 48],
      [100, 84],
      [130, 784],
      [257, 129],
      [400, 30],
      [511, 12],
      [512, 60],
      [513, 3],
      [700, 9],
      [900, 84],
      [1100, 200],
    ] as const;
    for (const metric of METRICS)
      for (const fill of fills)
        for (const [n, d] of sizes)
          bits[`${metric} ${fill} ${n}×${d}`] = hash(
            vatFromPoints(kernels, DATA[fill]!(n, d, n + d), { metric }),
          );
    expect(bits).toMatchSnapshot();
  });

  it('of linkage', () => {
    const bits: Record<string, string> = {};
    for (const method of LINKAGE_METHODS)
      for (const fill of ['uniform', 'duplicates', 'integers', 'one-hot', 'equal'])
        for (const n of [0, 1, 2, 3, 5, 16, 17, 60, 129, 500]) {
          const x = DATA[fill]!(n, 7, n);
          const tree = linkage(kernels, pairwise(kernels, x, { metric: 'euclidean' }), {
            method,
            diameters: true,
          });
          bits[`${method} ${fill} ${n}`] = hash([
            tree,
            copheneticDistances(tree),
            leafOrder(tree),
            n > 0 ? cutByCount(tree, Math.min(n, 4)) : 0,
            linkageFromPoints(kernels, x, { method, metric: 'manhattan', diameters: n % 2 === 0 }),
          ]);
        }
    expect(bits).toMatchSnapshot();
  });

  it('of correlation', () => {
    const bits: Record<string, string> = {};
    for (const fill of ['uniform', 'integers', 'rectified', 'outliers'])
      for (const [n, units, inputs] of [
        [0, 3, 2],
        [1, 3, 2],
        [2, 1, 1],
        [17, 5, 9],
        [300, 33, 17],
        [700, 84, 100],
      ] as const)
        bits[`${fill} ${n} ${units}×${inputs}`] = hash(
          correlation(kernels, DATA[fill]!(n, units, n), DATA[fill]!(n, inputs, n + 1)),
        );
    expect(bits).toMatchSnapshot();
  });

  it('of truncated SVD', async () => {
    const bits: Record<string, string> = {};
    for (const fill of ['uniform', 'blobs', 'integers', 'one-hot', 'rectified', 'equal'])
      for (const [m, n, k] of [
        [0, 4, 0],
        [1, 1, 1],
        [3, 5, 2],
        [40, 17, 17],
        [17, 40, 5],
        [200, 84, 10],
        [150, 784, 12],
        [900, 700, 6],
      ] as const)
        for (const method of ['krylov', 'power'] as const) {
          const a = DATA[fill]!(m, n, m + n);
          bits[`${method} ${fill} ${m}×${n} k=${k}`] = hash(
            truncatedSvd(kernels, a, { k, method, maxIterations: method === 'power' ? 60 : undefined }),
          );
        }
    // Restarted: a basis hardly longer than what is asked for.
    const a = DATA.blobs!(300, 260, 5);
    for (const method of ['krylov', 'power'] as const)
      bits[`${method} of a small basis`] = hash(
        truncatedSvd(kernels, a, { k: 9, method, basis: 30, block: 3, vectors: [0, 4], maxIterations: 80 }),
      );
    const multiply = (x: Float32Array, count: number, transposed: boolean) => {
      const [from, to] = transposed ? [300, 260] : [260, 300];
      const y = new Float32Array(count * to);
      for (let c = 0; c < count; c++)
        for (let i = 0; i < to; i++) {
          let sum = 0;
          for (let j = 0; j < from; j++)
            sum += x[c * from + j]! * a.data[transposed ? j * 260 + i : i * 260 + j]!;
          y[c * to + i] = sum;
        }
      return y;
    };
    for (const method of ['krylov', 'power'] as const)
      bits[`${method} of an operator`] = hash(
        await truncatedSvdOperator(
          kernels,
          {
            shape: [300, 260],
            forward: (x, count) => multiply(x, count, false),
            adjoint: (x, count) => multiply(x, count, true),
          },
          { k: 7, method, maxIterations: 40 },
        ),
      );
    expect(bits).toMatchSnapshot();
  });

  it('of labelled regions', () => {
    const bits: Record<string, string> = {};
    for (const [count, height, width] of [
      [0, 3, 3],
      [1, 1, 1],
      [3, 5, 16],
      [2, 17, 33],
      [5, 60, 70],
    ] as const)
      for (const neighbours of [4, 8] as const)
        for (const share of [0.3, 0.5, 1]) {
          const u = uniform(height + width);
          const masks = Uint8Array.from({ length: count * height * width }, () => Number(u() < share));
          bits[`${count}×${height}×${width} ${neighbours} ${share}`] = hash(
            labelRegions(kernels, masks, [count, height, width], { neighbours }),
          );
        }
    expect(bits).toMatchSnapshot();
  });

  it('of the training kernels', () => {
    const bits: Record<string, string> = {};
    const values = (length: number, seed: number) => {
      const u = uniform(seed);
      return Float32Array.from({ length }, () => u() - 0.5);
    };
    const cases: [string, ConvShape][] = [
      ['plain', conv([2, 6, 5, 3], [3, 3, 4])],
      ['steps', conv([3, 9, 8, 5], [3, 2, 9], { strideY: 2, strideX: 3 })],
      ['padding', conv([2, 8, 9, 1], [5, 5, 6], { padTop: 2, padBottom: 2, padLeft: 2, padRight: 2 })],
    ];
    for (const [name, shape] of cases) {
      const { outHeight, outWidth } = convOutput(shape);
      const { batch, height, width, channels, outChannels, filterHeight, filterWidth } = shape;
      const x = values(batch * height * width * channels, 1);
      const dy = values(batch * outHeight * outWidth * outChannels, 2);
      const w = values(filterHeight * filterWidth * channels * outChannels, 3);
      const filter = filterGradient(room.kernels, shape);
      const input = inputGradient(room.kernels, shape);
      bits[`filter gradient, ${name}`] = hash(
        guarded(room, [x, dy], [4 * w.length, filter.bytes], ([a, b], [out, scratch]) =>
          filter.call(a!, b!, out!, scratch!),
        )[0],
      );
      bits[`input gradient, ${name}`] = hash(
        guarded(room, [dy, w], [4 * x.length, input.bytes], ([a, b], [out, scratch]) =>
          input.call(a!, b!, out!, scratch!),
        )[0],
      );
      const pooled = { ...shape, outChannels: channels };
      const dp = values(batch * outHeight * outWidth * channels, 4);
      bits[`max-pool gradient, ${name}`] = hash(
        guarded(room, [x, dp], [4 * x.length], ([a, b], [out]) =>
          poolGradient(room.kernels, pooled)(a!, b!, out!),
        )[0],
      );
    }
    for (const [m, k, n] of [
      [1, 1, 1],
      [5, 17, 9],
      [40, 60, 33],
    ] as const)
      for (const [transposeA, transposeB, relu] of [
        [false, false, false],
        [true, false, true],
        [false, true, false],
        [true, true, true],
      ] as const) {
        const { bytes, call } = matMul(room.kernels, { m, k, n, transposeA, transposeB }, relu);
        bits[`product ${m}×${k}×${n} ${transposeA} ${transposeB} ${relu}`] = hash(
          guarded(
            room,
            [values(m * k, 5), values(k * n, 6), values(n, 7)],
            [4 * m * n, bytes],
            ([x, y, z], [out, scratch]) => call(x!, y!, out!, scratch!, relu ? z! : 0),
          )[0],
        );
      }
    expect(bits).toMatchSnapshot();
  });
});
