import { type Distribution, points } from '../../bench/data.js';
import type { KernelBench } from '../../bench/types.js';
import type { Matrix } from '../../src/matrix.js';
import { vatFromMatrix } from './index.js';

/** Euclidean distances of blobs in a plain loop, so that the data does not depend on a kernel. */
function distances(n: number, distribution: Distribution): Matrix {
  const d = 3;
  const x = points(n, d, distribution).data;
  const data = new Float32Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let s = 0;
      for (let k = 0; k < d; k++) s += (x[i * d + k]! - x[j * d + k]!) ** 2;
      data[i * n + j] = Math.sqrt(s);
    }
  return { data, shape: [n, n] };
}

/** The loop one would write: typed arrays, keys and parents, no SIMD. */
export function plainVat({ data, shape: [n] }: Matrix): Uint32Array {
  let start = 0;
  let top = -1;
  for (let i = 0; i < n * n; i++)
    if (data[i]! > top) {
      top = data[i]!;
      start = i;
    }
  const order = new Uint32Array(n);
  const parent = new Uint32Array(n);
  const key = new Float32Array(n).fill(Infinity);
  const done = new Uint8Array(n);
  let v = Math.floor(start / n);
  for (let k = 0; k < n; k++) {
    order[k] = v;
    done[v] = 1;
    let best = Infinity;
    let next = 0;
    for (let j = 0, at = v * n; j < n; j++, at++) {
      if (done[j]) continue;
      if (data[at]! < key[j]!) {
        key[j] = data[at]!;
        parent[j] = v;
      }
      if (key[j]! < best) {
        best = key[j]!;
        next = j;
      }
    }
    v = next;
  }
  return order;
}

export const bench: KernelBench = {
  kernel: 'vat',
  *cases({ kernels, quick }) {
    for (const [n, distribution] of (quick
      ? [[1000, 'blobs']]
      : [
          [1000, 'blobs'],
          [5000, 'blobs'],
          [10_000, 'blobs'],
          [5000, 'duplicates'],
        ]) as [number, Distribution][]) {
      const d = distances(n, distribution);
      const pointer = kernels.arena.alloc(4 * n * n);
      kernels.arena.f32(pointer, n * n).set(d.data);
      yield {
        work: 'VAT from matrix',
        data: `n=${n} ${distribution}`,
        elements: n * n,
        bytes: 4 * n * n + 16 * n,
        contenders: [
          {
            name: 'core-wasm',
            run: () => vatFromMatrix(kernels, { pointer, n }),
            dispose: () => kernels.arena.dealloc(pointer),
          },
          { name: 'plain JavaScript', run: () => plainVat(d) },
        ],
        python: { work: ['numpy VAT from matrix', 'numba VAT from matrix'], input: () => d },
      };
    }
  },
};
