import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hubStore, importRun, memoryStore, openRun, type Tensor } from '@epochscope/analysis';
import { encodeSafetensors } from '@epochscope/analysis/formats';
import { random } from '@epochscope/analysis/methods';
import { planImport } from '@epochscope/analysis/runs';
import { checkOfRun } from '@epochscope/analysis/workflows';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type TestHub, testHub } from './hub-server.js';

const ID = 'org/net-70m';

/** Weights that move along a line with a little noise. */
function weights(step: number): Map<string, Tensor> {
  return new Map(
    ['a', 'b'].map((name, t) => {
      const dice = random(t);
      const noise = random(t, step);
      const data = Float32Array.from(
        { length: 600 },
        () => dice.normal() * (1 + step / 2) + noise.normal() / 50,
      );
      return [`${name}.weight`, { data, shape: [20, 30], dtype: 'float32' as const }];
    }),
  );
}
/** One file, or two shards with their index. */
function files(step: number, of = step): Record<string, Uint8Array | string> {
  const all = [...weights(of)];
  if (step % 2)
    return {
      'config.json': '{}',
      'model.safetensors': encodeSafetensors(new Map(all)),
      'optimizer.pt': 'x'.repeat(200),
    };
  const shards = all.map(([name], i) => [name, `model-0000${i + 1}-of-00002.safetensors`] as const);
  return {
    'config.json': '{}',
    'model.safetensors.index.json': JSON.stringify({ weight_map: Object.fromEntries(shards) }),
    ...Object.fromEntries(shards.map(([, file], i) => [file, encodeSafetensors(new Map([all[i]!]))])),
  };
}

let hub: TestHub;
const waits: number[] = [];
const patient = { sleep: async (ms: number) => void waits.push(ms) };
const address = () => `${hub.origin}/${ID}`;
const steps = Object.fromEntries([0, 1, 2, 3, 4].map((step) => [`step${step}000`, files(step)]));

beforeEach(async () => {
  waits.length = 0;
  hub = await testHub(ID, { main: files(4), ...steps });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.close();
});

