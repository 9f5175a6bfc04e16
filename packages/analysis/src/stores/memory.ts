import { guard } from '@epochscope/core-wasm';
import { bytesFile, wholeContent } from './content.js';
import { listPaths, missing, partsOf, shown } from './paths.js';
import type { Store } from './types.js';

export interface MemoryStore extends Store {
  /** Every file by its path, in the order written. The bytes are the store's own: do not change them. */
  files(): ReadonlyMap<string, Uint8Array>;
}

interface Held {
  bytes: Uint8Array;
  /** Counts the states of the store's files. */
  version: number;
}

/** A store in memory, empty or over `files` (path → bytes, which are kept and not copied). */
export function memoryStore(
  name = 'memory',
  files: Iterable<readonly [string, Uint8Array]> = [],
): MemoryStore {
  const held = new Map<string, Held>();
  const self = { name };
  let version = 0;
  const put = (path: string, bytes: Uint8Array) => {
    const parts = partsOf(path, name);
    guard(parts.length > 0, 'argument', () => `${name}: expected a file's path, got ""`);
    for (let i = 1; i < parts.length; i++) {
      const above = parts.slice(0, i).join('/');
      guard(!held.has(above), 'io', () => `${shown(self, path)} could not be written: ${above} is a file`, {
        path,
      });
    }
    guard(!isFolder(path), 'io', () => `${shown(self, path)} is there and is no file; choose another`, {
      path,
    });
    // Written again, it counts as the newest.
    held.delete(path);
    held.set(path, { bytes, version: ++version });
  };
  const isFolder = (path: string) => {
    for (const key of held.keys()) if (key.startsWith(`${path}/`)) return true;
    return false;
  };
  for (const [path, bytes] of files) put(path, bytes);

  return {
    name,
    writable: true,
    files: () => new Map([...held].map(([path, { bytes }]) => [path, bytes])),
    async list(folder) {
      partsOf(folder, name);
      return listPaths(
        [...held].map(([path, { bytes }]) => [path, bytes.length, null]),
        folder,
      );
    },
    async has(path) {
      partsOf(path, name);
      return held.has(path);
    },
    async open(path) {
      partsOf(path, name);
      const file = held.get(path);
      if (!file) throw missing(self, path);
      return bytesFile(shown(self, path), file.bytes, String(file.version));
    },
    async write(path, content) {
      const bytes = await wholeContent(content);
      // The caller may go on writing into its own.
      put(path, content instanceof Uint8Array ? bytes.slice() : bytes);
    },
    async append(path, from) {
      partsOf(path, name);
      const old = held.get(path)?.bytes ?? new Uint8Array(0);
      let size = from ?? old.length;
      guard(
        size <= old.length,
        'argument',
        () => `${shown(self, path)}: expected at most ${old.length}, got ${size}`,
      );
      let room = old.slice(0, size);
      put(path, room);
      return {
        get size() {
          return size;
        },
        async append(bytes) {
          if (size + bytes.length > room.length) {
            const wider = new Uint8Array(Math.max(1024, size + bytes.length, 2 * room.length));
            wider.set(room.subarray(0, size));
            room = wider;
          }
          room.set(bytes, size);
          size += bytes.length;
          put(path, room.subarray(0, size));
        },
        async flush() {},
        async close() {},
      };
    },
    async remove(path) {
      partsOf(path, name);
      for (const key of [...held.keys()])
        if (path === '' || key === path || key.startsWith(`${path}/`)) held.delete(key);
    },
  };
}
