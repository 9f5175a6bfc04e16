import { createHash } from 'node:crypto';
import { constants, createReadStream, openSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { type RowsPlace, type StoredFile, storeOf } from '@epochscope/analysis';
import { bytesSource } from '@epochscope/analysis/formats';
import type { ArrayPlace, LabelsPlace } from '@epochscope/analysis/workflows';
import { EpochscopeError, formatBytes, guard } from '@epochscope/core-wasm';

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
  if (isAddress(path)) return (await isRunAt(path)) ? null : { file: path, pipe: false, array: undefined };
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

/** Whether an address is a run's: files of rows have an ending. */
async function isRunAt(address: string): Promise<boolean> {
  if (/\.\w{1,5}$/.test(new URL(address).pathname)) return false;
  const store = await storeOf(address);
  return store.has('run.json').catch(() => false);
}

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

/** The same of a file of rows, or of several by a pattern. */
export async function rowsPlace(path: string): Promise<RowsPlace> {
  const files = (await findFile(path))?.shards;
  return files ? { name: path, files } : arrayPlace(path);
}

/** Tells what came out of one pipe from another; null for files. */
export const stampOf = (place: RowsPlace): string | null =>
  typeof place === 'object' && 'file' in place ? place.file.stamp : null;

/** Labels as a workflow takes them: "column:NAME" or a file. */
export async function labelsPlace(text: string | undefined): Promise<LabelsPlace | undefined> {
  const column = text === undefined ? undefined : /^column:(.+)$/.exec(text)?.[1];
  return text === undefined || column ? column && { column } : arrayPlace(text);
}

/** A file's tendency goes here unless another folder is given. */
export async function folderOfFile(path: string): Promise<string> {
  const { file, pipe, array } = (await findFile(path))!;
  const stem = `${basename(file && !pipe ? file : nameOf(path))}${array ? `-${array}` : ''}`;
  return `${stem.replaceAll(/[/\\]/g, '_').replaceAll('*', 'all')}-tendency`;
}

let stopped: AbortSignal = new AbortController().signal;
/** Stops the reading of pipes from now on. */
export const stopPipesBy = (signal: AbortSignal): void => {
  stopped = signal;
};

/** A pipe by its path, read without blocking a thread: one that waits for ever would keep the process. */
function pipeStream(file: string): Readable {
  if (!statSync(file).isFIFO()) return createReadStream(file);
  return new Socket({ fd: openSync(file, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
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
  // Nobody may ever write into it: a signal ends the wait.
  const stream = addAbortSignal(stopped, file === '' ? process.stdin : pipeStream(file));
  try {
    for await (const part of stream) {
      total += part.length;
      guard(
        total < LONGEST,
        'memory',
        () =>
          `${name}: expected less than ${formatBytes(LONGEST)}; save it as a file, which is read in parts`,
        { file: name },
      );
      parts.push(part);
    }
  } catch (cause) {
    if (!stopped.aborted) throw cause;
    throw new EpochscopeError('cancelled', `reading ${name} was cancelled`, { file: name }, { cause });
  }
  const bytes = Buffer.concat(parts);
  const stamp = createHash('sha256').update(bytes).digest('hex');
  return { ...bytesSource(name, bytes), stamp, close: async () => {} };
}

/** What a file is called where its path says nothing. */
export const nameOf = (path: string): string => (path === '-' || SHELL_PIPE.test(path) ? 'stdin' : path);
