import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EpochscopeError } from '@epochscope/core-wasm';
import fc from 'fast-check';
import { gzipSync } from 'fflate';
import { afterEach, describe, expect, it } from 'vitest';
import { openMatrix } from '../matrices/index.js';
import { readTable } from '../matrices/table.js';
import { withFile } from '../stores/file.js';
import { setReadLimits } from './budget.js';
import { parseJson, shown } from './json.js';
import { parseJsonInPieces } from './json-pieces.js';
import { encodeNpy } from './npy.js';
import { encodeNpz, readNpz } from './npz.js';
import { type PickleDict, readPickle } from './pickle/index.js';
import { encodeSafetensors, readSafetensors, readSafetensorsHeader } from './safetensors.js';
import { bytesSource } from './source.js';
import { readTfjsModel } from './tfjs.js';
import { readTorch } from './torch/index.js';

const fixture = (name: string) =>
  new Uint8Array(
    readFileSync(fileURLToPath(new URL(`../../../../tests/fixtures/hostile/${name}`, import.meta.url))),
  );
const text = (value: string) => new TextEncoder().encode(value);

function safetensors(header: string, data: number): Uint8Array {
  const json = text(header);
  const out = new Uint8Array(8 + json.length + data);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  return out;
}

afterEach(() => setReadLimits({}));

