import { copyFile, link, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { openFile, type Store, storeOf } from '@epochscope/analysis';
import { openMatrix } from '@epochscope/analysis/formats';
import { isBinary } from '@epochscope/analysis/results';
import { planImport } from '@epochscope/analysis/runs';
import { EpochscopeError } from '@epochscope/core-wasm';

// `epochscope PATH`: what it is, and the commands that show it, which people could give themselves.

export interface Opened {
  /** What it is, in one line. */
  about: string;
  /** Commands, one after another; what else was given goes to the last. */
  steps: string[][];
  /** Removed in the end: made for this alone. */
  temporary: string[];
}

/** Whether a first word that is no command names a place: something that is there, or what only paths look like. */
export const looksLikePath = async (word: string): Promise<boolean> =>
  word === '-' || /[/\\.:]/.test(word) || (await stat(word).catch(() => null)) !== null;

/** Recognises what lies at a path. Throws `missing`, `unsupported`, `format`, and what reading it throws. */
export async function recognise(path: string): Promise<Opened> {
  if (/^https?:\/\//i.test(path))
    throw new EpochscopeError(
      'unsupported',
      `${path} is an address: a run there opens in the dashboard of "epochscope serve", or by openRun("${path}") in a program`,
      { path },
    );
  if (path === '-') return matrixOf(path, 'standard input');
  const info = await stat(path).catch(() => null);
  if (!info) throw new EpochscopeError('missing', `${path} does not exist`, { path });
  return info.isDirectory() ? folderOf(path) : fileOf(path);
}

async function folderOf(path: string): Promise<Opened> {
  const store = await storeOf(path);
  if (await store.has('run.json')) return served(path, `${path} is a run`);
  if (await store.has('result.json')) return drawn(path, `${path} is a result`);
  const runs = await runsIn(store);
  if (runs.length)
    return served(path, `${path} holds ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}: ${few(runs)}`);
  const plan = await planImport(path).catch((cause) => {
    throw nothingIn(path, store, cause);
  });
  return imported(path, `${path} is ${plan.layout}: ${plan.snapshots.length} snapshots`);
}

/** Folders right in it that are runs. */
export async function runsIn(store: Store): Promise<string[]> {
  const runs: string[] = [];
  for (const { name, kind } of await store.list(''))
    if (kind === 'folder' && (await store.has(`${name}/run.json`))) runs.push(name);
  return runs;
}

/** What a folder without runs holds, and what to run. */
export async function insteadOfRuns(path: string): Promise<string> {
  const names = await readdir(path);
  if (!names.length)
    return `${path} is empty; runs that appear in it are shown: epochscope train -o ${join(path, 'my-run')}`;
  const plan = await planImport(path).catch(() => null);
  if (plan)
    return `${path} holds no run but ${plan.layout}, ${plan.snapshots.length} snapshots: epochscope ${path}, or epochscope import ${path} -o RUN`;
  return `${path} holds no run (it has ${few(names)}); runs that appear in it are shown: epochscope train -o ${join(path, 'my-run')}`;
}

const few = (names: readonly string[]) =>
  `${names.slice(0, 5).join(', ')}${names.length > 5 ? `, … (${names.length})` : ''}`;

function nothingIn(path: string, store: Store, cause: unknown): unknown {
  if (!(cause instanceof EpochscopeError) || !['missing', 'format', 'unsupported'].includes(cause.code))
    return cause;
  return new EpochscopeError(
    cause.code,
    `${store.name} is no run, no result and no folder of runs, and as a folder of checkpoints: ${cause.message}`,
    { ...cause.fields, path },
  );
}

/** Files that hold weights or a net; .safetensors and .npz may also hold a matrix, which is tried first. */
const WEIGHTS = ['.onnx', '.pt', '.pth', '.ckpt', '.bin', '.h5', '.hdf5', '.keras', '.safetensors', '.npz'];
const MATRICES = ['.npy', '.npz', '.csv', '.tsv', '.txt', '.gz', '.safetensors'];

async function fileOf(path: string): Promise<Opened> {
  const ending = extname(path).toLowerCase();
  if (basename(path) === 'result.json') return drawn(dirname(path), `${path} is a result`);
  if (basename(path) === 'run.json') return served(dirname(path), `${path} is of a run`);
  if (ending === '.zip') return unpacked(path);
  if (await isOneFile(path)) return drawn(path, `${path} is a result`);
  if (MATRICES.includes(ending) || !WEIGHTS.includes(ending)) {
    try {
      return await matrixFileOf(path);
    } catch (cause) {
      if (!(cause instanceof EpochscopeError) || !WEIGHTS.includes(ending)) throw cause;
    }
  }
  // A folder with this file alone, so that what lies beside it plays no part, under a name that counts.
  const folder = await mkdtemp(join(tmpdir(), 'epochscope-open-'));
  try {
    const inside = join(folder, `epoch_0${ending}`);
    await link(resolve(path), inside).catch(() => copyFile(path, inside));
    await planImport(folder);
    const opened = await imported(
      folder,
      `${path} holds ${ending === '.onnx' || ending === '.keras' ? 'a net' : 'weights'}`,
      basename(path, extname(path)),
    );
    return { ...opened, temporary: [folder, ...opened.temporary] };
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    throw cause;
  }
}

/** A result in one file, by its first bytes. */
async function isOneFile(path: string): Promise<boolean> {
  const source = await openFile(path);
  try {
    return isBinary(await source.read(0, Math.min(16, source.size)));
  } finally {
    await source.close();
  }
}

async function matrixFileOf(path: string): Promise<Opened> {
  const source = await openFile(path);
  try {
    const { shape } = await openMatrix(source);
    return await matrixOf(path, `${path} is a matrix of ${shape.join(' × ')}`);
  } finally {
    await source.close();
  }
}

/** A zip of a run or of a result: unpacked, since what is served is a folder. */
async function unpacked(path: string): Promise<Opened> {
  const store = await storeOf(path);
  const folder = await mkdtemp(join(tmpdir(), 'epochscope-open-'));
  try {
    const copy = async (from: string): Promise<void> => {
      for (const { name, kind } of await store.list(from)) {
        const inside = from ? `${from}/${name}` : name;
        if (kind === 'folder') await copy(inside);
        else {
          const file = await store.open(inside);
          const to = join(folder, ...inside.split('/'));
          await mkdir(dirname(to), { recursive: true });
          await writeFile(to, await file.read(0, file.size));
          await file.close();
        }
      }
    };
    await copy('');
    const opened = await folderOf(folder);
    return {
      ...opened,
      about: opened.about.replaceAll(folder, path),
      temporary: [folder, ...opened.temporary],
    };
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    throw cause;
  }
}

const served = (path: string, about: string): Opened => ({ about, steps: [['serve', path]], temporary: [] });

/** More than this is not copied. */
const MOST_COPIED = 1e9;

async function bytesIn(folder: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) sum += (await stat(join(entry.parentPath, entry.name))).size;
  return sum;
}

async function imported(path: string, about: string, name = basename(resolve(path))): Promise<Opened> {
  const linked = (await bytesIn(path)) > MOST_COPIED;
  const folder = await mkdtemp(join(tmpdir(), 'epochscope-run-'));
  const run = join(folder, name.replace(/^\.+/, '') || 'run');
  return {
    about: `${about}; imported into a run that goes when the server stops (epochscope import keeps one)`,
    steps: [
      ['import', path, ...(linked ? ['--link'] : []), '-o', run],
      ['serve', run],
    ],
    temporary: [folder],
  };
}

/** A page of its own, which stays. */
async function drawn(path: string, about: string): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), 'epochscope-page-'));
  return {
    about,
    steps: [['report', path, '-o', join(folder, `${basename(resolve(path))}.html`)]],
    temporary: [],
  };
}

async function matrixOf(path: string, about: string): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), 'epochscope-page-'));
  const result = join(folder, 'result');
  return {
    about,
    steps: [
      ['tendency', path, '--png', '-o', result],
      ['report', result, '-o', join(folder, 'report.html')],
    ],
    temporary: [],
  };
}
