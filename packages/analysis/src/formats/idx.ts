import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { readMaybeGzipped } from './gzip.js';
import type { ByteSource, Tensor } from './types.js';

// MNIST's format: two zero bytes, a type byte, the number of dimensions, big-endian sides, then the data.

/** Real files have 1 to 4. */
export const MAX_IDX_DIMENSIONS = 8;
const UNSIGNED_BYTE = 8;

/** Reads an IDX file of unsigned bytes, plain or gzipped. Throws `format` naming byte, expected and got. */
export async function readIdx(source: ByteSource): Promise<Tensor<Uint8Array>> {
  const bytes = await readMaybeGzipped(source);
  const fail = (message: string, byte: number, fields: Record<string, number> = {}): never => {
    throw new EpochscopeError('format', `${source.name}: ${message} (byte ${byte})`, {
      file: source.name,
      byte,
      ...fields,
    });
  };
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0)
    fail('expected an IDX file, which begins with two zero bytes', 0);
  if (bytes[2] !== UNSIGNED_BYTE) fail(`expected IDX type 8 (unsigned bytes), got ${bytes[2]}`, 2);
  const dimensions = bytes[3]!;
  if (dimensions < 1 || dimensions > MAX_IDX_DIMENSIONS)
    fail(`expected 1 … ${MAX_IDX_DIMENSIONS} dimensions, got ${dimensions}`, 3);
  const start = 4 + 4 * dimensions;
  if (bytes.length < start)
    fail(`the header of ${dimensions} dimensions ends at byte ${start}, the file at ${bytes.length}`, 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const count = shape.reduce((a, b) => a * b, 1);
  guard(
    Number.isSafeInteger(count) && bytes.length - start === count,
    'format',
    () =>
      `${source.name}: shape ${shape.join('×')} needs ${count} bytes, got ${bytes.length - start} (byte ${start})`,
    {
      file: source.name,
      byte: start,
      expected: count,
      got: bytes.length - start,
    },
  );
  return { data: bytes.subarray(start), shape, dtype: 'uint8' };
}
