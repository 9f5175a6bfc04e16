import { createInlineEngine, openRun, tendency, tendencyOfRun } from '@epochscope/analysis';
import { alignPanels, analyseTendency, random, thinTendency } from '@epochscope/analysis/methods';
import { matrixRun, planWorkflow, tendencyWorkflow } from '@epochscope/analysis/workflows';
import { describe, expect, it } from 'vitest';
import { promises } from './every-workflow.js';
import { smallRun, withoutSeconds } from './small-run.js';

const engine = createInlineEngine();
const OPTIONS = {
  layers: ['R1', 'F3'],
  snapshots: ['1', '2'],
  vatSide: 20,
  thin: { by: 'interval', intervals: [2, 4] },
  seed: 5,
} as const;

describe('tendency, as every workflow,', () => {
  promises(tendencyWorkflow as never, { ...OPTIONS, layers: undefined }, { metric: 'cosine' }, { engine });
});

describe('smallest block and stability', () => {
  // Four groups of 20 samples, far apart in pairs, each pair near.
  const x = Array.from({ length: 80 }, (_, i) => {
    const group = Math.floor(i / 20);
    return [100 * (group >> 1) + 8 * (group & 1) + (i % 5) / 5, Math.floor((i % 20) / 5) / 5];
  });
  const of = (options: Parameters<typeof tendency>[1]) => tendency(x, options, { engine });
  it('are the user’s: 20 samples make four blocks, 30 two, and the result says which were asked for', async () => {
    const four = await of({ smallestBlock: 20, stabilitySubsets: 0 });
    expect(four.panels[0]!.blocks).toMatchObject({ count: 4, smallest: 20 });
    expect(four.panels[0]!.blocks.stability.reason).toContain('unless asked for');
    const two = await of({ smallestBlock: 30, stabilitySubsets: 2 });
    expect(two.panels[0]!.blocks).toMatchObject({ count: 2, smallest: 30 });
    expect(two.panels[0]!.blocks.stability.value).toBe(1);
    expect(two.parameters).toMatchObject({ smallestBlock: 30, stabilitySubsets: 2 });
    expect((await of({})).parameters).not.toHaveProperty('smallestBlock');
  });
  it('are refused where they can mean nothing', async () => {
    await expect(of({ smallestBlock: 41 })).rejects.toThrow(
      'two blocks of 41 do not fit in 80 samples; give at most 40',
    );
    await expect(of({ smallestBlock: 1 })).rejects.toThrow('expected an integer ≥ 2, got 1');
    await expect(of({ stabilitySubsets: -1 })).rejects.toThrow('expected an integer 0 … 1000, got -1');
  });
});

