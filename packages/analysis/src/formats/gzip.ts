import { EpochscopeError } from '@epochscope/core-wasm';
import { Gunzip } from 'fflate';

/** Unpacked files larger than this are refused: whole MNIST is 47 MB, a CIFAR-10 batch 31 MB. */
export const MAX_GUNZIPPED_BYTES = 1_000_000_000;

/** Header and trailer. */
const SHORTEST_GZIP = 18;

/** Unpacks gzip (told by its magic bytes); other bytes come back as they are. Stops at the limit, whatever the header says. */
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
  const stream = new Gunzip((chunk, final) => {
    total += chunk.length;
    if (total > limit)
      throw new EpochscopeError('format', `${name}: expected at most ${limit} bytes once unpacked`, {
        file: name,
        limit,
      });
    parts.push(chunk);
    ended ||= final;
  });
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
  // gzip ends with the unpacked length (mod 2³²): a cut or spliced stream shows here.
  const tail = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4).getUint32(0, true);
  if (tail !== total % 2 ** 32)
    throw new EpochscopeError('format', `${name}: gzip says ${tail} bytes, unpacked ${total}`, {
      file: name,
      expected: tail,
      got: total,
    });
  const out = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
