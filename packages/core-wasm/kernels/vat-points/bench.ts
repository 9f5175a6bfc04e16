import { type Distribution, mnistPixels, points } from '../../bench/data.js';
import type { Contender, KernelBench } from '../../bench/types.js';
import type { Matrix, Metric } from '../../src/matrix.js';
import { pairwise } from '../pairwise/index.js';
import { vatFromMatrix } from '../vat/index.js';
import { finishVatPoints, prepareVatPoints, vatFromPoints, vatPointsBytes } from './index.js';

/** Matrix-free Prim as one would write it: Euclidean, typed arrays, the search for the farthest pair first. */
function plainVatPoints({ data, shape: [n, d] }: Matrix): Uint32Array {
  const square = (i: number, j: number) => {
    let s = 0;
    for (let k = 0, a = i * d, b = j * d; k < d; k++, a++, b++) s += (data[a]! - data[b]!) ** 2;
    return s;
  };
  let v = 0;
  let top = -1;
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) {
      const s = square(i, j);
      if (s > top) {
        top = s;
        v = i;
      }
    }
  const order = new Uint32Array(n);
  const key = new Float32Array(n).fill(Infinity);
  const done = new Uint8Array(n);
  for (let k = 0; k < n; k++) {
    order[k] = v;
    done[v] = 1;
    let best = Infinity;
    let next = 0;
    for (let j = 0; j < n; j++) {
      if (done[j]) continue;
      const s = square(v, j);
      if (s < key[j]!) key[j] = s;
      if (key[j]! < best) {
        best = key[j]!;
        next = j;
      }
    }
    v = next;
  }
  return order;
}

type Data = Distribution | 'MNIST pixels';

const CASES: [n: number, d: number, Data, Metric][] = [
  [10, 2, 'blobs', 'euclidean'],
  [100, 2, 'blobs', 'euclidean'],
  [1000, 2, 'blobs', 'euclidean'],
  [10_000, 2, 'blobs', 'euclidean'],
  [10_000, 2, 'uniform', 'euclidean'],
  [100_000, 2, 'blobs', 'euclidean'],
  [100_000, 2, 'uniform', 'euclidean'],
  [1_000_000, 2, 'uniform', 'euclidean'],
  [100, 10, 'blobs', 'euclidean'],
  [1000, 10, 'blobs', 'euclidean'],
  [10_000, 10, 'blobs', 'euclidean'],
  [10_000, 10, 'uniform', 'euclidean'],
  [100_000, 10, 'blobs', 'euclidean'],
  [100_000, 10, 'uniform', 'euclidean'],
  [1_000_000, 10, 'blobs', 'euclidean'],
  [10, 84, 'blobs', 'euclidean'],
  [100, 84, 'blobs', 'euclidean'],
  [400, 84, 'blobs', 'euclidean'],
  [1000, 84, 'blobs', 'euclidean'],
  [2000, 84, 'blobs', 'euclidean'],
  [10_000, 84, 'blobs', 'euclidean'],
  [10_000, 84, 'blobs', 'cosine'],
  [10_000, 84, 'uniform', 'euclidean'],
  [10_000, 84, 'duplicates', 'euclidean'],
  [10_000, 84, 'constant-columns', 'correlation'],
  [10_000, 84, 'blobs', 'manhattan'],
  [10_000, 256, 'blobs', 'euclidean'],
  [10_000, 256, 'uniform', 'euclidean'],
  [60_000, 84, 'blobs', 'euclidean'],
  [60_000, 84, 'blobs', 'cosine'],
  [1_000_000, 84, 'blobs', 'euclidean'],
  [1000, 784, 'blobs', 'euclidean'],
  [1000, 784, 'MNIST pixels', 'euclidean'],
  [10_000, 784, 'blobs', 'euclidean'],
  [10_000, 784, 'MNIST pixels', 'euclidean'],
  [60_000, 784, 'blobs', 'euclidean'],
  [60_000, 784, 'MNIST pixels', 'euclidean'],
];

/** Peers that make a spanning tree of points, by how many points of d coordinates they are asked for at most. */
const PEERS: [work: string, most: (d: number) => number][] = [
  ['quitefastmst', () => Infinity],
  ['genieclust (single linkage)', (d) => (d > 10 ? 10_000 : 100_000)],
  ['fast-plscan', (d) => (d > 10 ? 10_000 : 1_000_000)],
  ['fast_hdbscan', (d) => (d > 10 ? 10_000 : 1_000_000)],
  ['hdbscan (Borůvka)', (d) => (d > 10 ? 10_000 : 100_000)],
  ['mlpack emst', (d) => (d > 10 ? 10_000 : 1_000_000)],
  ['fastcluster single linkage of points', () => 10_000],
  ['sklearn mst_from_data_matrix', () => 10_000],
  // n × n: minutes, and gigabytes, from some thousand points on.
  ['scipy pdist + minimum_spanning_tree', () => 2000],
  ['pyclustertend ordered matrix', () => 1000],
];

export const bench: KernelBench = {
  kernel: 'vat-points',
  *cases({ kernels, threads, quick, mnist }) {
    for (const [n, d, distribution, metric] of quick ? CASES.filter(([count]) => count <= 2000) : CASES) {
      if (distribution === 'MNIST pixels' && !mnist) continue;
      const x = distribution === 'MNIST pixels' ? mnistPixels(mnist!, n) : points(n, d, distribution);
      const contenders: Contender[] = [
        { name: 'core-wasm', run: () => vatFromPoints(kernels, x, { metric }) },
      ];
      if (n <= 2000)
        contenders.push({
          name: 'core-wasm, pairwise and VAT of the matrix',
          run: () => vatFromMatrix(kernels, pairwise(kernels, x, { metric })),
        });
      if (threads && n >= 512)
        contenders.push({
          name: `core-wasm, ${threads.count} threads`,
          threads: true,
          async run() {
            const job = prepareVatPoints(threads.kernels, x, metric, threads.count);
            await threads.run({ vatPoints: job });
            return finishVatPoints(threads.kernels, job);
          },
        });
      if (metric === 'euclidean' && n * n * d <= 1e10 && distribution === 'blobs')
        contenders.push({ name: 'plain JavaScript', run: () => plainVatPoints(x) });
      yield {
        work: `VAT from points, ${metric}`,
        data: `n=${n} d=${d} ${distribution}`,
        // Half a distance matrix for the start and half for Prim; bounds skip much of it.
        flops: 3 * n * n * d,
        bytes: vatPointsBytes(n, d),
        contenders,
        python:
          metric === 'euclidean'
            ? { work: PEERS.filter(([, most]) => n <= most(d)).map(([work]) => work), input: () => x }
            : undefined,
      };
    }
  },
};
