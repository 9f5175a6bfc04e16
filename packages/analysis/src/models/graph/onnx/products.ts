import type { Tensor } from '../../../formats/types.js';
import { number } from './attributes.js';
import { transposed } from './fold.js';
import { MovingOperators } from './moving.js';
import { floats, type Value, wide } from './values.js';

/** Products with kernels and of two values. */
export abstract class ProductOperators extends MovingOperators {
  /** x · kernel over the last axis of ONNX's. */
  private dense(
    value: Value,
    kernel: Float32Array,
    shape: [number, number],
    bias: Float32Array | null,
  ): void {
    const last = value.shape.length - 1;
    if (last === value.batch) this.refuse('expected the samples before the last axis');
    const held = value.order.at(-1) === last && value.sides.at(-1)! > 1 ? value : this.lastAxis(value, last);
    const name = this.names.of(this.node, this.node.inputs[1]);
    const made = this.push(
      {
        kind: 'dense',
        kernel: this.store(`${name}.kernel`, kernel, shape),
        ...(bias ? { bias: this.store(`${name}.bias`, bias, [shape[1]]) } : {}),
      },
      [held.node],
      name,
    );
    const out = value.shape.map((side, axis) => (axis === last ? shape[1] : side));
    const order = [...held.order.filter((axis) => axis !== last), last].filter((axis) => out[axis]! > 1);
    this.set({ ...made, shape: out, order, batch: value.batch });
  }

  /** The value with this axis as its last, also where it has one place. */
  protected lastAxis(value: Value, axis: number): Value {
    const others = value.order.filter((own) => own !== axis);
    const sorted = [...others].sort((a, b) => a - b);
    return this.arranged(value, [...(value.order.at(-1) === axis ? others : sorted), axis]);
  }

  protected gemm(): void {
    const [alpha, beta] = [number(this.node, 'alpha', 1), number(this.node, 'beta', 1)];
    const value = this.value(0);
    const kernel = this.constants.get(this.node.inputs[1] ?? '');
    if (number(this.node, 'transA', 0)) this.refuse('transA is not known');
    if (value.shape.length !== 2) this.refuse('expected batch × values; flatten before it');
    if (!kernel) this.refuse('expected the kernel as a constant');
    let { data, shape } = this.matrix(kernel);
    if (number(this.node, 'transB', 0)) {
      const turned = transposed({ data, shape, dtype: 'float32' }, [1, 0]);
      [data, shape] = [floats(turned), [...turned.shape] as [number, number]];
    }
    const bias = this.node.inputs[2] ? this.vector(this.constantAt(2, 'the bias'), shape[1], 'bias') : null;
    this.dense(value, scaled(data, alpha), shape, bias && scaled(bias, beta));
  }

  private matrix(tensor: Tensor): { data: Float32Array; shape: [number, number] } {
    if (tensor.shape.length !== 2) this.refuse(`expected a kernel of two axes, got shape [${tensor.shape}]`);
    return { data: floats(tensor), shape: [...tensor.shape] as [number, number] };
  }

  protected matMul(): void {
    const kernel = this.constants.get(this.node.inputs[1] ?? '');
    const value = this.value(0);
    if (kernel?.shape.length === 2) {
      if (
        value.shape.length > 2 &&
        value.batch === 0 &&
        this.graph.inputShape.length === 3 &&
        value.node === 'input'
      )
        this.refuse('expected batch × values; flatten before it');
      const { data, shape } = this.matrix(kernel);
      this.dense(value, data.slice(), shape, null);
      return;
    }
    this.set(this.product(value, this.value(1), this.names.of(this.node)));
  }

  /** a · b over their last two axes; those before broadcast. */
  protected product(a: Value, b: Value, name: string): Value {
    const rank = Math.max(a.shape.length, b.shape.length);
    if (Math.min(a.shape.length, b.shape.length) < 2) this.refuse('of vectors is not known');
    const place = (value: Value, columns: boolean) => {
      const own = value.shape.length;
      if (value.batch === own - 1 || (columns && value.batch === own - 2))
        this.refuse('it adds up over the samples, which stay apart');
      const lead = value.shape.slice(0, -2).flatMap((_, axis) => (axis === value.batch ? [] : [axis]));
      const turned =
        value.order.indexOf(own - 1) >= 0 && value.order.indexOf(own - 1) < value.order.indexOf(own - 2);
      const tail = turned ? [own - 1, own - 2] : [own - 2, own - 1];
      return { value, lead, tail, turned, offset: rank - own };
    };
    const [left, right] = [place(a, false), place(b, true)];
    const shape = [...this.leading(a, b, rank), a.shape.at(-2)!, b.shape.at(-1)!];
    const batches = [left, right].map(({ value, offset }) => (value.batch < 0 ? -1 : value.batch + offset));
    const batch = batches.find((axis) => axis >= 0 && shape[axis] === 1) ?? -1;
    const held = [left, right].map(({ value, tail, offset }, i) => {
      // The samples' axis is left out on both sides, or on neither.
      const skip = batch >= 0 ? batch - offset : -1;
      const lead = value.shape.slice(0, -2).flatMap((_, axis) => (axis === skip ? [] : [axis]));
      if (batches[i]! >= 0 && batches[i] !== batch && batches[i]! < rank - 2)
        return this.arranged({ ...value, batch: -1 }, [...lead, ...tail]);
      return this.arranged(value, [...lead, ...tail]);
    });
    const made = this.push(
      {
        kind: 'matmul',
        ...(left.turned ? { transposeA: true } : {}),
        ...(right.turned ? { transposeB: true } : {}),
      },
      held.map(({ node }) => node),
      name,
    );
    return { ...made, shape, order: wide(shape).filter((axis) => axis !== batch), batch };
  }

  private leading(a: Value, b: Value, rank: number): number[] {
    const side = (value: Value, axis: number) => value.shape[axis - (rank - value.shape.length)] ?? 1;
    return Array.from({ length: rank - 2 }, (_, axis) => Math.max(side(a, axis), side(b, axis)));
  }
}

const scaled = (data: Float32Array, by: number): Float32Array =>
  by === 1 ? data.slice() : data.map((x) => x * by);
