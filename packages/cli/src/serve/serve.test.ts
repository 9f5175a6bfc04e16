import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createRun, type ResultBase, type RunInit, type Tensor, writeResult } from '@epochscope/analysis';
import { apiPaths } from '@epochscope/analysis/api';
import { bytesSource, encodeNpy, readNpy, readSafetensors } from '@epochscope/analysis/formats';
import { decodeAny } from '@epochscope/analysis/results';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Serving, startServer } from './index.js';

let folder: string;
let serving: Serving;

const f32 = (data: number[], shape: number[]): Tensor => ({
  data: Float32Array.from(data),
  shape,
  dtype: 'float32',
});
const init: RunInit = {
  model: { name: 'mlp' },
  layers: [{ name: 'F1', kind: 'dense', shape: [3], parameters: ['F1.kernel', 'F1.bias'] }],
  classes: ['a', 'b'],
  inputShape: [2],
  training: null,
};
const weights = (k: number) =>
  new Map([
    ['F1.kernel', f32([k, 1, 2, 3, 4, 5], [2, 3])],
    ['F1.bias', f32([k, 8, 9], [3])],
  ]);
const info = (step: number) => ({ id: `step-${step}`, epoch: null, step, metrics: { loss: 1 / (step + 1) } });
const result: ResultBase & { data: Float64Array } = {
  format: 'epochscope-result/2',
  method: 'test',
  name: 'default',
  tool: { name: 'epochscope', version: '0' },
  input: { source: 'x', files: {} },
  parameters: {},
  seeds: {},
  seconds: 0,
  data: Float64Array.of(1, 2.5, -3),
};

/** As written: no client tidies the path or the headers up. */
function raw(
  path: string,
  options: { method?: string; headers?: Record<string, string>; port?: number } = {},
): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port: options.port ?? serving.port,
        path,
        method: options.method ?? 'GET',
        headers: options.headers ?? {},
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({ status: answer.statusCode!, headers: answer.headers, body: Buffer.concat(chunks) }),
        );
        answer.on('error', reject);
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}
const json = async (path: string) => JSON.parse((await raw(path)).body.toString());

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-serve-'));
  const served = join(folder, 'served');
  await mkdir(served);
  const one = join(served, 'one ü');
  const writer = await createRun(one, init);
  await writer.writeSamples({
    inputs: f32([1, 2, 3, 4], [2, 2]),
    labels: Uint32Array.of(0, 1),
    source: 'test',
  });
  await writer.appendSnapshot(info(0), weights(0));
  await writer.appendSnapshot(info(1), weights(10));
  await writer.writeSnapshot(info(2), weights(20), new Map([['F1', f32([1, 2, 3, 4, 5, 6], [2, 3])]]));
  await writer.finish();
  await writeResult(one, 'results/test/default', result);
  // What must never be served.
  await writeFile(join(folder, 'secret.txt'), 'SECRET');
  await writeFile(join(folder, 'secret.npy'), encodeNpy(Float64Array.of(42), [1]));
  await mkdir(join(folder, 'outside'));
  await (await createRun(join(folder, 'outside', 'run'), init)).finish();
  await symlink(join(folder, 'outside', 'run'), join(served, 'linked'));
  await symlink(join(folder, 'secret.txt'), join(one, 'samples', 'predictions.npy'));
  await symlink(join(folder, 'secret.npy'), join(one, 'results', 'test', 'default', 'link.npy'));
  await symlink(folder, join(one, 'results', 'test', 'up'));
  for (const [name, array] of [
    ['climbs', '../../../../../secret.npy'],
    ['absolute', join(folder, 'secret.npy')],
    ['nul', 'data.npy\0x'],
    ['link', 'link.npy'],
  ] as const) {
    const bad = join(one, 'results', 'test', name);
    await mkdir(bad);
    await symlink(join(folder, 'secret.npy'), join(bad, 'link.npy'));
    await writeFile(join(bad, 'result.json'), JSON.stringify({ ...result, name, data: { $array: array } }));
  }
  const linkedLog = join(served, 'linked-log');
  await (await createRun(linkedLog, init)).finish();
  await symlink(join(one, '..', '..', 'outside'), join(linkedLog, 'steps'));
  serving = await startServer({ target: served, port: 0, host: '127.0.0.1', allowHosts: ['my.lab'] });
});
afterAll(async () => {
  await serving.close();
  await rm(folder, { recursive: true, force: true });
});
const key = 'one ü';

