import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importRun, type ModulesResult, openRun, readResult, type Tensor } from '@epochscope/analysis';
import { encodeNpy, encodeNpz, encodeSafetensors } from '@epochscope/analysis/formats';
import { analyseChange } from '@epochscope/analysis/methods';
import { captureGraph, GraphRunner, graphOfRun, prepareTf } from '@epochscope/analysis/models';
import { readArchitecture } from '@epochscope/analysis/runs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from './harness.js';

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
  ['onnx', 'epoch'],
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
    // A Keras layer with an activation of its own is two nodes.
    const conv = byName.get('conv') ?? byName.get('conv.linear');
    expect(conv).toMatchObject({ kind: 'conv2d' });
    const head = byName.get('head') ?? byName.get('head.linear');
    expect(head).toMatchObject({ kind: 'dense' });
    expect(conv!.pearson).toBeCloseTo(CONV[0], 5);
    expect(conv!.slope).toBeCloseTo(CONV[1], 5);
    expect(head!.pearson).toBeCloseTo(HEAD[0], 5);
    expect(head!.slope).toBeCloseTo(HEAD[1], 5);
  });
});

describe('nets that come with a run', () => {
  const inputs: Tensor = {
    data: Float32Array.from({ length: 5 * 36 }, (_, i) => Math.sin(i * 12.9898)),
    shape: [5, 1, 6, 6],
    dtype: 'float32',
  };
  it.each([
    ['onnx', null],
    ['model-epoch-pth', 'onnx/net-2.onnx'],
    ['lightning', 'onnx/net-1.onnx'],
    ['keras-zip', null],
    ['keras-h5', null],
    ['keras-weights', 'keras-zip/net-01.keras'],
    ['tfjs', null],
  ])('%s: outputs are computed where the net is known', async (name, model) => {
    const target = join(folder, `net-${name}`);
    const from = join(made[name] ? folder : fixtures, name);
    const architecture = model ? await readArchitecture(join(fixtures, model)) : undefined;
    const summary = await importRun(from, target, {
      inputs,
      architecture,
      labels: Uint32Array.of(0, 1, 2, 0, 1),
    });
    expect(summary).toMatchObject({ net: true, leftOut: [] });
    const run = await openRun(target);
    const { manifest } = run;
    expect(manifest.inputShape).toEqual([6, 6, 1]);
    expect(manifest.layers.at(-1)).toMatchObject({ name: 'log_softmax', kind: 'log-softmax', shape: [3] });
    const tf = await prepareTf();
    const runner = new GraphRunner(tf, graphOfRun(tf, manifest, await run.weights('2'), 'run'));
    const x = (await run.inputs())!;
    const captured = await captureGraph(runner, {
      data: x.data as Float32Array,
      shape: [5, 6, 6, 1],
      dtype: 'float32',
    });
    runner.dispose();
    // By definition, in float64, from the golden weights: convolution, ReLU, pool; PyTorch flattens channels first.
    const weights = golden.get(2)!;
    const w = (tensor: string) => weights.get(tensor)!.data as Float32Array;
    for (let n = 0; n < 5; n++) {
      const pooled: number[] = [];
      for (let f = 0; f < 2; f++)
        for (let p = 0; p < 4; p++) {
          let largest = 0;
          for (let q = 0; q < 4; q++) {
            const [y0, x0] = [2 * (p >> 1) + (q >> 1), 2 * (p % 2) + (q % 2)];
            let sum = w('conv.bias')[f]!;
            for (let k = 0; k < 9; k++)
              sum +=
                (inputs.data[n * 36 + (y0 + Math.floor(k / 3)) * 6 + x0 + (k % 3)]! as number) *
                w('conv.kernel')[k * 2 + f]!;
            largest = Math.max(largest, sum);
          }
          pooled[/keras|tfjs/.test(name) ? p * 2 + f : f * 4 + p] = largest;
        }
      const scores = [0, 1, 2].map((c) =>
        pooled.reduce((sum, v, i) => sum + v * w('head.kernel')[i * 3 + c]!, w('head.bias')[c]!),
      );
      const all = Math.log(scores.reduce((sum, s) => sum + Math.exp(s), 0));
      // 1e-4: float32 against float64, scores of some tens.
      for (let c = 0; c < 3; c++)
        expect(Math.abs(captured.get('log_softmax')!.data[n * 3 + c]! - (scores[c]! - all))).toBeLessThan(
          1e-4,
        );
    }
  });

  it('a net that cannot run here leaves the weights; one that was asked for is refused', async () => {
    const from = join(fixtures, 'model-epoch-pth');
    const architecture = await readArchitecture(join(fixtures, '..', 'onnx', 'torch-mlp.onnx'));
    await expect(importRun(from, join(folder, 'other'), { architecture })).rejects.toThrow(
      'do_constant_folding=False',
    );
    const strange = { kind: 'keras' as const, config: { class_name: 'Sequential', config: { layers: [] } } };
    await expect(importRun(from, join(folder, 'other'), { architecture: strange })).rejects.toThrow(
      'no snapshot could be read',
    );
  });

  it.each(['torch2-residual-unfused.onnx', 'torch2-residual-old.onnx'])(
    'a state dict with %s, which kept its batch normalisations, gives what the model gives',
    async (model) => {
      const onnx = join(fixtures, '..', 'onnx');
      await mkdir(join(folder, 'torch2'), { recursive: true });
      for (const n of [1, 2]) await cp(join(onnx, 'torch2-residual.pt'), join(folder, 'torch2', `m_${n}.pt`));
      const target = join(folder, `run-${model}`);
      const architecture = await readArchitecture(join(onnx, model));
      expect(await importRun(join(folder, 'torch2'), target, { architecture })).toMatchObject({
        leftOut: [],
      });
      const run = await openRun(target);
      const tf = await prepareTf();
      const runner = new GraphRunner(tf, graphOfRun(tf, run.manifest, await run.weights('2'), 'run'));
      // Inputs as write_onnx2.py makes them, channels last.
      const x = new Float32Array(256);
      for (let i = 0; i < 256; i++)
        x[i - (i % 128) + (i % 64) * 2 + (Math.floor(i / 64) % 2)] = Math.sin(i * 12.9898) * 2;
      const got = runner.run(x, 2, ['fc']).get('fc')!;
      runner.dispose();
      const expected = JSON.parse(await readFile(join(onnx, 'expected2.json'), 'utf8'))[model].values;
      for (const [i, value] of (expected as number[]).entries())
        expect(Math.abs(got[i]! - value), `value ${i}`).toBeLessThan(1e-4);
    },
  );

  it('a model whose batch normalisation was folded in is no model of a state dict', async () => {
    const onnx = join(fixtures, '..', 'onnx');
    await mkdir(join(folder, 'folded'), { recursive: true });
    await cp(join(onnx, 'torch2-residual.pt'), join(folder, 'folded', 'm_1.pt'));
    const architecture = await readArchitecture(join(onnx, 'torch2-residual.onnx'));
    await expect(importRun(join(folder, 'folded'), join(folder, 'r'), { architecture })).rejects.toThrow(
      /the snapshot has bn1\.weight, .*; export it with torch\.onnx\.export\(…, optimize=False\)/,
    );
  });

  it('an ONNX file whose net cannot run here gives its weights, and says why', async () => {
    const bytes = await readFile(join(fixtures, '..', 'onnx', 'torch2-residual.onnx'));
    // An operator of the same length that nobody knows.
    const at = bytes.indexOf('MaxPool');
    bytes.write('MixPool', at);
    for (const n of [1, 2]) await put(`onnx-weights/net-${n}.onnx`, bytes);
    const summary = await importRun(join(folder, 'onnx-weights'), join(folder, 'run-onnx-weights'));
    expect(summary).toMatchObject({ net: false, leftOut: [] });
    expect(summary.notes.join()).toMatch(
      /weights alone are imported.*\(MixPool\): operator MixPool is not known/,
    );
    const run = await openRun(join(folder, 'run-onnx-weights'));
    expect([...(await run.weights('2')).keys()]).toEqual(
      expect.arrayContaining(['conv1.kernel', 'conv2.kernel', 'fc.kernel', 'fc.bias']),
    );
  });

  it('the methods run on a PyTorch run by its ONNX model', async () => {
    const run = join(folder, 'cli-net');
    await put('x.npy', encodeNpy(inputs.data, inputs.shape));
    await put('y.npy', encodeNpy(Uint8Array.of(0, 1, 2, 0, 1), [5]));
    const model = join(fixtures, 'onnx', 'net-1.onnx');
    const samples = ['--inputs', join(folder, 'x.npy'), '--labels', join(folder, 'y.npy')];
    const imported = await cli(
      'import',
      join(fixtures, 'model-epoch-pth'),
      '-o',
      run,
      '--model',
      model,
      ...samples,
    );
    expect(imported).toMatchObject({ code: 0 });
    expect(imported.out).toContain('with its net');
    expect(await cli('tendency', run, '--snapshots', 'last', '--layers', 'conv,log_softmax')).toMatchObject({
      code: 0,
    });
    expect(await cli('activity', run)).toMatchObject({ code: 0 });
    // No training data is known: the units are correlated over the run's samples, and outputs not yet held are computed.
    expect(await cli('modules', run)).toMatchObject({ code: 0 });
    const modules = await readResult<ModulesResult>(join(run, 'results', 'modules', 'default'));
    expect(modules.samples.count).toBe(5);
    expect(modules.snapshots.length).toBeGreaterThan(1);
    expect(await cli('modules', run, '--data', 'bundled')).toMatchObject({
      code: 1,
      err: expect.stringContaining('holds an imported net, so that training data cannot be run through it'),
    });
    expect(await cli('geometry', run, '--inputs', '1', '--k', '2', '--no-tangents')).toMatchObject({
      code: 0,
    });
  });
});

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
      const points = Float32Array.from({ length: 120 }, (_, i) => (i < 60 ? 0 : 9) + ((i * 37) % 113) / 200);
      await put(`acts/${epoch}/hidden.npy`, encodeNpy(points, [60, 2]));
    }
    await put(
      'labels.npy',
      encodeNpy(
        Uint8Array.from({ length: 60 }, (_, i) => (i < 30 ? 0 : 1)),
        [60],
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
    expect(panels[0]).toMatchObject({ blocks: 2, scores: { inBlocks: { ari: { value: 1 } } } });
  });

  it('refuse in one line, exit 1; wrong usage exit 2', async () => {
    expect(await cli('import')).toMatchObject({ code: 2 });
    const empty = join(folder, 'empty');
    await mkdir(empty);
    const refused = await cli('import', empty, '-o', join(folder, 'none'));
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('no snapshots recognised');
    expect(refused.err.trim().split('\n').length).toBeLessThanOrEqual(2);
  });
});