describe('tendencyOfRun', () => {
  it('is the direct loop over panels, bit by bit', async () => {
    const { run } = await smallRun();
    const layers = run.manifest.layers.map(({ name }) => name).slice(0, 2);
    const options = { ...OPTIONS, layers, thin: { by: 'interval' as const, intervals: [2, 4] } };
    const result = await tendencyOfRun(run, options, { engine });
    const labels = await run.labels();
    const shared = { metric: 'euclidean', marks: [{ rule: 'top-likelihood', k: 10 }], seed: 5 } as const;
    const last = run.manifest.layers.at(-1)!.name;
    const inputs = await Promise.all(
      run.manifest.snapshots.flatMap((snapshot) =>
        layers.map(async (layer) => {
          const { data, shape } = await run.outputs(snapshot.id, last);
          const rows = Array.from({ length: shape[0] }, (_, i) => [...data.subarray(3 * i, 3 * i + 3)]);
          return {
            snapshot: { id: snapshot.id, epoch: snapshot.epoch, step: snapshot.step },
            layer,
            outputs: await run.outputs(snapshot.id, layer),
            labels,
            predictions: rows.map((row) => row.indexOf(Math.max(...row))),
            logLikelihood: rows.map((row, i) => row[labels![i]!]!),
          };
        }),
      ),
    );
    const panels = [];
    for (const input of inputs) panels.push(await analyseTendency(engine, input, { ...shared, vatSide: 20 }));
    expect(withoutSeconds(result.panels)).toEqual(withoutSeconds(alignPanels(panels)));
    const reference = { snapshot: 'epoch-0002', layer: layers[1]! };
    const thinning = await thinTendency(
      engine,
      panels.map((panel, i) => ({ panel, input: async () => inputs[i]! })),
      { ...shared, vatSide: 0, plan: options.thin, reference },
    );
    expect(withoutSeconds(result.thinning)).toEqual(withoutSeconds(thinning));
    expect(result.seconds).toBeGreaterThan(0);
    expect(result.samples).toMatchObject({ count: 90, classes: ['a', 'b', 'c'] });
    expect(result.samples.images?.shape).toEqual([90, 8, 8, 1]);
  });

  it('captures into the run what it does not hold, once, and names the hashes of what was read', async () => {
    const { run, store } = await smallRun();
    const layer = run.manifest.layers[0]!.name;
    const path = `snapshots/epoch-0001/outputs/${layer}.npy`;
    expect(store.files().has(path)).toBe(false);
    const first = await tendencyOfRun(run, { layers: [layer], snapshots: [1] }, { engine });
    const written = store.files().get(path)!;
    const again = await tendencyOfRun(await openRun(store), { layers: [layer], snapshots: [1] }, { engine });
    expect(store.files().get(path)).toBe(written);
    expect(again.panels[0]!.order).toEqual(first.panels[0]!.order);
    const { createHash } = await import('node:crypto');
    expect(again.input.files[path]).toEqual({ sha256: createHash('sha256').update(written).digest('hex') });
    expect(first.input.files[path]).toEqual(again.input.files[path]);
  });

  it('answers the same where nothing can be written, with the outputs in the parts', async () => {
    const { run, store } = await smallRun();
    const sealed = await openRun({ ...store, writable: false });
    const options = { layers: null, snapshots: ['all'], samples: [7, 3, 50, 9, 80] };
    const [one, two] = [
      await tendencyOfRun(sealed, options, { engine }),
      await tendencyOfRun(run, options, { engine }),
    ];
    expect(withoutSeconds(one.panels)).toEqual(withoutSeconds(two.panels));
    expect([...one.samples.indices!]).toEqual([7, 3, 50, 9, 80]);
  });

  it('reports progress that rises to the whole, by stages', async () => {
    const { run } = await smallRun();
    const shares: number[] = [];
    const stages = new Set<string>();
    await tendencyOfRun(
      run,
      { ...OPTIONS, layers: null, thin: { by: 'size', sizes: [30] } },
      {
        engine,
        onProgress: ({ share, stage }) => {
          shares.push(share);
          stages.add(stage);
        },
      },
    );
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBeCloseTo(1, 9);
    expect([...stages]).toEqual(['Capturing layer outputs', 'Cluster tendency', 'Thinning']);
  });
});

describe('tendency of a matrix', () => {
  const draw = random(2);
  const rows = Array.from({ length: 60 }, (_, i) => [10 * (i % 3) + draw.normal(), draw.normal()]);

  it('takes rows, typed arrays and labels, and answers one panel', async () => {
    const labels = rows.map((_, i) => i % 3);
    const result = await tendency(rows, { labels, metric: 'manhattan', name: 'points' }, { engine });
    expect(result.input.source).toBe('points');
    expect(result.panels).toHaveLength(1);
    const [panel] = result.panels;
    expect(panel).toMatchObject({ n: 60, d: 2, layer: 'points', metric: 'manhattan' });
    expect([...panel!.order].sort((a, b) => a - b)).toEqual(rows.map((_, i) => i));
    for (const data of [Float32Array.from(rows.flat()), Float64Array.from(rows.flat()), rows.flat()])
      expect(
        withoutSeconds(
          (await tendency({ data, shape: [60, 2] }, { labels, metric: 'manhattan' }, { engine })).panels[0]!
            .order,
        ),
      ).toEqual(withoutSeconds(panel!.order));
  });

  it('plans by the content of the matrix', async () => {
    const keys = async (x: number[][], options = {}) =>
      (await planWorkflow(tendencyWorkflow, await matrixRun(x, options))).parts.map(({ key }) => key);
    const plain = await keys(rows);
    expect(await keys(rows.map((row) => [...row]))).toEqual(plain);
    const other = rows.map((row) => [...row]);
    other[59]![1]! += 0.001;
    expect(await keys(other)).not.toEqual(plain);
    expect(await keys(rows, { labels: rows.map(() => 1) })).not.toEqual(plain);
  });

  it('names the row that is wrong', async () => {
    await expect(tendency([[1, 2], [3]])).rejects.toThrow('matrix, row 1: expected 2 numbers');
    await expect(
      tendency(
        [
          [1, 2],
          [3, Number.NaN],
        ],
        {},
        { engine },
      ),
    ).rejects.toMatchObject({ code: 'not-finite' });
    await expect(tendency(rows, { labels: [1] })).rejects.toThrow('60 rows need as many labels, got 1');
    await expect(tendency(rows, { labels: rows.map(() => -1) })).rejects.toMatchObject({ code: 'argument' });
    await expect(tendency(rows, { metric: 'miles' as never })).rejects.toThrow('expected one of euclidean');
  });
});
