import type { Tensor } from '../../../formats/types.js';
import { product } from '../ops/definition.js';
import type { BinaryKind } from '../types.js';
import { Builder, isValue, MASKED } from './builder.js';
import { floats, numbersOf, type Value } from './values.js';

const KINDS: Record<string, BinaryKind | 'add' | 'multiply'> = {
  Add: 'add',
  Sub: 'subtract',
  Mul: 'multiply',
  Div: 'divide',
  Max: 'maximum',
  Min: 'minimum',
  Greater: 'greater',
  GreaterOrEqual: 'greater-equal',
  Less: 'less',
  LessOrEqual: 'less-equal',
  Equal: 'equal',
};
/** They have an affine form beside a constant. */
const AFFINE: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Div']);

/** Arithmetic of values that broadcast, and of values and constants. */
export abstract class ArithmeticOperators extends Builder {
  protected binary(op: string): void {
    const count = this.node.inputs.length;
    if (count !== 2 && (op === 'Max' || op === 'Min')) {
      this.folding(op, count);
      return;
    }
    const [a, b] = [this.at(0), this.at(1)];
    if (!a || !b) throw this.error('expected two inputs', 'format');
    if (isValue(a) && isValue(b)) {
      const name = this.names.of(this.node);
      this.set(this.joined({ kind: KINDS[op]! }, [this.value(0), this.value(1)], name));
      return;
    }
    const [value, constant, first] = isValue(a) ? [a, b as Tensor, true] : [b as Value, a, false];
    if (op === 'Add' && this.isMask(constant)) {
      this.set(this.masked(value, constant));
      return;
    }
    this.withConstant(op, this.value(first ? 0 : 1), constant, first, this.node.inputs[first ? 0 : 1]!);
  }

  /** Of one value, or of more than two. */
  private folding(op: string, count: number): void {
    if (count < 1) this.refuse('expected inputs', 'format');
    let value = this.value(0);
    for (let i = 1; i < count; i++)
      value = this.joined({ kind: KINDS[op]! }, [value, this.value(i)], this.names.of(this.node));
    this.set(value);
  }

  /** `first`: the value stands before the constant. */
  private withConstant(op: string, value: Value, constant: Tensor, first: boolean, name: string): void {
    const placed = this.beside(value, constant);
    const one = placed?.sides.slice(0, -1).every((side) => side === 1);
    if (!placed || !one || !value.sides.length || !AFFINE.has(op) || (!first && op === 'Div')) {
      const other = this.constantValue(constant);
      const pair = first ? [value, other] : [other, value];
      this.set(this.joined({ kind: KINDS[op]! }, pair, this.names.of(this.node)));
      return;
    }
    // One number, or one for each channel of the last axis.
    const channels = value.sides.at(-1)!;
    const numbers = placed.data.length === 1 ? new Float32Array(channels).fill(placed.data[0]!) : placed.data;
    if (op === 'Add' && this.isBias(value, name, numbers)) return;
    const [scale, offset] = [new Float32Array(channels).fill(1), new Float32Array(channels)];
    for (let c = 0; c < channels; c++) {
      if (op === 'Add') offset[c] = numbers[c]!;
      else if (op === 'Mul') scale[c] = numbers[c]!;
      else if (op === 'Div') scale[c] = 1 / numbers[c]!;
      else {
        scale[c] = first ? 1 : -1;
        offset[c] = first ? -numbers[c]! : numbers[c]!;
      }
    }
    const own = this.names.of(this.node);
    this.same(
      {
        kind: 'batch-norm',
        scale: this.store(`${own}.scale`, scale, [channels]),
        offset: this.store(`${own}.offset`, offset, [channels]),
      },
      value,
      own,
    );
  }

  /** x · W + b in two nodes is one layer. */
  private isBias(value: Value, name: string, bias: Float32Array): boolean {
    const source = this.nodes[this.nodes.length - 1];
    if (source?.kind !== 'dense' || source.name !== value.node || source.bias || this.uses.get(name) !== 1)
      return false;
    source.bias = this.store(`${source.name}.bias`, bias.slice(), [bias.length]);
    this.set(value);
    return true;
  }

