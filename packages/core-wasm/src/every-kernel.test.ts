// What holds of every kernel on a matrix: bits that do not depend on what lay in the memory or where the input lies,
// memory as estimated.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { normal } from '../bench/data.js';
import {
  copheneticDistances,
  correlation,
  ivatCondensed,
  ivatMatrix,
  type Kernels,
  labelRegions,
  linkage,
  linkageFromPoints,
  loadKernels,
  type Matrix,
  pairwise,
  pairwiseCondensed,
  truncatedSvd,
  vatFromMatrix,
} from './index.js';
import {
  correlationBytes,
  labelRegionsBytes,
  linkageBytes,
  linkageFromPointsBytes,
  pairwiseBytes,
  truncatedSvdBytes,
} from './jobs.js';

const g = normal(3);
const [N, D] = [150, 70];
const points = Float32Array.from({ length: N * D }, () => g());
const square = Float32Array.from({ length: N * N }, (_, i) => Math.abs((i % N) - Math.floor(i / N)) % 9);
const triangle = Float32Array.from({ length: (N * (N - 1)) / 2 }, () => Math.abs(g()));
const masks = Uint8Array.from({ length: 20 * 30 * 31 }, () => Number(g() > 0));

interface Case {
  input: Float32Array | Uint8Array;
  run(kernels: Kernels, input: Float32Array): unknown;
  bytes: number;
}
const on =
  (shape: readonly [number, number], run: (kernels: Kernels, x: Matrix) => unknown) =>
  (kernels: Kernels, data: Float32Array) =>
    run(kernels, { data, shape });
const CASES: Record<string, Case> = {
  pairwise: {
    input: points,
    run: on([N, D], (k, x) => pairwise(k, x, { metric: 'euclidean' })),
    bytes: pairwiseBytes(N, D),
  },
  'pairwise of two sets': {
    input: points,
    run: on([N, D], (k, x) => pairwise(k, x, { metric: 'cosine', other: x })),
    bytes: pairwiseBytes(N, D, { m: N }),
  },
  pairwiseCondensed: {
    input: points,
    run: on([N, D], (k, x) => pairwiseCondensed(k, x, { metric: 'manhattan' })),
    bytes: pairwiseBytes(N, D, { condensed: true }),
  },
  vatFromMatrix: { input: square, run: on([N, N], vatFromMatrix), bytes: 4 * N * N + 16 * N + 512 },
  linkage: {
    input: square,
    run: on([N, N], (k, d) => linkage(k, d, { diameters: true })),
    bytes: linkageBytes(N),
  },
  'linkage, condensed': {
    input: triangle,
    run: (k, d) => linkage(k, d, { method: 'complete', diameters: true }),
    bytes: linkageBytes(N),
  },
  linkageFromPoints: {
    input: points,
    run: on([N, D], (k, x) => linkageFromPoints(k, x, { metric: 'correlation', diameters: true })),
    bytes: linkageFromPointsBytes(N, D),
  },
  correlation: {
    input: points,
    run: on([N, D], (k, x) => correlation(k, x, x)),
    bytes: correlationBytes(D, D),
  },
  truncatedSvd: {
    input: points,
    run: on([N, D], (k, a) => truncatedSvd(k, a, { k: 6 })),
    bytes: truncatedSvdBytes(N, D, 6),
  },
  'truncatedSvd, power': {
    input: points,
    run: on([N, D], (k, a) => truncatedSvd(k, a, { k: 6, method: 'power', maxIterations: 20 })),
    bytes: truncatedSvdBytes(N, D, 6, { method: 'power' }),
  },
  labelRegions: {
    input: masks,
    run: (k, m) => labelRegions(k, m as unknown as Uint8Array, [20, 30, 31], { neighbours: 8 }),
    bytes: labelRegionsBytes([20, 30, 31], 8),
  },
};

/** All bits, −0 and NaN too. */
const bits = (value: unknown): string =>
  JSON.stringify(value, (_, x) =>
    ArrayBuffer.isView(x) ? Array.from(new Uint8Array(x.buffer, x.byteOffset, x.byteLength)).join() : x,
  );

