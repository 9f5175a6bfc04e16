import { createReadStream, statSync } from 'node:fs';
import { cp, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** Serves a folder as any web server does: files, ranges, nothing of ours. `folder` is asked at each request. */
export async function folderServer(folder: () => string): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    const file = join(folder(), decodeURIComponent(new URL(request.url!, 'http://x/').pathname));
    const size = statSync(file, { throwIfNoEntry: false })?.isFile() ? statSync(file).size : null;
    if (size === null) return response.writeHead(404).end();
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const from = range ? Number(range[1]) : 0;
    const to = range?.[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
    response.writeHead(range ? 206 : 200, {
      'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
      'Content-Length': to - from + 1,
      'Accept-Ranges': 'bytes',
      ...(range ? { 'Content-Range': `bytes ${from}-${to}/${size}` } : {}),
    });
    if (request.method === 'HEAD' || to < from) return response.end();
    return createReadStream(file, { start: from, end: to }).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => server.close(),
  };
}

/** Makes `place` a copy of docs/programs that finds the packages, as a project of one's own does. */
export async function projectOfPrograms(place: string): Promise<void> {
  await cp(join(root, 'docs', 'programs'), place, { recursive: true });
  await symlink(join(root, 'node_modules'), join(place, 'node_modules')).catch(() => {});
}

/** Builds a page of a project by Vite, into the folder `page` beside the project. */
export async function builtPage(place: string, page: string): Promise<void> {
  await build({
    root: place,
    base: './',
    logLevel: 'error',
    build: {
      outDir: join(dirname(place), 'page'),
      target: 'esnext',
      assetsInlineLimit: 0,
      rolldownOptions: { input: join(place, page) },
    },
    worker: { format: 'es' },
  });
}
