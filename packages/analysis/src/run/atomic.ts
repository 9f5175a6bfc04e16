import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { guard } from '@epochscope/core-wasm';
import { fileError } from '../formats/file-source.js';

/** Names of files and folders being written; readers pass over them. */
export const isTemporary = (name: string) => /\.tmp-[0-9a-f]{8}$/.test(name);
const temporary = (path: string) =>
  join(dirname(path), `${basename(path)}.tmp-${randomBytes(4).toString('hex')}`);

// There already, perhaps made by another process meanwhile, is as good as made.
const makeOne = (path: string) =>
  mkdir(path).catch(async (cause) => {
    if (!(await stat(path).catch(() => null))?.isDirectory()) throw cause;
  });

/**
 * Makes a folder and those above it; errors are Node's. Not mkdir's `recursive`: on file systems that refuse with ENOENT, as /proc does,
 * Node 20 then tries for ever.
 */
export async function makeFolder(path: string): Promise<void> {
  await makeOne(path).catch(async (cause: NodeJS.ErrnoException) => {
    const above = dirname(path);
    if (cause.code !== 'ENOENT' || above === path) throw cause;
    await makeFolder(above);
    await makeOne(path);
  });
}

/**
 * Tries whether a folder could be made, or replaced, at `path`, by making and removing one where the first of those above it is there.
 * Errors are Node's.
 */
export async function tryFolder(path: string): Promise<void> {
  let above = dirname(resolve(path));
  while (above !== dirname(above) && !(await stat(above).catch(() => null))) above = dirname(above);
  const probe = temporary(join(above, basename(path)));
  await mkdir(probe);
  await rmdir(probe);
}

/** Flushes a folder's entries; not possible, and not needed, on Windows. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => null);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

async function writeSynced(path: string, bytes: Uint8Array | string): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A file that appears whole or not at all: temporary sibling, flush, rename. Replaces files only, no device or folder. Throws `io` or `missing`. */
export async function writeFileAtomic(path: string, bytes: Uint8Array | string): Promise<void> {
  const there = await stat(path).catch(() => null);
  guard(there === null || there.isFile(), 'io', () => `${path} is there and is no file; choose another`, {
    path,
  });
  const sibling = temporary(path);
  try {
    await writeSynced(sibling, bytes);
    await rename(sibling, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(sibling, { force: true }).catch(() => {});
    throw fileError(path, cause, 'write');
  }
}

/**
 * A folder of files that appears whole or not at all. `files`: path inside the folder → bytes, made one at a time so
 * that they need not all be in memory. An older folder of that name is moved aside first and removed last.
 */
export async function writeFolderAtomic(
  path: string,
  files: Iterable<[string, () => Uint8Array | string]>,
): Promise<void> {
  const sibling = temporary(path);
  const old = temporary(path);
  try {
    await makeFolder(sibling);
    for (const [name, bytes] of files) {
      const file = join(sibling, name);
      await makeFolder(dirname(file));
      await writeSynced(file, bytes());
    }
    await syncFolder(sibling);
    const replaced = await rename(path, old).then(
      () => true,
      (cause) => {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
        throw cause;
      },
    );
    try {
      await rename(sibling, path);
    } catch (cause) {
      if (replaced) await rename(old, path);
      throw cause;
    }
    await syncFolder(dirname(path));
    await rm(old, { recursive: true, force: true });
  } catch (cause) {
    await rm(sibling, { recursive: true, force: true }).catch(() => {});
    throw fileError(path, cause, 'write');
  }
}
