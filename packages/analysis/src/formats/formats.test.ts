import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EpochscopeError } from '@epochscope/core-wasm';
import { gzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { random } from '../random.js';
import { readCifar10 } from './cifar.js';
import { halfToFloat } from './dtypes.js';
import { gunzip } from './gzip.js';
import { readIdx } from './idx.js';
import { encodeNpy, readNpy, readNpyHeader, readNpyRows } from './npy.js';
import { encodeSafetensors, readSafetensors } from './safetensors.js';
import { bytesSource } from './source.js';
import type { ByteSource, Tensor } from './types.js';

const golden = (name: string) =>
  new Uint8Array(readFileSync(fileURLToPath(new URL(`../../../../tests/goldens/${name}`, import.meta.url))));
const source = (bytes: Uint8Array) => bytesSource('f', bytes);
const text = (value: string) => new TextEncoder().encode(value);

/** An .npy file with any header text. */
function npyWith(header: string, data = new Uint8Array(0), version = 1): Uint8Array {
  const body = text(`${header}\n`);
  const head =
    version === 1 ? [body.length & 255, body.length >> 8] : [body.length & 255, body.length >> 8, 0, 0];
  return Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...head, ...body, ...data]);
}

describe('npy', () => {
  it('reads files that NumPy wrote', async () => {
    const iris = await readNpy(source(golden('iris.npy')));
    expect(iris).toMatchObject({ shape: [150, 4], dtype: 'float64' });
    expect([...(iris.data as Float64Array).subarray(0, 4)]).toEqual([5.1, 3.5, 1.4, 0.2]);
    const moons = await readNpy(source(golden('moons200.npy')));
    expect(moons).toMatchObject({ shape: [200, 2], dtype: 'float32' });
  });

  it.each([
    new Float32Array([1.5, -2, Number.NaN]),
    new Float64Array([1e300]),
    new Uint8Array([0, 255]),
    new Int8Array([-128]),
    new Uint16Array([65535]),
    new Int16Array([-5]),
    new Uint32Array([4e9]),
    new Int32Array([-7]),
    new BigUint64Array([2n ** 63n]),
    new BigInt64Array([-9n]),
    new Float32Array(0),
  ])('gives back what it wrote: %o', async (data) => {
    const bytes = encodeNpy(data, [data.length]);
    expect((await readNpyHeader(source(bytes))).dataOffset % 64).toBe(0);
    const tensor = await readNpy(source(bytes));
    expect(tensor.data).toEqual(data);
    expect(tensor.shape).toEqual([data.length]);
  });

  it('turns Fortran order and big-endian numbers round', async () => {
    // [[1, 2, 3], [4, 5, 6]] column by column, big-endian int16.
    const data = Uint8Array.from([0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6]);
    const tensor = await readNpy(
      source(npyWith("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }", data)),
    );
    expect([...(tensor.data as Int16Array)]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('takes the header as Python may write it', async () => {
    const tensor = await readNpy(
      source(
        npyWith('{ "shape" : ( 2L , 1 , ),\t"fortran_order":False, "descr":"|u1"}   ', Uint8Array.of(7, 8)),
      ),
    );
    expect(tensor).toMatchObject({ data: Uint8Array.of(7, 8), shape: [2, 1] });
    const scalar = npyWith("{'descr': '|u1', 'fortran_order': False, 'shape': ()}", Uint8Array.of(9));
    expect(await readNpy(source(scalar))).toMatchObject({ data: Uint8Array.of(9), shape: [] });
  });

  it('widens half floats', async () => {
    const half = [0x3c00, 0xc000, 0x0001, 0x7c00, 0xfc00, 0x7e00, 0x3555];
    const tensor = await readNpy(
      source(
        npyWith(
          "{'descr': '<f2', 'fortran_order': False, 'shape': (7,), }",
          new Uint8Array(Uint16Array.from(half).buffer),
        ),
      ),
    );
    expect([...(tensor.data as Float32Array)]).toEqual([
      1,
      -2,
      2 ** -24,
      Infinity,
      -Infinity,
      Number.NaN,
      Math.fround(0.333251953125),
    ]);
    expect(halfToFloat(0x8000)).toBe(-0);
  });

  it('reads rows without reading the rest', async () => {
    const bytes = encodeNpy(
      Float32Array.from({ length: 300 }, (_, i) => i),
      [100, 3],
    );
    const reads: [number, number][] = [];
    const counted: ByteSource = {
      ...source(bytes),
      read: async (offset, length) => {
        reads.push([offset, length]);
        return bytes.subarray(offset, offset + length);
      },
    };
    const rows = await readNpyRows(counted, 10, 12);
    expect([...(rows.data as Float32Array)]).toEqual([30, 31, 32, 33, 34, 35]);
    expect(reads.reduce((sum, [, length]) => sum + length, 0)).toBeLessThan(200);
  });

  it.each([
    ['empty', new Uint8Array(0), 'expected an .npy file'],
    ['another magic', text('PK not an npy file'), 'expected the magic bytes'],
    ['version 9', npyWith('{}', undefined, 9), 'expected .npy version 1, 2 or 3, got 9'],
    ['a header longer than the file', npyWith('').slice(0, 10).fill(255, 8, 10), 'the header says'],
    [
      'a huge header',
      Uint8Array.from([...npyWith('', undefined, 2).slice(0, 8), 255, 255, 255, 127, 0, 0]),
      'expected a header of at most 65536 bytes',
    ],
    [
      'objects',
      npyWith("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"),
      'expected a number dtype',
    ],
    ['text', npyWith("{'descr': '<U5', 'fortran_order': False, 'shape': (1,), }"), 'expected a number dtype'],
    ['no shape', npyWith("{'descr': '<f4', 'fortran_order': False, }"), 'the header has no "shape"'],
    [
      'a negative side',
      npyWith("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }"),
      'expected a whole number ≥ 0 for each dimension of "shape" in the header, got "-1,), }\\n" (byte 61)',
    ],
    [
      'a key twice',
      npyWith("{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (1,), }"),
      'the header gives "descr" twice',
    ],
    [
      'a key of its own',
      npyWith("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}"),
      'the header has an unknown key "x"',
    ],
    [
      'a call',
      npyWith("{'descr': str('<f4'), 'fortran_order': False, 'shape': (1,)}"),
      "expected the dtype as text in the header, got \"str('<f4'),",
    ],
    [
      'a structured dtype',
      npyWith("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}"),
      'got a structured one',
    ],
    [
      'a number for a truth',
      npyWith("{'descr': '<f4', 'fortran_order': 1, 'shape': (1,)}"),
      'expected True or False',
    ],
    [
      'a shape that is no tuple',
      npyWith("{'descr': '<f4', 'fortran_order': False, 'shape': (1)}"),
      'a shape of one side ends in ","',
    ],
    [
      '65 dimensions',
      npyWith(`{'descr': '<f4', 'fortran_order': False, 'shape': (${'1,'.repeat(65)})}`),
      'expected at most 64 dimensions',
    ],
    ['no braces', npyWith("'descr': '<f4'"), 'expected "{" in the header'],
    [
      'an open header',
      npyWith("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)"),
      'expected "," or "}"',
    ],
    [
      'more after the end',
      npyWith("{'descr': '<f4', 'fortran_order': False, 'shape': (0,)} + x"),
      'expected nothing after the closing brace',
    ],
    [
      'an escape',
      npyWith("{'descr': '<f\\\\x34', 'fortran_order': False, 'shape': (1,)}"),
      'without escapes',
    ],
    [
      'an endless text',
      npyWith(`{'descr': '${'f'.repeat(99)}', 'fortran_order': False, 'shape': (1,)}`),
      'of at most 64 characters',
    ],
    [
      'an impossible shape',
      npyWith("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999, 99999999), }"),
      'is not possible',
    ],
    [
      'missing data',
      npyWith("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", new Uint8Array(23)),
      'shape (3, 2) of float32 needs 24 bytes, got 23',
    ],
  ])('refuses %s in one line', async (_, bytes, message) => {
    const error = await readNpy(source(bytes)).catch((e) => e);
    expect(error).toBeInstanceOf(EpochscopeError);
    expect(error.code).toBe('format');
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('\n');
  });
});

describe('safetensors', () => {
  const tensors = new Map<string, Tensor>([
    ['a', { data: Float32Array.from([1, 2, 3, 4, 5, 6]), shape: [2, 3], dtype: 'float32' }],
    ['b', { data: BigInt64Array.from([7n]), shape: [1], dtype: 'int64' }],
    ['empty', { data: new Uint8Array(0), shape: [0, 4], dtype: 'uint8' }],
    ['number', { data: Float64Array.from([0.5]), shape: [], dtype: 'float64' }],
  ]);
  /** A file with any header and data. */
  const fileWith = (header: unknown, data = new Uint8Array(0)) => {
    const json = text(typeof header === 'string' ? header : JSON.stringify(header));
    const out = new Uint8Array(8 + json.length + data.length);
    new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
    out.set(json, 8);
    out.set(data, 8 + json.length);
    return out;
  };

  it('gives back what it wrote', async () => {
    const back = await readSafetensors(source(encodeSafetensors(tensors, { note: 'x' })));
    expect([...back.keys()]).toEqual([...tensors.keys()]);
    for (const [name, tensor] of tensors) expect(back.get(name)).toEqual(tensor);
  });

  it('widens bfloat16', async () => {
    const back = await readSafetensors(
      source(
        fileWith(
          { w: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] } },
          Uint8Array.from([0x80, 0x3f, 0x00, 0xc0]),
        ),
      ),
    );
    expect([...(back.get('w')!.data as Float32Array)]).toEqual([1, -2]);
  });

  const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
    dtype: 'F32',
    shape,
    data_offsets: [begin, end],
  });
  it.each([
    ['a short file', new Uint8Array(5), 'expected a safetensors file, got 5 bytes'],
    ['a lying header length', fileWith({}).fill(255, 0, 8), 'expected a header of at most 12000000 bytes'],
    [
      'a header beyond the file',
      Uint8Array.from([200, 0, 0, 0, 0, 0, 0, 0, 123]),
      'the header says 200 bytes',
    ],
    ['no JSON', fileWith('{oops'), 'the header is not JSON'],
    ['a list', fileWith('[]'), 'not a JSON object'],
    [
      'an unknown dtype',
      fileWith({ a: { dtype: 'F7', shape: [1], data_offsets: [0, 1] } }, new Uint8Array(1)),
      'expected a dtype among',
    ],
    [
      'a dtype named like a method',
      fileWith({ a: { dtype: 'constructor', shape: [1], data_offsets: [0, 1] } }, new Uint8Array(1)),
      'expected a dtype among',
    ],
    ['a negative side', fileWith({ a: f32(0, 4, [-1]) }, new Uint8Array(4)), 'is not possible'],
    ['a huge shape', fileWith({ a: f32(0, 4, [2 ** 40, 2 ** 40]) }, new Uint8Array(4)), 'is not possible'],
    [
      'offsets beyond the file',
      fileWith({ a: f32(0, 400) }, new Uint8Array(8)),
      'do not lie within the 8 bytes',
    ],
    [
      'offsets that go back',
      fileWith({ a: { dtype: 'F32', shape: [1], data_offsets: [8, 4] } }, new Uint8Array(8)),
      'do not lie within',
    ],
    [
      'offsets that are no numbers',
      fileWith({ a: { dtype: 'F32', shape: [1], data_offsets: 'ab' } }, new Uint8Array(8)),
      'do not lie within',
    ],
    [
      'a size that lies',
      fileWith({ a: f32(0, 8, [1]) }, new Uint8Array(8)),
      'shape [1] of float32 needs 4 bytes, data_offsets give 8',
    ],
    [
      'overlapping tensors',
      fileWith({ a: f32(0, 8), b: f32(4, 12) }, new Uint8Array(12)),
      'tensors overlap or leave a hole',
    ],
    [
      'a hole',
      fileWith({ a: f32(0, 4), b: f32(8, 12) }, new Uint8Array(12)),
      'tensors overlap or leave a hole',
    ],
    ['bytes left over', fileWith({ a: f32(0, 4) }, new Uint8Array(12)), 'got'],
  ])('refuses %s in one line', async (_, bytes, message) => {
    const error = await readSafetensors(source(bytes)).catch((e) => e);
    expect(error).toBeInstanceOf(EpochscopeError);
    expect(error.message).toContain(message);
  });
});