describe('the API', () => {
  it('lists runs, with why one cannot be read', async () => {
    expect(await json(apiPaths.info())).toMatchObject({ format: 'epochscope-http/1', serving: 'folder' });
    const { runs } = await json(apiPaths.runs());
    expect(runs.map((r: { key: string }) => r.key)).toEqual(['linked-log', 'one ü']);
    expect(runs[1]).toMatchObject({ model: 'mlp', snapshots: 3, complete: true, problem: null });
    expect(runs[1].last).toEqual(info(2));
  });

  it('gives manifest, snapshots and tensors', async () => {
    const run = await json(apiPaths.run(key));
    expect(run.manifest.snapshots.map((s: { id: string }) => s.id)).toEqual(['step-0', 'step-1', 'step-2']);
    expect(run.warnings).toEqual([]);
    const snapshot = await json(apiPaths.snapshot(key, 'last'));
    expect(snapshot).toEqual({
      snapshot: info(2),
      tensors: [
        { name: 'F1.kernel', dtype: 'float32', shape: [2, 3], bytes: 24 },
        { name: 'F1.bias', dtype: 'float32', shape: [3], bytes: 12 },
      ],
      outputs: ['F1'],
    });
    for (const [id, k] of [
      ['step-1', 10],
      ['step-2', 20],
    ] as const) {
      const answer = await raw(apiPaths.tensor(key, id, 'F1.bias'));
      expect(answer.headers['x-tensor-shape']).toBe('3');
      expect(answer.headers['x-tensor-dtype']).toBe('float32');
      expect(answer.body).toEqual(Buffer.from(Float32Array.of(k, 8, 9).buffer));
      const file = await raw(apiPaths.weights(key, id));
      const read = await readSafetensors(bytesSource('answer', file.body));
      expect(read.get('F1.kernel')!.data).toEqual(weights(k).get('F1.kernel')!.data);
    }
    const outputs = await raw(apiPaths.outputs(key, 'step-2', 'F1'));
    expect((await readNpy(bytesSource('answer', outputs.body))).shape).toEqual([2, 3]);
    const labels = await raw(apiPaths.samples(key, 'labels.npy'));
    expect((await readNpy(bytesSource('answer', labels.body))).data).toEqual(Uint32Array.of(0, 1));
  });

  it('gives one tensor over all snapshots, or some, or some of its elements', async () => {
    const all = await raw(apiPaths.series(key, 'F1.bias'));
    expect(all.headers['x-tensor-shape']).toBe('3,3');
    expect(all.body).toEqual(Buffer.from(Float32Array.of(0, 8, 9, 10, 8, 9, 20, 8, 9).buffer));
    const some = await raw(apiPaths.series(key, 'F1.bias', { snapshots: ['last', 'step-0'], indices: [0] }));
    expect(some.body).toEqual(Buffer.from(Float32Array.of(20, 0).buffer));
    expect((await raw(`${apiPaths.series(key, 'F1.bias')}?indices=3`)).status).toBe(400);
    expect((await raw(`${apiPaths.series(key, 'F1.bias')}?indices=a`)).status).toBe(400);
    expect((await raw(apiPaths.series(key, 'F9.bias'))).status).toBe(404);
  });

  it('gives results with arrays inside, and their files', async () => {
    const answer = await raw(apiPaths.result(key, 'test', 'default'));
    expect(await decodeAny(new Uint8Array(answer.body))).toEqual(result);
    const stored = await json(apiPaths.resultFile(key, 'test', 'default', 'result.json'));
    expect(stored.data.$array).toMatch(/^data-[0-9a-f]{20}\/data\.npy$/);
    const file = await raw(apiPaths.resultFile(key, 'test', 'default', stored.data.$array));
    expect((await readNpy(bytesSource('answer', file.body))).data).toEqual(result.data);
  });

  it('answers what is missing or wrong with one line of JSON and no path of this machine', async () => {
    for (const [path, status, message] of [
      [apiPaths.run('nothing'), 404, '"nothing/run.json" is not here'],
      [
        apiPaths.snapshot(key, 'epoch-9'),
        404,
        'one ü has no snapshot epoch-9; it has step-0, step-1, step-2',
      ],
      [
        apiPaths.tensor(key, 'last', 'no'),
        404,
        'snapshot step-2 has no tensor no; it has F1.kernel, F1.bias',
      ],
      ['/api/nothing', 404, 'there is no such address'],
    ] as const) {
      const { status: got, body } = await raw(path);
      expect(got, path).toBe(status);
      const { error } = JSON.parse(body.toString());
      expect(error.message).toContain(message);
      expect(error.message).not.toContain(folder);
    }
    const { status, headers } = await raw('/api/runs', { method: 'POST' });
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
  });

  it('serves a page that loads nothing from elsewhere', async () => {
    const { status, headers, body } = await raw('/');
    expect(status).toBe(200);
    expect(body.toString()).toContain('<!doctype html>');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('the index of the files', () => {
  it('is answered while folders come and go under it', async () => {
    const results = join(folder, 'served', 'one ü', 'results', 'test');
    let over = false;
    const writing = (async () => {
      for (let k = 0; !over; k++) {
        const place = join(results, `flicker-${k % 8}`, 'deep');
        await mkdir(place, { recursive: true });
        await writeFile(join(place, 'a.npy'), 'x');
        await rm(join(results, `flicker-${(k + 4) % 8}`), { recursive: true, force: true });
      }
    })();
    const statuses = new Set<number>();
    for (let k = 0; k < 100; k++)
      statuses.add((await raw(`${apiPaths.run('one ü')}/files/index.json`)).status);
    over = true;
    await writing;
    expect([...statuses]).toEqual([200]);
    for (let k = 0; k < 8; k++) await rm(join(results, `flicker-${k}`), { recursive: true, force: true });
  });
});

describe('ranges', () => {
  const path = apiPaths.tensor(key, 'step-1', 'F1.kernel');
  const whole = Buffer.from(Float32Array.of(10, 1, 2, 3, 4, 5).buffer);
  it.each([
    ['bytes=0-3', 0, 4],
    ['bytes=4-', 4, 24],
    ['bytes=-5', 19, 24],
    ['bytes=20-999', 20, 24],
    ['bytes=-999', 0, 24],
    ['bytes=23-23', 23, 24],
  ])('%s is bytes %i … %i', async (range, from, to) => {
    const { status, headers, body } = await raw(path, { headers: { Range: range } });
    expect(status).toBe(206);
    expect(headers['content-range']).toBe(`bytes ${from}-${to - 1}/24`);
    expect(headers['content-length']).toBe(String(to - from));
    expect(body).toEqual(whole.subarray(from, to));
  });

  it.each(['bytes=24-', 'bytes=24-30', 'bytes=-0'])('%s lies outside: 416', async (range) => {
    const { status, headers } = await raw(path, { headers: { Range: range } });
    expect(status).toBe(416);
    expect(headers['content-range']).toBe('bytes */24');
  });

  it.each(['bytes=0-1,4-5', 'lines=0-1', 'bytes=5-2', 'bytes=a-b'])('%s is passed over', async (range) => {
    const { status, body } = await raw(path, { headers: { Range: range } });
    expect(status).toBe(200);
    expect(body).toEqual(whole);
  });

  it('compresses text where the reader takes it, never a range, an array or an event stream', async () => {
    const takes = { 'Accept-Encoding': 'gzip' };
    const script = /src="([^"]+\.js)"/.exec((await raw('/')).body.toString())![1]!;
    const address = new URL(script, 'http://x/').pathname;
    const [plain, zipped] = [await raw(address), await raw(address, { headers: takes })];
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(zipped.body)).toEqual(plain.body);
    expect(zipped.body.length).toBeLessThan(plain.body.length / 2);
    for (const headers of [takes, { ...takes, Range: 'bytes=0-9' }]) {
      const answer = await raw(path, { headers });
      expect(answer.headers['content-encoding']).toBeUndefined();
      expect(answer.headers['accept-ranges']).toBe('bytes');
    }
  });

  it('a range may cross from the made header of a safetensors file into its data', async () => {
    const all = (await raw(apiPaths.weights(key, 'step-1'))).body;
    for (let from = 0; from < all.length; from += 7) {
      const { body } = await raw(apiPaths.weights(key, 'step-1'), {
        headers: { Range: `bytes=${from}-${from + 30}` },
      });
      expect(body, `from ${from}`).toEqual(all.subarray(from, from + 31));
    }
  });

  it('revalidates, answers HEAD, and ignores a range of an older version', async () => {
    const first = await raw(path);
    const etag = first.headers.etag!;
    expect((await raw(path, { headers: { 'If-None-Match': etag } })).status).toBe(304);
    const head = await raw(path, { method: 'HEAD' });
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '24', 0]);
    expect((await raw(path, { headers: { Range: 'bytes=0-3', 'If-Range': etag } })).status).toBe(206);
    expect((await raw(path, { headers: { Range: 'bytes=0-3', 'If-Range': '"older"' } })).status).toBe(200);
  });
});

