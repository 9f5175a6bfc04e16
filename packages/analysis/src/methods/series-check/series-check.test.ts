import { describe, expect, it } from 'vitest';
import { random } from '../../random.js';
import { checkSeries } from './index.js';

/** Weights that go towards a goal with noise, as training does: tensors × snapshots, each its own values. */
function series(snapshots: number, sizes: number[], seed: number): Float32Array[][] {
  return sizes.map((size, t) => {
    const dice = random(seed, t);
    const goal = Float64Array.from({ length: size }, () => dice.normal());
    let at = Float64Array.from({ length: size }, () => dice.normal());
    return Array.from({ length: snapshots }, (_, s) => {
      if (s) at = at.map((x, i) => x + 0.3 * (goal[i]! - x) + 0.05 * dice.normal());
      return Float32Array.from(at);
    });
  });
}
const ids = (n: number) => Array.from({ length: n }, (_, i) => `s${i}`);
const check = (data: Float32Array[][]) =>
  checkSeries(
    ids(data[0]!.length),
    data.map(([first], t) => ({ name: `t${t}`, size: first!.length })),
    async (name, indices) =>
      Float32Array.from(data[Number(name.slice(1))]!.flatMap((values) => indices.map((i) => values[i]!))),
  );
const told = async (data: Float32Array[][]) =>
  (await check(data)).findings
    .filter(({ grade }) => grade === 'fault')
    .map((f) => [f.kind, 'snapshot' in f ? f.snapshot : 'snapshots' in f ? f.snapshots : f.numbers]);

