import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';

const threadsIn = (env: Record<string, string>, before = '') =>
  Number(
    spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { createEngine, setDefaultThreads } = await import('@epochscope/analysis'); ${before}; const engine = createEngine(); console.log(engine.threads); await engine.close();`,
      ],
      { cwd: import.meta.dirname, env: { PATH: process.env.PATH!, ...env } },
    ).stdout.toString(),
  );

it('an engine takes what the process may use, under Slurm what the task was given, or what was asked for', () => {
  const all = Math.min(64, availableParallelism());
  expect(threadsIn({})).toBe(all);
  expect(threadsIn({ SLURM_CPUS_ON_NODE: '1' })).toBe(1);
  expect(threadsIn({ SLURM_CPUS_PER_TASK: '1', SLURM_CPUS_ON_NODE: '64' })).toBe(1);
  expect(threadsIn({ SLURM_CPUS_PER_TASK: 'many' })).toBe(all);
  expect(threadsIn({ SLURM_CPUS_PER_TASK: '1' }, 'setDefaultThreads(3)')).toBe(3);
});
