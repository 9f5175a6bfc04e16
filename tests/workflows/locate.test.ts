import {
  createInlineEngine,
  locateOfRun,
  memoryStore,
  readResult,
  tendencyOfRun,
  writeResult,
} from '@epochscope/analysis';
import { blockAt, nearestRows } from '@epochscope/analysis/methods';
import { locateWorkflow } from '@epochscope/analysis/workflows';
import { describe, expect, it } from 'vitest';
import { promises } from './every-workflow.js';
import { smallRun, smallSamples } from './small-run.js';

const engine = createInlineEngine();
const others = [...smallSamples(2, 9).inputs];

describe('locate, as every workflow,', () => {
  promises(locateWorkflow as never, { inputs: others, layers: ['R1', 'S3'] }, { nearest: 3 }, { engine });
});

describe('locateOfRun', () => {
  it('finds a run’s own sample where it is, in its block, with its prediction', async () => {
    const { run } = await smallRun();
    const own = [4, 31, 77];
    const inputs = own.flatMap((sample) => [
      ...smallSamples(90).inputs.subarray(64 * sample, 64 * (sample + 1)),
    ]);
    const result = await locateOfRun(run, { inputs, layers: ['R1', 'S3'], nearest: 4 }, { engine });
    const tendency = await tendencyOfRun(run, { layers: ['R1', 'S3'], vatSide: 0 }, { engine });
    expect(result.panels).toHaveLength(4);
    for (const [p, panel] of result.panels.entries()) {
      expect([0, 4, 8].map((i) => panel.nearest[i])).toEqual(own);
      expect([0, 4, 8].map((i) => panel.distances[i])).toEqual([0, 0, 0]);
      const { order, blocks } = tendency.panels[p]!;
      const blockOf = (sample: number) =>
        blocks.ranges.findIndex(
          ({ start, end }) => order.indexOf(sample) >= start && order.indexOf(sample) < end,
        );
      expect([...panel.block]).toEqual(own.map(blockOf));
      expect(panel.blocks).toBe(blocks.count);
    }
    for (const { snapshot, classes } of result.predictions) {
      const predicted = tendency.samples.predictions!.find((one) => one.snapshot === snapshot)!.classes;
      expect([...classes]).toEqual(own.map((sample) => predicted[sample]));
    }
    const store = memoryStore('results');
    await writeResult(store, 'l', result);
    expect(await readResult(store, 'l')).toEqual(result);
  });

  it('refuses samples of another shape, of another unit, and a run without a net', async () => {
    const { run } = await smallRun();
    const of = (options: object) => locateOfRun(run, { inputs: others, ...options }, { engine });
    await expect(of({ inputs: others.slice(1) })).rejects.toThrow(
      'expected samples of 8×8×1 (64 values each), got 127 values',
    );
    await expect(of({ inputs: others.map((x) => x / 255) })).rejects.toThrow('multiply by 255');
    await expect(of({ inputs: [Number.NaN, ...others.slice(1)] })).rejects.toMatchObject({
      code: 'not-finite',
    });
    await expect(of({ nearest: 91 })).rejects.toThrow('nearest: expected 1 … 90 samples, got 91');
    const unknown = { ...run, manifest: { ...run.manifest, model: null } };
    await expect(locateOfRun(unknown as typeof run, { inputs: others }, { engine })).rejects.toMatchObject({
      code: 'unsupported',
    });
  });
});

describe('the nearest rows', () => {
  const among = { data: Float32Array.of(0, 0, 3, 4, 0, 5, -3, -4), shape: [4, 2] as const };
  it('by each metric, ties to the lower number', () => {
    const of = (metric: 'euclidean' | 'manhattan' | 'cosine', row: number[]) => {
      const { nearest, distances } = nearestRows(
        { data: Float32Array.from(row), shape: [1, 2] },
        among,
        metric,
        4,
      );
      return [[...nearest], [...distances].map((d) => Number(d.toFixed(4)))];
    };
    expect(of('euclidean', [0, 0])).toEqual([
      [0, 1, 2, 3],
      [0, 5, 5, 5],
    ]);
    expect(of('manhattan', [0, 0])).toEqual([
      [0, 2, 1, 3],
      [0, 5, 7, 7],
    ]);
    expect(of('cosine', [6, 8])).toEqual([
      [1, 2, 0, 3],
      [0, 0.2, 1, 2],
    ]);
  });
  it('a sample is in its nearest one’s block until the block joins others', () => {
    const panel = {
      order: Uint32Array.of(2, 0, 1, 3),
      weights: Float32Array.of(1, 5, 1),
      blocks: {
        ranges: [
          { start: 0, end: 2, clearness: 1 },
          { start: 2, end: 4, clearness: 1 },
        ],
      },
    } as never;
    expect(blockAt(panel, 0, 4.9)).toBe(0);
    expect(blockAt(panel, 3, 1)).toBe(1);
    expect(blockAt(panel, 3, 5)).toBe(-1);
  });
});
