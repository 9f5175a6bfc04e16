import { type FileHandle, open } from 'node:fs/promises';
import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { explained } from './sniff.js';
import { checkRange } from './source.js';
import type { ByteSource } from './types.js';

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

/** A source over a local file; close it after use. */
export async function fileSource(path: string): Promise<ByteSource & { close(): Promise<void> }> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const info = await handle.stat();
    guard(info.isFile(), 'format', () => `${path} is not a file`, { path });
    const file = handle;
    return {
      name: path,
      size: info.size,
      async read(offset, length) {
        checkRange({ name: path, size: info.size }, offset, length);
        const bytes = new Uint8Array(length);
        let done = 0;
        while (done < length) {
          const { bytesRead } = await file.read(bytes, done, Math.min(length - done, 1 << 30), offset + done);
          guard(
            bytesRead > 0,
            'format',
            () => `${path}: expected ${length} bytes at byte ${offset}, the file ended after ${done}`,
            { file: path, byte: offset + done },
          );
          done += bytesRead;
        }
        return bytes;
      },
      close: () => file.close(),
    };
  } catch (cause) {
    await handle?.close();
    throw fileError(path, cause);
  }
}

/** Opens, uses and closes a file. */
export async function withFile<T>(path: string, body: (source: ByteSource) => Promise<T>): Promise<T> {
  const source = await fileSource(path);
  try {
    return await body(source);
  } catch (cause) {
    throw fileError(path, await explained(source, cause));
  } finally {
    await source.close();
  }
}
