import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../../backend.js';
import type { BinaryKind, NodeOf, ReduceKind } from '../types.js';
import { collect, spread, widen } from './broadcasting.js';
import { type CompiledOp, nothing } from './compiled.js';
import { broadcast, type Given, type OpDefinition, product, type Site } from './definition.js';

const inferBroadcast = ({ inputs, fail }: Given): number[] =>
  broadcast(inputs) ?? fail('equal shapes, or shapes that broadcast');

/** One sample of what is the same for all has to meet n of them. */
const present = (list: (TfTensor | null)[]): TfTensor[] => list.filter((v): v is TfTensor => v !== null);

function compileAdd(tf: Tf, { inputs, out }: Site): CompiledOp {
  const sum = (list: TfTensor[]): TfTensor => {
    if (list.length === 1) return list[0]!.clone();
    const first = list[0]!.shape.join();
    if (list.every((each) => each.shape.join() === first)) return tf.addN(list);
    return list.map((each) => widen(tf, each, out.length)).reduce((a, b) => tf.add(a, b));
  };
  return {
    run: sum,
    at: () => ({
      forward: (v, k) => {
        const y = sum(present(v));
        return y.shape.slice(1).join() === out.join() ? y : spread(tf, y, k, out);
      },
      back: (u, k) => inputs.map((shape) => collect(tf, u, k, shape)),
      dispose: nothing,
    }),
    dispose: nothing,
  };
}

/** Of two that broadcast: with `slopes` the partial derivatives at x, J·v = d₁·v₁ + d₂·v₂. */
function compileBinary(
  tf: Tf,
  { inputs, out }: Site,
  run: (a: TfTensor, b: TfTensor) => TfTensor,
  slopes: (a: TfTensor, b: TfTensor) => [TfTensor, TfTensor],
): CompiledOp {
  const wide = (x: TfTensor) => widen(tf, x, out.length);
  return {
    run: ([a, b]) => run(wide(a!), wide(b!)),
    at: ([a, b]) => {
      const [d, e] = tf.tidy(() => slopes(wide(a!), wide(b!)));
      const whole = (y: TfTensor, k: number) =>
        y.shape.slice(1).join() === out.join() ? y : spread(tf, y, k, out);
      return {
        forward: ([v, w], k) => {
          const parts = present([v ? tf.mul(wide(v), d) : null, w ? tf.mul(wide(w), e) : null]);
          return parts.length > 1 ? tf.add(parts[0]!, parts[1]!) : whole(parts[0]!, k);
        },
        back: (u, k) => [collect(tf, tf.mul(u, d), k, inputs[0]!), collect(tf, tf.mul(u, e), k, inputs[1]!)],
        dispose: () => tf.dispose([d, e]),
      };
    },
    dispose: nothing,
  };
}

function compileWhere(tf: Tf, node: NodeOf<'where'>, site: Site): CompiledOp {
  const { data, shape } = site.weight(node.mask);
  const bits = tf.tidy(() => {
    const given = tf.cast(tf.tensor(data, [1, ...shape]), 'bool');
    return tf.cast(spread(tf, tf.cast(given, 'float32'), 1, site.out), 'bool');
  });
  const choose = (a: TfTensor, b: TfTensor, n: number): TfTensor =>
    tf.where(
      tf.cast(spread(tf, tf.cast(bits, 'float32'), n, site.out), 'bool'),
      spread(tf, a, n, site.out),
      spread(tf, b, n, site.out),
    );
  const zero = () => tf.zeros([1]);
  return {
    run: ([a, b]) => choose(a!, b!, Math.max(a!.shape[0]!, b!.shape[0]!)),
    at: () => ({
      forward: ([v, w], k) => choose(v ?? zero(), w ?? zero(), k),
      back: (u, k) => [
        collect(tf, choose(u, zero(), k), k, site.inputs[0]!),
        collect(tf, choose(zero(), u, k), k, site.inputs[1]!),
      ],
      dispose: nothing,
    }),
    dispose: () => bits.dispose(),
  };
}

