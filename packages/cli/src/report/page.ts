import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { encodeInline, type RunManifest } from '@epochscope/analysis';
import { listResults, openRun, readResult, writeFileAtomic } from '@epochscope/analysis/node';

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
  const { resolve } = createRequire(import.meta.url);
  const script = await readFile(resolve('@epochscope/ui/report.js'), 'utf8');
  const style = await readFile(resolve('@epochscope/ui/page.css'), 'utf8');
  const title = `What ${manifest.model?.name ?? 'the net'} learned: ${name}`;
  const nonce = live ? ` nonce="${live.nonce}"` : '';
  return [
    '<!doctype html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeText(title)}</title><style>${style}</style></head>`,
    '<body><button id="epochscope-theme" type="button">Light / dark</button><main id="epochscope">Drawing…</main><noscript>This page draws its pictures with JavaScript.</noscript>',
    `<script type="application/json" id="epochscope-run">${escapeJson({ title, written: new Date().toISOString(), manifest })}</script>`,
    ...results.map((text) => `<script type="application/json" class="epochscope-result">${text}</script>`),
    `<script${nonce}>${script.replace(/<\/script/gi, '<\\/script')}</script>`,
    ...(live ? [`<script${nonce}>${live.script}</script>`] : []),
    '</body></html>',
  ].join('\n');
}
