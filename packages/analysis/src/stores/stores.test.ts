import { execFileSync, spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesSource } from '../formats/source.js';
import { nextToken } from '../platform/writer-token.js';
import { filesStore } from './blobs.js';
import { bytes, FILES, read, readingConforms, refusesToWrite, writingConforms } from './conformance.js';
import { folderStore } from './folder.js';
import { httpStore } from './http.js';
import { hashed, identityOf } from './identity.js';
import { readIndex, updateIndex } from './index-file.js';
import { memoryStore } from './memory.js';
import { storeOf } from './of.js';
import { overlay, within } from './overlay.js';
import { zipOf, zipStore } from './zip.js';

let root: string;
let count = 0;
let server: Server;
let address: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'epochscope-stores-'));
  // As plain as a static host can be, with ranges.
  server = createServer(async (request, answer) => {
    const path = join(root, decodeURIComponent(new URL(request.url!, 'http://x').pathname));
    const info = await stat(path).catch(() => null);
    if (!info?.isFile()) return answer.writeHead(404).end();
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const head = { etag: `"${info.mtimeMs}-${info.size}"` };
    if (from === undefined) return createReadStream(path).pipe(answer.writeHead(200, head));
    if (Number(from) >= info.size)
      return answer.writeHead(416, { ...head, 'content-range': `bytes */${info.size}` }).end();
    const end = Math.min(Number(to), info.size - 1);
    answer.writeHead(206, { ...head, 'content-range': `bytes ${from}-${end}/${info.size}` });
    return createReadStream(path, { start: Number(from), end }).pipe(answer);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await rm(root, { recursive: true, force: true });
});

const place = () => join(root, String(count++));
async function filled(): Promise<string> {
  const folder = place();
  for (const [path, content] of FILES) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}
const zipped = (level: 0 | 6) =>
  zipStore(
    bytesSource(
      'x.zip',
      zipSync(Object.fromEntries(FILES.map(([path, content]) => [`top/${path}`, [content, { level }]]))),
    ),
  );
async function served() {
  const folder = await filled();
  const run = folderStore(folder);
  await updateIndex(run, ['']);
  const store = httpStore(`${address}/${folder.slice(root.length + 1)}`);
  // The index itself is a file too: hidden here, so that all stores list the same.
  return {
    ...store,
    list: async (path: string) => (await store.list(path)).filter(({ name }) => name !== 'index.json'),
  };
}

readingConforms('a folder', async () => folderStore(await filled()));
readingConforms('memory', async () => memoryStore('memory', FILES));
readingConforms('a zip, stored', () => zipped(0));
readingConforms('a zip, deflated', () => zipped(6));
readingConforms('http', served);
readingConforms('files given to a page', async () =>
  filesStore(
    FILES.map(([path, content]) => [`top/${path}`, new Blob([content as Uint8Array<ArrayBuffer>])] as const),
  ),
);
readingConforms('one store over another', async () =>
  overlay(memoryStore('base', FILES.slice(0, 2)), memoryStore('upper', FILES.slice(2))),
);
readingConforms('a folder of a store', async () =>
  within(
    memoryStore(
      'all',
      FILES.map(([path, content]) => [`runs/one/${path}`, content] as const),
    ),
    'runs/one',
  ),
);
refusesToWrite('http', served);
refusesToWrite('a zip', () => zipped(0));
refusesToWrite('files given to a page', async () => filesStore([], 'x'));
writingConforms('a folder', async () => folderStore(place()));
writingConforms('memory', async () => memoryStore());
writingConforms('one store over another', async () => overlay(memoryStore(), memoryStore()));