describe('confinement', () => {
  const base = `/api/runs/${encodeURIComponent(key)}`;
  it.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%2f..%2f..%2fsecret.txt',
    '/api/runs/..',
    '/api/runs/%2e%2e',
    '/api/runs/..%2foutside%2frun',
    '/api/runs/%2e%2e%2foutside%2frun',
    '/api/runs/..%5coutside',
    '/api/runs/linked',
    '/api/runs/linked/events',
    `${base}/samples/predictions.npy`,
    `${base}/samples/..%2frun.json`,
    `${base}/samples/%2e%2e%2frun.json`,
    `${base}/samples/labels.npy%00.txt`,
    `${base}/snapshots/..%2f..%2f..%2foutside/weights.safetensors`,
    `${base}/snapshots/step-2/outputs/..%2fweights.safetensors`,
    `${base}/snapshots/step-2/outputs/..%252fweights.safetensors`,
    `${base}/snapshots/step-2/outputs/%2fetc%2fpasswd`,
    `${base}/results/test/up/files/secret.txt`,
    `${base}/results/test/default/files/link.npy`,
    `${base}/results/test/default/files/..%2f..%2f..%2frun.json`,
    `${base}/results/..%2f..%2f/x`,
    `${base}/results/test/climbs`,
    `${base}/results/test/absolute`,
    `${base}/results/test/nul`,
    `${base}/results/test/link`,
    '/api/runs/linked-log/events/../../../../secret.txt',
    '//etc/passwd',
    '/\\..\\secret.txt',
  ])('%s gives nothing of what lies outside', async (path) => {
    const { status, body } = await raw(path);
    const text = body.toString('latin1');
    expect(text).not.toContain('SECRET');
    expect(text).not.toContain('root:');
    expect(text).not.toContain('NUMPY');
    if (path.startsWith('/api') && !path.includes('/../')) {
      expect([404, 409]).toContain(status);
      // The one result that itself says where the secret is may be quoted.
      if (!path.endsWith('absolute')) expect(text).not.toContain(folder);
    }
  });

  it('a snapshot that is a link out of the run is not read, alone or in a series', async () => {
    const other = join(folder, 'outside', 'weights');
    const writer = await createRun(other, init);
    await writer.writeSnapshot(info(0), weights(0));
    for (const [name, from, to] of [
      ['by-folder', join(other, 'snapshots', 'step-0'), ['snapshots', 'step-0']],
      [
        'by-file',
        join(other, 'snapshots', 'step-0', 'weights.safetensors'),
        ['snapshots', 'step-0', 'weights.safetensors'],
      ],
    ] as const) {
      const own = join(folder, 'links', name);
      const whole = await createRun(own, init);
      await whole.writeSnapshot(info(0), weights(0));
      await whole.writeSnapshot(info(1), weights(1));
      await whole.finish();
      await rm(join(own, ...to), { recursive: true });
      await symlink(from, join(own, ...to));
    }
    const server = await startServer({
      target: join(folder, 'links'),
      port: 0,
      host: '127.0.0.1',
      allowHosts: [],
    });
    try {
      for (const name of ['by-folder', 'by-file']) {
        const status = async (path: string) => (await raw(path, { port: server.port })).status;
        expect(await status(apiPaths.tensor(name, 'step-1', 'F1.bias'))).toBe(200);
        expect(await status(apiPaths.series(name, 'F1.bias', { snapshots: ['step-1'] }))).toBe(200);
        for (const path of [
          apiPaths.snapshot(name, 'step-0'),
          apiPaths.tensor(name, 'step-0', 'F1.bias'),
          apiPaths.weights(name, 'step-0'),
        ])
          expect(await status(path), path).toBe(404);
        // It is left out, as one whose files are gone: three values of the other.
        const series = await raw(apiPaths.series(name, 'F1.bias'), { port: server.port });
        expect(series.headers['x-tensor-shape']).toBe('1,3');
        expect(series.body).toEqual(Buffer.from(Float32Array.of(1, 8, 9).buffer));
      }
    } finally {
      await server.close();
    }
  });

  it('a step log that is a link out of the run is not read', async () => {
    const { runs } = await json(apiPaths.runs());
    expect(runs[0]).toMatchObject({ key: 'linked-log', snapshots: 0 });
    await writeFile(
      join(folder, 'outside', 'index.jsonl'),
      await readFile(join(folder, 'served', key, 'steps', 'index.jsonl')),
    );
    await writeFile(join(folder, 'outside', 'weights.bin'), Buffer.alloc(1000));
    expect((await raw(apiPaths.run('linked-log'))).status).toBe(404);
    expect((await json(apiPaths.runs())).runs[0].problem).toContain('is not here');
  });
});

