import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve as resolvePath } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  listResults,
  openRun,
  type ResultBase,
  type RunManifest,
  readResult,
  type SamplesReference,
  toolInfo,
} from '@epochscope/analysis';
import { decodeAny, encodeBinary, RESULT_FORMAT } from '@epochscope/analysis/results';
import { assetPath } from '../assets.js';
import { writeFileWhole } from '../files.js';

const escapeText = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
const escapeAttribute = (text: string) => escapeText(text).replace(/"/g, '&quot;');
const escapeJson = (value: unknown) => JSON.stringify(value).replace(/</g, '\\u003c');

const isFile = (path: string) =>
  stat(path).then(
    (info) => info.isFile(),
    () => false,
  );

/** A result as it stands in a page. */
interface PageResult {
  method: string;
  name: string;
  /** Base64 of the result in one file, perhaps gzipped. */
  text: string;
}

/** A run as it stands in a page. A single result has no manifest. */
interface PageRun {
  name: string;
  manifest: RunManifest | null;
  results: readonly PageResult[];
  /** The images that results refer to, once, in the same form. */
  samples?: string | null;
}

/**
 * Writes one HTML file with the run's facts and all its results inside; opens from disk, needs no network. A directory may
 * also be the folder of one result with no run, what `tendency` makes of a plain matrix, or a result in one file. `others`: runs in
 * the same page, to compare with; a name that comes twice gets a number. The counts are the first run's.
 */
export async function writeReport(
  directory: string,
  file: string,
  others: readonly string[] = [],
): Promise<{ bytes: number; results: number }> {
  const runs: PageRun[] = [];
  for (const path of [directory, ...others]) {
    if (await isFile(path)) {
      const result = await decodeAny(await readFile(path), path);
      const { method, name } = result;
      runs.push({ name: basename(path), manifest: null, results: [{ method, name, text: packed(result) }] });
      continue;
    }
    const alone = !(await isFile(join(path, 'run.json'))) && (await isFile(join(path, 'result.json')));
    const manifest = alone ? null : (await openRun(path)).manifest;
    const results: PageResult[] = [];
    const wanted: SamplesReference[] = [];
    for (const { folder } of alone ? [{ folder: '' }] : await listResults(path)) {
      // References stay as they are: the images come into the page once.
      const result = await readResult(path, folder, { samples: 'keep' });
      wanted.push(...referencesIn(result));
      results.push({ method: result.method, name: result.name, text: packed(result) });
    }
    const base = basename(resolvePath(path));
    const name = runs.some((run) => run.name === base) ? `${base} (${runs.length + 1})` : base;
    runs.push({ name, manifest, results, samples: wanted.length ? await samplesOf(path, wanted) : null });
  }
  const [first, ...more] = runs as [PageRun, ...PageRun[]];
  const html = await pageOf(first, more);
  await writeFileWhole(file, html);
  return { bytes: Buffer.byteLength(html), results: first.results.length };
}

/** For a page: gzipped, and what is only drawn in 256 levels, which the page says. */
const packed = (result: ResultBase): string =>
  gzipSync(encodeBinary(result, { pictures: 'levels' }), { level: 9 }).toString('base64');

function referencesIn(value: unknown): SamplesReference[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  if ('$samples' in value) return [value as SamplesReference];
  return Object.values(value).flatMap(referencesIn);
}

/** The images of all rows that are referred to. */
async function samplesOf(path: string, wanted: readonly SamplesReference[]): Promise<string | null> {
  const run = await openRun(path);
  const all = Math.max(0, ...wanted.map(({ rows, shape }) => (rows ? 0 : shape[0])));
  const listed = new Set(wanted.flatMap(({ rows }) => (rows ? [...rows] : [])));
  const rows = Uint32Array.from(
    all ? Array(Math.max(all, ...[...listed].map((row) => row + 1))).keys() : listed,
  ).sort();
  const images = await run.images(rows);
  return (
    images &&
    packed({
      format: RESULT_FORMAT,
      method: 'samples',
      name: 'inputs',
      tool: toolInfo,
      input: { source: run.name, files: {} },
      parameters: {},
      seeds: {},
      seconds: 0,
      images: { data: images.data, shape: images.shape },
      rows,
    } as ResultBase)
  );
}

/** The page's text. */
async function pageOf(
  { name, manifest, results, samples }: PageRun,
  others: readonly PageRun[],
): Promise<string> {
  const script = await readFile(assetPath('report.js'), 'utf8');
  const style = await readFile(assetPath('page.css'), 'utf8');
  // What PDFs embed: a page opened from disk can fetch nothing.
  const [regular, bold] = await Promise.all(
    (['Inter-Regular.ttf', 'Inter-SemiBold.ttf'] as const).map((font) => readFile(assetPath(font), 'base64')),
  );
  const title = manifest ? `What ${manifest.model?.name ?? 'the net'} learned: ${name}` : name;
  const written = new Date().toISOString();
  // As a parser of HTML sees it: the policy names its hash.
  const code = script.replace(/<\/script/gi, '<\\/script').replace(/\r\n?/g, '\n');
  return [
    '<!doctype html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${filePolicy(code)}"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeText(title)}</title><style>${style.replace(/@font-face[^}]*}/g, '')}</style></head>`,
    '<body><div id="epochscope">Drawing…</div><noscript>This page draws its pictures with JavaScript.</noscript>',
    `<script type="application/json" id="epochscope-fonts">${JSON.stringify({ regular, bold })}</script>`,
    `<script type="application/json" id="epochscope-run">${escapeJson({ title, name, written, manifest })}</script>`,
    ...dataScripts(results, samples, ''),
    ...others.flatMap((other) => [
      `<script type="application/json" class="epochscope-run" data-run="${escapeAttribute(other.name)}">${escapeJson({ title: other.name, name: other.name, written, manifest: other.manifest })}</script>`,
      ...dataScripts(other.results, other.samples, ` data-run="${escapeAttribute(other.name)}"`),
    ]),
    `<script>${code}</script>`,
    '</body></html>',
  ].join('\n');
}

/** What a page from disk may do: run its own script, draw, offer files it made. No address is reached, whatever its data say. */
const filePolicy = (code: string): string =>
  [
    "default-src 'none'",
    `script-src 'sha256-${createHash('sha256').update(code).digest('base64')}' 'wasm-unsafe-eval'`,
    'worker-src blob:',
    "style-src 'unsafe-inline'",
    'img-src data: blob:',
    'font-src data:',
    'connect-src blob: data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');

/** Base64 needs no escaping. */
const dataScripts = (
  results: readonly PageResult[],
  samples: string | null | undefined,
  run: string,
): string[] => [
  ...(samples
    ? [`<script type="application/octet-stream" class="epochscope-samples"${run}>${samples}</script>`]
    : []),
  ...results.map(
    ({ method, name, text }) =>
      `<script type="application/octet-stream" class="epochscope-result"${run} data-method="${escapeAttribute(method)}" data-name="${escapeAttribute(name)}">${text}</script>`,
  ),
];
