import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { joinBytes } from '../formats/bytes.js';
import { blobFile } from './blobs.js';
import { partsOfContent } from './content.js';
import { byName, isTemporary, missing, partsOf, shown } from './paths.js';
import type { Store, StoreEntry } from './types.js';

// What the DOM library's types still lack.
interface Directory {
  entries(): AsyncIterable<[string, FileSystemHandle]>;
}
const entriesOf = (folder: FileSystemDirectoryHandle) => (folder as unknown as Directory).entries();

/**
 * A directory that a person gave to a page (`showDirectoryPicker`, a dropped folder's handle), or one of the page's private file
 * system. A written file appears with its last byte: until then the browser keeps it aside. Files that grow are written at
 * each flush, which costs a copy of the whole.
 */
export function directoryStore(root: FileSystemDirectoryHandle, name = root.name || 'private files'): Store {
  const self = { name };
  const is = (cause: unknown, ...names: string[]) => names.includes((cause as DOMException)?.name);
  const failure = (path: string, cause: unknown, verb: 'read' | 'written'): unknown => {
    if (cause instanceof EpochscopeError) return cause;
    if (is(cause, 'NotFoundError', 'TypeMismatchError') && verb === 'read') return missing(self, path, cause);
    const why = is(cause, 'QuotaExceededError')
      ? 'the space a page may use is full'
      : is(cause, 'NotAllowedError', 'SecurityError')
        ? 'that is not permitted'
        : is(cause, 'NoModificationAllowedError', 'InvalidStateError')
          ? 'it is being written elsewhere'
          : (cause as Error).message;
    return new EpochscopeError(
      'io',
      `${shown(self, path)} could not be ${verb}: ${why}`,
      { path: shown(self, path) },
      { cause },
    );
  };
  const folderOf = async (parts: readonly string[], create: boolean) => {
    let folder = root;
    for (const part of parts) folder = await folder.getDirectoryHandle(part, { create });
    return folder;
  };
  const fileOf = async (path: string, create: boolean) => {
    const parts = partsOf(path, name);
    guard(parts.length > 0, 'argument', () => `${name}: expected a file's path, got ""`);
    return (await folderOf(parts.slice(0, -1), create)).getFileHandle(parts.at(-1)!, { create });
  };
  const writable = async (path: string, keep: boolean) =>
    (await fileOf(path, true)).createWritable({ keepExistingData: keep });

  return {
    name,
    writable: true,
    async list(folder) {
      const parts = partsOf(folder, name);
      try {
        const entries: StoreEntry[] = [];
        for await (const [entry, handle] of entriesOf(await folderOf(parts, false))) {
          // Chromium shows what it keeps aside.
          if (isTemporary(entry) || entry.endsWith('.crswap')) continue;
          if (handle.kind === 'directory')
            entries.push({ name: entry, kind: 'folder', size: null, modified: null });
          else {
            const { size, lastModified } = await (handle as FileSystemFileHandle).getFile();
            entries.push({ name: entry, kind: 'file', size, modified: lastModified });
          }
        }
        return byName(entries);
      } catch (cause) {
        if (is(cause, 'NotFoundError', 'TypeMismatchError')) return [];
        throw failure(folder, cause, 'read');
      }
    },
    async has(path) {
      partsOf(path, name);
      return fileOf(path, false).then(
        () => true,
        () => false,
      );
    },
    async open(path) {
      partsOf(path, name);
      try {
        return blobFile(shown(self, path), await (await fileOf(path, false)).getFile());
      } catch (cause) {
        throw failure(path, cause, 'read');
      }
    },
    async write(path, content) {
      let stream: FileSystemWritableFileStream | null = null;
      let made = false;
      try {
        const there = await this.has(path);
        stream = await writable(path, false);
        made = !there;
        for await (const part of partsOfContent(content)) await stream.write(part as Uint8Array<ArrayBuffer>);
        await stream.close();
      } catch (cause) {
        await stream?.abort().catch(() => {});
        // The handle made it, empty.
        if (made) await this.remove(path).catch(() => {});
        throw failure(path, cause, 'written');
      }
    },
    async append(path, from) {
      let size: number;
      try {
        size = (await (await fileOf(path, true)).getFile()).size;
        guard(
          from === undefined || from <= size,
          'argument',
          () => `${shown(self, path)}: expected at most ${size}, got ${from}`,
        );
        if (from !== undefined && from < size) {
          const stream = await writable(path, true);
          await stream.truncate(from);
          await stream.close();
          size = from;
        }
      } catch (cause) {
        throw failure(path, cause, 'written');
      }
      let waiting: Uint8Array[] = [];
      let written = size;
      const flush = async () => {
        if (!waiting.length) return;
        const bytes = joinBytes(waiting, size - written);
        waiting = [];
        try {
          const stream = await writable(path, true);
          await stream.write({ type: 'write', position: written, data: bytes });
          await stream.close();
          written += bytes.length;
        } catch (cause) {
          throw failure(path, cause, 'written');
        }
      };
      return {
        get size() {
          return size;
        },
        async append(bytes) {
          waiting.push(bytes.slice());
          size += bytes.length;
        },
        flush,
        close: flush,
      };
    },
    async remove(path) {
      const parts = partsOf(path, name);
      try {
        if (parts.length)
          await (await folderOf(parts.slice(0, -1), false)).removeEntry(parts.at(-1)!, { recursive: true });
        else for await (const [entry] of entriesOf(root)) await root.removeEntry(entry, { recursive: true });
      } catch (cause) {
        if (!is(cause, 'NotFoundError', 'TypeMismatchError')) throw failure(path, cause, 'written');
      }
    },
  };
}

/** A folder of the page's origin private file system, made if it is not there: for runs that a page makes. Throws `unsupported`. */
export async function opfsStore(folder = ''): Promise<Store> {
  guard(
    typeof navigator !== 'undefined' && navigator.storage?.getDirectory,
    'unsupported',
    'this environment has no private file system: it needs a page over https or on localhost',
  );
  let handle = await navigator.storage.getDirectory();
  for (const part of partsOf(folder, 'private files'))
    handle = await handle.getDirectoryHandle(part, { create: true });
  return directoryStore(handle, folder || 'private files');
}
