import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { toolInfo } from '@epochscope/analysis';
import { API_FORMAT, type ApiInfo, type ApiRun, type ApiSnapshot } from '@epochscope/analysis/api';
import { EpochscopeError, type ErrorCode } from '@epochscope/core-wasm';
import { type Context, Hono } from 'hono';
import { binary, type Piece } from './body.js';
import type { Catalogue } from './catalogue.js';
import { listEvents, runEvents } from './events.js';
import { decoded } from './page.js';

/** A series longer than this is refused with the way out. */
const MAX_SERIES_BYTES = 512e6;

const STATUS: Record<ErrorCode, 400 | 404 | 409 | 413 | 500 | 503> = {
  argument: 400,
  missing: 404,
  format: 409,
  shape: 409,
  'not-finite': 409,
  unsupported: 409,
  memory: 413,
  cancelled: 503,
  io: 500,
  internal: 500,
};

export function problemOf(catalogue: Catalogue, error: unknown): Response {
  const known = error instanceof EpochscopeError;
  const message = known ? catalogue.confinement.hide(error.message) : 'a defect of ours';
  return Response.json(
    { error: { code: known ? error.code : 'internal', message } },
    { status: known ? STATUS[error.code] : 500 },
  );
}

const TYPES: Record<string, string> = { json: 'application/json', png: 'image/png', svg: 'image/svg+xml' };
const typeOf = (file: string) => TYPES[file.slice(file.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
/** What lies at the root of a run; other files there are nobody's. */
const OF_A_RUN = new Set([
  'run.json',
  'result.json',
  'weights.json',
  'samples',
  'snapshots',
  'steps',
  'results',
]);
const COMMENT = { 'Cache-Control': 'no-cache' };

/** The addresses of docs/formats/http-api.md below /api. `closing` ends event streams. */
export function api(catalogue: Catalogue, closing: AbortSignal): Hono {
  const app = new Hono();
  const { confinement } = catalogue;
  const key = (c: Context) => c.req.param('run')!;
  const json = (c: Context, value: unknown) => c.json(value as never, 200, COMMENT);

  app.get('/', (c) =>
    json(c, { format: API_FORMAT, tool: toolInfo, serving: catalogue.serving } satisfies ApiInfo),
  );
  app.get('/runs', async (c) =>
    json(c, { runs: await Promise.all((await catalogue.keys()).map((k) => catalogue.summary(k))) }),
  );
  app.get('/events', (c) => listEvents(c, catalogue, closing));
  app.get('/runs/:run', async (c) => {
    const { manifest, warnings } = await catalogue.run(key(c));
    return json(c, {
      key: key(c),
      manifest,
      warnings: warnings.map((warning) => confinement.hide(warning)),
      results: await catalogue.results(key(c)),
    } satisfies ApiRun);
  });
  app.get('/runs/:run/events', (c) => runEvents(c, catalogue, key(c), closing));

  app.get('/runs/:run/results/:method/:name', async (c) => {
    const inside = c.req.query('samples') !== 'reference';
    const { method, name } = c.req.param();
    const { bytes, version } = await catalogue.result(key(c), method, name, inside);
    return binary(c, [bytes], version);
  });
  app.get('/runs/:run/results/:method/:name/files/:file', async (c) => {
    const { method, name, file } = c.req.param();
    return fileAnswer(c, ['results', method, name, file]);
  });
  app.get('/runs/:run/results/:method/:name/files/:folder/:file', async (c) => {
    const { method, name, folder, file } = c.req.param();
    return fileAnswer(c, ['results', method, name, folder, file]);
  });

  app.get('/runs/:run/snapshots/:id', async (c) => {
    const run = await catalogue.run(key(c));
    const snapshot = run.snapshot(c.req.param('id'));
    const { tensors } = await catalogue.weights(key(c), run, snapshot.id);
    const folder = join(catalogue.folder(key(c)), 'snapshots', snapshot.id, 'outputs');
    const there = new Set(await readdir(folder).catch(() => []));
    return json(c, {
      snapshot,
      tensors: [...tensors.values()].map(({ name, dtype, shape, begin, end }) => ({
        name,
        dtype,
        shape,
        bytes: end - begin,
      })),
      outputs: run.manifest.layers.map(({ name }) => name).filter((name) => there.has(`${name}.npy`)),
    } satisfies ApiSnapshot);
  });
  app.get('/runs/:run/snapshots/:id/weights.safetensors', async (c) => {
    const run = await catalogue.run(key(c));
    const { id } = run.snapshot(c.req.param('id'));
    const { path: file, tensors } = await catalogue.ownWeights(key(c), run, id);
    const { path, size, version } = await fileOf(c, file);
    if (file.endsWith('.safetensors')) return binary(c, [{ file: path, begin: 0, end: size }], version);
    const entries = [...tensors.values()];
    const pieces = [
      safetensorsHeader(entries),
      ...entries.map(({ begin, end }) => ({ file: path, begin, end })),
    ];
    return binary(c, pieces, `${version}-${entries[0]?.begin ?? 0}`);
  });
  app.get('/runs/:run/snapshots/:id/tensors/:tensor', async (c) => {
    const run = await catalogue.run(key(c));
    const { id } = run.snapshot(c.req.param('id'));
    const { path: file, tensors } = await catalogue.ownWeights(key(c), run, id);
    const tensor = tensors.get(c.req.param('tensor'));
    if (!tensor)
      throw new EpochscopeError(
        'missing',
        `snapshot ${id} has no tensor ${c.req.param('tensor')}; it has ${[...tensors.keys()].join(', ')}`,
      );
    const { path, version } = await fileOf(c, file);
    const { begin, end, dtype, shape } = tensor;
    return binary(c, [{ file: path, begin, end }], `${version}-${begin}`, {
      'X-Tensor-Dtype': dtype,
      'X-Tensor-Shape': shape.join(','),
    });
  });
  app.get('/runs/:run/snapshots/:id/outputs/:file', async (c) => {
    const run = await catalogue.run(key(c));
    const { id } = run.snapshot(c.req.param('id'));
    return fileAnswer(c, ['snapshots', id, 'outputs', c.req.param('file')]);
  });
  app.get('/runs/:run/series/:tensor', async (c) => {
    const run = await catalogue.run(key(c));
    const wanted = c.req.query('snapshots')?.split(',');
    const ids = wanted?.map((id) => run.snapshot(id).id) ?? run.manifest.snapshots.map(({ id }) => id);
    const indices = c.req.query('indices')?.split(',').map(index);
    await catalogue.confineWeights(key(c), run, ids);
    const { data, shape } = await run.series(c.req.param('tensor'), {
      snapshots: ids,
      ...(indices ? { indices } : {}),
      maxBytes: MAX_SERIES_BYTES,
      signal: c.req.raw.signal,
    });
    const version = (await catalogue.version(key(c))).replace('/', '-');
    return binary(c, [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)], version, {
      'X-Tensor-Dtype': 'float32',
      'X-Tensor-Shape': shape.join(','),
    });
  });
  // The run as it lies on disk, so that a page can open it as any web server's folder and compute.
  app.get('/runs/:run/files/*', async (c) => {
    const path = new URL(c.req.url).pathname.split('/files/').slice(1).join('/files/');
    const parts = path.split('/').map(decoded);
    if (path === 'index.json') {
      await catalogue.version(key(c));
      return json(c, { format: 'epochscope-index/1', ...(await filesOfRun(catalogue.folder(key(c)))) });
    }
    const whole = parts.length === 1;
    if (!OF_A_RUN.has(parts[0]!) || whole !== parts[0]!.endsWith('.json'))
      throw new EpochscopeError('missing', `${JSON.stringify(path.slice(0, 200))} is no file of a run`);
    await catalogue.version(key(c));
    return fileAnswer(c, parts);
  });
  app.get('/runs/:run/samples/:file', (c) => {
    const { file } = c.req.param();
    if (!['inputs.npy', 'labels.npy', 'predictions.npy'].includes(file))
      throw new EpochscopeError('missing', `expected inputs.npy, labels.npy or predictions.npy`);
    return fileAnswer(c, ['samples', file]);
  });

  app.notFound(() => problemOf(catalogue, new EpochscopeError('missing', 'there is no such address')));
  app.onError((error) => problemOf(catalogue, error));
  return app;

  async function fileAnswer(c: Context, parts: string[]): Promise<Response> {
    const { path, size, version } = await confinement.file(...catalogue.parts(key(c)), ...parts);
    const piece: Piece = { file: path, begin: 0, end: size };
    return binary(c, [piece], version, { 'Content-Type': typeOf(path) });
  }

  /** A file that the run named, confined. */
  function fileOf(c: Context, path: string) {
    return confinement.file(...catalogue.parts(key(c)), ...path.split('/'));
  }
}

/**
 * Every file of a run, as its own index.json names them, which a run of another tool or an older one may lack. Links are left out; without
 * any, what is not named is not there.
 */
async function filesOfRun(
  root: string,
  folder = '',
): Promise<{ files: Record<string, { size: number; modified: number }>; whole: boolean }> {
  const files: Record<string, { size: number; modified: number }> = {};
  let whole = true;
  // Gone since it was named (a writer replaced or removed it): it is not there, and what comes in its place comes with the next answer.
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => null);
  if (!entries) return { files, whole };
  for (const entry of entries) {
    if (entry.name.startsWith('.') || (folder === '' && !OF_A_RUN.has(entry.name))) continue;
    const path = folder ? `${folder}/${entry.name}` : entry.name;
    if (entry.isDirectory()) {
      const below = await filesOfRun(root, path);
      Object.assign(files, below.files);
      whole &&= below.whole;
    } else if (entry.isSymbolicLink()) whole = false;
    else if (entry.isFile()) {
      const info = await stat(join(root, path)).catch(() => null);
      if (info) files[path] = { size: info.size, modified: info.mtimeMs };
    }
  }
  return { files, whole };
}

function index(text: string): number {
  if (!/^\d{1,10}$/.test(text))
    throw new EpochscopeError(
      'argument',
      `indices: expected whole numbers, got ${JSON.stringify(text.slice(0, 40))}`,
    );
  return Number(text);
}

/** Header of a safetensors file whose tensors follow in this order. */
function safetensorsHeader(
  entries: readonly { name: string; shape: number[]; begin: number; end: number }[],
) {
  let at = 0;
  const header = Object.fromEntries(
    entries.map(({ name, shape, begin, end }) => {
      const offsets = [at, at + end - begin];
      at = offsets[1]!;
      return [name, { dtype: 'F32', shape, data_offsets: offsets }];
    }),
  );
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(text.length / 8) * 8;
  const out = new Uint8Array(8 + length).fill(32, 8);
  new DataView(out.buffer).setBigUint64(0, BigInt(length), true);
  out.set(text, 8);
  return out;
}
