import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { isObject, parseJson, shown } from '../formats/json.js';
import { readText } from './content.js';
import { joinPath } from './paths.js';
import type { Store } from './types.js';

export const INDEX_FORMAT = 'epochscope-index/1';
/** At a run's root. */
export const INDEX_FILE = 'index.json';
/** An index longer than this is refused: a file takes about 150 bytes. */
const MAX_INDEX_BYTES = 100_000_000;
/** Times that an index is made again because another writer came between. */
const TRIES = 5;

export interface IndexedFile {
  size: number;
  /** When it was written, in milliseconds since 1970. */
  modified?: number;
  /** Where its writer knew it. */
  sha256?: string;
}

/** What a run consists of, so that it opens where it cannot be listed. Files being appended to may be longer than it says. */
export interface IndexFile {
  format: typeof INDEX_FORMAT;
  files: Record<string, IndexedFile>;
  /** What it does not name is not there: of a server that makes it at the moment it is asked for. */
  whole?: true;
}

/** Throws `format`. */
export function parseIndex(text: string, name: string): IndexFile {
  const json = parseJson(text, name);
  const fail = (what: string): never => {
    throw new EpochscopeError('format', `${name}: ${what}`, { file: name });
  };
  if (!isObject(json) || json.format !== INDEX_FORMAT)
    return fail(`expected format "${INDEX_FORMAT}", got ${shown(isObject(json) ? json.format : json)}`);
  if (!isObject(json.files)) return fail('expected files: path → { size }');
  const files: IndexFile['files'] = Object.create(null);
  for (const [path, entry] of Object.entries(json.files)) {
    const { size, modified, sha256 } = isObject(entry) ? entry : ({} as Record<string, unknown>);
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
      return fail(`${path}: expected its size`);
    files[path] = {
      size,
      ...(typeof modified === 'number' ? { modified } : {}),
      ...(typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256) ? { sha256 } : {}),
    };
  }
  return { format: INDEX_FORMAT, files, ...(json.whole === true ? { whole: true } : {}) };
}

/** The index at a store's root; null where there is none. Throws `format`. */
export async function readIndex(store: Store): Promise<IndexFile | null> {
  try {
    return parseIndex(await readText(store, INDEX_FILE, MAX_INDEX_BYTES), `${store.name}/${INDEX_FILE}`);
  } catch (cause) {
    if (cause instanceof EpochscopeError && cause.code === 'missing') return null;
    throw cause;
  }
}

/** Every file below a folder, by its path in the store. */
export async function* walk(
  store: Store,
  folder = '',
  depth = 0,
): AsyncGenerator<[path: string, file: IndexedFile]> {
  guard(depth <= 32, 'format', () => `${store.name}: expected at most 32 folders in each other`);
  for (const { name, kind, size, modified } of await store.list(folder)) {
    const path = joinPath(folder, name);
    if (kind === 'folder') yield* walk(store, path, depth + 1);
    else yield [path, { size: size ?? 0, ...(modified === null ? {} : { modified }) }];
  }
}

/**
 * Brings the index up to date after a commit: `changed` names files or folders ("" for the whole store), which are listed again;
 * `hashes` are those the writer knows; one stays as long as size and time do. An index that another writer replaced meanwhile is
 * taken as the ground instead. Where the place keeps writers apart (a folder) several at once lose nothing; elsewhere two within the same few
 * milliseconds can leave the files of one unlisted, until the next commit.
 */
export async function updateIndex(
  store: Store,
  changed: readonly string[],
  hashes: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  const update = () => updated(store, changed, hashes);
  return store.alone ? store.alone(INDEX_FILE, update) : update();
}

async function updated(
  store: Store,
  changed: readonly string[],
  hashes: ReadonlyMap<string, string>,
): Promise<void> {
  // A damaged index is made anew.
  const read = () => readIndex(store).catch(() => null);
  let before = await read();
  for (let left = TRIES; ; left--) {
    const files = new Map(Object.entries(before?.files ?? {}));
    for (const path of before ? changed : ['']) {
      for (const old of [...files.keys()]) if (isIn(old, path)) files.delete(old);
      for await (const [file, entry] of filesAt(store, path)) {
        if (file === INDEX_FILE) continue;
        const old = before?.files[file];
        const kept = old?.size === entry.size && old.modified === entry.modified ? old.sha256 : undefined;
        const sha256 = hashes.get(file) ?? kept;
        files.set(file, { ...entry, ...(sha256 ? { sha256 } : {}) });
      }
    }
    const meanwhile = await read();
    if (left === 0 || JSON.stringify(meanwhile) === JSON.stringify(before)) {
      const sorted = Object.fromEntries([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
      return store.write(INDEX_FILE, `${JSON.stringify({ format: INDEX_FORMAT, files: sorted }, null, 1)}\n`);
    }
    before = meanwhile;
  }
}

const isIn = (file: string, path: string) => path === '' || file === path || file.startsWith(`${path}/`);

/** A file itself, or every file below a folder. */
async function* filesAt(store: Store, path: string): AsyncGenerator<[string, IndexedFile]> {
  const cut = path.lastIndexOf('/');
  const entry =
    path === ''
      ? null
      : (await store.list(path.slice(0, Math.max(cut, 0)))).find(({ name }) => name === path.slice(cut + 1));
  if (path !== '' && !entry) return;
  if (entry?.kind === 'file')
    yield [path, { size: entry.size ?? 0, ...(entry.modified === null ? {} : { modified: entry.modified }) }];
  else yield* walk(store, path);
}
