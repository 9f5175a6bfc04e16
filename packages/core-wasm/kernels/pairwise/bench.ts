import { cosine, distance_matrix, euclidean, manhattan } from '@saehrimnir/druidjs';
import { distance, similarity } from 'ml-distance';
import { type Distribution, points } from '../../bench/data.js';
import { rowsOf, tfjsMatMul } from '../../bench/peers.js';
import type { Contender, KernelBench } from '../../bench/types.js';
import type { Matrix } from '../../src/matrix.js';
import {
  pairwise,
  pairwiseBytes,
  pairwiseCondensed,
  pairwiseInto,
  preparePairwise,
  releasePairwise,
} from './index.js';

/** The loop one would write for cosine: unit rows, then dot products of the upper triangle. */
export function plainCosine({ data, shape: [n, d] }: Matrix): Float32Array {
  const unit = new Float32Array(n * d);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let k = i * d; k < (i + 1) * d; k++) sum += data[k]! ** 2;
    const scale = sum ? 1 / Math.sqrt(sum) : 0;
    for (let k = i * d; k < (i + 1) * d; k++) unit[k] = data[k]! * scale;
  }
  const out = new Float32Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      let dot = 0;
      for (let k = 0; k < d; k++) dot += unit[i * d + k]! * unit[j * d + k]!;
      out[i * n + j] = out[j * n + i] = 1 - dot;
    }
  }
  return out;
}

/** What ml-distance is for: one pair at a time, upper triangle. */
function mlDistance(x: Matrix, metric: 'cosine' | 'euclidean' | 'manhattan'): Contender {
  const rows = rowsOf(x);
  const { cosine } = similarity;
  const { euclidean, manhattan } = distance;
  const of = metric === 'euclidean' ? euclidean : metric === 'manhattan' ? manhattan : cosine;
  const n = rows.length;
  return {
    name: 'ml-distance',
    run() {
      const out = new Float32Array(n * n);
      for (let i = 0; i < n; i++)
        for (let j = i + 1; j < n; j++) out[i * n + j] = out[j * n + i] = of(rows[i]!, rows[j]!);
      return out;
    },
  };
}

const CASES: [n: number, d: number, Distribution, 'cosine' | 'euclidean' | 'manhattan'][] = [
  [1000, 84, 'blobs', 'cosine'],
  [1000, 84, 'blobs', 'euclidean'],
  [5000, 84, 'blobs', 'cosine'],
  [5000, 84, 'blobs', 'euclidean'],
  [5000, 84, 'duplicates', 'euclidean'],
  [5000, 84, 'constant-columns', 'cosine'],
  [5000, 84, 'blobs', 'manhattan'],
  [5000, 256, 'blobs', 'cosine'],
  [5000, 784, 'blobs', 'cosine'],
  [3000, 3082, 'blobs', 'cosine'],
  [3000, 3082, 'blobs', 'euclidean'],
];

export const bench: KernelBench = {
  kernel: 'pairwise',
  *cases({ kernels, relaxed, threads, quick }) {
    for (const [n, d, distribution, metric] of quick ? CASES.slice(0, 2) : CASES) {
      const x = points(n, d, distribution);
      // Both write where a result of before stood: the first touch of fresh memory is the system's time, and more
      // than the work.
      const into = new Float32Array(n * n);
      const triangle = new Float32Array((n * (n - 1)) / 2);
      const place = kernels.arena.alloc(4 * n * n);
      const contenders: Contender[] = [
        {
          name: 'core-wasm',
          run: () => pairwise(kernels, x, { metric, into }),
          dispose: () => kernels.arena.dealloc(place),
        },
        // What SciPy's pdist gives.
        {
          name: 'core-wasm, condensed',
          run: () => pairwiseCondensed(kernels, x, { metric, into: triangle }),
        },
        { name: 'core-wasm, left in its memory', run: () => pairwiseInto(kernels, x, place, { metric }) },
      ];
      if (relaxed)
        contenders.push({ name: 'core-wasm relaxed', run: () => pairwise(relaxed, x, { metric, into }) });
      if (threads) {
        const out = threads.kernels.arena.alloc(4 * n * n);
        contenders.push({
          name: `core-wasm, left in its memory, ${threads.count} threads`,
          threads: true,
          async run() {
            const job = preparePairwise(threads.kernels, x, metric, { workers: threads.count, out });
            await threads.run({ pairwise: job });
            releasePairwise(threads.kernels, job);
          },
          dispose: () => threads.kernels.arena.dealloc(out),
        });
      }
      if (metric === 'cosine') {
        contenders.push({ name: 'plain JavaScript', run: () => plainCosine(x) });
        contenders.push(tfjsMatMul(x, true), tfjsMatMul(x, false));
      }
      if (n <= 1000) {
        contenders.push(mlDistance(x, metric));
        const rows = rowsOf(x).map((values) => Float64Array.from(values));
        const of = metric === 'cosine' ? cosine : metric === 'manhattan' ? manhattan : euclidean;
        contenders.push({ name: 'druidjs distance_matrix', run: () => distance_matrix(rows, of) });
      }
      yield {
        work: `${metric} matrix`,
        data: `n=${n} d=${d} ${distribution}`,
        // Useful work: half the matrix, a multiply and an add a column (Euclidean, Manhattan: a subtraction more, not
        // counted).
        flops: n * n * d,
        bytes: pairwiseBytes(n, d),
        contenders,
        python: {
          work:
            metric === 'cosine' ? ['numpy cosine matrix', 'scipy pdist cosine'] : [`scipy pdist ${metric}`],
          input: () => x,
        },
      };
    }
  },
};
