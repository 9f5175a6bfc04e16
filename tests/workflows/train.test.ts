import { type MemoryStore, memoryStore, openRun, type TrainRunOptions, trainRun } from '@epochscope/analysis';
import type { Dataset } from '@epochscope/analysis/models';
import { planWorkflow, trainWorkflow } from '@epochscope/analysis/workflows';
import { describe, expect, it } from 'vitest';
import { copyOf, smallSamples } from './small-run.js';

const split = (count: number, seed: number) => {
  const { inputs, labels } = smallSamples(count, seed);
  return { images: inputs, labels: Uint8Array.from(labels), count };
};
const data: Dataset = {
  name: 'small',
  source: 'test',
  shape: [8, 8, 1],
  classes: ['a', 'b', 'c'],
  train: split(50, 5),
  test: split(20, 6),
};
type Options = Partial<Omit<TrainRunOptions, 'data'>>;
const MLP: Options = {
  model: { name: 'mlp', seed: 3, hidden: [6] },
  epochs: 4,
  batchSize: 10,
  noise: 0.2,
  samples: 7,
};

/** All files but the index, which has times. */
const filesOf = (store: MemoryStore) =>
  new Map([...store.files()].filter(([path]) => path !== 'index.json').sort(([a], [b]) => (a < b ? -1 : 1)));

describe('a training', () => {
  const cases: [string, Options][] = [
    ['by adam, epochs as folders', { ...MLP, snapshots: { init: true, epochs: [1, 3] } }],
    ['by adam, every step in the log', { ...MLP, snapshots: { init: true, everySteps: 1 } }],
    ['by sgd', { ...MLP, optimizer: 'sgd', learningRate: 0.1 }],
    ['by momentum', { ...MLP, optimizer: 'momentum', learningRate: 0.1 }],
    [
      'pre-trained',
      {
        ...MLP,
        model: { name: 'dbn', seed: 3, hidden: [6, 5] },
        pretrain: { epochs: 2, learningRate: 0.1 },
        snapshots: { init: true, everySteps: 7 },
      },
    ],
  ];
  it.each(cases)('%s, cut off at any moment, goes on to the same files', async (_, options) => {
    const whole = memoryStore('run');
    /** The store as it was at every step: what a killed process leaves. */
    const moments: MemoryStore[] = [];
    const { snapshots } = await trainRun(whole, data, options, {
      stateSeconds: 0,
      onProgress: ({ share }) => share < 1 && void moments.push(copyOf(whole)),
    });
    expect((await openRun(whole)).manifest.snapshots).toHaveLength(snapshots);
    const every = Math.max(1, Math.floor(moments.length / 7));
    for (let at = 0; at < moments.length; at += every) {
      const left = moments[at]!;
      // Half of them without the state, as if it had not been due yet.
      if (at % 2) await left.remove('unfinished');
      await trainRun(left, data, options);
      expect([...filesOf(left).keys()]).toEqual([...filesOf(whole).keys()]);
      expect(filesOf(left)).toEqual(filesOf(whole));
    }
  });

  it('that is cancelled keeps its state, and does not train anew what it has', async () => {
    const store = memoryStore('run');
    const controller = new AbortController();
    const steps: string[] = [];
    await expect(
      trainRun(store, data, MLP, {
        signal: controller.signal,
        onProgress: ({ title }) => {
          if (steps.push(title) === 12) controller.abort();
        },
      }),
    ).rejects.toMatchObject({ code: 'cancelled' });
    const before = steps.length;
    const notes: string[] = [];
    await trainRun(store, data, MLP, {
      onProgress: ({ title }) => void steps.push(title),
      onNote: (note) => notes.push(note),
    });
    expect(notes[0]).toBe('run holds this training, cut off: it goes on');
    expect(new Set(steps.slice(before)).size).toBeLessThan(20);
    expect((await openRun(store)).manifest.complete).toBe(true);
    expect(await store.list('unfinished')).toEqual([]);
  });

  it('does not go on with another one, nor over a run that is done', async () => {
    const store = memoryStore('run');
    const controller = new AbortController();
    const stopped = trainRun(store, data, MLP, {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
    const files = filesOf(store);
    await expect(trainRun(store, data, { ...MLP, seed: 2 })).rejects.toMatchObject({ code: 'io' });
    const other = { ...data, train: split(50, 9) };
    await expect(trainRun(store, other, MLP)).rejects.toMatchObject({ code: 'io' });
    expect(filesOf(store)).toEqual(files);
    await trainRun(store, data, MLP);
    await expect(trainRun(store, data, MLP)).rejects.toMatchObject({ code: 'io' });
    await trainRun(store, data, { ...MLP, seed: 2 }, { overwrite: true });
  });

  it('is planned in plain JSON; the key is that of options and data, wherever they come from', async () => {
    const place = () => ({ store: memoryStore('run'), overwrite: false, stateSeconds: 15 });
    const plan = (options: object, of = data) =>
      planWorkflow(trainWorkflow, place(), options, { dataset: async () => of });
    const one = await plan({ ...MLP, data: 'here' });
    expect(JSON.parse(JSON.stringify(one))).toEqual(one);
    expect(one.parts).toHaveLength(1);
    const key = one.parts[0]!.key;
    expect((await plan({ ...MLP, data: 'elsewhere' })).parts[0]!.key).toBe(key);
    expect((await plan({ ...MLP, noise: 0 })).parts[0]!.key).not.toBe(key);
    expect((await plan(MLP, { ...data, test: split(20, 7) })).parts[0]!.key).not.toBe(key);
    await expect(plan({ ...MLP, colour: 'red' })).rejects.toMatchObject({ code: 'argument' });
    const store = memoryStore('run');
    await expect(trainRun(store, data, MLP, { memoryLimit: 10 })).rejects.toMatchObject({ code: 'memory' });
    expect(store.files().size).toBe(0);
  });
});
