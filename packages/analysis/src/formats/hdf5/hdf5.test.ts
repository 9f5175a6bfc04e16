import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EpochscopeError } from '@epochscope/core-wasm';
import { zlibSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../source.js';
import { datasetsOf, MAX_HDF5_METADATA, readHdf5, readHdf5Dataset } from './index.js';

const fixture = (name: string) =>
  new Uint8Array(
    readFileSync(fileURLToPath(new URL(`../../../../../tests/fixtures/formats/${name}`, import.meta.url))),
  );
const source = (bytes: Uint8Array) => bytesSource('f.h5', bytes);
async function everything(bytes: Uint8Array) {
  const file = source(bytes);
  const root = await readHdf5(file);
  const values = new Map<string, unknown>();
  for (const [name, dataset] of datasetsOf(root)) values.set(name, await readHdf5Dataset(file, dataset));
  return { root, values };
}

// A file by hand: superblock 2, a root group with one link "d", and that object's messages.
const u = (value: number, width: number) =>
  Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** i) % 256);
const NONE = Array(8).fill(255);
type Messages = [type: number, body: number[]][];
const ascii = (text: string) => [...new TextEncoder().encode(text)];
function header(messages: Messages, version = 2): number[] {
  const body = messages.flatMap(([type, bytes]) => [type, ...u(bytes.length, 2), 0, ...bytes]);
  return [...ascii('OHDR'), version, 2, ...u(body.length, 4), ...body, 0, 0, 0, 0];
}
const link = (name: string, address: number) => [1, 0, name.length, ...ascii(name), ...u(address, 8)];
function made(
  object: Messages,
  tail: number[] = [],
  options: { version?: number; sizes?: number; at?: number } = {},
) {
  const super2 = (root: number) => [
    ...[0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, options.version ?? 2, options.sizes ?? 8, 8, 0],
    ...u(0, 8),
    ...NONE,
    ...u(9999, 8),
    ...u(root, 8),
    ...[0, 0, 0, 0],
  ];
  const rootLength = header([[6, link('d', 0)]]).length;
  const at = 48 + rootLength;
  const root = header([[6, link('d', options.at ?? at)]]);
  return Uint8Array.from([...super2(48), ...root, ...header(object), ...tail]);
}
/** Where `tail` begins for these messages. */
const tailOf = (object: Messages) => made(object).length;
const space = (shape: number[]): Messages[number] => [
  1,
  [2, shape.length, 0, 1, ...shape.flatMap((s) => u(s, 8))],
];
const F4: Messages[number] = [3, [0x11, 0x20, 31, 0, ...u(4, 4), 0, 0, 32, 0, 23, 8, 0, 23, ...u(127, 4)]];
const compact = (bytes: number[]): Messages[number] => [8, [3, 0, ...u(bytes.length, 2), ...bytes]];
const contiguous = (address: number, size: number): Messages[number] => [
  8,
  [3, 1, ...u(address, 8), ...u(size, 8)],
];
const ONE = [0, 0, 128, 63];
/** One chunk of [1], stored at the end of the file, with a filter. */
function chunked(
  change: {
    chunk?: number;
    filter?: number;
    stored?: number;
    offset?: number;
    data?: number[];
    rank?: number;
    level?: number;
  } = {},
) {
  const data = change.data ?? ONE;
  const build = (tree: number): Messages => [
    space([1]),
    F4,
    [8, [3, 2, change.rank ?? 2, ...u(tree, 8), ...u(change.chunk ?? 1, 4), ...u(4, 4)]],
    ...(change.filter
      ? ([
          [11, [2, 1, ...u(change.filter, 2), ...(change.filter > 255 ? [0, 0] : []), 0, 0, 0, 0]],
        ] as Messages)
      : []),
  ];
  const tree = tailOf(build(0));
  const node = [
    ...ascii('TREE'),
    1,
    change.level ?? 0,
    ...u(1, 2),
    ...NONE,
    ...NONE,
    ...u(change.stored ?? data.length, 4),
    ...u(0, 4),
    ...u(change.offset ?? 0, 8),
    ...u(0, 8),
    ...u(change.level ? tree : tree + 56, 8),
  ];
  return made(build(tree), [...node, ...data]);
}

