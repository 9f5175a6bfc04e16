import {
  directoryStore,
  filesStore,
  httpStore,
  importRun,
  memoryStore,
  openRun,
  opfsStore,
  overlay,
  type Run,
  type Store,
  storeOf,
  within,
} from '@epochscope/analysis';
import { type Dataset, mnistFolder } from '@epochscope/analysis/models';
import { EpochscopeError } from '@epochscope/core-wasm';
import type { Training } from './training.js';
import type { Given, Opened } from './types.js';

// What people gave to the page, opened: files of rows, runs, checkpoints of other tools.

/** A place that was opened: a file of rows, or runs by their key. */
export interface OpenPlace {
  store: Store;
  file: File | null;
  runs: Map<string, Store>;
  /** It grows: a run is opened anew each time, and panels that were computed are kept. */
  live?: Store;
  /** Training data: dropped here, or of the training. */
  digits?: Dataset;
  training?: Training;
}
const places: OpenPlace[] = [];
export const placeAt = (id: number): OpenPlace => {
  const found = places[id];
  if (!found) throw new EpochscopeError('internal', `nothing was opened as ${id}`);
  return found;
};
export const storeAt = (id: number, key: string): Store => {
  const store = placeAt(id).runs.get(key);
  if (!store) throw new EpochscopeError('missing', `there is no run ${key} here`);
  return store;
};
const opened = new Map<Store, Promise<Run>>();
/** A run is opened once; anew after it changed. */
export function runOf(store: Store): Promise<Run> {
  if (places.some(({ live, runs }) => live && [...runs.values()].includes(store))) return openRun(store);
  let run = opened.get(store);
  if (!run) opened.set(store, (run = openRun(store)));
  run.catch(() => opened.delete(store));
  return run;
}

const DIGITS = /-(images|labels)[-.]idx[13]-ubyte(\.gz)?$/;
const MATRIX = /\.(npy|npz|csv|tsv|txt|safetensors)(\.gz)?$/i;

/** IDX files that were dropped. */
export const droppedDigits = (): Dataset[] =>
  places.flatMap(({ digits, training }) => (digits && !training ? [digits] : []));

/** A place is there from now on. Returns its number. */
export const addPlace = (place: OpenPlace): number => places.push(place) - 1;
/** A run's files changed: it is opened anew when it is asked for. */
export const reopen = (store: Store): void => void opened.delete(store);

/** The file at an address that names one of rows or a zip, which is fetched whole; other addresses are folders. */
async function fileAt(given: Given & { kind: 'url' }): Promise<Given> {
  const name = decodeURIComponent(new URL(given.url).pathname.split('/').at(-1)!);
  if (!MATRIX.test(name) && !/\.zip$/i.test(name)) return given;
  const answer = await fetch(given.url).catch((cause: Error) => {
    throw new EpochscopeError(
      'io',
      `${given.url} cannot be fetched (${cause.message}): is the server there, and does it allow other pages to read it (Access-Control-Allow-Origin)?`,
      { url: given.url },
    );
  });
  if (!answer.ok)
    throw new EpochscopeError('io', `${given.url}: expected a file, got status ${answer.status}`, {
      url: given.url,
    });
  return { kind: 'files', files: [[name, new File([await answer.blob()], name)]] };
}

/** IDX files in one folder, dropped or of a directory. */
async function digitsIn(given: Given): Promise<Opened | null> {
  const store =
    given.kind === 'files' && given.files.some(([path]) => DIGITS.test(path))
      ? // Of a folder, or chosen one by one: they are told by their names alone.
        filesStore(
          given.files.map(([path, file]) => [path.split('/').at(-1)!, file]),
          given.name ?? given.files[0]![0].split('/').at(-2) ?? 'idx-files',
        )
      : given.kind === 'handle'
        ? directoryStore(given.handle)
        : null;
  if (!store || !(await store.list('')).some(({ name }) => DIGITS.test(name))) return null;
  const digits = await mnistFolder(store);
  const id = addPlace({ store, file: null, runs: new Map(), digits });
  const images = digits.train.count;
  return { id, kind: 'digits', name: digits.source, notes: [], keeps: 'this page', volatile: true, images };
}

