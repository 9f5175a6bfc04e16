import { beforeAll, describe, expect, it } from 'vitest';
import { uniform } from '../bench/data.js';
import * as main from './index.js';
import { EpochscopeError, type Kernels, loadKernels, type Matrix } from './index.js';
import * as jobs from './jobs.js';
import { loadTfjsKernels } from './tfjs.js';

// What callers without types do: each wrong argument is answered by one EpochscopeError, and the instance goes on
// working.
const api = { ...main, ...jobs };
type Call = (...args: unknown[]) => unknown;
const all: Record<string, unknown> = { ...api };
const call = (name: keyof typeof api) => all[name] as Call;

let kernels: Kernels;
beforeAll(async () => {
  kernels = await loadKernels();
});

const points = (n: number, d: number): Matrix => ({
  data: Float32Array.from({ length: n * d }, (_, i) => Math.sin(i * i)),
  shape: [n, d],
});
const square = () => api.pairwise(kernels, points(6, 2), { metric: 'euclidean' });
const ordered = () => api.vatFromPoints(kernels, points(6, 2), { metric: 'euclidean' });
const tree = () => api.linkageFromPoints(kernels, points(6, 2), { metric: 'euclidean', diameters: true });

const calls: Partial<Record<keyof typeof api, () => unknown[]>> = {
  pairwise: () => [kernels, points(6, 3), { metric: 'cosine' }],
  pairwiseCondensed: () => [kernels, points(6, 3), { metric: 'euclidean' }],
  pairwiseInto: () => [kernels, points(6, 3), 0, { metric: 'euclidean' }],
  vatFromMatrix: () => [kernels, square(), {}],
  vatFromPoints: () => [kernels, points(9, 50), { metric: 'euclidean' }],
  ivatImage: () => [ordered(), { side: 4 }],
  ivatMatrix: () => [kernels, ordered(), {}],
  ivatMatrixInto: () => [kernels, ordered(), 0, {}],
  ivatCondensed: () => [ordered()],
  ivatLookup: () => [ordered()],
  ivatValue: () => [ordered(), 1, 3],
  linkage: () => [kernels, square(), { diameters: true }],
  linkageFromPoints: () => [kernels, points(6, 3), { metric: 'manhattan' }],
  cutByCount: () => [tree(), 2],
  cutByHeight: () => [tree(), 0.5],
  cutByDiameter: () => [tree(), 0.5],
  copheneticDistances: () => [tree()],
  leafOrder: () => [tree()],
  leafRanges: () => [tree()],
  linkageMatrix: () => [tree()],
  truncatedSvd: () => [kernels, points(6, 4), { k: 2 }],
  correlation: () => [kernels, points(6, 3), points(6, 2)],
  labelRegions: () => [kernels, new Uint8Array(60).fill(1, 7, 30), [3, 4, 5], { neighbours: 4 }],
  pairwiseBytes: () => [10, 3],
  vatPointsBytes: () => [10, 3],
  linkageBytes: () => [10],
  linkageFromPointsBytes: () => [10, 3],
  truncatedSvdBytes: () => [10, 3, 2],
  correlationBytes: () => [3, 4],
  labelRegionsBytes: () => [[1, 2, 3], 4],
};

const detached = new Float32Array(4);
structuredClone(detached, { transfer: [detached.buffer] });
const f4 = (...values: number[]) => Float32Array.of(...values);
const strange: unknown[] = [
  undefined,
  null,
  -1,
  1.5,
  Number.NaN,
  Infinity,
  10n,
  Symbol('s'),
  'x',
  true,
  {},
  [1, 2],
  Promise.resolve(),
  new Float64Array(4),
  new Float32Array(2),
  { data: detached, shape: [2, 2] },
  { data: new Float64Array(4), shape: [2, 2] },
  { data: [1, 2, 3, 4], shape: [2, 2] },
  { data: new Float32Array(4), shape: [2, 3] },
  { data: new Float32Array(4), shape: [2, 2, 1] },
  { data: new Float32Array(4), shape: [-2, -2] },
  { data: new Float32Array(4), shape: [4] },
  { data: new Float32Array(4), shape: '22' },
  { data: new Float32Array(0), shape: [1e9, 0] },
  { data: f4(1, Number.NaN, 2, 3), shape: [2, 2] },
  { data: f4(0, Infinity, Infinity, 0), shape: [2, 2] },
  { data: f4(0, -1, -2, 0), shape: [2, 2] },
  { data: f4(3e38, 3e38, -3e38, 3e38), shape: [2, 2] },
  { pointer: 65536, n: 4 },
  { pointer: 65536, n: 1e9 },
  { order: Uint32Array.of(0, 0), weights: f4(1) },
  { order: Int32Array.of(0, -1), weights: f4(1) },
  { order: [0, 1], weights: [1] },
  { order: Uint32Array.of(0, 1), weights: f4(Number.NaN) },
  { order: Uint32Array.of(0, 1), weights: f4(-1) },
  { n: 5, method: 'average', left: new Uint32Array(0), right: new Uint32Array(0) },
];
const strangeOptions: Record<string, unknown[]> = {
  metric: ['x', undefined, null],
  side: [0, 1.5, '8', 1e9],
  method: ['ward', null],
  k: [-1, 1e9, Number.NaN, '2', undefined],
  seed: [Number.NaN, 'a'],
  tolerance: [0, Number.NaN, '1'],
  block: [0, 1e9, '2'],
  basis: [0, Number.NaN],
  vectors: [-1, [99], 'ab'],
  into: [new Float32Array(1), new Float64Array(36), [], null],
  other: [{}, null, points(3, 1)],
  order: ['x', null],
  from: [-1, 99, Number.NaN],
  reduce: ['sum', null],
  rows: [[0], Uint32Array.of(99), 3],
  neighbours: [6, '4', null],
  signal: [{}, null, 3, AbortSignal.abort()],
  onProgress: [3, null],
};

