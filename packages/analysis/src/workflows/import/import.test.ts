import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeNpy } from '../../formats/npy.js';
import { encodeNpz, readNpz } from '../../formats/npz.js';
import { encodeSafetensors } from '../../formats/safetensors.js';
import { bytesSource } from '../../formats/source.js';
import { readTorch } from '../../formats/torch/index.js';
import type { Tensor } from '../../formats/types.js';
import { canonicalWeights, idsOf, planImport } from '../../run/import/index.js';
import { gapsOf, parsePath } from '../../run/import/names.js';
import { openRun } from '../../run/read.js';
import { importRun } from './index.js';

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
  const slots = (path: string, folder = false) =>
    parsePath(path, folder).slots.map(({ word, value, glued }) => [
      word ?? (glued ? 'glued' : 'bare'),
      value,
    ]);

  it.each<[string, boolean, [string, number][]]>([
    [
      'epoch=1-step=938.ckpt',
      false,
      [
        ['epoch', 1],
        ['step', 938],
      ],
    ],
    ['model-epoch=02-val_loss=0.32.ckpt', false, [['epoch', 2]]],
    ['checkpoint-500', true, [['step', 500]]],
    ['checkpoint-500/unet/diffusion_pytorch_model.safetensors', false, [['step', 500]]],
    ['checkpoint-500.pt', false, [['bare', 500]]],
    ['epoch_3', true, [['epoch', 3]]],
    ['Epoch003', true, [['epoch', 3]]],
    ['modelEpoch4.pt', false, [['epoch', 4]]],
    ['ep12.pth', false, [['epoch', 12]]],
    ['iter_2000.pth', false, [['step', 2000]]],
    ['global_step1000', true, [['step', 1000]]],
    ['step_10k.pt', false, [['step', 10_000]]],
    [
      'e01_iter00500.pth',
      false,
      [
        ['epoch', 1],
        ['step', 500],
      ],
    ],
    [
      'ckpt_e1_b100.pt',
      false,
      [
        ['epoch', 1],
        ['step', 100],
      ],
    ],
    ['b100.pt', false, [['glued', 100]]],
    [
      'weights.03-0.33.h5',
      false,
      [
        ['bare', 3],
        ['decimal', 0.33],
      ],
    ],
    ['07.weights.h5', false, [['bare', 7]]],
    [
      'resnet18-5.pth',
      false,
      [
        ['glued', 18],
        ['bare', 5],
      ],
    ],
    ['steep_12.pth', false, [['bare', 12]]],
    ['checkpoint_4.pth.tar', false, [['bare', 4]]],
    ['m3.pt', false, [['glued', 3]]],
    [
      'seed_2/epoch_1.pt',
      false,
      [
        ['series', 2],
        ['epoch', 1],
      ],
    ],
    ['100epochs.pt', false, [['epoch', 100]]],
    ['best.pth', false, []],
  ])('%s', (name, isFolder, expected) => {
    expect(slots(name, isFolder)).toEqual(expected);
  });

  it('figures of other lengths do not keep snapshots apart, seeds do', () => {
    const template = (path: string) => parsePath(path).template;
    expect(template('epoch=02-val_loss=0.32.ckpt')).toBe(template('epoch=10-val_loss=-1.2.ckpt'));
    expect(parsePath('epoch=02-val_loss=0.32.ckpt').metrics).toEqual({ val_loss: 0.32 });
    expect(template('seed_1/epoch_1.pt')).not.toBe(template('seed_2/epoch_1.pt'));
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

  /** Path, epoch, step of what a list of empty files gives. */
  const of = async (paths: string[], options = {}) => {
    for (const path of paths) await put(path, 'x');
    return plan(options);
  };

  it.each<[string, string[], [number | null, number | null][]]>([
    [
      'steps within epochs',
      ['m_epoch_2_step_100.pt', 'm_epoch_1_step_200.pt', 'm_epoch_1_step_100.pt'],
      [
        [1, 100],
        [1, 200],
        [2, 100],
      ],
    ],
    [
      'letters',
      ['ckpt_e2_b100.pt', 'ckpt_e1_b100.pt', 'ckpt_e1_b200.pt'],
      [
        [1, 100],
        [1, 200],
        [2, 100],
      ],
    ],
    [
      'steps that begin anew after a break',
      ['epoch=0-step=100.ckpt', 'epoch=1-step=200.ckpt', 'epoch=2-step=100.ckpt'],
      [
        [1, 100],
        [2, 200],
        [3, 100],
      ],
    ],
    [
      'two numbers without a word',
      ['c_1_100.pt', 'c_1_200.pt', 'c_2_100.pt'],
      [
        [1, 100],
        [1, 200],
        [2, 100],
      ],
    ],
    [
      'versions alone',
      ['v1.pt', 'v2.pt', 'v10.pt'],
      [
        [1, null],
        [2, null],
        [10, null],
      ],
    ],
    [
      'words behind numbers',
      ['500steps.pt', '1000steps.pt'],
      [
        [null, 500],
        [null, 1000],
      ],
    ],
    [
      'a constant beside',
      ['vit_b16_100epochs_1.pt', 'vit_b16_100epochs_2.pt'],
      [
        [1, null],
        [2, null],
      ],
    ],
    [
      'thousands',
      ['step_900.pt', 'step_1k.pt', 'step_10k.pt'],
      [
        [null, 900],
        [null, 1000],
        [null, 10_000],
      ],
    ],
    [
      'shards without an index',
      [1, 2].flatMap((s) => [1, 2].map((i) => `checkpoint-${s}/model-0000${i}-of-00002.safetensors`)),
      [
        [null, 1],
        [null, 2],
      ],
    ],
    [
      'DeepSpeed',
      [1, 2].flatMap((s) => [
        `global_step${s}/mp_rank_00_model_states.pt`,
        `global_step${s}/zero_pp_rank_0_mp_rank_00_optim_states.pt`,
      ]),
      [
        [null, 1],
        [null, 2],
      ],
    ],
    [
      'consolidated weights',
      ['step_1/consolidated.00.pth', 'step_2/consolidated.00.pth'],
      [
        [null, 1],
        [null, 2],
      ],
    ],
    [
      'adapters',
      [1, 2].flatMap((s) => [
        `checkpoint-${s}/adapter_model.safetensors`,
        `checkpoint-${s}/training_args.bin`,
      ]),
      [
        [null, 1],
        [null, 2],
      ],
    ],
  ])('%s', async (_, paths, expected) => {
    const { snapshots } = await of(paths);
    expect(snapshots.map(([, epoch, step]) => [epoch, step])).toEqual(expected);
  });

  it('of the parts of a diffusion checkpoint the largest that is no average is taken, the others are named and can be chosen', async () => {
    const paths = [500, 1000].flatMap((step) =>
      [
        'unet/diffusion_pytorch_model.safetensors',
        'unet_ema/diffusion_pytorch_model.safetensors',
        'random_states_0.pkl',
        'optimizer.bin',
      ].map((file) => `checkpoint-${step}/${file}`),
    );
    const found = await of(paths);
    expect(found.layout).toBe('Hugging Face');
    expect(found.snapshots).toEqual(
      [500, 1000].map((step) => [`checkpoint-${step}/unet/diffusion_pytorch_model.safetensors`, null, step]),
    );
    expect(found.notes).toEqual([
      expect.stringContaining(
        'checkpoint-#/unet_ema/diffusion_pytorch_model.safetensors (2): another series, left out; `series',
      ),
    ]);
    const average = await plan({ series: 'unet_ema' });
    expect(average.snapshots.map(([path]) => path)).toEqual(
      [500, 1000].map((step) => `checkpoint-${step}/unet_ema/diffusion_pytorch_model.safetensors`),
    );
    await expect(plan({ series: 'vae' })).rejects.toThrow(
      'no series fit "vae"; there are checkpoint-#/unet/',
    );
  });

  it('seeds and folds are never one series, and never chosen among', async () => {
    const paths = [1, 2].flatMap((seed) => [1, 2, 3].map((epoch) => `seed_${seed}/model_${epoch}.pt`));
    await expect(of(paths)).rejects.toThrow(
      'holds several runs: seed_1/model_#.pt (3), seed_2/model_#.pt (3); choose one of the folders, or with `series: "seed_1"`',
    );
    expect((await plan({ series: 'seed_2' })).snapshots.map(([path]) => path)).toEqual(
      [1, 2, 3].map((n) => `seed_2/model_${n}.pt`),
    );
  });

  it('two nets in one folder are two series', async () => {
    const paths = [18, 50].flatMap((net) => [1, 2].map((n) => `resnet${net}_${n}.pt`));
    await expect(of(paths)).rejects.toThrow('holds several runs: resnet18_#.pt (2), resnet50_#.pt (2)');
    expect((await plan({ series: 'resnet50' })).snapshots.map(([path]) => path)).toEqual([
      'resnet50_1.pt',
      'resnet50_2.pt',
    ]);
  });

  it('two files never silently become one', async () => {
    await expect(of(['m_1.pt', 'm_01.pt', 'm_2.pt'])).rejects.toThrow(
      /m_1\.pt and m_01\.pt have the same number|m_01\.pt and m_1\.pt have the same number/,
    );
  });

  it('a pattern says what no rule foresees', async () => {
    const paths = ['a/x7-12.pt', 'a/x7-13.pt', 'b/x8-12.pt', 'b/other.pt'];
    for (const path of paths) await put(path, 'x');
    expect((await plan({ pattern: 'a/x*-{step}.pt' })).snapshots.map(([, , step]) => step)).toEqual([12, 13]);
    expect(
      (await plan({ pattern: '**/x{epoch}-{step}.pt' })).snapshots.map(([, epoch, step]) => [epoch, step]),
    ).toEqual(
      [
        [7, 12],
        [7, 13],
        [8, 12],
      ].map(([, step], i) => [[7, 7, 8][i], step]),
    );
    await expect(plan({ pattern: '{series}/x*-{step}.pt', series: 'c' })).rejects.toThrow(
      'no series fit "c"',
    );
    await expect(plan({ pattern: '**/x{epoch}-*.pt' })).rejects.toThrow(
      'have the same number by the pattern',
    );
    await expect(plan({ pattern: 'y{epoch}.pt' })).rejects.toThrow(
      'no weights fit the pattern y{epoch}.pt; there are a/x7-12.pt',
    );
    await expect(plan({ pattern: 'a/*.pt' })).rejects.toThrow('expected {epoch} or {step}');
    await expect(plan({ pattern: 'a/{epoch}{epoch}.pt' })).rejects.toThrow('each at most once');
  });

  it('a shard that is not there leaves the snapshot out, and says so', async () => {
    const found = await of([
      'checkpoint-1/model-00001-of-00002.safetensors',
      'checkpoint-2/model.safetensors',
    ]);
    expect(found.snapshots.map(([path]) => path)).toEqual(['checkpoint-2']);
    expect(found.notes[0]).toBe(
      'checkpoint-1/model-#-of-00002.safetensors: shard 2 of 2 is not there, left out',
    );
  });

  it('trainer_state.json as Python writes it: figures that are no numbers are left out', async () => {
    for (const [step, grad] of [
      [1, 'NaN'],
      [2, '-Infinity'],
    ] as const) {
      await put(`checkpoint-${step}/model.safetensors`);
      await put(
        `checkpoint-${step}/trainer_state.json`,
        `{"epoch": ${step}.0, "best": NaN, "note": "NaN \\" NaN", "global_step": ${step}, "log_history": [{"step": ${step}, "grad_norm": ${grad}, "loss": 0.5}]}`,
      );
    }
    const { snapshots, notes } = await planImport(folder);
    expect(notes).toEqual([]);
    expect(snapshots.map(({ epoch, step, metrics }) => [epoch, step, { ...metrics }])).toEqual([
      [1, 1, { loss: 0.5 }],
      [2, 2, { loss: 0.5 }],
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

  it("TensorFlow's variables have plain names, without the optimizer's", async () => {
    const names = [
      'model/optimizer/_iterations',
      'model/optimizer/_learning_rate',
      'model/optimizer/_trainable_variables/0',
      'model/optimizer/_variables/2',
      'model/_layers/1/moving_mean',
      'net/dense/kernel',
      'net/dense/kernel/.OPTIMIZER_SLOT/optimizer/m',
      'save_counter',
    ];
    const arrays = names.map(
      (name, i) => [`${name}/.ATTRIBUTES/VARIABLE_VALUE`, f32([i, 1], [1, 2])] as const,
    );
    await put('params_1.npz', await encodeNpz(new Map(arrays)));
    const run = join(folder, 'run');
    const { notes } = await importRun(folder, run);
    const read = await (await openRun(run)).weights('epoch-0001');
    expect([...read].map(([name, { data }]) => [name, data[0]])).toEqual([
      ['variables.0', 2],
      ['model._layers.1.moving_mean', 4],
      ['net.dense.kernel', 5],
    ]);
    expect(notes.join()).toContain("left out, being the optimizer's: model/optimizer/_iterations, ");
  });

  it('takes names of any length: a tensor keeps its own, its layer gets one that a file can have', () => {
    const long = (end: string) => `${'StatefulPartitionedCall/block/'.repeat(40)}${end}`;
    const { tensors, layers } = canonicalWeights(
      new Map([
        [long('a/kernel'), f32([1, 2], [1, 2])],
        [long('b/kernel'), f32([1, 2], [1, 2])],
      ]),
      'f',
    );
    expect([...tensors.keys()]).toEqual(['a', 'b'].map((end) => long(`${end}/kernel`).replaceAll('/', '.')));
    expect(new Set(layers.map(({ name }) => name)).size).toBe(2);
    for (const { name, parameters } of layers) {
      expect(name.length).toBeLessThanOrEqual(120);
      expect(tensors.has(parameters[0]!)).toBe(true);
    }
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

  it('says what a file is that is not what its name says, and reads what it can', async () => {
    const lfs = 'version https://git-lfs.github.com/spec/v1\noid sha256:1234\nsize 4000000\n';
    await put('lfs/model_1.safetensors', lfs);
    await expect(importRun(join(folder, 'lfs'), target())).rejects.toThrow(
      'is a Git LFS pointer of 72 bytes, not the file of 4 MB it stands for; run "git lfs pull"',
    );
    await put('html/model_1.pth', '<!DOCTYPE html><html><title>Sign in</title></html>');
    await expect(importRun(join(folder, 'html'), target())).rejects.toThrow('is a web page, not data');
    await put('gz/model_1.pt', gzipSync(weights(1)));
    await expect(importRun(join(folder, 'gz'), target())).rejects.toThrow(
      'is compressed by gzip; unpack it first: gunzip FILE',
    );
    await put('empty/model_1.pt', '');
    await expect(importRun(join(folder, 'empty'), target())).rejects.toThrow('is empty');
    for (const n of [1, 2]) await put(`other/model_${n}.ckpt`, weights(n));
    expect(await importRun(join(folder, 'other'), target())).toMatchObject({ leftOut: [], tensors: 2 });
  });

  it('shards without an index and modules in folders are one net', async () => {
    for (const n of [1, 2]) {
      await put(
        `shards/checkpoint-${n}/model-00001-of-00002.safetensors`,
        encodeSafetensors(new Map([['a.weight', f32([n])]])),
      );
      await put(
        `shards/checkpoint-${n}/model-00002-of-00002.safetensors`,
        encodeSafetensors(new Map([['b.weight', f32([n])]])),
      );
      await put(`st/checkpoint-${n}/modules.json`, '[]');
      await put(`st/checkpoint-${n}/model.safetensors`, encodeSafetensors(new Map([['w', f32([n])]])));
      await put(
        `st/checkpoint-${n}/2_Dense/model.safetensors`,
        encodeSafetensors(new Map([['linear.weight', f32([n, 2], [1, 2])]])),
      );
    }
    expect(await importRun(join(folder, 'shards'), target())).toMatchObject({ leftOut: [], tensors: 2 });
    const summary = await importRun(join(folder, 'st'), target(), {}, { overwrite: true });
    expect(summary).toMatchObject({ layout: 'Hugging Face', leftOut: [], tensors: 2 });
    expect(summary.snapshots.map(({ id }) => id)).toEqual(['step-00000001', 'step-00000002']);
    expect([...(await (await openRun(target())).weights('last')).keys()].sort()).toEqual([
      '2_Dense.linear.kernel',
      'w',
    ]);
  });

  it('ids are of one form', () => {
    expect(
      idsOf([
        { epoch: 0, step: 0 },
        { epoch: 1, step: 9 },
      ]),
    ).toEqual(['init', 'epoch-0001']);
    expect(
      idsOf([
        { epoch: 0.5, step: 5 },
        { epoch: 1, step: 10 },
      ]),
    ).toEqual(['step-00000005', 'step-00000010']);
    expect(
      idsOf([
        { epoch: 1, step: 5 },
        { epoch: 2, step: 5 },
        { epoch: 2, step: 6 },
      ]),
    ).toEqual(['epoch-0001-step-00000005', 'epoch-0002-step-00000005', 'epoch-0002-step-00000006']);
  });

  it('does not write over another run unless told', async () => {
    await put('in/model_1.safetensors');
    await importRun(join(folder, 'in'), target());
    await expect(importRun(join(folder, 'in'), target())).rejects.toThrow('already holds a run');
    await importRun(join(folder, 'in'), target(), {}, { overwrite: true });
  });

  it('can be cancelled', async () => {
    await put('in/model_1.safetensors');
    const signal = AbortSignal.abort();
    await expect(importRun(join(folder, 'in'), target(), {}, { signal })).rejects.toMatchObject({
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
      importRun(join(folder, 'in'), target(), { ...options, labels: Uint32Array.of(0) }, { overwrite: true }),
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
