import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Context } from 'hono';

/** Bytes in memory, or the bytes [begin, end) of a file. */
export type Piece = Uint8Array | { file: string; begin: number; end: number };

const lengthOf = (piece: Piece) => (piece instanceof Uint8Array ? piece.length : piece.end - piece.begin);
const CHUNK = 1 << 18;

/**
 * "bytes=a-b", "a-", "-n" → [from, to); null: send the whole (no range, several, or not understood, RFC 9110 §14.2);
 * 'outside': 416.
 */
export function parseRange(header: string | undefined, size: number): [number, number] | null | 'outside' {
  const match = /^bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))$/.exec(header?.trim() ?? '');
  if (!match) return null;
  const [, first, last, suffix] = match;
  if (suffix !== undefined)
    return Number(suffix) === 0 || size === 0 ? 'outside' : [Math.max(0, size - Number(suffix)), size];
  const from = Number(first);
  const to = last ? Number(last) + 1 : size;
  if (to <= from && last) return null;
  return from >= size ? 'outside' : [from, Math.min(to, size)];
}

/** A binary answer made of pieces, with ranges and revalidation. `version` is the ETag's text. */
export function binary(
  c: Context,
  pieces: readonly Piece[],
  version: string,
  headers: Record<string, string> = {},
): Response {
  const size = pieces.reduce((sum, piece) => sum + lengthOf(piece), 0);
  const etag = `"${version}"`;
  const common = {
    'Content-Type': 'application/octet-stream',
    ...headers,
    ETag: etag,
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'no-cache',
  };
  const known = c.req.header('If-None-Match');
  if (known?.split(',').some((one) => one.trim().replace(/^W\//, '') === etag || one.trim() === '*'))
    return new Response(null, { status: 304, headers: common });
  const condition = c.req.header('If-Range');
  const range = !condition || condition === etag ? parseRange(c.req.header('Range'), size) : null;
  if (range === 'outside')
    return c.json({ error: { code: 'argument', message: `expected a range within ${size} bytes` } }, 416, {
      'Content-Range': `bytes */${size}`,
    });
  const [from, to] = range ?? [0, size];
  return new Response(
    from === to ? null : (Readable.toWeb(Readable.from(slice(pieces, from, to))) as BodyInit),
    {
      status: range ? 206 : 200,
      headers: {
        ...common,
        'Content-Length': String(to - from),
        ...(range ? { 'Content-Range': `bytes ${from}-${to - 1}/${size}` } : {}),
      },
    },
  );
}

/** The bytes [from, to) of the pieces one after the other. A file that has shrunk breaks the answer off: never wrong bytes. */
async function* slice(pieces: readonly Piece[], from: number, to: number): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const piece of pieces) {
    const length = lengthOf(piece);
    const begin = Math.max(from - at, 0);
    const end = Math.min(to - at, length);
    at += length;
    if (begin >= end) continue;
    if (piece instanceof Uint8Array) {
      yield piece.subarray(begin, end);
      continue;
    }
    const handle = await open(piece.file, 'r');
    try {
      for (let offset = piece.begin + begin; offset < piece.begin + end; ) {
        const wanted = Math.min(CHUNK, piece.begin + end - offset);
        const { buffer, bytesRead } = await handle.read(new Uint8Array(wanted), 0, wanted, offset);
        if (!bytesRead) throw new Error('the file became shorter while it was sent');
        offset += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  }
}
