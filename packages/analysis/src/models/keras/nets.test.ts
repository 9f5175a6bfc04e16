import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { readKerasFile, readKerasWeights } from '../../formats/keras.js';
import { readNpz } from '../../formats/npz.js';
import { bytesSource } from '../../formats/source.js';
import type { Tensor } from '../../formats/types.js';
import { canonicalWeights } from '../../run/import/canonical.js';
import { GraphRunner } from '../graph/index.js';
import { referenceRun } from '../graph/reference.js';
import { prepareTf, type Tf } from '../index.js';
import { graphOfKeras } from './index.js';

// Nets by Keras 3 with its outputs (tests/fixtures/write_keras_nets.py).
const folder = fileURLToPath(new URL('../../../../../tests/fixtures/nets/', import.meta.url));
const names = readdirSync(folder).filter((name) => name.endsWith('.keras'));
const source = (name: string) => bytesSource(name, new Uint8Array(readFileSync(folder + name)));
const floats = (tensor: Tensor) => Float32Array.from(tensor.data as ArrayLike<number>, Number);

let tf: Tf;
beforeAll(async () => {
  tf = await prepareTf();
});

async function opened(name: string) {
  const { config } = await readKerasFile(source(name));
  const { tensors } = canonicalWeights(await readKerasWeights(source(name)), name);
  return { config, tensors, graph: graphOfKeras(config, tensors, name) };
}

describe('Keras nets of sequences and of upsampling', () => {
  it('are all there', () => {
    expect(names.length).toBeGreaterThanOrEqual(5);
  });

  it.each(names)('%s gives what Keras gives', async (name) => {
    const { graph } = await opened(name);
    const golden = await readNpz(source(name.replace('.keras', '.npz')));
    const [x, y] = ['x', 'y'].map((key) => floats(golden.get(key)!)) as [Float32Array, Float32Array];
    const runner = new GraphRunner(tf, graph);
    const got = runner.run(x, 2).get(runner.last)!;
    expect(got.length).toBe(y.length);
    // 2e-5: float32 on both sides; a normalisation of two channels near 0 magnifies what sums differ by.
    expect(y.findIndex((value, i) => !(Math.abs(got[i]! - value) < 2e-5))).toBe(-1);
    const size = x.length / 2;
    const loops = referenceRun(graph, Float64Array.from(x.subarray(0, size)));
    const layers = graph.nodes.map(({ name: layer }) => layer);
    const ran = runner.run(x, 2, layers);
    for (const layer of layers) {
      const values = ran.get(layer)!;
      const wrong = loops
        .get(layer)!
        .findIndex((value, p) => !(Math.abs(values[p]! - value) < 2e-5 * Math.max(1, Math.abs(value))));
      expect(wrong, `${layer}[${wrong}]`).toBe(-1);
    }
    runner.dispose();
  });

  it.each(names)('%s: transposed products are adjoint', async (name) => {
    const { graph } = await opened(name);
    const golden = await readNpz(source(name.replace('.keras', '.npz')));
    const x = floats(golden.get('x')!);
    const runner = new GraphRunner(tf, graph);
    const at = runner.at(x.subarray(0, x.length / 2));
    const from = graph.nodes.find(({ kind }) => kind === 'embedding')?.name ?? 'input';
    const wave = (size: number, by: number) =>
      Float32Array.from({ length: size }, (_, i) => Math.sin(by * (i + 1)));
    const [v, u] = [wave(runner.sizeOf(from), 1.3), wave(runner.sizeOf(runner.last), 2.1)];
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    const jv = at.jvp(v, 1, from, runner.last);
    const scale = Math.sqrt(dot(u, u) * dot(jv, jv));
    // 2e-6: two passes in float32.
    expect(Math.abs(dot(u, jv) - dot(at.vjp(u, 1, from, runner.last), v)) / scale).toBeLessThan(2e-6);
    expect(scale).toBeGreaterThan(1e-4);
    at.dispose();
    runner.dispose();
  });

  it('what is not known of a recurrent layer is refused, naming it', async () => {
    const { config, tensors } = await opened('keras-lstm.keras');
    const changed = (key: string, value: unknown) => {
      const copy = structuredClone(config) as {
        config: { layers: { class_name: string; config: object }[] };
      };
      for (const layer of copy.config.layers)
        if (layer.class_name === 'LSTM') Object.assign(layer.config, { [key]: value });
      return () => graphOfKeras(copy, tensors, 'm.keras');
    };
    expect(changed('activation', 'relu')).toThrow(
      /m.keras: layer lstm\w* \(LSTM\): expected activation tanh/,
    );
    expect(changed('return_state', true)).toThrow('return_state and stateful are not known');
  });
});
