// Every writer killed at random moments: train, import, tendency, modules, prune, report, and the recorder of Python. For
// killed.slow.test.ts (a few) and `npm run kill` (a thousand). After each kill: what was there opens, nothing is half-written; the
// same command then goes on to the end, and leaves what it leaves undisturbed and nothing besides.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listResults, openRun, readResult, withFile } from '@epochscope/analysis';
import { encodeSafetensors, readNpy, readNpz, readSafetensors } from '@epochscope/analysis/formats';
import { seeded } from './fuzz.js';
import { cli } from './harness.js';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
/** The command: built by tsc, or (KILL_BIN) in one piece, which starts in a third of the time. */
const BIN = process.env.KILL_BIN ?? here('../packages/cli/dist/main.js');
const HOOK = here('kill-hook.mjs');
const PYTHON_SOURCE = here('../integrations/python/src');
const AT_ONCE = 2;

interface Scenario {
  name: string;
  /** Of a thousand kills. */
  share: number;
  /** Puts the place into the state that the i-th try begins with; most leave what the last left. */
  before(place: string, i: number): Promise<void>;
  /** What the i-th try runs: arguments of epochscope, or a program of its own. */
  command(
    place: string,
    i: number,
  ): string[] | { program: string; args: string[]; env?: Record<string, string> };
  /** The command of the next writer where that is another. */
  next?(command: string[], place: string): Promise<string[]>;
  /** What a kill may leave. Throws otherwise. */
  after(place: string, i: number): Promise<void>;
  /** What the command leaves when it ends, as text, for comparison. */
  done(place: string, i: number): Promise<string>;
  /** Tries whose `done` must be the same have the same kind. */
  kind(i: number): number;
}

const TEMPORARY = /\.tmp-[0-9a-z]{8,40}$/;

async function filesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.map((entry) => join(entry.parentPath, entry.name));
}

/** Every file that has its name is whole. Throws the reader's error. */
async function wholeFiles(folder: string): Promise<void> {
  for (const path of await filesIn(folder)) {
    if (path.split('/').some((name) => TEMPORARY.test(name))) continue;
    if (path.endsWith('.npy')) await withFile(path, readNpy);
    else if (path.endsWith('.npz')) await withFile(path, readNpz);
    else if (path.endsWith('.safetensors')) await withFile(path, readSafetensors);
    else if (path.endsWith('.json')) JSON.parse(await readFile(path, 'utf8'));
  }
}

const sum = (...parts: (string | ArrayBufferView)[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part as string);
  return hash.digest('hex').slice(0, 16);
};

/** Opens a run and reads all of it: what it holds, as text. */
async function contentsOf(directory: string): Promise<string> {
  const run = await openRun(directory);
  const inputs = await run.inputs();
  const lines: string[] = [
    `complete ${run.manifest.complete}; samples ${run.manifest.samples?.count} ${inputs && sum(inputs.data)} ${(await run.labels())?.join()}`,
  ];
  for (const { id } of run.manifest.snapshots) {
    const weights = [...(await run.weights(id))].map(
      ([name, { data }]) => `${name} ${sum(data as Float32Array)}`,
    );
    lines.push(`${id}: ${weights.join(', ')}`);
    for (const { name } of run.manifest.layers)
      if (await run.hasOutputs(id, name)) await run.outputs(id, name);
  }
  for (const { folder } of await listResults(run.store)) {
    const { input: _input, ...result } = (await readResult(directory, folder)) as unknown as Record<
      string,
      unknown
    >;
    const text = JSON.stringify(result, (key, value) =>
      key === 'seconds' ? null : ArrayBuffer.isView(value) ? sum(value) : value,
    );
    lines.push(`${folder}: ${sum(text)}`);
  }
  return lines.join('\n');
}
const opensIfThere = async (directory: string): Promise<void> => {
  if (!existsSync(directory)) return;
  await wholeFiles(directory);
  if (existsSync(join(directory, 'run.json'))) await contentsOf(directory);
};

