import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openRun, readResult } from '@epochscope/analysis';
import { encodeNpy } from '@epochscope/analysis/formats';
import type { TendencyResult } from '@epochscope/analysis/results';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { cli, drop, host, useBench } from './workbench.js';

// The workbench on a static host that sends no headers: files and a run dropped on it, computed in it, with the bits of the command line.

let run: string;
let points: string;
let table: string;

const bench = useBench('app', async (folder) => {
  let state = 7;
  const random = () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
  const [n, d] = [400, 6];
  const data = Float32Array.from(
    { length: n * d },
    (_, i) => (i % d === Math.floor(i / d) % 4 ? 6 : 0) + random(),
  );
  points = join(folder, 'points.npy');
  await writeFile(points, encodeNpy(data, [n, d]));
  table = join(folder, 'table.csv');
  const rows = Array.from(
    { length: 120 },
    (_, i) => `r${i},${(i % 3) * 5 + random()},${random()},${'abc'[i % 3]}`,
  );
  await writeFile(table, `name,x,y,kind\n${rows.join('\n')}\n`);
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
});

/** Order, weights and blocks of the matrix that is shown. */
const shown = (page: Page) =>
  page.evaluate(() => {
    const { source } = document.querySelector('es-app') as unknown as {
      source: { tendency: TendencyResult };
    };
    const [panel] = source.tendency.panels;
    return {
      order: [...panel!.order],
      weights: [...panel!.weights],
      blocks: panel!.blocks.ranges,
      labels: source.tendency.samples.labels && [...source.tendency.samples.labels],
    };
  });
const computed = (page: Page) =>
  page.locator('es-matrix-bar', { hasText: 'computed here' }).waitFor({ timeout: 60_000 });

