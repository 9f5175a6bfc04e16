import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { checkRange } from '../../formats/source.js';
import type { StoredFile } from '../types.js';
import { type HubOptions, request } from './request.js';

/** What a hub knows of a file without giving it out. */
export interface HubFile {
  size: number;
  /** SHA-256 of a large file, the git object's hash of a small one. */
  oid: string;
}

/** A range is asked for in pieces of at most this, so that what failed half way is not asked for anew as a whole. */
const PIECE = 1 << 26;

/** `/resolve/COMMIT/PATH` on a hub: what is found there never changes. */
export const isHubAddress = (address: string): boolean =>
  /^https?:\/\/[^/]+\/(?:[^/]+\/){1,2}resolve\/[0-9a-f]{40}\//.test(address);

const plainTag = (tag: string | null) => tag?.replace(/^W\//, '').replace(/^"(.*)"$/, '$1') ?? null;

/**
 * A file of a hub, by ranges. The signed address that the hub sends us on to is used until it expires; then a new one is asked for.
 * `known`: from a listing, so that opening it asks for nothing.
 */
export async function openHubFile(
  address: string,
  options: HubOptions = {},
  known?: HubFile,
): Promise<StoredFile> {
  let signed: string | null = null;

  /** One range, by the signed address where there is one. */
  const ask = async (range: string): Promise<Response> => {
    if (signed) {
      try {
        return await request(signed, options, { range });
      } catch (cause) {
        const status = cause instanceof EpochscopeError ? cause.fields.got : null;
        // Expired, or moved.
        if (status !== 401 && status !== 403 && status !== 404 && status !== 400) throw cause;
        signed = null;
      }
    }
    const answer = await request(address, options, { range });
    if (answer.status < 300) return answer;
    const location = answer.headers.get('location');
    await answer.body?.cancel();
    guard(
      location && answer.status < 400,
      'format',
      () => `${address}: expected a file or where it lies, got status ${answer.status}`,
      { file: address },
    );
    const next = new URL(location, address).href;
    const there = await request(next, options, { range });
    signed = next;
    return there;
  };

  const describe = async (): Promise<HubFile> => {
    const first = await request(address, options, { range: 'bytes=0-0' });
    await first.body?.cancel();
    const linked = Number(first.headers.get('x-linked-size') ?? Number.NaN);
    const oid = plainTag(first.headers.get('x-linked-etag') ?? first.headers.get('etag'));
    if (linked >= 0 && oid) return { size: linked, oid };
    const size = Number(/\/(\d{1,16})$/.exec(first.headers.get('content-range') ?? '')?.[1] ?? Number.NaN);
    guard(size >= 0 && oid, 'format', () => `${address}: the server says neither size nor hash`, {
      file: address,
    });
    return { size, oid };
  };

  const { size, oid } = known ?? (await describe());
  return {
    name: address,
    size,
    stamp: oid,
    async close() {},
    async read(offset, length) {
      checkRange({ name: address, size }, offset, length);
      const out = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const count = Math.min(PIECE, length - done);
        done += await piece(offset + done, out.subarray(done, done + count));
      }
      return out;
    },
  };

  /** Fills `into`; how many bytes came. Tries again once from where a broken answer ended. */
  async function piece(offset: number, into: Uint8Array): Promise<number> {
    const answer = await ask(`bytes=${offset}-${offset + into.length - 1}`);
    const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.headers.get('content-range') ?? '');
    const whole = answer.status === 200 && offset === 0 && into.length === size;
    if (!whole && (answer.status !== 206 || Number(range?.[1]) !== offset || Number(range?.[3]) !== size)) {
      await answer.body?.cancel();
      throw new EpochscopeError(
        'format',
        `${address}: expected bytes ${offset}-${offset + into.length - 1} of ${size}, got ${range?.[0] ?? `status ${answer.status}`}`,
        { file: address, byte: offset },
      );
    }
    let got = 0;
    try {
      const reader = answer.body!.getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        guard(
          got + part.value.length <= into.length,
          'format',
          () => `${address}: expected ${into.length} bytes at byte ${offset}, the server sends more`,
          { file: address, byte: offset },
        );
        into.set(part.value, got);
        got += part.value.length;
      }
    } catch (cause) {
      if (cause instanceof EpochscopeError) throw cause;
      if (options.signal?.aborted)
        throw new EpochscopeError('cancelled', `reading ${address} was cancelled`, {}, { cause });
      // Cut off: what came is kept, the rest asked for.
    }
    guard(got > 0 || into.length === 0, 'io', () => `${address}: the connection broke at byte ${offset}`, {
      file: address,
      byte: offset,
    });
    return got;
  }
}
