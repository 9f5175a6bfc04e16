import { guard } from '@epochscope/core-wasm';
import type { ByteSource } from './types.js';

/** Throws `format` unless [offset, offset + length) lies within the source. */
export function checkRange(source: { name: string; size: number }, offset: number, length: number): void {
  guard(
    Number.isSafeInteger(offset) &&
      Number.isSafeInteger(length) &&
      offset >= 0 &&
      length >= 0 &&
      offset + length <= source.size,
    'format',
    () => `${source.name}: expected ${length} bytes at byte ${offset}, got a file of ${source.size} bytes`,
    { file: source.name, byte: offset, expected: offset + length, got: source.size },
  );
}

/** A source over bytes in memory. `read` answers views, not copies. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    async read(offset, length) {
      checkRange({ name, size: bytes.length }, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
}
