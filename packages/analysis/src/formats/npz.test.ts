import { EpochscopeError } from '@epochscope/core-wasm';
import { gzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { random } from '../random.js';
import { crc32 } from './crc32.js';
import { gunzip } from './gzip.js';
import { encodeNpy } from './npy.js';
import { encodeNpz, readNpz, readNpzDirectory, readNpzEntry } from './npz.js';
import { bytesSource } from './source.js';
import type { ByteSource, TensorData } from './types.js';

const fromBase64 = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const source = (bytes: Uint8Array) => bytesSource('f.npz', bytes);
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error,
  );

// np.savez(a=[[0, 1, 2], [3, 4, 5]] float32, b=[[0, 1], [2, 3]] big-endian int16 in Fortran order), NumPy 2.4
const STORED = fromBase64(
  'UEsDBC0AAAAAAAAAIQBP6QAq//////////8FABQAYS5ucHkBABAAmAAAAAAAAACYAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmNCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgyLCAzKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAAAAAAAgD8AAABAAABAQAAAgEAAAKBAUEsDBC0AAAAAAAAAIQApvNms//////////8FABQAYi5ucHkBABAAiAAAAAAAAACIAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJz5pMicsICdmb3J0cmFuX29yZGVyJzogVHJ1ZSwgJ3NoYXBlJzogKDIsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAAAAgABAANQSwECLQMtAAAAAAAAACEAT+kAKpgAAACYAAAABQAAAAAAAAAAAAAAgAEAAAAAYS5ucHlQSwECLQMtAAAAAAAAACEAKbzZrIgAAACIAAAABQAAAAAAAAAAAAAAgAHPAAAAYi5ucHlQSwUGAAAAAAIAAgBmAAAAjgEAAAAA',
);
// The same with z = np.zeros((300, 10)), by np.savez_compressed.
const PACKED = fromBase64(
  'UEsDBC0AAAAIAAAAIQBP6QAq//////////8FABQAYS5ucHkBABAAmAAAAAAAAABVAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CsaaOgq1CmQDLgYwaLAHEg5ABMQNQLzAAQBQSwMELQAAAAgAAAAhACm82az//////////wUAFABiLm5weQEAEACIAAAAAAAAAE0AAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpdppK6joJ6WX1RSlJgXn1+UkgoSDykqTQUKF2ckFqQCuRpGOgpGmjoKtQrkAy4GBgYmBkYGZgBQSwMELQAAAAgAAAAhAJQPAZ///////////wUAFAB6Lm5weQEAEABAXgAAAAAAAHoAAAAAAAAA7cixDsFQAEDRWn3F2x5Jh4pFxGwjFoNJGn2NQVRexSK+wg8rn2A+Z7v3vd1vdodR8SiesUn9KcdliKt2EcsQ2y7fc309drlJ37+uL30afn+ub2noybyqyjCrpmV4hf+MCwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAfj5QSwECLQMtAAAACAAAACEAT+kAKlUAAACYAAAABQAAAAAAAAAAAAAAgAEAAAAAYS5ucHlQSwECLQMtAAAACAAAACEAKbzZrE0AAACIAAAABQAAAAAAAAAAAAAAgAGMAAAAYi5ucHlQSwECLQMtAAAACAAAACEAlA8Bn3oAAABAXgAABQAAAAAAAAAAAAAAgAEQAQAAei5ucHlQSwUGAAAAAAMAAwCZAAAAwQEAAAAA',
);

describe('crc32', () => {
  it('gives the published check value, at every length of a step, and goes on from a part', () => {
    const digits = new TextEncoder().encode('123456789');
    expect(crc32(digits)).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
    for (let cut = 0; cut <= digits.length; cut++)
      expect(crc32(digits.subarray(cut), crc32(digits.subarray(0, cut)))).toBe(0xcbf43926);
  });
});

