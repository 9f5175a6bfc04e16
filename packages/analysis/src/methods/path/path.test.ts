import { createInlineEngine } from '@epochscope/analysis';
import type { Matrix } from '@epochscope/core-wasm';
import { describe, expect, it } from 'vitest';
import { random } from '../../random.js';
import type { TendencyInput } from '../tendency/index.js';
import { coreOf, findBridges, minimaxPath, type PathResult, pathSentence } from './index.js';

const engine = createInlineEngine();

const points = (n: number, d: number, seed: number, round = (x: number) => x): Matrix => {
  const source = random(seed);
  return { data: Float32Array.from({ length: n * d }, () => round(source.normal())), shape: [n, d] };
};
const inputOf = (outputs: Matrix): TendencyInput => ({
  snapshot: { id: 's', epoch: 1, step: 1 },
  layer: 'R4',
  outputs,
  labels: null,
  predictions: null,
  logLikelihood: null,
});
const distances = ({ data, shape: [n, d] }: Matrix): number[][] =>
  Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_, j) =>
      Math.hypot(...Array.from({ length: d }, (_, k) => data[i * d + k]! - data[j * d + k]!)),
    ),
  );
/** Shortest longest link between all pairs, by Floyd's way; `gone` samples take no part. */
function bottlenecks(matrix: number[][], gone: number[] = []): number[][] {
  const out = matrix.map((row) => [...row]);
  for (let k = 0; k < out.length; k++) {
    if (gone.includes(k)) continue;
    for (const row of out)
      for (let j = 0; j < row.length; j++) row[j] = Math.min(row[j]!, Math.max(row[k]!, out[k]![j]!));
  }
  return out;
}
const bridgesOf = async (x: Matrix, from: number, to: number, count: number) => {
  const path = minimaxPath(await engine.vat(x, { metric: 'euclidean' }), from, to);
  return { path, ...(await findBridges(engine, inputOf(x), path, { metric: 'euclidean', unit: 1, count })) };
};

describe('minimaxPath', () => {
  it('is a chain of samples whose longest link is the least there is', async () => {
    for (const round of [(x: number) => x, Math.round]) {
      const x = points(40, 2, 1, round);
      const matrix = distances(x);
      const expected = bottlenecks(matrix);
      const tree = await engine.vat(x, { metric: 'euclidean' });
      for (let from = 0; from < 40; from += 3)
        for (let to = 0; to < 40; to++) {
          const { samples, links, weakest, bottleneck } = minimaxPath(tree, from, to);
          expect([samples[0], samples.at(-1)]).toEqual([from, to]);
          expect(new Set(samples).size).toBe(samples.length);
          links.forEach((link, k) => {
            expect(link).toBeCloseTo(matrix[samples[k]!]![samples[k + 1]!]!, 5);
          });
          expect(bottleneck).toBeCloseTo(expected[from]![to]!, 5);
          if (from === to) expect([weakest, bottleneck, links.length]).toEqual([null, 0, 0]);
          else expect(links[weakest!]).toBe(Math.max(...links));
        }
    }
  });

  it('refuses samples that are not there', async () => {
    const tree = await engine.vat(points(5, 2, 1), { metric: 'euclidean' });
    for (const wrong of [-1, 5, 1.5, Number.NaN])
      expect(() => minimaxPath(tree, 0, wrong)).toThrow(/expected a sample 0 … 4, got/);
  });

  it('begins blocks at their closest pair', async () => {
    const x: Matrix = { data: Float32Array.of(0, 5, 9, 9.5, 14), shape: [5, 1] };
    const { order, weights } = await engine.vat(x, { metric: 'euclidean' });
    expect([2, 3]).toContain(coreOf({ order, weights }, { start: 0, end: 5, clearness: 1 }));
  });
});

describe('findBridges', () => {
  it('takes out, at each step, the sample that lengthens the weakest link most, by trying all', async () => {
    let steps = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const x = points(24, 2, seed);
      const matrix = distances(x);
      const { bridges, noMore } = await bridgesOf(x, 0, 1, 3);
      const gone: number[] = [];
      for (let step = 0; step < 3; step++) {
        const now = bottlenecks(matrix, gone)[0]![1]!;
        let most = now;
        for (let v = 2; v < 24; v++)
          if (!gone.includes(v)) most = Math.max(most, bottlenecks(matrix, [...gone, v])[0]![1]!);
        const bridge = bridges[step];
        if (most < now * (1 + 1e-5)) {
          expect(bridge).toBeUndefined();
          expect(noMore).not.toBeNull();
          break;
        }
        expect(bridge!.bottleneck).toBeCloseTo(most, 5);
        gone.push(bridge!.sample);
        // The figure belongs to the sample named.
        expect(bottlenecks(matrix, gone)[0]![1]).toBeCloseTo(most, 5);
        expect(bridge!.path.samples).not.toContain(bridge!.sample);
        steps++;
      }
    }
    expect(steps).toBeGreaterThan(12);
  });

  it('finds the one sample between two clusters, and says that nothing more helps', async () => {
    const source = random(3);
    const data = Array.from({ length: 41 }, (_, i) =>
      i === 40 ? [5, 0] : [(i % 2) * 10 + source.uniform(), source.uniform()],
    );
    const x: Matrix = { data: Float32Array.from(data.flat()), shape: [41, 2] };
    const { path, bridges } = await bridgesOf(x, 0, 1, 1);
    expect(path.samples).toContain(40);
    expect(bridges.map(({ sample }) => sample)).toEqual([40]);
    expect(bridges[0]!.bottleneck).toBeGreaterThan(8);
  });

  it('says that neighbours need no bridge, and that copies hide each other', async () => {
    const x: Matrix = { data: Float32Array.of(0, 0.1, 3, 3, 6), shape: [5, 1] };
    expect(await bridgesOf(x, 0, 1, 2)).toMatchObject({ bridges: [], noMore: 'the two are joined directly' });
    expect(await bridgesOf(x, 0, 4, 2)).toMatchObject({
      bridges: [],
      noMore: expect.stringMatching(/always a way round/),
    });
  });
});

it('is said in one line', async () => {
  const x: Matrix = { data: Float32Array.of(0, 1, 2.5, 3.5), shape: [4, 1] };
  const { path, bridges, noMore } = await bridgesOf(x, 0, 3, 1);
  const result = { path, bridges, noMore, from: 0, to: 3 } as unknown as PathResult;
  const samples = { count: 4, labels: Uint32Array.of(0, 0, 1, 1), classes: ['five', 'eight'], images: null };
  expect(pathSentence({ ...result, samples })).toBe(
    'samples 0 (five) and 3 (eight) hang together by 3 links, the longest 1.5 between 1 (five) and 2 (eight); without 1 (five) it is 2.5',
  );
  const none = { ...result, samples: { ...samples, labels: null }, bridges: [] };
  expect(pathSentence(none)).toMatch(/^samples 0 and 3 hang together by 3 links/);
});
