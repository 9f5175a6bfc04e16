import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { checkRange } from '../formats/source.js';
import { commonFolder, listPaths, missing, partsOf, readOnly, shown } from './paths.js';
import type { Store, StoredFile } from './types.js';

/** A page's file, opened. One that changed since it was chosen can no longer be read. */
export function blobFile(name: string, blob: Blob): StoredFile {
  const { size } = blob;
  const modified = (blob as Partial<File>).lastModified;
  let open = true;
  return {
    name,
    size,
    stamp: modified === undefined ? null : `${size}-${modified}`,
    async read(offset, length) {
      guard(open, 'io', () => `${name} is closed`, { file: name });
      checkRange({ name, size }, offset, length);
      try {
        return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      } catch (cause) {
        throw new EpochscopeError(
          'io',
          `${name} could not be read: did it change since it was chosen? (${(cause as Error).message})`,
          { file: name },
          { cause },
        );
      }
    },
    async close() {
      open = false;
    },
  };
}

/**
 * Files chosen or dropped on a page, for reading: a `FileList` of `<input type="file" webkitdirectory>` (each knows its path), or pairs
 * of path and file (`filesOfDrop`). The folder that holds all the rest is left off the paths, and gives the name.
 */
export function filesStore(
  files: Iterable<File | readonly [path: string, file: Blob]>,
  name?: string,
): Store {
  const all = new Map<string, Blob>();
  for (const one of files) {
    const [path, file] =
      one instanceof Blob ? [(one as File).webkitRelativePath || (one as File).name, one] : one;
    partsOf(path, name ?? 'files');
    all.set(path, file);
  }
  const top = commonFolder(all.keys());
  const held = new Map([...all].map(([path, file]) => [path.slice(top.length), file]));
  const own = name ?? (top.slice(0, -1) || 'files');
  return {
    name: own,
    writable: false,
    async list(folder) {
      partsOf(folder, own);
      return listPaths(
        [...held].map(([path, file]) => [path, file.size, (file as Partial<File>).lastModified ?? null]),
        folder,
      );
    },
    async has(path) {
      partsOf(path, own);
      return held.has(path);
    },
    async open(path) {
      partsOf(path, own);
      const file = held.get(path);
      if (!file) throw missing({ name: own }, path);
      return blobFile(shown({ name: own }, path), file);
    },
    ...readOnly(own, 'files given to a page are read only'),
  };
}

/** Every file below what was dropped on a page, with its path: of `event.dataTransfer.items`, to be called within the event. */
export async function filesOfDrop(items: Iterable<DataTransferItem>): Promise<[path: string, file: File][]> {
  // Asked for before the first await: afterwards the list is empty.
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const found: [string, File][] = [];
  const walk = async (entry: FileSystemEntry, prefix: string): Promise<void> => {
    const path = `${prefix}${entry.name}`;
    if (entry.isFile) {
      const file = await new Promise<File>((done, fail) => (entry as FileSystemFileEntry).file(done, fail));
      found.push([path, file]);
      return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    // It gives a hundred at a time.
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
      if (!some.length) return;
      for (const inside of some) await walk(inside, `${path}/`);
    }
  };
  for (const entry of entries) await walk(entry, '');
  return found;
}
