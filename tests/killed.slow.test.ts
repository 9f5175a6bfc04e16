import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openRun, resumeRun } from '@epochscope/analysis';
import { random } from '@epochscope/analysis/methods';
import { afterAll, beforeAll, expect, it } from 'vitest';

/** `npm run kill -- N` sets another number. */
const KILLS = Number(process.env.KILLS ?? 20);
const AT_ONCE = 4;
/** Longest time between the first snapshot and the kill, milliseconds. */
const LATEST = 600;
const SEED = Number(process.env.KILL_SEED ?? 1);

const bin = join(dirname(fileURLToPath(import.meta.url)), '../packages/cli/dist/main.js');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'epochscope-killed-'));
  const idx = (shape: number[], data: Uint8Array) =>
    Buffer.concat([
      Buffer.from([0, 0, 8, shape.length, ...shape.flatMap((n) => [0, 0, n >> 8, n & 255])]),
      data,
    ]);
  for (const [part, count] of [
    ['train', 60],
    ['t10k', 20],
  ] as const) {
    const images = Uint8Array.from({ length: count * 64 }, (_, i) => (i * 7919) % 256);
    writeFileSync(join(folder, `${part}-images-idx3-ubyte`), idx([count, 8, 8], images));
    writeFileSync(
      join(folder, `${part}-labels-idx1-ubyte`),
      idx(
        [count],
        Uint8Array.from({ length: count }, (_, i) => i % 10),
      ),
    );
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A training that is killed, with no chance to tidy up, `delay` milliseconds after its first snapshot was written. */
async function trainAndKill(directory: string, snapshots: string, delay: number): Promise<void> {
  const child = spawn(
    process.execPath,
    [
      bin,
      'train',
      '--model=mlp',
      '--hidden=8',
      `--data=${folder}`,
      '--epochs=2000',
      '--batch=10',
      '--samples=10',
      `--snapshots=${snapshots}`,
      '-o',
      directory,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const exit = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  let err = '';
  let started = () => {};
  const first = new Promise<void>((resolve) => {
    started = resolve;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text;
    if (err.includes('init:')) started();
  });
  await Promise.race([first, exit]);
  await new Promise((resolve) => setTimeout(resolve, delay));
  child.kill('SIGKILL');
  expect(await exit, err).toBe('SIGKILL');
}

it(
  `a training process killed at ${KILLS} random moments leaves a run that opens and goes on every time`,
  async () => {
    const dice = random(SEED);
    const epochs = `init,${Array.from({ length: 2000 }, (_, i) => i + 1).join(',')}`;
    const jobs = Array.from({ length: KILLS }, (_, i) => ({
      directory: join(folder, `run-${i}`),
      // Half append to the step log, half write folders.
      snapshots: i % 2 ? 'every:1' : epochs,
      delay: dice.uniform() * LATEST,
    }));
    const counts: number[] = [];
    const work = async () => {
      for (let job = jobs.pop(); job; job = jobs.pop()) {
        const where = `KILL_SEED=${SEED}, ${job.snapshots.slice(0, 10)}, killed after ${job.delay.toFixed(1)} ms`;
        await trainAndKill(job.directory, job.snapshots, job.delay);
        const run = await openRun(job.directory).catch((error) => {
          throw new Error(`${where}: ${error.message}`);
        });
        const { snapshots, complete } = run.manifest;
        expect(complete, where).toBe(false);
        expect(run.warnings, where).toEqual(['the run is not complete: training goes on, or was cut off']);
        expect(snapshots.length, where).toBeGreaterThan(0);
        for (const { id } of snapshots) {
          const weights = await run.weights(id);
          expect([...weights.keys()], where).toEqual(['F1.kernel', 'F1.bias', 'F2.kernel', 'F2.bias']);
        }
        // What follows one another in training stands so in the run, with nothing left out between.
        const steps = snapshots.map(({ step }) => step!);
        const apart = job.snapshots === 'every:1' ? 1 : 6;
        expect(steps, where).toEqual(steps.map((_, k) => k * apart));
        const writer = await resumeRun(job.directory);
        const last = steps.at(-1)! + apart;
        const next = { id: `step-${String(last).padStart(8, '0')}`, epoch: null, step: last, metrics: {} };
        await writer.appendSnapshot(next, await run.weights('last'));
        await writer.finish();
        expect((await openRun(job.directory)).manifest.snapshots.length, where).toBe(snapshots.length + 1);
        counts.push(snapshots.length);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    expect(counts).toHaveLength(KILLS);
    // The kills fell at different moments, and not all before the second snapshot.
    expect(new Set(counts).size, `KILL_SEED=${SEED}: ${counts}`).toBeGreaterThan(Math.min(3, KILLS - 2));
    console.log(`KILL_SEED=${SEED}: snapshots at the kills ${counts.sort((a, b) => a - b).join(' ')}`);
  },
  60_000 + 6000 * KILLS,
);
