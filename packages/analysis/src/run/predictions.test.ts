import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readNpy } from '../formats/npy.js';
import { nextToken } from '../platform/writer-token.js';
import { withFile } from '../stores/file.js';
import { openRun } from './read.js';
import { createRun, resumeRun, writePredictions } from './write.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-predictions-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});
const init = { model: null, layers: [], classes: null, inputShape: [1], training: null };
const inputs = { data: Float32Array.of(1, 2, 3), shape: [3, 1], dtype: 'float32' as const };

it('predictions stand beside the samples, one a sample', async () => {
  const writer = await createRun(folder, init);
  await expect(writePredictions(folder, Uint32Array.of(1))).rejects.toMatchObject({ code: 'missing' });
  await writer.writeSamples({ inputs, labels: null, source: 'test' });
  await expect(writePredictions(folder, Uint32Array.of(1))).rejects.toThrow(
    '3 samples need 3 predictions, got 1',
  );
  await writePredictions(folder, Uint32Array.of(2, 0, 1));
  const { data } = await withFile(join(folder, 'samples', 'predictions.npy'), readNpy);
  expect(data).toEqual(Uint32Array.of(2, 0, 1));
});

it('going on clears what a killed writer left, and nothing that a living one writes', async () => {
  const writer = await createRun(folder, init);
  await writer.writeSamples({ inputs, labels: null, source: 'test' });
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const living = nextToken();
  const killed = `${living.slice(0, 4)}${pid.toString(16).padStart(8, '0')}${living.slice(12)}`;
  await writeFile(join(folder, `run.json.tmp-${killed}`), 'half');
  await writeFile(join(folder, `run.json.tmp-${living}`), 'half');
  // Of a writer that is not known: too young to be taken as gone.
  await writeFile(join(folder, 'run.json.tmp-89abcdef'), 'half');
  await writeFile(join(folder, 'mine.tmp'), 'keep');
  await resumeRun(folder);
  expect((await readdir(folder)).sort()).toEqual(
    [
      'index.json',
      'mine.tmp',
      'run.json',
      `run.json.tmp-${living}`,
      'run.json.tmp-89abcdef',
      'samples',
    ].sort(),
  );
  expect((await openRun(folder)).manifest.samples?.count).toBe(3);
});
