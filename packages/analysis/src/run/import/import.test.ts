import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeNpy } from '../../formats/npy.js';
import { encodeNpz, readNpz } from '../../formats/npz.js';
import { encodeSafetensors } from '../../formats/safetensors.js';
import { bytesSource } from '../../formats/source.js';
import { readTorch } from '../../formats/torch/index.js';
import type { Tensor } from '../../formats/types.js';
import { openRun } from '../read.js';
import { canonicalWeights, importRun, planImport } from './index.js';
import { bareNumbers, gapsOf, parseName } from './names.js';

const layouts = fileURLToPath(new URL('../../../../../tests/fixtures/layouts/', import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-import-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const f32 = (values: number[], shape = [values.length]): Tensor => ({
  data: Float32Array.from(values),
  shape,
  dtype: 'float32',
});
const weights = (value: number) =>
  encodeSafetensors(
    new Map([
      ['fc.kernel', f32([value, 1, 2, 3], [2, 2])],
      ['fc.bias', f32([value, 0])],
    ]),
  );
async function put(path: string, bytes: Uint8Array | string = weights(1)) {
  await mkdir(join(folder, path, '..'), { recursive: true });
  await writeFile(join(folder, path), bytes);
}
const plan = async (options = {}) => {
  const { layout, snapshots, notes } = await planImport(folder, options);
  return { layout, notes, snapshots: snapshots.map(({ path, epoch, step }) => [path, epoch, step]) };
};

describe('names', () => {
  it.each<[string, boolean, object]>([
    ['epoch=1-step=938.ckpt', false, { epoch: 1, step: 938, bare: [] }],
    ['model-epoch=02-val_loss=0.32.ckpt', false, { epoch: 2, step: null, metrics: { val_loss: 0.32 } }],
    ['checkpoint-500', true, { step: 500, epoch: null }],
    ['checkpoint-500.pt', false, { step: null, bare: [500] }],
    ['epoch_3', true, { epoch: 3 }],
    ['Epoch003', true, { epoch: 3 }],
    ['ep12.pth', false, { epoch: 12 }],
    ['iter_2000.pth', false, { step: 2000 }],
    ['global_step1000', true, { step: 1000 }],
    ['weights.03-0.33.h5', false, { epoch: null, bare: [3] }],
    ['07.weights.h5', false, { bare: [7] }],
    ['resnet18-5.pth', false, { bare: [5] }],
    ['steep_12.pth', false, { epoch: null, bare: [12] }],
    ['checkpoint_4.pth.tar', false, { bare: [4] }],
    ['m3.pt', false, { bare: [], glued: [3] }],
    ['best.pth', false, { epoch: null, step: null, bare: [] }],
  ])('%s', (name, isFolder, expected) => {
    expect(parseName(name, isFolder)).toMatchObject(expected);
  });

  it('the number that tells a series apart is its epoch', () => {
    const series = ['vgg_16_1.pth', 'vgg_16_2.pth'].map((name) => parseName(name, false));
    expect(bareNumbers(series)).toEqual([1, 2]);
    expect(bareNumbers([parseName('a-1.pth', false), parseName('b-1.pth', false)])).toEqual([null, null]);
  });

  it('a number behind a letter is taken where it alone tells files apart', () => {
    const names = (...list: string[]) => bareNumbers(list.map((name) => parseName(name, false)));
    expect(names('m0.pt', 'm1.pt', 'm10.pt')).toEqual([0, 1, 10]);
    expect(names('resnet18_1.pt', 'resnet18_2.pt')).toEqual([1, 2]);
    expect(names('resnet18.pt')).toEqual([null]);
  });

  it('gaps are named in even series only', () => {
    expect(gapsOf([1, 2, 3, 6, 7])).toEqual([4, 5]);
    expect(gapsOf([500, 1000, 2000, 2500])).toEqual([1500]);
    expect(gapsOf([1, 2, 5, 10, 20])).toEqual([]);
    expect(gapsOf([3])).toEqual([]);
    expect(gapsOf([])).toEqual([]);
  });
});

describe('recognising a folder', () => {
  it('orders by number, not by letters, and names gaps and what is left out', async () => {
    for (const n of [1, 2, 3, 5, 10, 11, 9]) await put(`model_${n}.safetensors`);
    await put('best.safetensors');
    await put('optimizer.pt', 'x');
    await put('model_12.safetensors.tmp', 'x');
    const found = await plan();
    expect(found.snapshots.map(([, epoch]) => epoch)).toEqual([1, 2, 3, 5, 9, 10, 11]);
    expect(found.notes).toEqual([
      'model_12.safetensors.tmp is unfinished and left out',
      'best.safetensors: no number in the name, left out',
      'epochs 4, 6, 7, 8 missing',
    ]);
  });

  it('Hugging Face: steps of folders, epochs and metrics of trainer_state.json', async () => {
    for (const step of [1500, 500, 1000]) {
      await put(`checkpoint-${step}/model.safetensors`);
      await put(`checkpoint-${step}/optimizer.pt`, 'x');
      await put(
        `checkpoint-${step}/trainer_state.json`,
        JSON.stringify({
          epoch: step / 500,
          global_step: step === 1000 ? 999 : step,
          log_history: [{ step, loss: 1 / step, epoch: 9 }, { step: 1 }],
        }),
      );
    }
    await mkdir(join(folder, 'checkpoint-2000'));
    const found = await plan();
    expect(found.layout).toBe('Hugging Face');
    expect(found.snapshots).toEqual([
      ['checkpoint-500', 1, 500],
      ['checkpoint-1000', 2, 1000],
      ['checkpoint-1500', 3, 1500],
    ]);
    expect(found.notes).toEqual([
      'checkpoint-2000 holds no weights: incomplete, left out',
      'checkpoint-1000: trainer_state.json says step 999',
    ]);
    const { snapshots } = await planImport(folder);
    expect(snapshots[0]!.metrics).toEqual({ loss: 1 / 500 });
  });

  it('Lightning counts from 0; its folder is found where Lightning puts it', async () => {
    await cp(join(layouts, 'lightning'), join(folder, 'lightning_logs', 'version_0', 'checkpoints'), {
      recursive: true,
    });
    const found = await plan();
    expect(found.layout).toBe('Lightning');
    expect(found.snapshots).toEqual([
      [join('lightning_logs', 'version_0', 'checkpoints', 'epoch=0-step=100.ckpt'), 1, 100],
      [join('lightning_logs', 'version_0', 'checkpoints', 'epoch=1-step=200.ckpt'), 2, 200],
      [join('lightning_logs', 'version_0', 'checkpoints', 'epoch=2-step=300.ckpt'), 3, 300],
    ]);
    expect(found.notes[0]).toContain('counts epochs from 0');
    await cp(join(layouts, 'lightning'), join(folder, 'lightning_logs', 'version_1', 'checkpoints'), {
      recursive: true,
    });
    await expect(plan()).rejects.toThrow('holds several runs');
  });

  it('Lightning: one file that is kept alone, and several an epoch', async () => {
    const inside = 'lightning_logs/version_0/checkpoints';
    await put(`${inside}/epoch=3-step=12.ckpt`, 'x');
    expect(await plan()).toMatchObject({
      layout: 'Lightning',
      snapshots: [[`${inside}/epoch=3-step=12.ckpt`, 4, 12]],
    });
    await put(`${inside}/epoch=3-step=10.ckpt`, 'x');
    const { snapshots, notes } = await plan();
    expect(snapshots.map(([, epoch, step]) => [epoch, step])).toEqual([
      [null, 10],
      [null, 12],
    ]);
    expect(notes).toContain('several snapshots have the same epoch: they are told apart by their steps');
  });

  it('says that epochs begin at 0, and shifts them when told', async () => {
    for (const n of [0, 1, 2]) await put(`epoch_${n}/a.npy`, encodeNpy(Float32Array.of(n), [1]));
    expect((await plan()).notes[0]).toContain('epochs begin at 0: taken as before training');
    expect((await plan({ firstEpoch: 1 })).snapshots.map(([, epoch]) => epoch)).toEqual([1, 2, 3]);
  });

  it('takes numbers as steps when told', async () => {
    for (const n of [100, 200]) await put(`net-${n}.npz`, encodeNpz(new Map([['w', f32([n])]])));
    expect((await plan({ numbers: 'steps' })).snapshots).toEqual([
      ['net-100.npz', null, 100],
      ['net-200.npz', null, 200],
    ]);
  });

  it('a folder that is one snapshot is one', async () => {
    await put('model.safetensors');
    expect((await plan()).snapshots).toEqual([['model.safetensors', null, null]]);
  });

  it.each([
    ['an empty folder', {}, 'no snapshots recognised; expected checkpoint-500/'],
    [
      'TensorFlow checkpoints',
      { 'cp-1.data-00000-of-00001': 'x' },
      'cp-1.data-00000-of-00001: TensorFlow checkpoints, which are not read: save as model.save_weights',
    ],
    [
      'Orbax checkpoints',
      { '10/_CHECKPOINT_METADATA': '{}', '10/default/manifest.ocdbt': 'x', '20/_CHECKPOINT_METADATA': '{}' },
      '10, 20: Orbax checkpoints of JAX, which are not read: restore them in Python',
    ],
    ['one Orbax checkpoint', { _METADATA: '{}', 'd/x': 'x' }, 'Orbax checkpoints of JAX'],
    ["Flax's msgpack", { 'checkpoint-100/flax_model.msgpack': 'x' }, 'checkpoint-100: msgpack files of Flax'],
    ['distributed PyTorch', { 'step_1/.metadata': 'x', 'step_1/__0_0.distcp': 'x' }, 'dcp_to_torch'],
    ['SavedModels', { 'epoch_1/saved_model.pb': 'x', 'epoch_1/variables/v.index': 'x' }, 'SavedModels'],
    ['sharded Keras weights', { 'model.weights.json': '{}', 'model_00000.x': '' }, 'without max_shard_size'],
    ['pickles', { 'params_1.pkl': 'x', 'params_2.pkl': 'x' }, 'params_1.pkl, params_2.pkl: Python pickles'],
  ])('refuses %s, naming what is recognised', async (_, files, message) => {
    for (const [name, text] of Object.entries(files)) await put(name, text);
    await expect(plan()).rejects.toThrow(message);
    await expect(plan()).rejects.toMatchObject({ code: 'missing' });
  });

  it('refuses a folder that does not exist', async () => {
    await expect(planImport(join(folder, 'nothing'))).rejects.toMatchObject({ code: 'missing' });
  });
});

describe('weights in our layout', () => {
  it('turns PyTorch kernels, keeps embeddings, drops wrappers and counters', () => {
    const { tensors, layers, skipped, transposed } = canonicalWeights(
      new Map<string, Tensor>([
        ['module.conv.weight', f32([0, 1, 2, 3, 4, 5, 6, 7], [2, 1, 2, 2])],
        ['module.fc.weight', f32([1, 2, 3, 4, 5, 6], [2, 3])],
        ['module.wte.weight', f32([1, 2], [2, 1])],
        ['module.bn.weight', f32([1])],
        ['module.bn.running_mean', f32([1])],
        ['module.bn.num_batches_tracked', { data: BigInt64Array.of(3n), shape: [], dtype: 'int64' }],
      ]),
      'f',
    );
    expect(tensors.get('fc.kernel')).toEqual(f32([1, 4, 2, 5, 3, 6], [3, 2]));
    // [out 2, in 1, 2, 2] → [2, 2, in 1, out 2].
    expect(tensors.get('conv.kernel')).toEqual(f32([0, 4, 1, 5, 2, 6, 3, 7], [2, 2, 1, 2]));
    expect(tensors.get('wte.weight')!.shape).toEqual([2, 1]);
    expect(transposed).toBe(2);
    expect(skipped).toEqual(['bn.num_batches_tracked']);
    expect(layers.map(({ name, kind }) => [name, kind])).toEqual([
      ['conv', 'conv2d'],
      ['fc', 'dense'],
      ['wte', 'dense'],
      ['bn', 'batch-norm'],
    ]);
  });

  const fixture = (name: string) =>
    readFile(fileURLToPath(new URL(`../../../../../tests/fixtures/formats/${name}`, import.meta.url)));
  const tensorsOf = async (name: string) => readNpz(bytesSource(name, await fixture(name)));

  it('PyTorch: weights that are pruned are what they compute, and a counter does not keep a wrapper', async () => {
    const read = await readTorch(bytesSource('pruned.pt', await fixture('pruned.pt')));
    const { tensors, skipped, masked } = canonicalWeights(read, 'pruned.pt', { keepLayout: true });
    expect(skipped).toEqual(['n_averaged', 'norm.num_batches_tracked']);
    expect(masked).toBe(1);
    const expected = await tensorsOf('pruned.expected.npz');
    expect([...tensors.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, want] of expected) expect(tensors.get(name)!.data, name).toEqual(want.data);
    expect([...tensors.get('head.weight')!.data].filter((x) => x === 0).length).toBe(12);
  });

  it('Flax: bfloat16 as NumPy stores it, and batch statistics beside the parameters', async () => {
    const { tensors, layers } = canonicalWeights(await tensorsOf('flax.npz'), 'flax.npz');
    const expected = await tensorsOf('flax.expected.npz');
    expect(tensors.size).toBe(expected.size);
    for (const [name, want] of expected)
      expect(tensors.get(name.replace(/^\w+\//, '').replace('/', '.'))!.data, name).toEqual(want.data);
    expect(layers.find(({ name }) => name === 'norm')).toMatchObject({
      kind: 'batch-norm',
      parameters: ['norm.scale', 'norm.bias', 'norm.mean', 'norm.var'],
    });
  });

  it('only tables of two axes are embeddings', () => {
    const { tensors } = canonicalWeights(
      new Map([
        ['emb.weight', f32([1, 2], [2, 1])],
        ['embeddings.patch_embeddings.projection.weight', f32([1, 2], [2, 1, 1, 1])],
      ]),
      'f',
    );
    expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([
      ['emb.weight', [2, 1]],
      ['embeddings.patch_embeddings.projection.kernel', [1, 1, 1, 2]],
    ]);
  });

  it('leaves layouts alone when asked, and takes JAX and Keras names', () => {
    const kept = canonicalWeights(new Map([['fc.weight', f32([1, 2], [2, 1])]]), 'f', { keepLayout: true });
    expect([...kept.tensors.keys()]).toEqual(['fc.weight']);
    const jax = canonicalWeights(new Map([['params/Dense_0/kernel', f32([1, 2], [2, 1])]]), 'f');
    expect([...jax.tensors.keys()]).toEqual(['Dense_0.kernel']);
    const keras = canonicalWeights(new Map([['dense/kernel:0', f32([1, 2], [2, 1])]]), 'f');
    expect([...keras.tensors.keys()]).toEqual(['dense.kernel']);
  });

  it('refuses two tensors that would have one name, and files without weights', () => {
    const clash = new Map([
      ['a/b', f32([1])],
      ['a.b', f32([2])],
    ]);
    expect(() => canonicalWeights(clash, 'f')).toThrow('two tensors are named a.b');
    expect(() => canonicalWeights(new Map(), 'f')).toThrow('expected weights, got no tensor');
    const whole: Tensor = { data: Int32Array.of(1), shape: [1], dtype: 'int32' };
    expect(() => canonicalWeights(new Map([['a', whole]]), 'f')).toThrow('only whole numbers');
  });
});

describe('importing', () => {
  const target = () => join(folder, 'RUN');

  it('leaves out and names what is broken or does not fit', async () => {
    for (const n of [1, 2, 3, 4]) await put(`in/model_${n}.safetensors`, weights(n));
    await truncate(join(folder, 'in', 'model_2.safetensors'), 30);
    await put('in/model_3.safetensors', encodeSafetensors(new Map([['other', f32([1])]])));
    const summary = await importRun(join(folder, 'in'), target());
    expect(summary.snapshots.map(({ id }) => id)).toEqual(['epoch-0001', 'epoch-0004']);
    expect(summary.leftOut).toHaveLength(2);
    expect(summary.leftOut[0]!.reason).toContain('the header says');
    expect(summary.leftOut[1]!.reason).toContain('model_3.safetensors: has no tensor fc.kernel, fc.bias');
    const run = await openRun(target());
    expect(run.warnings).toEqual([]);
    expect((await run.weights('4')).get('fc.bias')).toMatchObject({ data: Float32Array.of(4, 0) });
  });

  it('names an epoch inside a file that differs from its name', async () => {
    const from = fileURLToPath(
      new URL('../../../../../tests/fixtures/formats/checkpoint.pt', import.meta.url),
    );
    await mkdir(join(folder, 'in'));
    await cp(from, join(folder, 'in', 'net_4.pt'));
    await cp(from, join(folder, 'in', 'net_5.pt'));
    const { notes } = await importRun(join(folder, 'in'), target());
    expect(notes).toContain('net_4.pt is taken as epoch 4, but says epoch 3 inside');
  });

  it('writes nothing where nothing can be read', async () => {
    await put('in/model_1.safetensors', 'x');
    await expect(importRun(join(folder, 'in'), target())).rejects.toThrow('no snapshot could be read');
    expect(await readdir(folder)).toEqual(['in']);
  });

  it('does not write over another run unless told', async () => {
    await put('in/model_1.safetensors');
    await importRun(join(folder, 'in'), target());
    await expect(importRun(join(folder, 'in'), target())).rejects.toThrow('already holds a run');
    await importRun(join(folder, 'in'), target(), { overwrite: true });
  });

  it('can be cancelled', async () => {
    await put('in/model_1.safetensors');
    const signal = AbortSignal.abort();
    await expect(importRun(join(folder, 'in'), target(), { signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });

  it('layer outputs by a pattern, with labels, weights or not', async () => {
    for (const epoch of [2, 10])
      for (const layer of ['fc', 'log_softmax'])
        await put(
          `in/epoch_${epoch}/${layer}.npy`,
          encodeNpy(
            Float64Array.from({ length: 6 }, (_, i) => epoch + i),
            [3, 2],
          ),
        );
    const options = { outputs: 'epoch_{epoch}/{layer}.npy', labels: Uint32Array.of(0, 1, 1) };
    const summary = await importRun(join(folder, 'in'), target(), options);
    expect(summary.snapshots.map(({ id }) => id)).toEqual(['epoch-0002', 'epoch-0010']);
    const run = await openRun(target());
    expect(run.manifest.layers.map(({ name, kind, shape }) => [name, kind, shape])).toEqual([
      ['fc', 'output', [2]],
      ['log_softmax', 'log-softmax', [2]],
    ]);
    expect(run.manifest.classes).toEqual(['0', '1']);
    expect(await run.labels()).toEqual(Uint32Array.of(0, 1, 1));
    expect([...(await run.outputs('10', 'fc')).data]).toEqual([10, 11, 12, 13, 14, 15]);
    await expect(
      importRun(join(folder, 'in'), target(), { ...options, labels: Uint32Array.of(0), overwrite: true }),
    ).rejects.toThrow('3 samples of layer outputs need as many labels, got 1');
  });

  it('outputs in the folder of a snapshot come with its weights', async () => {
    for (const epoch of [1, 2]) {
      await put(`in/epoch_${epoch}/fc/kernel.npy`, encodeNpy(Float32Array.of(1, 2), [2, 1]));
      await put(`in/epoch_${epoch}/outputs/fc.npy`, encodeNpy(Float32Array.of(epoch, 2, 3), [3, 1]));
    }
    await importRun(join(folder, 'in'), target());
    const run = await openRun(target());
    expect(run.manifest.layers).toEqual([
      { name: 'fc', kind: 'dense', shape: [1], parameters: ['fc.kernel'] },
    ]);
    expect([...(await run.outputs('2', 'fc')).data]).toEqual([2, 2, 3]);
  });

  it.each([
    ['no layer', 'a/{epoch}.npy', 'expected a pattern such as'],
    ['a path that climbs', '../{layer}.npy', 'expected a pattern such as'],
    ['an unknown word', '{run}/{layer}.npy', 'each once, got {run}'],
    ['nothing that fits', 'x/{epoch}/{layer}.npy', 'holds no file that fits'],
  ])('refuses a pattern with %s', async (_, outputs, message) => {
    await put('in/epoch_1/a.npy', encodeNpy(Float32Array.of(1), [1]));
    await expect(importRun(join(folder, 'in'), target(), { outputs })).rejects.toThrow(message);
  });

  it('refuses outputs whose samples or shapes differ', async () => {
    await put('in/1/a.npy', encodeNpy(Float32Array.of(1, 2), [2]));
    await put('in/2/a.npy', encodeNpy(Float32Array.of(1, 2, 3), [3]));
    await expect(importRun(join(folder, 'in'), target(), { outputs: '{epoch}/{layer}.npy' })).rejects.toThrow(
      'expected 2 samples as in a.npy, got 3',
    );
    await put('in/2/a.npy', encodeNpy(Float32Array.of(1, 2), [1, 2]));
    await expect(importRun(join(folder, 'in'), target(), { outputs: '{epoch}/{layer}.npy' })).rejects.toThrow(
      'layer a has shape [1] elsewhere, got [2]',
    );
  });
});
