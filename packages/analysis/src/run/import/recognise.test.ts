import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { setReadLimits } from '../../formats/budget.js';
import { encodeSafetensors } from '../../formats/safetensors.js';

import { memoryStore } from '../../stores/memory.js';
import { importRun } from '../../workflows/import/index.js';
import { planImport } from './index.js';

const weights = encodeSafetensors(
  new Map([['fc.weight', { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2], dtype: 'float32' }]]),
);

/** What names alone say: paths in their order, with epoch and step; no weights are opened. */
async function planned(paths: readonly string[], options = {}, content: Uint8Array | string = weights) {
  const store = memoryStore('folder');
  for (const path of paths) await store.write(path, content);
  const { snapshots, notes } = await planImport(store, options);
  return {
    snapshots: snapshots.map(({ path, epoch, step }) => [path, epoch, step]),
    notes: notes.join('\n'),
  };
}
const counted = async (...paths: string[]) =>
  (await planned(paths)).snapshots.map(([, ...numbers]) => numbers);
const refusal = (...paths: string[]) =>
  planned(paths).then(
    () => 'read',
    (cause: Error) => cause.message,
  );

describe('names that people give', () => {
  it.each<[string, string[], [number | null, number | null][]]>([
    [
      'Hugging Face',
      ['checkpoint-1000/model.safetensors', 'checkpoint-500/model.safetensors'],
      [
        [null, 500],
        [null, 1000],
      ],
    ],
    [
      'Lightning',
      ['epoch=0-step=100.ckpt', 'epoch=1-step=200.ckpt'],
      [
        [1, 100],
        [2, 200],
      ],
    ],
    [
      'timm',
      [
        'train/20240101-resnet18-224/checkpoint-0.pth.tar',
        'train/20240101-resnet18-224/checkpoint-1.pth.tar',
      ],
      [
        [0, null],
        [1, null],
      ],
    ],
    [
      'fairseq',
      ['checkpoint1.pt', 'checkpoint2.pt', 'checkpoint_best.pt', 'checkpoint_last.pt'],
      [
        [1, null],
        [2, null],
      ],
    ],
    [
      'fairseq within epochs',
      ['checkpoint_1_1000.pt', 'checkpoint_1_2000.pt', 'checkpoint_2_3000.pt'],
      [
        [null, 1000],
        [null, 2000],
        [null, 3000],
      ],
    ],
    [
      'Detectron',
      ['model_0004999.pth', 'model_0009999.pth', 'model_final.pth'],
      [
        [4999, null],
        [9999, null],
      ],
    ],
    [
      'YOLO',
      ['weights/epoch0.pt', 'weights/epoch10.pt', 'weights/last.pt', 'weights/best.pt'],
      [
        [0, null],
        [10, null],
      ],
    ],
    [
      'Megatron',
      ['iter_0001000/mp_rank_00/model_optim_rng.pt', 'iter_0002000/mp_rank_00/model_optim_rng.pt'],
      [
        [null, 1000],
        [null, 2000],
      ],
    ],
    [
      'DeepSpeed',
      ['global_step500/mp_rank_00_model_states.pt', 'global_step1000/mp_rank_00_model_states.pt'],
      [
        [null, 500],
        [null, 1000],
      ],
    ],
    [
      'parts of an epoch',
      ['model_epoch_0.5.pt', 'model_epoch_1.0.pt', 'model_epoch_1.5.pt'],
      [
        [0.5, null],
        [1, null],
        [1.5, null],
      ],
    ],
    [
      'parts of an epoch, without a word',
      ['model_0.5.pt', 'model_1.0.pt', 'model_2.5.pt'],
      [
        [0.5, null],
        [1, null],
        [2.5, null],
      ],
    ],
    [
      'a figure in the name',
      ['ckpt_1_0.91.pth', 'ckpt_2_0.92.pth'],
      [
        [1, null],
        [2, null],
      ],
    ],
    [
      'a net of a number',
      ['resnet50_epoch1.pth', 'resnet50_epoch2.pth'],
      [
        [1, null],
        [2, null],
      ],
    ],
    [
      'versions, where nothing else counts',
      ['model_v1.pt', 'model_v2.pt'],
      [
        [1, null],
        [2, null],
      ],
    ],
    [
      'capitals',
      ['MODEL_EPOCH_1.SAFETENSORS', 'MODEL_EPOCH_2.SAFETENSORS'],
      [
        [1, null],
        [2, null],
      ],
    ],
    [
      'spaces',
      ['my runs (final)/check point 1/model weights.pt', 'my runs (final)/check point 2/model weights.pt'],
      [
        [1, null],
        [2, null],
      ],
    ],
    [
      'other scripts',
      ['Übung 训练/эпоха-1/モデル.pt', 'Übung 训练/эпоха-2/モデル.pt'],
      [
        [1, null],
        [2, null],
      ],
    ],
    [
      'signs',
      ["100%_#1_[a]&b'c.pt", "100%_#2_[a]&b'c.pt"],
      [
        [1, null],
        [2, null],
      ],
    ],
    [
      '250 characters',
      [`${'x'.repeat(240)}_1.pt`, `${'x'.repeat(240)}_2.pt`],
      [
        [1, null],
        [2, null],
      ],
    ],
    [
      'a hub’s cache',
      [
        'models--o--n/snapshots/abc/step500/pytorch_model.bin',
        'models--o--n/snapshots/abc/step1000/pytorch_model.bin',
      ],
      [
        [null, 500],
        [null, 1000],
      ],
    ],
  ])('%s', async (_, paths, expected) => {
    expect(await counted(...paths)).toEqual(expected);
  });

  it.each([
    ['seeds', 'seed1/best.pt', 'seed2/best.pt', 'series: "seed1"'],
    ['folds', 'fold0_best.pth', 'fold1_best.pth', 'series: "fold0_best.pth"'],
    ['folds of epochs', 'fold-0/epoch-1.pth', 'fold-1/epoch-1.pth', 'series: "fold-0"'],
    ['folds within epochs', 'epoch_1/fold_1/model.pt', 'epoch_1/fold_2/model.pt', 'series: "fold_1"'],
    ['settings', 'lr=0.1/epoch=1.ckpt', 'lr=0.01/epoch=1.ckpt', 'series: "lr=0.01"'],
    ['nets of other sizes', 'resnet18_epoch1.pth', 'resnet50_epoch1.pth', 'series: "resnet18_epoch#.pth"'],
    ['figures alone', 'model_0.91.pt', 'model_0.93.pt', 'series: "model_0.91.pt"'],
    ['the same names in two folders', 'a/model_1.pt', 'b/model_1.pt', 'series: "a"'],
  ])('runs are never one series, nor chosen among: %s', async (_, one, other, way) => {
    const said = await refusal(one, other);
    expect(said).toContain('holds several runs');
    expect(said).toContain(way);
  });

  it('what is half written or the system’s own is left out, and said', async () => {
    const { snapshots, notes } = await planned([
      'checkpoint-500/model.safetensors',
      'checkpoint-1000/model.safetensors',
      'checkpoint-1500.tmp/model.safetensors',
      'tmp-checkpoint-1500/model.safetensors',
      '__MACOSX/checkpoint-1500/model.safetensors',
      '.cache/checkpoint-1500/model.safetensors',
      '._checkpoint-500/model.safetensors',
      'checkpoint-1000/model.safetensors.incomplete',
    ]);
    expect(snapshots).toHaveLength(2);
    for (const path of [
      'checkpoint-1500.tmp',
      'tmp-checkpoint-1500',
      'checkpoint-1000/model.safetensors.incomplete',
    ])
      expect(notes).toContain(`${path} is unfinished and left out`);
    expect(notes).not.toMatch(/MACOSX|cache|\._/);
  });

  it.each([
    ['tensor parallel', 'consolidated.00.pth', 'consolidated.01.pth', 'a model-parallel checkpoint'],
    ['Megatron', 'iter_1/mp_rank_00/model.pt', 'iter_1/mp_rank_01/model.pt', 'a model-parallel checkpoint'],
    [
      'ZeRO-3',
      'zero_pp_rank_0_mp_rank_00_model_states.pt',
      'x/zero_pp_rank_1_mp_rank_00_model_states.pt',
      'python zero_to_fp32.py',
    ],
    ['pipelines', 'layer_00-model_00-model_states.pt', 'mp_rank_00_model_states.pt', 'a file a layer'],
  ])('parts of nets are no nets: %s', async (_, one, other, said) => {
    expect(await refusal(one, other)).toContain(said);
  });
});