/** The first input chooses between the others, and nothing flows back to it. */
function compileSelect(tf: Tf, { inputs, out }: Site): CompiledOp {
  const whole = (x: TfTensor, n: number) => spread(tf, x, n, out);
  const choose = (bits: TfTensor, a: TfTensor, b: TfTensor, n: number) =>
    tf.where(tf.cast(whole(bits, n), 'bool'), whole(a, n), whole(b, n));
  const zero = () => tf.zeros([1]);
  return {
    run: ([c, a, b]) => choose(c!, a!, b!, Math.max(c!.shape[0]!, a!.shape[0]!, b!.shape[0]!)),
    at: ([condition]) => {
      const c = condition!.clone();
      return {
        forward: ([, v, w], k) => choose(c, v ?? zero(), w ?? zero(), k),
        back: (u, k) => [
          tf.zeros([k, ...inputs[0]!]),
          collect(tf, choose(c, u, zero(), k), k, inputs[1]!),
          collect(tf, choose(c, zero(), u, k), k, inputs[2]!),
        ],
        dispose: () => c.dispose(),
      };
    },
    dispose: nothing,
  };
}

/** Sums along axes; max and min pass to the first of equal entries, in row-major order. */
function compileReduce(
  tf: Tf,
  { kind, axes }: { kind: ReduceKind; axes: number[] },
  { inputs, out }: Site,
): CompiledOp {
  const [input] = inputs as [number[]];
  const places = axes.map((axis) => axis + 1);
  const kept = input.map((side, axis) => (axes.includes(axis) ? 1 : side));
  const shaped = (y: TfTensor) => tf.reshape(y, [y.size / product(out), ...out]);
  const wide = (u: TfTensor) => tf.reshape(u, [u.size / product(kept), ...kept]);
  const count = product(axes.map((axis) => input[axis]!));
  const weighted = (weights: TfTensor): ReturnType<CompiledOp['at']> => ({
    forward: ([v]) => shaped(tf.sum(tf.mul(v!, weights), places)),
    back: (u) => [tf.mul(wide(u), weights)],
    dispose: () => weights.dispose(),
  });
  switch (kind) {
    case 'mean':
    case 'sum':
      return {
        run: ([x]) => shaped(kind === 'sum' ? tf.sum(x!, places) : tf.mean(x!, places)),
        at: () => weighted(tf.fill([1, ...input], kind === 'sum' ? 1 : 1 / count)),
        dispose: nothing,
      };
    case 'l2':
      return {
        run: ([x]) => shaped(tf.sqrt(tf.sum(tf.square(x!), places))),
        at: ([x]) => {
          const weights = tf.tidy(() => {
            const norm = tf.sqrt(tf.sum(tf.square(x!), places, true));
            return tf.div(x!, tf.maximum(norm, 1e-30));
          });
          return weighted(weights);
        },
        dispose: nothing,
      };
    default: {
      const [reduce, best] =
        kind === 'max'
          ? [(x: TfTensor) => tf.max(x, places), Number.NEGATIVE_INFINITY]
          : [(x: TfTensor) => tf.min(x, places), Number.POSITIVE_INFINITY];
      return {
        run: ([x]) => shaped(reduce(x!)),
        at: ([x]) => {
          const [values, n] = [x!.dataSync(), x!.shape[0]!];
          const size = product(input);
          const chosen = new Float32Array(values.length);
          for (let i = 0; i < n; i++)
            chosen.set(
              firstBest(
                values.subarray(i * size, (i + 1) * size),
                input,
                axes,
                (a, b) => (kind === 'max' ? a > b : a < b),
                best,
              ),
              i * size,
            );
          return weighted(tf.tensor(chosen, [n, ...input]));
        },
        dispose: nothing,
      };
    }
  }
}

/** 1 at the first best entry of each group that a reduction joins, else 0. */
function firstBest(
  values: ArrayLike<number>,
  shape: readonly number[],
  axes: readonly number[],
  better: (a: number, b: number) => boolean,
  worst: number,
): Float32Array {
  const group = new Int32Array(values.length);
  const kept = shape.map((side, axis) => (axes.includes(axis) ? 1 : side));
  for (let p = 0; p < values.length; p++) {
    let [rest, at, step] = [p, 0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const place = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
      at += kept[axis] === 1 ? 0 : place * step;
      step *= kept[axis]!;
    }
    group[p] = at;
  }
  const best = new Float64Array(product(kept)).fill(worst);
  const where = new Int32Array(best.length).fill(-1);
  for (let p = 0; p < values.length; p++)
    if (better(values[p]!, best[group[p]!]!)) {
      best[group[p]!] = values[p]!;
      where[group[p]!] = p;
    }
  const chosen = new Float32Array(values.length);
  for (const p of where) if (p >= 0) chosen[p] = 1;
  return chosen;
}

