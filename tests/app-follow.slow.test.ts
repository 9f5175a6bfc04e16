import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openRun, readResult } from '@epochscope/analysis';
import { encodeNpy } from '@epochscope/analysis/formats';
import type { LocateResult } from '@epochscope/analysis/results';
import { describe, expect, it } from 'vitest';
import { cli, drop, useBench } from './workbench.js';

// A sample dropped on an opened run goes through every snapshot, and is followed like one of the run's own.

let run: string;
let sample: string;

const bench = useBench('app-follow', async (folder) => {
  run = join(folder, 'small');
  await cli(
    'train',
    '--model',
    'mlp',
    '--epochs',
    '2',
    '--snapshots',
    'init,1,2',
    '--samples',
    '60',
    '-o',
    run,
  );
  await cli('tendency', run, '--layers', 'R2,S3');
  // One of the run's own, so that where it must be is known.
  const { data } = (await (await openRun(run)).inputs({ rows: [7, 8] }))!;
  sample = join(folder, 'mine.npy');
  await writeFile(sample, encodeNpy(Uint8Array.from(data), [28, 28]));
});

describe('a new sample', () => {
  it('is placed at every snapshot as the command places it, and let go by Esc and Back', {
    timeout: 240_000,
  }, async () => {
    const { page, context, problems } = await bench.visit();
    await drop(page, run);
    await page.locator('[data-stage=story] h1').waitFor({ timeout: 60_000 });
    await drop(page, sample);
    const said = page.locator('.new-sample');
    await said.waitFor({ timeout: 90_000 });
    expect(await said.textContent()).toMatch(/mine[\s\S]*Nearest in S3: digit 7, .* at 0\./);
    expect(await page.locator('.dock .chip').count()).toBe(3);
    expect(page.url()).toContain('new=mine');
    await cli('locate', run, sample, '--layers', 'R2,S3', '--name', 'mine');
    const there = await readResult<LocateResult>(run, 'results/locate/mine');
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save the run and its results as a zip' }).click();
    const zip = join(bench.folder, 'saved.zip');
    await (await waiting).saveAs(zip);
    const here = await readResult<LocateResult>(zip, 'results/locate/mine');
    expect(here.panels).toEqual(there.panels);
    expect(here.predictions).toEqual(there.predictions);
    expect(here.panels.every(({ distances, nearest }) => distances[0] === 0 && nearest[0] === 7)).toBe(true);
    await page.keyboard.press('Escape');
    await said.waitFor({ state: 'detached' });
    expect(page.url()).not.toContain('new=');
    await page.goBack();
    await said.waitFor({ timeout: 30_000 });
    // Another file of rows is still opened as one.
    const rows = join(bench.folder, 'rows.npy');
    await writeFile(
      rows,
      encodeNpy(
        Float32Array.from({ length: 120 }, (_, i) => Math.sin(i)),
        [40, 3],
      ),
    );
    await drop(page, rows);
    await page.locator('es-matrix-bar', { hasText: 'computed here' }).waitFor({ timeout: 60_000 });
    expect(problems).toEqual([]);
    await context.close();
  });
});
