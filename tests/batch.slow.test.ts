import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeNpy } from '@epochscope/analysis/formats';
import { random } from '@epochscope/analysis/methods';
import { afterAll, describe, expect, it } from 'vitest';
import { cli } from './harness.js';

const folder = mkdtempSync(join(tmpdir(), 'epochscope-batch-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...parts: string[]) => join(folder, ...parts);

const [n, d] = [420, 6];
const draw = random(1);
const data = Float32Array.from({ length: n * d }, (_, i) => 6 * (Math.floor(i / d) % 3) + draw.normal());
const bytes = encodeNpy(data, [n, d]);
writeFileSync(at('x.npy'), bytes);
writeFileSync(at('x.bin'), new Uint8Array(data.buffer));
for (const [i, [from, to]] of [
  [0, 150],
  [150, 160],
  [160, n],
].entries())
  writeFileSync(at(`part-${i + 9}.npy`), encodeNpy(data.subarray(from! * d, to! * d), [to! - from!, d]));

/** Order and weights of a result, as bytes. */
function treeOf(result: string): string[] {
  const arrays = readdirSync(at(result), { recursive: true }).map(String);
  return ['order', 'weights', 'parent', 'vat.data'].map((name) =>
    readFileSync(at(result, arrays.find((path) => path.endsWith(`panels.0.${name}.npy`))!)).toString(
      'base64',
    ),
  );
}

describe('epochscope batch', () => {
  it('does a command as tasks, with the bytes of the command itself; raw numbers, files of rows, addresses too', async () => {
    expect((await cli('tendency', at('x.npy'), '-o', at('one'), '--seed', '3')).code).toBe(0);
    const server = createServer((request, response) => {
      const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '')!.map(Number) as [
        number,
        number,
        number,
      ];
      const end = Math.min(to, bytes.length - 1);
      response.writeHead(206, { 'content-range': `bytes ${from}-${end}/${bytes.length}`, etag: '"1"' });
      response.end(bytes.subarray(from, end + 1));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      for (const [name, ...input] of [
        ['npy', at('x.npy')],
        ['raw', at('x.bin'), '--raw', `float32:${d}`],
        ['rows', at('part-*.npy')],
        ['http', `http://127.0.0.1:${port}/x.npy`],
      ] as [string, ...string[]][]) {
        const tasks = name === 'npy' ? '7' : '3';
        const plan = await cli(
          'batch',
          'plan',
          at(name),
          '--tasks',
          tasks,
          '--json',
          '--',
          'tendency',
          ...input,
          '--seed',
          '3',
          '-o',
          at(`${name}-result`),
        );
        expect(plan.code, plan.err).toBe(0);
        expect(JSON.parse(plan.out)).toMatchObject({
          tasks: Number(tasks),
          coreHours: [expect.any(Number), expect.any(Number)],
        });
        expect(JSON.parse(plan.out).reads).toBeGreaterThanOrEqual((name === 'npy' ? 3 : 2) * 4 * n * d);
        if (name !== 'npy') {
          expect((await cli('batch', 'task', at(name), '--index', '0-2')).code).toBe(0);
          expect((await cli('batch', 'reduce', at(name))).code).toBe(0);
          expect(treeOf(`${name}-result`), name).toEqual(treeOf('one'));
          continue;
        }
        expect(await cli('batch', 'task', at(name), '--index', '0-2,5')).toMatchObject({
          code: 0,
          out: 'done: 0-2,5\n',
        });
        expect(await cli('batch', 'status', at(name), '--array')).toMatchObject({ code: 1, out: '3-4,6\n' });
        expect((await cli('batch', 'reduce', at(name))).code).toBe(1);
        expect((await cli('batch', 'task', at(name), '--index', '3-6')).out).toBe(
          'done: 3-4,6\nwas done before: 5\n',
        );
        expect((await cli('batch', 'status', at(name))).code).toBe(0);
        const reduce = await cli('batch', 'reduce', at(name));
        expect(reduce.code, reduce.err).toBe(0);
        expect(treeOf(`${name}-result`), name).toEqual(treeOf('one'));
      }
    } finally {
      server.close();
    }
  }, 180_000);

  it('refuses what no task can do, and says usage from failure', async () => {
    const plan = (...command: string[]) => cli('batch', 'plan', at('none'), '--', ...command);
    expect(await plan('tendency', at('x.npy'), '--metric', 'gower')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--metric gower needs all rows at once'),
    });
    expect(await plan('info', at('x.npy'))).toMatchObject({
      code: 2,
      err: expect.stringContaining('expected a command, one of tendency'),
    });
    expect((await plan('tendency', at('x.npy'), '--no-such-option')).code).toBe(2);
    expect((await cli('batch', 'task', at('npy'))).code).toBe(2);
    expect(await cli('batch', 'task', at('npy'), '--index', '7')).toMatchObject({
      code: 2,
      err: expect.stringContaining('each under 7'),
    });
    expect((await cli('batch', 'submit', at('npy'))).code).toBe(2);
    const dry = await cli(
      'batch',
      'submit',
      at('npy'),
      '--slurm',
      '--dry-run',
      '--sbatch',
      '--partition=all',
    );
    expect(dry.out).toMatch(/sbatch --parsable .*--partition=all .*--mem=\d+M .*reduce\.sh/);
    expect(await cli('tendency', at('x.bin'), '--raw', 'float32:11')).toMatchObject({
      code: 1,
      err: expect.stringContaining('are no whole number of rows of 11 × float32'),
    });
  });

  it('refuses ties that take more than the memory, with the way out, where a task finds them and where all are put together', async () => {
    // Corners of a cube: neighbours, all equally far apart, have no neighbour in common.
    const bits = 12;
    const corners = Uint8Array.from(
      { length: bits * 2 ** bits },
      (_, i) => (Math.floor(i / bits) >> (i % bits)) & 1,
    );
    writeFileSync(at('cube.npy'), encodeNpy(corners, [2 ** bits, bits]));
    const command = ['tendency', at('cube.npy'), '--metric', 'manhattan'];
    expect((await cli(...command, '-o', at('cube-one'))).code).toBe(0);
    const made = ['batch', 'plan', at('cube'), '--tasks', '3', '--no-estimate'];
    expect((await cli(...made, '--', ...command, '-o', at('cube-result'))).code).toBe(0);
    const path = at('cube', 'plan.json');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('"memory":2000000000', '"memory":100000000'));
    const refused = {
      code: 3,
      err: expect.stringMatching(
        /pairs of \d+ points lie exactly as far apart as others that matter: these ties take more than .*; allow more by `?--memory`?, leave equal coordinates out, or take fewer samples/,
      ),
    };
    expect(await cli('batch', 'task', at('cube'), '--index', '0')).toMatchObject(refused);
    writeFileSync(path, text);
    expect((await cli('batch', 'task', at('cube'), '--index', '0-2')).code).toBe(0);
    expect(await cli('batch', 'reduce', at('cube'), '--memory', '100MB')).toMatchObject(refused);
    expect((await cli('batch', 'reduce', at('cube'))).code).toBe(0);
    expect(treeOf('cube-result')).toEqual(treeOf('cube-one'));
  }, 180_000);

  it('ends with 3 where a task would fail again', async () => {
    const path = at('npy', 'plan.json');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(/"version":"[^"]*"/, '"version":"0.0.1"'));
    expect(await cli('batch', 'status', at('npy'))).toMatchObject({
      code: 3,
      err: expect.stringContaining('was made by version 0.0.1'),
    });
    writeFileSync(path, text);
    // A copy has another time and is the same.
    utimesSync(at('x.npy'), 1, 1);
    expect((await cli('batch', 'reduce', at('npy'), '-o', at('again'))).code).toBe(0);
    expect(treeOf('again')).toEqual(treeOf('one'));
    writeFileSync(
      at('x.npy'),
      encodeNpy(
        data.map((x) => x + 1),
        [n, d],
      ),
    );
    expect(await cli('batch', 'reduce', at('npy'), '-o', at('never'))).toMatchObject({
      code: 3,
      err: expect.stringContaining('are not as they were when the plan was made'),
    });
    expect(existsSync(at('never'))).toBe(false);
    rmSync(at('npy', 'parts'), { recursive: true });
    expect(await cli('batch', 'task', at('npy'), '--index', '0')).toMatchObject({
      code: 3,
      err: expect.stringContaining('are not as they were when the plan was made'),
    });
  });
});