describe('a series on a hub', () => {
  it('is every revision that fits, pinned to its commit, its files known unread', async () => {
    const plan = await planImport(address(), { revisions: 'step*', hub: patient });
    expect(plan.snapshots.map(({ path, step }) => [path, step])).toEqual([
      ['step0000', 0],
      ['step1000', 1000],
      ['step2000', 2000],
      ['step3000', 3000],
      ['step4000', 4000],
    ]);
    expect(hub.requests.some(({ path }) => path.includes('/resolve/'))).toBe(false);
    // Listings come in pages of two files.
    expect(hub.requests.filter(({ path }) => path.includes('cursor='))).toHaveLength(5);
  });

  it('is linked by headers alone, and read where a method asks, as the weights are', async () => {
    const store = memoryStore();
    const { snapshots } = await importRun(address(), store, { revisions: 'step*', link: true, hub: patient });
    expect(snapshots).toHaveLength(5);
    const read = hub.requests.flatMap(({ range }) => (range ? [range.match(/\d+/g)!.map(Number)] : []));
    expect(read.reduce((sum, [a, b]) => sum + b! - a! + 1, 0)).toBeLessThan(30_000);
    const run = await openRun(store);
    for (const step of [0, 3]) {
      const got = await run.weights(`step-${step}000`);
      for (const [name, { data }] of weights(step)) {
        const own = got.get(name.replace('weight', 'kernel'))!.data;
        for (let i = 0; i < 20; i++)
          for (let j = 0; j < 30; j++) expect(own[j * 20 + i]).toBe(data[i * 30 + j]);
      }
    }
    const { files: linked } = await run.weightPlaces('step-3000');
    expect(linked![0]!.place).toMatch(/\/org\/net-70m\/resolve\/[0-9a-f]{40}\/model\.safetensors$/);
    expect(linked![0]!.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is copied as a folder is, by ranges, each file asked for once at the hub', async () => {
    const store = memoryStore();
    await importRun(address(), store, { revisions: 'step1000,step3000', hub: patient });
    const local = memoryStore('s', [
      ['step1000/model.safetensors', files(1)['model.safetensors'] as Uint8Array],
      ['step3000/model.safetensors', files(3)['model.safetensors'] as Uint8Array],
    ]);
    const copied = memoryStore();
    await importRun(local, copied);
    const [a, b] = [await openRun(store), await openRun(copied)];
    for (const id of ['step-1000', 'step-3000']) expect(await a.weights(id)).toEqual(await b.weights(id));
    expect(
      hub.requests.filter(({ path, host }) => host === 'hub' && path.includes('resolve')).length,
    ).toBeLessThanOrEqual(4);
    expect(hub.requests.every(({ path, range }) => !path.includes('resolve') || range !== null)).toBe(true);
    expect(hub.requests.some(({ path }) => path.includes('optimizer'))).toBe(false);
  });

  it('signed addresses that expire are asked for again', async () => {
    hub.uses = 1;
    const store = memoryStore();
    await importRun(address(), store, { revisions: 'step3000', hub: patient });
    const got = (await (await openRun(store)).weights('step-3000')).get('b.kernel')!.data;
    expect(got[1]).toBe(weights(3).get('b.weight')!.data[30]);
  });

  it('a hub that is busy is waited for as long as it says, and one that stays so is named', async () => {
    hub.busy = { times: 2, t: 7 };
    const told: string[] = [];
    await planImport(address(), {
      revisions: 'step*',
      hub: { ...patient, onWait: (text) => told.push(text) },
    });
    expect(waits).toEqual([7000, 7000]);
    expect(told[0]).toMatch(/too many requests \(status 429\); trying again in 7 s/);
    hub.busy = { times: 99, t: 1 };
    await expect(planImport(address(), { revisions: 'step*', hub: patient })).rejects.toThrow(
      'too many requests (status 429)',
    );
  });

  it('an answer that breaks off is gone on with from where it broke', async () => {
    const store = await hubStore(address(), 'step1000', patient);
    const file = await store.open('step1000/model.safetensors');
    hub.cutAfter = 1000;
    expect(await file.read(0, file.size)).toEqual(
      new Uint8Array(files(1)['model.safetensors'] as Uint8Array),
    );
    const ranges = hub.requests.filter(({ host }) => host === 'store').map(({ range }) => range);
    expect(ranges).toEqual([`bytes=0-${file.size - 1}`, `bytes=1000-${file.size - 1}`]);
  });

  it('a gate, a private model and a name that is none are told with the way in', async () => {
    hub.token = 'hf_secret';
    hub.gated = true;
    const plan = () => planImport(address(), { revisions: 'step*', hub: patient });
    await expect(plan()).rejects.toThrow(
      /access is gated: accept its terms on its page, and set HF_ENDPOINT=http:\/\/127\.0\.0\.1:\d+ and HF_TOKEN/,
    );
    hub.gated = false;
    await expect(plan()).rejects.toThrow(
      /status 401, RepoNotFound\): it does not exist, or is private: set HF_ENDPOINT=/,
    );
    hub.token = null;
    await expect(planImport(address(), { revisions: 'epoch*', hub: patient })).rejects.toThrow(
      'no revision fits "epoch*"; there are main, step0000',
    );
  });

  it('the token goes to the hub it is of and to no other host', async () => {
    hub.token = 'hf_secret';
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    await expect(planImport(address(), { revisions: 'step*', hub: patient })).rejects.toThrow(
      'set HF_ENDPOINT=',
    );
    expect(hub.requests.every(({ authorization }) => authorization === null)).toBe(true);
    vi.stubEnv('HF_ENDPOINT', hub.origin);
    await importRun(address(), memoryStore(), { revisions: 'step3000', hub: patient });
    const sent = (host: string) => [
      ...new Set(hub.requests.slice(1).flatMap((one) => (one.host === host ? [one.authorization] : []))),
    ];
    expect(sent('hub')).toEqual(['Bearer hf_secret']);
    expect(sent('store')).toEqual([null]);
  });

  it('an import that was cut off goes on where it stopped', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'epochscope-hub-'));
    try {
      const stop = new AbortController();
      const options = { revisions: 'step*', hub: patient };
      await expect(
        importRun(address(), folder, options, {
          signal: stop.signal,
          onProgress: ({ share }) => {
            if (share >= 0.4) stop.abort();
          },
        }),
      ).rejects.toThrow('cancelled');
      const before = hub.requests.length;
      const { snapshots } = await importRun(address(), folder, options);
      expect(snapshots.map(({ id }) => id)).toEqual(
        [0, 1, 2, 3, 4].map((i) => `step-0000${i}000`.replace('step-00000000', 'init')),
      );
      const run = await openRun(folder);
      expect(run.manifest).toMatchObject({ complete: true });
      expect(run.warnings).toEqual([]);
      const again = hub.requests.slice(before).filter(({ path }) => path.includes('resolve'));
      const step1 = (await hubStore(address(), 'step1000', patient)).addressOf!(
        'step1000/model.safetensors',
      ).place;
      expect(again.some(({ path }) => step1.endsWith(path))).toBe(false);
      await expect(
        importRun(address(), folder, { ...options, revisions: 'step1000' }, { resume: true }),
      ).rejects.toThrow('was not imported from');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('copies and foreign weights in a series are found: by hashes alone, and by few ranges', async () => {
    await hub.close();
    hub = await testHub(ID, {
      ...Object.fromEntries(
        [1, 3, 5, 7, 9, 11].map((step) => [`step${step}`, files(step, step === 5 ? 99 : step)]),
      ),
      step13: files(11),
    });
    const store = memoryStore();
    await importRun(address(), store, { revisions: 'step*', link: true, hub: patient });
    const { findings } = await checkOfRun(await openRun(store));
    expect(findings.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^step-00000005 is out of line/),
      expect.stringMatching(
        /^step-00000013 is a copy of step-00000011: the files are the same, byte by byte/,
      ),
    ]);
  });
});

