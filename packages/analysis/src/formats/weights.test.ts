import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EpochscopeError } from '@epochscope/core-wasm';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { readKerasFile, readKerasWeights } from './keras.js';
import { readNpz } from './npz.js';
import { encodeSafetensors, readSafetensors } from './safetensors.js';
import { readSharded } from './sharded.js';
import { MAX_SHARDS, type OpenSibling } from './siblings.js';
import { bytesSource } from './source.js';
import { readTfjsModel } from './tfjs.js';
import type { Tensor } from './types.js';

const fixture = (name: string) =>
  new Uint8Array(
    readFileSync(fileURLToPath(new URL(`../../../../tests/fixtures/formats/${name}`, import.meta.url))),
  );
const source = (bytes: Uint8Array, name = 'f') => bytesSource(name, bytes);
const text = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const folder =
  (files: Record<string, Uint8Array>): OpenSibling =>
  (name, body) => {
    if (!files[name]) throw new EpochscopeError('missing', `${name} does not exist`);
    return body(source(files[name], name));
  };

describe('Keras files', () => {
  it.each(['branches.weights.h5', 'branches.keras', 'branches.h5'])(
    '%s: the weights Keras holds, by name',
    async (name) => {
      const expected = await readNpz(source(fixture('branches.expected.npz')));
      const names = [...expected.keys()].filter((key) => !key.startsWith('outputs/') && key !== 'inputs');
      const tensors = await readKerasWeights(source(fixture(name)));
      expect([...tensors.keys()].sort()).toEqual(names.sort());
      for (const key of names) expect(tensors.get(key)).toMatchObject(expected.get(key)!);
      const { classes, config } = await readKerasFile(source(fixture(name)));
      if (name.includes('weights')) expect(config).toBeNull();
      else expect(classes.get('norm')).toBe('BatchNormalization');
      if (!name.includes('weights')) expect([...tensors.keys()][0]).toBe('conv_a/kernel');
    },
  );

  it.each<[string, Uint8Array, string]>([
    ['a zip of something else', zipSync({ a: Uint8Array.of(1) }), 'expected config.json in a .keras file'],
    ['no weights', zipSync({ 'config.json': text('{}') }), 'expected model.weights.h5'],
    [
      'a config that is no JSON',
      zipSync({ 'config.json': text('{'), 'model.weights.h5': text('x') }),
      'not JSON',
    ],
    [
      'HDF5 of something else',
      fixture('plain-earliest.h5'),
      'expected the weights of a Keras model, found none',
    ],
  ])('refuses %s', async (_, bytes, message) => {
    const error = await readKerasWeights(source(bytes)).catch((e) => e);
    expect(error).toBeInstanceOf(EpochscopeError);
    expect(error.message).toContain(message);
  });
});

const tensor = (...values: number[]): Tensor => ({
  data: Float32Array.from(values),
  shape: [values.length],
  dtype: 'float32',
});

it('safetensors: what the package itself wrote, every dtype', async () => {
  const expected = await readNpz(source(fixture('tensors.safetensors.expected.npz')));
  const tensors = await readSafetensors(source(fixture('tensors.safetensors')));
  expect([...tensors.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, { data, shape }] of expected) {
    expect(tensors.get(name)!.shape, name).toEqual(shape);
    expect([...(tensors.get(name)!.data as Float32Array)], name).toEqual([...(data as Float32Array)]);
  }
  expect(tensors.get('brain')!.dtype).toBe('bfloat16');
});

describe('safetensors in shards', () => {
  const a = encodeSafetensors(
    new Map([
      ['x', tensor(1, 2)],
      ['z', tensor(3)],
    ]),
  );
  const b = encodeSafetensors(new Map([['y', tensor(4)]]));
  const index = (map: unknown) => text({ metadata: { total_size: 16 }, weight_map: map });

  it('reads every tensor from the file that holds it, in the order of the index', async () => {
    const open = folder({
      'i.json': index({ y: 'b.safetensors', x: 'a.safetensors' }),
      'a.safetensors': a,
      'b.safetensors': b,
    });
    expect([...(await readSharded(open, 'i.json'))]).toEqual([
      ['y', tensor(4)],
      ['x', tensor(1, 2)],
    ]);
  });

  it.each<[string, Record<string, Uint8Array>, string]>([
    ['no JSON', { 'i.json': text('[') }, 'not JSON'],
    ['a list', { 'i.json': text([]) }, 'expected a JSON object'],
    ['no map', { 'i.json': text({}) }, 'expected "weight_map"'],
    [
      'a path that climbs',
      { 'i.json': index({ x: '../a.safetensors' }) },
      'expected the plain name of a file beside it',
    ],
    ['a missing shard', { 'i.json': index({ x: 'c.safetensors' }) }, 'c.safetensors does not exist'],
    [
      'a tensor that is not there',
      { 'i.json': index({ q: 'a.safetensors' }), 'a.safetensors': a },
      'expected tensor q, which i.json says it holds',
    ],
    [
      'too many shards',
      { 'i.json': index(Object.fromEntries(Array.from({ length: MAX_SHARDS + 1 }, (_, i) => [i, `${i}`]))) },
      'expected at most 10000 files',
    ],
  ])('refuses %s', async (_, files, message) => {
    await expect((async () => readSharded(folder(files), 'i.json'))()).rejects.toThrow(message);
  });
});

