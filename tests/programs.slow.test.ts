import { execFile } from 'node:child_process';
import { createReadStream, statSync } from 'node:fs';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type GeometryResult,
  geometryOfRun,
  type ModulesResult,
  modulesOfRun,
  openRun,
  readResult,
  type TendencyResult,
  tendencyOfRun,
} from '@epochscope/analysis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cli } from './harness.js';

// docs/programs: whole programs that people copy, run as they stand, and held against the command line.

const root = fileURLToPath(new URL('..', import.meta.url));
let folder: string;
let server: Server;
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
  // As any web server does it: files, ranges, nothing of ours.
  server = createServer((request, response) => {
    const file = join(folder, decodeURIComponent(new URL(request.url!, 'http://x/').pathname));
    const size = statSync(file, { throwIfNoEntry: false })?.isFile() ? statSync(file).size : null;
    if (size === null) return response.writeHead(404).end();
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const from = range ? Number(range[1]) : 0;
    const to = range?.[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
    response.writeHead(range ? 206 : 200, {
      'Content-Length': to - from + 1,
      'Accept-Ranges': 'bytes',
      ...(range ? { 'Content-Range': `bytes ${from}-${to}/${size}` } : {}),
    });
    if (request.method === 'HEAD' || to < from) return response.end();
    return createReadStream(file, { start: from, end: to }).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/run/`;
}, 120_000);
afterAll(async () => {
  server?.close();
  await rm(folder, { recursive: true, force: true });
});

it('run-over-http.mjs runs as it stands', async () => {
  const place = join(folder, 'program');
  await cp(join(root, 'docs', 'programs'), place, { recursive: true });
  await symlink(join(root, 'node_modules'), join(place, 'node_modules'));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    join(place, 'run-over-http.mjs'),
    url,
  ]);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^S3: \d+ blocks\n\d+ modules of 50 units\n\d+ spectra\n$/);
});

it('a run over HTTP, whose outputs are captured here, gives the bits of the command line on the folder', async () => {
  const run = await openRun(url);
  const tendency = await tendencyOfRun(run, { snapshots: ['last'] });
  const modules = await modulesOfRun(run, { snapshots: ['last'], samplesOf: 'run' });
  const geometry = await geometryOfRun(run, { snapshots: ['last'], inputs: 2, k: 5 });
  const on = join(folder, 'run');
  for (const argv of [
    ['tendency', on, '--snapshots', 'last'],
    ['modules', on, '--snapshots', 'last', '--samples-of', 'run'],
    ['geometry', on, '--snapshots', 'last', '--inputs', '2', '--k', '5'],
  ]) {
    const { code, err } = await cli(...argv);
    expect(code, err).toBe(0);
  }
  const here = <T extends TendencyResult | ModulesResult | GeometryResult>(method: string) =>
    readResult<T>(join(on, 'results', method, 'default'));
  const panel = (await here<TendencyResult>('tendency')).panels[0]!;
  const { order, weights, parent, blocks } = tendency.panels[0]!;
  expect({ order, weights, parent, blocks }).toEqual({
    order: panel.order,
    weights: panel.weights,
    parent: panel.parent,
    blocks: panel.blocks,
  });
  const snapshot = (await here<ModulesResult>('modules')).snapshots[0]!;
  expect(modules.snapshots[0]!.tree).toEqual(snapshot.tree);
  expect(modules.snapshots[0]!.labels).toEqual(snapshot.labels);
  const { spectra } = await here<GeometryResult>('geometry');
  expect(geometry.spectra.map(({ sigma }) => sigma)).toEqual(spectra.map(({ sigma }) => sigma));
}, 120_000);
