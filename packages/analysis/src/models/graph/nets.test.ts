import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readNpz } from '../../formats/npz.js';
import { readOnnx } from '../../formats/onnx/index.js';
import { bytesSource } from '../../formats/source.js';
import type { Tensor } from '../../formats/types.js';
import { prepareTf, type Tf } from '../index.js';
import { GraphRunner, graphOfOnnx, layersOfGraph } from './index.js';
import { referenceRun } from './reference.js';

// Nets by PyTorch, torchvision and transformers, with their outputs and Jacobian products in float64
// (tests/fixtures/write_nets.py).
const folder = fileURLToPath(new URL('../../../../../tests/fixtures/nets/', import.meta.url));
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.onnx'))
  .map((name) => name.slice(0, -5));
const source = (name: string) => bytesSource(name, new Uint8Array(readFileSync(folder + name)));
const floats = (tensor: Tensor) => Float32Array.from(tensor.data as ArrayLike<number>, Number);
const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

let tf: Tf;
let tensors: number;
beforeAll(async () => {
  tf = await prepareTf();
});
beforeEach(() => {
  tensors = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors, 'tensors leaked').toBe(tensors);
});

/** n samples [channels, space …] with channels last. */
function toLast(data: Float32Array, n: number, [channels, ...space]: readonly number[]): Float32Array {
  const area = product(space);
  const out = new Float32Array(data.length);
  for (let s = 0; s < n; s++)
    for (let c = 0; c < channels!; c++)
      for (let p = 0; p < area; p++)
        out[(s * area + p) * channels! + c] = data[(s * channels! + c) * area + p]!;
  return out;
}

/** A net of the fixtures with what its writer says of it, all in our layout. */
async function opened(name: string) {
  const onnx = await readOnnx((file, body) => body(source(file)), `${name}.onnx`);
  const { graph, channelsFirst } = await graphOfOnnx(onnx, `${name}.onnx`);
  const golden = await readNpz(source(`${name}.npz`));
  const runner = new GraphRunner(tf, graph);
  const shapeOf = (key: string) => golden.get(key)!.shape.slice(1);
  const input = shapeOf('x');
  const output = shapeOf('y');
  const turnsInput = channelsFirst && input.length > 1;
  const turnsOutput = turnsInput && output.length === input.length && output.length > 2;
  const get = (key: string, turned: boolean) => {
    const { shape } = golden.get(key)!;
    const values = floats(golden.get(key)!);
    return turned ? toLast(values, shape[0]!, shape.slice(1)) : values;
  };
  const from = graph.nodes.find(({ kind }) => kind === 'embedding')?.name ?? 'input';
  return {
    graph,
    runner,
    from,
    to: runner.last,
    x: get('x', turnsInput),
    y: get('y', turnsOutput),
    v: get('v', turnsInput),
    jv: get('jv', turnsOutput),
    u: get('u', turnsOutput),
    jtu: get('jtu', turnsInput),
  };
}

/** Largest difference by the largest value expected. */
function apart(got: Float32Array | Float64Array, expected: Float32Array | Float64Array): number {
  expect(got.length).toBe(expected.length);
  let [difference, largest] = [0, 0];
  for (const [i, value] of expected.entries()) {
    difference = Math.max(difference, Math.abs(got[i]! - value));
    largest = Math.max(largest, Math.abs(value));
  }
  expect(largest).toBeGreaterThan(1e-4);
  return difference / largest;
}

