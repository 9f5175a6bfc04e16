import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { analyseChange, encodeNpy, encodeNpz, encodeSafetensors, type Tensor } from '@epochscope/analysis';
import { importRun, openRun, prepareTf } from '@epochscope/analysis/node';
import { main } from '@epochscope/cli';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// One net at three epochs (fixtures/golden_net.py), written by PyTorch, Keras, TensorFlow.js and NumPy in every layout that
// is read. Whatever the layout, the same figures come out.

const fixtures = fileURLToPath(new URL('fixtures/layouts/', import.meta.url));
let folder: string;
/** Epoch → weights, as the PyTorch files hold them. */
const golden = new Map<number, Map<string, Tensor>>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-layouts-'));
  await importRun(join(fixtures, 'model-epoch-pth'), join(folder, 'golden'));
  const run = await openRun(join(folder, 'golden'));
  for (const { id, epoch } of run.manifest.snapshots) golden.set(epoch!, await run.weights(id));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function put(path: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), bytes);
}
/** PyTorch's names and axes. */
const asTorch = (weights: Map<string, Tensor>) =>
  new Map(
    [...weights].map(([name, tensor]): [string, Tensor] => {
      if (!name.endsWith('kernel')) return [name, tensor];
      const [a, b, c, d] = tensor.shape.length === 4 ? (tensor.shape as number[]) : [1, 1, ...tensor.shape];
      const out = new Float32Array(tensor.data.length);
      for (let i = 0, to = 0; i < d!; i++)
        for (let j = 0; j < c!; j++)
          for (let k = 0; k < a! * b!; k++) out[to++] = (tensor.data as Float32Array)[(k * c! + j) * d! + i]!;
      const shape = tensor.shape.length === 4 ? [d!, c!, a!, b!] : [d!, c!];
      return [name.replace('kernel', 'weight'), { data: out, shape, dtype: 'float32' }];
    }),
  );

/** Pearson r and slope of the change from epoch 1 to 3 on the kernels: np.corrcoef, np.polyfit (NumPy 2.4.6). */
const CONV = [0.950376782681046, 0.5363272002266173] as const;
const HEAD = [0.982689904268227, 0.6255453814821031] as const;

/** Layouts made here, by our writers and TensorFlow.js's own. */
const made: Record<string, (epoch: number, weights: Map<string, Tensor>) => Promise<void>> = {
  'npy-folder': async (epoch, weights) => {
    for (const [name, { data, shape }] of weights)
      await put(`npy-folder/epoch_${epoch}/${name.replace('.', '/')}.npy`, encodeNpy(data, shape));
  },
  npz: async (epoch, weights) => {
    const flat = new Map([...weights].map(([name, tensor]) => [`params/${name.replace('.', '/')}`, tensor]));
    await put(`npz/params_${epoch}.npz`, encodeNpz(flat, { compress: true }));
  },
  'npz-folder': async (epoch, weights) => {
    for (const layer of ['conv', 'head']) {
      const own = [...weights].filter(([name]) => name.startsWith(layer));
      const arrays = new Map(own.map(([name, tensor]) => [name.slice(layer.length + 1), tensor]));
      await put(`npz-folder/epoch_${epoch}/${layer}.npz`, encodeNpz(arrays));
    }
  },
  'hf-safetensors': (epoch, weights) =>
    put(
      `hf-safetensors/checkpoint-${epoch * 100}/model.safetensors`,
      encodeSafetensors(asTorch(weights), { format: 'pt' }),
    ),
  'hf-sharded': async (epoch, weights) => {
    const all = [...asTorch(weights)];
    const map: Record<string, string> = {};
    for (const [i, part] of [all.slice(0, 2), all.slice(2)].entries()) {
      const file = `model-0000${i + 1}-of-00002.safetensors`;
      for (const [name] of part) map[name] = file;
      await put(`hf-sharded/checkpoint-${epoch * 100}/${file}`, encodeSafetensors(new Map(part)));
    }
    const index = JSON.stringify({ metadata: { total_size: 1 }, weight_map: map });
    await put(`hf-sharded/checkpoint-${epoch * 100}/model.safetensors.index.json`, index);
  },
  tfjs: async (epoch, weights) => {
    const tf = await prepareTf();
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({
          name: 'conv',
          inputShape: [6, 6, 1],
          filters: 2,
          kernelSize: 3,
          activation: 'relu',
        }),
        tf.layers.maxPooling2d({ name: 'pool', poolSize: 2 }),
        tf.layers.flatten({ name: 'flat' }),
        tf.layers.dense({ name: 'head', units: 3 }),
      ],
    });
    for (const layer of ['conv', 'head'])
      model.getLayer(layer).setWeights(
        ['kernel', 'bias'].map((name) => {
          const { data, shape } = weights.get(`${layer}.${name}`)!;
          return tf.tensor(data as Float32Array, [...shape]);
        }),
      );
    await model.save(
      tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
        const weightsManifest = [{ paths: ['group1-shard1of1.bin'], weights: weightSpecs }];
        await put(`tfjs/epoch-${epoch}/model.json`, JSON.stringify({ modelTopology, weightsManifest }));
        await put(`tfjs/epoch-${epoch}/group1-shard1of1.bin`, new Uint8Array(weightData as ArrayBuffer));
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
      }),
    );
  },
};

const LAYOUTS: [name: string, by: string][] = [
  ['model-epoch-pth', 'epoch'],
  ['lightning', 'epoch'],
  ['hf-bin', 'step'],
  ['keras-weights', 'epoch'],
  ['keras-zip', 'epoch'],
  ['keras-h5', 'epoch'],
  ...Object.keys(made).map((name): [string, string] => [name, name.startsWith('hf') ? 'step' : 'epoch']),
];