/** What was given, opened: one file of rows, one run, a folder of runs, a result alone, the checkpoints of another tool, digits to train on. */
export async function open(thing: Given): Promise<Opened> {
  const given = thing.kind === 'url' ? await fileAt(thing) : thing;
  if (given.kind === 'files' && given.files.length === 1) {
    const [path, file] = given.files[0]!;
    if (MATRIX.test(path) && !path.includes('/')) {
      const id = addPlace({ store: filesStore(given.files), file, runs: new Map() });
      return { id, kind: 'matrix', name: path, notes: [], keeps: 'this page', volatile: true };
    }
  }
  const digits = await digitsIn(given);
  if (digits) return digits;
  const base = await baseOf(given);
  const runs = await runsIn(base);
  const notes: string[] = [];
  if (!runs.size) {
    const imported = memoryStore(nameOf(base));
    // Of an address also a web server's list of files, or a model on a hub.
    notes.push(...(await importedInto(imported, given.kind === 'url' ? given.url : base)));
    runs.set(nameOf(base), imported);
  }
  const { upper, keeps, volatile } = await keptIn(given, base);
  const written = new Map([...runs].map(([key, store]) => [key, upper ? upper(key, store) : store]));
  const live = given.kind === 'url' && given.live;
  const id = addPlace({
    store: base,
    file: null,
    runs: written,
    ...(live ? { live: memoryStore('parts') } : {}),
  });
  return { id, kind: 'runs', name: nameOf(base), notes, keeps, volatile };
}

const nameOf = ({ name }: Store) =>
  name
    .split(/[/\\]/)
    .filter(Boolean)
    .at(-1)
    ?.replace(/\.zip$/i, '') ?? 'run';

async function baseOf(given: Given): Promise<Store> {
  if (given.kind === 'url') return httpStore(given.url);
  if (given.kind === 'handle') return directoryStore(given.handle);
  const [first, ...more] = given.files;
  if (!first) throw new EpochscopeError('missing', 'no file was given');
  if (!more.length && /\.zip$/i.test(first[0])) return storeOf(first[1]);
  return filesStore(given.files, given.name);
}

/** The run there, the result there, or the runs in its folders, by name. */
async function runsIn(base: Store): Promise<Map<string, Store>> {
  if ((await base.has('run.json')) || (await base.has('result.json'))) return new Map([[nameOf(base), base]]);
  const found = new Map<string, Store>();
  // An address without an index lists nothing.
  const folders = await base.list('').catch(() => []);
  for (const { name, kind } of folders)
    if (kind === 'folder' && (await base.has(`${name}/run.json`))) found.set(name, within(base, name));
  return found;
}

/** Checkpoints of another tool as a run. Throws `missing` with what was looked for. */
async function importedInto(store: Store, base: Store | string): Promise<string[]> {
  const { layout, snapshots, tensors, notes, leftOut } = await importRun(base, store);
  return [
    `${layout}: ${snapshots.length} snapshots, ${tensors} tensors`,
    ...notes,
    ...leftOut.map(({ path, reason }) => `${path} was left out: ${reason}`),
  ];
}

/** Where results of it go: into the folder itself where the page may write there, else into the browser's private files, else memory. */
async function keptIn(
  given: Given,
  base: Store,
): Promise<{ upper: ((key: string, store: Store) => Store) | null; keeps: string; volatile: boolean }> {
  if (given.kind === 'handle') {
    const handle = given.handle as FileSystemDirectoryHandle & {
      queryPermission?: (how: object) => Promise<string>;
    };
    if ((await handle.queryPermission?.({ mode: 'readwrite' })) === 'granted')
      return { upper: null, keeps: `the folder ${nameOf(base)}`, volatile: false };
  }
  const inMemory = {
    upper: (key: string, store: Store) => overlay(store, memoryStore(key)),
    keeps: 'this page, to be saved as a zip',
    volatile: true,
  };
  // What grows has no name of its own that would last.
  if (given.kind === 'url' && given.live) return inMemory;
  try {
    const stamp = await stampOf(base);
    const folder = `epochscope/${nameOf(base).replace(/[^\w.-]+/g, '_')}-${stamp}`;
    const held = await opfsStore(folder);
    return {
      upper: (key, store) => overlay(store, within(held, key.replace(/[^\w.-]+/g, '_'))),
      keeps: 'this browser, to be saved as a zip',
      volatile: false,
    };
  } catch {
    return inMemory;
  }
}

/** Tells runs of one name apart: the beginning of run.json's hash. */
async function stampOf(base: Store): Promise<string> {
  if (!(await base.has('run.json'))) return 'folder';
  const file = await base.open('run.json');
  try {
    const hash = await crypto.subtle.digest('SHA-256', new Uint8Array(await file.read(0, file.size)));
    return [...new Uint8Array(hash).subarray(0, 6)].map((b) => b.toString(16).padStart(2, '0')).join('');
  } catch {
    // Pages that are not from a safe place have no hashes.
    return String(file.size);
  } finally {
    await file.close();
  }
}
