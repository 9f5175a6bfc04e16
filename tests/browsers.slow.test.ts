import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compute } from './browsers/compute.js';

// The same call in Node, Chromium and Firefox, with and without shared memory: the same bits. The page is built as anybody would
// build it, and posts what it computed.

interface Answer {
  bits?: Record<string, string>;
  isolated?: boolean;
  error?: string;
}

const root = fileURLToPath(new URL('./browsers', import.meta.url));
let folder: string;
let expected: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-browsers-'));
  await build({
    root,
    logLevel: 'error',
    build: { outDir: join(folder, 'page'), emptyOutDir: true, target: 'esnext', assetsInlineLimit: 0 },
    worker: { format: 'es' },
  });
  expected = await compute();
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const TYPES: Record<string, string> = { html: 'text/html', js: 'text/javascript', wasm: 'application/wasm' };

/** Serves the page, opens it in a browser, and gives what it posts. */
async function answerOf(
  command: string,
  argumentsOf: (url: string, profile: string) => string[],
  isolated: boolean,
) {
  const profile = await mkdtemp(join(folder, 'profile-'));
  let child: ChildProcess | undefined;
  let server: Server | undefined;
  try {
    return await new Promise<Answer>((resolve, reject) => {
      server = createServer((request, response) => {
        if (request.method === 'POST') {
          let text = '';
          request.on('data', (chunk) => (text += chunk));
          request.on('end', () => {
            response.end();
            resolve(JSON.parse(text) as Answer);
          });
          return;
        }
        const name = request.url === '/' ? 'index.html' : request.url!.slice(1);
        if (isolated) {
          response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
          response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
        }
        readFile(join(folder, 'page', name)).then(
          (body) => {
            response.setHeader('Content-Type', TYPES[name.split('.').at(-1)!] ?? 'application/octet-stream');
            response.end(body);
          },
          () => response.writeHead(404).end(),
        );
      });
      server.listen(0, '127.0.0.1', () => {
        const url = `http://127.0.0.1:${(server!.address() as AddressInfo).port}/`;
        child = spawn(command, argumentsOf(url, profile), {
          stdio: 'ignore',
          env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' },
        });
        child.once('error', reject);
        child.once('exit', (code) => reject(new Error(`${command} ended with ${code} before it answered`)));
      });
    });
  } finally {
    child?.removeAllListeners('exit');
    child?.kill();
    server?.closeAllConnections();
    server?.close();
  }
}

/** Debian's, installed where this is root; null where there is none. */
function findFirefox(): string | null {
  const places = [process.env.FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox'];
  const found = () => places.find((place) => place && existsSync(place)) ?? null;
  if (!found() && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore', env });
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'firefox-esr'], {
      stdio: 'ignore',
      env,
    });
  }
  return found();
}

describe('the same bits as Node', () => {
  const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const firefox = findFirefox();

  it.each([
    ['one memory for all workers', true],
    ['without cross-origin isolation', false],
  ])('in Chromium, %s', { timeout: 120_000 }, async (_, isolated) => {
    const answer = await answerOf(
      chromium,
      (url, profile) => [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        `--user-data-dir=${profile}`,
        url,
      ],
      isolated,
    );
    expect(answer.error).toBeUndefined();
    expect(answer.isolated).toBe(isolated);
    expect(answer.bits).toEqual(expected);
  });

  it.skipIf(!firefox)('in Firefox', { timeout: 180_000 }, async () => {
    const answer = await answerOf(
      firefox!,
      (url, profile) => ['--headless', '--no-remote', '--profile', profile, url],
      true,
    );
    expect(answer.error).toBeUndefined();
    expect(answer.isolated).toBe(true);
    expect(answer.bits).toEqual(expected);
  });
});
