import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { Gunzip } from 'fflate';
import { Budget, budgetOf } from './budget.js';
import { joinBytes } from './bytes.js';
import { crc32 } from './crc32.js';
import type { ByteSource } from './types.js';

/** Unpacked files larger than this are refused: whole MNIST is 47 MB, a CIFAR-10 batch 31 MB. */
export const MAX_GUNZIPPED_BYTES = 1_000_000_000;

/** Header and trailer. */
const SHORTEST_GZIP = 18;
const TRAILER = 8;

/** A whole file, unpacked if gzipped. Refuses a file beyond `limit` before reading it. Throws `format`, `memory`. */
export async function readMaybeGzipped(source: ByteSource, limit = MAX_GUNZIPPED_BYTES): Promise<Uint8Array> {
  guard(
    source.size <= limit,
    'format',
    () => `${source.name}: expected at most ${limit} bytes, got ${source.size}`,
    { file: source.name, expected: limit, got: source.size },
  );
  return gunzip(await source.read(0, source.size), source.name, Math.min(limit, budgetOf(source).limit / 2));
}

/** Bytes read at once. */
const PIECE = 1 << 20;
/** Bytes unpacked at once: a thousand may come out of one, and each member costs three times as many to set up. */
const STEP = 1 << 10;
/** A member's header (name, comment, extra field) longer than this is refused. */
const MAX_HEADER = 1 << 17;

/** Pieces of a file of any length, unpacked if gzipped: only some are in memory at a time. Throws `format`. */
export async function* unpackedPieces(source: ByteSource): AsyncGenerator<Uint8Array> {
  const start = source.size >= 2 ? await source.read(0, 2) : new Uint8Array(0);
  if (start[0] !== 0x1f || start[1] !== 0x8b) {
    for (let at = 0; at < source.size; at += PIECE)
      yield await source.read(at, Math.min(PIECE, source.size - at));
    return;
  }
  budgetOf(source).gunzipped = true;
  const parts: Uint8Array[] = [];
  const unpacker = gunzipper(source.name, (chunk) => parts.push(chunk));
  for (let at = 0; at < source.size; at += PIECE) {
    const packed = await source.read(at, Math.min(PIECE, source.size - at));
    for (let from = 0; from < packed.length; from += STEP) {
      unpacker.push(packed.subarray(from, from + STEP), at + from + STEP >= source.size);
      // Also what holds no values, such as lines and lines of nothing.
      budgetOf(source).work(parts.reduce((sum, part) => sum + part.length, 0));
      yield* parts.splice(0);
      await budgetOf(source).rest();
    }
  }
}

/**
 * Unpacks gzip (told by its magic bytes), also of several members; other bytes come back as they are. Stops at the
 * limit, whatever the header says. Each member's checksum and length must be right. O(unpacked) time and twice its memory.
 */
export async function gunzip(
  bytes: Uint8Array,
  name: string,
  limit = MAX_GUNZIPPED_BYTES,
): Promise<Uint8Array> {
  if (bytes.length < 2 || bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const parts: Uint8Array[] = [];
  let total = 0;
  const unpacker = gunzipper(name, (chunk) => {
    total += chunk.length;
    guard(total <= limit, 'format', () => `${name}: expected at most ${limit} bytes once unpacked`, {
      file: name,
      limit,
    });
    parts.push(chunk);
  });
  const budget = new Budget(name, bytes.length);
  for (let at = 0; at < bytes.length; at += STEP) {
    unpacker.push(bytes.subarray(at, at + STEP), at + STEP >= bytes.length);
    await budget.rest();
  }
  return joinBytes(parts, total);
}

/** Unpacks gzip piece by piece, the last marked; each member's checksum and length are looked at. Throws `format`. */
function gunzipper(
  name: string,
  take: (chunk: Uint8Array) => void,
): { push(piece: Uint8Array, last: boolean): void } {
  let ended = false;
  let member = { length: 0, crc: 0 };
  // All bytes pushed, and the last of them: a member's trailer may lie across two pieces.
  let pushed = 0;
  let recent = new Uint8Array(0);
  // Bytes since anything came out, were it nothing: those of a header that goes on.
  let waiting = 0;
  const tooShort = (): never => {
    throw new EpochscopeError('format', `${name}: the gzip data end too early`, { file: name });
  };

  // A member ends with its checksum and its unpacked length (mod 2³²): damage, a cut or a splice shows here.
  const checkMember = (end: number) => {
    const at = recent.length - (pushed - end) - TRAILER;
    if (at < 0) tooShort();
    const trailer = new DataView(recent.buffer, recent.byteOffset + at, TRAILER);
    const length = trailer.getUint32(4, true);
    if (length !== member.length % 2 ** 32)
      throw new EpochscopeError('format', `${name}: gzip says ${length} bytes, unpacked ${member.length}`, {
        file: name,
        byte: end - 4,
        expected: length,
        got: member.length,
      });
    if (trailer.getUint32(0, true) !== member.crc)
      throw new EpochscopeError(
        'format',
        `${name}: the gzip checksum is wrong: the file is damaged (byte ${end - TRAILER})`,
        {
          file: name,
          byte: end - TRAILER,
          expected: trailer.getUint32(0, true),
          got: member.crc,
        },
      );
    member = { length: 0, crc: 0 };
  };

  const stream = new Gunzip((chunk, final) => {
    member = { length: member.length + chunk.length, crc: crc32(chunk, member.crc) };
    ended ||= final;
    waiting = 0;
    if (chunk.length > 0) take(chunk);
  });
  stream.onmember = checkMember;
  return {
    push(piece, last) {
      recent = joinBytes([recent.subarray(-STEP), piece], Math.min(recent.length, STEP) + piece.length);
      pushed += piece.length;
      if (last && pushed < SHORTEST_GZIP) tooShort();
      try {
        stream.push(piece, last);
      } catch (cause) {
        if (cause instanceof EpochscopeError) throw cause;
        throw new EpochscopeError(
          'format',
          `${name}: broken gzip data: ${(cause as Error).message}`,
          { file: name },
          { cause },
        );
      }
      waiting += piece.length;
      guard(
        waiting <= MAX_HEADER,
        'format',
        () => `${name}: expected a gzip header of at most ${MAX_HEADER} bytes (byte ${pushed - waiting})`,
        { file: name, byte: pushed - waiting },
      );
      if (!last) return;
      if (!ended) tooShort();
      checkMember(pushed);
    },
  };
}
