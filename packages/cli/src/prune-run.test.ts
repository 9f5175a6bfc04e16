import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRun } from '@epochscope/analysis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Output } from './output.js';
import { pruneOfRun } from './prune-run.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-prune-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** How many bars are open. */
function counting(): Output & { open: number; opened: number } {
  const output = {
    open: 0,
    opened: 0,
    json: false,
    signal: new AbortController().signal,
    say() {},
    warn() {},
    result() {},
    progress() {
      output.open++;
      output.opened++;
      return { update() {}, stop: () => void output.open-- };
    },
  };
  return output;
}

it('ends its progress when it refuses to go on with a run of other options', async () => {
  const run = join(folder, 'run');
  const writer = await createRun(run, {
    model: null,
    layers: [{ name: 'fc', kind: 'dense', shape: [2], parameters: ['fc.kernel'] }],
    classes: null,
    inputShape: [3, 3, 1],
    training: null,
  });
  await writer.writeSnapshot(
    { id: 'last', epoch: 1, step: 1, metrics: {} },
    new Map([
      [
        'fc.kernel',
        { data: Float32Array.from({ length: 18 }, (_, i) => (i * 7) % 11), shape: [9, 2], dtype: 'float32' },
      ],
    ]),
  );
  await writer.finish();
  const output = counting();
  const prune = (magnitude: number, resume: boolean) =>
    pruneOfRun(
      run,
      {
        output: join(folder, 'pruned'),
        resume,
        prune: { magnitude, regions: 0.4, rounds: 1, neighbours: 4, ranking: 'network', rateOf: 'count' },
        retraining: {},
      },
      output,
    );
  await prune(0.2, false);
  expect([output.opened, output.open]).toEqual([1, 0]);
  await expect(prune(0.4, true)).rejects.toThrow('was begun with other options');
  expect([output.opened, output.open]).toEqual([2, 0]);
});
