import { cp, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from '@epochscope/analysis';
import { createRun, readResult } from '@epochscope/analysis';
import type { SeriesCheck } from '@epochscope/analysis/methods';
import type { SeriesCheckResult } from '@epochscope/analysis/results';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cli } from './harness.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-check-'));
  const writer = await createRun(join(folder, 'run'), {
    model: null,
    layers: [],
    classes: null,
    inputShape: null,
    training: null,
  });
  for (let epoch = 1; epoch <= 6; epoch++) {
    const data = Float32Array.from({ length: 300 }, (_, i) => Math.sin(i) * epoch + Math.cos(i * epoch) / 9);
    const tensor: Tensor = { data, shape: [10, 30], dtype: 'float32' };
    await writer.writeSnapshot(
      { id: `epoch-${epoch}`, epoch, step: null, metrics: {} },
      new Map([['F1.kernel', tensor]]),
    );
  }
  await writer.finish();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('info --check says that a series is sound, or which snapshots are not where they belong', async () => {
  const sound = await cli('info', join(folder, 'run'), '--check');
  expect(sound).toMatchObject({ code: 0 });
  expect(sound.out).toContain('check    nothing odd in 256 weights of 1 tensors in 6 snapshots');
  const at = (epoch: number) => join(folder, 'run', 'snapshots', `epoch-${epoch}`);
  await rename(at(2), join(folder, 'two'));
  await cp(at(5), at(2), { recursive: true });
  const copied = await cli('info', join(folder, 'run'), '--check', '--json');
  const { check } = JSON.parse(copied.out) as { check: SeriesCheck };
  expect(check.findings.map(({ text }) => text)).toEqual([
    expect.stringMatching(/^epoch-2 is out of line/),
    expect.stringMatching(/^epoch-5 is a copy of epoch-2/),
  ]);
});

it('the check is kept, with gaps, for pages to draw; --svg draws it as a time line', async () => {
  const run = join(folder, 'run');
  await rm(join(run, 'snapshots', 'epoch-4'), { recursive: true });
  const answer = await cli('info', run, '--check', '--svg');
  expect(answer).toMatchObject({ code: 0 });
  expect(answer.out).toContain('note: epoch 4 missing from a series that counts evenly');
  const kept = await readResult<SeriesCheckResult>(join(run, 'results', 'check', 'default'));
  expect(kept.snapshots.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 5, 6]);
  expect(kept.findings.at(-1)).toMatchObject({ grade: 'note', kind: 'gap', of: 'epoch', numbers: [4] });
  const svg = await readFile(join(run, 'results', 'check', 'default', 'check.svg'), 'utf8');
  expect(svg).toContain('stroke-dasharray');
  for (const { text } of kept.findings) expect(svg.replace(/<[^>]*>/g, ' ')).toContain(text.slice(0, 12));
  // A folder of checkpoints has no place of its own.
  const elsewhere = join(folder, 'kept');
  expect((await cli('info', join(run, 'snapshots'), '--check')).out).not.toContain('kept in');
  expect((await cli('info', join(run, 'snapshots'), '--check', '-o', elsewhere)).out).toContain('kept in');
  expect((await readResult<SeriesCheckResult>(elsewhere)).snapshots).toHaveLength(5);
});
