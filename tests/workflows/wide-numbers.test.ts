import {
  difference,
  differenceOfRun,
  importRun,
  memoryStore,
  modulesOfRun,
  openRun,
  path,
  pathOfRun,
  tendency,
  tendencyOfRun,
  watchRun,
} from '@epochscope/analysis';
import { encodeNpy } from '@epochscope/analysis/formats';
import { describe, expect, it } from 'vitest';
import { seeded } from '../fuzz.js';

// Numbers that float32 does not hold keep their digits to the differences, whichever way they come in.

const N = 60;
const OFFSET = 1.7e9;
const random = seeded(3);
/** Two groups of times, a hundredth of a second apart within. */
const apart = Float64Array.from(
  { length: N * 4 },
  (_, i) => (i < N * 2 ? 0 : 50) + Math.round(random() * 64) / 64,
);
const times = apart.map((value) => value + OFFSET);
const integers = BigInt64Array.from(apart, (value) => BigInt(Math.round(value * 64)) + 2n ** 60n);

async function imported(data: Float64Array | BigInt64Array) {
  const from = memoryStore('from', [
    ['epoch_1/times.npy', encodeNpy(data, [N, 4])],
    ['epoch_2/times.npy', encodeNpy(data, [N, 4])],
    ['inputs.npy', encodeNpy(data, [N, 4])],
  ]);
  const to = memoryStore('to');
  await importRun(from, to, {
    outputs: 'epoch_{epoch}/{layer}.npy',
    inputs: { data, shape: [N, 4], dtype: data instanceof Float64Array ? 'float64' : 'int64' },
  });
  return openRun(to);
}

describe('numbers wider than float32', () => {
  it('of a matrix in memory give the weights of what they are without their offset', async () => {
    const plain = await tendency({ data: apart, shape: [N, 4] });
    const wide = await tendency({ data: times, shape: [N, 4] });
    expect(wide.panels[0]!.weights).toEqual(plain.panels[0]!.weights);
    expect(Math.max(...wide.panels[0]!.weights)).toBeGreaterThan(50);
    expect(wide.panels[0]!.blocks.count).toBe(2);
  });

  it('of imported outputs keep their type in the run, and their digits to the differences', async () => {
    const plain = await tendencyOfRun(await imported(apart));
    for (const [data, unit] of [
      [times, 1],
      [integers, 64],
    ] as const) {
      const run = await imported(data);
      const kept = await run.outputTensor('epoch-0001', 'times');
      expect(kept.data).toEqual(data);
      const { panels } = await tendencyOfRun(run);
      expect(panels).toHaveLength(2);
      expect(panels[0]!.weights.map((weight) => weight / unit)).toEqual(plain.panels[0]!.weights);
    }
  });

  it('keep their digits in differences, paths and rules too', async () => {
    const other = Float64Array.from(apart, (value, i) => value + ((i * 7) % 5));
    const of = (data: Float64Array) => ({ data, shape: [N, 4] as const });
    const plain = await difference(of(apart), of(other));
    const wide = await difference(of(times), of(other.map((value) => value + OFFSET)));
    expect(plain.distance.value).toBeGreaterThan(0.1);
    expect(wide.distance.value).toBeCloseTo(plain.distance.value!, 5);
    expect(wide.cka.value).toBeCloseTo(plain.cka.value!, 5);
    const ends = { from: 0, to: N - 1 };
    expect((await path(of(times), ends)).path).toEqual((await path(of(apart), ends)).path);
    const run = await imported(times);
    expect((await pathOfRun(run, ends)).path).toEqual((await path(of(apart), ends)).path);
    expect((await differenceOfRun(run)).distance.value).toBeCloseTo(0, 6);
    const { rules } = await watchRun(run, { rules: ['block count over 1', 'dead units over 0.5'] });
    expect(rules.map(({ values }) => values.map(({ value }) => value))).toEqual([
      [2, 2],
      [0, 0],
    ]);
  });

  it('that float32 holds are stored as float32', async () => {
    const run = await imported(apart);
    expect((await run.outputTensor('epoch-0001', 'times')).dtype).toBe('float32');
  });

  it('are correlated as what they are without their offset', async () => {
    const options = { layers: ['times'], samplesOf: 'run', outputs: 'layer', samples: N } as const;
    const of = async (data: Float64Array) =>
      (await modulesOfRun(await imported(data), options)).snapshots.map(
        ({ centroidInputs }) => centroidInputs,
      );
    const [wide, plain] = [await of(times), await of(apart)];
    expect(wide).toEqual(plain);
  });
});
