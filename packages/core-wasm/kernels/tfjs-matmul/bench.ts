import { normals, tfjsKernel, tfjsRoom } from '../../bench/tfjs.js';
import type { KernelBench } from '../../bench/types.js';
import type { TfjsKernels } from '../../src/tfjs.js';

export interface Sides {
  m: number;
  k: number;
  n: number;
  transposeA?: boolean;
  transposeB?: boolean;
}

/** The call with its numbers in their places, and the bytes of scratch it needs. */
export function matMul(kernels: TfjsKernels, { m, k, n, transposeA, transposeB }: Sides, relu = false) {
  return {
    bytes: kernels.matMulScratch(k, n),
    call: (a: number, b: number, c: number, scratch: number, bias = 0) =>
      kernels.matMul(
        a,
        b,
        c,
        scratch,
        m,
        k,
        n,
        Number(transposeA ?? false),
        Number(transposeB ?? false),
        bias,
        Number(relu),
      ),
  };
}

/** The loop one would write: rows of b scaled and added. */
export function plainMatMul(
  a: Float32Array,
  b: Float32Array,
  { m, k, n, transposeA, transposeB }: Sides,
): Float32Array {
  const c = new Float32Array(m * n);
  for (let i = 0; i < m; i++)
    for (let q = 0; q < k; q++) {
      const value = a[transposeA ? q * m + i : i * k + q]!;
      if (transposeB) for (let j = 0; j < n; j++) c[i * n + j]! += value * b[j * k + q]!;
      else for (let j = 0; j < n; j++) c[i * n + j]! += value * b[q * n + j]!;
    }
  return c;
}

export const bench: KernelBench = {
  kernel: 'tfjs-matmul',
  async *cases({ quick }) {
    const { kernels, arena } = await tfjsRoom();
    // A dense layer forward, its two gradients, and a larger product.
    const cases: Sides[] = quick
      ? [{ m: 100, k: 784, n: 100 }]
      : [
          { m: 100, k: 784, n: 100 },
          { m: 784, k: 100, n: 100, transposeA: true },
          { m: 100, k: 100, n: 784, transposeB: true },
          { m: 512, k: 512, n: 512 },
        ];
    for (const sides of cases) {
      const { m, k, n, transposeA = false, transposeB = false } = sides;
      const a = normals(m * k, 1);
      const b = normals(k * n, 2);
      const { bytes, call } = matMul(kernels, sides);
      const at = [a.byteLength, b.byteLength, 4 * m * n, bytes].map((size) => arena.alloc(size));
      const [pa, pb, pc, scratch] = at as [number, number, number, number];
      arena.f32(pa, a.length).set(a);
      arena.f32(pb, b.length).set(b);
      const tensors: Record<string, [Float32Array, readonly number[]]> = {
        a: [a, transposeA ? [k, m] : [m, k]],
        b: [b, transposeB ? [n, k] : [k, n]],
      };
      yield {
        work: 'matrix product on tfjs memory',
        data: `${m}×${k} · ${k}×${n}${transposeA ? ', first turned' : ''}${transposeB ? ', second turned' : ''}`,
        flops: 2 * m * k * n,
        bytes,
        contenders: [
          {
            name: 'core-wasm',
            run: () => call(pa, pb, pc, scratch),
            dispose: () => {
              for (const pointer of at) arena.dealloc(pointer);
            },
          },
          { name: 'plain JavaScript', run: () => plainMatMul(a, b, sides) },
          tfjsKernel('wasm', 'BatchMatMul', tensors, { transposeA, transposeB }),
        ],
      };
    }
  },
};
