import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { joinBytes } from './bytes.js';
import { checkRange } from './source.js';
import type { ByteSource } from './types.js';

/** A server that answers without ranges may send whole files up to this size; larger ones are refused. */
export const MAX_HTTP_WHOLE = 64_000_000;

export interface HttpSourceOptions {
  /** For tests and for pages that add credentials; default the global one. */
  fetch?: typeof globalThis.fetch;
  signal?: AbortSignal;
}

/** A file of a web server. Nothing is kept open. */
export interface HttpSource extends ByteSource {
  readonly stamp: string | null;
  close(): Promise<void>;
}

/**
 * A source over a URL that reads only the bytes asked for (HTTP Range). Where the server ignores ranges, a file of at
 * most MAX_HTTP_WHOLE bytes is fetched once and kept. No answer is held beyond the bytes asked for, whatever the server
 * sends. Throws `missing` (404, 410), `io` (other status, network), `format` (an answer that is not what was asked, or
 * a file that changed between two reads), `unsupported` (large and no ranges), `cancelled`.
 */
export async function httpSource(url: string, options: HttpSourceOptions = {}): Promise<HttpSource> {
  const first = await get(url, 'bytes=0-0', options);
  if (first.status === 416) {
    // An empty file has no byte 0.
    await first.body?.cancel();
    const size = contentRange(first)?.size;
    guard(
      size === 0,
      'format',
      () => `${url}: the server refuses byte 0 of ${size ?? 'an unknown number of'} bytes`,
      {
        file: url,
        byte: 0,
      },
    );
    return wholeSource(url, new Uint8Array(0), stampOf(first, 0));
  }
  if (first.status !== 206) {
    const bytes = await readBody(url, first, MAX_HTTP_WHOLE, options);
    return wholeSource(url, bytes, stampOf(first, bytes.length));
  }
  const range = contentRange(first);
  await readBody(url, first, 1, options);
  const size = range?.size;
  guard(
    size !== undefined && range?.begin === 0 && range.end === 0,
    'format',
    () =>
      `${url}: expected Content-Range bytes 0-0/size, got ${first.headers.get('content-range') ?? 'none'}`,
    { file: url, got: first.headers.get('content-range') },
  );
  const tag = first.headers.get('etag');
  return {
    name: url,
    size,
    stamp: stampOf(first, size),
    async close() {},
    async read(offset, length) {
      checkRange({ name: url, size }, offset, length);
      if (length === 0) return new Uint8Array(0);
      const asked = `bytes ${offset}-${offset + length - 1}/${size}`;
      const answer = await get(url, `bytes=${offset}-${offset + length - 1}`, options);
      const got = contentRange(answer);
      if (
        answer.status !== 206 ||
        got?.begin !== offset ||
        got.end !== offset + length - 1 ||
        got.size !== size ||
        answer.headers.get('etag') !== tag
      ) {
        await answer.body?.cancel();
        throw new EpochscopeError(
          'format',
          `${url}: expected ${asked}, got ${answer.headers.get('content-range') ?? `status ${answer.status}`}: did the file change?`,
          { file: url, byte: offset, expected: asked, got: answer.headers.get('content-range') },
        );
      }
      const bytes = await readBody(url, answer, length, options);
      guard(
        bytes.length === length,
        'format',
        () => `${url}: expected ${length} bytes at byte ${offset}, got ${bytes.length}`,
        { file: url, byte: offset, expected: length, got: bytes.length },
      );
      return bytes;
    },
  };
}

/** Tells one state of a file from another; null where the server says neither ETag nor time. */
function stampOf(answer: Response, size: number): string | null {
  const tag = answer.headers.get('etag') ?? answer.headers.get('last-modified');
  return tag === null ? null : `${size}-${tag}`;
}

function wholeSource(name: string, bytes: Uint8Array, stamp: string | null): HttpSource {
  return {
    name,
    size: bytes.length,
    stamp,
    async close() {},
    async read(offset, length) {
      checkRange({ name, size: bytes.length }, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

function contentRange(answer: Response): { begin?: number; end?: number; size: number } | null {
  const match = /^bytes (?:(\d{1,16})-(\d{1,16})|\*)\/(\d{1,16})$/.exec(
    answer.headers.get('content-range') ?? '',
  );
  if (!match) return null;
  const size = Number(match[3]);
  return match[1] === undefined ? { size } : { begin: Number(match[1]), end: Number(match[2]), size };
}

async function get(url: string, range: string, { fetch = globalThis.fetch, signal }: HttpSourceOptions) {
  let answer: Response;
  try {
    // Packed answers would count other bytes than the file's.
    answer = await fetch(url, { headers: { range, 'accept-encoding': 'identity' }, signal: signal ?? null });
  } catch (cause) {
    throw networkError(url, cause, signal);
  }
  if (answer.ok || answer.status === 416) return answer;
  await answer.body?.cancel();
  const gone = answer.status === 404 || answer.status === 410;
  throw new EpochscopeError(
    gone ? 'missing' : 'io',
    gone
      ? `${url} does not exist (status ${answer.status})`
      : `${url}: expected status 200 or 206, got ${answer.status}`,
    { file: url, got: answer.status },
  );
}

/** A failed request as one readable line: Node says why only in the cause of the cause. */
export function networkError(url: string, cause: unknown, signal?: AbortSignal): EpochscopeError {
  if (cause instanceof EpochscopeError) return cause;
  if (signal?.aborted)
    return new EpochscopeError('cancelled', `reading ${url} was cancelled`, { file: url }, { cause });
  const inner = (cause as { cause?: { code?: string } }).cause?.code;
  return new EpochscopeError(
    'io',
    `${url} could not be read: ${inner ?? (cause as Error).message}`,
    { file: url, errno: inner },
    { cause },
  );
}

/** At most `limit` bytes of an answer's body; more are refused as soon as they come. */
export async function readBody(
  url: string,
  answer: Response,
  limit: number,
  { signal }: HttpSourceOptions,
  tooLong: () => EpochscopeError = () => longer(url, answer, limit),
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let total = 0;
  try {
    const reader = answer.body?.getReader();
    for (let part = await reader?.read(); part && !part.done; part = await reader!.read()) {
      total += part.value.length;
      if (total > limit) {
        await reader!.cancel();
        throw tooLong();
      }
      parts.push(part.value);
    }
  } catch (cause) {
    throw networkError(url, cause, signal);
  }
  if (parts.length === 1) return parts[0]!;
  return joinBytes(parts, total);
}

const longer = (url: string, { status }: Response, limit: number) =>
  new EpochscopeError(
    status === 206 ? 'format' : 'unsupported',
    status === 206
      ? `${url}: expected ${limit} bytes, the server sends more`
      : `${url}: the server ignores HTTP ranges and the file has more than ${limit} bytes`,
    { file: url, expected: limit },
  );