describe('a folder', () => {
  it('follows links within, and refuses what leads out, pipes and sockets by their kind, never opening them', async () => {
    const folder = await filled();
    await symlink('inputs.npy', join(folder, 'samples', 'same.npy'));
    await symlink(join(root, 'elsewhere'), join(folder, 'out'));
    await writeFile(join(root, 'elsewhere'), 'secret');
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const socket = createSocket().listen(join(folder, 's'));
    await new Promise((done) => socket.once('listening', done));
    const store = folderStore(folder);
    expect(await read(store, 'samples/same.npy')).toHaveLength(8);
    await expect(store.open('out')).rejects.toThrow('is a link that leads out of');
    await expect(store.open('pipe')).rejects.toThrow('is a pipe, expected a file');
    await expect(store.open('s')).rejects.toThrow('is a socket, expected a file');
    expect((await store.list('')).map(({ name }) => name)).toEqual(['run.json', 'samples', 'snapshots']);
    for (const path of ['out', 'pipe', 's']) expect(await store.has(path)).toBe(false);
    socket.close();
  });

  it('writes nothing through a link that leads out', async () => {
    const [folder, other] = [await filled(), await filled()];
    await symlink(join(other, 'samples'), join(folder, 'link'));
    const store = folderStore(folder);
    await expect(store.write('link/x', 'y')).rejects.toThrow('leads out of');
    await store.remove('link');
    expect(await readdir(join(other, 'samples'))).toEqual(['inputs.npy']);
  });

  it('clears what a killed writer left beside what is written, and nothing of a living or unknown one', async () => {
    const folder = await filled();
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    const living = nextToken();
    const killed = `${living.slice(0, 4)}${pid.toString(16).padStart(8, '0')}${living.slice(12)}`;
    const foreign = living.startsWith('0000') ? `1111${killed.slice(4)}` : `0000${killed.slice(4)}`;
    const old = foreign.replace(/.$/, (digit) => (digit === '1' ? '2' : '1'));
    for (const token of [living, killed, foreign, old])
      await writeFile(join(folder, `a.tmp-${token}`), 'half');
    await utimes(join(folder, `a.tmp-${old}`), 1, 1);
    await folderStore(folder).write('a', 'whole');
    expect((await readdir(folder)).filter((name) => name.includes('tmp')).sort()).toEqual(
      [`a.tmp-${living}`, `a.tmp-${foreign}`].sort(),
    );
  });

  it('says where and why it cannot write', async () => {
    const folder = await filled();
    await expect(folderStore(join(folder, 'run.json')).write('x', 'y')).rejects.toMatchObject({ code: 'io' });
    await expect(storeOf(join(folder, 'run.json'))).rejects.toThrow('is a file, expected a folder');
  });
});

describe('http', () => {
  it('opens files by name where there is no index, and says why it cannot list them', async () => {
    const folder = await filled();
    const store = httpStore(`${address}/${folder.slice(root.length + 1)}/run.json`);
    expect(await store.has('samples/inputs.npy')).toBe(true);
    expect(await store.has('samples/none')).toBe(false);
    expect(await read(store, 'samples/inputs.npy')).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    await expect(store.list('')).rejects.toThrow('holds no index.json');
  });

  it('asks for what an index does not name, unless the index says that it is whole', async () => {
    const has = async (more: object) => {
      const folder = await filled();
      const index = { format: 'epochscope-index/1', files: { 'run.json': { size: 3 } }, ...more };
      await writeFile(join(folder, 'index.json'), JSON.stringify(index));
      return httpStore(`${address}/${folder.slice(root.length + 1)}`).has('samples/inputs.npy');
    };
    expect(await has({})).toBe(true);
    expect(await has({ whole: true })).toBe(false);
    // Only true says so.
    expect(await has({ whole: 'yes' })).toBe(true);
  });
});

describe('one store over another', () => {
  it('writes into the upper one alone, hides what was removed, and grows a copy', async () => {
    const base = memoryStore('base', FILES);
    const upper = memoryStore();
    const store = overlay(base, upper);
    await store.write('run.json', 'new');
    const log = await store.append('samples/inputs.npy', 2);
    await log.append(bytes(9));
    await log.close();
    await store.remove('snapshots');
    expect(await read(store, 'samples/inputs.npy')).toEqual([0, 1, 9]);
    expect((await store.list('')).map(({ name }) => name)).toEqual(['run.json', 'samples']);
    expect(await store.has('snapshots/epoch 1 ü%#?/weights.safetensors')).toBe(false);
    await store.write('snapshots/new', 'x');
    expect((await store.list('snapshots')).map(({ name }) => name)).toEqual(['new']);
    expect(await read(store, 'snapshots/new')).toHaveLength(1);
    expect([...base.files().keys()].sort()).toEqual(FILES.map(([path]) => path).sort());
    expect([...base.files().get('samples/inputs.npy')!]).toHaveLength(8);
  });
});

