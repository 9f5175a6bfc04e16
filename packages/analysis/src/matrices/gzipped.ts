import { EpochscopeError, formatBytes, guard } from '@epochscope/core-wasm';
import { budgetOf, LONGEST_ARRAY, shareBudget } from '../formats/budget.js';
import { joinBytes } from '../formats/bytes.js';
import { DTYPE_BYTES } from '../formats/dtypes.js';
import { unpackedPieces } from '../formats/gzip.js';
import { readNpyHeader } from '../formats/npy.js';
import { bytesSource } from '../formats/source.js';
import type { ByteSource } from '../formats/types.js';
import { type FileKind, kindOf } from './arrays.js';

/** Headers of arrays stand there. */
const HEAD = 4096;

/** The first bytes of a gzipped file, unpacked. Throws `format`. */
async function head(source: ByteSource): Promise<ByteSource> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const piece of unpackedPieces(source)) {
    parts.push(piece);
    length += piece.length;
    if (length >= HEAD) break;
  }
  if (length > 0) return bytesSource(source.name, joinBytes(parts, length));
  throw new EpochscopeError('format', `${source.name} is empty once unpacked`, { file: source.name });
}

/** How many bytes a gzipped file says it unpacks to: by the array's header, or else by gzip's own last field (mod 2³²). */
async function unpackedSize(source: ByteSource, start: ByteSource, inside: FileKind): Promise<number> {
  if (inside === 'npy') {
    const whole = { ...start, size: Number.MAX_SAFE_INTEGER };
    // Whoever reads it says what is wrong with it; texts may be labels.
    const header = await readNpyHeader(whole).catch(() => null);
    if (header) return header.dataOffset + header.count * DTYPE_BYTES[header.dtype];
  }
  const field = await source.read(source.size - 4, 4);
  return new DataView(field.buffer, field.byteOffset).getUint32(0, true);
}

/**
 * A gzipped file of arrays, unpacked: `size` bytes are expected. Throws `memory` before anything is unpacked past what the file's budget
 * allows or one array holds, `format`, `cancelled`.
 */
async function unpacked(source: ByteSource, size: number): Promise<ByteSource> {
  const budget = budgetOf(source);
  const make = (length: number): Uint8Array => {
    guard(
      length <= LONGEST_ARRAY,
      'memory',
      () =>
        `${source.name}: ${formatBytes(length)} once unpacked are more than the ${formatBytes(LONGEST_ARRAY)} that can be held at once; unpack it first (gunzip): of an .npy file of any size only the rows wanted are read`,
      { file: source.name, needed: length, limit: LONGEST_ARRAY },
    );
    budget.take(length, 'its content');
    return new Uint8Array(length);
  };
  let bytes = make(size);
  let filled = 0;
  for await (const piece of unpackedPieces(source)) {
    if (filled + piece.length > bytes.length) {
      // Several members, or a header that says less than there is.
      const larger = make(Math.max(filled + piece.length, Math.min(2 * bytes.length, LONGEST_ARRAY)));
      larger.set(bytes.subarray(0, filled));
      budget.free(bytes.length);
      bytes = larger;
    }
    bytes.set(piece, filled);
    filled += piece.length;
  }
  return shareBudget(bytesSource(source.name, bytes.subarray(0, filled)), source);
}

/** What a file holds, and the file: unpacked where it is gzipped arrays. Throws as `kindOf`, `memory`, `format`. */
export async function opened(source: ByteSource): Promise<{ file: ByteSource; kind: FileKind }> {
  const kind = await kindOf(source);
  if (kind !== 'gzip') return { file: source, kind };
  const start = await head(source);
  const inside = await kindOf(start);
  return inside === 'text'
    ? { file: source, kind }
    : { file: await unpacked(source, await unpackedSize(source, start, inside)), kind: inside };
}
