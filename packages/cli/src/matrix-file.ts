import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { StoredFile } from '@epochscope/analysis';
import { bytesSource } from '@epochscope/analysis/formats';
import type { ArrayPlace } from '@epochscope/analysis/workflows';
import { formatBytes, guard } from '@epochscope/core-wasm';

/** A file of arrays or a table, a pipe or standard input, and the array that is meant. */
export interface FileTarget {
  /** Undefined: standard input. */
  file: string | undefined;
  /** Whether it can be read only once, from its start. */
  pipe: boolean;
  array: string | undefined;
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
  return file && inside?.isFile() ? { file, pipe: false, array } : null;
}

/** A file as workflows take it; a pipe is read. Throws as `findFile`, `io`, `memory`. */
export async function arrayPlace(path: string): Promise<ArrayPlace> {
  const found = await findFile(path);
  return found?.pipe ? { file: await readPipe(found.file ?? '', nameOf(path)) } : path;
}

/** What a file's matrix is called: its name and array, without an ending; and where its result goes unless another folder is given. */
export async function namesOfFile(path: string): Promise<{ source: string; name: string; folder: string }> {
  const { file, pipe, array } = (await findFile(path))!;
  const shown = nameOf(path);
  const stem = `${basename(file && !pipe ? file : shown)}${array ? `-${array}` : ''}`.replaceAll(
    /[/\\]/g,
    '_',
  );
  return {
    source: array && file ? `${file}:${array}` : shown,
    name: stem.replace(/(?:\.(?:npy|npz|csv|tsv|txt|safetensors|gz))+(?=-|$)/i, ''),
    folder: `${stem}-tendency`,
  };
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
