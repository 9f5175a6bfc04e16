import * as tf from '@tensorflow/tfjs';
import { unzipSync } from 'fflate';
import { expect, it } from 'vitest';
import { createRun, memoryStore, recordFit, zipOf } from '../index.js';

it('records a training in a browser; the zip is a run with the weights that tfjs has', async () => {
  await tf.setBackend('cpu');
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ name: 'hidden', units: 4, inputShape: [2], activation: 'relu' }),
      tf.layers.dense({ name: 'out', units: 3, activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  const data = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i));
  const labels = Uint32Array.from({ length: 12 }, (_, i) => i % 3);
  const store = memoryStore('mine');
  await model.fit(tf.tensor2d(data, [12, 2]), tf.oneHot(tf.tensor1d([...labels], 'int32'), 3), {
    epochs: 2,
    verbose: 0,
    callbacks: recordFit(tf, model, (init) => createRun(store, init), {
      samples: { inputs: { data, shape: [12, 2], dtype: 'float32' }, labels },
      classes: ['a', 'b', 'c'],
    }),
  });
  const files = unzipSync(await zipOf(store));
  const manifest = JSON.parse(new TextDecoder().decode(files['mine/run.json']));
  expect(manifest).toMatchObject({ format: 'epochscope-run/1', complete: true, classes: ['a', 'b', 'c'] });
  expect(manifest.snapshots.map(({ id }: { id: string }) => id)).toEqual([
    'init',
    'epoch-0001',
    'epoch-0002',
  ]);
  expect(manifest.snapshots[2].metrics.loss).toBeGreaterThan(0);
  // The last tensor of the file, read by hand: safetensors is a length, a JSON header and the bytes.
  const file = files['mine/snapshots/epoch-0002/weights.safetensors']!;
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  const [from, to] = header['out.bias'].data_offsets;
  const bias = new Float32Array(file.slice(8 + length + from, 8 + length + to).buffer);
  expect([...bias]).toEqual([...model.getLayer('out').getWeights()[1]!.dataSync()]);
});
