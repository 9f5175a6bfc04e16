import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { guard } from '@epochscope/core-wasm';
import { fileError, withFile } from '../formats/file-source.js';
import { encodeNpy, readNpy } from '../formats/npy.js';
import { isTemporary, tryFolder, writeFolderAtomic } from '../run/atomic.js';
import { decodeResult, splitResult } from './codec.js';
import type { ResultBase } from './types.js';

/** A result.json longer than this is refused. */
export const MAX_RESULT_JSON = 500_000_000;

/**
 * Throws `io` or `missing` unless a result may be written to `folder`: it is not there yet and can be made, is empty, or holds an older
 * result, which will be replaced.
 */
export async function checkResultFolder(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [] as string[];
    guard(
      cause.code !== 'ENOTDIR',
      'io',
      () => `${folder}: expected a folder to write a result to, got a file`,
      { path: folder },
    );
    throw fileError(folder, cause, 'write');
  });
  guard(
    entries.length === 0 || entries.includes('result.json'),
    'io',
    () => `${folder} is not empty and holds no result; choose another folder`,
    { path: folder },
  );
  await tryFolder(folder).catch((cause) => {
    throw fileError(folder, cause, 'write');
  });
}

/**
 * Writes a result as a folder: result.json and one .npy per typed array, named after its place ("panels.0.order.npy").
 * The folder appears whole, and replaces an older result of that name; a file or a folder of anything else is never replaced.
 * Throws `io`, `not-finite`.
 */
export async function writeResult(folder: string, result: ResultBase): Promise<void> {
  await checkResultFolder(folder);
  const { json, arrays } = splitResult(result);
  await writeFolderAtomic(folder, [
    ...[...arrays].map(([file, array]): [string, () => Uint8Array] => [
      file,
      () => encodeNpy(array, [array.length]),
    ]),
    ['result.json', () => json],
  ]);
}

/** Reads a result folder with its arrays. Throws `missing`, `format`. */
export async function readResult<T extends ResultBase = ResultBase>(folder: string): Promise<T> {
  const file = join(folder, 'result.json');
  try {
    const { size } = await stat(file);
    guard(
      size <= MAX_RESULT_JSON,
      'format',
      () => `${file}: expected at most ${MAX_RESULT_JSON} bytes, got ${size}`,
      { file },
    );
    return await decodeResult<T>(
      await readFile(file, 'utf8'),
      async (array) => (await withFile(join(folder, array), readNpy)).data,
      file,
    );
  } catch (cause) {
    throw fileError(file, cause);
  }
}

/** Folders of all results of a run, as { method, name, folder }, sorted. */
export async function listResults(
  directory: string,
): Promise<{ method: string; name: string; folder: string }[]> {
  const found = [];
  const folders = async (path: string) =>
    (await readdir(path, { withFileTypes: true }).catch(() => []))
      .filter((entry) => entry.isDirectory() && !isTemporary(entry.name))
      .map((entry) => entry.name);
  for (const method of await folders(join(directory, 'results'))) {
    for (const name of await folders(join(directory, 'results', method))) {
      const folder = join(directory, 'results', method, name);
      if (
        await stat(join(folder, 'result.json')).then(
          () => true,
          () => false,
        )
      )
        found.push({ method, name, folder });
    }
  }
  return found.sort((a, b) => a.method.localeCompare(b.method) || a.name.localeCompare(b.name));
}
