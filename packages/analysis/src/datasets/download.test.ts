import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EpochscopeError } from '@epochscope/core-wasm';
import { gzipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { random } from '../random.js';
import { DOWNLOADS, type RemoteFile } from './checksums.js';
import { cifar10Folder } from './cifar10.js';
import { downloadDataset } from './download.js';
import { openDataset } from './index.js';
import { bundledMnist, mnistFolder } from './mnist.js';
import { readTar } from './tar.js';

let folder: string;
let server: Server | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-data-'));
});
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((done) => (server ? server.close(done) : done(null)));
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});
async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((done) => started.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error,
  );

/** IDX of unsigned bytes. */
function idx(shape: number[], data: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  head.setUint16(2, 0x800 + shape.length);
  shape.forEach((side, i) => {
    head.setUint32(4 + 4 * i, side);
  });
  return Uint8Array.from([...new Uint8Array(head.buffer), ...data]);
}
const images = (n: number) =>
  idx(
    [n, 4, 3],
    Uint8Array.from({ length: n * 12 }, (_, i) => i),
  );
const labels = (n: number) =>
  idx(
    [n],
    Uint8Array.from({ length: n }, (_, i) => i % 10),
  );
const MNIST: Record<string, Uint8Array> = {
  'train-images-idx3-ubyte.gz': gzipSync(images(6)),
  'train-labels-idx1-ubyte.gz': gzipSync(labels(6)),
  't10k-images-idx3-ubyte.gz': gzipSync(images(2)),
  't10k-labels-idx1-ubyte.gz': gzipSync(labels(2)),
};
const CONTENT: Record<string, Uint8Array> = {
  'train-images-idx3-ubyte.gz': images(6),
  'train-labels-idx1-ubyte.gz': labels(6),
  't10k-images-idx3-ubyte.gz': images(2),
  't10k-labels-idx1-ubyte.gz': labels(2),
};
const remote = (base: string): RemoteFile[] =>
  Object.entries(MNIST).map(([name, bytes]) => ({
    name,
    urls: [`${base}/${name}`],
    bytes: bytes.length,
    sha256: sha256(CONTENT[name]!),
  }));
