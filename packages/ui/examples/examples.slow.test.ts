import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// The examples as people use them: the plain page opened from disk, React and Vue built by Vite and served.

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
let browser: Browser;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'epochscope-examples-'));
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens, waits for the picture, chooses a place in it, and gives what the page then says. */
async function use(address: string): Promise<{ page: Page; problems: string[]; chosen: string }> {
  const page = await browser.newPage({ viewport: { width: 900, height: 800 } });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('requestfailed', (request) => problems.push(request.url()));
  await page.goto(address);
  const canvas = page.locator('es-tendency-image canvas');
  await canvas.waitFor();
  const box = (await canvas.boundingBox())!;
  await canvas.click({ position: { x: box.width * 0.9, y: box.height * 0.5 } });
  await page.waitForFunction(() => document.getElementById('chosen')!.textContent !== 'nothing');
  const chosen = (await page.locator('#chosen').textContent())!;
  const colours = await canvas.evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    const { data } = (element as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
  expect(colours).toBeGreaterThan(4);
  return { page, problems, chosen };
}

function serve(root: string): Promise<Server> {
  const types: Record<string, string> = {
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.css': 'text/css',
  };
  const server = createServer((request, response) => {
    const name = request.url === '/' ? 'index.html' : request.url!.slice(1);
    try {
      const body = readFileSync(join(root, name));
      response
        .writeHead(200, { 'Content-Type': types[extname(name)] ?? 'application/octet-stream' })
        .end(body);
    } catch {
      response.writeHead(name === 'favicon.ico' ? 204 : 404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

describe('an element', () => {
  it('in a plain page opened from disk', async () => {
    const { page, problems, chosen } = await use(pathToFileURL(here('html/index.html')).href);
    expect(problems).toEqual([]);
    expect(chosen).toMatch(/^sample \d+ in block \d+$/);
    // Styled from outside by a custom property and a part.
    const style = await page
      .locator('es-tendency-image [part=readout]')
      .evaluate((element) => getComputedStyle(element).fontStyle);
    expect(style).toBe('italic');
    await page.close();
  });

  it('that analyses points itself, opened from disk', { timeout: 60_000 }, async () => {
    const page = await browser.newPage({ viewport: { width: 1000, height: 900 } });
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(pathToFileURL(here('html/points.html')).href);
    await page.locator('es-tendency-image canvas').first().waitFor({ timeout: 50_000 });
    const blocks = await page
      .locator('es-tendency-view')
      .evaluate(
        (element) =>
          (element as unknown as { data: { panels: { blocks: { count: number } }[] } }).data.panels[0]!.blocks
            .count,
      );
    expect(blocks).toBe(3);
    expect(problems).toEqual([]);
    await page.close();
  });

  it.each(['react', 'vue'])('in %s, built by Vite', async (name) => {
    const { build } = await import('vite');
    const outDir = join(folder, name);
    await build({
      configFile: here('vite.config.js'),
      root: here(name),
      logLevel: 'error',
      build: { outDir, emptyOutDir: true },
    });
    const server = await serve(outDir);
    try {
      const { page, problems, chosen } = await use(
        `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      );
      expect(problems).toEqual([]);
      expect(chosen).toMatch(/^sample \d+ in block \d+$/);
      // The framework handed the choice back as a property.
      const sample = await page
        .locator('es-tendency-image')
        .evaluate((element) => (element as unknown as { selection: { sample: number } }).selection.sample);
      expect(chosen).toContain(`sample ${sample} `);
      await page.close();
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