function inferReduce(node: { axes: number[]; keepDims: boolean }, given: Given): number[] {
  const [input] = given.inputs as [number[]];
  const { axes } = node;
  if (!axes.every((axis) => axis >= 0 && axis < input.length) || new Set(axes).size < axes.length)
    given.refuse(`axes [${axes}] of [${input}] are not possible`);
  return node.keepDims
    ? input.map((side, axis) => (axes.includes(axis) ? 1 : side))
    : input.filter((_, axis) => !axes.includes(axis));
}

const pairOp = (
  run: (tf: Tf, a: TfTensor, b: TfTensor) => TfTensor,
  slopes: (tf: Tf, a: TfTensor, b: TfTensor) => [TfTensor, TfTensor],
): OpDefinition => ({
  inputs: 2,
  infer: (_, given) => inferBroadcast(given),
  compile: (tf, _, site) =>
    compileBinary(
      tf,
      site,
      (a, b) => run(tf, a, b),
      (a, b) => slopes(tf, a, b),
    ),
});
/** 1 where the first is chosen; at equality the first. */
const chooses = (tf: Tf, a: TfTensor, b: TfTensor, larger: boolean): [TfTensor, TfTensor] => {
  const first = tf.cast(larger ? tf.greaterEqual(a, b) : tf.lessEqual(a, b), 'float32');
  return [first, tf.sub(1, first)];
};
const comparison = (test: (tf: Tf, a: TfTensor, b: TfTensor) => TfTensor): OpDefinition =>
  pairOp(
    (tf, a, b) => tf.cast(test(tf, a, b), 'float32'),
    (tf) => [tf.zeros([1]), tf.zeros([1])],
  );
const reduction: OpDefinition = {
  inputs: 1,
  fields: { axes: 'integers', keepDims: 'flag' },
  infer: (node, given) => inferReduce(node as NodeOf<ReduceKind>, given),
  compile: (tf, node, site) => compileReduce(tf, node as NodeOf<ReduceKind>, site),
};

export const arithmetic: Record<
  'add' | 'multiply' | BinaryKind | 'select' | 'where' | ReduceKind,
  OpDefinition
> = {
  add: {
    inputs: 'some',
    infer: (_, given) => inferBroadcast(given),
    compile: (tf, _, site) => compileAdd(tf, site),
  },
  multiply: pairOp(
    (tf, a, b) => tf.mul(a, b),
    (_, a, b) => [b.clone(), a.clone()],
  ),
  subtract: pairOp(
    (tf, a, b) => tf.sub(a, b),
    (tf) => [tf.ones([1]), tf.fill([1], -1)],
  ),
  divide: pairOp(
    (tf, a, b) => tf.div(a, b),
    (tf, a, b) => [tf.reciprocal(b), tf.neg(tf.div(a, tf.square(b)))],
  ),
  maximum: pairOp(
    (tf, a, b) => tf.maximum(a, b),
    (tf, a, b) => chooses(tf, a, b, true),
  ),
  minimum: pairOp(
    (tf, a, b) => tf.minimum(a, b),
    (tf, a, b) => chooses(tf, a, b, false),
  ),
  greater: comparison((tf, a, b) => tf.greater(a, b)),
  'greater-equal': comparison((tf, a, b) => tf.greaterEqual(a, b)),
  less: comparison((tf, a, b) => tf.less(a, b)),
  'less-equal': comparison((tf, a, b) => tf.lessEqual(a, b)),
  equal: comparison((tf, a, b) => tf.equal(a, b)),
  select: {
    inputs: 3,
    infer: (_, given) => inferBroadcast(given),
    compile: (tf, _, site) => compileSelect(tf, site),
  },
  where: {
    inputs: 2,
    fields: { mask: 'tensor' },
    infer: (node, given) =>
      broadcast([...given.inputs, given.shapeOf((node as NodeOf<'where'>).mask)]) ??
      given.fail('shapes that broadcast with the mask'),
    compile: (tf, node, site) => compileWhere(tf, node as NodeOf<'where'>, site),
  },
  mean: reduction,
  sum: reduction,
  max: reduction,
  min: reduction,
  l2: reduction,
};
