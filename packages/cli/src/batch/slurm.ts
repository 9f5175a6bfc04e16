import { execFile } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { arrayForm, type BatchPlan, mergeBytes, wavesOf } from '@epochscope/analysis/batch';
import { EpochscopeError } from '@epochscope/core-wasm';
import { makeFolder, writeFileWhole } from '../files.js';
import type { Output } from '../output.js';

const run = promisify(execFile);

export interface SlurmOptions {
  output?: string;
  sbatch?: string;
  dryRun?: boolean;
  threads?: number;
  memory?: number;
}

/** Slurm's own default. */
const MAX_ARRAY = 1001;

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * Writes an array script and one for reduce into DIR/slurm, and submits what is missing: an array for each wave of tasks, each after the wave before it
 * has ended, however it ended; then reduce, which checks for itself. Throws `io` where sbatch refuses.
 */
export async function submitToSlurm(
  folder: string,
  plan: BatchPlan,
  missing: readonly number[],
  { output: place, sbatch, dryRun, threads = 1, memory }: SlurmOptions,
  output: Output,
): Promise<void> {
  const program = [process.execPath, process.argv[1]!].map(quoted).join(' ');
  const logs = join(folder, 'slurm');
  await makeFolder(logs);
  const head = `#!/bin/sh
#SBATCH --requeue
#SBATCH --open-mode=append
`;
  const common = `--threads ${threads}`;
  await script(
    join(logs, 'array.sh'),
    `${head}# One task of ${folder}/plan.json; EPOCHSCOPE_OFFSET is added where an array is too long for one.
exec ${program} batch task ${quoted(folder)} ${common} --index $((SLURM_ARRAY_TASK_ID + \${EPOCHSCOPE_OFFSET:-0}))
`,
  );
  await script(
    join(logs, 'reduce.sh'),
    `${head}# Runs whatever became of the tasks, checks every part, and says which indices are missing.
exec ${program} batch reduce ${quoted(folder)} ${common}${memory ? ` --memory ${memory}` : ''}${place ? ` -o ${quoted(place)}` : ''}
`,
  );
  const most = dryRun ? MAX_ARRAY : await maxArraySize();
  const wanted = new Set(missing);
  const calls: string[][] = [];
  const ids: string[] = [];
  let before: string[] = [];
  const extra = sbatch?.trim() ? sbatch.trim().split(/\s+/) : [];
  const submit = async (args: string[], scriptName: string): Promise<string> => {
    const call = [
      '--parsable',
      `--output=${join(logs, scriptName === 'array.sh' ? '%A_%a.log' : 'reduce-%j.log')}`,
      `--chdir=${plan.directory}`,
      `--cpus-per-task=${threads}`,
      ...(before.length ? [`--dependency=afterany:${before.join(':')}`] : []),
      ...extra,
      ...args,
      join(logs, scriptName),
    ];
    calls.push(call);
    if (dryRun) return `JOB${calls.length}`;
    try {
      const { stdout } = await run('sbatch', call);
      return stdout.trim().split(';')[0]!;
    } catch (cause) {
      const { stderr, code } = cause as { stderr?: string; code?: string };
      throw new EpochscopeError(
        'io',
        code === 'ENOENT'
          ? 'sbatch is not there: submit from a machine that has Slurm, or see --dry-run'
          : `sbatch refused: ${(stderr || String(cause)).trim().split('\n').at(-1)}`,
        { call: call.join(' ') },
      );
    }
  };
  const megabytes = (bytes: number) => `--mem=${Math.ceil(bytes / 2 ** 20)}M`;
  for (const wave of wavesOf(plan.tasks)) {
    const left = wave.filter((index) => wanted.has(index));
    if (!left.length) continue;
    const largest = Math.max(...left.map((index) => plan.tasks[index]!.memory));
    const now: string[] = [];
    // Indices of an array are under MaxArraySize.
    for (let offset = 0; offset <= left.at(-1)!; offset += most) {
      const some = left.filter((index) => index >= offset && index < offset + most);
      if (!some.length) continue;
      now.push(
        await submit(
          [
            `--array=${arrayForm(some.map((index) => index - offset))}`,
            `--export=ALL,EPOCHSCOPE_OFFSET=${offset}`,
            megabytes(largest),
            '--job-name=epochscope',
          ],
          'array.sh',
        ),
      );
    }
    ids.push(...now);
    before = now;
  }
  const { work } = plan;
  const together =
    memory ?? (work.kind === 'points' ? mergeBytes(work.points.n, work.points.conversion.width) : null);
  const reduce = await submit(
    [...(together ? [megabytes(together)] : []), '--job-name=epochscope-reduce'],
    'reduce.sh',
  );
  output.result(
    [
      ...(dryRun ? calls.map((call) => `sbatch ${call.join(' ')}`) : []),
      missing.length
        ? `${dryRun ? 'would submit' : 'submitted'} ${missing.length} of ${plan.tasks.length} tasks${dryRun ? '' : ` as ${ids.join(', ')}`}, then reduce${dryRun ? '' : ` as ${reduce}`}`
        : `all tasks are done; ${dryRun ? 'would submit reduce' : `submitted reduce as ${reduce}`}`,
      `logs: ${logs}; the same command again submits what is missing then`,
    ].join('\n'),
    { jobs: ids, reduce, calls, missing: missing.length },
  );
}

async function script(path: string, text: string): Promise<void> {
  await writeFileWhole(path, text);
  await chmod(path, 0o755);
}

async function maxArraySize(): Promise<number> {
  const { stdout } = await run('scontrol', ['show', 'config']).catch(() => ({ stdout: '' }));
  return Number(/MaxArraySize\s*=\s*(\d+)/.exec(stdout)?.[1] ?? MAX_ARRAY);
}
