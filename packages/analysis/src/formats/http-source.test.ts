import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EpochscopeError } from '@epochscope/core-wasm';
import { afterEach, describe, expect, it } from 'vitest';
import { httpSource, MAX_HTTP_WHOLE } from './http-source.js';
import { encodeNpy, readNpyRows } from './npy.js';

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((done) => (server ? server.close(done) : done(null)));
  server = undefined;
});
/** A server on a free port of this machine. */
async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((done) => started.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}/f.npy`;
}
/** Answers ranges as servers do, and counts the bytes it sends. */
function ranged(bytes: Uint8Array, sent = { bytes: 0 }): RequestListener {
  return (request, answer) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (from === undefined || Number(from) >= bytes.length) {
      answer.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
      return;
    }
    const part = bytes.subarray(Number(from), Number(to) + 1);
    sent.bytes += part.length;
    answer.writeHead(206, { 'content-range': `bytes ${from}-${to}/${bytes.length}`, etag: '"1"' }).end(part);
  };
}
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error,
  );

describe('httpSource', () => {
  it('reads rows of a large array by their bytes alone', async () => {
    const bytes = encodeNpy(
      Float32Array.from({ length: 300_000 }, (_, i) => i),
      [100_000, 3],
    );
    const sent = { bytes: 0 };
    const source = await httpSource(await serve(ranged(bytes, sent)));
    expect(source.size).toBe(bytes.length);
    expect([...(await readNpyRows(source, 99_998, 99_999)).data]).toEqual([299_994, 299_995, 299_996]);
    expect(sent.bytes).toBeLessThan(200);
    expect(await source.read(5, 0)).toEqual(new Uint8Array(0));
    await expect(source.read(bytes.length, 1)).rejects.toThrow('got a file of');
  });

  it('reads an empty file as one', async () => {
    expect((await httpSource(await serve(ranged(new Uint8Array(0))))).size).toBe(0);
  });

  it('keeps a small file whole where the server ignores ranges, and refuses a large one', async () => {
    const source = await httpSource(await serve((_, answer) => answer.end('hello')));
    expect(source.size).toBe(5);
    expect([...(await source.read(1, 2))]).toEqual([...new TextEncoder().encode('el')]);
    server?.closeAllConnections();
    server?.close();
    const chunk = new Uint8Array(1 << 20);
    let sent = 0;
    const endless = await serve((_, answer) => {
      const more = () => {
        while (!answer.destroyed && answer.write(chunk)) sent += chunk.length;
      };
      answer.on('drain', more);
      more();
    });
    const error = await failure(httpSource(endless));
    expect(error).toMatchObject({ code: 'unsupported' });
    expect(error.message).toContain(`more than ${MAX_HTTP_WHOLE} bytes`);
    // What lies in socket buffers comes on top of what was read.
    expect(sent).toBeLessThan(2 * MAX_HTTP_WHOLE);
  });

  it.each<[string, RequestListener, string, string]>([
    ['a missing file', (_, a) => a.writeHead(404).end(), 'missing', 'does not exist (status 404)'],
    ['a server error', (_, a) => a.writeHead(503).end(), 'io', 'expected status 200 or 206, got 503'],
    [
      'a part without its place',
      (_, a) => a.writeHead(206).end('x'),
      'format',
      'expected Content-Range bytes 0-0/size, got none',
    ],
    [
      'another part',
      (_, a) => a.writeHead(206, { 'content-range': 'bytes 3-3/9' }).end('x'),
      'format',
      'got bytes 3-3/9',
    ],
    [
      'more than was asked',
      (_, a) => a.writeHead(206, { 'content-range': 'bytes 0-0/9' }).end('xyz'),
      'format',
      'expected 1 bytes, the server sends more',
    ],
    ['a connection that breaks', (_, a) => a.destroy(), 'io', 'could not be read'],
  ])('names %s', async (_, listener, code, message) => {
    const error = await failure(httpSource(await serve(listener)));
    expect(error).toBeInstanceOf(EpochscopeError);
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  it('notices a file that changes between two reads', async () => {
    let version = 0;
    const url = await serve((request, answer) => {
      const range = /(\d+)-(\d+)/.exec(request.headers.range!)!;
      answer
        .writeHead(206, { 'content-range': `bytes ${range[0]}/100`, etag: `"${version}"` })
        .end(new Uint8Array(Number(range[2]) - Number(range[1]) + 1));
    });
    const source = await httpSource(url);
    expect((await source.read(0, 10)).length).toBe(10);
    version++;
    await expect(source.read(10, 10)).rejects.toThrow('did the file change?');
  });

  it('stops on request', async () => {
    const url = await serve(() => {});
    const stop = new AbortController();
    const reading = failure(httpSource(url, { signal: stop.signal }));
    stop.abort();
    expect(await reading).toMatchObject({ code: 'cancelled' });
  });
});
