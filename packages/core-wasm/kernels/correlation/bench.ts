import { points } from '../../bench/data.js';
import type { KernelBench } from '../../bench/types.js';
import type { Matrix } from '../../src/matrix.js';
import { correlation, correlationBytes } from './index.js';

/** The loop one would write: standardised columns, then dot products of contiguous copies. */
export function plainCorrelation(x: Matrix, y: Matrix): Float32Array {
  const m = x.shape[0];
  const standard = ({ data, shape: [, columns] }: Matrix) => {
    const out = new Float32Array(data.length);
    for (let c = 0; c < columns; c++) {
      let mean = 0;
      for (let s = 0; s < m; s++) mean += data[s * columns + c]!;
      mean /= m;
      let square = 0;
      for (let s = 0; s < m; s++) square += (data[s * columns + c]! - mean) ** 2;
      const scale = square ? 1 / Math.sqrt(square) : 0;
      for (let s = 0; s < m; s++) out[c * m + s] = (data[s * columns + c]! - mean) * scale;
    }
    return out;
  };
  const a = standard(x);
  const b = standard(y);
  const [units, inputs] = [x.shape[1], y.shape[1]];
  const out = new Float32Array(units * inputs);
  for (let u = 0; u < units; u++)
    for (let i = 0; i < inputs; i++) {
      let sum = 0;
      for (let s = 0; s < m; s++) sum += a[u * m + s]! * b[i * m + s]!;
      out[u * inputs + i] = sum;
    }
  return out;
}

export const bench: KernelBench = {
  kernel: 'correlation',
  *cases({ kernels, relaxed, quick }) {
    for (const [m, units, inputs, distribution] of (quick
      ? [[500, 500, 300, 'blobs']]
      : [
          [2500, 1000, 3082, 'blobs'],
          [2500, 1000, 3082, 'constant-columns'],
          [10_000, 200, 794, 'uniform'],
        ]) as [number, number, number, 'blobs'][]) {
      const x = points(m, units, distribution);
      const y = points(m, inputs, 'uniform', 5);
      yield {
        work: 'correlation matrix',
        data: `${m} samples, ${units}×${inputs} ${distribution}`,
        flops: 2 * m * units * inputs,
        bytes: correlationBytes(units, inputs),
        contenders: [
          { name: 'core-wasm', run: () => correlation(kernels, x, y) },
          ...(relaxed ? [{ name: 'core-wasm relaxed', run: () => correlation(relaxed, x, y) }] : []),
          { name: 'plain JavaScript', run: () => plainCorrelation(x, y) },
        ],
        python: { work: ['numpy correlation of columns'], input: () => x, k: inputs },
      };
    }
  },
};
