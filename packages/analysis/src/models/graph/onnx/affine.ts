import { LayoutOperators } from './layout.js';
import { onnxSides, type Value } from './values.js';

/** Arithmetic of two values, or of a value and a constant: one number, or one a channel. */
export abstract class AffineOperators extends LayoutOperators {
  protected arithmetic(op: 'Add' | 'Sub' | 'Mul' | 'Div'): void {
    const [a, b] = this.node.inputs.map((name) => this.constants.get(name));
    if (a && b) this.refuse('of two constants is not known; export with constants folded');
    if (!a && !b) {
      this.ofValues(op);
      return;
    }
    const value = this.value(a ? 1 : 0);
    const constant = this.perChannel(value, (a ?? b)!);
    const channels = constant.length;
    if (a && op === 'Div') this.refuse('by what the net computes is not known');
    this.initializers.add(this.node.inputs[a ? 0 : 1]!);
    if (op === 'Add' && this.isBias(value, this.node.inputs[a ? 1 : 0]!, constant)) return;
    const [scale, offset] = [new Float32Array(channels).fill(1), new Float32Array(channels)];
    for (let c = 0; c < channels; c++) {
      if (op === 'Add') offset[c] = constant[c]!;
      else if (op === 'Mul') scale[c] = constant[c]!;
      else if (op === 'Div') scale[c] = 1 / constant[c]!;
      else {
        scale[c] = a ? -1 : 1;
        offset[c] = a ? constant[c]! : -constant[c]!;
      }
    }
    const name = this.names.of(this.node);
    this.put(
      {
        kind: 'batch-norm',
        scale: this.store(`${name}.scale`, scale, [channels]),
        offset: this.store(`${name}.offset`, offset, [channels]),
      },
      [value],
      value.form,
      name,
    );
  }

  /** One number for each of our channels; refused where it is anything else. */
  private perChannel(
    value: Value,
    constant: NonNullable<ReturnType<typeof this.constants.get>>,
  ): Float32Array {
    const channels = value.shape[value.shape.length - 1]!;
    // In [N, C, H, W] a channel's constant is [C, 1, 1]; elsewhere channels are the last axis.
    const trailing = value.form === 'image' || value.form === 'pooled' ? 2 : 0;
    const sides = [...constant.shape];
    const ones = sides.splice(Math.max(0, sides.length - trailing), trailing);
    if (constant.data.length !== 1 && (ones.length !== trailing || ones.some((side) => side !== 1)))
      this.refuse(`a constant of shape [${constant.shape}] is not one number a channel`);
    return this.vector(constant, channels, 'constant');
  }

  /** x · W + b in two nodes is one layer. */
  private isBias(value: Value, name: string, bias: Float32Array): boolean {
    const source = this.nodes[this.nodes.length - 1];
    if (source?.kind !== 'dense' || source.name !== value.node || source.bias || this.uses.get(name) !== 1)
      return false;
    source.bias = this.store(`${source.name}.bias`, bias.slice(), [bias.length]);
    this.initializers.delete(this.node.inputs.find((input) => input !== name) ?? '');
    this.values.set(this.node.outputs[0] ?? '', value);
    return true;
  }

  private ofValues(op: 'Add' | 'Sub' | 'Mul' | 'Div'): void {
    let [left, right] = [this.value(0), this.value(1)];
    if (op === 'Mul' && left.form !== right.form) [left, right] = [this.image(0), this.image(1)];
    const equal = left.form === right.form && left.shape.join() === right.shape.join();
    const gate = (one: Value, other: Value) =>
      one.form === 'image' &&
      other.form === 'image' &&
      one.shape.slice(0, 2).join() === '1,1' &&
      one.shape[2] === other.shape[2];
    if (op === 'Sub' || op === 'Div') this.refuse('of two values that the net computes is not known');
    if (!equal && !(op === 'Mul' && (gate(left, right) || gate(right, left))))
      this.refuse(`expected equal shapes, got [${onnxSides(left)}] and [${onnxSides(right)}]`);
    this.put({ kind: op === 'Add' ? 'add' : 'multiply' }, [left, right], left.form);
  }
}
