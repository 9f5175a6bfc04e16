import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { listResults, openRun, type ResultBase, readResult } from '@epochscope/analysis';
import { describe, expect, it } from 'vitest';
import { cli, drop, useBench } from './workbench.js';

// Every method from its panel on a run that was dropped: the bits of the command that the panel shows.

let run: string;
/** The same, without results. */
let fresh: string;

const bench = useBench('app-methods', async (folder) => {
  run = join(folder, 'small');
  await cli(
    'train',
    '--model',
    'lenet5',
    '--epochs',
    '1',
    '--batch',
    '200',
    '--snapshots',
    'init,1',
    '--samples',
    '60',
    '-o',
    run,
  );
  fresh = join(folder, 'fresh');
  await cp(run, fresh, { recursive: true });
});

/** What a person types into fields of a panel, by their labels. */
const TYPED: Record<string, Record<string, string>> = {
  clusters: { Layers: 'R4, S5', 'VAT picture, pixels': '32' },
  modules: { Layers: 'R4', Samples: '120' },
  change: {},
  activity: {},
  geometry: { Layers: 'S5', 'Inputs, in turn from each class': '2', 'Singular values': '4' },
  features: { Samples: '30', Eigenvectors: '3' },
  pruning: { Rounds: '1' },
  difference: { Samples: '40' },
  path: { Between: '3,11', Bridges: '1' },
};
/** Without what tells when and where: seconds, and the place the run lies at. */
const figures = ({ seconds, input, ...result }: ResultBase) =>
  JSON.parse(
    JSON.stringify(result, (name, value) =>
      name === 'seconds' ? undefined : ArrayBuffer.isView(value) ? [...(value as Float64Array)] : value,
    ),
  );

describe('methods from their panels', () => {
  it('each gives the bits of the command that it shows', { timeout: 600_000 }, async () => {
    const { page, context, problems } = await bench.visit();
    await drop(page, run);
    await page.locator('es-dashboard h1').waitFor({ timeout: 30_000 });
    const commands: string[] = [];
    for (const [tab, typed] of Object.entries(TYPED)) {
      await page.locator(`[data-tab=${tab}]`).click();
      const form = page.locator('es-compute-form');
      for (const [label, text] of Object.entries(typed)) {
        const field = form.locator('.field', { hasText: label }).first().locator('input');
        await field.fill(text);
      }
      // What it would take is asked of the workflow itself.
      await form.getByText(/up to \d/).waitFor({ timeout: 60_000 });
      commands.push((await form.locator('code').textContent())!);
      await form.getByRole('button', { name: 'Compute here' }).click();
      await page.locator(`[data-tab=${tab}] .hollow`).waitFor({ state: 'detached', timeout: 240_000 });
    }
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save the run and its results as a zip' }).click();
    const zip = join(bench.folder, 'saved.zip');
    await (await waiting).saveAs(zip);
    expect((await openRun(zip)).manifest.snapshots).toHaveLength(2);
    // `small` is the folder's name and the run's: the commands as they stand, where the run lies.
    for (const command of commands) await cli(...command.replace(' small', ` ${run}`).split(' ').slice(1));
    const here = await listResults(zip);
    expect(here.map(({ method }) => method).sort()).toEqual([
      'activity',
      'change',
      'difference',
      'features',
      'geometry',
      'modules',
      'path',
      'prune',
      'tendency',
      'tracks',
    ]);
    for (const { method, folder: place } of here) {
      // The command writes the pruned net as a run of its own.
      const there = await readResult(method === 'prune' ? `${run}-pruned` : run, place);
      expect(figures(await readResult(zip, place)), method).toEqual(figures(there));
    }
    expect(problems).toEqual([]);
    await context.close();
  });

  it('says what is wrong with an option, how far it is, and stops', { timeout: 120_000 }, async () => {
    const { page, context, problems } = await bench.visit();
    await drop(page, fresh);
    await page.locator('[data-tab=geometry]').click();
    const form = page.locator('es-compute-form');
    const field = (label: string) => form.locator('.field', { hasText: label }).first().locator('input');
    await field('Singular values').fill('0');
    await form.getByText('Singular values: expected a whole number from 1').waitFor();
    expect(await form.getByRole('button', { name: 'Compute here' }).isDisabled()).toBe(true);
    await field('Singular values').fill('200');
    await field('Inputs, in turn').fill('40');
    await form.getByRole('button', { name: 'Compute here' }).click();
    await form.locator('progress').waitFor();
    await form.getByText('left').waitFor({ timeout: 60_000 });
    // It goes on while another tab is looked at.
    await page.locator('[data-tab=story]').click();
    await page.locator('[data-tab=geometry]').click();
    await form.getByRole('button', { name: 'Stop' }).click();
    await form.getByText('Stopped.').waitFor({ timeout: 10_000 });
    expect(await page.locator('[data-tab=geometry] .hollow').count()).toBe(1);
    expect(problems).toEqual([]);
    await context.close();
  });
});
