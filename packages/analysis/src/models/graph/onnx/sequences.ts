import { product } from '../ops/definition.js';
import type { GraphOp } from '../types.js';
import { number, text } from './attributes.js';
import { SpatialOperators } from './spatial.js';
import { floats, numbersOf, type Value, wide } from './values.js';

/** Operators over steps and tokens: recurrent layers, fused attention. */
export abstract class SequenceOperators extends SpatialOperators {
  protected recurrent(kind: 'lstm' | 'gru' | 'rnn'): void {
    const { node } = this;
    const gates = { lstm: 4, gru: 3, rnn: 1 }[kind];
    const value = this.value(0);
    const batchFirst = number(node, 'layout', 0) === 1;
    const [steps, samples] = batchFirst ? [1, 0] : [0, 1];
    if (value.shape.length !== 3 || value.shape[samples] !== 1)
      this.refuse(`expected steps × batch × inputs, got [${value.shape}]`);
    const activations = node.attributes.get('activations');
    const usual = kind === 'rnn' ? 'Tanh' : kind === 'gru' ? 'Sigmoid,Tanh' : 'Sigmoid,Tanh,Tanh';
    const given = activations?.kind === 'texts' ? activations.value.join() : usual;
    if (given !== usual && given !== `${usual},${usual}`) this.refuse(`activations ${given} are not known`);
    if (node.attributes.has('clip') || number(node, 'input_forget', 0))
      this.refuse('clip and input_forget are not known');
    if (this.isRead(2)) this.refuse('its cell state is read');
    if (kind === 'lstm' && node.inputs[7]) this.refuse('peepholes are not known');
    for (const i of kind === 'lstm' ? [5, 6] : [5])
      if (node.inputs[i] && Array.from(numbersOf(this.constantAt(i, 'the first state'))).some(Boolean))
        this.refuse('expected a first state of zeros');
    const side = value.shape[steps]!;
    if (this.integers(4, 'the lengths')?.some((length) => length !== side))
      this.refuse('expected whole sequences');
    const direction = text(node, 'direction', 'forward');
    const held = this.arranged({ ...value, batch: samples }, [steps, 2]);
    const [kernel, recurrent] = [
      this.constantAt(1, 'the kernel'),
      this.constantAt(2, 'the recurrent kernel'),
    ];
    const [directions, rows, width] = kernel.shape as [number, number, number];
    const units = rows / gates;
    const bias = node.inputs[3]
      ? floats(this.constantAt(3, 'the bias'))
      : new Float32Array(2 * directions * rows);
    const name = this.names.of(node);
    const turned = (from: Float32Array, d: number, columns: number): Float32Array => {
      const out = new Float32Array(rows * columns);
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) out[c * rows + r] = from[(d * rows + r) * columns + c]!;
      return out;
    };
    const made = Array.from({ length: directions }, (_, d) => {
      const own = directions > 1 ? this.names.own(`${name}.${d ? 'reverse' : 'forward'}`) : name;
      const part = bias.subarray(2 * d * rows, 2 * (d + 1) * rows);
      const op: GraphOp = {
        kind,
        kernel: this.store(`${own}.kernel`, turned(floats(kernel), d, width), [width, rows]),
        recurrent: this.store(`${own}.recurrent`, turned(floats(recurrent), d, units), [units, rows]),
        bias: this.store(`${own}.bias`, part.slice(0, rows), [rows]),
        recurrentBias: this.store(`${own}.recurrent_bias`, part.slice(rows), [rows]),
        reverse: direction === 'reverse' || d === 1,
        ...(kind === 'gru' ? { resetAfter: number(node, 'linear_before_reset', 0) === 1 } : {}),
      };
      return { ...this.push(op, [held.node], own), reverse: op.kind === kind && op.reverse };
    });
    const join = (nodes: string[], axis: number, label: string) =>
      nodes.length > 1 ? this.push({ kind: 'concat', axis }, nodes, label).node : nodes[0]!;
    if (this.isRead(0)) {
      const all = join(
        made.map((each) => each.node),
        1,
        directions > 1 ? name : '',
      );
      const sides = [side, directions, units];
      const parted =
        directions > 1
          ? this.push({ kind: 'reshape', shape: sides }, [all], this.names.own(`${all}.parts`)).node
          : all;
      const [shape, axes] = batchFirst
        ? [
            [1, side, directions, units],
            [1, 2, 3],
          ]
        : [
            [side, directions, 1, units],
            [0, 1, 3],
          ];
      this.set({
        node: parted,
        shape,
        order: axes.filter((axis) => shape[axis]! > 1),
        batch: batchFirst ? 0 : 2,
        sides: directions > 1 ? sides : [side, units],
      });
    }
    if (this.isRead(1)) {
      const ends = made.map(({ node: from, reverse }) => {
        const begin = [reverse ? 0 : side - 1, 0];
        return this.push({ kind: 'slice', begin, size: [1, units] }, [from], this.names.own(`${from}.last`))
          .node;
      });
      const node0 = join(ends, 0, this.names.own(`${name}.ends`));
      const [shape, axes] = batchFirst
        ? [
            [1, directions, units],
            [1, 2],
          ]
        : [
            [directions, 1, units],
            [0, 2],
          ];
      this.set(
        {
          node: node0,
          shape,
          order: axes.filter((axis) => shape[axis]! > 1),
          batch: batchFirst ? 0 : 1,
          sides: [directions, units],
        },
        1,
      );
    }
  }

  /** ONNX 23's: softmax(scale · Q Kᵀ + mask) V, in nodes of their own. Heads may share keys and values. */
  protected attention(): void {
    const { node } = this;
    if (node.inputs[4] || node.inputs[5] || node.inputs[6] || this.isRead(1) || this.isRead(2))
      this.refuse('keys and values of steps before are not known');
    if (number(node, 'softcap', 0)) this.refuse('softcap is not known');
    const name = this.names.of(node);
    const [heads, shared] = [number(node, 'q_num_heads', 0), number(node, 'kv_num_heads', 0)];
    let [q, k, v] = [0, 1, 2].map((i) => {
      const value = this.value(i);
      if (value.shape.length === 4) return value;
      const count = i === 0 ? heads : shared;
      const [n, tokens, width] = value.shape as [number, number, number];
      if (value.shape.length !== 3 || !count || width % count)
        this.refuse(`expected heads, got [${value.shape}]`);
      const shape = [n, tokens, count, width / count];
      const held = this.plain(value);
      const made = this.push(
        { kind: 'reshape', shape: shape.slice(1) },
        [held.node],
        this.names.own(`${held.node}.heads`),
      );
      return this.turned({ ...made, shape, order: wide(shape), batch: 0 });
    }) as [Value, Value, Value];
    const merged = this.value(0).shape.length === 3;
    if (k.shape[1] !== q.shape[1])
      [k, v] = [k, v].map((each) => this.repeated(each, q.shape[1]!)) as [Value, Value];
    const scale = number(node, 'scale', 1 / Math.sqrt(q.shape[3]!));
    const keys = {
      ...k,
      shape: [k.shape[0]!, k.shape[1]!, k.shape[3]!, k.shape[2]!],
      order: k.order.map((axis) => (axis < 2 ? axis : 5 - axis)),
    };
    const products = this.product(q, keys, this.names.own(`${name}.products`));
    const last = products.sides.at(-1)!;
    const scores = this.push(
      {
        kind: 'batch-norm',
        scale: this.store(`${name}.scores.scale`, new Float32Array(last).fill(scale), [last]),
        offset: this.store(`${name}.scores.offset`, new Float32Array(last), [last]),
      },
      [products.node],
      this.names.own(`${name}.scores`),
    );
    const mask = this.attentionMask(q.shape[2]!, k.shape[2]!, `${name}.mask`);
    const weights = this.push(
      { kind: 'softmax', ...(mask ? { mask } : {}) },
      [scores.node],
      this.names.own(`${name}.weights`),
    );
    const out = this.product({ ...products, ...weights }, v, merged ? this.names.own(`${name}.heads`) : name);
    if (!merged) {
      this.set(out);
      return;
    }
    const [n, h, tokens, width] = out.shape as [number, number, number, number];
    const side = this.plain(this.turned(out));
    const made = this.push({ kind: 'reshape', shape: [tokens, h * width] }, [side.node], name);
    const shape = [n, tokens, h * width];
    this.set({ ...made, shape, order: wide(shape), batch: 0 });
  }

  /** Axes 1 and 2 exchanged. */
  private turned(value: Value): Value {
    const shape = [value.shape[0]!, value.shape[2]!, value.shape[1]!, ...value.shape.slice(3)];
    return { ...value, shape, order: value.order.map((axis) => (axis === 1 ? 2 : axis === 2 ? 1 : axis)) };
  }

  /** Each head `heads / own` times. */
  private repeated(value: Value, heads: number): Value {
    const own = value.shape[1]!;
    if (heads % own) this.refuse(`${heads} heads cannot share ${own}`);
    const held = this.plain(value);
    const indices = Array.from({ length: heads }, (_, i) => Math.floor((i * own) / heads));
    const made = this.push(
      { kind: 'take', axis: 0, indices },
      [held.node],
      this.names.own(`${held.node}.shared`),
    );
    const shape = value.shape.map((side, axis) => (axis === 1 ? heads : side));
    return { ...made, shape, order: wide(shape).filter((axis) => axis !== 0), batch: 0 };
  }

  private attentionMask(rows: number, columns: number, name: string): string | null {
    const given = this.node.inputs[3] ? this.constantAt(3, 'the mask') : null;
    const causal = number(this.node, 'is_causal', 0) === 1;
    if (!given && !causal) return null;
    const size = rows * columns;
    const lead = given ? given.shape.slice(0, -2).filter((side) => side > 1) : [];
    if (given && (given.shape.at(-1) !== columns || given.shape.at(-2) !== rows))
      this.refuse(`a mask of [${given.shape}] for [${rows}, ${columns}]`);
    const values = given ? numbersOf(given) : new Float32Array(size);
    const allowed = given?.dtype === 'bool';
    const data = Float32Array.from({ length: product(lead) * size }, (_, i) => {
      const own = allowed ? (values[i] ? 0 : Number.NEGATIVE_INFINITY) : values[i]!;
      return causal && i % columns > Math.floor(i / columns) % rows ? Number.NEGATIVE_INFINITY : own;
    });
    return this.store(name, data, [...lead, rows, columns]);
  }
}