describe('IDX and CIFAR', () => {
  const idx = Uint8Array.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]);
  it('reads plain and gzipped IDX', async () => {
    for (const bytes of [idx, gzipSync(idx)]) {
      const tensor = await readIdx(source(bytes));
      expect(tensor.shape).toEqual([2, 3]);
      expect([...tensor.data]).toEqual([1, 2, 3, 4, 5, 6]);
    }
  });
  it.each([
    ['cut data', idx.slice(0, 15), 'shape 2×3 needs 6 bytes, got 3'],
    ['a cut header', idx.slice(0, 7), 'ends at byte 12'],
    ['floats', Uint8Array.from([0, 0, 13, 1, 0, 0, 0, 0]), 'expected IDX type 8'],
    ['no IDX', text('hello'), 'two zero bytes'],
    ['many dimensions', Uint8Array.from([0, 0, 8, 200]), 'expected 1 … 8 dimensions, got 200'],
    ['huge sides', Uint8Array.from([0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255]), 'needs'],
    ['a cut gzip', gzipSync(idx).slice(0, 20), 'gzip'],
  ])('refuses %s in one line', async (_, bytes, message) => {
    const error = await readIdx(source(bytes)).catch((e) => e);
    expect(error).toBeInstanceOf(EpochscopeError);
    expect(error.message).toContain(message);
  });
  it('stops a gzip bomb at the limit', async () => {
    const bomb = gzipSync(new Uint8Array(5_000_000));
    expect(bomb.length).toBeLessThan(20_000);
    await expect(gunzip(bomb, 'bomb', 1_000_000)).rejects.toThrow('at most 1000000 bytes once unpacked');
  });
  it('turns CIFAR planes into pixels', async () => {
    const record = new Uint8Array(3073);
    record[0] = 7;
    record.set([10, 11], 1);
    record.set([20, 21], 1 + 1024);
    record.set([30, 31], 1 + 2048);
    const { images, labels, count } = await readCifar10(source(record));
    expect([count, labels[0], ...images.subarray(0, 6)]).toEqual([1, 7, 10, 20, 30, 11, 21, 31]);
    await expect(readCifar10(source(record.slice(1)))).rejects.toThrow('records of 3073 bytes');
    record[0] = 10;
    await expect(readCifar10(source(record))).rejects.toThrow('record 0: expected a label 0 … 9, got 10');
  });
});

