import { points } from '../../bench/data.js';
import type { BenchCase, KernelBench } from '../../bench/types.js';
import type { Matrix } from '../../src/matrix.js';
import { pairwise, pairwiseBytes } from './index.js';

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

export const bench: KernelBench = {
  kernel: 'pairwise',
  *cases({ kernels, relaxed, quick }) {
    const sizes = quick
      ? [[1000, 84]]
      : [
          [5000, 84],
          [5000, 256],
          [5000, 784],
          [3000, 3082],
        ];
    for (const [n, d] of sizes as [number, number][]) {
      for (const metric of ['cosine', 'euclidean'] as const) {
        const x = points(n, d);
        const contenders: BenchCase['contenders'] = [
          { name: 'core-wasm', run: () => pairwise(kernels, x, { metric }) },
        ];
        if (relaxed)
          contenders.push({ name: 'core-wasm relaxed', run: () => pairwise(relaxed, x, { metric }) });
        if (metric === 'cosine') contenders.push({ name: 'plain JavaScript', run: () => plainCosine(x) });
        yield {
          work: `${metric} matrix`,
          data: `n=${n} d=${d} blobs`,
          // Useful work: half the matrix, a multiply and an add a column (Euclidean: a subtraction more, not counted).
          flops: n * n * d,
          bytes: pairwiseBytes(n, d),
          contenders,
          python: {
            work:
              metric === 'cosine' ? ['numpy cosine matrix', 'scipy pdist cosine'] : ['scipy pdist euclidean'],
            input: () => x,
          },
        };
      }
    }
  },
};
