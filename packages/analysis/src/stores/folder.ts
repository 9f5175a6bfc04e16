import { constants, lstatSync, realpathSync, type Stats, writeSync } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, unlink } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { guard } from '@epochscope/core-wasm';
import { makeFolder, syncFolder, withLock } from '../platform/disk.js';
import { fileError, kindOf, openFile, PIECE } from '../platform/file.js';
import { isAbandoned, nextToken } from '../platform/writer-token.js';
import { partsOfContent } from './content.js';
import { byName, isTemporary, missing, partsOf, shown, splitPath } from './paths.js';
import type { LinksOutside, Store, StoreEntry } from './types.js';

/** In a hub's cache, MODEL/snapshots/REVISION holds links to MODEL/blobs. */
const HUB_CACHE = /^(.*[/\\])snapshots(?:[/\\].*)?$/;

export interface FolderStore extends Store {
  /** Absolute path of the folder. */
  readonly path: string;
}

/**
 * A folder on disk; it need not be there before it is written to. Symbolic links are followed within the folder; those that lead out of
 * it are treated as `links` says. Whatever is neither file nor folder (pipes, devices, sockets) is refused by its kind and never opened.
 * A written file appears whole or not at all: temporary sibling, flush, rename; what a killed writer left in a folder is removed by the
 * next one that writes into it. Small reads block.
 */
