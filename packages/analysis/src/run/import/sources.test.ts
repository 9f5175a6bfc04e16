import { describe, expect, it } from 'vitest';
import type { OnnxModel, OnnxNode } from '../../formats/onnx/index.js';
import type { Tensor } from '../../formats/types.js';
import { transpose } from '../transpose.js';
import { asSource, isReference, modulePath, renamed, sourcesOf, type TorchTensors } from './sources.js';

const tensor = (shape: number[], seed: number): Tensor => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
    Math.fround(Math.sin(seed + 7 * i)),
  ),
  shape,
  dtype: 'float32',
});
const node = (op: string, name: string, inputs: string[], scope?: string): OnnxNode => ({
  name,
  op,
  domain: '',
  inputs,
  outputs: [`${name}.out`],
  attributes: new Map(),
  ...(scope === undefined ? {} : { scope }),
});
const model = (tensors: Record<string, Tensor>, nodes: OnnxNode[]): OnnxModel => ({
  opset: 18,
  nodes,
  tensors: new Map(Object.entries(tensors)),
  inputs: [],
  outputs: [],
});
const snapshot = (tensors: Record<string, Tensor>): TorchTensors => ({
  shapes: new Map(Object.entries(tensors).map(([name, { shape }]) => [name, shape])),
  read: async (name) => tensors[name]!,
});

const square = tensor([3, 3], 1);
const table = tensor([5, 3], 2);
const places = tensor([4, 3], 3);
const weights = { 'h.fc.weight': square, 'wte.weight': table, 'wpe.weight': places };

describe('which tensor of a snapshot each of a model is', () => {
  it('a matrix that was turned is found by the module that reads it, also where it is square', async () => {
    for (const reader of [
      node('MatMul', '/net/h/fc/MatMul', ['x', 'onnx::MatMul_9']),
      node('MatMul', 'n1', ['x', 'onnx::MatMul_9'], 'net.h.fc'),
    ]) {
      const found = await sourcesOf(
        model({ 'net.wte.weight': table, 'onnx::MatMul_9': transpose(square, [1, 0]) }, [reader]),
        snapshot(weights),
        null,
      );
      expect(Object.fromEntries(found)).toEqual({
        'net.wte.weight': { tensor: 'wte.weight', how: 'same' },
        'onnx::MatMul_9': { tensor: 'h.fc.weight', how: 'turned' },
      });
    }
  });

  it('an embedding shared with the head is found under the name of either', async () => {
    const named = await sourcesOf(
      model({ 'net.h.fc.weight': square, 'net.lm_head.weight': table, val_3: transpose(table, [1, 0]) }, [
        node('Gather', 'g', ['net.lm_head.weight', 'x'], 'net.wte'),
        node('MatMul', 'm', ['y', 'val_3'], 'net.lm_head'),
      ]),
      snapshot(weights),
      null,
    );
    expect(named.get('net.lm_head.weight')).toEqual({ tensor: 'wte.weight', how: 'same' });
    expect(named.get('val_3')).toEqual({ tensor: 'wte.weight', how: 'turned' });
  });

  it('a table cut to some rows is found by values alone, of the snapshot that the model holds', async () => {
    const cut: Tensor = { data: places.data.slice(3, 9) as Float32Array, shape: [1, 2, 3], dtype: 'float32' };
    const own = model({ 'wte.weight': table, 'h.fc.weight': square, embedding_1: cut }, []);
    expect((await sourcesOf(own, snapshot(weights), null)).has('embedding_1')).toBe(false);
    const found = await sourcesOf(own, snapshot(weights), snapshot(weights));
    expect(found.get('embedding_1')).toEqual({ tensor: 'wpe.weight', how: 'rows', from: 1 });
    const later = tensor([4, 3], 50);
    const made = asSource(() => later, found.get('embedding_1')!, [1, 2, 3], 'f');
    expect(made).toMatchObject({ shape: [1, 2, 3] });
    expect([...made.data]).toEqual([...(later.data as Float32Array).slice(3, 9)]);
    expect(await isReference(own, found, snapshot(weights))).toBe(true);
    expect(await isReference(own, found, snapshot({ ...weights, 'wte.weight': tensor([5, 3], 4) }))).toBe(
      false,
    );
  });

  it('numbers that are the same everywhere, and others that no module explains, are constants', async () => {
    const ones: Tensor = { data: new Float32Array(9).fill(1), shape: [3, 3], dtype: 'float32' };
    const found = await sourcesOf(
      model({ 'wte.weight': table, ones, other: tensor([3, 3], 9) }, [
        node('MatMul', '/else/MatMul', ['x', 'other']),
      ]),
      snapshot({ ...weights, 'h.fc.weight': ones }),
      snapshot({ ...weights, 'h.fc.weight': ones }),
    );
    expect([...found.keys()]).toEqual(['wte.weight']);
  });

  it('gates of recurrent layers come in the order of ONNX, layer by layer and direction by direction', async () => {
    const states = {
      'head.weight': square,
      'rnn.weight_ih_l0': tensor([4, 2], 1),
      'rnn.weight_hh_l0': tensor([4, 1], 2),
      'rnn.bias_ih_l0': tensor([4], 3),
      'rnn.bias_hh_l0': tensor([4], 4),
    };
    const own = model(
      { 'head.weight': square, w: tensor([1, 4, 2], 7), r: tensor([1, 4, 1], 7), b: tensor([1, 8], 7) },
      [node('LSTM', '/rnn/LSTM', ['x', 'w', 'r', 'b'])],
    );
    const found = await sourcesOf(own, snapshot(states), null);
    expect(found.get('b')).toEqual({
      tensor: 'rnn.bias_ih_l0',
      how: 'LSTM',
      parts: [['rnn.bias_ih_l0', 'rnn.bias_hh_l0']],
    });
    const read = (name: string) => states[name as keyof typeof states];
    const [a, c] = [states['rnn.bias_ih_l0'].data, states['rnn.bias_hh_l0'].data];
    // PyTorch: input, forget, cell, output. ONNX: input, output, forget, cell.
    expect([...asSource(read, found.get('b')!, [1, 8], 'f').data]).toEqual([
      a[0],
      a[3],
      a[1],
      a[2],
      c[0],
      c[3],
      c[1],
      c[2],
    ]);
    expect(() => asSource(read, found.get('b')!, [1, 12], 'f')).toThrow(
      'rnn.bias_ih_l0 has 8 numbers, and [1,12]',
    );
    expect(() => asSource(() => undefined, found.get('b')!, [1, 8], 'f')).toThrow(
      'expected a tensor rnn.bias_ih_l0',
    );
  });

  it('layers are called as in the snapshot', async () => {
    const own = model({ 'net.wte.weight': table, 'onnx::MatMul_9': transpose(square, [1, 0]) }, [
      node('MatMul', '/net/h/fc/MatMul', ['x', 'onnx::MatMul_9']),
    ]);
    const called = renamed(own, await sourcesOf(own, snapshot(weights), null));
    expect([...called.model.tensors.keys()]).toEqual(['wte.weight', 'h.fc.weight']);
    expect(called.model.nodes[0]!.inputs).toEqual(['x', 'h.fc.weight']);
    expect(modulePath(own.nodes[0]!)).toBe('net.h.fc');
    expect(modulePath(node('Add', 'Add_3', []))).toBeNull();
  });
});
