import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Matrix } from '../src/matrix.js';
import type { BenchCase, Contender } from './types.js';

/** Little-endian float32 .npy of a matrix: 128 header bytes, then the data. */
function npy(m: Matrix): Uint8Array {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${m.shape[0]}, ${m.shape[1]}), }`.padEnd(
    117,
  );
  const out = new Uint8Array(128 + m.data.byteLength);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]);
  out.set(new TextEncoder().encode(`${text}\n`), 10);
  out.set(new Uint8Array(m.data.buffer, m.data.byteOffset, m.data.byteLength), 128);
  return out;
}

/**
 * A python3 process ($PYTHON or python3) that times SciPy and friends by its own processor time; peers that cannot run
 * report why not. One that is expected to take longer than `limit` seconds for a call is left out, one that does is
 * ended.
 */
export async function pythonPeers(limit: number) {
  const script = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'bench', 'peers.py');
  const folder = mkdtempSync(join(tmpdir(), 'epochscope-bench-'));
  const start = async () => {
    const child: ChildProcess = spawn(process.env.PYTHON ?? 'python3', [script], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // One thread, like the kernels beside it.
      env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
    });
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const next = async () => {
      const { value, done } = await lines.next();
      return done ? null : JSON.parse(value as string);
    };
    return { child, next, versions: (await next()) as Record<string, string> | null };
  };
  let python = await start();
  const { versions } = python;
  if (!versions) throw new Error('python3 ended');
  let files = 0;
  const run = async (work: string, file: string, k: number, calls: number) => {
    const timer = setTimeout(() => python.child.kill('SIGKILL'), 1000 * limit);
    python.child.stdin!.write(`${JSON.stringify({ work, file, k, calls })}\n`);
    const answer = await python.next();
    clearTimeout(timer);
    if (answer?.error) throw new Error(answer.error);
    if (answer) return answer;
    python = await start();
    throw new Error(`more than ${limit} s, or ended`);
  };

  return {
    versions,
    contenders({ python: wanted }: BenchCase): Contender[] {
      if (!wanted) return [];
      const file = join(folder, `${files++}.npy`);
      writeFileSync(file, npy(wanted.input()));
      return wanted.work.map((work) => {
        const expected = wanted.expected?.[work] ?? 0;
        const left = new Error(
          `left out: ${expected < Infinity ? `some ${Number(expected.toPrecision(1))} s` : 'n × n in memory'}, over the limit of ${limit} s`,
        );
        return {
          name: work,
          run: (calls) => (expected > limit ? Promise.reject(left) : run(work, file, wanted.k ?? 0, calls)),
          selfTimed: true,
        };
      });
    },
    async close() {
      python.child.stdin!.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
