import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readNpy } from '../formats/npy.js';
import { readSafetensors } from '../formats/safetensors.js';
import { bytesSource } from '../formats/source.js';
import type { Tensor } from '../formats/types.js';
import { prepareTf, type Tf } from '../models/backend.js';
import { graphOfRun } from '../models/graph/of-run.js';
import { GraphRunner } from '../models/graph/runner.js';
import { openRun } from '../run/read.js';
import { createRun, type RunInit } from '../run/write.js';
import { memoryStore } from '../stores/memory.js';
import { zipOf } from '../stores/zip.js';
import { recordFit } from './callback.js';

let tf: Tf;
beforeAll(async () => {
  tf = await prepareTf();
});
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-callback-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const inputs: Tensor = {
  data: Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)),
  shape: [12, 2],
  dtype: 'float32',
};
const labels = Uint32Array.from({ length: 12 }, (_, i) => i % 3);
function setUp(layers: number[] = [4, 3]) {
  const model = tf.sequential();
  layers.forEach((units, i) => {
    const last = i === layers.length - 1;
    model.add(
      tf.layers.dense({
        name: `d${i}`,
        units,
        activation: last ? 'softmax' : 'relu',
        ...(i === 0 ? { inputShape: [2] } : {}),
        kernelInitializer: tf.initializers.glorotUniform({ seed: 5 + i }),
      }),
    );
  });
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  const x = tf.tensor2d(inputs.data as Float32Array, [12, 2]);
  const y = tf.oneHot(tf.tensor1d(Int32Array.from(labels), 'int32'), 3);
  return { model, x, y };
}

describe('recordFit', () => {
  it('records a run that holds its net, on disk', async () => {
    const { model, x, y } = setUp();
    const callbacks = recordFit(tf, model, (init) => createRun(join(folder, 'run'), init), {
      samples: { inputs, labels },
      classes: ['a', 'b', 'c'],
      every: 2,
      epochs: 3,
    });
    await model.fit(x, y, { epochs: 3, shuffle: false, verbose: 0, callbacks });
    const run = await openRun(join(folder, 'run'));
    expect(run.warnings).toEqual([]);
    expect(run.manifest.snapshots.map(({ id }) => id)).toEqual(['init', 'epoch-0002', 'epoch-0003']);
    expect(Object.keys(run.manifest.snapshots[1]!.metrics)).toContain('loss');
    expect(run.manifest.training).toEqual({ optimizer: 'SGD' });
    const weights = await run.weights('last');
    expect(weights.get('d0.kernel')!.data).toEqual(
      Float32Array.from(model.getLayer('d0').getWeights()[0]!.dataSync()),
    );
    const runner = new GraphRunner(tf, graphOfRun(tf, run.manifest, weights, 'run'));
    const got = runner.run(inputs.data as Float32Array, 12, ['d1', 'log_softmax']);
    const expected = (model.predict(x) as ReturnType<Tf['tensor']>).dataSync();
    // 1e-5: the same sums by other kernels.
    for (const [i, value] of expected.entries()) {
      expect(Math.abs(got.get('d1')![i]! - value)).toBeLessThan(1e-5);
      expect(Math.abs(Math.exp(got.get('log_softmax')![i]!) - value)).toBeLessThan(1e-5);
    }
    runner.dispose();
  });

  it('records in memory, for a browser; the zip is a run', async () => {
    const { model, x, y } = setUp();
    const store = memoryStore('mine');
    const create = (init: RunInit) => createRun(store, init);
    await model.fit(x, y, {
      epochs: 1,
      verbose: 0,
      callbacks: recordFit(tf, model, create, { samples: { inputs } }),
    });
    const files = unzipSync(await zipOf(store));
    expect(Object.keys(files).sort()).toEqual([
      'mine/index.json',
      'mine/run.json',
      'mine/samples/inputs.npy',
      'mine/snapshots/epoch-0001/weights.safetensors',
      'mine/snapshots/init/weights.safetensors',
    ]);
    expect(JSON.parse(new TextDecoder().decode(files['mine/run.json']))).toMatchObject({
      format: 'epochscope-run/1',
      complete: true,
      model: { name: 'graph', inputScale: 1 },
    });
    const stored = await readSafetensors(
      bytesSource('w', files['mine/snapshots/epoch-0001/weights.safetensors']!),
    );
    expect(stored.get('d1.bias')!.shape).toEqual([3]);
  });

  it('records the outputs of a model that the graph cannot say', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ name: 'a', units: 4, inputShape: [2], activation: 'elu' }),
        tf.layers.dense({ name: 'b', units: 3 }),
      ],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const store = memoryStore('m');
    const { x, y } = setUp();
    let init: RunInit | undefined;
    const create = (given: RunInit) => {
      init = given;
      return createRun(store, given);
    };
    await model.fit(x, y.cast('float32'), {
      epochs: 1,
      verbose: 0,
      callbacks: recordFit(tf, model, create, { samples: { inputs } }),
    });
    expect(init).toMatchObject({
      model: null,
      layers: [{ name: 'a', shape: [4], parameters: ['a.kernel', 'a.bias'] }, { name: 'b' }],
    });
    const out = await readNpy(bytesSource('o', store.files().get('snapshots/epoch-0001/outputs/b.npy')!));
    expect(out.shape).toEqual([12, 3]);
    const expected = (model.predict(x) as ReturnType<Tf['tensor']>).dataSync();
    for (const [i, value] of expected.entries()) expect((out.data as Float32Array)[i]).toBeCloseTo(value, 5);
  });

  it('judges rules after each snapshot, and an alarm may end the training', async () => {
    const { model, x, y } = setUp();
    const texts: string[] = [];
    await model.fit(x, y, {
      epochs: 5,
      shuffle: false,
      verbose: 0,
      callbacks: recordFit(tf, model, (init) => createRun(memoryStore('live'), init), {
        samples: { inputs, labels },
        rules: ['dead units of d0 under 2', 'loss under 100 for 2 snapshots'],
        onAlarm: ({ text }) => {
          texts.push(text);
          if (text.includes('2nd time')) model.stopTraining = true;
        },
      }),
    });
    expect(texts).toHaveLength(2);
    expect(texts[0]).toMatch(/^at epoch-0001 dead units of d0 is 0/);
    expect(texts[1]).toMatch(/^at epoch-0002 loss is .*, under 100, the 2nd time in a row$/);
    const bare = recordFit(
      tf,
      model,
      () => ({ writeSamples: async () => {}, writeSnapshot: async () => {}, finish: async () => {} }),
      {
        rules: ['loss rose'],
      },
    );
    await expect(bare.onTrainBegin()).rejects.toThrow('expected a run of createRun');
  });

  it('refuses what makes no sense', async () => {
    const { model } = setUp();
    const create = () =>
      createRun(memoryStore('m'), {
        model: null,
        layers: [],
        classes: null,
        inputShape: null,
        training: null,
      });
    expect(() => recordFit(tf, model, create, { every: 0 })).toThrow('every: expected a whole number > 0');
    const callbacks = recordFit(tf, model, create, { samples: { inputs, labels: Uint32Array.of(1) } });
    await expect((async () => callbacks.onTrainBegin())()).rejects.toThrow(
      '12 samples need 12 labels, got 1',
    );
    await expect((await create()).writeSamples({ inputs: null, labels: null, source: '' })).rejects.toThrow(
      'inputs, labels or both',
    );
    await expect(
      (await create()).writeSnapshot({ id: '../x', epoch: 1, step: null, metrics: {} }, new Map()),
    ).rejects.toThrow('plain name');
  });
});