describe('TensorFlow.js models', () => {
  const bytes = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
  const model = (weights: unknown, paths: unknown = ['w.bin']) =>
    text({ modelTopology: { a: 1 }, weightsManifest: [{ paths, weights }] });
  const plain = { name: 'k', shape: [3], dtype: 'float32' };

  it('reads weights over the border of shards, and widens packed ones', async () => {
    const open = folder({
      'model.json': model([plain], ['1.bin', '2.bin']),
      '1.bin': bytes.subarray(0, 5),
      '2.bin': bytes.subarray(5),
    });
    const read = await readTfjsModel(open);
    expect(read.topology).toEqual({ a: 1 });
    expect(read.tensors.get('k')!.data).toEqual(Float32Array.of(1, 2, 3));
    const packed = { ...plain, quantization: { dtype: 'uint8', scale: 0.5, min: -1 } };
    const small = folder({ 'model.json': model([packed]), 'w.bin': Uint8Array.of(0, 2, 255) });
    expect((await readTfjsModel(small)).tensors.get('k')).toEqual({
      data: Float32Array.of(-1, 0, 126.5),
      shape: [3],
      dtype: 'float32',
    });
    const half = { ...plain, quantization: { dtype: 'float16' } };
    const halves = folder({ 'model.json': model([half]), 'w.bin': Uint8Array.of(0, 0x3c, 0, 0xc0, 0, 0) });
    expect((await readTfjsModel(halves)).tensors.get('k')!.data).toEqual(Float32Array.of(1, -2, 0));
  });

  it('steps over texts, each after its length, and reads what follows them', async () => {
    const words = { name: 'words', shape: [2], dtype: 'string' };
    const open = folder({
      'model.json': model([words, { ...plain, shape: [1] }]),
      'w.bin': Uint8Array.of(1, 0, 0, 0, 97, 0, 0, 0, 0, 0, 0, 0x80, 0x3f),
    });
    const read = await readTfjsModel(open);
    expect(read.texts).toEqual(['words']);
    expect([...read.tensors]).toEqual([['k', { data: Float32Array.of(1), shape: [1], dtype: 'float32' }]]);
  });

  it('reads a manifest alone, as older converters and face-api.js leave it', async () => {
    const open = folder({
      'a-weights_manifest.json': text([{ paths: ['w.bin'], weights: [plain] }]),
      'w.bin': bytes,
    });
    const { topology, tensors } = await readTfjsModel(open, 'a-weights_manifest.json');
    expect(topology).toBe(null);
    expect(tensors.get('k')!.data).toEqual(Float32Array.of(1, 2, 3));
  });

  it.each<[string, Uint8Array, string]>([
    ['no manifest', text({}), 'expected "weightsManifest", a list'],
    [
      'a manifest of nothing',
      text({ weightsManifest: [null] }),
      'weightsManifest[0]: expected an object, got',
    ],
    ['a path that climbs', model([plain], ['/etc/passwd']), 'expected the plain name of a file'],
    ['a missing shard', model([plain], ['v.bin']), 'v.bin does not exist'],
    ['a name that is none', model([{ ...plain, name: 1 }]), 'weights[0].name: expected a text'],
    [
      'an impossible shape',
      model([{ ...plain, shape: [2 ** 30, 2 ** 30] }]),
      'shape: expected whole numbers ≥ 0, got [1073741824, 1073741824]',
    ],
    ['texts that are cut off', model([{ ...plain, dtype: 'string' }]), 'k is cut off'],
    ['more texts than bytes', model([{ ...plain, shape: [4], dtype: 'string' }]), 'describes 16 bytes'],
    [
      'numbers after texts that are cut off',
      model([
        { ...plain, shape: [0], dtype: 'string' },
        { ...plain, name: 'b', shape: [4] },
      ]),
      'describes 16 bytes',
    ],
    [
      'bytes that no text takes',
      model([{ ...plain, shape: [0], dtype: 'string' }]),
      'describes 0 bytes, w.bin hold 12',
    ],
    ['an inherited dtype', model([{ ...plain, dtype: 'constructor' }]), 'expected one of float32'],
    [
      'no scale',
      model([{ ...plain, quantization: { dtype: 'uint8' } }]),
      'expected numbers "scale" and "min"',
    ],
    ['too few bytes', model([{ ...plain, shape: [4] }]), 'describes 16 bytes, w.bin hold 12'],
    [
      'more than the limit',
      model([{ ...plain, shape: [2_000_000_001] }]),
      'expected at most 8000000000 bytes',
    ],
    ['too many shards', model([], Array(MAX_SHARDS + 1).fill('a')), 'expected at most 10000 files'],
    ['too many weights', model(Array(100_001).fill(plain)), 'expected at most 100000 weights'],
    [
      'two of a name',
      model([
        { ...plain, shape: [1] },
        { ...plain, shape: [2] },
      ]),
      'two weights are named "k"',
    ],
  ])('refuses %s', async (_, json, message) => {
    const open = folder({ 'model.json': json, 'w.bin': bytes });
    const error = await (async () => readTfjsModel(open))().catch((e) => e);
    expect(error).toBeInstanceOf(EpochscopeError);
    expect(error.message).toContain(message);
  });
});
