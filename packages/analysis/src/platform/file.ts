import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  read as readCallback,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { checkRange } from '../formats/source.js';
import type { StoredFile } from '../stores/types.js';

const REASONS: Record<string, string> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read',
  EPERM: 'may not be read',
  EISDIR: 'is a folder, expected a file',
  ENOTDIR: 'lies below something that is not a folder',
};

const NOT_WRITTEN: Record<string, string> = {
  ENOENT: 'its folder does not exist',
  EACCES: 'that is not permitted',
  EPERM: 'that is not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'it lies below something that is not a folder',
};

/** Turns a failed file system call into one readable line. */
export function fileError(path: string, cause: unknown, verb: 'read' | 'write' = 'read'): EpochscopeError {
  if (cause instanceof EpochscopeError) return cause;
  const code = (cause as NodeJS.ErrnoException)?.code ?? '';
  const other = code || String(cause);
  return new EpochscopeError(
    code === 'ENOENT' ? 'missing' : 'io',
    verb === 'read'
      ? `${path} ${REASONS[code] ?? `could not be read: ${other}`}`
      : `${path} could not be written: ${NOT_WRITTEN[code] ?? other}`,
    { path, errno: code },
    { cause },
  );
}

/** Reads up to this block: thousands of small asynchronous reads cost ten times as much. */
const SMALL = 65_536;
/** One call of the system reads at most this: more than 2³¹ − 1 bytes abort Node. */
export const PIECE = 1 << 30;
const readAsync = promisify(readCallback);

/** What kind of thing a path names, for messages. */
export function kindOf(info: Stats): string {
  if (info.isDirectory()) return 'a folder';
  if (info.isFIFO()) return 'a pipe';
  if (info.isSocket()) return 'a socket';
  if (info.isSymbolicLink()) return 'a link';
  return info.isFile() ? 'a file' : 'a device';
}

const expectFile = (name: string, info: Stats) =>
  guard(
    info.isFile(),
    info.isDirectory() ? 'format' : 'io',
    () => `${name} is ${kindOf(info)}, expected a file`,
    { path: name },
  );

/**
 * Opens a regular file; whatever is none is refused by its kind, without opening it. `follow`: also at the end of a link. Errors are
 * Node's or `format`, `io`.
 */
export function openFile(name: string, path: string, follow = true): StoredFile {
  expectFile(name, statSync(path));
  // The flags keep a race from hanging on a pipe or from following a link; Windows has neither.
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (follow ? 0 : (constants.O_NOFOLLOW ?? 0));
  const fd = openSync(path, flags);
  let closed = false;
  try {
    const info = fstatSync(fd);
    expectFile(name, info);
    const { size } = info;
    return {
      name,
      size,
      stamp: `${size}-${Math.trunc(info.mtimeMs)}`,
      fresh: true,
      async read(offset, length) {
        guard(!closed, 'io', () => `${name} is closed`, { path: name });
        checkRange({ name, size }, offset, length);
        try {
          const bytes = new Uint8Array(length);
          for (let done = 0; done < length; ) {
            const want = Math.min(length - done, PIECE);
            const got =
              length <= SMALL
                ? readSync(fd, bytes, done, want, offset + done)
                : (await readAsync(fd, bytes, done, want, offset + done)).bytesRead;
            guard(
              got > 0,
              'format',
              () => `${name}: expected ${length} bytes at byte ${offset}, the file ended after ${done}`,
              { file: name, byte: offset + done },
            );
            done += got;
          }
          return bytes;
        } catch (cause) {
          throw fileError(name, cause);
        }
      },
      async close() {
        if (!closed) closeSync(fd);
        closed = true;
      },
    };
  } catch (cause) {
    closeSync(fd);
    throw cause;
  }
}