describe('names that say nothing', () => {
  it.each(['step_1', 'net_1.model', 'params.1', 'model_1.sft', 'model_1.pkl'])(
    '%s: weights are known by their first bytes',
    async (name) => {
      const { snapshots } = await planned([name, name.replace('1', '2')]);
      expect(snapshots.map(([path]) => path)).toEqual([name, name.replace('1', '2')]);
    },
  );

  it('a pattern takes what nobody foresaw', async () => {
    const { snapshots } = await planned(['w/a7.b1.sft', 'w/a7.b2.sft', 'model.safetensors'], {
      pattern: 'w/a7.b{step}.sft',
    });
    expect(snapshots).toEqual([
      ['w/a7.b1.sft', null, 1],
      ['w/a7.b2.sft', null, 2],
    ]);
  });

  it('what is there instead is said', async () => {
    await expect(planned(['model_1.pt.gz'], {}, gzipSync(weights))).rejects.toThrow(
      'there: model_1.pt.gz; model_1.pt.gz is compressed by gzip; unpack it first',
    );
    await expect(planned(['checkpoint-1.zip'], {}, zipSync({ 'a/model.pt': weights }))).rejects.toThrow(
      'checkpoint-1.zip is a zip archive: unpack it',
    );
    // {"params": {"d": …
    const flax = Uint8Array.of(
      0x81,
      0xa6,
      ...new TextEncoder().encode('params'),
      0x81,
      0xa1,
      0x64,
      ...new Uint8Array(20),
    );
    await expect(planned(['checkpoint_1', 'checkpoint_2'], {}, flax)).rejects.toThrow(
      'checkpoint_1, checkpoint_2: msgpack files of Flax',
    );
    await expect(planned(['notes.txt'], {}, 'x')).rejects.toThrow('there: notes.txt; other names');
    await expect(planned([])).rejects.toThrow('no snapshots recognised; expected');
  });
});

