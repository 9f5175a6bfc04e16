import { EpochscopeError } from '@epochscope/core-wasm';
import type { Tensor2D, Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../../backend.js';
import type { NodeOf } from '../types.js';
import { collect, widen } from './broadcasting.js';
import { type CompiledOp, linear, nothing } from './compiled.js';
import { broadcast, type Given, type OpDefinition, type Site } from './definition.js';

function compileDense(tf: Tf, node: NodeOf<'dense'>, { inputs, out, weight }: Site): CompiledOp {
  const [input] = inputs as [number[]];
  const { data, shape } = weight(node.kernel);
  const [inner, units] = shape as [number, number];
  const kernel = tf.tensor2d(data, [inner, units]);
  const bias = node.bias ? tf.tensor1d(weight(node.bias).data) : null;
  const flat = (x: TfTensor, side: number) => tf.reshape(x, [x.size / side, side]) as Tensor2D;
  const multiply = (x: TfTensor) => tf.matMul(flat(x, inner), kernel);
  const rows = (y: TfTensor, k: number, sides: readonly number[]) => tf.reshape(y, [k, ...sides]);
  const op = linear(
    (v, k) => rows(multiply(v), k, out),
    (u, k) => rows(tf.matMul(flat(u, units), kernel, false, true), k, input),
    () => {
      kernel.dispose();
      bias?.dispose();
    },
  );
  return {
    ...op,
    run: ([x]) => rows(bias ? tf.add(multiply(x!), bias) : multiply(x!), x!.shape[0]!, out),
  };
}

/** Of two values: J·v = A·v_B + v_A·B. Our matrix product broadcasts leading axes itself. */
function compileMatMul(tf: Tf, node: NodeOf<'matmul'>, { inputs, out }: Site): CompiledOp {
  const { transposeA = false, transposeB = false } = node;
  const rank = out.length;
  const times = (a: TfTensor, b: TfTensor, turnA = transposeA, turnB = transposeB): TfTensor =>
    tf.matMul(widen(tf, a, rank), widen(tf, b, rank), turnA, turnB);
  return {
    run: ([a, b]) => times(a!, b!),
    at: ([x, y]) => {
      const [a, b] = [x!.clone(), y!.clone()];
      return {
        forward: ([v, w]) => (v && w ? tf.add(times(v, b), times(a, w)) : v ? times(v, b) : times(a, w!)),
        back: (u, k) => [
          collect(
            tf,
            transposeA ? times(b, u, transposeB, true) : times(u, b, false, !transposeB),
            k,
            inputs[0]!,
          ),
          collect(
            tf,
            transposeB ? times(u, a, true, transposeA) : times(a, u, !transposeA, false),
            k,
            inputs[1]!,
          ),
        ],
        dispose: () => tf.dispose([a, b]),
      };
    },
    dispose: nothing,
  };
}

function inferMatMul({ transposeA, transposeB }: NodeOf<'matmul'>, { inputs, fail }: Given): number[] {
  const [a, b] = inputs as [number[], number[]];
  if (a.length < 2 || b.length < 2) fail('two matrices');
  const [rows, inner] = transposeA ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
  const [other, columns] = transposeB ? [b.at(-1)!, b.at(-2)!] : [b.at(-2)!, b.at(-1)!];
  const lead = broadcast([a.slice(0, -2), b.slice(0, -2)]);
  if (inner !== other || !lead) return fail('matrices that can be multiplied');
  return [...lead, rows, columns];
}

function compileEmbedding(tf: Tf, node: NodeOf<'embedding'>, { inputs, out, weight }: Site): CompiledOp {
  const { data, shape } = weight(node.table);
  const [rows, width] = shape as [number, number];
  const table = tf.tensor2d(data, [rows, width]);
  return {
    run: ([x]) => {
      // Beyond its rows tfjs would read what lies beside the table.
      for (const id of x!.dataSync())
        if (!(id >= 0 && id < rows && Number.isInteger(id)))
          throw new EpochscopeError(
            'not-finite',
            `node ${node.name}: expected whole numbers from 0 to ${rows - 1} as ids, got ${id}`,
            { node: node.name, got: id },
          );
      const ids = tf.cast(tf.reshape(x!, [x!.size]), 'int32');
      return tf.reshape(tf.gather(table, ids as never), [x!.shape[0]!, ...out]);
    },
    // Ids have no neighbours: nothing flows through them.
    at: () => ({
      forward: (_, k) => tf.zeros([k, ...out]),
      back: (_, k) => [tf.zeros([k, ...inputs[0]!])],
      dispose: nothing,
    }),
    dispose: () => table.dispose(),
  };
}

export const products: Record<'dense' | 'matmul' | 'embedding', OpDefinition> = {
  dense: {
    inputs: 1,
    fields: { kernel: 'tensor', bias: 'tensor?' },
    infer: (node, given) => {
      const { kernel, bias } = node as NodeOf<'dense'>;
      const [input] = given.inputs as [number[]];
      if (!input.length) given.fail('at least one axis');
      const [, units] = given.tensor(kernel, [input[input.length - 1]!, null]) as [number, number];
      if (bias) given.tensor(bias, [units]);
      return [...input.slice(0, -1), units];
    },
    compile: (tf, node, site) => compileDense(tf, node as NodeOf<'dense'>, site),
  },
  matmul: {
    inputs: 2,
    fields: { transposeA: 'flag?', transposeB: 'flag?' },
    infer: (node, given) => inferMatMul(node as NodeOf<'matmul'>, given),
    compile: (tf, node, site) => compileMatMul(tf, node as NodeOf<'matmul'>, site),
  },
  embedding: {
    inputs: 1,
    fields: { table: 'tensor' },
    infer: (node, given) => [
      ...given.inputs[0]!,
      given.tensor((node as NodeOf<'embedding'>).table, [null, null])[1]!,
    ],
    compile: (tf, node, site) => compileEmbedding(tf, node as NodeOf<'embedding'>, site),
  },
};