describe('HDF5', () => {
  it.each(['earliest', 'latest', 'ordered'])('reads what h5py writes: %s', async (kind) => {
    const { root, values } = await everything(fixture(`plain-${kind}.h5`));
    const numbers = (name: string) => [...(values.get(name) as { data: Float32Array }).data].map(Number);
    for (const dtype of 'f2 f4 f8 i1 u1 i2 u2 i4 u4 i8 u8 big-f4 big-i2'.split(' '))
      expect(numbers(`dtypes/${dtype}`), dtype).toEqual([1, 2, 3, 4, 5, 100]);
    expect(values.get('dtypes/big-i2')).toMatchObject({ dtype: 'int16', shape: [2, 3] });
    expect(values.get('bool')).toMatchObject({ dtype: 'bool', data: Uint8Array.of(1, 0) });
    expect(values.get('scalar')).toMatchObject({ shape: [], data: Float64Array.of(2.5) });
    expect(values.get('empty')).toMatchObject({ shape: [0, 3], data: new Float32Array(0) });
    expect(numbers('deep/er/and/deeper')).toEqual([1]);
    for (let i = 0; i < 40; i++) expect(numbers(`many/item-${39 - i}`)).toEqual([i]);
    const { attributes } = root.groups.get('many')!;
    expect(attributes.get('names')).toEqual(Array.from({ length: 12 }, (_, i) => `a${i}`));
    expect(attributes.get('fixed')).toEqual(['one', 'three']);
    expect(attributes.get('text')).toBe('ünïcode');
    expect(attributes.get('number')).toBe(7);
    expect(attributes.get('note-11')).toBe('value 11');
    if (kind === 'latest') return;
    const expected = Array.from({ length: 60 }, (_, i) => Math.fround(i / 7));
    for (const name of ['chunked', 'packed', 'grown']) expect(numbers(name), name).toEqual(expected);
  });

  it('reads a file made by hand, whole or in one chunk', async () => {
    const byHand = made([space([1]), F4, compact(ONE)]);
    expect((await everything(byHand)).values.get('d')).toMatchObject({
      data: Float32Array.of(1),
      shape: [1],
    });
    expect((await everything(chunked())).values.get('d')).toMatchObject({ data: Float32Array.of(1) });
  });

  const none = made([]);
  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'expected an HDF5 file'],
    ['another file', new Uint8Array(3000).fill(65), 'expected an HDF5 file'],
    ['superblock 9', made([], [], { version: 9 }), 'superblock: expected version 0 to 3, got 9'],
    [
      'addresses of 4 bytes',
      made([], [], { sizes: 4 }),
      'expected offsets and lengths of 8 bytes, got 4 and 8',
    ],
    ['an object past the end', made([], [], { at: 1e6 }), 'object header: expected'],
    ['an object that is none', made([], [], { at: 1 }), 'expected an object header, got version 72'],
    [
      'object header 3',
      Uint8Array.from(none, (b, i) => (i === 52 ? 3 : b)),
      'expected object header version 2',
    ],
    [
      'a header longer than the file',
      Uint8Array.from(none, (b, i) => (i === 56 ? 255 : b)),
      'object header: expected',
    ],
    [
      'a message longer than its header',
      Uint8Array.from(none, (b, i) => (i === 59 ? 200 : b)),
      'expected 200 bytes more',
    ],
    ['a group that holds itself', made([], [], { at: 48 }), 'expected groups nested at most 32 deep'],
    [
      'a link of version 7',
      Uint8Array.from(none, (b, i) => (i === 62 ? 7 : b)),
      'expected link version 1, got 7',
    ],
    [
      'a continuation past the end',
      made([[16, [...u(1e6, 8), ...u(10, 8)]]]),
      'object header continuation: expected',
    ],
    ['a continuation that is none', made([[16, [...u(0, 8), ...u(10, 8)]]]), 'expected "OCHK"'],
    ['a continuation of itself, for ever', made([[16, [...u(48, 8), ...u(10, 8)]]]), 'expected "OCHK"'],
    [
      '33 dimensions',
      made([space(Array(33).fill(1)), F4, compact(ONE)]),
      'expected at most 32 dimensions, got 33',
    ],
    ['dataspace 9', made([[1, [9, 0, 0, 0]], F4, compact(ONE)]), 'expected dataspace version 1 or 2'],
    [
      'datatype 9',
      made([space([1]), [3, [0x91, 0, 0, 0, ...u(4, 4)]], compact(ONE)]),
      'expected datatype version 1 to 5, got 9',
    ],
    [
      'a text dataset',
      made([space([1]), [3, [0x13, 0, 0, 0, ...u(4, 4)]], compact(ONE)]),
      'expected numbers, got text',
    ],
    [
      'a compound',
      made([space([1]), [3, [0x16, 0, 0, 0, ...u(4, 4)]], compact(ONE)]),
      'expected numbers, got compound',
    ],
    ['too few numbers', made([space([2]), F4, compact(ONE)]), 'shape [2] of float32 needs 8 bytes, got 4'],
    [
      'an impossible shape',
      made([space([2 ** 40, 2 ** 40]), F4, compact(ONE)]),
      'expected at most 4000000000 bytes',
    ],
    [
      'a shape past the limit',
      made([space([1_000_000_001]), F4, contiguous(0, 4_000_000_004)]),
      'expected at most 4000000000',
    ],
    ['numbers past the end', made([space([99]), F4, contiguous(0, 396)]), 'expected 396 bytes at byte 0'],
    [
      'less than the shape needs',
      made([space([9]), F4, contiguous(0, 4)]),
      'shape [9] of float32 needs 36 bytes, got 4',
    ],
    [
      'numbers never written',
      made([space([1]), F4, [8, [3, 1, ...NONE, ...u(4, 8)]]]),
      'its numbers were never written',
    ],
    ['layout 2', made([space([1]), F4, [8, [2, 1]]]), 'stored in a layout of version 2; write it again'],
    [
      'chunks of libver latest',
      made([space([1]), F4, [8, [4, 2, 0, 0]]]),
      'only libver="latest" does; write it again',
    ],
    ['a chunk of side 0', chunked({ chunk: 0 }), 'a chunk has a side of 0'],
    ['chunks of another rank', chunked({ rank: 3 }), 'expected chunks of 1 dimensions, got 2'],
    ['a huge chunk', chunked({ chunk: 100_000_000 }), 'cannot come from a file of'],
    ['a chunk at no place', chunked({ offset: 7 }), 'a chunk lies at [7]'],
    ['a chunk past the end', chunked({ stored: 4000 }), 'the chunk at [0] runs past the end'],
    ['a short chunk', chunked({ stored: 2 }), 'expected 4 bytes, got 2'],
    ['LZF', chunked({ filter: 32000 }), 'packed by LZF; write it again with compression="gzip"'],
    ['broken deflate data', chunked({ filter: 1 }), 'broken deflate data'],
    [
      'more than the chunk holds',
      chunked({ filter: 1, data: [...zlibSync(new Uint8Array(9000))] }),
      'expected 4 bytes, got more',
    ],
    ['a tree of itself', chunked({ level: 1 }), 'expected at most 16 levels of chunks'],
    [
      'an attribute of version 9',
      made([[12, [9, 0, ...u(1, 2), ...u(1, 2), ...u(1, 2)]]]),
      'expected attribute version 1 to 3',
    ],
    [
      'an attribute of too many values',
      made([
        [
          12,
          [2, 0, ...u(2, 2), ...u(F4[1].length, 2), ...u(12, 2), 97, 0, ...F4[1], 2, 1, 0, 1, ...u(1e9, 8)],
        ],
      ]),
      'expected 1000000000 values of 4 bytes',
    ],
  ])('refuses %s in one line', async (_, bytes, message) => {
    const error = await everything(bytes).catch((e) => e);
    expect(error).toBeInstanceOf(EpochscopeError);
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('\n');
  });

  it('stops where many groups share one, each level ten times', async () => {
    // Ten links to the next group on each of nine levels: 10⁹ paths from 2 kB.
    const levels = 9;
    const size = header(
      Array.from({ length: 10 }, (_, i) => [6, link(String(i), 0)] as Messages[number]),
    ).length;
    const groups = Array.from({ length: levels }, (_, level) =>
      header(
        Array.from(
          { length: 10 },
          (__, i) => [6, link(String(i), 48 + Math.min(level + 1, levels - 1) * size)] as Messages[number],
        ),
      ),
    ).flat();
    const bytes = Uint8Array.from([...made([]).subarray(0, 48), ...groups]);
    await expect(everything(bytes)).rejects.toThrow(/at most (1000000|64000000|32)/);
    expect(MAX_HDF5_METADATA).toBe(64_000_000);
  });
});
