import { readFileSync } from 'node:fs';
import { createInlineEngine } from '@epochscope/analysis';
import type { Matrix } from '@epochscope/core-wasm';
import { describe, expect, it } from 'vitest';
import { random } from '../../random.js';
import type { TendencyInput } from '../tendency/index.js';
import {
  analyseDifference,
  type Difference,
  differenceOf,
  differenceSentence,
  differenceSide,
  distanceOf,
  linearCka,
  longestBars,
  witnessSentence,
} from './index.js';
import { ckaReference, differenceReference, quantileOfMatrix } from './reference.js';
import { selectInPlace } from './select.js';
import { commonLength, commonTree } from './trees.js';

const engine = createInlineEngine();
const options = { metric: 'euclidean' as const, seed: 1 };

const matrix = (rows: readonly (readonly number[])[]): Matrix => ({
  data: Float32Array.from(rows.flat()),
  shape: [rows.length, rows[0]?.length ?? 1],
});
const input = (outputs: Matrix, layer = 'R4', id = 'epoch-1'): TendencyInput => ({
  snapshot: { id, epoch: 1, step: 1 },
  layer,
  outputs,
  labels: null,
  predictions: null,
  logLikelihood: null,
});
const compare = (a: Matrix, b: Matrix, more = {}): Promise<Difference> =>
  analyseDifference(engine, [input(a, 'A'), input(b, 'B')], ['run', 'run'], { ...options, ...more });

const gaussian = (n: number, d: number, seed: number, round = (x: number) => x): Matrix => {
  const source = random(seed);
  return { data: Float32Array.from({ length: n * d }, () => round(source.normal())), shape: [n, d] };
};
const rowsOf = ({ data, shape: [n, d] }: Matrix) =>
  Array.from({ length: n }, (_, i) => [...data.subarray(i * d, (i + 1) * d)]);
const distances = (x: Matrix) => {
  const rows = rowsOf(x);
  return rows.map((p) => rows.map((q) => Math.hypot(...p.map((value, j) => value - q[j]!))));
};
const scaled = (x: Matrix) => {
  const all = distances(x);
  const scale = quantileOfMatrix(all);
  return { scale, matrix: all.map((row) => row.map((value) => value / scale)) };
};
/** Bars longer than nothing, sorted. */
const bars = ({ joins }: Difference, side: 0 | 1, least: number) =>
  [...joins.height]
    .map((height, k): [number, number] => [height, joins.apart[side][k]!])
    .filter(([from, to]) => to - from > least)
    .sort((x, y) => x[0] - y[0] || x[1] - y[1]);

function expectClose(actual: [number, number][], expected: [number, number][]) {
  expect(actual.length).toBe(expected.length);
  actual.forEach(([from, to], k) => {
    expect(from).toBeCloseTo(expected[k]![0], 5);
    expect(to).toBeCloseTo(expected[k]![1], 5);
  });
}

