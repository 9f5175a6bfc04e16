// Tasks of a real Slurm of two nodes on this machine.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  begun,
  bitsOf,
  done,
  epochscope,
  removed,
  run,
  Slurm,
  scratch,
  submitted,
  writeBlobs,
} from './harness.js';

const slurm = new Slurm();
const folder = scratch('scale');
const at = (...parts: string[]) => join(folder, ...parts);
const tasksOf = (batch: string): { key: string }[] =>
  JSON.parse(readFileSync(at(batch, 'plan.json'), 'utf8')).tasks;
const logs = (batch: string) =>
  readdirSync(at(batch, 'slurm'))
    .filter((name) => name.endsWith('.log'))
    .map((name) => readFileSync(at(batch, 'slurm', name), 'utf8'))
    .join('');

beforeAll(async () => {
  slurm.up();
  writeBlobs(at('small.npy'), 5000, 20, 1);
  await done('tendency', at('small.npy'), '-o', at('small-one'));
}, 120_000);
afterAll(() => {
  slurm.down();
  removed(folder);
});

/** A plan of seven tasks of the small file. */
const planned = (batch: string) =>
  done(
    'batch',
    'plan',
    at(batch),
    '--tasks',
    '7',
    '--no-estimate',
    '--',
    'tendency',
    at('small.npy'),
    '-o',
    at(`${batch}-result`),
  );

