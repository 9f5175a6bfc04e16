import { mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isAbandoned, nextToken } from './writer-token.js';

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

/** A lock that its owner held so long without change, in milliseconds of the one who waits, is a dead writer's. */
const HELD = 10_000;

/**
 * Does something while a file of this name is there for us alone: made by the system only where there is none, so that writers on several
 * machines keep apart. Where none can be made (a folder that cannot be written) nobody is kept out.
 */
export async function withLock<T>(path: string, body: () => Promise<T>): Promise<T> {
  const own = nextToken();
  let seen = { token: '', since: 0 };
  for (;;) {
    try {
      await writeFile(path, own, { flag: 'wx' });
      break;
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      // On a full disk the file is made, and nothing written to it.
      if (code === 'ENOSPC' || code === 'EDQUOT') await rm(path, { force: true });
      if (code !== 'EEXIST') return body();
    }
    const token = await readFile(path, 'utf8').catch(() => '');
    if (token !== seen.token) seen = { token, since: performance.now() };
    // Of a process that is gone, or of another machine's that says nothing any more.
    else if ((await isAbandoned(token, () => Date.now())) || performance.now() - seen.since > HELD)
      await rm(path, { force: true });
    await new Promise((resolve) => setTimeout(resolve, 5 + 20 * Math.random()));
  }
  try {
    return await body();
  } finally {
    if ((await readFile(path, 'utf8').catch(() => '')) === own) await rm(path, { force: true });
  }
}
