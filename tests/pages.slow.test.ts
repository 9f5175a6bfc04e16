import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { main } from 'epochscope/cli';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeIdx } from './digits.js';

// The page as people get it, in real Chromium: written by `epochscope report` and opened from disk, and served by
// `epochscope serve`. Both must be the same dashboard on the same run.

let folder: string;
let run: string;
let browser: Browser;

async function cli(
  argv: string[],
  signal = new AbortController().signal,
  out: (text: string) => void = () => {},
) {
  let err = '';
  const code = await main(argv, {
    stdout: { write: (text) => out(text) },
    stderr: { write: (text) => (err += text) },
    env: {},
    signal,
  });
  return { code, err };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'epochscope-pages-'));
  run = join(folder, 'run');
  // Two kinds of pictures that a net tells apart at once.
  const digits = mkdtempSync(join(folder, 'digits-'));
  for (const [part, count] of [
    ['train', 120],
    ['t10k', 40],
  ] as const) {
    const images = new Uint8Array(count * 784);
    const labels = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      labels[i] = i % 2;
      for (let p = 0; p < 784; p++)
        images[i * 784 + p] = (p % 28 < 14 ? 0 : 255) * (i % 2) + ((p * 7 + i * 13) % 50) * (1 - (i % 2));
    }
    writeIdx(digits, part, images, labels);
  }
  for (const argv of [
    [
      'train',
      '--data',
      digits,
      '--epochs',
      '2',
      '--batch',
      '40',
      '--snapshots',
      'init,1,2',
      '--samples',
      '40',
      '-o',
      run,
    ],
    ['tendency', run, '--layers', 'P1,S5', '--snapshots', 'all'],
    ['change', run],
  ]) {
    const { code, err } = await cli(argv);
    expect(code, err).toBe(0);
  }
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens the page, works it by keyboard and mouse, and tells what it asked the network for. */
async function work(address: string): Promise<string[]> {
  const page: Page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const asked: string[] = [];
  const problems: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  await page.goto(`${address}#layer=S5`);
  const picture = page.locator('es-tendency-image canvas').first();
  await picture.waitFor({ timeout: 20_000 });
  const label = () => picture.getAttribute('aria-label');
  expect(await label()).toContain('layer S5, epoch 2');
  expect(await page.locator('h1').textContent()).toMatch(/^Before training, .+ After 2 epochs, /);

  await page.keyboard.press('ArrowLeft');
  await expect.poll(label).toContain(', epoch 1');
  expect(page.url()).toContain('#snapshot=epoch-0001&layer=S5');
  await page.locator('.strip [data-layer=P1]').focus();
  await page.keyboard.press('Enter');
  await expect.poll(label).toContain('layer P1, epoch 1');

  // A sample chosen in the picture is followed.
  await picture.click({ position: { x: 200, y: 200 } });
  await expect.poll(() => page.url()).toMatch(/sample=\d+/);
  await page.locator('.unfollow').waitFor();
  expect(await page.locator('.epoch-thumb .chip').count()).toBe(3);
  await page.keyboard.press('Escape');
  await expect.poll(() => page.url()).not.toContain('sample');

  await page.locator('[data-tab=change]').click();
  await page.locator('es-change-view es-change-heatmap canvas').first().waitFor();
  expect(problems).toEqual([]);
  await page.close();
  return asked.filter((url) => !url.startsWith('data:') && !url.startsWith('blob:'));
}

describe('the dashboard', () => {
  it('opens from disk with everything inside', async () => {
    const file = join(folder, 'page.html');
    const { code, err } = await cli(['report', run, '-o', file]);
    expect(code, err).toBe(0);
    expect(existsSync(file)).toBe(true);
    const address = pathToFileURL(file).href;
    expect([...new Set((await work(address)).map((url) => url.split('#')[0]))]).toEqual([address]);
  });

  it('from disk lets no other script run and asks no address, whatever stands in it', async () => {
    const file = join(folder, 'alone.html');
    expect((await cli(['report', run, '-o', file])).code).toBe(0);
    const injected = `<script>window.ran = 'inline'</script><img src="x:" onerror="window.ran = 'handler'"><script src="https://example.com/a.js"></script>`;
    writeFileSync(file, readFileSync(file, 'utf8').replace('<noscript>', `${injected}<noscript>`));
    const page = await browser.newPage();
    await page.goto(pathToFileURL(file).href);
    await page.locator('es-tendency-image canvas').first().waitFor({ timeout: 20_000 });
    expect(
      await page.evaluate(async () => {
        const blocked = new Promise((resolve) =>
          addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective)),
        );
        await fetch('https://example.com/').catch(() => null);
        return [(window as { ran?: string }).ran, await blocked];
      }),
    ).toEqual([undefined, 'connect-src']);
    await page.close();
  });

  it('holds two runs in one page, side by side', async () => {
    const file = join(folder, 'two.html');
    const { code, err } = await cli(['report', run, run, '-o', file]);
    expect(code, err).toBe(0);
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.goto(`${pathToFileURL(file).href}#layer=S5`);
    await page.locator('summary[aria-label=More]').click();
    await page.getByLabel('Compare with').selectOption({ label: 'run (2)' });
    await expect
      .poll(() => page.locator('es-tendency-view .split es-tendency-image canvas').count(), {
        timeout: 20_000,
      })
      .toBe(2);
    expect(page.url()).toContain('versus=run:run%20(2)');
    await page.close();
  });

  it('is served, asking its own server only', async () => {
    const stop = new AbortController();
    let address = '';
    const serving = cli(['serve', run, '--port', '0'], stop.signal, (text) => (address += text));
    try {
      await expect.poll(() => address, { timeout: 10_000 }).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\n/);
      const origin = address.trim();
      for (const url of await work(origin)) expect(url.startsWith(origin), url).toBe(true);
    } finally {
      stop.abort();
      await serving;
    }
  });
});