describe('gzip', () => {
  it('unpacks several members, wherever they end', async () => {
    const first = Uint8Array.from({ length: 1_500_000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
    const joined = Uint8Array.from([...gzipSync(first, { level: 0 }), ...gzipSync(Uint8Array.of(7, 8))]);
    const bytes = await gunzip(joined, 'f');
    expect(bytes.length).toBe(first.length + 2);
    expect(crc32(bytes)).toBe(crc32(Uint8Array.of(7, 8), crc32(first)));
  });
  it('refuses changed content by its checksum, in any member', async () => {
    const one = gzipSync(Uint8Array.of(1, 2, 3), { level: 0 });
    const changed = one.slice();
    changed[changed.length - 9]! ^= 1;
    for (const bytes of [
      changed,
      Uint8Array.from([...changed, ...one]),
      Uint8Array.from([...one, ...changed]),
    ])
      await expect(gunzip(bytes, 'f')).rejects.toThrow('checksum is wrong');
  });
});

describe('npz', () => {
  it.each([
    ['np.savez', STORED],
    ['np.savez_compressed', PACKED],
  ])('reads what %s wrote, with its zip64 headers', async (_, bytes) => {
    const arrays = await readNpz(source(bytes));
    expect(arrays.get('a')).toEqual({
      data: Float32Array.of(0, 1, 2, 3, 4, 5),
      shape: [2, 3],
      dtype: 'float32',
    });
    expect(arrays.get('b')).toEqual({ data: Int16Array.of(0, 1, 2, 3), shape: [2, 2], dtype: 'int16' });
    if (bytes === PACKED)
      expect(arrays.get('z')).toMatchObject({ data: new Float64Array(3000), shape: [300, 10] });
  });

  it.each([true, false])(
    'gives back what it wrote, compressed: %s; the same bytes each time',
    async (compress) => {
      const arrays = new Map<string, { data: TensorData; shape: number[] }>([
        ['weights/C1', { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] }],
        ['empty', { data: new Uint8Array(0), shape: [0] }],
        ['__proto__', { data: Uint8Array.of(1), shape: [1] }],
      ]);
      const bytes = encodeNpz(arrays, { compress });
      const back = await readNpz(source(bytes));
      expect([...back.keys()]).toEqual([...arrays.keys()]);
      for (const [name, array] of arrays) expect(back.get(name)).toMatchObject(array);
      expect(encodeNpz(arrays, { compress })).toEqual(bytes);
    },
  );

  it('reads one array without the others', async () => {
    const bytes = encodeNpz(
      new Map([
        ['large', { data: new Float64Array(200_000), shape: [200_000] }],
        ['small', { data: Float32Array.of(5), shape: [1] }],
      ]),
    );
    let read = 0;
    const counted: ByteSource = {
      ...source(bytes),
      read: async (offset, length) => {
        read += length;
        return bytes.subarray(offset, offset + length);
      },
    };
    const entries = await readNpzDirectory(counted);
    expect((await readNpzEntry(counted, entries.get('small')!)).data).toEqual(Float32Array.of(5));
    // The end of the file, where the directory is looked for, is at most 64 kB.
    expect(read).toBeLessThan(70_000);
  });

  const central = (bytes: Uint8Array, nth = 0) => {
    let at = -1;
    for (let i = 0; i <= nth; i++)
      at = bytes.findIndex(
        (b, k) => k > at && b === 0x50 && bytes[k + 1] === 0x4b && bytes[k + 2] === 1 && bytes[k + 3] === 2,
      );
    return at;
  };
  const changed = (bytes: Uint8Array, change: (view: DataView, copy: Uint8Array) => void) => {
    const copy = bytes.slice();
    change(new DataView(copy.buffer), copy);
    return copy;
  };
  const end = (bytes: Uint8Array) => bytes.length - 22;
  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), 'expected an .npz file, got 0 bytes'],
    ['no zip', new Uint8Array(100), 'found no end-of-directory record'],
    ['a cut file', STORED.slice(0, -5), 'found no end-of-directory record'],
    [
      'another file inside',
      zipSync({ 'a.txt': new Uint8Array(3) }),
      'expected only .npy files inside, got "a.txt"',
    ],
    [
      'a member that is no .npy',
      zipSync({ 'a.npy': new Uint8Array(30) }),
      'f.npz:a.npy: expected the magic bytes',
    ],
    [
      'a directory past its end',
      changed(STORED, (v, b) => v.setUint32(end(b) + 12, 5000, true)),
      'runs past its end',
    ],
    [
      'more entries than fit',
      changed(STORED, (v, b) => v.setUint16(end(b) + 10, 9, true)),
      '9 entries do not fit',
    ],
    [
      'a damaged directory',
      changed(STORED, (v, b) => v.setUint8(central(b, 1), 0)),
      'entry 1 of 2 is missing',
    ],
    [
      'a name past the directory',
      changed(STORED, (v, b) => v.setUint16(central(b, 1) + 28, 60, true)),
      'runs past the directory',
    ],
    [
      'two of one name',
      changed(STORED, (v, b) => v.setUint8(central(b, 1) + 46, 0x61)),
      'two arrays are named "a"',
    ],
    ['encryption', changed(STORED, (v, b) => v.setUint16(central(b) + 8, 1, true)), 'is encrypted'],
    [
      'another method',
      changed(STORED, (v, b) => v.setUint16(central(b) + 10, 12, true)),
      'expected zip method 0 (stored) or 8 (deflated), got 12',
    ],
    [
      'zip64 sizes that are not there',
      changed(STORED, (v, b) => v.setUint32(central(b) + 20, 0xffffffff, true)),
      'zip64 sizes are missing',
    ],
    [
      'stored sizes that differ',
      changed(STORED, (v, b) => v.setUint32(central(b) + 24, 999, true)),
      'cannot unpack to 999',
    ],
    [
      'a claim no deflate can meet',
      changed(PACKED, (v, b) => v.setUint32(central(b) + 24, 3_000_000_000, true)),
      'cannot unpack to 3000000000',
    ],
    [
      'an array past the limit',
      changed(PACKED, (v, b) => v.setUint32(central(b) + 24, 4_100_000_000, true)),
      'cannot unpack to 4100000000',
    ],
    [
      'overlapping arrays',
      changed(STORED, (v, b) => v.setUint32(central(b, 1) + 42, 0, true)),
      'overlaps another',
    ],
    [
      'data in the directory',
      changed(STORED, (v, b) => v.setUint32(central(b, 1) + 42, 380, true)),
      'run into the directory',
    ],
    [
      'no entry where one should be',
      changed(STORED, (v) => v.setUint8(0, 0)),
      'array a: expected a zip entry',
    ],
    [
      'another checksum',
      changed(STORED, (v, b) => v.setUint8(central(b) + 16, 0)),
      'array a: the checksum is wrong',
    ],
    [
      'a smaller size than the content has',
      changed(PACKED, (v, b) => v.setUint32(central(b, 2) + 24, 20_000, true)),
      'expected 20000 bytes once unpacked, got more',
    ],
    [
      'a larger size than the content has',
      changed(PACKED, (v, b) => v.setUint32(central(b, 2) + 24, 24_500, true)),
      'expected 24500 bytes once unpacked, got 24128',
    ],
  ])('refuses %s in one line', async (_, bytes, message) => {
    const error = await failure(readNpz(source(bytes)));
    expect(error).toBeInstanceOf(EpochscopeError);
    expect(error.code).toBe('format');
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('\n');
  });

  it.each([
    ['stored', STORED],
    ['packed', PACKED],
    ['one array', encodeNpz(new Map([['x', { data: new Uint8Array(9), shape: [9] }]]), { compress: true })],
  ])(
    '%s: 1500 seeded mutations give arrays or an EpochscopeError, reading no more than the file has',
    async (name, bytes) => {
      for (let seed = 0; seed < 1500; seed++) {
        const r = random(0x6e707a, seed);
        let mutated = bytes.slice();
        for (let m = 0; m <= r.below(4); m++) {
          const at = r.below(mutated.length || 1);
          if (r.below(5) === 0) mutated = mutated.slice(0, at);
          else mutated.fill([0, 255, 0x80, r.below(256)][r.below(4)]!, at, at + 1 + r.below(8));
        }
        const limited: ByteSource = {
          ...source(mutated),
          read: async (offset, length) => {
            if (length > mutated.length) throw new Error(`asked for ${length} of ${mutated.length} bytes`);
            return source(mutated).read(offset, length);
          },
        };
        const error = await failure(readNpz(limited));
        if (error !== null && !(error instanceof EpochscopeError))
          throw new Error(`${name}, seed ${seed}: ${error}`);
      }
    },
  );

  it('keeps the header of an array readable on its own', async () => {
    const [entry] = (await readNpzDirectory(source(STORED))).values();
    expect(entry).toMatchObject({ name: 'a', packed: 152, unpacked: 152, deflated: false, offset: 0 });
    expect(encodeNpy(Float32Array.of(0, 1, 2, 3, 4, 5), [2, 3]).length).toBe(152);
  });
});