export function folderStore(path: string, { links = 'within' }: { links?: LinksOutside } = {}): FolderStore {
  const root = resolve(path);
  const self = { name: path };
  let realRoot: string | null = null;
  /** Folders cleared of leftovers. */
  const cleared = new Set<string>();

  /** Throws `io` unless `real` lies in the folder. */
  const confine = (real: string, wanted: string): string => {
    if (links === 'followed') return real;
    realRoot ??= realpathSync.native(root);
    const blobs = links === 'within' ? undefined : HUB_CACHE.exec(realRoot)?.[1];
    guard(
      real === realRoot ||
        real.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep) ||
        (blobs !== undefined && real.startsWith(`${blobs}blobs${sep}`)),
      'io',
      () =>
        `${shown(self, wanted)} is a link that leads out of ${path}; it is not followed${links === 'named' ? '; `followLinks: true` follows it' : ''}`,
      { path: shown(self, wanted) },
    );
    return real;
  };
  /** Where a path really is, with its kind. Throws Node's errors. */
  const locate = (wanted: string): { real: string; info: Stats } => {
    const parts = partsOf(wanted, path);
    const real = confine(realpathSync.native(join(root, ...parts)), wanted);
    return { real, info: lstatSync(real) };
  };
  const absent = (cause: unknown) =>
    ['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '');

  /** The folder a file is written into, made and confined, and cleared of leftovers the first time. */
  const prepare = async (wanted: string): Promise<{ folder: string; name: string }> => {
    const [above, name] = splitPath(wanted);
    guard(partsOf(wanted, path).length > 0, 'argument', () => `${path}: expected a file's path, got ""`);
    const folder = join(root, ...partsOf(above, path));
    await makeFolder(folder);
    const real = confine(realpathSync.native(folder), wanted);
    if (!cleared.has(above)) {
      cleared.add(above);
      for (const entry of await readdir(real)) {
        // One that another writer has renamed or removed by now is nobody's leftover.
        const changed = () => lstatSync(join(real, entry), { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
        if (isTemporary(entry) && (await isAbandoned(entry, changed)))
          await rm(join(real, entry), { recursive: true, force: true });
      }
    }
    const there = lstatSync(join(real, name), { throwIfNoEntry: false });
    guard(
      !there || there.isFile() || there.isSymbolicLink(),
      'io',
      () => `${shown(self, wanted)} is there and is no file; choose another`,
      { path: shown(self, wanted) },
    );
    return { folder: real, name };
  };

  return {
    name: path,
    path: root,
    writable: true,
    addressOf: (wanted) => ({ place: join(root, ...partsOf(wanted, path)) }),

    async list(folder) {
      try {
        const { real } = locate(folder);
        const entries: StoreEntry[] = [];
        for (const entry of await readdir(real, { withFileTypes: true })) {
          if (isTemporary(entry.name)) continue;
          let info: Stats | undefined;
          if (entry.isFile()) info = lstatSync(join(real, entry.name), { throwIfNoEntry: false });
          else if (entry.isSymbolicLink()) {
            try {
              const target = realpathSync.native(join(real, entry.name));
              if (links === 'within') confine(target, entry.name);
              // A link to a folder it lies in has no end.
              if (`${real}${sep}`.startsWith(`${target}${sep}`)) continue;
              info = lstatSync(target);
            } catch {
              continue;
            }
          } else if (!entry.isDirectory()) continue;
          if (entry.isDirectory() || info?.isDirectory())
            entries.push({ name: entry.name, kind: 'folder', size: null, modified: null });
          else if (info?.isFile())
            entries.push({
              name: entry.name,
              kind: 'file',
              size: info.size,
              modified: Math.trunc(info.mtimeMs),
            });
        }
        return byName(entries);
      } catch (cause) {
        if (absent(cause)) return [];
        throw fileError(shown(self, folder), cause);
      }
    },

    async has(wanted) {
      partsOf(wanted, path);
      try {
        return locate(wanted).info.isFile();
      } catch {
        return false;
      }
    },

    async open(wanted) {
      const name = shown(self, wanted);
      try {
        const { real, info } = locate(wanted);
        guard(
          info.isFile(),
          info.isDirectory() ? 'missing' : 'io',
          () => `${name} is ${kindOf(info)}, expected a file`,
          {
            path: name,
          },
        );
        return openFile(name, real, false);
      } catch (cause) {
        throw (cause as NodeJS.ErrnoException).code === 'ENOENT'
          ? missing(self, wanted, cause)
          : fileError(name, cause);
      }
    },

    async write(wanted, content) {
      let temporary = '';
      let handle: FileHandle | null = null;
      try {
        const { folder, name } = await prepare(wanted);
        temporary = join(folder, `${name.slice(0, 200)}.tmp-${nextToken()}`);
        handle = await open(temporary, 'wx');
        for await (const part of partsOfContent(content)) await writeAll(handle, part);
        await handle.sync();
        await handle.close();
        handle = null;
        await rename(temporary, join(folder, name));
        await syncFolder(folder);
      } catch (cause) {
        await handle?.close().catch(() => {});
        if (temporary) await rm(temporary, { force: true }).catch(() => {});
        throw fileError(shown(self, wanted), cause, 'write');
      }
    },

    async append(wanted, from) {
      const name = shown(self, wanted);
      try {
        const { folder, name: file } = await prepare(wanted);
        // Not 'a': on some systems appending ignores the place written to.
        const handle = await open(
          join(folder, file),
          constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0),
        );
        let size = (await handle.stat()).size;
        try {
          guard(
            from === undefined || from <= size,
            'argument',
            () => `${name}: expected at most ${size}, got ${from}`,
          );
          if (from !== undefined && from < size) await handle.truncate((size = from));
        } catch (cause) {
          await handle.close();
          throw cause;
        }
        return {
          get size() {
            return size;
          },
          // Blocking: into the system's memory it takes a twentieth of a millisecond, a trip to the thread pool ten times that.
          async append(bytes) {
            try {
              for (let done = 0; done < bytes.length; )
                done += writeSync(handle.fd, bytes, done, Math.min(bytes.length - done, PIECE), size + done);
              size += bytes.length;
            } catch (cause) {
              throw fileError(name, cause, 'write');
            }
          },
          async flush() {
            try {
              await handle.datasync();
            } catch (cause) {
              throw fileError(name, cause, 'write');
            }
          },
          async close() {
            try {
              await handle.datasync();
            } catch (cause) {
              throw fileError(name, cause, 'write');
            } finally {
              await handle.close();
            }
          },
        };
      } catch (cause) {
        throw fileError(name, cause, 'write');
      }
    },

    alone: async (name, body) => {
      const { folder } = await prepare(name);
      return withLock(join(folder, `${splitPath(name)[1]}.tmp-lockedmeanwhile`), body);
    },

    async remove(wanted) {
      const parts = partsOf(wanted, path);
      try {
        const [above] = splitPath(wanted);
        // A link is removed itself, not what it leads to.
        const place = parts.length ? join(locate(above).real, parts.at(-1)!) : locate('').real;
        if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) await unlink(place);
        else await rm(place, { recursive: true, force: true });
      } catch (cause) {
        if (!absent(cause)) throw fileError(shown(self, wanted), cause, 'write');
      }
    },
  };
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(bytes.length - done, PIECE));
    done += bytesWritten;
  }
}
