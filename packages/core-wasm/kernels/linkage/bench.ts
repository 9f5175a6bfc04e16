import { HierarchicalClustering } from '@saehrimnir/druidjs';
import { agnes } from 'ml-hclust';
import { points } from '../../bench/data.js';
import type { BenchCase, KernelBench } from '../../bench/types.js';
import type { Matrix } from '../../src/matrix.js';
import { pairwise } from '../pairwise/index.js';
import { linkage, linkageBytes } from './index.js';

/** The loop one would write: nearest-neighbour chain with Lance–Williams on a float64 square, columns written too. */
export function plainAverageLinkage({ data, shape: [n] }: Matrix): Float64Array {
  const d = Float64Array.from(data);
  const size = new Uint32Array(n).fill(1);
  const heights = new Float64Array(n - 1);
  const chain: number[] = [];
  for (let t = 0; t < n - 1; ) {
    if (!chain.length) chain.push(size.findIndex((s) => s > 0));
    const x = chain[chain.length - 1]!;
    const previous = chain[chain.length - 2] ?? -1;
    let y = previous;
    let best = y < 0 ? Infinity : d[x * n + y]!;
    for (let j = 0; j < n; j++)
      if (size[j] && j !== x && d[x * n + j]! < best) {
        best = d[x * n + j]!;
        y = j;
      }
    if (y !== previous) {
      chain.push(y);
      continue;
    }
    chain.length -= 2;
    heights[t++] = best;
    const [sx, sy] = [size[x]!, size[y]!];
    for (let j = 0; j < n; j++)
      if (size[j]) d[y * n + j] = d[j * n + y] = (sx * d[x * n + j]! + sy * d[y * n + j]!) / (sx + sy);
    size[y] = sx + sy;
    size[x] = 0;
  }
  return heights.sort();
}

export const bench: KernelBench = {
  kernel: 'linkage',
  *cases({ kernels, quick }) {
    for (const [n, distribution] of (quick
      ? [[1000, 'blobs']]
      : [
          [50, 'blobs'],
          [100, 'blobs'],
          [200, 'blobs'],
          [500, 'blobs'],
          [1000, 'blobs'],
          [2000, 'blobs'],
          [5000, 'blobs'],
          [10_000, 'blobs'],
          [5000, 'uniform'],
          [5000, 'duplicates'],
        ]) as [number, 'blobs'][]) {
      const d = pairwise(kernels, points(n, 84, distribution), { metric: 'euclidean' });
      const contenders: BenchCase['contenders'] = [
        { name: 'core-wasm', run: () => linkage(kernels, d) },
        { name: 'core-wasm with diameters', run: () => linkage(kernels, d, { diameters: true }) },
        { name: 'plain JavaScript', run: () => plainAverageLinkage(d) },
      ];
      if (n <= 1000) {
        const rows = Array.from({ length: n }, (_, i) => Array.from(d.data.subarray(i * n, (i + 1) * n)));
        contenders.push({
          name: 'ml-hclust',
          run: () => agnes(rows, { method: 'average', isDistanceMatrix: true }),
        });
        contenders.push({
          name: 'druidjs',
          run: () => new HierarchicalClustering(rows, { linkage: 'average', metric: 'precomputed' }),
        });
      }
      yield {
        work: 'average linkage',
        data: `n=${n} ${distribution}`,
        elements: n * n,
        bytes: linkageBytes(n),
        contenders,
        python: { work: ['fastcluster average linkage', 'scipy average linkage'], input: () => d },
      };
    }
  },
};
