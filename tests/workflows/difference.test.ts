import {
  createInlineEngine,
  difference,
  differenceMapOfRun,
  differenceOfRun,
  differenceOfRuns,
  memoryStore,
  openRun,
  readResult,
  writeResult,
} from '@epochscope/analysis';
import { analyseDifference, random } from '@epochscope/analysis/methods';
import { differenceMapWorkflow, differenceWorkflow } from '@epochscope/analysis/workflows';
import { describe, expect, it } from 'vitest';
import { promises } from './every-workflow.js';
import { smallRun, withoutSeconds } from './small-run.js';

const engine = createInlineEngine();

describe('difference, as every workflow,', () => {
  promises(differenceWorkflow as never, { layer: 'R1' }, { toLayer: 'R2' }, { engine });
});

describe('differenceOfRun', () => {
  it('is the method on the outputs, with the samples it is of, and is the same once written and read', async () => {
    const { run } = await smallRun();
    const result = await differenceOfRun(run, { layer: 'R1', samples: 50, metric: 'cosine' }, { engine });
    const inputs = await Promise.all(
      run.manifest.snapshots.map(async ({ id, epoch, step }) => ({
        snapshot: { id, epoch, step },
        layer: 'R1',
        outputs: await run.outputs(id, 'R1', { rows: Uint32Array.from({ length: 50 }, (_, i) => i) }),
        labels: null,
        predictions: null,
        logLikelihood: null,
      })),
    );
    const direct = await analyseDifference(engine, [inputs[0]!, inputs[1]!], [run.name, run.name], {
      metric: 'cosine',
      seed: 1,
    });
    expect(result).toMatchObject(direct);
    expect(result.samples.count).toBe(50);
    expect(result.samples.labels).toEqual((await run.labels())!.subarray(0, 50));
    expect(Object.keys(result.input.files)).toContain('snapshots/epoch-0001/outputs/R1.npy');
    const store = memoryStore('results');
    await writeResult(store, 'd', result);
    expect(await readResult(store, 'd')).toEqual(result);
  });

  it('refuses one and the same picture, and names that are not there', async () => {
    const { run } = await smallRun();
    await expect(differenceOfRun(run, { from: 1, to: 1 }, { engine })).rejects.toThrow(
      /both pictures are epoch-0001, S3; choose two snapshots or two layers/,
    );
    await expect(differenceOfRun(run, { layer: 'Q' }, { engine })).rejects.toMatchObject({ code: 'missing' });
    await expect(differenceOfRun(run, { metric: 'gower' as never }, { engine })).rejects.toMatchObject({
      code: 'argument',
    });
  });
});

describe('differenceOfRuns', () => {
  it('compares two runs of the same samples, and equals that of one run where they are equal', async () => {
    const [a, b] = [(await smallRun()).run, (await smallRun()).run];
    const across = await differenceOfRuns([a, b], { from: 1, to: 2, layer: 'R1' }, { engine });
    const within = await differenceOfRun((await smallRun()).run, { layer: 'R1' }, { engine });
    expect(withoutSeconds({ ...across, input: 0 })).toEqual(withoutSeconds({ ...within, input: 0 }));
    expect(across.input.source).toBe('small and small');
  });

  it('refuses runs of other samples', async () => {
    const [a, b] = [(await smallRun(60)).run, (await smallRun(90)).run];
    await expect(differenceOfRuns([a, b], {}, { engine })).rejects.toThrow(
      'small has 60 samples and small 90: a difference is between pictures of the same',
    );
    const { store } = await smallRun(60);
    const files = [...store.files()].map(([path, bytes]): [string, Uint8Array] => {
      if (path !== 'samples/labels.npy') return [path, bytes];
      const other = bytes.slice();
      // The last uint32, little-endian.
      other[other.length - 4] = (other[other.length - 4]! + 1) % 3;
      return [path, other];
    });
    const other = await openRun(
      memoryStore(
        'other',
        files.filter(([path]) => path !== 'index.json'),
      ),
    );
    await expect(differenceOfRuns([a, other], {}, { engine })).rejects.toThrow(/^sample 59 has label/);
  });
});

describe('difference of two matrices', () => {
  it('takes rows of any width', async () => {
    const source = random(1);
    const x = Array.from({ length: 50 }, () => [source.normal(), source.normal()]);
    const y = x.map(([p, q]) => [p!, q!, p! * q!]);
    const result = await difference(x, y, { labels: x.map(([p]) => Number(p! > 0)) }, { engine });
    expect(result.sides.map(({ d }) => d)).toEqual([2, 3]);
    expect(result.distance.value).toBeGreaterThan(0);
    await expect(difference(x, y.slice(1), {}, { engine })).rejects.toMatchObject({ code: 'shape' });
  });
});

describe('a map of differences, as every workflow,', () => {
  promises(differenceMapWorkflow as never, { layers: ['R1', 'R2'] }, { metric: 'cosine' }, { engine });
});

describe('differenceMapOfRun', () => {
  it('holds the distance that the difference of every two pictures has, layer by layer', async () => {
    const { run } = await smallRun();
    const map = await differenceMapOfRun(run, { layers: ['R2', 'R1'], samples: 60 }, { engine });
    expect(map.pictures.map(({ layer, snapshot }) => `${layer} ${snapshot.id}`)).toEqual([
      'R2 epoch-0001',
      'R2 epoch-0002',
      'R1 epoch-0001',
      'R1 epoch-0002',
    ]);
    for (const [i, a] of map.pictures.entries())
      for (const [j, b] of map.pictures.entries()) {
        if (i === j) expect(map.distances[i * 4 + j]).toBe(0);
        else {
          const one = await differenceOfRun(
            run,
            { from: a.snapshot.id, to: b.snapshot.id, layer: a.layer, toLayer: b.layer, samples: 60 },
            { engine },
          );
          expect(map.distances[i * 4 + j]).toBeCloseTo(one.distance.value!, 9);
        }
      }
    const store = memoryStore('results');
    await writeResult(store, 'm', map);
    expect(await readResult(store, 'm')).toEqual(map);
  });

  it('names pictures without a scale instead of giving them distances, and refuses one alone', async () => {
    const { run } = await smallRun();
    const map = await differenceMapOfRun(run, { layers: ['R1'], samples: 1 }, { engine });
    expect(map.pictures).toEqual([]);
    expect(map.undefinedPictures).toHaveLength(2);
    expect(map.undefinedPictures[0]!.reason).toContain('one sample');
    await expect(
      differenceMapOfRun(run, { layers: ['R1'], snapshots: ['last'] }, { engine }),
    ).rejects.toThrow('two pictures or more');
    await expect(differenceMapOfRun(run, { layers: [] }, { engine })).rejects.toThrow(
      'layers: expected a list',
    );
    await expect(differenceMapOfRun(run, { layers: ['Q'] }, { engine })).rejects.toMatchObject({
      code: 'missing',
    });
  });
});
