import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readResult, storeOf, within } from '@epochscope/analysis';
import { bytesSource, readNpy } from '@epochscope/analysis/formats';
import { decode } from 'fast-png';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cli } from './harness.js';
import { builtPage, folderServer, projectOfPrograms } from './page-server.js';

// docs/programs: whole programs that people copy, run as they stand, and held against the command line.

const root = fileURLToPath(new URL('..', import.meta.url));
let folder: string;
let server: Awaited<ReturnType<typeof folderServer>>;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-programs-'));
  const trained = await cli(
    'train',
    'mlp',
    '--hidden',
    '30,20',
    '--epochs',
    '2',
    '--samples',
    '200',
    '-o',
    join(folder, 'run'),
  );
  expect(trained.code, trained.err).toBe(0);
  server = await folderServer(() => folder);
  url = server.url;
}, 120_000);
afterAll(async () => {
  server?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A result without what differs by when and where it was computed. */
const bitsOf = (result: object): unknown =>
  JSON.parse(
    JSON.stringify(result, (key, value) =>
      /^(?:seconds|input|images)$/.test(key)
        ? undefined
        : ArrayBuffer.isView(value)
          ? `${value.constructor.name} ${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}`
          : value,
    ),
  );

const METHODS = ['tendency', 'modules', 'geometry'] as const;
let expected: Promise<unknown[]> | undefined;
/** What the command line writes beside the run itself. */
const ofCommandLine = () => (expected ??= computeByCommandLine());
async function computeByCommandLine(): Promise<unknown[]> {
  const on = join(folder, 'run');
  for (const argv of [
    ['tendency', on, '--snapshots', 'last'],
    ['modules', on, '--snapshots', 'last', '--samples-of', 'run'],
    ['geometry', on, '--snapshots', 'last', '--inputs', '2', '--k', '5'],
  ]) {
    const { code, err } = await cli(...argv, '-o', join(folder, 'cli', argv[0]!));
    expect(code, err).toBe(0);
  }
  return Promise.all(METHODS.map(async (method) => bitsOf(await readResult(join(folder, 'cli', method)))));
}

async function programs(): Promise<string> {
  const place = join(folder, 'program');
  await projectOfPrograms(place);
  return place;
}
const run = async (...argv: string[]) => promisify(execFile)(process.execPath, argv);

it('run-over-http.mjs, as it stands, has the bits of the command line on the folder', async () => {
  const results = join(folder, 'results');
  const { stdout, stderr } = await run(join(await programs(), 'run-over-http.mjs'), `${url}run/`, results);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^S3: \d+ blocks\n\d+ modules of 50 units\n\d+ spectra\n$/);
  const own = METHODS.map(async (method) => bitsOf(await readResult(join(results, method))));
  expect(await Promise.all(own)).toEqual(await ofCommandLine());
}, 120_000);

it('run-over-http.html, built as any page is and on any server, has them in Chromium', async () => {
  const place = await programs();
  await builtPage(place, 'run-over-http.html');
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  try {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('requestfailed', (request) => problems.push(`${request.url()} failed`));
    await page.goto(`${url}page/run-over-http.html?run=${encodeURIComponent(`${url}run/`)}`);
    await page.waitForSelector('#results[href]', { timeout: 90_000 }).catch((cause) => {
      throw new Error(`${problems.join('; ')} ${cause}`);
    });
    expect(await page.textContent('#says')).toMatch(
      /^S3: \d+ blocks\n\d+ modules of 50 units\n\d+ spectra\n$/,
    );
    const text = await page.evaluate(async () => {
      const bytes = new Uint8Array(await (await fetch(document.querySelector('a')!.href)).arrayBuffer());
      return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
    });
    const zip = await storeOf(new File([Buffer.from(text, 'latin1')], 'results.zip'));
    const own = METHODS.map(async (method) => bitsOf(await readResult(within(zip, method))));
    expect(await Promise.all(own)).toEqual(await ofCommandLine());
  } finally {
    await browser.close();
  }
}, 180_000);

it('picture-of-a-matrix.mjs draws a file’s tendency', async () => {
  const picture = join(folder, 'iris');
  await run(join(await programs(), 'picture-of-a-matrix.mjs'), join(root, 'tests/goldens/iris.npy'), picture);
  const svg = await readFile(`${picture}.svg`, 'utf8');
  expect(svg).toContain('<image');
  expect(svg).toContain('150 samples');
  const png = decode(await readFile(`${picture}.png`));
  expect(png.width).toBe(400);
  // Dark blocks and light rests.
  const greys = png.data.filter((_, i) => i % png.channels === 0);
  expect(greys.some((grey) => grey < 60) && greys.some((grey) => grey > 200)).toBe(true);
});

it('linkage-of-a-matrix.mjs prints SciPy’s linkage', async () => {
  const goldens = join(root, 'tests/goldens');
  const { stdout } = await run(
    join(await programs(), 'linkage-of-a-matrix.mjs'),
    join(goldens, 'iris_cos_cond.npy'),
    'average',
  );
  const heights = stdout
    .trim()
    .split('\n')
    .map((line) => Number(line.split(' ')[2]));
  const { data } = await readNpy(bytesSource('Z', await readFile(join(goldens, 'iris_cos_avg_Z.npy'))));
  const right = Array.from(data as Float64Array).filter((_, i) => i % 4 === 2);
  expect(heights).toHaveLength(right.length);
  for (const [k, height] of right.entries()) expect(heights[k]).toBeCloseTo(height, 6);
});

it('the programs stand in the README of analysis as they are', async () => {
  const readme = await readFile(join(root, 'packages/analysis/README.md'), 'utf8');
  for (const name of await readdir(join(root, 'docs', 'programs')))
    expect(readme, name).toContain((await readFile(join(root, 'docs', 'programs', name), 'utf8')).trimEnd());
});
