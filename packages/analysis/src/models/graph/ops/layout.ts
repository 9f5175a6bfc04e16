import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../../backend.js';
import type { GraphKind, NodeOf } from '../types.js';
import { collect, shaped, spread } from './broadcasting.js';
import { type CompiledOp, linear, nothing } from './compiled.js';
import { broadcast, type OpDefinition, product, type Site } from './definition.js';

/** Axes that stay beside each other become one: fewer axes than tfjs can take, and larger steps. */
function merged(shape: readonly number[], axes: readonly number[]): { sides: number[]; axes: number[] } {
  const runs: number[][] = [];
  for (const axis of axes) {
    const last = runs[runs.length - 1];
    if (last && last[last.length - 1]! + 1 === axis) last.push(axis);
    else runs.push([axis]);
  }
  const order = runs.map((_, i) => i).sort((a, b) => runs[a]![0]! - runs[b]![0]!);
  return {
    sides: order.map((i) => product(runs[i]!.map((axis) => shape[axis]!))),
    axes: runs.map((_, i) => order.indexOf(i)),
  };
}

function compileTranspose(tf: Tf, { axes }: NodeOf<'transpose'>, { inputs, out }: Site): CompiledOp {
  const [input] = inputs as [number[]];
  const inverse = axes.map((_, axis) => axes.indexOf(axis));
  const turn = (shape: readonly number[], by: readonly number[], to: readonly number[]) => {
    const plan = merged(shape, by);
    return (x: TfTensor): TfTensor =>
      shaped(
        tf,
        tf.transpose(tf.reshape(x, [x.shape[0]!, ...plan.sides]), [0, ...plan.axes.map((axis) => axis + 1)]),
        to,
      );
  };
  const [there, back] = [turn(input, axes, out), turn(out, inverse, input)];
  return linear(there, back);
}

function compileSlice(tf: Tf, { begin, size }: NodeOf<'slice'>, { inputs }: Site): CompiledOp {
  const [input] = inputs as [number[]];
  const around: [number, number][] = [
    [0, 0],
    ...begin.map((from, axis): [number, number] => [from, input[axis]! - from - size[axis]!]),
  ];
  return linear(
    (v, k) => tf.slice(v, [0, ...begin], [k, ...size]),
    (u) => tf.pad(u, around),
  );
}

/** Its transpose adds what comes back to one place: a product with the matrix of 0 and 1 that `indices` are. */
function compileTake(tf: Tf, { axis, indices }: NodeOf<'take'>, { inputs, out }: Site): CompiledOp {
  const [input] = inputs as [number[]];
  const side = input[axis]!;
  const places = tf.tensor1d(indices, 'int32');
  const [before, after] = [product(input.slice(0, axis)), product(input.slice(axis + 1))];
  const back = (u: TfTensor, k: number): TfTensor => {
    const values = u.dataSync();
    const sums = new Float32Array(k * before * side * after);
    const count = indices.length;
    for (let b = 0; b < k * before; b++)
      for (let i = 0; i < count; i++) {
        const [from, to] = [(b * count + i) * after, (b * side + indices[i]!) * after];
        for (let a = 0; a < after; a++) sums[to + a]! += values[from + a]!;
      }
    return tf.tensor(sums, [k, ...input]);
  };
  return linear(
    (v, k) => tf.reshape(tf.gather(tf.reshape(v, [k * before, side, after]), places, 1), [k, ...out]),
    back,
    () => places.dispose(),
  );
}

/** Zeros, or another value, before and after each padded axis. */
export const padsOf = (padding: readonly number[], rank: number): [number, number][] => [
  [0, 0],
  ...Array.from({ length: rank }, (_, i): [number, number] => [padding[2 * i] ?? 0, padding[2 * i + 1] ?? 0]),
];

function compilePad(tf: Tf, node: NodeOf<'pad'>, { inputs }: Site): CompiledOp {
  const [input] = inputs as [number[]];
  const pads = padsOf(node.padding, input.length);
  const op = linear(
    (v) => tf.pad(v, pads),
    (u, k) =>
      tf.slice(
        u,
        pads.map(([before]) => before),
        [k, ...input],
      ),
  );
  return node.value ? { ...op, run: ([x]) => tf.pad(x!, pads, node.value) } : op;
}

function compileConcat(tf: Tf, node: NodeOf<'concat'>, { inputs, out }: Site): CompiledOp {
  const axis = (node.axis ?? out.length - 1) + 1;
  const join = (list: TfTensor[]) => (list.length > 1 ? tf.concat(list, axis) : list[0]!.clone());
  const sides = inputs.map((shape) => shape[axis - 1]!);
  return {
    run: (list) => {
      // What is the same for all samples comes once.
      const n = Math.max(...list.map((each) => each.shape[0]!));
      return join(
        list.map((each) => (each.shape[0] === n ? each : spread(tf, each, n, each.shape.slice(1)))),
      );
    },
    at: () => ({
      forward: (v, k) => join(v.map((part, i) => part ?? tf.zeros([k, ...inputs[i]!]))),
      back: (u) => tf.split(u, sides, axis),
      dispose: nothing,
    }),
    dispose: nothing,
  };
}

const reshaping = (infer: OpDefinition['infer'], fields?: OpDefinition['fields']): OpDefinition => ({
  inputs: 1,
  fields,
  infer,
  compile: (tf, _, { inputs, out }) =>
    linear(
      (v) => shaped(tf, v, out),
      (u) => shaped(tf, u, inputs[0]!),
    ),
});

type LayoutKind = Extract<
  GraphKind,
  | 'identity'
  | 'flatten'
  | 'reshape'
  | 'flatten-channels-first'
  | 'transpose'
  | 'slice'
  | 'take'
  | 'expand'
  | 'pad'
  | 'concat'
  | 'constant'
