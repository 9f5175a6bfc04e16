import { uniform } from '../../bench/data.js';
import type { KernelBench } from '../../bench/types.js';
import { ivatImage, ivatMatrix } from './index.js';

/** The n×n matrix first, as the O(n²) recurrence has it; one float32 array. */
function plainMatrix(weights: Float32Array): Float32Array {
  const n = weights.length + 1;
  const out = new Float32Array(n * n);
  for (let a = 0; a < n; a++) {
    let m = 0;
    for (let b = a + 1; b < n; b++) {
      if (weights[b - 1]! > m) m = weights[b - 1]!;
      out[a * n + b] = out[b * n + a] = m;
    }
  }
  return out;
}

export const bench: KernelBench = {
  kernel: 'ivat',
  *cases({ kernels, quick }) {
    const u = uniform(3);
    for (const n of quick ? [10_000] : [10_000, 60_000, 1_000_000]) {
      const weights = Float32Array.from({ length: n - 1 }, () => u());
      yield {
        work: 'iVAT image 1024², exact mean',
        data: `n=${n}`,
        contenders: [{ name: 'core-wasm', run: () => ivatImage({ weights }, { side: 1024 }) }],
      };
    }
    for (const n of quick ? [1000] : [2000, 10_000]) {
      const weights = Float32Array.from({ length: n - 1 }, () => u());
      const order = Uint32Array.from({ length: n }, (_, i) => i);
      const into = new Float32Array(n * n);
      yield {
        work: 'iVAT matrix',
        data: `n=${n}`,
        elements: n * n,
        contenders: [
          { name: 'core-wasm', run: () => ivatMatrix(kernels, { order, weights }, { into }) },
          { name: 'core-wasm, a new array each time', run: () => ivatMatrix(kernels, { order, weights }) },
          { name: 'plain JavaScript', run: () => plainMatrix(weights) },
        ],
      };
    }
  },
};