describe('TensorFlow.js', () => {
  it.each([
    ['face_model-weights_manifest.json', 'face_model.bin', '/face_model-weights_manifest.json'],
    ['weights_manifest.json', 'group1-shard1of1.bin', ''],
  ])(
    'manifests without a model are places of weights, and their shards are none: %s',
    async (list, shard, shown) => {
      const files = ['epoch_1', 'epoch_2'].flatMap((folder) => [`${folder}/${list}`, `${folder}/${shard}`]);
      const { snapshots, notes } = await planned(files);
      expect(snapshots).toEqual([1, 2].map((epoch) => [`epoch_${epoch}${shown}`, epoch, null]));
      expect(notes).toBe('');
    },
  );
});

describe('files that are not what they seem', () => {
  it('numbers of high bytes are no text', async () => {
    const store = memoryStore('folder');
    await store.write(
      'model_1.bin',
      Uint8Array.from({ length: 600 }, (_, i) => 0x70 + ((i * 37) % 0x90)),
    );
    await expect(importRun(store, memoryStore('run'))).rejects.toThrow('expected a PyTorch file');
  });

  const tar = new Uint8Array(1024);
  tar.set(new TextEncoder().encode('model.pt'));
  tar.set(new TextEncoder().encode('ustar'), 257);
  const zip = zipSync({ 'a/model.pt': weights });
  it.each<[string, Uint8Array | string, string]>([
    [
      'model_1.pt',
      'Access denied: accept the licence first',
      'is text, not data ("Access denied: accept the licence first"…)',
    ],
    ['model_1.safetensors', '{"error":"Repository not found"}', 'is text, not data'],
    ['model_1.bin', '\n<!-- page -->\n<HTML><body>Sign in</body></HTML>', 'is a web page'],
    ['net-1.h5', '<html></html>', 'is a web page'],
    ['model_1.tar', tar, 'is a tar archive'],
    [
      'model_1.pt',
      Uint8Array.of(0x80, 4, 0x95, 1, 0, 0, 0, 0, 0, 0, 0, ...new Uint8Array(40)),
      'is a Python pickle',
    ],
    ['model_1.pt', zip, 'it holds a/model.pt: unpack it first'],
    ['model_1.pt', zip.subarray(0, zip.length - 30), 'is cut off'],
    ['model_1.pt', '', 'is empty'],
    ['model_1.npz', gzipSync(weights), 'is compressed by gzip'],
  ])('%s (%#)', async (name, content, said) => {
    const store = memoryStore('folder');
    await store.write(name, content);
    await expect(importRun(store, memoryStore('run'))).rejects.toThrow(said);
  });
});

it('links out of the folder are named and refused, followed where that is asked for; a hub’s cache opens as it is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'epochscope-links-'));
  const put = async (path: string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), weights);
  };
  const stepsOf = async (place: string, link: boolean) =>
    (await importRun(join(folder, place), memoryStore('run'), { link })).snapshots.map(({ step }) => step);
  try {
    for (const path of ['model/blobs/1', 'elsewhere/1', 'elsewhere/2/model.safetensors']) await put(path);
    await mkdir(join(folder, 'series/checkpoint-1'), { recursive: true });
    await symlink('../../elsewhere/1', join(folder, 'series/checkpoint-1/model.safetensors'));
    await symlink(join(folder, 'elsewhere/2'), join(folder, 'series/checkpoint-2'));
    await symlink('.', join(folder, 'series/loop'));
    await symlink('nowhere', join(folder, 'series/checkpoint-3'));
    await mkdir(join(folder, 'model/snapshots/abc/checkpoint-5'), { recursive: true });
    await symlink('../../../blobs/1', join(folder, 'model/snapshots/abc/checkpoint-5/model.safetensors'));
    for (const link of [false, true]) {
      await expect(stepsOf('series', link)).rejects.toThrow(
        /checkpoint-\d.* is a link that leads out of .*; it is not followed; `followLinks: true` follows it/,
      );
      setReadLimits({ followLinks: true });
      expect(await stepsOf('series', link)).toEqual([1, 2]);
      setReadLimits({});
      for (const place of ['model/snapshots/abc', 'model']) expect(await stepsOf(place, link)).toEqual([5]);
    }
  } finally {
    setReadLimits({});
    await rm(folder, { recursive: true });
  }
});