describe('checkSeries', () => {
  it('finds nothing in sound series, and an excess of at most 1.84', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { findings, excess } = await check(series(8, [1000, 50, 3000, 1], seed));
      expect(findings, `seed ${seed}`).toEqual([]);
      expect(Math.max(...excess.map((e) => e ?? 0)), `seed ${seed}`).toBeLessThan(1.84);
    }
  });

  it('names snapshots that were swapped, by the excess of the definition', async () => {
    const data = series(8, [1000, 500], 1);
    for (const tensor of data) [tensor[2], tensor[5]] = [tensor[5]!, tensor[2]!];
    const { excess } = await check(data);
    expect(excess[0]).toBeNull();
    expect(excess[7]).toBeNull();
    // Neighbours of a fault have a large excess too, and are not blamed.
    expect(excess[3]).toBeGreaterThan(1);
    expect((await told(data)).map(([kind, at]) => `${kind} ${at}`)).toEqual([
      'out-of-line s2',
      'out-of-line s5',
    ]);
  });

  it.each([
    ['a straight line', 1, 0],
    ['a random walk', 0, 1],
  ])(
    'two that are exchanged are both named, whatever lies between, and no other: %s',
    async (_, drift, noise) => {
      const walk = random(9);
      const at = new Float64Array(256);
      const snapshots = Array.from({ length: 16 }, () => {
        for (let i = 0; i < at.length; i++) at[i]! += drift * Math.sin(i) + noise * walk.normal();
        return Float32Array.from(at);
      });
      for (let a = 1; a < 15; a++)
        for (let b = a + 2; b < 15; b++) {
          const data = [snapshots.with(a, snapshots[b]!).with(b, snapshots[a]!)];
          const named = (await check(data)).findings.map((f) => 'snapshot' in f && f.snapshot);
          expect(named, `${a} and ${b}`).toEqual([`s${a}`, `s${b}`]);
        }
    },
  );

  it('says of two that are exchanged that they are', async () => {
    const data = series(8, [1000], 1);
    for (const tensor of data) [tensor[2], tensor[4]] = [tensor[4]!, tensor[2]!];
    expect((await check(data)).findings.map(({ text }) => text)).toEqual([
      "s2 is out of line: it and s4 stand in each other's place",
      "s4 is out of line: it and s2 stand in each other's place",
    ]);
  });

  it('a tensor of a few values is named where it is of another training, and not for turning round', async () => {
    const data = series(12, [20_000, 10, 6], 3);
    const sound = await check(data);
    expect(sound.findings).toEqual([]);
    const other = series(12, [20_000, 10, 6], 4);
    data[1]![7] = other[1]![7]!;
    expect((await check(data)).findings).toEqual([
      expect.objectContaining({ kind: 'tensor-out-of-line', snapshot: 's7', tensors: ['t1'] }),
    ]);
    // Back and forth by steps as large as any: a rate that is high.
    const dice = random(5);
    data[1] = Array.from({ length: 12 }, () => Float32Array.from({ length: 10 }, () => dice.normal()));
    expect((await check(data)).findings).toEqual([]);
  });

  it('equal values that are few, or one value throughout, are no copy', async () => {
    const data = series(6, [400, 3, 50], 3);
    data[1]![4] = data[1]![1]!;
    data[2]![4] = new Float32Array(50);
    data[2]![1] = new Float32Array(50);
    expect((await told(data)).filter(([kind]) => kind === 'tensor-copy')).toEqual([]);
  });

  it('the excess is that of the distances where every value is looked at', async () => {
    const data = series(3, [100, 7], 2);
    const d = (a: number, b: number) =>
      Math.hypot(...data.flatMap((tensor) => [...tensor[a]!].map((x, i) => x - tensor[b]![i]!)));
    const { excess, sampled } = await check(data);
    expect(sampled).toBe(107);
    expect(excess[1]).toBeCloseTo((d(0, 1) + d(1, 2)) / d(0, 2), 12);
  });

  it('names copies, of neighbours and of the last', async () => {
    const data = series(6, [400, 30], 3);
    for (const tensor of data) tensor[3] = tensor[2]!.slice();
    expect(await told(data)).toEqual([['copy', ['s2', 's3']]]);
    const last = series(6, [400, 30], 3);
    for (const tensor of last) tensor[1] = tensor[5]!.slice();
    expect(await told(last)).toEqual([
      ['out-of-line', 's1'],
      ['copy', ['s1', 's5']],
    ]);
  });

  it('a first step without effect is a note, layers that are not trained are none', async () => {
    const data = series(5, [300, 300], 4);
    data[0]![1] = data[0]![0]!.slice();
    data[1]![1] = data[1]![0]!.slice();
    data.push(Array.from({ length: 5 }, () => new Float32Array(9).fill(1)));
    const { findings, frozen, tensors } = await check(data);
    expect(findings.map(({ grade, kind }) => [grade, kind])).toEqual([['note', 'copy']]);
    expect([frozen, tensors]).toEqual([1, 2]);
  });

  it('names the tensors where one file of several was taken from elsewhere', async () => {
    const data = series(7, [500, 500, 500], 5);
    data[0]![2] = data[0]![6]!.slice();
    const findings = (await check(data)).findings.filter(({ grade }) => grade === 'fault');
    expect(findings).toEqual([
      expect.objectContaining({ kind: 'tensor-out-of-line', snapshot: 's2', tensors: ['t0'] }),
      expect.objectContaining({ kind: 'tensor-copy', snapshots: ['s2', 's6'], tensors: ['t0'] }),
    ]);
  });

  it('names weights that are no numbers, and has no opinion on less than two snapshots', async () => {
    const data = series(4, [20, 20], 6);
    data[1]![2]![3] = Number.NaN;
    data[1]![2] = data[1]![2]!.fill(Number.NaN);
    expect(await told(data)).toEqual([['not-finite', 's2']]);
    expect((await check(series(1, [5], 7))).findings).toEqual([]);
    expect(await checkSeries([], [], async () => new Float32Array(0))).toMatchObject({
      findings: [],
      excess: [],
    });
  });

  it('neighbours that are equal around another are said to be', async () => {
    const data = series(5, [50], 8);
    data[0]![3] = data[0]![1]!.slice();
    const { findings, excess } = await check(data);
    expect(excess[2]).toBeNull();
    expect(findings.find(({ kind }) => kind === 'out-of-line')!.text).toContain('its neighbours are equal');
  });
});
