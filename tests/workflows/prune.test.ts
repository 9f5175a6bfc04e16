import {
  createInlineEngine,
  memoryStore,
  openRun,
  type PruneResult,
  pruneOfRun,
  readResult,
} from '@epochscope/analysis';
import { applyMask, magnitudeMask } from '@epochscope/analysis/methods';
import type { Dataset } from '@epochscope/analysis/models';
import { prunedRun, pruneWorkflow } from '@epochscope/analysis/workflows';
import { describe, expect, it } from 'vitest';
import { promises } from './every-workflow.js';
import { smallRun, smallSamples, withoutSeconds } from './small-run.js';

const engine = createInlineEngine();
const dataset = async (where: string): Promise<Dataset> => {
  const split = (count: number, seed: number) => {
    const { inputs, labels } = smallSamples(count, seed);
    return { images: inputs, labels: Uint8Array.from(labels), count };
  };
  return {
    name: where,
    source: 'test',
    shape: [8, 8, 1],
    classes: ['a', 'b', 'c'],
    train: split(90, 5),
    test: split(30, 6),
  };
};
const OPTIONS = {
  data: 'small',
  rounds: 2,
  retraining: { epochs: 1, batchSize: 30, learningRate: 0.05 },
} as const;

describe('prune, as every workflow,', () => {
  promises(pruneWorkflow as never, OPTIONS, { regions: 0.3 }, { engine, dataset });
});

describe('prunedRun', () => {
  it('writes a run of whole nets and the result; stopped and resumed, the same bits', async () => {
    const { run } = await smallRun();
    const whole = memoryStore('whole');
    const result = await prunedRun(run, OPTIONS, whole, { engine, dataset });
    expect(withoutSeconds(result)).toEqual(
      withoutSeconds(await pruneOfRun(run, OPTIONS, { engine, dataset })),
    );
    const cut = memoryStore('cut');
    const controller = new AbortController();
    const stopped = await prunedRun(run, OPTIONS, cut, {
      engine,
      dataset,
      signal: controller.signal,
      onRound: ({ round }) => round === 1 && controller.abort(),
    }).catch((cause) => cause);
    expect(stopped.code).toBe('cancelled');
    expect(stopped.message).toContain('cut holds 1 of 2 rounds, the same call goes on');
    expect((await readResult<PruneResult>(cut, 'results/prune/default')).complete).toBe(false);
    await expect(
      prunedRun(run, { ...OPTIONS, regions: 0.1 }, cut, { engine, dataset, resume: true }),
    ).rejects.toThrow('was begun with other options');
    await prunedRun(run, OPTIONS, cut, { engine, dataset, resume: true });
    const [a, b] = [await openRun(whole), await openRun(cut)];
    expect(b.manifest.complete).toBe(true);
    expect(b.manifest.snapshots.map(({ id }) => id)).toEqual(['before', 'magnitude', 'round-01', 'round-02']);
    for (const { id } of a.manifest.snapshots) expect(await b.weights(id)).toEqual(await a.weights(id));
    expect([...cut.files().keys()].filter((path) => path.includes('.parts'))).toEqual([]);
    expect([...cut.files().keys()]).toEqual(
      expect.arrayContaining(['results/prune/default/mask.npy', 'results/prune/default/pruned.safetensors']),
    );
  });

  it('cut off before the samples were written, it writes them when it goes on', async () => {
    const { run } = await smallRun();
    const cut = memoryStore('cut');
    let whole = true;
    const killed = {
      ...cut,
      write: async (path: string, content: never) => {
        whole &&= !path.startsWith('samples/');
        // Nothing more reaches the disk of a process that is gone.
        if (!whole) throw new Error('killed');
        return cut.write(path, content);
      },
    };
    await expect(prunedRun(run, OPTIONS, killed, { engine, dataset })).rejects.toThrow('killed');
    expect(await cut.has('run.json')).toBe(true);
    await prunedRun(run, OPTIONS, cut, { engine, dataset });
    const opened = await openRun(cut);
    expect(await opened.inputTensor()).toEqual(await run.inputTensor());
    expect(await opened.labels()).toEqual(await run.labels());
  });

  it('leaves the magnitude step as the method has it, and ends where accuracy has fallen', async () => {
    const { run } = await smallRun();
    const result = await pruneOfRun(
      run,
      { ...OPTIONS, rounds: 5, regions: 1, stopAfterLoss: 0 },
      { engine, dataset },
    );
    const mask = magnitudeMask(result.weightsBefore, 0.5);
    expect(result.rounds[0]!.mask).toEqual(mask);
    expect(result.rounds[0]!.weights).toEqual(applyMask(result.weightsBefore, mask));
    expect(result.rounds.length).toBeLessThanOrEqual(6);
    expect(result.complete).toBe(true);
  });

  it('refuses to write over its source, and what the run does not have, before anything is written', async () => {
    const { run, store } = await smallRun();
    const files = store.files().size;
    await expect(prunedRun(run, OPTIONS, store, { engine, dataset })).rejects.toThrow(
      'needs a folder of its own',
    );
    const out = memoryStore('out');
    await expect(prunedRun(run, { ...OPTIONS, layer: 'S3x' }, out, { engine, dataset })).rejects.toThrow();
    await expect(
      prunedRun(run, { ...OPTIONS, magnitude: 2 }, out, { engine, dataset }),
    ).rejects.toMatchObject({
      code: 'argument',
    });
    expect([store.files().size, out.files().size]).toEqual([files, 0]);
  });
});
