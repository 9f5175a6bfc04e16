import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eightBitsToFloat } from '../../formats/dtypes.js';
import { encodeNpz } from '../../formats/npz.js';
import { readSafetensorsHeader, safetensorsHead } from '../../formats/safetensors.js';
import { bytesSource } from '../../formats/source.js';
import type { DType, StoredTensor } from '../../formats/types.js';
import { random } from '../../random.js';
import { readSmall } from '../../run/import/stored.js';
import { openRun } from '../../run/read.js';
import { importRun } from './index.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-stored-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

type Raw = [
  name: string,
  dtype: DType,
  shape: number[],
  data: Uint8Array | Uint16Array | Float32Array | Float64Array,
];

function file(tensors: Raw[], rename: Record<string, string> = {}): Uint8Array {
  const head = safetensorsHead(new Map(tensors.map(([name, dtype, shape]) => [name, { dtype, shape }])));
  let text = new TextDecoder().decode(head.subarray(8));
  for (const [from, to] of Object.entries(rename)) text = text.replace(from, to);
  const json = new TextEncoder().encode(text);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  const data = tensors.map(
    ([, , , { buffer, byteOffset, byteLength }]) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  return Buffer.concat([length, json, ...data]);
}
async function put(path: string, bytes: Uint8Array) {
  await mkdir(join(folder, path, '..'), { recursive: true });
  await writeFile(join(folder, path), bytes);
}
const at = (path: string) => join(folder, path);

/** A seeded net of bfloat16 kernels, a float16 bias and a float64 scale. */
function net(seed: number): Uint8Array {
  const dice = random(seed);
  const words = (n: number) => Uint16Array.from({ length: n }, () => 0x3c00 + dice.below(256));
  return file([
    ['model.fc.weight', 'bfloat16', [3, 4], words(12)],
    ['model.conv.weight', 'bfloat16', [2, 3, 1, 2], words(12)],
    ['model.fc.bias', 'float16', [3], words(3)],
    ['model.scale', 'float64', [2], Float64Array.of(dice.normal(), dice.normal())],
  ]);
}

describe('weights as they are', () => {
  it('stay in half precision, turned to our layout, value for value', async () => {
    await put('ck/model_1.safetensors', net(1));
    await importRun(at('ck'), at('run'));
    const bytes = new Uint8Array(await readFile(at('run/snapshots/epoch-0001/weights.safetensors')));
    const { entries } = await readSafetensorsHeader(bytesSource('w', bytes));
    expect([...entries.values()].map(({ name, dtype, shape }) => [name, dtype, shape.join()])).toEqual([
      ['fc.kernel', 'bfloat16', '4,3'],
      ['conv.kernel', 'bfloat16', '1,2,3,2'],
      ['fc.bias', 'float16', '3'],
      ['scale', 'float64', '2'],
    ]);
    const dice = random(1);
    const words = Array.from({ length: 12 }, () => 0x3c00 + dice.below(256));
    const value = (word: number) => new Float32Array(Uint32Array.of(word << 16).buffer)[0]!;
    const { data } = (await (await openRun(at('run'))).weights('1')).get('fc.kernel')!;
    for (let i = 0; i < 4; i++)
      for (let unit = 0; unit < 3; unit++) expect(data[i * 3 + unit]).toBe(value(words[unit * 4 + i]!));
  });

  it('eight-bit floats are read, and what is not is left out by its name', async () => {
    // Every byte of both kinds.
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    await put(
      'ck/model_1.safetensors',
      file(
        [
          ['a.weight', 'float8_e4m3', [256], all],
          ['b.weight', 'float8_e5m2', [256], all],
          ['odd', 'float64', [1], Float64Array.of(1)],
          ['c.bias', 'float32', [1], Float32Array.of(7)],
        ],
        { F64: 'C64' },
      ),
    );
    const { notes } = await importRun(at('ck'), at('run'));
    expect(notes).toContain('left out, being of types that are not read: odd (C64)');
    const weights = await (await openRun(at('run'))).weights('1');
    expect([...weights.keys()]).toEqual(['a.weight', 'b.weight', 'c.bias']);
    // OCP 8-bit floating point, table 1: largest normals 448 and 57344, smallest subnormals 2⁻⁹ and 2⁻¹⁶.
    const [a, b] = ['a.weight', 'b.weight'].map((name) => weights.get(name)!.data) as [
      Float32Array,
      Float32Array,
    ];
    expect([a[0x7e], a[1], a[8], a[0x38], a[0xb8], a[0x7f]]).toEqual([
      448,
      2 ** -9,
      2 ** -6,
      1,
      -1,
      Number.NaN,
    ]);
    expect([b[0x7b], b[1], b[4], b[0x3c], b[0x7c], b[0x7d]]).toEqual([
      57_344,
      2 ** -16,
      2 ** -14,
      1,
      Infinity,
      Number.NaN,
    ]);
    expect(eightBitsToFloat(0x80, 'float8_e4m3')).toBe(-0);
    // NaN and infinities among them are told, with how many.
    expect(notes.join()).toContain(
      'epoch-0001 holds 10 values that are no finite numbers, in a.weight, b.weight',
    );
  });

  it('values that are no numbers are told of every type, with the snapshot', async () => {
    const good = Float32Array.of(1, 2);
    await put(
      'ck/model_1.safetensors',
      file([
        ['a.bias', 'float32', [2], good],
        ['b.bias', 'float64', [1], Float64Array.of(1)],
      ]),
    );
    await put(
      'ck/model_2.safetensors',
      file([
        ['a.bias', 'float32', [2], Float32Array.of(1, Number.NaN)],
        ['b.bias', 'float64', [1], Float64Array.of(-Infinity)],
      ]),
    );
    const { notes, snapshots } = await importRun(at('ck'), at('run'));
    expect(snapshots).toHaveLength(2);
    expect(notes.filter((note) => note.includes('finite'))).toEqual([
      'epoch-0002 holds 2 values that are no finite numbers, in a.bias, b.bias',
    ]);
  });
});

it('a tensor of more bytes than one array holds is refused before it is read, with the way out', async () => {
  const tensor = (shape: number[]): StoredTensor => ({
    dtype: 'float32',
    shape,
    bytes: () => Promise.reject(new Error('read')),
  });
  const tensors = (rows: number) => new Map([['big.weight', tensor([rows, 2 ** 15])]]);
  expect((await readSmall(tensors(2 ** 15))).size).toBe(1);
  await expect(readSmall(tensors(2 ** 15 + 1))).rejects.toMatchObject({
    code: 'memory',
    message: expect.stringMatching(/^tensor big\.weight has 4\.3 GB, .*import with `link`/),
  });
});

describe('linked weights', () => {
  const linked = async () => {
    for (const i of [1, 2, 3]) await put(`ck/model_${i}.safetensors`, net(i));
    const summary = await importRun(at('ck'), at('linked'), { link: true });
    await importRun(at('ck'), at('copied'));
    return summary;
  };

  it('read as copied ones do: whole, by places, in series', async () => {
    expect((await linked()).notes.join()).toContain('the weights stay where they are');
    const [a, b] = await Promise.all([openRun(at('linked')), openRun(at('copied'))]);
    expect(a.manifest.layers).toEqual(b.manifest.layers);
    for (const { id } of a.manifest.snapshots) expect(await a.weights(id)).toEqual(await b.weights(id));
    for (const name of ['conv.kernel', 'fc.kernel', 'scale']) {
      expect(await a.series(name)).toEqual(await b.series(name));
      const indices = [1, 0];
      expect(await a.series(name, { indices })).toEqual(await b.series(name, { indices }));
    }
    const places = await a.weightPlaces('2');
    expect(places.files!.map(({ place }) => place)).toEqual([at('ck/model_2.safetensors')]);
  });

  it('a file that was written since is refused by its name, and one that is gone', async () => {
    await linked();
    const run = await openRun(at('linked'));
    await utimes(at('ck/model_2.safetensors'), 1, 1);
    await expect(run.weights('2')).rejects.toThrow('model_2.safetensors is not the file that was linked');
    await rm(at('ck/model_3.safetensors'));
    await expect(run.weights('3')).rejects.toThrow('model_3.safetensors does not exist');
    expect((await run.weights('1')).size).toBe(4);
  });

  it.each<[string, string, RegExp]>([
    ['a relative place', '"place":"../x"', /files\[0\]\.place: expected an absolute path/],
    ['a tensor past its file', '"begin":4000000000', /its \d+ values within the file/],
    ['another format', '"format":"epochscope-weights/9"', /format: expected "epochscope-weights\/1"/],
    ['an unknown type', '"dtype":"float7"', /dtype: expected a known type/],
    ['axes that are none', '"axes":[0,0]', /axes: expected each axis once/],
  ])('a link with %s is refused with its field', async (_, broken, message) => {
    await linked();
    const path = at('linked/snapshots/epoch-0001/weights.json');
    const key = /^"(\w+)"/.exec(broken)![1]!;
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(new RegExp(`"${key}":("[^"]*"|\\[[^\\]]*\\]|\\d+)`), broken));
    await expect((await openRun(at('linked'))).weights('1')).rejects.toThrow(message);
  });

  it('what does not lie in one piece is refused with the way out, before anything is written', async () => {
    const arrays = new Map([['a', { data: Float32Array.of(1, 2), shape: [2] }]]);
    await put('ck/params_1.npz', encodeNpz(arrays, { compress: true }));
    await expect(importRun(at('ck'), at('run'), { link: true })).rejects.toThrow(
      'params_1.npz: its weights cannot be linked: a does not lie in one piece',
    );
    await expect(readFile(at('run/run.json'))).rejects.toThrow('ENOENT');
  });
});