describe('the index', () => {
  it('names every file with size, and hashes as long as the file is the same', async () => {
    const folder = await filled();
    const store = folderStore(folder);
    const sha256 = 'a'.repeat(64);
    await updateIndex(store, ['run.json'], new Map([['samples/inputs.npy', sha256]]));
    expect(Object.entries((await readIndex(store))!.files).map(([path, { size }]) => [path, size])).toEqual(
      FILES.map(([path, content]) => [path, content.length]).sort(([a], [b]) => (a! < b! ? -1 : 1)),
    );
    await updateIndex(store, ['samples']);
    expect((await readIndex(store))!.files['samples/inputs.npy']!.sha256).toBe(sha256);
    expect(await identityOf(store, 'samples/inputs.npy')).toEqual({ sha256 });
    // Changed behind the writer's back, of the same size.
    await writeFile(join(folder, 'samples/inputs.npy'), bytes(1, 1, 1, 1, 1, 1, 1, 1));
    await utimes(join(folder, 'samples/inputs.npy'), 5, 5);
    expect(await identityOf(store, 'samples/inputs.npy')).not.toEqual({ sha256 });
    await store.remove('samples');
    await updateIndex(store, ['samples']);
    expect((await readIndex(store))!.files['samples/inputs.npy']).toBeUndefined();
  });

  it('loses nothing of many writers at once', async () => {
    const folder = await filled();
    const [N, sha256] = [24, 'b'.repeat(64)];
    await Promise.all(
      Array.from({ length: N }, async (_, i) => {
        const own = folderStore(folder);
        const path = `snapshots/s/outputs/${i}.npy`;
        await own.write(path, bytes(i));
        await updateIndex(own, [path], new Map([[path, sha256]]));
      }),
    );
    const { files } = (await readIndex(folderStore(folder)))!;
    for (let i = 0; i < N; i++)
      expect(files[`snapshots/s/outputs/${i}.npy`]).toMatchObject({ size: 1, sha256 });
    expect((await readdir(folder)).filter((name) => name.startsWith('index.json'))).toEqual(['index.json']);
  });

  it('is made anew where it is damaged', async () => {
    const folder = await filled();
    await writeFile(join(folder, 'index.json'), '{oops');
    const store = folderStore(folder);
    await expect(readIndex(store)).rejects.toMatchObject({ code: 'format' });
    await updateIndex(store, ['run.json']);
    expect(Object.keys((await readIndex(store))!.files)).toHaveLength(FILES.length);
  });
});

describe('which state was read', () => {
  const file = bytes(...Array.from({ length: 100 }, (_, i) => i));
  const sha = (data: Uint8Array) => execFileSync('sha256sum', { input: data }).toString().slice(0, 64);
  const opened = async () => hashed(await memoryStore('m', [['f', file]]).open('f'));

  it('is the SHA-256 of all where all was read in order, also with overlaps', async () => {
    const whole = await opened();
    for (const [at, length] of [
      [0, 12],
      [10, 30],
      [5, 10],
      [40, 60],
    ] as const)
      await whole.read(at, length);
    expect(whole.identity()).toEqual({ sha256: sha(file) });
  });

  it('is size, stamp and a hash of what was read where it was not', async () => {
    const parts = await opened();
    await parts.read(0, 10);
    await parts.read(50, 5);
    const place = new Uint8Array(8);
    place[0] = 50;
    expect(parts.identity()).toEqual({
      size: 100,
      stamp: '1',
      sha256OfRead: sha(Uint8Array.from([...file.subarray(0, 10), ...place, ...file.subarray(50, 55)])),
    });
  });
});

it('a store becomes a zip, and the zip a store', async () => {
  const store = memoryStore('my-run', FILES);
  const again = await zipStore(bytesSource('z', await zipOf(store)));
  for (const [path, content] of FILES) expect(await read(again, path)).toEqual([...content]);
  const path = join(root, 'kept.zip');
  await writeFile(path, await zipOf(store));
  expect(await read(await storeOf(path), 'run.json')).toEqual([
    ...(await readFile(path)).subarray(0, 0),
    ...FILES[0]![1],
  ]);
});