describe('nets by their own writers', () => {
  it('are all there', () => {
    expect(names.length).toBeGreaterThan(30);
  });

  // 1e-5: float32 against float64 over up to a hundred layers; seen: below 3e-6.
  it.each(names)('%s: outputs, J·v and Jᵀ·u are those of PyTorch', async (name) => {
    const { runner, from, to, x, y, v, jv, u, jtu } = await opened(name);
    try {
      expect(apart(runner.run(x, 2).get(to)!, y), 'outputs').toBeLessThan(1e-5);
      const at = runner.at(x.subarray(0, x.length / 2));
      try {
        expect(apart(at.jvp(v, 1, from, to), jv), 'J·v').toBeLessThan(1e-5);
        expect(apart(at.vjp(u, 1, from, to), jtu), 'Jᵀ·u').toBeLessThan(1e-5);
        // A block of two is each by itself.
        const block = at.jvp(Float32Array.of(...v, ...v.map((value) => -2 * value)), 2, from, to);
        expect(apart(block.subarray(0, jv.length), jv)).toBeLessThan(1e-5);
        expect(
          apart(
            block.subarray(jv.length),
            jv.map((value) => -2 * value),
          ),
        ).toBeLessThan(1e-5);
      } finally {
        at.dispose();
      }
    } finally {
      runner.dispose();
    }
  });

  // The order of float32 sums alone: seen below 3e-6.
  it.each(names)('%s: linearised at two samples, it has the products of each', async (name) => {
    const { runner, from, to, x, v, u } = await opened(name);
    const [one, rows, columns] = [x.length / 2, runner.sizeOf(to), runner.sizeOf(from)];
    const turned = (list: Float32Array) => list.map((value, i) => value * (i % 3) - 0.5 * value);
    const [vs, us] = [Float32Array.of(...v, ...turned(v)), Float32Array.of(...u, ...turned(u))];
    try {
      const both = runner.at(x, 2);
      try {
        const [jv, jtu] = [both.jvp(vs, 2, from, to), both.vjp(us, 2, from, to)];
        for (const s of [0, 1]) {
          const at = runner.at(x.slice(s * one, (s + 1) * one));
          try {
            const own = at.jvp(vs.slice(s * columns, (s + 1) * columns), 1, from, to);
            expect(apart(jv.subarray(s * rows, (s + 1) * rows), own), `J·v, sample ${s}`).toBeLessThan(1e-5);
            const back = at.vjp(us.slice(s * rows, (s + 1) * rows), 1, from, to);
            expect(
              apart(jtu.subarray(s * columns, (s + 1) * columns), back),
              `Jᵀ·u, sample ${s}`,
            ).toBeLessThan(1e-5);
          } finally {
            at.dispose();
          }
        }
      } finally {
        both.dispose();
      }
    } finally {
      runner.dispose();
    }
  });

  it.each(names)('%s: every layer is what plain float64 loops give', async (name) => {
    const { graph, runner, x } = await opened(name);
    const layers = layersOfGraph(graph).map((layer) => layer.name);
    const got = runner.run(x, 2, layers);
    const size = x.length / 2;
    const expected = referenceRun(graph, Float64Array.from(x.subarray(size)));
    for (const layer of layers) {
      const values = got.get(layer)!;
      const own = expected.get(layer)!;
      const scale = Math.max(1e-3, ...own.map(Math.abs));
      // 2e-5 of the layer's largest value: sums of up to a hundred layers in float32.
      const wrong = own.findIndex((value, p) => !(Math.abs(values[own.length + p]! - value) < 2e-5 * scale));
      expect(wrong, `${layer}[${wrong}]`).toBe(-1);
    }
    runner.dispose();
  });

  it('layers are named after weights, and what only moves values is none', async () => {
    const { graph, runner } = await opened('vit');
    runner.dispose();
    const layers = layersOfGraph(graph);
    expect(layers.map(({ name }) => name)).toEqual(expect.arrayContaining(['conv_proj']));
    for (const kind of ['transpose', 'slice', 'constant', 'take', 'expand'])
      expect(layers.filter((layer) => layer.kind === kind)).toEqual([]);
    // GELU of five nodes is one layer, and attention is soft-max over keys, one row a query.
    expect(layers.filter(({ kind }) => kind === 'gelu')).toHaveLength(2);
    expect(layers.filter(({ kind }) => kind === 'softmax').map(({ shape }) => shape)).toEqual([
      [2, 5, 5],
      [2, 5, 5],
    ]);
  });

  it('refuses ids beyond the table instead of reading what lies there', async () => {
    const { runner, x } = await opened('bert');
    const ids = x.slice(0, x.length / 2);
    ids[3] = 31;
    expect(() => runner.run(ids, 1)).toThrow('expected whole numbers from 0 to 30 as ids, got 31');
    ids[3] = 1.5;
    expect(() => runner.run(ids, 1)).toThrow('got 1.5');
    runner.dispose();
  });
});
