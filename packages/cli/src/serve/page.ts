import { dirname } from 'node:path';
import { EpochscopeError } from '@epochscope/core-wasm';
import type { Context } from 'hono';
import { assetPath } from '../assets.js';
import { binary } from './body.js';
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

/** The dashboard as built by @epochscope/ui. */
export const dashboardFolder = (): string => dirname(assetPath('dashboard/index.html'));

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

/** Throws `argument`. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new EpochscopeError(
      'argument',
      `expected a percent-encoded address, got ${JSON.stringify(text.slice(0, 100))}`,
    );
  }
}
