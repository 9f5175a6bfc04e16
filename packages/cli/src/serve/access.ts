import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import type { MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

export const isLoopback = (host: string) =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
export const newToken = () => randomBytes(18).toString('base64url');

/**
 * Names under which this server may be asked. A page that gets its name resolved to this machine (DNS rebinding) sends
 * its own name here and is refused.
 */
export function allowedHosts(host: string, more: readonly string[] = []): Set<string> {
  const bracketed = (name: string) => (name.includes(':') && !name.startsWith('[') ? `[${name}]` : name);
  const everywhere = host === '0.0.0.0' || host === '::';
  const own = everywhere
    ? [
        hostname(),
        ...Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address)),
      ]
    : [host];
  return new Set([...LOOPBACK, ...own, ...more].map((name) => bracketed(name).toLowerCase()));
}

/** Host header → its name without the port; null when it is none. */
export function hostName(header: string | undefined): string | null {
  const match = /^(\[[0-9a-f:.]+\]|[^:/?#@\s\\]+)(?::\d{1,5})?$/i.exec(header ?? '');
  return match ? match[1]!.toLowerCase() : null;
}

const same = (a: string, b: string) => {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
};

export interface Access {
  hosts: ReadonlySet<string>;
  /** Needed by every request when not null. */
  token: string | null;
  /** Origins of pages that may show this one in a frame. */
  frames: readonly string[];
}

/** Only `GET` and `HEAD`, only known hosts, only with the token where there is one, nothing for other sites' pages. */
export function access({ hosts, token, frames }: Access): MiddlewareHandler {
  const refuse = (status: number, code: string, message: string, headers: Record<string, string> = {}) =>
    Response.json({ error: { code, message } }, { status, headers });
  return async (c, next) => {
    const name = hostName(c.req.header('Host'));
    if (name === null || !hosts.has(name))
      return refuse(403, 'host', `host ${JSON.stringify(name)} is not allowed; see --allow-host`);
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD')
      return refuse(405, 'method', `expected GET, got ${c.req.method}`, { Allow: 'GET, HEAD' });
    if (c.req.header('Sec-Fetch-Site') === 'cross-site' && c.req.header('Sec-Fetch-Mode') !== 'navigate')
      return refuse(403, 'origin', 'this server answers its own pages only');
    if (token !== null) {
      const url = new URL(c.req.url);
      const cookie = `epochscope-${url.port || '80'}`;
      const asked = url.searchParams.get('token');
      const bearer = /^Bearer (.+)$/.exec(c.req.header('Authorization') ?? '')?.[1];
      const given = asked ?? bearer ?? getCookie(c, cookie);
      if (given === undefined || !same(given, token))
        return refuse(
          401,
          'token',
          'expected the token that the server printed, as ?token=… or Authorization: Bearer …',
          {
            'WWW-Authenticate': 'Bearer',
          },
        );
      if (asked !== null) {
        setCookie(c, cookie, token, { httpOnly: true, sameSite: 'Strict', path: '/' });
        if (c.req.header('Sec-Fetch-Mode') === 'navigate') {
          // Out of the address bar, history and Referer.
          url.searchParams.delete('token');
          return c.redirect(`${url.pathname}${url.search}`, 302);
        }
      }
    }
    await next();
    const { headers } = c.res;
    headers.set('X-Content-Type-Options', 'nosniff');
    headers.set('Referrer-Policy', 'no-referrer');
    headers.set('Cross-Origin-Resource-Policy', 'same-origin');
    // Together they let pages share memory with workers.
    headers.set('Cross-Origin-Opener-Policy', 'same-origin');
    headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
    if (!headers.has('Content-Security-Policy')) headers.set('Content-Security-Policy', policyFor(frames));
    // A page that is isolated itself shows in a frame only what says that it may.
    if (frames.length) headers.set('Cross-Origin-Resource-Policy', 'cross-origin');
  };
}

const policyFor = (frames: readonly string[]) =>
  [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self' blob:",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    // Runs at other addresses are opened by people.
    "connect-src 'self' blob: data: http: https:",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${frames.length ? frames.join(' ') : "'none'"}`,
  ].join('; ');
