import { join } from 'node:path';
import type { ApiEvents, ApiRunEvents } from '@epochscope/analysis/api';
import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { Catalogue } from './catalogue.js';
import { Watch } from './watch.js';

/** A comment this often keeps proxies from closing a quiet stream. */
const HEARTBEAT = 15_000;

/** Runs `tell` at the start and after each change of `signature`, until the client leaves or the server closes. */
function whileOpen(
  c: Context,
  folders: string[],
  signature: () => Promise<string>,
  closing: AbortSignal,
  tell: (stream: SSEStreamingApi) => Promise<void>,
): Response {
  // Nobody would read the stream, or ever leave it.
  if (c.req.raw.method === 'HEAD')
    return new Response(null, {
      headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' },
    });
  const answer = streamSSE(c, async (stream) => {
    const ended = new AbortController();
    stream.onAbort(() => ended.abort());
    const signal = AbortSignal.any([ended.signal, closing]);
    const watch = new Watch(folders, signature);
    try {
      await watch.changed(0, HEARTBEAT, signal);
      while (!signal.aborted) {
        const { version } = watch;
        await tell(stream);
        while (!signal.aborted && watch.version === version) {
          await watch.changed(version, HEARTBEAT, signal);
          if (watch.version === version && !signal.aborted) await stream.write(': still here\n\n');
        }
      }
    } finally {
      watch.close();
    }
  });
  answer.headers.set('Cache-Control', 'no-store');
  return answer;
}

/** See `ApiRunEvents`. Throws `missing` before anything is sent when there is no such run. */
export async function runEvents(
  c: Context,
  catalogue: Catalogue,
  key: string,
  closing: AbortSignal,
): Promise<Response> {
  await catalogue.version(key);
  const folder = catalogue.folder(key);
  const asked = /^(\d{1,9}):(.+)$/s.exec(c.req.header('Last-Event-ID') ?? '');
  let sent = asked ? Number(asked[1]) : 0;
  // Percent-encoded, as the header has it.
  let last = asked?.[2] ?? '';
  let state = '';
  let problem = '';
  const results = join(folder, 'results');
  return whileOpen(
    c,
    [folder, join(folder, 'steps'), results, join(results, 'tendency')],
    () => catalogue.signature(key),
    closing,
    async (stream) => {
      const tell = <E extends keyof ApiRunEvents>(event: E, data: ApiRunEvents[E], id?: string) =>
        stream.writeSSE({ event, data: JSON.stringify(data), ...(id ? { id } : {}) });
      try {
        const { manifest } = await catalogue.run(key);
        const { snapshots, complete, layers } = manifest;
        const now = { complete, snapshots: snapshots.length, results: await catalogue.results(key) };
        // The number of snapshots alone is told by `snapshots`.
        const text = JSON.stringify({ complete, results: now.results });
        if (text !== state) await tell('state', now);
        state = text;
        problem = '';
        if (sent > 0 && encodeURIComponent(snapshots[sent - 1]?.id ?? '') !== last) {
          sent = 0;
          await tell('reset', { layers });
        }
        if (snapshots.length > sent) {
          last = encodeURIComponent(snapshots.at(-1)!.id);
          await tell(
            'snapshots',
            { from: sent, snapshots: snapshots.slice(sent) },
            `${snapshots.length}:${last}`,
          );
          sent = snapshots.length;
        }
      } catch (error) {
        const message = catalogue.confinement.hide((error as Error).message);
        if (message !== problem)
          await tell('problem', { code: (error as { code?: string }).code ?? 'internal', message });
        problem = message;
        state = '';
      }
    },
  );
}

/** The list of runs, whenever it changes. */
export function listEvents(c: Context, catalogue: Catalogue, closing: AbortSignal): Response {
  return whileOpen(
    c,
    [catalogue.confinement.root],
    async () => {
      const signatures = await Promise.all(
        (await catalogue.keys()).map(
          async (key) => `${key}: ${await catalogue.signature(key).catch(() => '')}`,
        ),
      );
      return signatures.join('\n');
    },
    closing,
    async (stream) => {
      const runs = await Promise.all((await catalogue.keys()).map((key) => catalogue.summary(key)));
      await stream.writeSSE({ event: 'runs', data: JSON.stringify({ runs } satisfies ApiEvents['runs']) });
    },
  );
}
