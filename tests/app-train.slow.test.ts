import { join } from 'node:path';
import { openRun, readResult } from '@epochscope/analysis';
import type { TendencyResult } from '@epochscope/analysis/results';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { writeIdx } from './digits.js';
import { cli, drop, useBench } from './workbench.js';

// A net that learns in the page: its last layer is drawn meanwhile, and the run is the command line's, bit by bit.

const bench = useBench('app-train');

interface Seen {
  state: string;
  step: number;
  frame: string | null;
  blocks: number;
  spectrum: number;
  activity: number;
}
/** What the page knows of its training. */
const seen = (page: Page): Promise<Seen> =>
  page.evaluate(() => {
    const { source } = document.querySelector('es-app') as unknown as {
      source: {
        state: string;
        progress: { step: number } | null;
        frame: {
          panel: { snapshot: { id: string }; blocks: { count: number } };
          spectrum: { mean: Float64Array } | null;
          activity: { filters: number };
        } | null;
      };
    };
    const { frame, progress, state } = source;
    return {
      state,
      step: progress?.step ?? 0,
      frame: frame?.panel.snapshot.id ?? null,
      blocks: frame?.panel.blocks.count ?? -1,
      spectrum: frame?.spectrum?.mean[0] ?? 0,
      activity: frame?.activity.filters ?? 0,
    };
  });
const fill = async (page: Page, fields: Record<string, string>) => {
  const { net, ...others } = fields;
  if (net) await page.locator('form.train [name=net]').selectOption(net);
  await page.locator('form.train summary').click();
  for (const [name, value] of Object.entries(others))
    await page.locator(`form.train [name=${name}]`).fill(value);
};
const done = (page: Page) =>
  page.locator('es-training-bar', { hasText: 'Trained in this page' }).waitFor({ timeout: 240_000 });

describe('a training in the page', () => {
  it('is drawn while it learns, stops, goes step by step, and is the command line’s run', {
    timeout: 400_000,
  }, async () => {
    const { page, context, problems } = await bench.visit();
    await fill(page, { net: 'mlp', epochs: '2', batchSize: '100', samples: '100' });
    await page.getByRole('button', { name: 'Start training' }).click();
    // Pictures come before it is done, and change.
    await page.locator('[data-stage=story] h1', { hasText: 'so far' }).waitFor({ timeout: 120_000 });
    await page.locator('es-activity-bars canvas, es-activity-bars svg').first().waitFor({ timeout: 30_000 });
    const bar = page.locator('es-training-bar');
    await bar.getByRole('button', { name: 'Pause' }).click();
    await bar.getByText('paused').waitFor({ timeout: 30_000 });
    const before = await seen(page);
    expect(before.step).toBeLessThan(160);
    expect(before.spectrum).toBeGreaterThan(0);
    expect(before.activity).toBe(10);
    await bar.getByRole('button', { name: 'One step' }).click();
    await expect.poll(async () => (await seen(page)).state, { timeout: 30_000 }).toBe('paused');
    const after = await seen(page);
    expect(after.step).toBe(before.step + 1);
    expect(after.frame).toContain(String(after.step));
    await bar.getByRole('button', { name: 'Go on' }).click();
    await done(page);
    await page.locator('[data-stage=story] h1', { hasText: 'so far' }).waitFor({ state: 'detached' });
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save the run and its results as a zip' }).click();
    const zip = join(bench.folder, 'here.zip');
    await (await waiting).saveAs(zip);
    await bar.locator('summary').click();
    const command = (await bar.locator('code').textContent())!;
    const there = join(bench.folder, 'there');
    await cli(...command.split(' ').slice(1), '-o', there);
    await cli('tendency', there);
    const [a, b] = [await openRun(zip), await openRun(there)];
    expect(a.manifest.snapshots).toEqual(b.manifest.snapshots);
    expect(a.manifest.snapshots.length).toBe(9);
    for (const { id } of a.manifest.snapshots) expect(await a.weights(id)).toEqual(await b.weights(id));
    const result = async (place: string) =>
      (await readResult<TendencyResult>(place, 'results/tendency/default')).panels.map(
        ({ seconds, ...panel }) => panel,
      );
    expect(await result(zip)).toEqual(await result(there));
    expect(problems).toEqual([]);
    await context.close();
  });

  it('trains a transformer on sums, whose run is the command line’s', { timeout: 300_000 }, async () => {
    const { page, context, problems } = await bench.visit();
    await page.locator('form.train [name=net]').selectOption('transformer');
    await page.getByText('a + b mod p').first().waitFor();
    await fill(page, { modulus: '11', epochs: '120', samples: '60' });
    await page.getByRole('button', { name: 'Start training' }).click();
    await done(page);
    expect((await seen(page)).step).toBe(120);
    await page.getByText('Transformer on a + b mod 11').first().waitFor();
    // The training's loss beside the test's, in the dock: from the first snapshot after a step to the last.
    expect(await page.locator('.curves .loss.trained').getAttribute('d')).toMatch(/^M1\.667 .*L100\.000 /);
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save the run and its results as a zip' }).click();
    const zip = join(bench.folder, 'sums.zip');
    await (await waiting).saveAs(zip);
    const bar = page.locator('es-training-bar');
    await bar.locator('summary').click();
    const command = (await bar.locator('code').textContent())!;
    expect(command).toContain('--data modular-addition:11');
    const there = join(bench.folder, 'sums');
    await cli(...command.split(' ').slice(1), '-o', there);
    const [a, b] = [await openRun(zip), await openRun(there)];
    expect(a.manifest.snapshots).toEqual(b.manifest.snapshots);
    expect(a.manifest.training).toEqual(b.manifest.training);
    for (const { id } of a.manifest.snapshots) expect(await a.weights(id)).toEqual(await b.weights(id));
    // By heart, in so few steps.
    expect(a.manifest.snapshots.at(-1)!.metrics.loss).toBeLessThan(0.1);
    // Another net beside it brings its own values.
    await bar.locator('[name=net]').selectOption('mlp');
    expect(await bar.locator('[name=batchSize]').inputValue()).toBe('50');
    expect(await bar.locator('[name=modulus]').count()).toBe(0);
    expect(problems).toEqual([]);
    await context.close();
  });

  it('learns dropped IDX files, and begins anew with other options', { timeout: 200_000 }, async () => {
    const files: string[] = [];
    for (const [part, count] of [
      ['train', 120],
      ['t10k', 40],
    ] as const) {
      const images = Uint8Array.from({ length: count * 784 }, (_, i) =>
        i % 28 < 14 === (Math.floor(i / 784) % 2 === 0) ? 220 : 10,
      );
      const labels = Uint8Array.from({ length: count }, (_, i) => i % 2);
      files.push(...writeIdx(bench.folder, part, images, labels));
    }
    const { page, context, problems } = await bench.visit();
    await drop(page, ...files);
    await page.getByText('On 120 images').waitFor({ timeout: 30_000 });
    await fill(page, { net: 'mlp', epochs: '1', batchSize: '20', samples: '40' });
    await page.getByRole('button', { name: 'Start training' }).click();
    await done(page);
    expect((await seen(page)).step).toBe(6);
    const bar = page.locator('es-training-bar');
    await bar.locator('summary').click();
    await bar.locator('[name=learningRate]').fill('0.01');
    await bar.getByRole('button', { name: 'Train anew' }).click();
    await bar.getByText('--lr 0.01').waitFor({ state: 'attached' });
    await done(page);
    expect(problems).toEqual([]);
    await context.close();
  });
});
