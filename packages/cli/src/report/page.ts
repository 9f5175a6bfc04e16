import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { encodeInline, type RunManifest } from '@epochscope/analysis';
import { listResults, openRun, readResult, writeFileAtomic } from '@epochscope/analysis/node';

const STYLE = `
:root { color-scheme: light dark; --es-text: light-dark(#1d2329,#e6e9ec); }
body { margin: 0 auto; max-width: 1200px; padding: 1.5rem; font: 0.95rem/1.5 system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif;
  color: light-dark(#1d2329,#e6e9ec); background: light-dark(#fff,#171b20); }
h1 { margin: 0; font-size: 1.6rem; } h2 { margin: 2.5rem 0 0.5rem; font-size: 1.25rem; text-transform: capitalize; border-top: 1px solid light-dark(#d5dae0,#3a434c); padding-top: 1.25rem; }
.quiet, dt, th, summary { color: light-dark(#5a6570,#a3adb7); } .quiet { margin: 0.2rem 0 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1.2rem; margin: 0 0 1rem; } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.875rem; } th, td { text-align: right; padding: 0.15rem 0.8rem; border-bottom: 1px solid light-dark(#d5dae0,#3a434c); font-weight: normal; }
th:first-child, td:first-child { text-align: left; padding-left: 0; } .scroll { overflow-x: auto; } details { margin-top: 1.5rem; } pre { overflow-x: auto; font-size: 0.8rem; }
#epochscope-theme { float: right; font: inherit; border: 1px solid light-dark(#d5dae0,#3a434c); border-radius: 6px; background: none; color: inherit; padding: 0.2rem 0.7rem; cursor: pointer; }
`;

const escapeText = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
const escapeJson = (value: unknown) => JSON.stringify(value).replace(/</g, '\\u003c');

/** Writes one HTML file with the run's facts and all its results inside; opens from disk, needs no network. */
export async function writeReport(
  directory: string,
  file: string,
): Promise<{ bytes: number; results: number }> {
  const { manifest } = await openRun(directory);
  const results = await listResults(directory);
  const texts: string[] = [];
  for (const { folder } of results) texts.push(encodeInline(await readResult(folder)));
  const html = await reportPage(basename(directory), manifest, texts);
  await writeFileAtomic(file, html);
  return { bytes: Buffer.byteLength(html), results: results.length };
}

/**
 * The page's text. `results` as `encodeInline` gives them. `live`: what a server adds: the nonce that its policy allows
 * scripts by, and a script of its own.
 */
export async function reportPage(
  name: string,
  manifest: RunManifest,
  results: readonly string[],
  live: { nonce: string; script: string } | null = null,
): Promise<string> {
  const script = await readFile(createRequire(import.meta.url).resolve('@epochscope/ui/report.js'), 'utf8');
  const title = `What ${manifest.model?.name ?? 'the net'} learned: ${name}`;
  const nonce = live ? ` nonce="${live.nonce}"` : '';
  return [
    '<!doctype html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeText(title)}</title><style>${STYLE}</style></head>`,
    '<body><button id="epochscope-theme" type="button">Light / dark</button><main id="epochscope">Drawing…</main><noscript>This page draws its pictures with JavaScript.</noscript>',
    `<script type="application/json" id="epochscope-run">${escapeJson({ title, written: new Date().toISOString(), manifest })}</script>`,
    ...results.map((text) => `<script type="application/json" class="epochscope-result">${text}</script>`),
    `<script${nonce}>${script.replace(/<\/script/gi, '<\\/script')}</script>`,
    ...(live ? [`<script${nonce}>${live.script}</script>`] : []),
    '</body></html>',
  ].join('\n');
}
