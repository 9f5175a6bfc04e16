import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { Gunzip } from 'fflate';
import { joinBytes } from './bytes.js';
import { crc32 } from './crc32.js';
import type { ByteSource } from './types.js';

/** Unpacked files larger than this are refused: whole MNIST is 47 MB, a CIFAR-10 batch 31 MB. */
export const MAX_GUNZIPPED_BYTES = 1_000_000_000;

/** Header and trailer. */
const SHORTEST_GZIP = 18;
const TRAILER = 8;

/** A whole file, unpacked if gzipped. Refuses a file beyond `limit` before reading it. Throws `format`. */
export async function readMaybeGzipped(source: ByteSource, limit = MAX_GUNZIPPED_BYTES): Promise<Uint8Array> {
  guard(
    source.size <= limit,
    'format',
    () => `${source.name}: expected at most ${limit} bytes, got ${source.size}`,
    { file: source.name, expected: limit, got: source.size },
  );
  return gunzip(await source.read(0, source.size), source.name, limit);
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
  if (bytes.length < SHORTEST_GZIP)
    throw new EpochscopeError('format', `${name}: the gzip data end too early`, { file: name });
  const parts: Uint8Array[] = [];
  let total = 0;
  let ended = false;
  let member = { length: 0, crc: 0 };

  // A member ends with its checksum and its unpacked length (mod 2³²): damage, a cut or a splice shows here.
  const checkMember = (end: number) => {
    const trailer = new DataView(bytes.buffer, bytes.byteOffset + end - TRAILER, TRAILER);
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
    total += chunk.length;
    if (total > limit)
      throw new EpochscopeError('format', `${name}: expected at most ${limit} bytes once unpacked`, {
        file: name,
        limit,
      });
    if (chunk.length > 0) parts.push(chunk);
    member = { length: member.length + chunk.length, crc: crc32(chunk, member.crc) };
    ended ||= final;
  });
  stream.onmember = checkMember;
  try {
    for (let at = 0; at < bytes.length; at += 1 << 20)
      stream.push(bytes.subarray(at, at + (1 << 20)), at + (1 << 20) >= bytes.length);
  } catch (cause) {
    if (cause instanceof EpochscopeError) throw cause;
    throw new EpochscopeError(
      'format',
      `${name}: broken gzip data: ${(cause as Error).message}`,
      { file: name },
      { cause },
    );
  }
  if (!ended) throw new EpochscopeError('format', `${name}: the gzip data end too early`, { file: name });
  checkMember(bytes.length);
  return joinBytes(parts, total);
}