describe('wrong arguments', () => {
  it('are answered by an EpochscopeError that is no defect of ours, leaving nothing taken and the instance whole', () => {
    const seed = 20261;
    const next = uniform(seed);
    const pick = <T>(all: readonly T[]) => all[Math.floor(next() * all.length)]!;
    const whole = JSON.stringify(ordered());
    const names = Object.keys(calls) as (keyof typeof api)[];
    const bytes: number[] = [];
    for (let round = 0; round < 12_000; round++) {
      const name = pick(names);
      const args = calls[name]!();
      const last = args.at(-1);
      let what: string;
      if (typeof last === 'object' && last !== null && !('data' in last) && next() < 0.4) {
        const key = pick(Object.keys(strangeOptions));
        args[args.length - 1] = { ...last, [key]: pick(strangeOptions[key]!) };
        what = `${key} = ${String((args.at(-1) as Record<string, unknown>)[key])}`;
      } else {
        const at = Math.floor(next() * args.length);
        const which = Math.floor(next() * strange.length);
        args[at] = strange[which];
        what = `argument ${at} = strange[${which}]`;
      }
      const where = `seed ${seed}, round ${round}: ${name}, ${what}`;
      try {
        call(name)(...args);
      } catch (error) {
        expect(error, `${where}: ${error}`).toBeInstanceOf(EpochscopeError);
        expect((error as EpochscopeError).code, `${where}: ${error}`).not.toBe('internal');
      }
      expect(kernels.arena.used, where).toBe(0);
      if (round % 500 === 0) {
        expect(JSON.stringify(ordered()), where).toBe(whole);
        bytes.push(kernels.memory.buffer.byteLength);
      }
    }
    expect(bytes.at(-1), 'memory grows').toBe(bytes[4]);
  });

  it.each<[keyof typeof api, number, unknown, string]>([
    [
      'pairwise',
      0,
      Promise.resolve(),
      'kernels: expected what loadKernels() resolves to, got a Promise: await it',
    ],
    [
      'pairwise',
      1,
      new Float32Array(4),
      'x: expected a matrix { data, shape: [rows, columns] }, got a Float32Array',
    ],
    ['pairwise', 1, { data: [1], shape: [1, 1] }, 'x: expected Float32Array data, got a plain array'],
    ['pairwise', 2, undefined, 'options: expected an object with metric, got undefined'],
    ['pairwise', 2, 'cosine', 'options: expected an object with metric, got "cosine"'],
    ['pairwiseInto', 2, 65536, 'were not given out by kernels.arena.alloc'],
    ['ivatMatrixInto', 2, 65536, 'were not given out by kernels.arena.alloc'],
    ['vatFromMatrix', 1, { pointer: 65536, n: 4 }, 'were not given out by kernels.arena.alloc'],
    [
      'vatFromPoints',
      1,
      { data: new Float32Array(0), shape: [1e9, 0] },
      'needs 24.0 GB or more, the limit is 4.3 GB',
    ],
    ['ivatImage', 0, { weights: f4(1, Number.NaN) }, 'expected finite weights, got NaN at position 1'],
    ['ivatImage', 0, { weights: f4(1, -2) }, 'expected weights ≥ 0, got -2 at position 1'],
    [
      'ivatCondensed',
      0,
      { order: Int32Array.of(0, -1), weights: f4(1) },
      'order as Uint32Array, got a Int32Array',
    ],
    ['cutByCount', 0, { n: 5, left: new Uint32Array(0) }, 'tree: 5 samples need 4 left, got 0'],
    ['labelRegions', 3, undefined, 'options: expected an object with neighbours, got undefined'],
    ['truncatedSvd', 2, { k: '2' }, 'k: expected an integer 0 … 4, got "2"'],
    ['correlationBytes', 0, 'x', 'units: expected an integer ≥ 0, got "x"'],
  ])('%s, argument %i: %s', (name, at, value, message) => {
    const args = calls[name]!();
    args[at] = value;
    expect(() => call(name)(...args)).toThrow(message);
  });

  it('a tree that is none is refused, not walked for ever', () => {
    const good = tree();
    for (const left of [Uint32Array.of(9, 9, 9, 9, 9), good.left.slice().fill(good.left[0]!)])
      expect(() => api.leafOrder({ ...good, left })).toThrowError(/tree: merge \d of/);
    expect(api.leafOrder(good).length).toBe(6);
  });

  it('a memory that the kernels cannot work on', async () => {
    for (const memory of [
      new WebAssembly.Memory({ initial: 1 }),
      new WebAssembly.Memory({ initial: 0, maximum: 9 }),
    ])
      await expect(loadKernels({ memory })).rejects.toMatchObject({ code: 'argument', message: /^memory: / });
    await expect(loadTfjsKernels(new WebAssembly.Memory({ initial: 1 }))).rejects.toMatchObject({
      code: 'argument',
    });
    await expect(loadTfjsKernels({} as never)).rejects.toMatchObject({ code: 'argument' });
    await expect(call('loadKernels')({ memory: {} })).rejects.toMatchObject({ code: 'argument' });
  });

  it('arrays of another realm are arrays all the same', async () => {
    const { runInNewContext } = await import('node:vm');
    const data = runInNewContext('Float32Array.of(0, 3, 4, 0)') as Float32Array;
    expect(data).not.toBeInstanceOf(Float32Array);
    expect([...api.pairwise(kernels, { data, shape: [2, 2] }, { metric: 'euclidean' }).data]).toEqual([
      0, 5, 5, 0,
    ]);
  });
});
