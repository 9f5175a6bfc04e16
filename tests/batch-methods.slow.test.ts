import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDigits } from './digits.js';
import { cli } from './harness.js';
import { bitsOf, TOKEN } from './scale/harness.js';

// Every command that `batch` takes, done as tasks: the bits of the command itself.

const folder = mkdtempSync(join(tmpdir(), 'epochscope-methods-'));
const at = (...parts: string[]) => join(folder, ...parts);
let server: Server;
let address = '';

async function done(...argv: string[]) {
  const answer = await cli(...argv);
  expect(answer.code, `${argv.join(' ')}: ${answer.err}`).toBe(0);
  return answer;
}

beforeAll(async () => {
  await done('train', 'lenet5', '--epochs', '1', '--snapshots', 'init,1', '--samples', '40', '-o', at('run'));
  server = createServer((request, response) => {
    try {
      const bytes = readFileSync(at('served', decodeURIComponent(request.url!)));
      const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '');
      if (!range) return void response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
      const [from, to] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
      response.writeHead(206, {
        'content-range': `bytes ${from}-${to}/${bytes.length}`,
        etag: `"${bytes.length}"`,
      });
      response.end(bytes.subarray(from, to + 1));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}, 600_000);
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** A run of its own, of the same name, so that nothing of another analysis is there already. */
function copied(name: string, side: 'one' | 'many'): string {
  // With its times, whole: they are part of which state of a file was read, and Node's own copy rounds them.
  mkdirSync(at(name, side), { recursive: true });
  execFileSync('cp', ['-a', at('run'), at(name, side, 'run')]);
  return at(name, side, 'run');
}

/** Plans, does every task in its order, puts together. */
async function byTasks(name: string, command: string[], least: number): Promise<void> {
  const batch = at(name, 'batch');
  const plan = await done('batch', 'plan', batch, '--json', '--', ...command);
  const { tasks } = JSON.parse(plan.out);
  expect(tasks, name).toBeGreaterThanOrEqual(least);
  expect((await cli('batch', 'reduce', batch)).code).toBe(1);
  await done('batch', 'task', batch, '--index', `0-${tasks - 1}`);
  await done('batch', 'status', batch);
  await done('batch', 'reduce', batch);
}

/** Files below a folder, each with its hash. */
const hashesOf = (place: string, ending: string): string[] =>
  readdirSync(place, { recursive: true })
    .map(String)
    .filter((path) => path.endsWith(ending))
    .sort()
    .map((path) => `${path.replace(TOKEN, 'data')} ${sha256(readFileSync(join(place, path)))}`);

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('as tasks', () => {
  it.each<[string, number, string[]]>([
    ['tendency', 3, ['--layers', 'P1,F4,R4']],
    ['modules', 2, ['--layers', 'R4', '--samples', '60']],
    ['change', 1, []],
    ['activity', 2, ['--samples', '30']],
    ['features', 2, ['--samples', '20', '--k', '3']],
    ['difference', 4, ['--map', '--layers', 'F4,R4']],
    ['geometry', 2, ['--inputs', '2', '--k', '4', '--layers', 'F4']],
  ])(
    '%s of a run',
    async (method, least, options) => {
      const [one, many] = [copied(method, 'one'), copied(method, 'many')];
      const out = (side: string) => ['-o', at(method, side, 'result')];
      await done(method, one, ...options, ...out('one'));
      await byTasks(method, [method, many, ...options, ...out('many')], least);
      expect(bitsOf(at(method, 'many', 'result'))).toEqual(bitsOf(at(method, 'one', 'result')));
    },
    600_000,
  );

  it('of a run that has changed since: none is done, nor put together, and a retry would not help', async () => {
    const run = copied('changed', 'many');
    const batch = at('changed', 'batch');
    const command = ['tendency', run, '--layers', 'R4', '-o', at('changed', 'result')];
    const plan = await done('batch', 'plan', batch, '--json', '--', ...command);
    // Two captures, each before its panel.
    expect(JSON.parse(plan.out).tasks).toBe(4);
    await done('batch', 'task', batch, '--index', '0');
    const refused = async (path: string, index: number) => {
      const original = readFileSync(join(run, path));
      const bytes = Buffer.from(original);
      bytes[bytes.length - 1]! ^= 1;
      writeFileSync(join(run, path), bytes);
      const is = (text: string) => ({ code: 3, err: expect.stringContaining(`${path} ${text}`) });
      const task = () => cli('batch', 'task', batch, '--index', String(index));
      expect(await task()).toMatchObject(is('is not as it was when the plan was made; make a new plan'));
      rmSync(join(run, path));
      expect(await task()).toMatchObject(is('is not there any more, as it was when the plan was made'));
      writeFileSync(join(run, path), original);
    };
    // What a panel reads, and what a capture reads.
    await refused('samples/labels.npy', 1);
    await refused('samples/inputs.npy', 2);
    await refused('snapshots/epoch-0001/weights.safetensors', 2);
    // All is as it was, but for its times.
    await done('batch', 'task', batch, '--index', '1-3');
  }, 300_000);

  it('prune, whose rounds follow each other', async () => {
    const [one, many] = [copied('prune', 'one'), copied('prune', 'many')];
    const options = ['--rounds', '2', '--epochs', '0'];
    await done('prune', one, ...options, '-o', at('prune', 'one', 'pruned'));
    await byTasks('prune', ['prune', many, ...options, '-o', at('prune', 'many', 'pruned')], 2);
    expect(bitsOf(at('prune', 'many', 'pruned', 'results', 'prune', 'default'))).toEqual(
      bitsOf(at('prune', 'one', 'pruned', 'results', 'prune', 'default')),
    );
  }, 600_000);

  it('import, as one task', async () => {
    const from = fileURLToPath(new URL('fixtures/checkpoints/diffusers', import.meta.url));
    mkdirSync(at('import'));
    await done('import', from, '-o', at('import', 'one'));
    await byTasks('import', ['import', from, '-o', at('import', 'many')], 1);
    const weights = hashesOf(at('import', 'many'), '.safetensors');
    expect(weights).toEqual(hashesOf(at('import', 'one'), '.safetensors'));
    expect(weights).toHaveLength(2);
    const run = (side: string) => readFileSync(at('import', side, 'run.json'), 'utf8');
    expect(run('many')).toBe(run('one'));
  }, 300_000);

  it('reproduce, a task a seed, put together as one machine does', async () => {
    const digits = at('digits');
    mkdirSync(digits);
    writeDigits(digits, 600);
    const options = ['reproduce', 'satoh', '--quick', '--data', digits, '--epochs', '1', '--seeds', '2'];
    await done(...options, '-o', at('satoh', 'one'));
    await byTasks('satoh', [...options, '-o', at('satoh', 'many')], 2);
    const claims = (side: string) => ({
      ...JSON.parse(readFileSync(at('satoh', side, 'claims.json'), 'utf8')),
      seconds: 0,
    });
    expect(claims('many')).toEqual(claims('one'));
    expect(claims('many').seeds).toEqual([1, 2]);
    for (const ending of ['.png', '.safetensors', '.npy']) {
      const hashes = hashesOf(at('satoh', 'many'), ending);
      expect(hashes).toEqual(hashesOf(at('satoh', 'one'), ending));
      expect(hashes.length).toBeGreaterThanOrEqual(4);
    }
    expect((await cli('batch', 'reduce', at('satoh', 'batch'), '-o', at('satoh', 'else'))).code).toBe(2);
    expect((await cli('batch', 'plan', at('none'), '--', 'reproduce')).code).toBe(2);
  }, 600_000);

  it('of a run at an address, read by ranges', async () => {
    cpSync(at('run'), at('served', 'run'), { recursive: true });
    const options = ['--layers', 'F4'];
    await done('tendency', copied('http', 'one'), ...options, '-o', at('http', 'one', 'result'));
    // Outputs are there: nothing can be captured into a run that is only read.
    rmSync(at('served', 'run'), { recursive: true });
    cpSync(at('http', 'one', 'run'), at('served', 'run'), { recursive: true });
    await done('tendency', `${address}/run`, ...options, '-o', at('http', 'plain', 'result'));
    await byTasks('http', ['tendency', `${address}/run`, ...options, '-o', at('http', 'many', 'result')], 2);
    expect(bitsOf(at('http', 'many', 'result'))).toEqual(bitsOf(at('http', 'plain', 'result')));
    expect(bitsOf(at('http', 'many', 'result')).arrays).toEqual(bitsOf(at('http', 'one', 'result')).arrays);
  }, 600_000);
});
