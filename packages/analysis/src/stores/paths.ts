import { EpochscopeError, guard } from '@epochscope/core-wasm';
import type { StoreEntry } from './types.js';

/** Parts of a path in a store; none for "" (the root). Throws `argument` for what could lead elsewhere. */
export function partsOf(path: string, store: string): string[] {
  if (path === '') return [];
  const parts = path.split('/');
  guard(
    parts.every((part) => /^[^/\\\0]+$/.test(part) && part !== '.' && part !== '..'),
    'argument',
    () =>
      `${store}: expected a path inside, its parts separated by "/", got ${JSON.stringify(path.slice(0, 200))}`,
    { path: path.slice(0, 200) },
  );
  return parts;
}

/** Folder and file name: "a/b.npy" → ["a", "b.npy"], "b.npy" → ["", "b.npy"]. */
export function splitPath(path: string): [folder: string, name: string] {
  const cut = path.lastIndexOf('/');
  return cut < 0 ? ['', path] : [path.slice(0, cut), path.slice(cut + 1)];
}

/** Parts put together, empty ones left out. */
export const joinPath = (...parts: string[]) => parts.filter((part) => part !== '').join('/');

/** For messages: the place and the path in it. */
export const shown = (store: { name: string }, path: string) =>
  path === '' ? store.name : `${store.name.replace(/[/\\]$/, '')}/${path}`;

export const missing = (store: { name: string }, path: string, cause?: unknown) =>
  new EpochscopeError(
    'missing',
    `${shown(store, path)} does not exist`,
    { path: shown(store, path) },
    { cause },
  );

/** A temporary file or folder of a writer, which lists leave out: `name.tmp-<token>`. */
export const isTemporary = (name: string) => /\.tmp-[0-9a-z]{8,40}$/.test(name);

/** Sorted by name, in the order of code units, which is the same everywhere. */
export const byName = <T extends { name: string }>(entries: T[]): T[] =>
  entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));

/** Refuses writing to a place that can only be read. */
export function readOnly(
  name: string,
  why: string,
): { write(): Promise<never>; append(): Promise<never>; remove(): Promise<never> } {
  const refuse = async (): Promise<never> => {
    throw new EpochscopeError(
      'unsupported',
      `${name}: ${why}; put a store that can be written over it: overlay(store, memoryStore())`,
      { path: name },
    );
  };
  return { write: refuse, append: refuse, remove: refuse };
}

/** Folder that all paths begin with, as zips of a folder have it; "" where there is none. */
export function commonFolder(paths: Iterable<string>): string {
  let common: string | null = null;
  for (const path of paths) {
    const cut = path.indexOf('/');
    if (cut < 0) return '';
    const first = path.slice(0, cut + 1);
    if (common !== null && common !== first) return '';
    common = first;
  }
  return common ?? '';
}

/** Folders and files right in `folder`, of a flat list of paths with sizes and times. */
export function listPaths(
  files: Iterable<readonly [path: string, size: number, modified: number | null]>,
  folder: string,
): StoreEntry[] {
  const prefix = folder === '' ? '' : `${folder}/`;
  const found = new Map<string, StoreEntry>();
  for (const [path, size, modified] of files) {
    if (!path.startsWith(prefix)) continue;
    const [name, ...below] = path.slice(prefix.length).split('/') as [string, ...string[]];
    found.set(
      name,
      below.length
        ? { name, kind: 'folder', size: null, modified: null }
        : { name, kind: 'file', size, modified },
    );
  }
  return byName([...found.values()]);
}
