import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { cli as answered } from './harness.js';

// The workbench in Chromium, on a static host that sends no headers.

const dashboard = fileURLToPath(new URL('../packages/ui/dist/dashboard', import.meta.url));
const TYPES: Record<string, string> = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  wasm: 'application/wasm',
  ttf: 'font/ttf',
};

/** A plain static host. `extra`: a script added to the page, beside which it lies; `answered` gets what that posts. */
export async function host(
  extra = '',
  answered: (text: string) => void = () => {},
): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const path = new URL(request.url!, 'http://x').pathname;
    if (request.method === 'POST') {
      let text = '';
      request.on('data', (chunk) => (text += chunk));
      request.on('end', () => {
        response.end();
        answered(text);
      });
      return;
    }
    const send = (body: Buffer | string, name: string) => {
      response.setHeader('Content-Type', TYPES[name.split('.').at(-1)!] ?? 'application/octet-stream');
      response.end(body);
    };
    if (extra && path === '/extra.js') return send(extra, path);
    const name = path === '/' ? '/index.html' : path;
    readFile(join(dashboard, name)).then(
      (body) =>
        send(
          extra && name === '/index.html'
            ? body.toString().replace('</body>', '<script type="module" src="./extra.js"></script></body>')
            : body,
          name,
        ),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}

/** The command line, which must succeed. */
export async function cli(...argv: string[]): Promise<void> {
  const { code, err } = await answered(...argv);
  expect(code, err).toBe(0);
}

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });

export interface Visit {
  page: Page;
  context: BrowserContext;
  problems: string[];
}
/** A page of the workbench, and what went wrong in it. */
export async function visit(
  browser: Browser,
  url: string,
  options: {
    serviceWorkers?: 'allow' | 'block';
    colorScheme?: 'light' | 'dark';
    viewport?: { width: number; height: number };
  } = {},
): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    acceptDownloads: true,
    ...options,
  });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  // The question whether a server of ours is there is answered by 404.
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('404')) problems.push(message.text());
  });
  await page.goto(url);
  // Its service worker loads it once more, isolated.
  if (options.serviceWorkers !== 'block')
    await expect
      .poll(() => page.evaluate(() => crossOriginIsolated).catch(() => null), { timeout: 30_000 })
      .toBe(true);
  await page.locator('es-app h1').waitFor();
  return { page, context, problems };
}
/** As a person drops them: files and folders by their paths. */
export async function drop(page: Page, ...files: string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', {
      type,
      x: 300,
      y: 300,
      data: { items: [], files, dragOperationsMask: 1 },
    });
}

/** What the tests of a file share: a folder, the browser and the workbench on its host. */
export interface Bench {
  folder: string;
  browser: Browser;
  site: { url: string; server: Server };
  visit(options?: Parameters<typeof visit>[2]): Promise<Visit>;
}
/** Made before the tests of a file and removed after them; `prepare` fills the folder first. */
export function useBench(name: string, prepare: (folder: string) => Promise<void> = async () => {}): Bench {
  const bench = { visit: (options) => visit(bench.browser, bench.site.url, options) } as Bench;
  beforeAll(async () => {
    bench.folder = await mkdtemp(join(tmpdir(), `epochscope-${name}-`));
    await prepare(bench.folder);
    bench.browser = await launch();
    bench.site = await host();
  }, 240_000);
  afterAll(async () => {
    await bench.browser?.close();
    bench.site?.server.closeAllConnections();
    bench.site?.server.close();
    await rm(bench.folder, { recursive: true, force: true });
  });
  return bench;
}