describe('damaged files', () => {
  const seeds: [string, Uint8Array, (s: ByteSource) => Promise<unknown>][] = [
    ['npy', encodeNpy(new Float32Array(40), [8, 5]), readNpy],
    [
      'safetensors',
      encodeSafetensors(
        new Map<string, Tensor>([
          ['a', { data: new Float32Array(8), shape: [2, 4], dtype: 'float32' }],
          ['b', { data: new Uint8Array(3), shape: [3], dtype: 'uint8' }],
        ]),
      ),
      readSafetensors,
    ],
    ['idx', Uint8Array.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]), readIdx],
    ['gzipped idx', gzipSync(Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3])), readIdx],
  ];
  it.each(seeds)(
    '%s: 2000 seeded mutations give a value or an EpochscopeError, never more bytes than the file has',
    async (name, bytes, read) => {
      for (let seed = 0; seed < 2000; seed++) {
        const r = random(0xf022, seed);
        let mutated = bytes.slice();
        for (let m = 0; m <= r.below(4); m++) {
          const at = r.below(mutated.length || 1);
          const kind = r.below(4);
          if (kind === 0) mutated[at] = r.below(256);
          else if (kind === 1) mutated = mutated.slice(0, at);
          else if (kind === 2)
            mutated = Uint8Array.from([
              ...mutated.subarray(0, at),
              ...mutated.subarray(at >> 1, at),
              ...mutated.subarray(at),
            ]);
          else mutated.fill([0, 255, 0x80, 0x39][r.below(4)]!, at, at + 1 + r.below(8));
        }
        const limited: ByteSource = {
          ...source(mutated),
          read: async (offset, length) => {
            if (length > mutated.length) throw new Error(`asked for ${length} of ${mutated.length} bytes`);
            return source(mutated).read(offset, length);
          },
        };
        const outcome = await read(limited).then(
          () => null,
          (error) => error,
        );
        if (outcome !== null && !(outcome instanceof EpochscopeError))
          throw new Error(`${name}, seed ${seed}: ${outcome}`);
      }
    },
  );
});

it('bytes in a Buffer, whose slices share memory, are read like any others', async () => {
  const array = Float64Array.of(1, 2.5, -3);
  // Small Buffers lie somewhere in a pool.
  const bytes = Buffer.from(encodeNpy(array, [3]));
  expect((await readNpy(bytesSource('buffer', bytes))).data).toEqual(array);
});
