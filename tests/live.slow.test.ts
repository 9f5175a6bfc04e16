import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resumeRun } from '@epochscope/analysis';
import { main } from 'epochscope/cli';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cli } from './harness.js';

// The served page in real Chromium while a training runs: it shows new snapshots, the end, and a result, with nobody touching it.

const bin = join(dirname(fileURLToPath(import.meta.url)), '../packages/cli/dist/main.js');
let folder: string;
let browser: Browser;
let training: ChildProcess | null = null;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'epochscope-live-'));
  const idx = (shape: number[], data: Uint8Array) =>
    Buffer.concat([
      Buffer.from([0, 0, 8, shape.length, ...shape.flatMap((n) => [0, 0, n >> 8, n & 255])]),
      data,
    ]);
  for (const [part, count] of [
    ['train', 3000],
    ['t10k', 40],
  ] as const) {
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
    const images = Uint8Array.from(
      { length: count * 784 },
      (_, k) => (labels[Math.floor(k / 784)]! * 25 + ((k * 7919) % 97)) % 256,
    );
    writeFileSync(join(folder, `${part}-images-idx3-ubyte`), idx([count, 28, 28], images));
    writeFileSync(join(folder, `${part}-labels-idx1-ubyte`), idx([count], labels));
  }
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
});
afterAll(async () => {
  training?.kill('SIGKILL');
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

it('the page follows a training by itself', async () => {
  const run = join(folder, 'run');
  const child = spawn(
    process.execPath,
    [
      bin,
      'train',
      '--data',
      folder,
      '--epochs=5000',
      '--batch=30',
      '--samples=40',
      '--snapshots=every:1',
      '-o',
      run,
    ],
    { stdio: 'ignore' },
  );
  training = child;
  const trained = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  while (!existsSync(join(run, 'run.json'))) await new Promise((resolve) => setTimeout(resolve, 50));
  const stop = new AbortController();
  let address = '';
  const serving = main(['serve', run, '--port', '0'], {
    stdout: { write: (text) => (address += text) },
    stderr: { write: () => {} },
    env: {},
    signal: stop.signal,
  });
  while (!address.includes('\n')) await new Promise((resolve) => setTimeout(resolve, 20));

  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on(
    'response',
    (answer) => answer.status() >= 400 && problems.push(`${answer.status()} ${answer.url()}`),
  );
  await page.goto(address.trim());
  // Text in shadow roots too.
  const text = async () => (await page.locator('body').ariaSnapshot()).replace(/\s+/g, ' ');
  const count = async () => Number(/slider "Snapshot": "(\d+)"/.exec(await text())?.[1] ?? Number.NaN);
  const until = async <T>(
    what: () => Promise<T>,
    wanted: (value: T) => boolean,
    name: string,
  ): Promise<T> => {
    for (let begun = Date.now(); Date.now() - begun < 30_000; ) {
      const value = await what();
      if (wanted(value)) return value;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${name}; the page says: ${(await text()).slice(0, 2000)}`);
  };
  const first = await until(count, Number.isFinite, 'no count of snapshots');
  await until(count, (now) => now > first || Number.isNaN(now), `the count stayed ${first}`);
  // The paper's own picture, live: the change from before training to the newest snapshot, worked out in the page.
  await page.getByRole('button', { name: /^Change/ }).click();
  const panel = page.locator('es-weights-panel');
  await panel.locator('summary').first().click();
  await panel.locator('es-change-heatmap canvas').first().waitFor();
  const newest = () => panel.locator('h2').innerText();
  const shown = await newest();
  expect(shown).toMatch(/^Weights before training → (step|epoch) \d+$/);
  await until(newest, (now) => now !== shown, 'the change did not follow the training');
  // Training would go on for hours: it is stopped, and its run brought to an end.
  child.kill('SIGINT');
  expect(await trained).toBe(130);
  await (await resumeRun(run)).finish();
  await until(text, (now) => !now.includes('the run is not complete'), 'the end was not shown');
  const { code, err } = await cli('change', run);
  expect(code, err).toBe(0);
  await until(
    () => page.locator('es-result-panel').count(),
    (panels) => panels > 0,
    'no panel of the result',
  );
  await page.locator('es-result-panel').first().scrollIntoViewIfNeeded();
  await until(
    () => page.locator('es-result-panel es-change-heatmap canvas').count(),
    (canvases) => canvases > 0,
    'the result was not shown',
  );
  expect(problems).toEqual([]);
  stop.abort();
  expect(await serving).toBe(0);
}, 120_000);