/** Data of 8 × 8 pictures in MNIST's format, a run trained on it, checkpoints to import. */
async function prepareInput(place: string): Promise<{ data: string; run: string; checkpoints: string }> {
  const data = join(place, 'data');
  await mkdir(data, { recursive: true });
  const idx = (shape: number[], bytes: Uint8Array) =>
    Buffer.concat([
      Buffer.from([0, 0, 8, shape.length, ...shape.flatMap((n) => [0, 0, n >> 8, n & 255])]),
      bytes,
    ]);
  for (const [part, count] of [
    ['train', 60],
    ['t10k', 20],
  ] as const) {
    const images = Uint8Array.from({ length: count * 64 }, (_, i) => (i * 7919) % 256);
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
    await writeFile(join(data, `${part}-images-idx3-ubyte`), idx([count, 8, 8], images));
    await writeFile(join(data, `${part}-labels-idx1-ubyte`), idx([count], labels));
  }
  const run = join(place, 'run');
  await finish([
    'train',
    '--model=mlp',
    '--hidden=8',
    `--data=${data}`,
    '--epochs=3',
    '--samples=10',
    '--batch=10',
    '-o',
    run,
  ]);
  const checkpoints = join(place, 'checkpoints');
  await mkdir(checkpoints);
  for (let epoch = 1; epoch <= 5; epoch++) {
    const tensor = (rows: number) => ({
      data: new Float32Array(rows * 20).fill(epoch / rows),
      shape: [rows, 20],
      dtype: 'float32' as const,
    });
    const tensors = new Map([
      ['a.weight', tensor(30)],
      ['b.weight', tensor(40)],
    ]);
    await writeFile(join(checkpoints, `epoch_${epoch}.safetensors`), encodeSafetensors(tensors));
  }
  return { data, run, checkpoints };
}

const RECORD = `
import sys
import numpy as np
from epochscope.recorder import Recorder
place = sys.argv[1]
print("begins", file=sys.stderr, flush=True)
with Recorder(place, classes=["a", "b"], overwrite=True) as run:
    run.samples(np.arange(24, dtype=np.float32).reshape(6, 4), np.array([0, 1] * 3))
    for epoch in range(6):
        with run.snapshot(epoch=epoch, step=epoch, metrics={"loss": 1 / (1 + epoch)}) as snapshot:
            snapshot.weights({"d.kernel": np.full((40, 30), epoch), "d.bias": np.zeros(30)})
            snapshot.outputs({"d": np.full((6, 30), epoch)})
`;
const pythonThere = () =>
  spawnSync('python3', ['-c', 'import numpy'], { stdio: 'ignore', timeout: 60_000 }).status === 0;