afterEach(() => {
  vi.unstubAllGlobals();
});

describe.each(Object.keys(CASES))('%s', (name) => {
  const { input, run, bytes } = CASES[name]!;
  const call = (kernels: Kernels, data: Float32Array | Uint8Array) =>
    bits(run(kernels, data as Float32Array));

  it('gives the same bits in a memory full of anything, and takes no more than estimated', async () => {
    const fresh = await loadKernels();
    let most = 0;
    const alloc = fresh.arena.alloc.bind(fresh.arena);
    fresh.arena.alloc = (size) => {
      const pointer = alloc(size);
      most = Math.max(most, fresh.arena.used);
      return pointer;
    };
    const expected = call(fresh, input);
    expect(most).toBeLessThanOrEqual(bytes);
    expect(fresh.arena.used).toBe(0);
    const dirty = await loadKernels();
    for (const byte of [0xff, 0x7f, 0x80, 1]) {
      const pointer = dirty.arena.alloc(4 * bytes);
      dirty.arena.u8(pointer, 4 * bytes).fill(byte);
      dirty.arena.dealloc(pointer);
      expect(call(dirty, input) === expected, `filled with ${byte}`).toBe(true);
    }
  });

  it('takes input that is a part of an array, shared, or in the kernels’ own memory, which moves when it grows', async () => {
    const expected = call(await loadKernels(), input);
    const Kind = input.constructor as Float32ArrayConstructor;
    const part = new Kind(input.length + 9);
    part.set(input, 5);
    expect(call(await loadKernels(), part.subarray(5, 5 + input.length)) === expected).toBe(true);
    const shared = new Kind(new SharedArrayBuffer(input.byteLength));
    shared.set(input);
    expect(call(await loadKernels(), shared) === expected).toBe(true);
    for (const shared of [false, true]) {
      const own = await loadKernels({ shared });
      const pointer = own.arena.alloc(input.byteLength);
      const view = new Kind(own.memory.buffer as ArrayBuffer, pointer, input.length);
      view.set(input);
      expect(call(own, view) === expected, `shared: ${shared}`).toBe(true);
    }
  });
});

describe('where JavaScript has no room for a result', () => {
  it('it is said with the figure, and the kernels’ memory is given back', async () => {
    const kernels = await loadKernels();
    const x: Matrix = { data: points, shape: [N, D] };
    const vat = vatFromMatrix(kernels, { data: square, shape: [N, N] });
    const tree = linkage(kernels, triangle);
    const limited = <T extends { new (...args: never[]): ArrayBufferView }>(Kind: T, least: number) =>
      new Proxy(Kind, {
        construct(target, args, self) {
          if (args[0] >= least) throw new RangeError('Array buffer allocation failed');
          return Reflect.construct(target, args, self);
        },
      });
    const slice = vi.spyOn(Float32Array.prototype, 'slice').mockImplementation(() => {
      throw new RangeError('Array buffer allocation failed');
    });
    const refused = expect.objectContaining({ code: 'memory', message: expect.stringContaining('kB') });
    expect(() => pairwise(kernels, x, { metric: 'cosine' })).toThrowError(refused);
    slice.mockRestore();
    vi.stubGlobal('Float32Array', limited(Float32Array, D * D));
    vi.stubGlobal('Uint32Array', limited(Uint32Array, masks.length));
    expect(() => ivatMatrix(kernels, vat)).toThrowError(refused);
    expect(() => ivatCondensed(vat)).toThrowError(refused);
    expect(() => copheneticDistances(tree)).toThrowError(refused);
    expect(() => correlation(kernels, x, x)).toThrowError(refused);
    expect(() => linkageFromPoints(kernels, x, { metric: 'cosine', diameters: true })).toThrowError(refused);
    expect(() => labelRegions(kernels, masks, [20, 30, 31], { neighbours: 4 })).toThrowError(refused);
    expect(kernels.arena.used).toBe(0);
  });
});
