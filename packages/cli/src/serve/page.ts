import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { apiPaths } from '@epochscope/analysis/api';
import { EpochscopeError } from '@epochscope/core-wasm';
import type { Context } from 'hono';
import { assetPath } from '../assets.js';
import { type PageResult, reportPage } from '../report/page.js';
import { inlinePolicy } from './access.js';
import { binary } from './body.js';
import type { Catalogue } from './catalogue.js';
import { Confinement } from './confine.js';

const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  css: 'text/css',
  json: 'application/json',
  svg: 'image/svg+xml',
  png: 'image/png',
  wasm: 'application/wasm',
  woff2: 'font/woff2',
  ttf: 'font/ttf',
  gz: 'application/gzip',
};

/** The dashboard as built by @epochscope/ui, where it is. */
export function dashboardFolder(): string | null {
  const index = assetPath('dashboard/index.html');
  return existsSync(index) ? dirname(index) : null;
}

/** Answers every address outside /api: the dashboard's files, and its index.html for what is none. */
export function dashboard(folder: string): (c: Context) => Promise<Response> {
  const files = new Confinement(folder);
  return async (c) => {
    const parts = decoded(new URL(c.req.url).pathname).split('/').filter(Boolean);
    const found = parts.length ? await files.file(...parts).catch(() => null) : null;
    // A missing script is missing, not a page.
    if (!found && parts[0] === 'assets')
      return c.json({ error: { code: 'missing', message: 'no such file' } }, 404);
    const { path, size, version } = found ?? (await files.file('index.html'));
    const type = TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
    return binary(c, [{ file: path, begin: 0, end: size }], version, { 'Content-Type': type });
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new EpochscopeError(
      'argument',
      `expected a percent-encoded address, got ${JSON.stringify(text.slice(0, 100))}`,
    );
  }
}

const escapeHtml = (text: string) =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');

/** The page of `epochscope report`, made anew at each visit, with a line that follows the run; for a folder a list of runs first. */
export function reportPages(catalogue: Catalogue): (c: Context) => Promise<Response> {
  return async (c) => {
    const wanted = /^\/runs\/([^/]+)\/?$/.exec(new URL(c.req.url).pathname)?.[1];
    const keys = await catalogue.keys();
    const key = wanted ? decoded(wanted) : catalogue.serving === 'run' ? keys[0]! : null;
    if (key === null) {
      const items = keys.map((k) => `<li><a href="/runs/${encodeURIComponent(k)}">${escapeHtml(k)}</a></li>`);
      return c.html(
        `<!doctype html><html lang="en"><meta charset="utf-8"><title>Runs</title><style>:root{color-scheme:light dark;font-family:system-ui}</style><h1>Runs</h1><ul>${items.join('') || '<li>None yet.</li>'}</ul></html>`,
      );
    }
    const { manifest } = await catalogue.run(key);
    const results: PageResult[] = [];
    for (const { method, name } of await catalogue.results(key)) {
      const { bytes } = await catalogue.result(key, method, name, true);
      results.push({ method, name, text: Buffer.from(bytes).toString('base64') });
    }
    const nonce = randomBytes(16).toString('base64');
    const script = `{
      const line = document.createElement('p');
      line.id = 'epochscope-live';
      line.setAttribute('role', 'status');
      document.body.prepend(line);
      let shown = ${JSON.stringify(results.length)}, complete = false, count = 0;
      const tell = () => { line.textContent = (complete ? 'Training is complete: ' : 'Live: ') + count + ' snapshots.'; };
      const events = new EventSource(${JSON.stringify(apiPaths.runEvents(key))});
      events.addEventListener('state', ({ data }) => { const s = JSON.parse(data); complete = s.complete; count = s.snapshots; tell(); if (s.results.length !== shown) location.reload(); });
      events.addEventListener('snapshots', ({ data }) => { const s = JSON.parse(data); count = s.from + s.snapshots.length; tell(); });
    }`;
    const html = await reportPage(
      { name: key, manifest, results },
      { nonce, script: script.replace(/</g, '\\u003c') },
    );
    return c.html(html, 200, { 'Content-Security-Policy': inlinePolicy(nonce), 'Cache-Control': 'no-store' });
  };
}
