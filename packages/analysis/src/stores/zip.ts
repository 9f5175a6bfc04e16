import { guard } from '@epochscope/core-wasm';
import { zipSync } from 'fflate';
import type { ByteSource } from '../formats/types.js';
import { openZipEntry, readZipDirectory, type ZipEntry } from '../formats/zip.js';
import { withStored } from './content.js';
import { walk } from './index-file.js';
import { commonFolder, listPaths, missing, partsOf, readOnly } from './paths.js';
import type { Store, StoredFile } from './types.js';

/**
 * A zip over any source, for reading. Stored files are read by ranges, unchecked; deflated ones are unpacked whole as they are
 * opened (at most 4 GB) and checked by their sum. The folder that holds all the rest, if there is one, is left off the paths.
 */
export async function zipStore(source: ByteSource): Promise<Store> {
  const directory = await readZipDirectory(source, {
    file: 'a zip',
    item: 'file',
    expected: 'plain paths',
    nameOf: (path) =>
      path.split('/').every((part) => /^[^/\\\0]+$/.test(part) && part !== '.' && part !== '..')
        ? path
        : null,
  });
  const top = commonFolder(directory.keys());
  const entries = new Map<string, ZipEntry>();
  for (const [path, entry] of directory) entries.set(path.slice(top.length), entry);
  const { name } = source;
  return {
    name,
    writable: false,
    async list(folder) {
      partsOf(folder, name);
      return listPaths(
        [...entries].map(([path, { unpacked }]) => [path, unpacked, null]),
        folder,
      );
    },
    async has(path) {
      partsOf(path, name);
      return entries.has(path);
    },
    async open(path): Promise<StoredFile> {
      partsOf(path, name);
      const entry = entries.get(path);
      if (!entry) throw missing({ name }, path);
      const inside = await openZipEntry(source, entry);
      let open = true;
      return {
        name: inside.name,
        size: inside.size,
        stamp: `${entry.unpacked}-${entry.crc.toString(16)}`,
        async read(offset, length) {
          guard(open, 'io', () => `${inside.name} is closed`, { path });
          return inside.read(offset, length);
        },
        async close() {
          open = false;
        },
      };
    },
    ...readOnly(name, 'a zip is read only'),
  };
}

/** Dates in a zip begin in 1980; a fixed one makes equal files equal bytes. */
const NO_DATE = new Date(1980, 0, 1);

/**
 * All files of a store as a zip, stored and not packed, in a folder of the store's name: a run made in a page, to be saved. In memory:
 * twice the files' bytes.
 */
export async function zipOf(store: Store): Promise<Uint8Array> {
  const folder = store.name.split(/[/\\]/).filter(Boolean).at(-1) ?? 'run';
  const files: Record<string, [Uint8Array, { level: 0; mtime: Date }]> = {};
  for await (const [path] of walk(store)) {
    const bytes = await withStored(store, path, (file) => file.read(0, file.size));
    files[`${folder}/${path}`] = [bytes, { level: 0, mtime: NO_DATE }];
  }
  return zipSync(files);
}
