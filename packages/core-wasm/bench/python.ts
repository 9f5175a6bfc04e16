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
 * A python3 process ($PYTHON or python3) that times SciPy and friends with its own clock; null-like peers report why
 * not.
 */
export async function pythonPeers() {
  const script = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'bench', 'peers.py');
  const folder = mkdtempSync(join(tmpdir(), 'epochscope-bench-'));
  const child: ChildProcess = spawn(process.env.PYTHON ?? 'python3', [script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // One thread, like the kernels beside it.
    env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('python3 ended');
    return JSON.parse(value as string);
  };
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  const versions: Record<string, string> = await next();
  let files = 0;

  return {
    versions,
    contenders({ python }: BenchCase): Contender[] {
      if (!python) return [];
      const file = join(folder, `${files++}.npy`);
      writeFileSync(file, npy(python.input()));
      return python.work.map((work) => ({
        name: work,
        run: async (calls) => {
          child.stdin!.write(`${JSON.stringify({ work, file, k: python.k ?? 0, calls })}\n`);
          const answer = await next();
          if (answer.error) throw new Error(answer.error);
          return answer;
        },
        selfTimed: true,
      }));
    },
    async close() {
      child.stdin!.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
