// The Snakefile of integrations/snakemake with a real Snakemake, here and on Slurm.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bitsOf, done, program, removed, root, run, Slurm, scratch, writeBlobs } from './harness.js';

// Empty: it could not be installed, as scripts/test.mjs says.
const snakemake = process.env.SNAKEMAKE ?? 'snakemake';
const slurm = new Slurm();
const folder = scratch('snakemake');
const at = (...parts: string[]) => join(folder, ...parts);

beforeAll(async () => {
  slurm.up();
  writeBlobs(at('x.npy'), 4000, 12, 5);
  await done('tendency', at('x.npy'), '-o', at('one'));
}, 120_000);
afterAll(() => {
  slurm.down();
  removed(folder);
});

const snake = (batch: string, result: string, ...args: string[]) =>
  run(snakemake, [
    '--snakefile',
    join(root, 'integrations/snakemake/Snakefile'),
    ...['--directory', at(batch), ...args],
    ...[
      '--config',
      `batch=${at(batch)}`,
      `result=${at(result)}`,
      `epochscope=${process.execPath} ${program}`,
    ],
  ]);

describe.skipIf(!snakemake)('Snakemake', () => {
  it('does every task and reduce, and only what is missing when it is called again', async () => {
    await done('batch', 'plan', at('here'), '--tasks', '7', '--no-estimate', '--', 'tendency', at('x.npy'));
    const first = await snake('here', 'result', '--cores', '2');
    expect(first.err).toMatch(/7 of|9 of 9 steps|8 of 8 steps/);
    expect(first.code).toBe(0);
    expect(bitsOf(at('result'))).toEqual(bitsOf(at('one')));
    const [{ key }] = JSON.parse((await run('cat', [at('here', 'plan.json')])).out).tasks;
    rmSync(at('here', 'parts', key), { recursive: true });
    rmSync(at('result'), { recursive: true });
    const second = await snake('here', 'result', '--cores', '2');
    expect(second.code).toBe(0);
    expect(second.err.match(/rule task:/g)).toHaveLength(1);
    expect(bitsOf(at('result'))).toEqual(bitsOf(at('one')));
  }, 600_000);

  it('on Slurm by its generic way, with squeue for the state of jobs', async () => {
    await done('batch', 'plan', at('there'), '--tasks', '3', '--no-estimate', '--', 'tendency', at('x.npy'));
    const answer = await snake(
      'there',
      'there-result',
      ...['--profile', join(root, 'integrations/snakemake/slurm')],
    );
    expect(answer.code, answer.err).toBe(0);
    expect(existsSync(at('there-result', 'result.json'))).toBe(true);
    expect(bitsOf(at('there-result'))).toEqual(bitsOf(at('one')));
  }, 600_000);
});
