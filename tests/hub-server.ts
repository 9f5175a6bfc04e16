import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

// For tests: a server that answers as a hub does. Files are kept by revision; large ones are given out by another host, at addresses
// that are signed and expire.

export interface TestHub {
  /** https://HOST without a path. */
  origin: string;
  /** Of every request: method, path and query, range. */
  requests: { path: string; range: string | null; authorization: string | null; host: 'hub' | 'store' }[];
  /** The next so many answers of the hub (not of its store) are "429", to be tried again in `t` seconds. */
  busy: { times: number; t: number };
  /** Signed addresses are good for so many requests. */
  uses: number;
  /** Answers of the store end after so many bytes, the connection broken; once. */
  cutAfter: number | null;
  /** A token without which nothing is given out; `gated`: with the hub's word for it. */
  token: string | null;
  gated: boolean;
  close(): Promise<void>;
}

export type Revisions = Record<string, Record<string, Uint8Array | string>>;

const commitOf = (revision: string) => createHash('sha1').update(revision).digest('hex');
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
/** Files from here on are kept in the other host. */
const LARGE = 100;
/** Files a page of a listing. */
const PAGE = 2;

export async function testHub(id: string, revisions: Revisions): Promise<TestHub> {
  const bytesOf = (content: Uint8Array | string) => Buffer.from(content);
  const hub: TestHub = {
    origin: '',
    requests: [],
    busy: { times: 0, t: 1 },
    uses: Number.POSITIVE_INFINITY,
    cutAfter: null,
    token: null,
    gated: false,
    close: async () => {
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
      }
    },
  };
  const signatures = new Map<string, { file: Buffer; left: number }>();
  const revisionOf = (name: string) =>
    Object.keys(revisions).find((revision) => revision === name || commitOf(revision) === name);
  const note = (request: IncomingMessage, host: 'hub' | 'store') =>
    hub.requests.push({
      path: request.url!,
      range: request.headers.range ?? null,
      authorization: request.headers.authorization ?? null,
      host,
    });

  function give(
    request: IncomingMessage,
    response: ServerResponse,
    file: Buffer,
    headers: Record<string, string> = {},
  ): void {
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (!range) {
      response.writeHead(200, { 'content-length': file.length, ...headers }).end(file);
      return;
    }
    const [begin, end] = [Number(range[1]), Math.min(Number(range[2]), file.length - 1)];
    const part = file.subarray(begin, end + 1);
    response.writeHead(206, {
      'content-range': `bytes ${begin}-${end}/${file.length}`,
      'content-length': part.length,
      ...headers,
    });
    if (hub.cutAfter !== null && part.length > hub.cutAfter) {
      const cut = hub.cutAfter;
      hub.cutAfter = null;
      response.write(part.subarray(0, cut), () => response.destroy());
    } else response.end(part);
  }

  const store = createServer((request, response) => {
    note(request, 'store');
    const signed = signatures.get(request.url!);
    if (!signed || signed.left-- <= 0) response.writeHead(403).end('expired');
    else give(request, response, signed.file);
  });
  const front = createServer((request, response) => {
    note(request, 'hub');
    const refuse = (status: number, code: string) =>
      response.writeHead(status, { 'x-error-code': code, 'x-error-message': code }).end();
    if (hub.busy.times-- > 0) {
      response.writeHead(429, { ratelimit: `"api";r=0;t=${hub.busy.t}` }).end();
      return;
    }
    if (hub.token && request.headers.authorization !== `Bearer ${hub.token}`)
      return void refuse(hub.gated ? 403 : 401, hub.gated ? 'GatedRepo' : 'RepoNotFound');
    const url = new URL(request.url!, 'http://hub');
    const json = (value: unknown, headers: Record<string, string> = {}) =>
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
    if (url.pathname === `/api/models/${id}/refs`)
      return void json({
        branches: Object.keys(revisions).map((name) => ({
          name,
          ref: `refs/heads/${name}`,
          targetCommit: commitOf(name),
        })),
        converts: [],
        tags: [],
      });
    const tree = new RegExp(`^/api/models/${id}/tree/([^/]+)$`).exec(url.pathname);
    const own = tree && revisionOf(tree[1]!);
    if (own) {
      const from = Number(url.searchParams.get('cursor') ?? 0);
      const all = Object.entries(revisions[own]!).map(([path, content]) => {
        const bytes = bytesOf(content);
        const oid = createHash('sha1').update(bytes).digest('hex');
        return bytes.length >= LARGE
          ? {
              type: 'file',
              path,
              size: bytes.length,
              oid,
              lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 },
            }
          : { type: 'file', path, size: bytes.length, oid };
      });
      const next = new URL(url);
      next.searchParams.set('cursor', String(from + PAGE));
      next.host = new URL(hub.origin).host;
      return void json(
        [{ type: 'directory', path: 'any', oid: '0', size: 0 }, ...all.slice(from, from + PAGE)],
        from + PAGE < all.length ? { link: `<${next.href}>; rel="next"` } : {},
      );
    }
    const resolve = new RegExp(`^/${id}/resolve/([0-9a-f]{40})/(.+)$`).exec(url.pathname);
    const revision = resolve && revisionOf(resolve[1]!);
    const content = revision ? revisions[revision]![decodeURIComponent(resolve![2]!)] : undefined;
    if (content === undefined) return void refuse(404, 'EntryNotFound');
    const bytes = bytesOf(content);
    if (bytes.length < LARGE)
      return void give(request, response, bytes, {
        etag: `"${createHash('sha1').update(bytes).digest('hex')}"`,
      });
    const place = `/${sha256(bytes)}?signature=${signatures.size}`;
    signatures.set(place, { file: bytes, left: hub.uses });
    const { port } = store.address() as AddressInfo;
    response
      .writeHead(302, {
        location: `http://127.0.0.1:${port}${place}`,
        'x-repo-commit': resolve![1]!,
        'x-linked-size': String(bytes.length),
        'x-linked-etag': `"${sha256(bytes)}"`,
      })
      .end();
  });
  const servers: Server[] = [front, store];
  for (const server of servers) await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  hub.origin = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  return hub;
}