describe('the workbench on a static host', () => {
  it.each([
    ['isolated by its service worker', 'allow' as const, true],
    ['on one worker where there is none', 'block' as const, false],
  ])(
    'draws a dropped .npy with the bits of the command line, %s',
    { timeout: 120_000 },
    async (_, serviceWorkers, isolated) => {
      const { page, context, problems } = await bench.visit({ serviceWorkers });
      await expect
        .poll(() => page.evaluate(() => crossOriginIsolated).catch(() => null), { timeout: 20_000 })
        .toBe(isolated);
      await page.locator('es-app h1').waitFor();
      await drop(page, points);
      await computed(page);
      await page.locator('es-tendency-image canvas').first().waitFor();
      const out = join(bench.folder, `points-${isolated}`);
      await cli('tendency', points, '-o', out);
      const [panel] = (await readResult<TendencyResult>(out)).panels;
      const here = await shown(page);
      expect(here.order).toEqual([...panel!.order]);
      expect(here.weights).toEqual([...panel!.weights]);
      expect(here.blocks).toEqual(panel!.blocks.ranges);
      expect(await page.locator('h1').textContent()).toBe('Four blocks.');
      // Options in place: another metric, fewer samples.
      await page.locator('es-matrix-bar select[name=metric]').selectOption('cosine');
      await page.locator('es-matrix-bar input[name=samples]').fill('100');
      await page.locator('es-matrix-bar input[name=samples]').press('Enter');
      await expect.poll(async () => (await shown(page)).order.length, { timeout: 30_000 }).toBe(100);
      expect(problems).toEqual([]);
      await context.close();
    },
  );

  it('takes a table’s text column as classes, and says so; another one can be chosen', {
    timeout: 60_000,
  }, async () => {
    const { page, context, problems } = await bench.visit();
    await drop(page, table);
    await computed(page);
    const { labels } = await shown(page);
    expect(new Set(labels)).toEqual(new Set([0, 1, 2]));
    expect(await page.locator('es-matrix-bar select[name=labels]').inputValue()).toBe('kind');
    await page.locator('es-matrix-bar select[name=labels]').selectOption('');
    await expect.poll(async () => (await shown(page)).labels, { timeout: 20_000 }).toBeNull();
    expect(problems).toEqual([]);
    await context.close();
  });

  it('says what is wrong with a file, and keeps what was there', { timeout: 60_000 }, async () => {
    const bad = join(bench.folder, 'bad.npy');
    await writeFile(bad, 'no array');
    const { page, context } = await bench.visit();
    await drop(page, bad);
    await page.locator('es-matrix-bar .problem').waitFor();
    expect(await page.locator('es-matrix-bar .problem').textContent()).toContain('bad.npy');
    const nothing = join(bench.folder, 'note.pdf');
    await writeFile(nothing, '%PDF-1.4');
    await drop(page, nothing);
    await page.locator('.note[role=alert]').waitFor();
    await context.close();
  });

  it('opens a run’s folder, computes in it with the bits of the command line, and saves it as a zip', {
    timeout: 180_000,
  }, async () => {
    const { page, context, problems } = await bench.visit();
    await drop(page, run);
    await page.locator('es-dashboard h1').waitFor({ timeout: 30_000 });
    expect(await page.locator('es-dashboard h1').first().textContent()).toBe('No clusters are computed yet');
    await page.getByText('up to').first().waitFor({ timeout: 30_000 });
    await page.getByRole('button', { name: 'Compute here' }).click();
    await page.locator('[data-stage=story]').waitFor({ timeout: 90_000 });
    expect(await page.locator('.epoch-thumb').count()).toBe(3);
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save the run and its results as a zip' }).click();
    const zip = join(bench.folder, 'saved.zip');
    await (await waiting).saveAs(zip);
    const here = await readResult<TendencyResult>(zip, 'results/tendency/default');
    expect((await openRun(zip)).manifest.snapshots.length).toBe(3);
    await cli('tendency', run);
    const there = await readResult<TendencyResult>(run, 'results/tendency/default');
    expect(here.panels.map(({ seconds, ...panel }) => panel)).toEqual(
      there.panels.map(({ seconds, ...panel }) => panel),
    );
    expect(here.samples).toEqual(there.samples);
    // Another method, from its own tab; the tab's dot goes.
    await page.locator('[data-tab=change]').click();
    await page.getByRole('button', { name: 'Compute here' }).click();
    await page.locator('es-change-view').waitFor({ timeout: 60_000 });
    expect(await page.locator('[data-tab=change] .hollow').count()).toBe(0);
    expect(problems).toEqual([]);
    await context.close();
  });

  it('works offline after the first visit', { timeout: 60_000 }, async () => {
    const own = await host();
    const context = await bench.browser.newContext();
    const page = await context.newPage();
    await page.goto(own.url);
    await expect
      .poll(() => page.evaluate(() => crossOriginIsolated).catch(() => null), { timeout: 20_000 })
      .toBe(true);
    own.server.closeAllConnections();
    own.server.close();
    await page.reload();
    await page.locator('es-app h1').waitFor();
    await drop(page, points);
    await computed(page);
    await context.close();
  });

  const firefox = [process.env.FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox'].find(
    (place) => place && existsSync(place),
  );
  it.skipIf(!firefox)('in Firefox: drop and compute, the same bits', { timeout: 180_000 }, async () => {
    const bytes = [...(await readFile(points))];
    const extra = `
      const wait = (until) => new Promise((done) => { const tick = () => (until() ? done() : setTimeout(tick, 100)); tick(); });
      const app = () => document.querySelector('es-app');
      await wait(() => document.querySelector('#epochscope[data-ready]') && crossOriginIsolated);
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(${JSON.stringify(bytes)})], 'points.npy'));
      dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
      await wait(() => app().source?.tendency || app().source?.problem);
      const [panel] = app().source.tendency?.panels ?? [];
      await fetch('/answer', { method: 'POST', body: JSON.stringify({ problem: app().source.problem, order: panel && [...panel.order], weights: panel && [...panel.weights] }) });`;
    const profile = await mkdtemp(join(bench.folder, 'firefox-'));
    let child: ChildProcess | undefined;
    const answer = await new Promise<string>((done, fail) => {
      void host(extra, done).then(({ url, server }) => {
        server.unref();
        child = spawn(firefox!, ['--headless', '--no-remote', '--profile', profile, url], {
          stdio: 'ignore',
          env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' },
        });
        child.once('error', fail);
      });
    });
    child?.kill();
    const out = join(bench.folder, 'points-firefox');
    await cli('tendency', points, '-o', out);
    const [panel] = (await readResult<TendencyResult>(out)).panels;
    const { problem, order, weights } = JSON.parse(answer);
    expect(problem).toBe('');
    expect(order).toEqual([...panel!.order]);
    expect(weights).toEqual([...panel!.weights]);
  });
});
