import { createRequire } from 'node:module';

// The bundle of the published package holds these files itself and has a module of its own in place of this one: scripts/bundle.mjs.

/** Files that are read or served, not imported: name → where they lie. */
export const ASSETS = {
  'report.js': '@epochscope/ui/report.js',
  'page.css': '@epochscope/ui/page.css',
  'Inter-Regular.ttf': '@epochscope/ui/fonts/Inter-Regular.ttf',
  'Inter-SemiBold.ttf': '@epochscope/ui/fonts/Inter-SemiBold.ttf',
  'resvg.wasm': '@resvg/resvg-wasm/index_bg.wasm',
  'dashboard/index.html': '@epochscope/ui/dashboard/index.html',
} as const;

/** Path of one of them. */
export const assetPath = (name: keyof typeof ASSETS): string =>
  createRequire(import.meta.url).resolve(ASSETS[name]);
