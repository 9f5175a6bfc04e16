import type { Tensor2D, Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../../backend.js';
import type { NodeOf } from '../types.js';
import type { CompiledOp } from './compiled.js';
import type { OpDefinition, Site } from './definition.js';

type Kind = 'lstm' | 'gru' | 'rnn';
type Recurrent = NodeOf<Kind>;
const GATES: Record<Kind, number> = { lstm: 4, gru: 3, rnn: 1 };

/** What one step leaves for its derivative. `a`: kernel · x + bias, n × gates · units. */
interface Step {
  h: TfTensor;
  saved: TfTensor[];
}

/**
 * Steps of a recurrent layer. With the sums a = W x + b, r = R h + b_R: rnn h' = tanh(a + r). lstm (Hochreiter and
 * Schmidhuber 1997, with forget gates): c' = f c + i g, h' = o tanh c'. gru (Cho and others 2014): h' = (1 − z) n + z h,
 * n = tanh(a_n + ρ · r_n) with the reset gate after the product, or R(ρ h) + b_R before it.
 */
function compileRecurrent(tf: Tf, node: Recurrent, { inputs, out, weight }: Site): CompiledOp {
  const [steps, width] = inputs[0] as [number, number];
  const units = out[1]!;
  const { kind, reverse, resetAfter = true } = node;
  const all = GATES[kind] * units;
  const kernel = tf.tensor2d(weight(node.kernel).data, [width, all]);
  const recurrent = tf.tensor2d(weight(node.recurrent).data, [units, all]);
  const bias = tf.tensor1d(weight(node.bias).data);
  const back = tf.tensor1d(weight(node.recurrentBias).data);
  const order = Array.from({ length: steps }, (_, i) => (reverse ? steps - 1 - i : i));

  const gate = (x: TfTensor, i: number): TfTensor => tf.slice(x, [0, i * units], [x.shape[0]!, units]);
  const inOrder = (list: TfTensor[], n: number): TfTensor =>
    tf.stack(reverse ? [...list].reverse() : list, 1).reshape([n, steps, units]);
  const stepOf = (x: TfTensor, t: number): TfTensor =>
    tf.reshape(tf.slice(x, [0, t, 0], [x.shape[0]!, 1, x.shape[2]!]), [x.shape[0]!, x.shape[2]!]);
  const times = (h: TfTensor, m: TfTensor, turned = false) =>
    tf.matMul(h as Tensor2D, m as Tensor2D, false, turned);
  const hidden = (m: TfTensor) => tf.slice(m, [0, 2 * units], [units, units]);
  const square = (y: TfTensor) => tf.sub(1, tf.square(y));
  const bump = (y: TfTensor) => tf.mul(y, tf.sub(1, y));

  /** One step from h (and the cell c); `saved` in the order that `forward` and `backward` below read. */
  const step = (a: TfTensor, h: TfTensor, c: TfTensor | null): Step => {
    if (kind === 'rnn') {
      const y = tf.tanh(tf.add(a, tf.add(times(h, recurrent), back)));
      return { h: y, saved: [y] };
    }
    if (kind === 'lstm') {
      const sums = tf.add(a, tf.add(times(h, recurrent), back));
      const [i, o, f] = [0, 1, 2].map((g) => tf.sigmoid(gate(sums, g))) as [TfTensor, TfTensor, TfTensor];
      const g = tf.tanh(gate(sums, 3));
      const cell = tf.add(tf.mul(f, c!), tf.mul(i, g));
      const tanhCell = tf.tanh(cell);
      return { h: tf.mul(o, tanhCell), saved: [i, o, f, g, c!, tanhCell, cell] };
    }
    const sums = tf.add(times(h, recurrent), back);
    const z = tf.sigmoid(tf.add(gate(a, 0), gate(sums, 0)));
    const r = tf.sigmoid(tf.add(gate(a, 1), gate(sums, 1)));
    const inner = resetAfter
      ? gate(sums, 2)
      : tf.add(times(tf.mul(r, h), hidden(recurrent)), tf.slice(back, 2 * units, units));
    const n = tf.tanh(tf.add(gate(a, 2), resetAfter ? tf.mul(r, inner) : inner));
    return { h: tf.add(tf.mul(tf.sub(1, z), n), tf.mul(z, h)), saved: [z, r, n, h, inner] };
  };

  const sumsOf = (x: TfTensor, withBias: boolean): TfTensor => {
    const n = x.shape[0]!;
    const y = times(tf.reshape(x, [n * steps, width]), kernel);
    return tf.reshape(withBias ? tf.add(y, bias) : y, [n, steps, all]);
  };
  const walk = (x: TfTensor): Step[] => {
    const n = x.shape[0]!;
    const sums = sumsOf(x, true);
    let h: TfTensor = tf.zeros([n, units]);
    let c: TfTensor = tf.zeros([n, units]);
    return order.map((t) => {
      const done = step(stepOf(sums, t), h, c);
      h = done.h;
      if (kind === 'lstm') c = done.saved[6]!;
      return done;
    });
  };

  /** dh' (and dc') from da, dh, dc. */
  const forward = (saved: TfTensor[], da: TfTensor, dh: TfTensor, dc: TfTensor): [TfTensor, TfTensor] => {
    if (kind === 'rnn') return [tf.mul(square(saved[0]!), tf.add(da, times(dh, recurrent))), dc];
    if (kind === 'lstm') {
      const [i, o, f, g, c, tanhCell] = saved as [TfTensor, TfTensor, TfTensor, TfTensor, TfTensor, TfTensor];
      const sums = tf.add(da, times(dh, recurrent));
      const [di, dO, df] = [i, o, f].map((y, k) => tf.mul(bump(y), gate(sums, k))) as [
        TfTensor,
        TfTensor,
        TfTensor,
      ];
      const dg = tf.mul(square(g), gate(sums, 3));
      const cell = tf.addN([tf.mul(df, c), tf.mul(f, dc), tf.mul(di, g), tf.mul(i, dg)]);
      return [tf.add(tf.mul(dO, tanhCell), tf.mul(tf.mul(o, square(tanhCell)), cell)), cell];
    }
    const [z, r, n, h, inner] = saved as [TfTensor, TfTensor, TfTensor, TfTensor, TfTensor];
    const sums = times(dh, recurrent);
    const dz = tf.mul(bump(z), tf.add(gate(da, 0), gate(sums, 0)));
    const dr = tf.mul(bump(r), tf.add(gate(da, 1), gate(sums, 1)));
    const dInner = resetAfter
      ? tf.add(tf.mul(dr, inner), tf.mul(r, gate(sums, 2)))
      : times(tf.add(tf.mul(dr, h), tf.mul(r, dh)), hidden(recurrent));
    const dn = tf.mul(square(n), tf.add(gate(da, 2), dInner));
    return [tf.addN([tf.mul(tf.sub(1, z), dn), tf.mul(tf.sub(h, n), dz), tf.mul(z, dh)]), dc];
  };

  /** The transpose of `forward`: da, dh, dc from uh, uc. */
  const backward = (saved: TfTensor[], uh: TfTensor, uc: TfTensor): [TfTensor, TfTensor, TfTensor] => {
    if (kind === 'rnn') {
      const da = tf.mul(square(saved[0]!), uh);
      return [da, times(da, recurrent, true), uc];
    }
    if (kind === 'lstm') {
      const [i, o, f, g, c, tanhCell] = saved as [TfTensor, TfTensor, TfTensor, TfTensor, TfTensor, TfTensor];
      const cell = tf.add(uc, tf.mul(tf.mul(o, square(tanhCell)), uh));
      const da = tf.concat(
        [
          tf.mul(bump(i), tf.mul(cell, g)),
          tf.mul(bump(o), tf.mul(uh, tanhCell)),
          tf.mul(bump(f), tf.mul(cell, c)),
          tf.mul(square(g), tf.mul(cell, i)),
        ],
        1,
      );
      return [da, times(da, recurrent, true), tf.mul(cell, f)];
    }
    const [z, r, n, h, inner] = saved as [TfTensor, TfTensor, TfTensor, TfTensor, TfTensor];
    const un = tf.mul(square(n), tf.mul(uh, tf.sub(1, z)));
    const uz = tf.mul(bump(z), tf.mul(uh, tf.sub(h, n)));
    const direct = tf.mul(uh, z);
    if (resetAfter) {
      const ur = tf.mul(bump(r), tf.mul(un, inner));
      const sums = tf.concat([uz, ur, tf.mul(un, r)], 1);
      return [tf.concat([uz, ur, un], 1), tf.add(direct, times(sums, recurrent, true)), uc];
    }
    const inside = times(un, hidden(recurrent), true);
    const ur = tf.mul(bump(r), tf.mul(inside, h));
    const gates = tf.slice(recurrent, [0, 0], [units, 2 * units]);
    return [
      tf.concat([uz, ur, un], 1),
      tf.addN([direct, tf.mul(inside, r), times(tf.concat([uz, ur], 1), gates, true)]),
      uc,
    ];
  };

  return {
    run: ([x]) =>
      inOrder(
        walk(x!).map(({ h }) => h),
        x!.shape[0]!,
      ),
    at: ([x]) => {
      const states = tf.tidy(() => walk(x!).map(({ saved }) => saved.map((each) => each.clone())));
      return {
        forward: ([v], k) => {
          const da = sumsOf(v!, false);
          let dh: TfTensor = tf.zeros([k, units]);
          let dc: TfTensor = tf.zeros([k, units]);
          const list = order.map((t, i) => {
            [dh, dc] = forward(states[i]!, stepOf(da, t), dh, dc);
            return dh;
          });
          return inOrder(list, k);
        },
        back: (u, k) => {
          let uh: TfTensor = tf.zeros([k, units]);
          let uc: TfTensor = tf.zeros([k, units]);
          const list: TfTensor[] = new Array(steps);
          for (let i = steps - 1; i >= 0; i--) {
            const t = order[i]!;
            const [da, dh, dc] = backward(states[i]!, tf.add(uh, stepOf(u, t)), uc);
            [uh, uc] = [dh, dc];
            list[t] = times(da, kernel, true);
          }
          return [tf.reshape(tf.stack(list, 1), [k, steps, width])];
        },
        dispose: () => tf.dispose(states),
      };
    },
    dispose: () => tf.dispose([kernel, recurrent, bias, back]),
  };
}

const definition: OpDefinition = {
  inputs: 1,
  fields: {
    kernel: 'tensor',
    recurrent: 'tensor',
    bias: 'tensor',
    recurrentBias: 'tensor',
    reverse: 'flag',
    resetAfter: 'flag?',
  },
  infer: (node, { inputs, tensor, fail, refuse }) => {
    const { kind, kernel, recurrent, bias, recurrentBias } = node as Recurrent;
    const [input] = inputs as [number[]];
    if (input.length !== 2) fail('steps × inputs');
    const [, all] = tensor(kernel, [input[1]!, null]) as [number, number];
    const units = all / GATES[kind];
    if (!Number.isInteger(units)) refuse(`${all} columns cannot be parted into ${GATES[kind]} gates`);
    tensor(recurrent, [units, all]);
    tensor(bias, [all]);
    tensor(recurrentBias, [all]);
    return [input[0]!, units];
  },
  compile: (tf, node, site) => compileRecurrent(tf, node as Recurrent, site),
};

export const recurrents: Record<Kind, OpDefinition> = { lstm: definition, gru: definition, rnn: definition };