describe('difference', () => {
  const written = JSON.parse(
    readFileSync(new URL('../../../../../tests/fixtures/difference.json', import.meta.url), 'utf8'),
  ) as { a: number[][]; b: number[][]; distance: number; bars: [number, number][][] }[];

  it.each(written.map((expected) => ({ n: expected.a.length, ...expected })))(
    "has the distance and the bars of the authors' code at n = $n",
    async ({ a, b, distance, bars: expected }) => {
      const found = await compare(matrix(a), matrix(b));
      expect(found.distance.value! / distance).toBeCloseTo(1, 6);
      for (const side of [0, 1] as const)
        expectClose(
          bars(found, side, 1e-5),
          expected[side]!.filter(([from, to]) => to - from > 1e-5),
        );
    },
  );

  it.each([
    { n: 30, da: 2, db: 3, seed: 1 },
    { n: 50, da: 1, db: 8, seed: 2 },
    { n: 64, da: 5, db: 5, seed: 3 },
  ])('is what the definition says, seed $seed', async ({ n, da, db, seed }) => {
    const [a, b] = [gaussian(n, da, seed), gaussian(n, db, seed + 100)];
    const [ra, rb] = [scaled(a), scaled(b)];
    const expected = differenceReference(ra.matrix, rb.matrix);
    const found = await compare(a, b);
    expect(found.sides[0].scale.value! / ra.scale).toBeCloseTo(1, 6);
    expect(found.sides[1].scale.value! / rb.scale).toBeCloseTo(1, 6);
    [0, 1].forEach((side) => {
      expect(found.oneWay[side]).toBeCloseTo(expected.oneWay[side]!, 4);
      expectClose(
        bars(found, side as 0 | 1, 1e-5),
        expected.bars
          .map(({ height, apart }): [number, number] => [height, apart[side]!])
          .filter(([from, to]) => to - from > 1e-5)
          .sort((x, y) => x[0] - y[0] || x[1] - y[1]),
      );
    });
    // Twice the sum of the lengths' differences: by the trees alone.
    expect(found.sides[0].length - found.common).toBeCloseTo(found.oneWay[0], 8);
    expect(found.sides[1].length - found.common).toBeCloseTo(found.oneWay[1], 8);
  });

  it('has the same sums where distances are equal in masses: integers, duplicates', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const [a, b] = [gaussian(40, 2, seed, Math.round), gaussian(40, 1, seed + 50, Math.round)];
      const expected = differenceReference(scaled(a).matrix, scaled(b).matrix);
      const found = await compare(a, b);
      for (const side of [0, 1] as const) {
        expect(found.oneWay[side]).toBeCloseTo(expected.oneWay[side], 4);
        for (const [k, apart] of found.joins.apart[side].entries())
          expect(apart).toBeGreaterThanOrEqual(found.joins.height[k]! - 1e-6);
      }
    }
  });

  it('has groups that are ranges of its order, joined by the pair named, each sample once', async () => {
    const [a, b] = [gaussian(80, 3, 7), gaussian(80, 3, 8)];
    const { order, joins } = await compare(a, b);
    expect([...order].sort((x, y) => x - y)).toEqual([...order.keys()]);
    const group = Array.from(order, (_, i) => new Set([i]));
    joins.height.forEach((height, k) => {
      if (k > 0) expect(height).toBeGreaterThanOrEqual(joins.height[k - 1]!);
      const [first, second] = [group[joins.from[k]!]!, group[joins.to[k]!]!];
      expect(new Set(order.subarray(joins.start[k]!, joins.middle[k]!))).toEqual(first);
      expect(new Set(order.subarray(joins.middle[k]!, joins.end[k]!))).toEqual(second);
      const both = new Set([...first, ...second]);
      for (const sample of both) group[sample] = both;
    });
    expect(group[0]!.size).toBe(80);
  });

  it('is nothing between a picture and itself, turned, shifted or scaled, and the same both ways', async () => {
    const a = gaussian(60, 2, 9);
    const turned: Matrix = {
      data: Float32Array.from(rowsOf(a).flatMap(([x, y]) => [3 * y! + 1, -3 * x! + 2])),
      shape: [60, 2],
    };
    const same = await compare(a, turned);
    expect(same.distance.value).toBeLessThan(1e-4);
    expect(same.cka.value).toBeCloseTo(1, 5);
    const b = gaussian(60, 2, 10);
    const [ab, ba] = [await compare(a, b), await compare(b, a)];
    expect(ba.distance.value).toBeCloseTo(ab.distance.value!, 10);
    expect([...ba.oneWay].reverse()).toEqual(ab.oneWay.map((value) => expect.closeTo(value, 10)));
    const [sa, sb] = [
      await differenceSide(engine, input(a), 'run', options),
      await differenceSide(engine, input(b), 'run', options),
    ];
    expect(distanceOf(sa, sb).value).toBeCloseTo(ab.distance.value!, 8);
    const { joins } = commonTree(60, sa.edges, sb.edges);
    expect(commonLength(sa.edges, sb.edges, new Int32Array(60))).toBe(
      joins.height.reduce((sum, height) => sum + height, 0),
    );
  });

  it('names the groups that one side keeps apart and the other joins, and the pair that joins them', async () => {
    // Two clusters on a line in both, but in B the samples 0 and 20 lie close together between them.
    const source = random(4);
    const line = Array.from({ length: 40 }, (_, i) => [(i < 20 ? 0 : 100) + source.uniform()]);
    const a = matrix(line);
    const b = matrix(
      line.map(([x], i) => (i === 0 ? [50] : i === 20 ? [50.5] : [x! < 50 ? x! + 45 : x! - 45])),
    );
    const labels = Uint32Array.from(line, ([x]) => Number(x! > 50));
    const found = await compare(a, b);
    const [longest] = longestBars(found, 0, 1);
    expect(new Set(longest!.small)).toEqual(new Set([...longest!.small]));
    expect([...longest!.small, ...longest!.large].sort((x, y) => x - y)).toEqual([...Array(40).keys()]);
    expect(longest!.pair.map((i) => labels[i]).sort()).toEqual([0, 1]);
    expect(witnessSentence(found, longest!, { labels, classes: ['left', 'right'] })).toMatch(
      /^A keeps 20 samples, all of (left|right), apart from 20 samples, all of (left|right), up to .*; B joins them at .* through samples \d+ \((left|right)\) and \d+ \((left|right)\)$/,
    );
    expect(differenceSentence(found)).toMatch(
      /^distance .*: A keeps apart .* that B joins, B .* that A joins; CKA/,
    );
  });

  it.each([0, 1, 2])('says why there is none, or has one, of %i samples', async (n) => {
    const found = await compare(gaussian(n, 2, 11), gaussian(n, 2, 12));
    expect(found.order.length).toBe(n);
    if (n < 2)
      expect(found.distance).toEqual({ value: null, reason: expect.stringMatching(/has no distances$/) });
    else expect(found.distance.value).toBeCloseTo(0, 6);
    expect(found.cka).toEqual({ value: null, reason: 'fewer than 3 samples' });
  });

  it('has no distance to equal samples, with the reason, and refuses unequal numbers of samples', async () => {
    const flat: Matrix = { data: new Float32Array(20), shape: [10, 2] };
    const found = await compare(gaussian(10, 2, 13), flat);
    expect(found.distance.value).toBeNull();
    expect(found.distance.reason).toMatch(/^run epoch-1 B: nine tenths of the pairs/);
    expect(found.cka).toEqual({ value: null, reason: 'constant outputs on one side' });
    await expect(compare(gaussian(10, 2, 1), gaussian(11, 2, 1))).rejects.toMatchObject({
      code: 'shape',
      message: expect.stringMatching(/has 10 samples, run epoch-1 B 11$/),
    });
  });

  it('has every metric of VAT', async () => {
    const [a, b] = [gaussian(50, 6, 21), gaussian(50, 6, 22)];
    for (const metric of ['manhattan', 'cosine', 'correlation'] as const) {
      const found = await compare(a, b, { metric });
      expect(found.distance.value).toBeGreaterThan(0.5);
      const [sa, sb] = [await engine.pairwise(a, { metric }), await engine.pairwise(b, { metric })];
      const [ra, rb] = [sa, sb].map((m) => {
        const square = rowsOf(m);
        const scale = quantileOfMatrix(square);
        return square.map((row) => row.map((value) => value / scale));
      });
      const expected = differenceReference(ra!, rb!);
      expect(found.oneWay[0] / expected.oneWay[0]).toBeCloseTo(1, 4);
    }
  });
});

