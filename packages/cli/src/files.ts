import { mkdir, readdir, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type ResultBase, storeOf, writeResult } from '@epochscope/analysis';
import { checkResultFolder, inputOfResult } from '@epochscope/analysis/runs';
import { EpochscopeError, guard } from '@epochscope/core-wasm';

/** A file that appears whole or not at all, in a folder that is made if it is not there. Throws `io`, `missing`. */
export async function writeFileWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  await (await storeOf(dirname(path))).write(basename(path), bytes);
}

/** A name without what a file's must not hold. */
export const fileName = (name: string): string => name.replace(/[/\\:*?"<>|]/g, '_');

export const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );

/** Makes a folder and those above it. Throws `io`. */
export async function makeFolder(path: string): Promise<void> {
  await checkCanBeMade(path);
  await mkdir(path, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
    throw new EpochscopeError(
      'io',
      `${path} could not be made: ${cause.code ?? cause.message}`,
      { path },
      { cause },
    );
  });
}

/**
 * Throws `io` unless a result may be written to a folder: it is not there yet and can be made (tried, before a long work, by making one
 * where the first of those above it is), is empty, or holds an older result, which will be replaced.
 */
export async function checkOutput(folder: string): Promise<void> {
  const info = await stat(folder).catch(() => null);
  guard(
    !info || info.isDirectory(),
    'io',
    () =>
      `${folder}: expected a folder to write a result to, got ${info!.isFile() ? 'a file' : 'no file or folder'}`,
    { path: folder },
  );
  await checkResultFolder(folder);
  await checkCanBeMade(folder);
}

/** Throws `io` unless something can be made where a folder is to be; Node tries for ever to make one below /proc. */
async function checkCanBeMade(folder: string): Promise<void> {
  let above = dirname(resolve(folder));
  while (above !== dirname(above) && !(await stat(above).catch(() => null))) above = dirname(above);
  // Of one that was killed just then; of a living one, which expects that.
  for (const name of await readdir(above).catch(() => []))
    if (name.startsWith(PROBE)) await rmdir(join(above, name)).catch(() => {});
  const probe = join(above, `${PROBE}${process.pid.toString(16).padStart(8, '0')}`);
  try {
    await mkdir(probe);
    await rmdir(probe).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT') throw cause;
    });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new EpochscopeError(
      'io',
      `${folder} could not be written: ${REASONS[code ?? ''] ?? code}`,
      { path: folder },
      { cause },
    );
  }
}

const PROBE = 'probe.tmp-';

const REASONS: Record<string, string> = {
  EACCES: 'that is not permitted',
  EPERM: 'that is not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'it lies below something that is not a folder',
};

/**
 * Writes a result to a folder; where that is `results/METHOD/NAME` of a run, the run's index names it. Throws as `writeResult` of
 * analysis does.
 */
export async function writeResultTo(folder: string, result: ResultBase): Promise<void> {
  const match = /^(.+)[/\\](results)[/\\]([^/\\]+)[/\\]([^/\\]+)[/\\]?$/.exec(folder);
  if (!match) return writeResult(folder, '', result);
  await writeResult(match[1]!, match.slice(2).join('/'), result);
}

/** Throws `io` rather than replace what was computed from another input; `stamp` tells one standard input from another. */
export async function refuseOther(
  folder: string,
  source: string,
  force: boolean | undefined,
  stamp: string | null = null,
): Promise<void> {
  const older = force ? null : await inputOfResult(folder);
  if (!older) return;
  const same =
    source === 'stdin'
      ? stamp !== null && older.source === 'stdin' && Object.values(older.files.stdin ?? {}).includes(stamp)
      : resolve(older.source) === resolve(source);
  guard(
    same,
    'io',
    () =>
      `${folder} holds the result of ${older.source}, not of ${source}; give another folder with -o, or --force to replace it`,
    { path: folder },
  );
}