  /** Whether a constant leaves out what it is added to. */
  private isMask(constant: Tensor): boolean {
    const values = numbersOf(constant);
    for (let i = 0; i < values.length; i++) if (values[i]! <= MASKED) return true;
    return false;
  }

  /** A value with a mask for the softmax to come; two masks are added. */
  private masked(value: Value, constant: Tensor): Value {
    if (!value.mask) return { ...value, mask: constant };
    const shape = value.shape;
    const [a, b] = [value.mask, constant].map((mask) => this.spreadTo(mask, shape)) as [
      Float32Array,
      Float32Array,
    ];
    return { ...value, mask: { data: a.map((x, i) => x + b[i]!), shape, dtype: 'float32' } };
  }

  private spreadTo(tensor: Tensor, shape: readonly number[]): Float32Array {
    const from = floats(tensor);
    const offset = shape.length - tensor.shape.length;
    const out = new Float32Array(product(shape));
    this.spend(out.byteLength);
    for (let i = 0; i < out.length; i++) {
      let [rest, at, step] = [i, 0, 1];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        const place = rest % shape[axis]!;
        rest = Math.floor(rest / shape[axis]!);
        if (axis < offset) continue;
        const side = tensor.shape[axis - offset]!;
        at += side === 1 ? 0 : place * step;
        step *= side;
      }
      out[i] = from[at]!;
    }
    return out;
  }

  protected where(): void {
    const marked = this.markers.get(this.node.inputs[0] ?? '');
    // Rows that are masked whole give NaN, which exporters replace; none are.
    if (marked !== undefined && marked === this.node.inputs[2]) {
      this.set(this.value(2));
      return;
    }
    if (this.values.has(this.node.inputs[0] ?? '')) {
      const operands = [0, 1, 2].map((i) => this.value(i));
      this.set(this.joined({ kind: 'select' }, operands, this.names.of(this.node)));
      return;
    }
    const condition = this.constantAt(0, 'the condition');
    const bits = Array.from(numbersOf(condition), Boolean);
    const [a, b] = [this.at(1)!, this.at(2)!];
    const whole = (each: Value | Tensor) => isValue(each) && this.covers(each.shape, condition.shape);
    if (bits.every(Boolean) && whole(a)) {
      this.set(this.value(1));
      return;
    }
    if (!bits.some(Boolean) && whole(b)) {
      this.set(this.value(2));
      return;
    }
    for (const [i, value, other] of [
      [1, a, b],
      [2, b, a],
    ] as const)
      if (
        isValue(value) &&
        !isValue(other) &&
        this.isMask(other) &&
        other.data.length === 1 &&
        whole(value)
      ) {
        const data = Float32Array.from(bits, (bit) => (bit === (i === 1) ? 0 : Number.NEGATIVE_INFINITY));
        this.set(this.masked(value, { data, shape: condition.shape, dtype: 'float32' }));
        return;
      }
    const [x, y] = [this.value(1), this.value(2)];
    const name = this.names.of(this.node);
    const shapes = [x.shape, y.shape, [...condition.shape]];
    const rank = Math.max(...shapes.map((shape) => shape.length));
    const { nodes, ...out } = this.aligned([this.plain(x), this.plain(y)]);
    const placed =
      this.beside({ ...out, node: '' }, condition) ??
      this.refuse(`a condition of [${condition.shape}] for [${out.shape}]`);
    if (rank !== out.shape.length) this.refuse(`a condition of [${condition.shape}] for [${out.shape}]`);
    const mask = this.store(`${name}.mask`, placed.data, placed.sides);
    this.set({ ...out, ...this.push({ kind: 'where', mask }, nodes, name) });
  }
  /** What asks whether a value is NaN → the value asked about. */
  protected readonly markers = new Map<string, string>();

  private covers(shape: readonly number[], inner: readonly number[]): boolean {
    const offset = shape.length - inner.length;
    return offset >= 0 && inner.every((side, i) => side === 1 || side === shape[i + offset]);
  }

  protected power(): void {
    const exponent = this.scalar(1, 'the exponent') ?? this.refuse('expected an exponent', 'format');
    if (exponent === 1) this.same({ kind: 'identity' });
    else this.same({ kind: 'power', exponent });
  }
}