describe('tasks on two nodes of Slurm', () => {
  it('give the bits of one machine for 150 000 × 84 points', async () => {
    writeBlobs(at('large.npy'), 150_000, 84, 2);
    await done('tendency', at('large.npy'), '-o', at('large-one'));
    await done(
      ...['batch', 'plan', at('large'), '--tasks', '13', '--no-estimate'],
      ...['--', 'tendency', at('large.npy'), '-o', at('large-two')],
    );
    await submitted(slurm, at('large'));
    expect(logs('large')).toMatch(/done: 12/);
    expect(bitsOf(at('large-two'))).toEqual(bitsOf(at('large-one')));
    const nodes = readFileSync(join(slurm.state, 'log', 'jobcomp'), 'utf8').match(/NodeList=\S+/g);
    expect(new Set(nodes)).toEqual(new Set(['NodeList=n1', 'NodeList=n2']));
  }, 900_000);

  it('compute a run’s layers × snapshots, what must be captured first, as one machine does', async () => {
    await done(
      ...['train', '--model', 'mlp', '--hidden', '30,20', '--epochs', '1', '--snapshots', 'init,1'],
      ...['--samples', '400', '-o', at('run')],
    );
    const { layers } = JSON.parse(readFileSync(at('run', 'run.json'), 'utf8')) as {
      layers: { name: string }[];
    };
    await run('sh', ['-c', `rm -rf ${at('run')}/snapshots/*/outputs`]);
    for (const where of ['one', 'two']) await run('cp', ['-a', at('run'), at(`run-${where}`)]);
    const options = ['--layers', layers.map(({ name }) => name).join(',')];
    await done('tendency', at('run-one'), ...options, '-o', at('panels-one'));
    await done(
      ...['batch', 'plan', at('panels'), '--', 'tendency', at('run-two'), ...options],
      '-o',
      at('panels-two'),
    );
    const { tasks } = JSON.parse(readFileSync(at('panels', 'plan.json'), 'utf8')) as {
      tasks: { after: number[] }[];
    };
    // Both snapshots are captured first.
    expect(tasks.filter(({ after }) => after.length === 0)).toHaveLength(2);
    expect(tasks).toHaveLength(2 + 2 * layers.length);
    await submitted(slurm, at('panels'));
    const bits = (name: string) => {
      const { text, arrays } = bitsOf(at(name));
      return { text: text.replaceAll(/run-(one|two)/g, 'run'), arrays };
    };
    expect(bits('panels-two')).toEqual(bits('panels-one'));
  }, 600_000);

  it('fail, are named by reduce, which ends all the same, and are submitted again by the same command', async () => {
    await planned('failing');
    const { key } = tasksOf('failing')[3]!;
    // Where the part's folder belongs stands a file.
    const store = at('failing', 'parts');
    await run('mkdir', ['-p', store]);
    writeFileSync(join(store, key), '');
    await submitted(slurm, at('failing'));
    expect(existsSync(at('failing-result'))).toBe(false);
    expect(logs('failing')).toContain('1 of 7 tasks are not done: --array=3');
    expect(await epochscope('batch', 'status', at('failing'), '--array')).toMatchObject({
      code: 1,
      out: '3\n',
    });
    rmSync(join(store, key));
    expect(await submitted(slurm, at('failing'))).toEqual({ missing: 1 });
    expect(bitsOf(at('failing-result'))).toEqual(bitsOf(at('small-one')));
  }, 300_000);

  it('are done again where a node is lost', async () => {
    await planned('lost');
    const { out } = await done('batch', 'submit', at('lost'), '--slurm', '--json');
    const { jobs, reduce } = JSON.parse(out);
    // A task on n2 is stopped, then all of that node dies.
    let step = '';
    for (let tried = 0; tried < 600 && !step; tried++) {
      const { out: running } = await run('squeue', ['-h', '-t', 'R', '-w', 'n2', '-o', '%A']);
      const id = running.trim().split('\n')[0];
      const { out: found } = id ? await run('pgrep', ['-f', `slurmstepd: \\[${id}\\.batch\\]`]) : { out: '' };
      step = found.trim().split('\n')[0] ?? '';
      if (!step) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(step).not.toBe('');
    const pids = [step, ...(await descendants(step))];
    for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
    process.kill(Number(readFileSync(join(slurm.state, 'slurmd-n2.pid'), 'utf8')), 'SIGKILL');
    await slurm.ended([...jobs, reduce]);
    expect(bitsOf(at('lost-result'))).toEqual(bitsOf(at('small-one')));
    const { out: nodes } = await run('sinfo', ['-h', '-N', '-o', '%N %t']);
    expect(nodes).toMatch(/n2 down/);
    expect(logs('lost').match(/done: \d/g)).toHaveLength(7);
  }, 600_000);
});

async function descendants(pid: string): Promise<string[]> {
  const { out } = await run('pgrep', ['-P', pid]);
  const children = out.trim().split('\n').filter(Boolean);
  return [...children, ...(await Promise.all(children.map(descendants))).flat()];
}

describe('a task', () => {
  it('that is killed while it writes leaves nothing that counts, and is done by the next', async () => {
    await planned('killed');
    const [{ key }] = tasksOf('killed') as [{ key: string }];
    let partial = 0;
    for (let round = 0; round < 4; round++) {
      const child = begun('batch', 'task', at('killed'), '--index', '0', '--threads', '1');
      const over = new Promise((resolve) => child.once('exit', resolve));
      // From its folder's first file on.
      for (let tried = 0; tried < 3000 && child.exitCode === null; tried++) {
        if (existsSync(at('killed', 'parts', key))) break;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      child.kill('SIGKILL');
      await over;
      if (existsSync(at('killed', 'parts', key, 'part.json')))
        rmSync(at('killed', 'parts', key), { recursive: true });
      else partial++;
    }
    expect(partial).toBeGreaterThan(0);
    expect((await epochscope('batch', 'status', at('killed'), '--array')).out).toBe('0-6\n');
    await done('batch', 'task', at('killed'), '--index', '0-6');
    await done('batch', 'reduce', at('killed'));
    expect(bitsOf(at('killed-result'))).toEqual(bitsOf(at('small-one')));
  }, 300_000);

  it('may be done twice at once, and a part that was cut or changed is found and done again', async () => {
    await planned('twice');
    const [first, second] = await Promise.all([
      epochscope('batch', 'task', at('twice'), '--index', '0-6'),
      epochscope('batch', 'task', at('twice'), '--index', '0-6'),
    ]);
    expect([first.code, second.code]).toEqual([0, 0]);
    expect((await done('batch', 'task', at('twice'), '--index', '2')).out).toBe('was done before: 2\n');
    const array = (index: number) => at('twice', 'parts', tasksOf('twice')[index]!.key, 'a0.npy');
    const whole = readFileSync(array(1));
    writeFileSync(array(1), whole.subarray(0, whole.length - 4));
    const changed = readFileSync(array(4));
    changed[changed.length - 2]! ^= 1;
    writeFileSync(array(4), changed);
    const status = await epochscope('batch', 'status', at('twice'));
    expect(status.code).toBe(1);
    expect(status.out).toMatch(
      /missing: --array=1,4\n1: .*expected \d+ bytes, got \d+\n4: .*is not as it was written/,
    );
    const reduce = await epochscope('batch', 'reduce', at('twice'));
    expect(reduce).toMatchObject({ code: 1 });
    expect(reduce.err).toContain('--array=1,4');
    expect(existsSync(at('twice-result'))).toBe(false);
    await done('batch', 'task', at('twice'), '--index', '1,4');
    await done('batch', 'reduce', at('twice'), '-o', at('elsewhere'));
    expect(bitsOf(at('elsewhere'))).toEqual(bitsOf(at('small-one')));
  }, 300_000);

  it('ends with 3 where it would fail again: changed input, another version', async () => {
    writeBlobs(at('changing.npy'), 900, 5, 3);
    await done(
      'batch',
      'plan',
      at('changed'),
      '--tasks',
      '3',
      '--no-estimate',
      '--',
      'tendency',
      at('changing.npy'),
      '-o',
      at('never'),
    );
    writeBlobs(at('changing.npy'), 900, 5, 4);
    const changed = await epochscope('batch', 'task', at('changed'), '--index', '0');
    expect(changed).toMatchObject({ code: 3 });
    expect(changed.err).toMatch(/rows 0 to 299 are not as they were when the plan was made/);
    await planned('version');
    const path = at('version', 'plan.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"version":"0.1.0"', '"version":"0.0.9"'));
    for (const action of [['task', '--index', '0'], ['status'], ['reduce']]) {
      const [name, ...rest] = action as [string, ...string[]];
      const other = await epochscope('batch', name, at('version'), ...rest);
      expect(other, name).toMatchObject({ code: 3 });
      expect(other.err).toContain('was made by version 0.0.9, this is 0.1.0');
    }
    expect((await epochscope('batch', 'task', at('version'))).code).toBe(3);
    expect((await epochscope('batch', 'fetch', at('version'))).code).toBe(2);
    expect((await epochscope('batch', 'plan', at('none'), '--', 'info', at('run'))).code).toBe(2);
  }, 300_000);
});