describe('access', () => {
  it.each([
    ['evil.example', 403],
    ['127.0.0.1.evil.example', 403],
    ['localhost@evil.example', 403],
    ['localhost.', 403],
    ['0', 403],
    ['localhost', 200],
    ['LOCALHOST:1', 200],
    ['127.0.0.1:9', 200],
    ['[::1]:9', 200],
    ['my.lab:80', 200],
  ])('Host: %s → %i', async (host, status) => {
    const answer = await raw('/api/runs', { headers: { Host: host } });
    // A header that is no host at all is refused before it comes to us.
    expect(status === 403 && answer.status === 400 ? 403 : answer.status).toBe(status);
  });

  it("other sites' pages get nothing, by fetch or by script element", async () => {
    const answer = await raw('/api/runs', {
      headers: { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', Origin: 'http://evil.example' },
    });
    expect(answer.status).toBe(403);
    const mild = await raw('/api/runs', { headers: { Origin: 'http://evil.example' } });
    expect(mild.headers['access-control-allow-origin']).toBeUndefined();
    expect(mild.headers['cross-origin-resource-policy']).toBe('same-origin');
    expect((await raw('/api/runs', { method: 'OPTIONS' })).status).toBe(405);
  });

  it('bound beyond loopback needs the token, as query, bearer or cookie', async () => {
    const open = await startServer({
      target: join(folder, 'served'),
      port: 0,
      host: '0.0.0.0',
      allowHosts: [],
    });
    try {
      const { port, token } = open;
      expect(token).toMatch(/^[\w-]{24}$/);
      expect(open.url).toContain(`?token=${token}`);
      expect((await raw('/api/runs', { port })).status).toBe(401);
      expect((await raw('/', { port })).status).toBe(401);
      expect((await raw('/api/runs?token=wrong', { port })).status).toBe(401);
      expect((await raw('/api/runs', { port, headers: { Authorization: `Bearer ${token}` } })).status).toBe(
        200,
      );
      const first = await raw(`/?token=${token}`, { port, headers: { 'Sec-Fetch-Mode': 'navigate' } });
      expect([first.status, first.headers.location]).toEqual([302, '/']);
      const cookie = first.headers['set-cookie']![0]!;
      expect(cookie).toMatch(/HttpOnly.*SameSite=Strict/);
      expect((await raw('/api/runs', { port, headers: { Cookie: cookie.split(';')[0]! } })).status).toBe(200);
    } finally {
      await open.close();
    }
  });

  it('is shown in frames of the origins named, and of no others', async () => {
    const policyOf = async (port: number) =>
      String((await raw('/', { port })).headers['content-security-policy']);
    expect(await policyOf(serving.port)).toContain("frame-ancestors 'none'");
    const place = { target: join(folder, 'served'), port: 0, host: '127.0.0.1', allowHosts: [] };
    const open = await startServer({ ...place, frames: ['https://wiki.example', 'http://127.0.0.1:8080/'] });
    try {
      expect(await policyOf(open.port)).toContain(
        'frame-ancestors https://wiki.example http://127.0.0.1:8080',
      );
    } finally {
      await open.close();
    }
    for (const frame of [
      '*',
      'wiki.example',
      'https://wiki.example/page',
      "https://a.example; script-src 'unsafe-inline'",
      'file:///x',
    ])
      await expect(startServer({ ...place, frames: [frame] }), frame).rejects.toThrow(
        'frame: expected an origin',
      );
  });

  it('a port in use is one clear line', async () => {
    await expect(
      startServer({ target: folder, port: serving.port, host: '127.0.0.1', allowHosts: [] }),
    ).rejects.toThrow(`port ${serving.port} of 127.0.0.1 is in use; choose another with --port`);
    await expect(
      startServer({ target: join(folder, 'none'), port: 0, host: '127.0.0.1', allowHosts: [] }),
    ).rejects.toThrow('does not exist; expected a run or a folder of runs');
  });
});

/** Server-sent events as they come, until `enough` of them are there. */
async function events(
  port: number,
  path: string,
  enough: (list: { event: string; data: never; id: string }[]) => boolean,
  headers: Record<string, string> = {},
): Promise<{ event: string; data: never; id: string }[]> {
  const list: { event: string; data: never; id: string }[] = [];
  const controller = new AbortController();
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers, signal: controller.signal });
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of answer.body!) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = Object.fromEntries(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      );
      text = text.slice(end + 2);
      if (fields.event)
        list.push({ event: fields.event, data: JSON.parse(fields.data!) as never, id: fields.id ?? '' });
    }
    if (enough(list)) break;
  }
  controller.abort();
  return list;
}
type SnapshotsEvent = { data: { from: number; snapshots: { id: string }[] } };
const told = (list: { event: string }[]) =>
  (list.filter(({ event }) => event === 'snapshots') as unknown as SnapshotsEvent[]).flatMap(({ data }) =>
    data.snapshots.map(({ id }) => id),
  );

