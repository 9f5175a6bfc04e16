import { mkdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type ResultBase, storeOf, writeResult } from '@epochscope/analysis';
import { EpochscopeError } from '@epochscope/core-wasm';

/** A file that appears whole or not at all, in a folder that is made if it is not there. Throws `io`, `missing`. */
export async function writeFileWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  await (await storeOf(dirname(path))).write(basename(path), bytes);
}

/** Makes a folder and those above it. Throws `io`. */
export async function makeFolder(path: string): Promise<void> {
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
 * Writes a result to a folder; where that is `results/METHOD/NAME` of a run, the run's index names it. Throws as `writeResult` of
 * analysis does.
 */
export async function writeResultTo(folder: string, result: ResultBase): Promise<void> {
  const match = /^(.+)[/\\](results)[/\\]([^/\\]+)[/\\]([^/\\]+)[/\\]?$/.exec(folder);
  if (!match) return writeResult(folder, '', result);
  await writeResult(match[1]!, match.slice(2).join('/'), result);
}
