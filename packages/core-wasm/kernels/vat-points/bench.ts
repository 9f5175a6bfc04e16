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
  ...[2, 10, 84, 784].flatMap((d) =>
    [10, 30, 100, 400, 1000].map((n): [number, number, Data, Metric] => [n, d, 'blobs', 'euclidean']),
  ),
  [1000, 84, 'duplicates', 'euclidean'],
  [1000, 784, 'MNIST pixels', 'euclidean'],
  [2000, 84, 'blobs', 'euclidean'],
  [10_000, 2, 'blobs', 'euclidean'],
  [10_000, 2, 'uniform', 'euclidean'],
  [10_000, 2, 'duplicates', 'euclidean'],
  [100_000, 2, 'blobs', 'euclidean'],
  [100_000, 2, 'uniform', 'euclidean'],
  [1_000_000, 2, 'uniform', 'euclidean'],
  [10_000, 10, 'blobs', 'euclidean'],
  [10_000, 10, 'uniform', 'euclidean'],
  [100_000, 10, 'blobs', 'euclidean'],
  [100_000, 10, 'uniform', 'euclidean'],
  [1_000_000, 10, 'blobs', 'euclidean'],
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
  [10_000, 784, 'blobs', 'euclidean'],
  [10_000, 784, 'MNIST pixels', 'euclidean'],
  [60_000, 784, 'blobs', 'euclidean'],
  [60_000, 784, 'MNIST pixels', 'euclidean'],
];

/** Seconds of a tree in space at up to 3 and up to 20 coordinates of 100 000 points; beyond, of n²·d/10⁹. */
const inSpace = (plane: number, few: number, many: number) => (n: number, d: number) =>
  d > 20 ? (many * n * n * d) / 1e9 : (d > 3 ? few : plane) * (n / 1e5) ** 1.25;
/** Seconds of all pairs. */
const ofPairs = (nanoseconds: number) => (n: number, d: number) => (n * n * (nanoseconds + 0.4 * d)) / 1e9;

/**
 * Peers that make a spanning tree of points, and roughly what they take in seconds (measured at 1000 to 100 000
 * points): those that would take longer than `--limit` are left out.
 */
const PEERS: [work: string, seconds: (n: number, d: number) => number][] = [
  ['quitefastmst', inSpace(0.2, 10, 0.4)],
  ['genieclust (single linkage)', inSpace(0.4, 12, 0.45)],
  ['fast-plscan', inSpace(1.2, 23, 1.5)],
  ['fast_hdbscan', inSpace(5, 50, 1.2)],
  ['hdbscan (Borůvka)', inSpace(4.5, 80, 3.9)],
  ['mlpack emst', inSpace(1, 70, 4)],
  ['fastcluster single linkage of points', ofPairs(4)],
  ['sklearn mst_from_data_matrix', ofPairs(7)],
  // n × n in memory, several times.
  ['scipy pdist + minimum_spanning_tree', (n, d) => (n > 2000 ? Infinity : ofPairs(300)(n, d))],
  // An hour at some thousand points: n³.
  ['pyclustertend ordered matrix', (n) => 2.2 * (n / 1000) ** 3],
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
            ? {
                work: PEERS.map(([work]) => work),
                expected: Object.fromEntries(PEERS.map(([work, seconds]) => [work, seconds(n, d)])),
                input: () => x,
              }
            : undefined,
      };
    }
  },
};