describe('selection in place', () => {
  it.each([1, 2, 3, 10, 1001])('gives what sorting does, of %i values', (n) => {
    for (const [name, of] of Object.entries({
      random: (source: ReturnType<typeof random>) => source.normal(),
      few: (source: ReturnType<typeof random>) => source.below(3),
      equal: () => 7,
    })) {
      const source = random(n, 5);
      const values = Float32Array.from({ length: n }, () => of(source));
      const sorted = values.slice().sort();
      for (const given of [values, sorted, sorted.slice().reverse()])
        for (const k of [0, n >> 1, Math.floor(0.9 * n), n - 1]) {
          const mine = given.slice();
          expect(selectInPlace(mine, k), `${name} ${k}`).toBe(sorted[k]);
          expect(Math.max(...mine.subarray(0, k))).toBeLessThanOrEqual(sorted[k]!);
          expect(mine.sort()).toEqual(sorted);
        }
    }
  });
});

describe('linear CKA', () => {
  it.each([
    { n: 30, da: 4, db: 7, way: 'covariances' },
    { n: 40, da: 600, db: 3, way: 'Gram matrices' },
  ])('equals its definition by $way', async ({ n, da, db }) => {
    const [a, b] = [gaussian(n, da, 31), gaussian(n, db, 32)];
    // Something in common, and an offset that float32 squares would drown in.
    for (let i = 0; i < n; i++) b.data[i * db] = a.data[i * da]! * 5 + 1000;
    const { cka, ckaSamples } = await compare(a, b);
    expect(ckaSamples).toBe('all');
    expect(cka.value).toBeCloseTo(ckaReference(rowsOf(a), rowsOf(b)), 4);
  });

  it('draws samples with the seed where there are many in many dimensions', async () => {
    const [a, b] = [gaussian(2100, 513, 33), gaussian(2100, 2, 34)];
    for (let i = 0; i < 2100; i++) b.data[2 * i] = 40 * a.data[i * 513]!;
    const of = (seed: number) => linearCka(engine, input(a), input(b), { seed });
    const [one, again, other] = [await of(1), await of(1), await of(2)];
    expect(one.samples).toBe(2000);
    expect(again.cka).toEqual(one.cka);
    expect(other.cka.value).not.toBe(one.cka.value);
  });
});

it('takes many samples: the trees are all that is kept', async () => {
  const [a, b] = [gaussian(4200, 4, 41), gaussian(4200, 4, 42)];
  const [sa, sb] = [
    await differenceSide(engine, input(a), 'run', options),
    await differenceSide(engine, input(b), 'run', options),
  ];
  expect(sa.scaleSamples).toBe(4096);
  const found = differenceOf(sa, sb);
  expect(found.sides[0].length - found.common).toBeCloseTo(found.oneWay[0], 6);
});
