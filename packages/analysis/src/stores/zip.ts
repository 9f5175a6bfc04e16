import { guard } from '@epochscope/core-wasm';
import type { ByteSource } from '../formats/types.js';
import { openZipEntry, readZipDirectory, type ZipEntry } from '../formats/zip.js';
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
      path.split('/').every((part) => /^[^/\\\0]+$/.test(part) && part !== '.' && part !== '..') ? path : null,
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
