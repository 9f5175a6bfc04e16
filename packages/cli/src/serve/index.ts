import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { access, allowedHosts, isLoopback, newToken } from './access.js';
import { api, problemOf } from './api.js';
import { Catalogue } from './catalogue.js';
import { dashboard, dashboardFolder } from './page.js';

export interface ServeOptions {
  /** A run directory, or a folder of runs. */
  target: string;
  /** 0: any free port. */
  port: number;
  host: string;
  /** More names that the Host header may have. */
  allowHosts: readonly string[];
  /** Origins ("https://wiki.example") of pages that may show this one in a frame. */
  frames?: readonly string[];
}

export interface Serving {
  /** With the token where one is needed. */
  url: string;
  port: number;
  token: string | null;
  /** Ends event streams, lets other answers finish for a moment, and closes. */
  close(): Promise<void>;
}

const LINGER = 500;

/** Serves runs over HTTP; see docs/formats/http-api.md. Throws `missing`, and `io` where it cannot listen. */
export async function startServer(options: ServeOptions): Promise<Serving> {
  const { host, port } = options;
  guard(
    Number.isInteger(port) && port >= 0 && port < 65_536,
    'argument',
    () => `port: expected 0 … 65535, got ${port}`,
    { port },
  );
  const catalogue = await Catalogue.open(options.target);
  const token = isLoopback(host) ? null : newToken();
  const closing = new AbortController();
  const app = new Hono();
  app.use(
    '*',
    access({ hosts: allowedHosts(host, options.allowHosts), token, frames: originsOf(options.frames ?? []) }),
  );
  // Text only: ranges of arrays must stay those of the file, and event streams must not wait for a block.
  app.use('*', compress());
  app.route('/api', api(catalogue, closing.signal));
  app.all('/api/*', () => problemOf(catalogue, new EpochscopeError('missing', 'there is no such address')));
  app.get('*', dashboard(dashboardFolder()));
  app.onError((error) => problemOf(catalogue, error));
  const server = createAdaptorServer({ fetch: app.fetch, hostname: host }) as Server;
  await listen(server, port, host);
  const bound = (server.address() as AddressInfo).port;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${name}:${bound}/${token ? `?token=${token}` : ''}`,
    port: bound,
    token,
    async close() {
      closing.abort();
      const done = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), LINGER);
      await done;
      clearTimeout(timer);
    },
  };
}

/** Throws `argument`: anything but an origin could widen the policy that it is written into. */
export function originsOf(frames: readonly string[]): string[] {
  return frames.map((text) => {
    const url = URL.canParse(text) ? new URL(text) : null;
    const given = text.replace(/\/$/, '');
    guard(
      url !== null && /^https?:$/.test(url.protocol) && url.origin === given.toLowerCase(),
      'argument',
      () =>
        `frame: expected an origin such as https://wiki.example, got ${JSON.stringify(text.slice(0, 100))}`,
      { got: text },
    );
    return url.origin;
  });
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason: Record<string, string> = {
        EADDRINUSE: `port ${port} of ${host} is in use; choose another with --port, or --port 0 for any`,
        EACCES: `port ${port} may not be used here; choose one above 1023`,
        EADDRNOTAVAIL: `${host} is no address of this machine`,
        ENOTFOUND: `${host} is no address of this machine`,
      };
      reject(
        new EpochscopeError(
          'io',
          reason[cause.code ?? ''] ?? `cannot listen on ${host}:${port}: ${cause.code ?? cause.message}`,
          { host, port },
          { cause },
        ),
      );
    });
    server.listen(port, host, () => resolve());
  });
}
