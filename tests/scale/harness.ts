import { execFile, execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { random } from '@epochscope/analysis/methods';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const program = join(root, 'packages/cli/dist/main.js');

export interface Answer {
  code: number;
  out: string;
  err: string;
}

/** A command to its end. */
export function run(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve) => {
    execFile(command, [...args], { env: { ...process.env, ...env }, maxBuffer: 1e8 }, (error, out, err) =>
      resolve({ code: error ? Number(error.code ?? 255) : 0, out, err }),
    );
  });
}

/** The command line, as a process of its own. */
export const epochscope = (...args: string[]): Promise<Answer> => run(process.execPath, [program, ...args]);

/** The same, which must succeed. */
export async function done(...args: string[]): Promise<Answer> {
  const answer = await epochscope(...args);
  if (answer.code !== 0) throw new Error(`epochscope ${args.join(' ')}: ${answer.err}`);
  return answer;
}

/** Begun, to be killed. */
export const begun = (...args: string[]) => spawn(process.execPath, [program, ...args], { stdio: 'ignore' });

export const scratch = (name: string): string => mkdtempSync(join(tmpdir(), `epochscope-${name}-`));
/** Daemons that are stopping may still write into it. */
export const removed = (folder: string) =>
  rmSync(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });

/** An .npy file of float32 blobs around ten centres. */
export function writeBlobs(file: string, n: number, d: number, seed: number): void {
  const draw = random(seed);
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${n}, ${d}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64;
  const head = Buffer.alloc(length, ' ');
  head.write('\x93NUMPY\x01\x00', 0, 'latin1');
  head.writeUInt16LE(length - 10, 8);
  head.write(`${text}`, 10);
  head.write('\n', length - 1);
  const fd = openSync(file, 'w');
  writeSync(fd, head);
  const centres = Float32Array.from({ length: 10 * d }, () => 8 * draw.uniform() - 4);
  for (let from = 0; from < n; from += 10_000) {
    const rows = Math.min(10_000, n - from);
    const x = new Float32Array(rows * d);
    for (let r = 0; r < rows; r++) {
      const centre = d * draw.below(10);
      for (let k = 0; k < d; k++)
        x[r * d + k] = centres[centre + k]! + 2 * (draw.uniform() + draw.uniform() + draw.uniform() - 1.5);
    }
    writeSync(fd, Buffer.from(x.buffer));
  }
  closeSync(fd);
}

/** Each writing of a result has a folder of its own for arrays. */
export const TOKEN = /data-[0-9a-f]{20}/g;

/** A result's bits, but for what time it took. */
export function bitsOf(folder: string): { text: string; arrays: Record<string, string> } {
  const result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'), (name, value) =>
    /seconds/i.test(name) ? undefined : value,
  );
  const arrays: Record<string, string> = {};
  for (const name of execFileSync('find', [folder, '-name', '*.npy'], { encoding: 'utf8' })
    .trim()
    .split('\n'))
    arrays[name.slice(folder.length).replace(TOKEN, 'data')] = execFileSync('sha256sum', [name], {
      encoding: 'utf8',
    }).slice(0, 64);
  return { text: JSON.stringify(result).replaceAll(TOKEN, 'data'), arrays };
}

/** A Slurm of two nodes of one processor each. */
export class Slurm {
  readonly state = scratch('slurm');
  readonly env = { SLURM_CONF: join(this.state, 'slurm.conf') };

  up(): void {
    execFileSync(join(root, 'tests/scale/slurm.sh'), ['up', this.state, '2'], { stdio: 'inherit' });
    Object.assign(process.env, this.env);
  }
  down(): void {
    execFileSync(join(root, 'tests/scale/slurm.sh'), ['down', this.state], { stdio: 'inherit' });
    removed(this.state);
  }
  /** Waits until jobs have ended, however they did. */
  async ended(jobs: readonly string[], seconds = 600): Promise<void> {
    for (let tried = 0; tried < 2 * seconds; tried++) {
      const { out } = await run('squeue', ['-h', '-j', jobs.join(',')]);
      if (!out.trim()) return;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    throw new Error(`jobs ${jobs.join(', ')} did not end within ${seconds} s`);
  }
}

/** Submits a plan's missing tasks and waits for reduce. */
export async function submitted(
  slurm: Slurm,
  folder: string,
  ...args: string[]
): Promise<{ missing: number }> {
  const { out } = await done('batch', 'submit', folder, '--slurm', '--json', ...args);
  const { jobs, reduce, missing } = JSON.parse(out);
  await slurm.ended([...jobs, reduce]);
  return { missing };
}