>;

export const layouts: Record<LayoutKind, OpDefinition> = {
  identity: {
    inputs: 1,
    infer: (_, { inputs }) => [...inputs[0]!],
    compile: () =>
      linear(
        (v) => v.clone(),
        (u) => u.clone(),
      ),
  },
  constant: {
    inputs: 0,
    fields: { value: 'tensor' },
    infer: (node, given) => [...given.shapeOf((node as NodeOf<'constant'>).value)],
    compile: (tf, node, { weight }) => {
      const { data, shape } = weight((node as NodeOf<'constant'>).value);
      const value = tf.tensor(data, [1, ...shape]);
      return {
        run: () => value.clone(),
        at: () => ({ forward: () => tf.zeros([1, ...shape]), back: () => [], dispose: nothing }),
        dispose: () => value.dispose(),
      };
    },
  },
  flatten: reshaping((_, { inputs }) => [product(inputs[0]!)]),
  reshape: reshaping(
    (node, { inputs, fail }) => {
      const { shape } = node as NodeOf<'reshape'>;
      return product(shape) === product(inputs[0]!) ? [...shape] : fail(`${product(shape)} values`);
    },
    { shape: 'counts' },
  ),
  'flatten-channels-first': {
    inputs: 1,
    infer: (_, { inputs, fail }) =>
      inputs[0]!.length === 3 ? [product(inputs[0]!)] : fail('an image [height, width, channels]'),
    compile: (tf, _, { inputs, out }) => {
      const [height, width, channels] = inputs[0] as [number, number, number];
      return linear(
        (v) => shaped(tf, tf.transpose(v, [0, 3, 1, 2]), out),
        (u) => tf.transpose(shaped(tf, u, [channels, height, width]), [0, 2, 3, 1]),
      );
    },
  },
  transpose: {
    inputs: 1,
    fields: { axes: 'counts' },
    infer: (node, { inputs, refuse }) => {
      const { axes } = node as NodeOf<'transpose'>;
      const [input] = inputs as [number[]];
      if ([...axes].sort((a, b) => a - b).join() !== input.map((_, i) => i).join())
        refuse(`axes [${axes}] are no order of [${input}]`);
      return axes.map((axis) => input[axis]!);
    },
    compile: (tf, node, site) => compileTranspose(tf, node as NodeOf<'transpose'>, site),
  },
  slice: {
    inputs: 1,
    fields: { begin: 'counts', size: 'counts' },
    infer: (node, { inputs, refuse }) => {
      const { begin, size } = node as NodeOf<'slice'>;
      const [input] = inputs as [number[]];
      if (
        begin.length !== input.length ||
        size.length !== input.length ||
        input.some((side, i) => begin[i]! + size[i]! > side)
      )
        refuse(`[${size}] from [${begin}] do not lie in [${input}]`);
      return [...size];
    },
    compile: (tf, node, site) => compileSlice(tf, node as NodeOf<'slice'>, site),
  },
  take: {
    inputs: 1,
    fields: { axis: 'number', indices: 'counts' },
    infer: (node, { inputs, refuse }) => {
      const { axis, indices } = node as NodeOf<'take'>;
      const [input] = inputs as [number[]];
      const side = input[axis] ?? refuse(`[${input}] has no axis ${axis}`);
      if (!indices.every((place) => place < side)) refuse(`an index lies outside of ${side} places`);
      return input.map((own, i) => (i === axis ? indices.length : own));
    },
    compile: (tf, node, site) => compileTake(tf, node as NodeOf<'take'>, site),
  },
  expand: {
    inputs: 1,
    fields: { shape: 'counts' },
    infer: (node, { inputs, fail }) => {
      const { shape } = node as NodeOf<'expand'>;
      return broadcast([inputs[0]!, shape])?.join() === shape.join()
        ? [...shape]
        : fail(`a shape that broadcasts to [${shape}]`);
    },
    compile: (tf, _, { inputs, out }) =>
      linear(
        (v) => spread(tf, v, v.shape[0]!, out),
        (u, k) => collect(tf, u, k, inputs[0]!),
      ),
  },
  pad: {
    inputs: 1,
    fields: { padding: 'counts', value: 'number?' },
    infer: (node, { inputs, refuse, fail }) => {
      const { padding } = node as NodeOf<'pad'>;
      const [input] = inputs as [number[]];
      if (padding.length === 4 && input.length < 2) fail('an image [height, width, channels]');
      if (padding.length % 2 || padding.length > 2 * input.length)
        refuse(`padding [${padding}] of [${input}] is not possible`);
      return input.map((side, i) => side + (padding[2 * i] ?? 0) + (padding[2 * i + 1] ?? 0));
    },
    compile: (tf, node, site) => compilePad(tf, node as NodeOf<'pad'>, site),
  },
  concat: {
    inputs: 'some',
    fields: { axis: 'number?' },
    infer: (node, { inputs, fail, refuse }) => {
      const [input] = inputs as [number[]];
      const axis = (node as NodeOf<'concat'>).axis ?? input.length - 1;
      if (!(Number.isInteger(axis) && axis >= 0 && axis < input.length))
        refuse(`[${input}] has no axis ${axis}`);
      const others = (shape: readonly number[]) => shape.map((side, i) => (i === axis ? 0 : side)).join();
      if (inputs.some((shape) => others(shape) !== others(input)))
        fail(`shapes that differ in ${axis === input.length - 1 ? 'the last side' : `side ${axis}`} only`);
      return input.map((side, i) => (i === axis ? inputs.reduce((sum, s) => sum + s[axis]!, 0) : side));
    },
    compile: (tf, node, site) => compileConcat(tf, node as NodeOf<'concat'>, site),
  },
};