function scenarios({
  data,
  run,
  checkpoints,
}: {
  data: string;
  run: string;
  checkpoints: string;
}): Scenario[] {
  const clear = (path: string) => rm(path, { recursive: true, force: true });
  const runIn = (place: string) => join(place, 'run');
  /** A command that writes a run of its own. */
  const written = (name: string, share: number, kinds: number, args: (i: number) => string[]): Scenario => ({
    name,
    share,
    before: (place) => clear(runIn(place)),
    command: (place, i) => [...args(i), '-o', runIn(place)],
    after: (place) => opensIfThere(runIn(place)),
    // Killed after its last word: the run is there, and is written anew.
    next: async (same, place) => {
      const run = await openRun(runIn(place)).catch(() => null);
      return run?.manifest.complete ? [...same, '--overwrite'] : same;
    },
    done: (place) => contentsOf(runIn(place)),
    kind: (i) => i % kinds,
  });
  /** A command that puts a result into a run which holds the one of the try before. */
  const added = (name: string, share: number, args: (i: number) => string[]): Scenario => ({
    name,
    share,
    // Now and then from the start, without captured outputs.
    before: async (place, i) => {
      if (i % 12) return;
      await clear(runIn(place));
      await cp(run, runIn(place), { recursive: true });
    },
    command: (place, i) => [name, runIn(place), ...args(i % 3)],
    async after(place, i) {
      await opensIfThere(runIn(place));
      const results = await listResults(await openRun(runIn(place)).then(({ store }) => store));
      // From the second on there is always one.
      if (i % 12 && !results.length) throw new Error('the result that was there is gone');
    },
    done: (place) => contentsOf(runIn(place)),
    kind: (i) => i % 3,
  });
  const page = (place: string) => join(place, 'pages', 'page.html');
  const report: Scenario = {
    name: 'report',
    share: 170,
    before: async (place, i) => {
      await mkdir(join(place, 'pages'), { recursive: true });
      const shown = `run-${i % 2}`;
      if (existsSync(join(place, shown))) return;
      await cp(run, join(place, shown), { recursive: true });
      await finish(['tendency', join(place, shown), '--samples', String(6 + (i % 2))]);
    },
    command: (place, i) => ['report', join(place, `run-${i % 2}`), '-o', page(place)],
    async after(place) {
      if (existsSync(page(place)) && !/<\/html>\s*$/.test(await readFile(page(place), 'utf8')))
        throw new Error('the page is cut off');
    },
    // Its data, but for the time it was written.
    done: async (place) => {
      const scripts =
        (await readFile(page(place), 'utf8')).match(/<script type="application[\s\S]*?<\/script>/g) ?? [];
      return sum(scripts.join().replaceAll(/"written":"[^"]*"/g, ''));
    },
    kind: (i) => i % 2,
  };
  const recorder: Scenario = {
    name: 'recorder',
    share: 230,
    before: async () => {},
    command: (place) => ({
      program: 'python3',
      args: ['-c', RECORD, runIn(place)],
      env: { PYTHONPATH: PYTHON_SOURCE, OPENBLAS_NUM_THREADS: '1' },
    }),
    after: (place) => opensIfThere(runIn(place)),
    done: (place) => contentsOf(runIn(place)),
    kind: () => 0,
  };
  const every = ['init,1,2,3,4', 'every:1'];
  return [
    written('train', 110, 2, (i) => [
      ...['train', '--model=mlp', '--hidden=8', `--data=${data}`, '--epochs=4', '--batch=10', '--samples=10'],
      `--snapshots=${every[i % 2]}`,
    ]),
    written('import', 190, 1, () => ['import', checkpoints]),
    added('tendency', 140, (i) => ['--samples', String(6 + i), '--layers=R1,S2']),
    added('modules', 80, (i) => ['--seed', String(1 + i)]),
    written('prune', 80, 1, () => [
      'prune',
      run,
      '--epochs=1',
      '--rounds=1',
      `--data=${data}`,
      '--regions=0.3',
    ]),
    report,
    ...(pythonThere() ? [recorder] : []),
  ];
}

/** Runs a command in this process, to its end: no start to pay for. Throws what it says where it fails. */
async function finish(args: string[]): Promise<void> {
  const { code, err } = await cli(...args, '--threads=1');
  if (code) throw new Error(`${args.join(' ')}: exit ${code}: ${err.trim()}`);
}

interface Ended {
  signal: NodeJS.Signals | null;
  code: number | null;
  milliseconds: number;
  /** Of those since it said that it begins to write; 0 where it does not say so. */
  recording: number;
  err: string;
}
/** Runs it in a process of its own, killed after a delay or at a step on disk. */
function startAndKill(
  command: ReturnType<Scenario['command']>,
  { delay, step, count, fromWord }: { delay?: number; step?: number; count?: string; fromWord?: boolean },
): Promise<Ended> {
  const begun = performance.now();
  let child: ChildProcess;
  const env = { ...process.env, KILL_AT: String(step ?? 0), ...(count ? { KILL_COUNT: count } : {}) };
  const stdio: ['ignore', 'ignore', 'pipe'] = ['ignore', 'ignore', 'pipe'];
  if (Array.isArray(command)) {
    const hook = step || count ? ['--import', HOOK] : [];
    child = spawn(process.execPath, [...hook, BIN, ...command, '--threads=1'], { env, stdio });
  } else child = spawn(command.program, command.args, { env: { ...env, ...command.env }, stdio });
  let timer: NodeJS.Timeout | null = null;
  const arm = () => {
    if (delay !== undefined) timer ??= setTimeout(() => child.kill('SIGKILL'), delay);
  };
  if (!fromWord) arm();
  let err = '';
  let spoke = begun;
  child.stderr!.setEncoding('utf8').on('data', (text) => {
    err += text;
    if (spoke === begun) spoke = performance.now();
    arm();
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (timer) clearTimeout(timer);
      const end = performance.now();
      resolve({
        code,
        signal,
        milliseconds: end - begun,
        recording: err.startsWith('begins') ? end - spoke : 0,
        err,
      });
    });
  });
}

/** What a writer may leave that died, and what is left when the next one is done: nothing. */
async function leftovers(place: string): Promise<string[]> {
  const found: string[] = [];
  for (const path of await filesIn(place)) {
    const name = path.split('/').at(-1)!;
    if (TEMPORARY.test(name) || name === 'unfinished') found.push(path);
    // Of a result, the arrays that its result.json names and no others.
    if (name === 'result.json') {
      const around = await readdir(join(path, '..'));
      if (around.filter((one) => one.startsWith('data-')).length > 1) found.push(join(path, '..', 'data-*'));
    }
  }
  return found;
}

export interface KillReport {
  kills: number;
  lines: string[];
  /** Scenarios that could not be run here, and why. */
  skipped: string[];
}

/**
 * `kills` processes killed in all, shared among the scenarios, half at a random moment of their life, half at a random step on disk (a write
 * half done). Throws an Error naming scenario, seed and try.
 */