describe('a folder of any web server', () => {
  it('that lists its files is read by ranges; one that does not says what is expected', async () => {
    const content = new Map(
      [1, 2].map((i) => [`/runs/ck/model_${i}.safetensors`, Buffer.from(encodeSafetensors(weights(i)))]),
    );
    const server = createServer((request, response) => {
      const file = content.get(request.url!);
      const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
      if (file && range) {
        const part = file.subarray(Number(range[1]), Number(range[2]) + 1);
        response
          .writeHead(206, {
            'content-range': `bytes ${range[1]}-${Number(range[1]) + part.length - 1}/${file.length}`,
            etag: '"1"',
          })
          .end(part);
      } else if (request.url === '/runs/')
        response
          .writeHead(200, { 'content-type': 'text/html' })
          .end(
            '<a href="?C=N">Name</a><a href="../">up</a><a href=\'ck/\'>ck/</a><a href="https://elsewhere/x.pt">x</a>',
          );
      else if (request.url === '/runs/ck/')
        response
          .writeHead(200, { 'content-type': 'text/html' })
          .end([...content.keys()].map((path) => `<a href="${path}">f</a>`).join(''));
      else response.writeHead(404).end();
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    try {
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const store = memoryStore();
      await importRun(`${origin}/runs`, store, { link: true, hub: patient });
      const run = await openRun(store);
      expect(run.manifest.snapshots.map(({ id }) => id)).toEqual(['epoch-0001', 'epoch-0002']);
      expect((await run.weights('2')).get('a.kernel')!.data[0]).toBe(weights(2).get('a.weight')!.data[0]);
      await expect(planImport(`${origin}/nothing/here/at/all`, { hub: patient })).rejects.toThrow(
        'does not exist',
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('`revisions` are those of a hub', async () => {
    await expect(planImport('/tmp', { revisions: 'x' })).rejects.toThrow(
      '`revisions` are those of a model on a hub',
    );
    await expect(planImport('http://127.0.0.1:9/a/b/c', { revisions: 'x' })).rejects.toThrow(
      'https://HOST/ORG/MODEL',
    );
  });
});

it('a listing of this test server is what its files are', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'epochscope-hub-'));
  await writeFile(join(folder, 'x'), files(1)['model.safetensors'] as Uint8Array);
  const store = await hubStore(address(), 'step1000', patient);
  const file = await store.open('step1000/model.safetensors');
  expect(Buffer.from(await file.read(0, file.size)).equals(await readFile(join(folder, 'x')))).toBe(true);
  await rm(folder, { recursive: true });
});