describe('the golden run', () => {
  it.each(LAYOUTS)('%s gives the same weights and changes', async (name, by) => {
    const target = join(folder, `run-${name}`);
    if (made[name]) for (const [epoch, weights] of golden) await made[name](epoch, weights);
    const summary = await importRun(join(made[name] ? folder : fixtures, name), target);
    expect(summary.leftOut).toEqual([]);
    const run = await openRun(target);
    expect(run.warnings).toEqual([]);
    const { snapshots, layers } = run.manifest;
    expect(snapshots.map((s) => (by === 'epoch' ? s.epoch : s.step))).toEqual(
      by === 'epoch' ? [1, 2, 3] : [100, 200, 300],
    );
    for (const [i, { id }] of snapshots.entries()) {
      const weights = await run.weights(id);
      expect([...weights.keys()].sort()).toEqual([...golden.get(1)!.keys()].sort());
      for (const [tensor, expected] of golden.get(i + 1)!)
        expect(weights.get(tensor), tensor).toEqual(expected);
    }
    const change = async (from: number, to: number) =>
      analyseChange({
        from: { snapshot: snapshots[from]!, weights: await run.weights(snapshots[from]!.id) },
        to: { snapshot: snapshots[to]!, weights: await run.weights(snapshots[to]!.id) },
        layers,
        inputShape: null,
      });
    const figures = (await change(0, 2)).layers.map(({ layer, kind, statistics }) => [
      layer,
      kind,
      statistics.pearson.value,
      statistics.slope.value,
    ]);
    // Five digits: the weights are float32.
    const byName = new Map(figures.map(([layer, kind, pearson, slope]) => [layer, { kind, pearson, slope }]));
    expect(byName.get('conv')).toMatchObject({ kind: 'conv2d' });
    expect(byName.get('head')).toMatchObject({ kind: 'dense' });
    expect(byName.get('conv')!.pearson).toBeCloseTo(CONV[0], 5);
    expect(byName.get('conv')!.slope).toBeCloseTo(CONV[1], 5);
    expect(byName.get('head')!.pearson).toBeCloseTo(HEAD[0], 5);
    expect(byName.get('head')!.slope).toBeCloseTo(HEAD[1], 5);
  });
});

/** Runs the command line; answers what it wrote and its exit code. */
async function cli(...args: string[]) {
  const io = { out: '', err: '' };
  const code = await main(args, {
    stdout: { write: (text: string) => (io.out += text) },
    stderr: { write: (text: string) => (io.err += text) },
    env: { NO_COLOR: '1' },
    signal: new AbortController().signal,
  });
  return { code, ...io };
}

describe('epochscope info and import', () => {
  it('say what a folder holds, import it, and change works at once', async () => {
    const from = join(fixtures, 'lightning');
    const info = await cli('info', from);
    expect(info.code).toBe(0);
    expect(info.out).toContain('Lightning: 3 snapshots');
    expect(info.out).toMatch(/epoch=2-step=300\.ckpt +3 +300 +4/);
    const run = join(folder, 'by-cli');
    const imported = await cli('import', from, '-o', run, '--json');
    expect(imported.code).toBe(0);
    expect(JSON.parse(imported.out)).toMatchObject({ layout: 'Lightning', tensors: 4, leftOut: [] });
    const change = await cli('change', run);
    expect(change.code).toBe(0);
    expect(change.out).toContain('Change from epoch-0001 to epoch-0003');
  });

  it('name what is broken', async () => {
    await cp(join(fixtures, 'model-epoch-pth'), join(folder, 'broken'), { recursive: true });
    await put('broken/model_2.pth', 'PK');
    const info = await cli('info', join(folder, 'broken'));
    expect(info.out).toMatch(/model_2\.pth +2 +– +unreadable/);
    expect(info.err).toContain('expected a PyTorch file');
    const imported = await cli('import', join(folder, 'broken'), '-o', join(folder, 'broken-run'));
    expect(imported.code).toBe(0);
    expect(imported.err).toContain('left out: ');
    expect(imported.out).toContain('2 snapshots (epoch-0001 … epoch-0003)');
  });

  it('layer outputs by name pattern: tendency works', async () => {
    for (const epoch of [1, 2]) {
      const points = Float32Array.from({ length: 60 }, (_, i) => (i < 30 ? 0 : 9) + ((i * 37) % 11) / 20);
      await put(`acts/${epoch}/hidden.npy`, encodeNpy(points, [30, 2]));
    }
    await put(
      'labels.npy',
      encodeNpy(
        Uint8Array.from({ length: 30 }, (_, i) => (i < 15 ? 0 : 1)),
        [30],
      ),
    );
    const run = join(folder, 'acts-run');
    const labels = join(folder, 'labels.npy');
    const args = [
      'import',
      join(folder, 'acts'),
      '--outputs',
      '{epoch}/{layer}.npy',
      '--labels',
      labels,
      '-o',
      run,
    ];
    expect(await cli(...args)).toMatchObject({ code: 0 });
    const tendency = await cli('tendency', run, '--snapshots', 'all', '--layers', 'hidden', '--json');
    expect(tendency.err).not.toContain('epochscope:');
    const { panels } = JSON.parse(tendency.out);
    expect(panels).toHaveLength(2);
    expect(panels[0]).toMatchObject({ blocks: 2, ari: { value: 1 } });
  });

  it('refuse in one line, exit 1; wrong usage exit 2', async () => {
    expect(await cli('import', folder)).toMatchObject({ code: 2 });
    const empty = join(folder, 'empty');
    await mkdir(empty);
    const refused = await cli('import', empty, '-o', join(folder, 'none'));
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('no snapshots recognised');
    expect(refused.err.trim().split('\n').length).toBeLessThanOrEqual(2);
  });
});
