import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, launch } from './workbench.js';

// The page of `epochscope serve` computes too: snapshots of a training are drawn as they arrive. A server that dies is said.

const program = fileURLToPath(new URL('../packages/cli/dist/main.js', import.meta.url));
let folder: string;
let run: string;
let browser: Browser;
const servers: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-app-serve-'));
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
  browser = await launch();
}, 240_000);
afterAll(async () => {
  await browser?.close();
  for (const child of servers) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function serve(target: string, ...more: string[]): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [program, 'serve', target, '--port', '0', '--json', ...more]);
  servers.push(child);
  const url = await new Promise<string>((done, fail) => {
    let out = '';
    child.stdout!.on('data', (text) => {
      out += text;
      const found = /"url": ?"([^"]+)"/.exec(out)?.[1];
      if (found) done(found);
    });
    child.once('exit', (code) => fail(new Error(`serve ended with ${code}: ${out}`)));
  });
  return { url, child };
}
async function visit(url: string): Promise<{ page: Page; problems: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(url);
  await page.locator('es-dashboard header').waitFor({ timeout: 60_000 });
  return { page, problems };
}
/** The run as it is after so many snapshots of its training. */
async function after(place: string, count: number, complete: boolean): Promise<void> {
  const manifest = JSON.parse(await readFile(join(run, 'run.json'), 'utf8'));
  await writeFile(
    join(place, 'run.json'),
    JSON.stringify({ ...manifest, complete, snapshots: manifest.snapshots.slice(0, count) }),
  );
}

describe('the page of a server', () => {
  it('draws snapshots as they arrive, and says within two seconds that the server died', {
    timeout: 240_000,
  }, async () => {
    const live = join(folder, 'live');
    await cp(run, live, { recursive: true });
    await after(live, 2, false);
    const { url, child } = await serve(live);
    const { page, problems } = await visit(url);
    const drawn = (count: number) =>
      expect.poll(() => page.locator('.epoch-thumb canvas').count(), { timeout: 90_000 }).toBe(count);
    await page.locator('[data-stage=story] h1', { hasText: 'so far' }).waitFor({ timeout: 90_000 });
    await drawn(2);
    await after(live, 3, true);
    await drawn(3);
    await page.locator('[data-stage=story] h1', { hasText: 'so far' }).waitFor({ state: 'detached' });
    const killed = Date.now();
    child.kill('SIGKILL');
    await page.getByText('The server does not answer any more').waitFor({ timeout: 10_000 });
    expect(Date.now() - killed).toBeLessThan(2000);
    // What is here stays.
    expect(await page.locator('[data-stage=story]').count()).toBe(1);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('computes a method here, and keeps the result in the page alone', { timeout: 240_000 }, async () => {
    const { url } = await serve(run);
    const { page, problems } = await visit(url);
    await page.locator('[data-tab=change]').click();
    await page.getByRole('button', { name: 'Compute here' }).click();
    await page.locator('es-change-view').waitFor({ timeout: 90_000 });
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save the run and its results as a zip' }).click();
    const zip = join(folder, 'served.zip');
    await (await waiting).saveAs(zip);
    await cli('info', zip);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('stands in a frame of a page whose origin was named', { timeout: 120_000 }, async () => {
    const outer = createServer((_, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end(`<iframe src="${inner}" width="1000" height="700"></iframe>`);
    });
    let inner = '';
    await new Promise<void>((done) => outer.listen(0, '127.0.0.1', done));
    const origin = `http://127.0.0.1:${(outer.address() as AddressInfo).port}`;
    const page = await browser.newPage();
    try {
      for (const [more, shown] of [
        [['--frame', origin], 1],
        [[], 0],
      ] as const) {
        inner = (await serve(run, ...more)).url;
        await page.goto(origin);
        const header = page.frameLocator('iframe').locator('es-dashboard header');
        if (shown) await header.waitFor({ timeout: 60_000 });
        else await page.waitForTimeout(1500);
        expect(await header.count()).toBe(shown);
      }
    } finally {
      await page.close();
      outer.close();
    }
  });

  it('hands out the files of a run and no others', async () => {
    await writeFile(join(run, 'secret.txt'), 'x');
    const { url } = await serve(run);
    const status = async (path: string) => (await fetch(`${url}api/runs/small/files/${path}`)).status;
    expect(await status('run.json')).toBe(200);
    expect(await status('samples/inputs.npy')).toBe(200);
    const index = await (await fetch(`${url}api/runs/small/files/index.json`)).json();
    expect(Object.keys(index.files)).toContain('samples/inputs.npy');
    expect(Object.keys(index.files)).not.toContain('secret.txt');
    for (const path of [
      'secret.txt',
      'results/../secret.txt',
      '..%2Fsmall/run.json',
      'samples/%2e%2e/secret.txt',
      'run.json/x',
      '%E0%A4%A',
    ])
      expect([404, 400], path).toContain(await status(path));
  });
});
