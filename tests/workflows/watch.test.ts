import {
  createInlineEngine,
  createRun,
  memoryStore,
  openRun,
  readResult,
  watchRun,
  writeResult,
} from '@epochscope/analysis';
import { differenceSide, distanceOf } from '@epochscope/analysis/methods';
import { watchWorkflow } from '@epochscope/analysis/workflows';
import { describe, expect, it } from 'vitest';
import { promises } from './every-workflow.js';
import { smallRun } from './small-run.js';

const engine = createInlineEngine();
const how = { engine };

describe('watch, as every workflow,', () => {
  promises(
    watchWorkflow as never,
    { rules: ['block count of R1 fell', 'dead units over 0.5', 'difference of R2 over 1'] },
    { samples: 50 },
    how,
  );
});

describe('watchRun', () => {
  it('takes the figures that the methods give, snapshot by snapshot', async () => {
    const { run } = await smallRun();
    const rules = ['difference of R1 over 0', 'dead units of R1 under 2', 'share in no block of R1 under 2'];
    const result = await watchRun(run, { rules, samples: 60 }, how);
    const sides = await Promise.all(
      run.manifest.snapshots.map(async (snapshot) =>
        differenceSide(
          engine,
          {
            snapshot,
            layer: 'R1',
            outputs: await run.outputs(snapshot.id, 'R1', { rows: [0, 60] }),
            labels: null,
            predictions: null,
            logLikelihood: null,
          },
          run.name,
          { metric: 'euclidean', seed: 1 },
        ),
      ),
    );
    expect(result.rules[0]!.values).toEqual([
      { value: null, reason: 'the first snapshot' },
      distanceOf(sides[0]!, sides[1]!),
    ]);
    expect(result.rules.map(({ figure }) => figure)).toEqual([
      'difference to the last snapshot of R1',
      'dead units of R1',
      'share in no block of R1',
    ]);
    // Weights times 1.7: the same picture up to scale, nearly, as biases are 0.
    expect(result.rules[1]!.holds).toEqual([1]);
    expect(result.alarms.map(({ snapshot }) => snapshot)).toEqual(
      ['epoch-0002', 'epoch-0002', 'epoch-0002'].slice(0, result.alarms.length),
    );
    expect((await watchRun(run, { rules, after: 0 }, how)).rules[1]!.holds).toEqual([0, 1]);
    const store = memoryStore('results');
    await writeResult(store, 'w', result);
    expect(await readResult(store, 'w')).toEqual(result);
  });

  it('judges metrics without any layer, and says which a complete run has', async () => {
    const { run } = await smallRun();
    await expect(watchRun(run, { rules: ['loss rose'] }, how)).rejects.toThrow(
      'rule "loss rose": small recorded no loss; it recorded no metrics',
    );
    const place = memoryStore('metrics');
    const writer = await createRun(place, {
      model: null,
      layers: [],
      classes: null,
      inputShape: null,
      training: null,
    });
    const weights = new Map([['w', { data: Float32Array.of(1), shape: [1], dtype: 'float32' as const }]]);
    for (const step of [1, 2])
      await writer.writeSnapshot({ id: `step-${step}`, epoch: null, step, metrics: { loss: step } }, weights);
    const { alarms } = await watchRun(await openRun(place), { rules: ['loss rose', 'accuracy fell'] }, how);
    expect(alarms).toEqual([
      { rule: 'loss rose', snapshot: 'step-2', text: 'at step-2 loss rose from 1 to 2' },
    ]);
    await writer.finish();
    await expect(watchRun(await openRun(place), { rules: ['accuracy fell'] }, how)).rejects.toThrow(
      'recorded no accuracy; it recorded loss',
    );
  });

  it('has undefined figures for too few samples, and raises no alarm by them', async () => {
    const { run } = await smallRun();
    const { rules, alarms } = await watchRun(
      run,
      {
        rules: ['block count of R1 under 1', 'dead units over 0', 'difference of R1 over 0'],
        samples: 1,
        after: 0,
      },
      how,
    );
    for (const { values } of rules) expect(values.every(({ value }) => value === null)).toBe(true);
    expect(alarms).toEqual([]);
  });

  it.each([
    [{ rules: [] }, 'rules: expected at least one'],
    [{ rules: ['dead'] }, 'expected FIGURE'],
    [{ rules: ['dead units of Q over 1'] }, 'Q'],
    [{ rules: ['dead units over 1'], after: -1 }, 'after: expected an integer ≥ 0, got -1'],
    [{ rules: ['dead units over 1'], samples: 0 }, 'samples: expected an integer ≥ 1'],
  ])('%j is refused in one line', async (options, message) => {
    const { run } = await smallRun();
    await expect(watchRun(run, options, how)).rejects.toThrow(message);
  });
});
