import { SVD } from 'ml-matrix';
import { normal, points } from '../../bench/data.js';
import type { KernelBench } from '../../bench/types.js';
import type { Matrix } from '../../src/matrix.js';
import { truncatedSvd, truncatedSvdBytes } from './index.js';

/** "flat": normal entries; "decaying": columns fade, so that σ fall by a factor of about 30 over the first hundred. */
function matrix(m: number, n: number, spectrum: 'flat' | 'decaying'): Matrix {
  const g = normal(m + n);
  const fade = spectrum === 'flat' ? 1 : 0.965;
  return {
    data: Float32Array.from({ length: m * n }, (_, i) => g() * fade ** (i % n)),
    shape: [m, n],
  };
}

export const bench: KernelBench = {
  kernel: 'truncated-svd',
  *cases({ kernels, relaxed, quick }) {
    const sizes: [number, number, number][] = quick
      ? [[400, 300, 20]]
      : [
          [400, 300, 20],
          [784, 784, 20],
          [784, 784, 100],
          [2048, 2048, 20],
          [4096, 1024, 100],
        ];
    for (const [m, n, k] of sizes) {
      for (const spectrum of ['decaying', 'flat', 'constant columns'] as const) {
        if (spectrum === 'constant columns' && (m > 1000 || m < 500)) continue;
        const a = spectrum === 'constant columns' ? points(m, n, 'constant-columns') : matrix(m, n, spectrum);
        const contenders = [{ name: 'core-wasm', run: () => truncatedSvd(kernels, a, { k }) }];
        if (relaxed)
          contenders.push({ name: 'core-wasm relaxed', run: () => truncatedSvd(relaxed, a, { k }) });
        yield {
          work: `top-${k} SVD`,
          data: `${m}×${n} ${spectrum}`,
          bytes: truncatedSvdBytes(m, n, k),
          contenders: [
            ...contenders,
            // It computes all triplets; 3 minutes at 2048² (500 times ours).
            ...(m * n <= 700_000
              ? [
                  {
                    name: 'ml-matrix SVD',
                    run: () =>
                      new SVD(
                        Array.from({ length: m }, (_, i) => Array.from(a.data.subarray(i * n, (i + 1) * n))),
                      ),
                  },
                ]
              : []),
          ],
          python: { work: ['scipy svds (ARPACK)', 'sklearn randomized_svd'], input: () => a, k },
        };
      }
    }
  },
};
