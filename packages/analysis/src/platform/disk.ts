import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

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

/** Flushes a folder's entries; not possible, and not needed, on Windows. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => null);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
