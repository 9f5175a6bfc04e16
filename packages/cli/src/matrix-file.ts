import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { openFile, type StoredFile } from '@epochscope/analysis';
import {
  bytesSource,
  type MatrixFile,
  type MatrixOptions,
  openMatrix,
  readLabels,
  stackedRows,
} from '@epochscope/analysis/formats';
import type { FileIdentity } from '@epochscope/analysis/results';
import { type HashedFile, hashed } from '@epochscope/analysis/runs';
import { type ArrayPlace, withArrayFile } from '@epochscope/analysis/workflows';
import { formatBytes, guard } from '@epochscope/core-wasm';

/** A file of arrays or a table, a pipe or standard input, and the array that is meant. */
export interface FileTarget {
  /** Undefined: standard input. */
  file: string | undefined;
  /** Whether it can be read only once, from its start. */
  pipe: boolean;
  array: string | undefined;
  /** Files whose rows stand one under the other, in this order; where a pattern names them. */
  shards?: string[];
}

const ARRAY_PATH = /^(.*\.(?:npz|safetensors)):(.+)$/i;
/** No array of Node 20 is longer. */
const LONGEST = 2 ** 32;
/** Where a shell puts pipes: <(command), and standard input. */
const SHELL_PIPE = /^\/(?:dev|proc\/(?:self|\d+))\/(?:stdin|fd\/\d+)$/;

/**
 * What a path names: a file (whatever colons are in its name), "file.npz:array", a pipe the shell made, or "-" for standard input; null for
 * a folder, or what is not there. Throws `format` for a device, a socket, or a pipe that nobody may be writing to.
 */
export async function findFile(path: string): Promise<FileTarget | null> {
  if (path === '-') return { file: undefined, pipe: true, array: undefined };
  if (isAddress(path)) return { file: path, pipe: false, array: undefined };
  const info = await stat(path).catch(() => null);
  if (info?.isFile()) return { file: path, pipe: false, array: undefined };
  if (info && SHELL_PIPE.test(path)) return { file: path, pipe: true, array: undefined };
  guard(
    !info || info.isDirectory(),
    'format',
    () =>
      `${path} is ${info!.isFIFO() ? `a named pipe; read it as standard input: epochscope … - < ${path}` : info!.isSocket() ? 'a socket, expected a file' : 'a device, expected a file'}`,
    { path },
  );
  const [, file, array] = ARRAY_PATH.exec(path) ?? [];
  const inside = file ? await stat(file).catch(() => null) : null;
  if (file && inside?.isFile()) return { file, pipe: false, array };
  const shards = info ? [] : await shardsOf(path);
  return shards.length ? { file: path, pipe: false, array: undefined, shards } : null;
}

const isAddress = (path: string): boolean => /^https?:\/\//i.test(path);

/** Files of a pattern such as "parts/x-*.npy", by name, numbers in their order. "*" stands in the last part of the path alone. */
async function shardsOf(path: string): Promise<string[]> {
  const name = basename(path);
  if (!name.includes('*')) return [];
  const escaped = name.split('*').map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  const matches = new RegExp(`^${escaped.join('.*')}$`);
  const found = await readdir(dirname(path)).catch(() => []);
  return found
    .filter((file) => matches.test(file))
    .sort(new Intl.Collator('en', { numeric: true }).compare)
    .map((file) => join(dirname(path), file));
}

/** A file as workflows take it; a pipe is read. Throws as `findFile`, `io`, `memory`. */
export async function arrayPlace(path: string): Promise<ArrayPlace> {
  const found = await findFile(path);
  return found?.pipe ? { file: await readPipe(found.file ?? '', nameOf(path)) } : path;
}

/** Opens, uses and closes a file or pipe. Throws as `arrayPlace`, `missing`, and what `body` throws. */
export const withArrays = async <T>(
  path: string,
  body: (source: HashedFile, array: string | undefined) => Promise<T>,
): Promise<T> => withArrayFile(await arrayPlace(path), body);

/**
 * The matrix of a file, of a pipe, or of several files whose rows stand one under the other; and which state of each file was read, by name.
 * Throws as `withArrays` and `openMatrix`.
 */
export async function withMatrix<T>(
  path: string,
  options: MatrixOptions,
  body: (matrix: MatrixFile, identities: () => Record<string, FileIdentity>) => Promise<T>,
): Promise<T> {
  const shards = (await findFile(path))?.shards;
  if (!shards)
    return withArrays(path, async (source, array) => {
      const matrix = await openMatrix(source, { ...options, array });
      return body(matrix, () => ({ [basename(nameOf(path))]: source.identity() }));
    });
  const sources: HashedFile[] = [];
  try {
    const files: MatrixFile[] = [];
    for (const shard of shards) {
      const source = hashed(await openFile(shard));
      sources.push(source);
      files.push(await openMatrix(source, options));
    }
    const rows = stackedRows(
      files.map((file) => file.rows),
      path,
    );
    const [first] = files;
    return await body(
      {
        ...first!,
        rows,
        shape: [rows.shape[0], ...first!.shape.slice(1)],
        names: null,
        labels: null,
        predictions: null,
        notes: [
          `${rows.shape[0]} samples × ${rows.shape[1]} columns of ${rows.dtype}, from ${files.length} files: ${basename(shards[0]!)} … ${basename(shards.at(-1)!)}`,
        ],
      },
      () => Object.fromEntries(sources.map((source, i) => [basename(shards[i]!), source.identity()])),
    );
  } finally {
    for (const source of sources) await source.close();
  }
}

/** All that comes out of a pipe ("": standard input). Throws `memory` past what one array holds. */
async function readPipe(file: string, name: string): Promise<StoredFile> {
  guard(
    file !== '' || !process.stdin.isTTY,
    'argument',
    'standard input is a terminal: give a file, or pipe one into it',
  );
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const part of file === '' ? process.stdin : createReadStream(file)) {
    total += part.length;
    guard(
      total < LONGEST,
      'memory',
      () => `${name}: expected less than ${formatBytes(LONGEST)}; save it as a file, which is read in parts`,
      { file: name },
    );
    parts.push(part);
  }
  return { ...bytesSource(name, Buffer.concat(parts)), stamp: null, close: async () => {} };
}

/** What a file is called where its path says nothing. */
export const nameOf = (path: string): string => (path === '-' || SHELL_PIPE.test(path) ? 'stdin' : path);

/** Labels of so many rows: integers, −1 for no class, or names. */
export const readClassLabels = (path: string, rows: number, known?: readonly string[] | null) =>
  withArrays(path, (source, array) => readLabels(source, array, rows, known));