describe('crafted input', () => {
  it('lists that hold lists as keys of a pickle are named, not written out', async () => {
    for (const name of ['laughs.pt', 'lists.pt'])
      await expect(readTorch(bytesSource(name, fixture(name)))).rejects.toThrow('got a dict of a list');
  });

  it('JSON nested too deep to be walked is refused by the one parser', async () => {
    const deep = (n: number) => '['.repeat(n) + ']'.repeat(n);
    expect(parseJson(deep(200), 'f')).toBeInstanceOf(Array);
    expect(() => parseJson(deep(201), 'f')).toThrow('nested at most 200 deep');
    expect(parseJson(`"${'['.repeat(500)}\\""`, 'f')).toBe(`${'['.repeat(500)}"`);
    const file = safetensors(`{"a":{"dtype":"F32","shape":${deep(20_000)},"data_offsets":[0,0]}}`, 0);
    await expect(readSafetensors(bytesSource('f', file))).rejects.toThrow('nested at most 200 deep');
  });

  it('values of unknown origin are shown without calling their methods', () => {
    const trap = JSON.parse('{"toString":null,"toJSON":1}');
    expect(shown(trap)).toBe('{"toString", "toJSON"}');
    expect(shown([trap, [1], 'x', null, 10n])).toBe('[{…}, […], "x", null, 10]');
    expect(shown('a'.repeat(500)).length).toBeLessThan(120);
    expect(shown(undefined)).toBe('undefined');
  });

  it('a dtype that is an object is a format error in a tfjs model', async () => {
    const json = text(
      '{"weightsManifest":[{"paths":[],"weights":[{"name":"k","shape":[3],"dtype":{"toString":null}}]}]}',
    );
    const open = async <T>(name: string, body: (source: ReturnType<typeof bytesSource>) => Promise<T>) =>
      body(bytesSource(name, json));
    const error = await readTfjsModel(open).catch((e) => e);
    expect(error).toBeInstanceOf(EpochscopeError);
    expect(error.message).toContain('got {"toString"}');
  });

  it('a tensor called __proto__ is written and read like any other', async () => {
    const data = Float32Array.of(1, 2);
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const tensors = new Map([[name, { data, shape: [2], dtype: 'float32' as const }]]);
      const back = await readSafetensors(bytesSource('f', encodeSafetensors(tensors)));
      expect([...back.keys()]).toEqual([name]);
      expect(back.get(name)!.data).toEqual(data);
      expect([...(await readNpz(bytesSource('f', encodeNpz(tensors)))).keys()]).toEqual([name]);
    }
  });

  it('a tensor of a type that is not read blocks no other, and is named where all are wanted', async () => {
    const file = safetensors(
      '{"a":{"dtype":"C64","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
      8,
    );
    const { entries, unread } = await readSafetensorsHeader(bytesSource('f', file));
    expect([[...entries.keys()], [...unread.keys()]]).toEqual([['b'], ['a']]);
    await expect(readSafetensors(bytesSource('f', file))).rejects.toThrow('tensor a: expected a dtype among');
  });

  it('what unpacks past the limit is refused before it is unpacked, and the option memory is named', async () => {
    const packed = encodeNpz(new Map([['a', { data: new Float32Array(1e6), shape: [1e6] }]]), {
      compress: true,
    });
    const read = () => readNpz(bytesSource('f.npz', packed));
    expect((await read()).get('a')!.data.length).toBe(1e6);
    setReadLimits({ memory: 3e6 });
    await expect(read()).rejects.toMatchObject({ code: 'memory' });
    await expect(read()).rejects.toThrow(/array a would take 4 MB once unpacked, at most 3 MB .*`memory/);
    const table = gzipSync(text('0,1\n'.repeat(500_000)));
    await expect(readTable(bytesSource('t.csv.gz', table))).rejects.toMatchObject({ code: 'memory' });
  });

  it('JSON parsed in pieces is what JSON.parse gives, and refused where that refuses', async () => {
    const settle = async (run: () => unknown) => {
      try {
        return { value: await run() };
      } catch {
        return 'refused';
      }
    };
    await fc.assert(
      fc.asyncProperty(
        fc.json({ maxDepth: 6 }),
        fc.nat(),
        fc.constantFrom('', ',', '[', ']', '{', '}', '"', '\\', ' ', '0', ':', '"__proto__":{"a":1},'),
        fc.integer({ min: 1, max: 12 }),
        async (json, at, put, piece) => {
          const place = at % (json.length + 1);
          for (const given of [json, json.slice(0, place) + put + json.slice(place)])
            expect(await settle(() => parseJsonInPieces(given, 'f', piece))).toEqual(
              await settle(() => JSON.parse(given)),
            );
        },
      ),
      { seed: 5, numRuns: 3000 },
    );
    const own = (await parseJsonInPieces('{"a":[1,2,3,4],"__proto__":{"b":[1,2,3]}}', 'f', 4)) as object;
    expect(Object.keys(own)).toEqual(['a', '__proto__']);
    expect(Object.getPrototypeOf(own)).toBe(Object.prototype);
  });

  it('a signal stops the parsing of a long JSON text', async () => {
    const controller = new AbortController();
    setReadLimits({ signal: controller.signal });
    setTimeout(() => controller.abort(), 1);
    const long = `{"a":[${'{"b":[1,2,3]},'.repeat(1_500_000)}0]}`;
    await expect(parseJsonInPieces(long, 'f')).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('a quote that does not end is refused in time linear in the lines it takes in', async () => {
    const lines = bytesSource('t.csv', text(`a,b\n"${'\n""'.repeat(900_000)}`));
    await expect(readTable(lines)).rejects.toThrow('line 2: a quoted field does not end');
    const field = `"${'x\n'.repeat(100_000)}",1\n`;
    const { rows, names } = await readTable(bytesSource('t.csv', text(`name,b\n${field}"q ""r"" s",2\n`)), {
      index: 'name',
    }).then(({ shape, names }) => ({ rows: shape[0], names: names! }));
    expect([rows, names[0]!.length, names[1]]).toEqual([2, 199_999, 'q "r" s']);
  });

  it('a table of nothing but names is refused, with the way out', async () => {
    const only = (value: string) => readTable(bytesSource('t.csv', text(value)));
    await expect(only('a,b\n')).rejects.toThrow('line 1, taken for names of columns; `header: false`');
  });

  it('texts of a table count against what unpacking may take', async () => {
    setReadLimits({ memory: 2e6 });
    const table = gzipSync(text(`name,a\n${'a rather long name,1\n'.repeat(60_000)}`));
    const read = () => readTable(bytesSource('t.csv.gz', table), { index: 'name' });
    await expect(read()).rejects.toThrow(/the texts of the table would take/);
  });

  it('damage inside gzip is told as what it is, and lines of nothing without end are refused', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'epochscope-hostile-'));
    const read = async (bytes: Uint8Array) => {
      const path = join(folder, 't.csv.gz');
      await writeFile(path, bytes);
      return withFile(path, (file) => readTable(file));
    };
    const whole = gzipSync(text('1,2\n3,4\n'.repeat(5000)));
    await expect(read(whole.subarray(0, -9))).rejects.toThrow('t.csv.gz: broken gzip data');
    await expect(read(gzipSync(text('1,2\n3,x\n')))).rejects.toThrow('line 2, column 2');
    // A name of the packed file that goes on and on, and a header whose name is long and ends.
    const header = Uint8Array.of(31, 139, 8, 8, 0, 0, 0, 0, 0, 3);
    const named = (length: number) =>
      Buffer.concat([header, Buffer.alloc(length, 'n'), Buffer.of(0), whole.subarray(10)]);
    await expect(read(named(1_000_000))).rejects.toThrow('a gzip header of at most 131072 bytes (byte 0)');
    expect((await read(named(50_000))).shape).toEqual([10_000, 2]);
    setReadLimits({ memory: 1e6 });
    await expect(read(gzipSync(new Uint8Array(9e6).fill(10)))).rejects.toThrow(
      'more than 8 MB would be unpacked',
    );
    await rm(folder, { recursive: true });
  });

  it('whole numbers that share their last 64 bits are keys of a dict in linear time', async () => {
    const keys = Array.from({ length: 30_000 }, (_, i) =>
      Buffer.concat([
        Buffer.of(0x8a, 16),
        Buffer.alloc(8, 1),
        Buffer.from(BigUint64Array.of(BigInt(i)).buffer),
      ]),
    );
    const pickle = Buffer.concat([text('}('), ...keys.flatMap((key) => [key, text('N')]), text('u.')]);
    const begun = process.cpuUsage();
    const dict = (await readPickle(pickle, 'p')) as PickleDict;
    expect(dict.map.size).toBe(30_000);
    const { user } = process.cpuUsage(begun);
    expect(user).toBeLessThan(1.5e6);
  });

  it('an array of no rows and very many columns has nothing to compare', async () => {
    const npy = encodeNpy(new Float32Array(0), [0, 99_999_999_999]);
    await expect(openMatrix(bytesSource('f.npy', npy), {})).rejects.toThrow(
      'without rows, got shape [0, 99999999999]',
    );
  });

  it('a file that a tfjs model names twice is not read twice', async () => {
    const json = text(
      '{"weightsManifest":[{"paths":["w","w"],"weights":[{"name":"k","shape":[2],"dtype":"float32"}]}]}',
    );
    const open = async <T>(name: string, body: (source: ReturnType<typeof bytesSource>) => Promise<T>) =>
      body(bytesSource(name, name === 'w' ? new Uint8Array(4) : json));
    await expect(readTfjsModel(open)).rejects.toThrow('names w again');
  });

  it('a signal stops a parser at work', async () => {
    const controller = new AbortController();
    setReadLimits({ signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    const table = bytesSource('t.csv', text('1.5,2.5,3.5\n'.repeat(2_000_000)));
    await expect(readTable(table)).rejects.toMatchObject({ code: 'cancelled' });
  });
});