export async function kill(
  place: string,
  kills: number,
  seed: number,
  { only, say = () => {} }: { only?: string; say?: (line: string) => void } = {},
): Promise<KillReport> {
  const input = await prepareInput(join(place, 'input'));
  const all = scenarios(input);
  const chosen = all.filter(({ name }) => !only || name === only);
  const skipped = all.some(({ name }) => name === 'recorder')
    ? []
    : ['recorder: python3 with numpy is not there'];
  const shares = chosen.reduce((total, { share }) => total + share, 0);
  const lines: string[] = [];
  let done = 0;
  // One command at a time in this process: they share tfjs.
  let turn = Promise.resolve();
  const alone = <T>(body: () => Promise<T>): Promise<T> => {
    const result = turn.then(body);
    turn = result.then(
      () => {},
      () => {},
    );
    return result;
  };

  const oneScenario = async (scenario: Scenario, count: number) => {
    const { name, before, command, after, done: contents, kind, next = async (same) => same } = scenario;
    const folder = join(place, name);
    await mkdir(folder, { recursive: true });
    const random = seeded(seed + 1000 * all.indexOf(scenario));
    const undisturbed = new Map<number, { text: string; steps: number }>();
    let life = 0;
    let recording = 0;
    let [died, ended] = [0, 0];
    let [begun, halves] = [0, 0];
    for (let i = 0; died < count; i++) {
      const where = `${name}, seed ${seed}, try ${i}`;
      try {
        const asked = command(folder, i);
        const learn = async () => {
          // What it leaves undisturbed, how long it takes and how many steps on disk.
          await alone(() => before(folder, i));
          const counted = join(place, `${name}.count`);
          const first = await startAndKill(asked, { count: counted });
          if (first.code !== 0) throw new Error(`undisturbed: exit ${first.code}: ${first.err}`);
          life = life || first.milliseconds;
          const steps = Array.isArray(asked) ? Number(await readFile(counted, 'utf8')) : 0;
          recording = recording || first.recording;
          if (Array.isArray(asked)) {
            await alone(() => before(folder, i));
            await alone(() => finish(asked));
          }
          undisturbed.set(kind(i), { text: await contents(folder, i), steps });
        };
        if (!undisturbed.has(kind(i))) await learn();
        await alone(() => before(folder, i));
        const { text, steps } = undisturbed.get(kind(i))!;
        const onDisk = steps > 0 && i % 2 === 1;
        const how = onDisk
          ? { step: 1 + Math.floor(random() * steps) }
          : // Now and then later, in case that the machine has become slower. Half of those that say when they begin to write, from there on.
            {
              delay: random() * (recording && i % 2 ? recording : life) * (i % 8 === 0 ? 1.5 : 1),
              fromWord: recording > 0 && i % 2 === 1,
            };
        const end = await startAndKill(asked, how);
        if (end.signal !== 'SIGKILL') {
          if (end.code !== 0) throw new Error(`exit ${end.code}: ${end.err}`);
          ended++;
          life = 0.7 * life + 0.3 * end.milliseconds;
        } else {
          died++;
          done++;
          if (onDisk) halves++;
        }
        await after(folder, i);
        if ((await leftovers(folder)).length) begun++;
        // The next writer: goes on or begins anew, to the same end.
        if (Array.isArray(asked)) await alone(async () => finish(await next(asked, folder)));
        else {
          const last = await startAndKill(asked, {});
          if (last.code !== 0) throw new Error(`the next writer: exit ${last.code}: ${last.err}`);
        }
        const found = await contents(folder, i);
        if (found !== text) throw new Error(`expected\n${text}\ngot\n${found}`);
        const left = await leftovers(folder);
        if (left.length) throw new Error(`left: ${left.join(', ')}`);
        if (died % 25 === 0 && end.signal) say(`${name}: ${died} of ${count} (${done} of ${kills} in all)`);
      } catch (cause) {
        throw new Error(`${where}: ${(cause as Error).message}`, { cause });
      }
    }
    lines.push(
      `${name}: ${died} kills (${halves} at a step on disk), ${ended} ended before theirs; ${begun} left something unfinished, all cleared and gone on with`,
    );
  };
  const jobs = chosen.map((scenario, i) => {
    const upTo = (j: number) =>
      Math.round((kills * chosen.slice(0, j).reduce((total, { share }) => total + share, 0)) / shares);
    return [scenario, upTo(i + 1) - upTo(i)] as const;
  });
  const lane = async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) if (job[1] > 0) await oneScenario(...job);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { kills: done, lines, skipped };
}