describe('events', () => {
  it('tell every snapshot once and in order while the run is written, then that it is complete and what was computed', async () => {
    const live = join(folder, 'live');
    const writer = await createRun(live, init);
    await writer.appendSnapshot(info(0), weights(0));
    const server = await startServer({ target: live, port: 0, host: '127.0.0.1', allowHosts: [] });
    try {
      const path = apiPaths.runEvents('live');
      const all = events(server.port, path, (list) =>
        list.some(
          ({ event, data }) => event === 'state' && (data as { results: unknown[] }).results.length > 0,
        ),
      );
      for (let step = 1; step < 60; step++) {
        // Both ways of writing, in bursts and with pauses.
        if (step % 7) await writer.appendSnapshot(info(step), weights(step));
        else await writer.writeSnapshot(info(step), weights(step));
        if (step % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 400));
      }
      await writer.finish();
      await writeResult(live, 'results/test/default', result);
      const list = await all;
      expect(told(list)).toEqual(Array.from({ length: 60 }, (_, step) => `step-${step}`));
      expect(list[0]).toMatchObject({ event: 'state', data: { complete: false } });
      const states = list.filter(({ event }) => event === 'state');
      expect(states.at(-1)!.data).toMatchObject({
        complete: true,
        results: [{ method: 'test', name: 'default' }],
      });
      expect(list.filter(({ event }) => event === 'snapshots').length).toBeGreaterThan(2);

      const last = list.filter(({ event }) => event === 'snapshots').at(-1)!;
      expect(last.id).toBe('60:step-59');
      const again = await events(server.port, path, (l) => l.length >= 2, { 'Last-Event-ID': '40:step-39' });
      expect(told(again)).toEqual(Array.from({ length: 20 }, (_, k) => `step-${k + 40}`));
      // Another run by now: told from the start.
      const other = await events(server.port, path, (l) => told(l).length >= 60, {
        'Last-Event-ID': '9:gone',
      });
      expect(other.map(({ event }) => event)).toContain('reset');
    } finally {
      await server.close();
    }
  });

  it('tell a folder’s runs, also one that begins later, and end when the server closes', async () => {
    const place = join(folder, 'several');
    await mkdir(place);
    const server = await startServer({ target: place, port: 0, host: '127.0.0.1', allowHosts: [] });
    const runs = (list: { data: { runs: { key: string }[] } }[]) => list.at(-1)?.data.runs.map((r) => r.key);
    const seen = events(
      server.port,
      apiPaths.events(),
      (list) => runs(list as never)?.includes('b') ?? false,
    );
    await (await createRun(join(place, 'a'), init)).finish();
    await (await createRun(join(place, 'b'), init)).finish();
    expect(runs((await seen) as never)).toEqual(['a', 'b']);
    const open = await fetch(`http://127.0.0.1:${server.port}${apiPaths.runEvents('a')}`);
    const reader = open.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('event: state');
    await server.close();
    while (!(await reader.read()).done);
  });

  it('begin anew after an id that no server of ours gave, and answer HEAD at once', async () => {
    for (const id of ['%ZZ', '3:%ZZ', '-1:x', '999999999:step-0', '1:'])
      expect(
        told(
          await events(serving.port, apiPaths.runEvents(key), (list) => told(list).length >= 3, {
            'Last-Event-ID': id,
          }),
        ),
        id,
      ).toEqual(['step-0', 'step-1', 'step-2']);
    const { status, headers, body } = await raw(apiPaths.runEvents(key), { method: 'HEAD' });
    expect([status, headers['content-type'], body.length]).toEqual([200, 'text/event-stream', 0]);
  });

  it('tell when the run disappears', async () => {
    const gone = join(folder, 'gone');
    await (await createRun(gone, init)).finish();
    const server = await startServer({ target: gone, port: 0, host: '127.0.0.1', allowHosts: [] });
    try {
      const seen = events(server.port, apiPaths.runEvents('gone'), (list) => {
        if (list.length === 1) void rm(join(gone, 'run.json'), { force: true });
        return list.some(({ event }) => event === 'problem');
      });
      expect((await seen).at(-1)).toMatchObject({ event: 'problem', data: { code: 'missing' } });
    } finally {
      await server.close();
    }
  });
});
