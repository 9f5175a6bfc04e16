import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { importRun, memoryStore, openRun, type Tensor } from '@epochscope/analysis';
import { encodeNpy } from '@epochscope/analysis/formats';
import { readArchitecture } from '@epochscope/analysis/runs';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';

// Nets of kinds that were once misread (fixtures/write_seen.py).

const seen = (name: string) => fileURLToPath(new URL(`fixtures/seen/${name}`, import.meta.url));

async function imported(
  from: Parameters<typeof importRun>[0],
  options: Parameters<typeof importRun>[2] = {},
) {
  const store = memoryStore();
  const { net, notes, leftOut } = await importRun(from, store, options);
  expect(leftOut).toEqual([]);
  return { net, notes: notes.join(), weights: await (await openRun(store)).weights('2') };
}

describe('ONNX', () => {
  it.each(['clip', 'dropout'])(
    'inputs that are left out change nothing about the pool behind: %s',
    async (name) => {
      expect(await imported(seen(name))).toMatchObject({ net: true });
    },
  );

  it('weights in Constant nodes are those of the initializers', async () => {
    const [constants, open, unknown] = await Promise.all([
      imported(seen('constants')),
      imported(seen('constants-open')),
      imported(seen('open')),
    ]);
    expect(constants.net).toBe(true);
    expect([...constants.weights.keys()]).toHaveLength(4);
    // Open sides: weights alone, with the way out.
    for (const one of [open, unknown]) {
      expect(one.net).toBe(false);
      expect(one.notes).toContain('weights alone are imported');
      expect(one.notes).toContain('give the samples');
      for (const [name, { data }] of one.weights)
        expect(constants.weights.get(name)!.data, name).toEqual(data);
    }
  });

  it('sides that are open are those of the samples', async () => {
    const inputs: Tensor = { data: new Float32Array(36), shape: [1, 1, 6, 6], dtype: 'float32' };
    expect(await imported(seen('constants-open'), { inputs })).toMatchObject({ net: true });
  });

  it('one checkpoint is enough where names differ and the model holds its weights', async () => {
    const series = fileURLToPath(new URL('fixtures/series/vit/', import.meta.url));
    const from = memoryStore('vit');
    const file = 'checkpoint-20/model.safetensors';
    await from.write(file, new Uint8Array(readFileSync(series + file)));
    const architecture = await readArchitecture(`${series}net.onnx`);
    expect(await importRun(from, memoryStore(), { architecture })).toMatchObject({ net: true, leftOut: [] });
  });

  it('a model that cannot run here leaves the weights, and a note names the operator', async () => {
    const architecture = await readArchitecture(seen('unknown/net-1.onnx'));
    const { net, notes, weights } = await imported(
      fileURLToPath(new URL('fixtures/layouts/model-epoch-pth', import.meta.url)),
      { architecture },
    );
    expect(net).toBe(false);
    expect(notes).toContain('operator of.somebody.Wave is not known');
    // A snapshot that is the model itself says so once.
    const own = await imported(seen('unknown'), { architecture });
    expect(own.notes.split('operator of.somebody.Wave is not known')).toHaveLength(2);
    expect(weights.size).toBe(4);
  });
});

it('PyTorch: odd tensors are left out by their names, one that stands under two is read under both', async () => {
  const { notes, weights } = await imported(seen('odd'));
  expect([...weights.keys()].sort()).toEqual(['embed.weight', 'empty', 'head.kernel']);
  expect(notes).toContain(
    'left out, being no plain tensors: complex (torch.ComplexFloatStorage), scale (torch.float8_e8m0fnu), four (torch.float4_e2m1fn_x2), quantised (torch._utils._rebuild_qtensor), sparse (torch._utils._rebuild_sparse_tensor)',
  );
  expect(notes).toContain('left out, being no tensors: text, list, nothing');
});

it.each(['npz', 'npy'])(
  'NumPy: text, objects and complex numbers are left out by their names: %s',
  async (kind) => {
    const store = memoryStore('folder');
    const plain = encodeNpy(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    /** The same bytes under another type of as many bytes. */
    const as = (descr: string, shape: string) => {
      const text = Buffer.from(plain).toString('latin1');
      const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117);
      return Uint8Array.from(Buffer.from(`${text.slice(0, 10)}${header}\n${text.slice(128)}`, 'latin1'));
    };
    const files = { kernel: plain, names: as('<U1', '(6,)'), z: as('<c8', '(3,)'), o: as('|O', '(3,)') };
    const named = Object.entries(files).map(([name, bytes]): [string, Uint8Array] => [`${name}.npy`, bytes]);
    for (const epoch of [1, 2]) {
      if (kind === 'npz') await store.write(`params_${epoch}.npz`, zipSync(Object.fromEntries(named)));
      else for (const [name, bytes] of named) await store.write(`epoch_${epoch}/${name}`, bytes);
    }
    const { notes, weights } = await imported(store);
    expect([...weights.keys()]).toEqual(['kernel']);
    for (const odd of ['names (<U1)', 'z (<c8)', 'o (|O)']) expect(notes).toContain(odd);
  },
);

describe('TensorFlow.js', () => {
  /** One convolution and one dense layer, as Keras 2 and as Keras 3 have the topology written. */
  async function model(modern: boolean) {
    const store = memoryStore('net');
    const sizes = { 'conv/kernel': [3, 3, 1, 2], 'conv/bias': [2], 'head/kernel': [32, 3], 'head/bias': [3] };
    const layer = (class_name: string, config: object) => ({ class_name, config });
    const shape = { [modern ? 'batch_shape' : 'batch_input_shape']: [null, 6, 6, 1] };
    const layers = [
      layer('InputLayer', { name: 'x', dtype: 'float32', ...shape }),
      layer('Conv2D', { name: 'conv', filters: 2, kernel_size: [3, 3], activation: 'relu' }),
      layer('Flatten', { name: 'flat' }),
      layer('Dense', { name: 'head', units: 3, activation: 'softmax' }),
    ];
    const count = Object.values(sizes).reduce((sum, side) => sum + side.reduce((a, b) => a * b), 0);
    for (const epoch of [1, 2]) {
      const weights = Object.entries(sizes).map(([name, side]) => ({
        name: modern ? `sequential/${name}` : name,
        shape: side,
        dtype: 'float32',
      }));
      await store.write(
        `epoch-${epoch}/model.json`,
        JSON.stringify({
          modelTopology: { model_config: layer('Sequential', { name: 'sequential', layers }) },
          weightsManifest: [{ paths: ['weights.bin'], weights }],
        }),
      );
      const data = Float32Array.from({ length: count }, (_, i) => Math.sin(i + epoch));
      await store.write(`epoch-${epoch}/weights.bin`, new Uint8Array(data.buffer));
    }
    return store;
  }

  it('a net of Keras 3 is that of Keras 2: batch_shape, the model’s name before its weights', async () => {
    const [old, modern] = [await imported(await model(false)), await imported(await model(true))];
    expect([old.net, modern.net]).toEqual([true, true]);
    expect([...modern.weights]).toEqual([...old.weights]);
  });
});
