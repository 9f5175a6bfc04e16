import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readResult, storeOf, zipOf } from '@epochscope/analysis';
import { encodeNpy, encodeNpz, encodeSafetensors } from '@epochscope/analysis/formats';
import type { TendencyResult } from '@epochscope/analysis/results';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, drop, useBench } from './workbench.js';

// What else people drop or point the page at: arrays in one file, tables, zips, addresses, checkpoints of other tools.

const layouts = fileURLToPath(new URL('fixtures/layouts', import.meta.url));
let run: string;
/** Another place of the web, with and without leave for other pages. */
let elsewhere: { url: string; closed: string; server: Server };

const [N, D] = [200, 5];
const points = (groups: number) => {
  let state = 11;
  const random = () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
  return Float32Array.from(
    { length: N * D },
    (_, i) => (i % D === Math.floor(i / D) % groups ? 6 : 0) + random(),
  );
};

/** Files of the folder: under /open/ any page may read them. Ranges as static hosts answer them. */
async function serveFolder(): Promise<typeof elsewhere> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, 'http://x').pathname);
    if (path.startsWith('/open/')) {
      response.setHeader('Access-Control-Allow-Origin', '*');
      response.setHeader('Access-Control-Allow-Headers', '*');
      response.setHeader('Access-Control-Expose-Headers', '*');
    }
    if (request.method === 'OPTIONS') return response.end();
    readFile(join(bench.folder, path.replace(/^\/(open|closed)\//, ''))).then(
      (body) => {
        const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
        response.setHeader('Accept-Ranges', 'bytes');
        if (from === undefined) {
          response.setHeader('Content-Length', body.length);
          return response.end(request.method === 'HEAD' ? undefined : body);
        }
        const end = to ? Math.min(Number(to) + 1, body.length) : body.length;
        response.statusCode = 206;
        response.setHeader('Content-Range', `bytes ${from}-${end - 1}/${body.length}`);
        response.setHeader('Content-Length', end - Number(from));
        return response.end(body.subarray(Number(from), end));
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `${url}/open`, closed: `${url}/closed`, server };
}

const bench = useBench('app-drops', async (folder) => {
  run = join(folder, 'small');
  await cli(
    'train',
    '--model',
    'mlp',
    '--epochs',
    '1',
    '--snapshots',
    'init,1',
    '--samples',
    '40',
    '-o',
    run,
  );
  await cli('tendency', run);
  await writeFile(join(folder, 'three.npy'), encodeNpy(points(3), [N, D]));
  await writeFile(
    join(folder, 'both.npz'),
    encodeNpz(
      new Map([
        ['three', { data: points(3), shape: [N, D] }],
        ['two', { data: points(2), shape: [N, D] }],
      ]),
    ),
  );
  await writeFile(
    join(folder, 'both.safetensors'),
    encodeSafetensors(
      new Map([
        ['layer.a', { data: points(3), shape: [N, D], dtype: 'float32' }],
        ['layer.b', { data: points(2), shape: [N, D], dtype: 'float32' }],
      ]),
    ),
  );
  const rows = points(3);
  await writeFile(
    join(folder, 'table.tsv'),
    `${['a', 'b', 'c', 'd', 'e', 'kind'].join('\t')}\n${Array.from({ length: N }, (_, i) => [...rows.subarray(i * D, (i + 1) * D), 'xyz'[i % 3]].join('\t')).join('\n')}\n`,
  );
  await writeFile(join(folder, 'small.zip'), await zipOf(await storeOf(run)));
});
beforeAll(async () => {
  elsewhere = await serveFolder();
});
afterAll(() => {
  elsewhere?.server.closeAllConnections();
  elsewhere?.server.close();
});

const computed = (page: Page) =>
  page.locator('es-matrix-bar', { hasText: 'computed here' }).waitFor({ timeout: 60_000 });
const panelOf = (page: Page) =>
  page.evaluate(() => {
    const { source } = document.querySelector('es-app') as unknown as {
      source: { tendency: TendencyResult };
    };
    const [panel] = source.tendency.panels;
    return { order: [...panel!.order], weights: [...panel!.weights], blocks: panel!.blocks.ranges };
  });
async function commandsPanel(...argv: string[]) {
  const out = await mkdtemp(join(bench.folder, 'out-'));
  await cli('tendency', ...argv, '-o', join(out, 'r'));
  const [panel] = (await readResult<TendencyResult>(join(out, 'r'))).panels;
  return { order: [...panel!.order], weights: [...panel!.weights], blocks: panel!.blocks.ranges };
}
const ask = async (page: Page, url: string) => {
  await page.getByLabel('Address of a run').fill(url);
  await page.getByRole('button', { name: 'Open', exact: true }).click();
};

describe('what people drop', () => {
  it.each([
    ['both.npz', 'two'],
    ['both.safetensors', 'layer.b'],
  ])('%s: its first array at once, another by name', { timeout: 120_000 }, async (name, other) => {
    const { page, context, problems } = await bench.visit();
    await drop(page, join(bench.folder, name));
    await computed(page);
    const array = page.locator('es-matrix-bar select[name=array]');
    const first = await array.inputValue();
    expect(await panelOf(page)).toEqual(await commandsPanel(`${join(bench.folder, name)}:${first}`));
    await array.selectOption(other);
    const there = await commandsPanel(`${join(bench.folder, name)}:${other}`);
    await expect.poll(() => panelOf(page), { timeout: 30_000 }).toEqual(there);
    expect(problems).toEqual([]);
    await context.close();
  });

  it('a .tsv: the bits of the command line with its labels', { timeout: 120_000 }, async () => {
    const { page, context, problems } = await bench.visit();
    await drop(page, join(bench.folder, 'table.tsv'));
    await computed(page);
    expect(await page.locator('es-matrix-bar select[name=labels]').inputValue()).toBe('kind');
    expect(await panelOf(page)).toEqual(
      await commandsPanel(join(bench.folder, 'table.tsv'), '--labels', 'column:kind'),
    );
    expect(problems).toEqual([]);
    await context.close();
  });

  it('a run’s zip: its dashboard', { timeout: 120_000 }, async () => {
    const { page, context, problems } = await bench.visit();
    await drop(page, join(bench.folder, 'small.zip'));
    await page.locator('[data-stage=story] h1').waitFor({ timeout: 60_000 });
    expect(await page.locator('.epoch-thumb').count()).toBe(2);
    expect(problems).toEqual([]);
    await context.close();
  });

  it.each([
    ['lightning', 3],
    ['keras-zip', 3],
    ['hf-bin', 3],
  ])(
    'checkpoints of another tool, %s: imported in the page, and how the weights moved',
    { timeout: 120_000 },
    async (layout, count) => {
      const { page, context, problems } = await bench.visit();
      await drop(page, join(layouts, layout));
      await page.locator('es-dashboard header').waitFor({ timeout: 60_000 });
      await expect.poll(() => page.locator('.epoch-thumb').count(), { timeout: 30_000 }).toBe(count);
      await page.locator('[data-tab=change]').click();
      await page.getByRole('button', { name: 'Compute here' }).click();
      await page.locator('es-change-view').waitFor({ timeout: 60_000 });
      expect(problems).toEqual([]);
      await context.close();
    },
  );
});

describe('addresses', () => {
  it('a run’s folder, a file of rows and a zip on another web server', { timeout: 180_000 }, async () => {
    for (const [path, ready] of [
      ['small', '[data-stage=story] h1'],
      ['small.zip', '[data-stage=story] h1'],
      ['three.npy', 'es-tendency-image canvas'],
    ] as const) {
      const { page, context, problems } = await bench.visit();
      await ask(page, `${elsewhere.url}/${path}`);
      await page.locator(ready).first().waitFor({ timeout: 60_000 });
      expect(problems, path).toEqual([]);
      await context.close();
    }
  });

  it('in the page’s own address', { timeout: 60_000 }, async () => {
    const { page, context } = await bench.visit();
    await page.goto(`${bench.site.url}?run=${encodeURIComponent(`${elsewhere.url}/small`)}`);
    await page.locator('[data-stage=story] h1').waitFor({ timeout: 60_000 });
    await context.close();
  });

  it('says why it cannot be read: nothing there, no leave, no run', { timeout: 120_000 }, async () => {
    await cp(join(bench.folder, 'three.npy'), join(bench.folder, 'empty.bin'));
    for (const [url, said] of [
      [`${elsewhere.url}/nothing.npy`, '404'],
      [`${elsewhere.closed}/three.npy`, 'Access-Control-Allow-Origin'],
      [`${elsewhere.closed}/small`, elsewhere.closed],
      [`${elsewhere.url}/none`, '/none'],
    ] as const) {
      const { page, context } = await bench.visit();
      await ask(page, url);
      const alert = page.locator('[role=alert]').first();
      await alert.waitFor({ timeout: 60_000 });
      expect(await alert.textContent()).toContain(said);
      await context.close();
    }
  });
});