/** Serves MNIST, with ranges; counts requests. */
function mirror(asked: string[], files = MNIST): RequestListener {
  return (request, answer) => {
    asked.push(`${request.url} ${request.headers.range ?? ''}`.trim());
    const bytes = files[request.url!.slice(1)];
    if (!bytes) return void answer.writeHead(404).end();
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN);
    if (Number.isNaN(from)) return void answer.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    if (from >= bytes.length) return void answer.writeHead(416).end();
    answer
      .writeHead(206, { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` })
      .end(bytes.subarray(from));
  };
}

describe('downloadDataset', () => {
  it('fetches files that the reader opens, tells how far it is, and asks for nothing twice', async () => {
    const asked: string[] = [];
    const files = remote(await serve(mirror(asked)));
    const steps: number[] = [];
    const options = {
      files,
      onProgress: (p: { done: number; total: number }) => void steps.push(p.done / p.total),
    };
    const place = await downloadDataset('mnist', folder, options);
    const data = await mnistFolder(place);
    expect(data).toMatchObject({ shape: [4, 3, 1], train: { count: 6 }, test: { count: 2 } });
    expect(data.train.images[13]).toBe(13);
    expect(steps.length).toBeGreaterThanOrEqual(4);
    expect(steps.every((share) => share > 0 && share <= 1)).toBe(true);
    expect(await downloadDataset('mnist', folder, options)).toBe(place);
    expect(asked.length).toBe(4);
    expect((await readdir(place)).sort()).toEqual(Object.keys(MNIST).sort());
  });

  it('goes on where a broken connection left off', async () => {
    const asked: string[] = [];
    const name = 'train-images-idx3-ubyte.gz';
    const whole = MNIST[name]!;
    const files = remote(await serve(mirror(asked)));
    // Forty bytes arrive and are read before the connection breaks: a real socket would leave that to chance.
    let pulls = 0;
    const broken = new ReadableStream(
      {
        pull(controller) {
          if (pulls++ === 0) controller.enqueue(whole.slice(0, 40));
          else controller.error(new Error('connection reset'));
        },
      },
      // Nothing ahead of the reader: an error drops what is queued.
      { highWaterMark: 0 },
    );
    const fetch = async () => new Response(broken, { headers: { 'content-length': `${whole.length}` } });
    const error = await failure(downloadDataset('mnist', folder, { files, fetch }));
    expect(error).toMatchObject({ code: 'io' });
    expect(await readdir(join(folder, 'mnist'))).toEqual([`${name}.part`]);
    await downloadDataset('mnist', folder, { files });
    expect(asked[0]).toBe(`/${name} bytes=40-`);
    expect(new Uint8Array(await readFile(join(folder, 'mnist', name)))).toEqual(whole);
  });

  it('starts anew from a partial file of something else, and from a damaged file', async () => {
    const files = remote(await serve(mirror([])));
    await downloadDataset('mnist', folder, { files });
    const [first, second, third] = Object.keys(MNIST) as [string, string, string];
    const place = join(folder, 'mnist');
    await writeFile(join(place, first), 'damaged');
    await rm(join(place, second));
    await writeFile(join(place, `${second}.part`), 'of another file');
    await rm(join(place, third));
    await writeFile(join(place, `${third}.part`), new Uint8Array(500));
    await downloadDataset('mnist', folder, { files });
    for (const [name, bytes] of Object.entries(MNIST))
      expect(new Uint8Array(await readFile(join(place, name)))).toEqual(bytes);
  });

  it('takes the next mirror when one fails, and content packed otherwise', async () => {
    const repacked = Object.fromEntries(
      Object.entries(CONTENT).map(([name, bytes]) => [name, gzipSync(bytes, { level: 1, mtime: 1 })]),
    );
    const base = await serve(mirror([], repacked));
    const files = remote(base).map((file) => ({ ...file, urls: [`${base}/nothing`, ...file.urls] }));
    await downloadDataset('mnist', folder, { files });
    expect((await mnistFolder(join(folder, 'mnist'))).train.count).toBe(6);
  });

  it.each<[string, RequestListener, string, string]>([
    [
      'other content',
      (_, a) => void a.end(gzipSync(new Uint8Array(5))),
      'format',
      'expected content of sha-256',
    ],
    ['a page instead of a file', (_, a) => void a.end('<html>'), 'format', 'expected content of sha-256'],
    [
      'a file without end',
      (_, a) => {
        const chunk = new Uint8Array(1 << 16);
        const more = () => {
          while (!a.destroyed && a.write(chunk));
        };
        a.on('drain', more);
        more();
      },
      'format',
      'the server sends more',
    ],
    ['a missing file', (_, a) => void a.writeHead(404).end(), 'io', 'expected status 200, got 404'],
  ])('refuses %s and leaves nothing under the name', async (_, listener, code, message) => {
    const files = remote(await serve(listener));
    const error = await failure(downloadDataset('mnist', folder, { files }));
    expect(error).toBeInstanceOf(EpochscopeError);
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    const left = await readdir(join(folder, 'mnist'));
    expect(left.filter((name) => !name.endsWith('.part'))).toEqual([]);
  });

  it('names every mirror when all fail', async () => {
    const base = await serve((_, answer) => void answer.writeHead(500).end());
    const files = remote(base).map((file) => ({ ...file, urls: [`${base}/a`, `${base}/b`] }));
    const error = await failure(downloadDataset('mnist', folder, { files }));
    expect(error.message).toMatch(/could not be downloaded: .*\/a: .*; .*\/b: /);
  });

  it('stops on request and refuses an unknown name', async () => {
    const base = await serve(() => {});
    const stop = new AbortController();
    const running = failure(downloadDataset('mnist', folder, { files: remote(base), signal: stop.signal }));
    stop.abort();
    expect(await running).toMatchObject({ code: 'cancelled' });
    expect(await failure(downloadDataset('constructor' as 'mnist', folder))).toMatchObject({
      code: 'argument',
    });
  });

  it('unpacks CIFAR-10, removes the archive, and asks for nothing twice', async () => {
    const names = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];
    const batch = (label: number) => new Uint8Array(2 * 3073).fill(label);
    const top = 'cifar-10-batches-bin';
    const archive = gzipSync(
      tarOf([
        [`${top}/`, new Uint8Array(0), '5'],
        ...[1, 2, 3, 4, 5].map((i): [string, Uint8Array, string] => [
          `${top}/data_batch_${i}.bin`,
          batch(i),
          '0',
        ]),
        [`${top}/test_batch.bin`, batch(9), '0'],
        [`${top}/batches.meta.txt`, new TextEncoder().encode(`${names.join('\n')}\n\n`), '0'],
      ]),
    );
    const asked: string[] = [];
    const base = await serve(mirror(asked, { 'cifar-10-binary.tar.gz': archive }));
    const files = [
      {
        name: 'cifar-10-binary.tar.gz',
        urls: [`${base}/cifar-10-binary.tar.gz`],
        bytes: archive.length,
        sha256: sha256(archive),
      },
    ];
    const place = await downloadDataset('cifar10', folder, { files });
    const data = await cifar10Folder(place);
    expect([...data.train.labels]).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    expect(data.classes).toEqual(names);
    expect(data.test.count).toBe(2);
    expect(await readdir(place)).not.toContain('cifar-10-binary.tar.gz');
    await downloadDataset('cifar10', folder, { files });
    expect(asked.length).toBe(1);
  });

  it('pins a sha-256 and https for every file', () => {
    for (const file of Object.values(DOWNLOADS).flat()) {
      expect(file.sha256).toMatch(/^[0-9a-f]{64}$/);
      for (const url of file.urls) expect(url).toMatch(/^https:.*\.gz$/);
    }
  });
});

describe('data sets', () => {
  it('bundled digits: 8000 and 2000, each class split alike, the same each time', async () => {
    const data = await bundledMnist();
    expect([data.train.count, data.test.count, data.shape]).toEqual([8000, 2000, [28, 28, 1]]);
    expect(data.train.images.length).toBe(8000 * 784);
    const share = (labels: Uint8Array) =>
      Array.from({ length: 10 }, (_, digit) => labels.filter((l) => l === digit).length);
    const [train, test] = [share(data.train.labels), share(data.test.labels)];
    for (let digit = 0; digit < 10; digit++) {
      // One digit more or less is rounding.
      expect(Math.abs(train[digit]! - 4 * test[digit]!)).toBeLessThanOrEqual(5);
      expect(test[digit]!).toBeGreaterThan(100);
    }
    expect(new Set(data.train.labels.subarray(0, 100)).size).toBe(10);
    const again = await openDataset('bundled');
    expect(sha256(again.train.images)).toBe(sha256(data.train.images));
    expect(again.test.labels).toEqual(data.test.labels);
    // Ink, not noise: a digit is mostly paper.
    const ink = data.train.images.reduce((sum, x) => sum + x, 0) / data.train.images.length / 255;
    expect(ink).toBeGreaterThan(0.1);
    expect(ink).toBeLessThan(0.16);
  });

  it('MNIST files may have dots and need not be packed', async () => {
    await writeFile(join(folder, 'train-images.idx3-ubyte'), images(3));
    await writeFile(join(folder, 'train-labels.idx1-ubyte'), labels(3));
    await writeFile(join(folder, 't10k-images-idx3-ubyte.gz'), gzipSync(images(1)));
    await writeFile(join(folder, 't10k-labels-idx1-ubyte'), labels(1));
    expect(await openDataset(folder)).toMatchObject({
      name: 'mnist',
      train: { count: 3 },
      test: { count: 1 },
    });
    await writeFile(join(folder, 't10k-labels-idx1-ubyte'), labels(2));
    await expect(mnistFolder(folder)).rejects.toThrow('expected 1 labels, got 2');
    await writeFile(join(folder, 't10k-labels-idx1-ubyte'), idx([1], Uint8Array.of(12)));
    await expect(mnistFolder(folder)).rejects.toThrow('label 0: expected 0 … 9, got 12');
    await rm(join(folder, 'train-labels.idx1-ubyte'));
    await expect(mnistFolder(folder)).rejects.toThrow('expected train-labels-idx1-ubyte');
    await expect(openDataset(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'missing' });
  });
});

/** A ustar archive for tests: [path, content, kind]. */
function tarOf(files: [path: string, content: Uint8Array, kind: string][]): Uint8Array {
  const parts = files.flatMap(([path, content, kind]) => {
    const header = new Uint8Array(512);
    const put = (text: string, at: number) => header.set(new TextEncoder().encode(text), at);
    put(path, 0);
    put(content.length.toString(8).padStart(11, '0'), 124);
    put('        ', 148);
    put(kind, 156);
    put('ustar\u000000', 257);
    put(
      `${header
        .reduce((a, b) => a + b, 0)
        .toString(8)
        .padStart(6, '0')}\u0000 `,
      148,
    );
    const padded = new Uint8Array(Math.ceil(content.length / 512) * 512);
    padded.set(content);
    return [header, padded];
  });
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 1024));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

describe('tar', () => {
  const archive = tarOf([
    ['dir/', new Uint8Array(0), '5'],
    ['dir/a.bin', new Uint8Array(513).fill(7), '0'],
    ['dir/../../b.txt', Uint8Array.of(1, 2), '0'],
    ['link', new Uint8Array(0), '2'],
  ]);
  it('reads plain files by their base names, whatever place they ask for', () => {
    const files = readTar(archive, 'f');
    expect([...files.keys()]).toEqual(['a.bin', 'b.txt']);
    expect(files.get('a.bin')).toEqual(new Uint8Array(513).fill(7));
    expect([...files.get('b.txt')!]).toEqual([1, 2]);
  });
  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), 'expected a tar archive'],
    ['text', new Uint8Array(600).fill(65), 'expected an octal checksum'],
    ['a changed header', archive.slice().fill(66, 512, 513), 'the tar header is damaged'],
    ['a cut file', archive.slice(0, 1200), 'runs past the archive'],
    [
      'two of one name',
      tarOf([
        ['a', new Uint8Array(1), '0'],
        ['x/a', new Uint8Array(1), '0'],
      ]),
      'two files are named "a"',
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readTar(bytes, 'f')).toThrow(message);
    expect(() => readTar(bytes, 'f')).toThrow(EpochscopeError);
  });
  it('2000 seeded mutations give files or an EpochscopeError', () => {
    for (let seed = 0; seed < 2000; seed++) {
      const r = random(0x7a2, seed);
      let mutated = archive.slice();
      for (let m = 0; m <= r.below(4); m++) {
        const at = r.below(mutated.length || 1);
        if (r.below(4) === 0) mutated = mutated.slice(0, at);
        else mutated.fill(r.below(256), at, at + 1 + r.below(12));
      }
      try {
        readTar(mutated, 'f');
      } catch (error) {
        if (!(error instanceof EpochscopeError)) throw new Error(`seed ${seed}: ${error}`);
      }
    }
  });
});
