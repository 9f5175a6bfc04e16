import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createRun,
  listResults,
  openRun,
  type ResultBase,
  readResult,
  writeResult,
} from '@epochscope/analysis';
import { afterAll, beforeAll, expect, it } from 'vitest';

// A result is replaced again and again by processes that are killed at random moments, while another reads: the old one or the new one
// is there whole at every moment, and what a killed writer left is cleared. Commands as a whole: killed.slow.test.ts.

const KILLS = 12;
/** Arrays of one result, each full of the number in `parameters.value`. */
const ARRAYS = 4;
const WRITER = `
  const { writeResult } = await import('@epochscope/analysis');
  const [directory, from] = process.argv.slice(1);
  for (let value = Number(from); ; value++) {
    const panels = Array.from({ length: ${ARRAYS} }, () => ({ order: new Uint32Array(5000).fill(value) }));
    await writeResult(directory, 'results/test/default', {
      format: 'epochscope-result/2', method: 'test', name: 'default', tool: { name: 't', version: '1' },
      input: { source: 'x', files: {} }, parameters: { value }, seeds: {}, seconds: 0, panels });
    process.stdout.write(value + '\\n');
  }`;

interface Counted extends ResultBase {
  panels: { order: Uint32Array }[];
}

/** The value a result holds, in all its places. */
function valueIn({ parameters, panels }: Counted): number {
  const value = parameters.value as number;
  expect(panels).toHaveLength(ARRAYS);
  for (const { order } of panels) {
    expect(order.length).toBe(5000);
    expect(order.every((one) => one === value)).toBe(true);
  }
  return value;
}

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'epochscope-replaced-'));
  const init = { model: null, layers: [], classes: null, inputShape: null, training: null };
  await (await createRun(directory, init)).finish();
});
afterAll(() => rm(directory, { recursive: true, force: true }));

it(
  `nothing is lost over ${KILLS} killed writers, whatever the moment, and a reader meanwhile finds one result whole`,
  async () => {
    let random = 1;
    const next = () => {
      random = (random * 48271) % 2147483647;
      return random / 2147483647;
    };
    let stopped = false;
    let reads = 0;
    const reader = (async () => {
      let least = 0;
      while (!stopped) {
        const found = await readResult<Counted>(directory, 'results/test/default').catch((error) => {
          if (error.code === 'missing' && reads === 0) return null;
          throw error;
        });
        if (found) {
          const value = valueIn(found);
          // An older one never comes back.
          expect(value).toBeGreaterThanOrEqual(least);
          least = value;
          reads++;
        }
        await new Promise((resolve) => setTimeout(resolve));
      }
    })();
    reader.catch(() => {});
    let told = 0;
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        const child: ChildProcess = spawn(
          process.execPath,
          ['--input-type=module', '-e', WRITER, directory, String(1 + 1000 * kill)],
          { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] },
        );
        const ended = new Promise((resolve) => child.once('exit', resolve));
        let text = '';
        await new Promise<void>((resolve) => {
          child.stdout!.on('data', (chunk) => {
            text += chunk;
            resolve();
          });
        });
        await new Promise((resolve) => setTimeout(resolve, 60 * next()));
        child.kill('SIGKILL');
        await ended;
        told = Math.max(told, Number(text.trim().split('\n').at(-1)));
        // What was written by the last word of the writer, or the one it was writing.
        const value = valueIn(await readResult<Counted>(directory, 'results/test/default'));
        expect([told, told + 1]).toContain(value);
      }
    } finally {
      stopped = true;
    }
    await reader;
    expect(reads).toBeGreaterThan(KILLS);
    const last = await readResult<Counted>(directory, 'results/test/default');
    await writeResult(directory, 'results/test/default', last);
    const left = await readdir(join(directory, 'results', 'test', 'default'));
    expect(left.map((name) => name.replace(/[0-9a-f]{20}$/, '…')).sort()).toEqual(['data-…', 'result.json']);
    expect(await listResults(await openRun(directory).then(({ store }) => store))).toHaveLength(1);
  },
  60_000 + KILLS * 5_000,
);
