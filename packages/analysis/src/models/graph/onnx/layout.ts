import { number, numbers } from './attributes.js';
import { Builder } from './builder.js';
import { type Form, floats, onnxSides, sidesOf, type Value } from './values.js';

/** Operators that move values and compute shapes, but no numbers. */
export abstract class LayoutOperators extends Builder {
  protected dropout(): void {
    if (this.uses.get(this.node.outputs[1] ?? '')) this.refuse('its mask is read');
    this.same({ kind: 'identity' });
  }

  /** Also of a constant, which only changes its name. */
  protected identity(): void {
    const constant = this.constants.get(this.node.inputs[0] ?? '');
    if (constant) this.constants.set(this.node.outputs[0] ?? '', constant);
    else this.same({ kind: 'identity' });
  }

  protected flatten(): void {
    const axis = number(this.node, 'axis', 1);
    const value = this.value(0);
    if (axis !== 1 && axis !== 1 - (value.form === 'vector' ? 2 : 4)) this.refuse(`axis ${axis}: expected 1`);
    this.flat(value);
  }

  protected flat(value: Value): void {
    if (value.form === 'image') this.put({ kind: 'flatten-channels-first' }, [value], 'vector');
    else this.put({ kind: value.form === 'image-last' ? 'flatten' : 'identity' }, [value], 'vector');
  }

  /** A side that is computed, made a list of one or a number again. */
  private passSides(): boolean {
    const sides = this.sides.get(this.node.inputs[0] ?? '');
    if (sides) this.sides.set(this.node.outputs[0] ?? '', sides);
    return sides !== undefined;
  }

  /** Of an image of one pixel, or where it computes a shape. */
  protected squeeze(): void {
    if (this.passSides()) return;
    const value = this.value(0);
    const axes =
      numbers(this.node, 'axes') ?? sidesOf(this.constants.get(this.node.inputs[1] ?? ''))?.map(Number);
    const places = axes?.map((axis) => (axis < 0 ? axis + 4 : axis)).sort((a, b) => a - b);
    const pixel =
      value.form === 'pooled' || (value.form === 'image' && value.shape[0] === 1 && value.shape[1] === 1);
    if (!pixel || places?.join() !== '2,3')
      this.refuse(`axes [${axes ?? ''}] of [batch, ${onnxSides(value)}]: expected an image of one pixel`);
    this.flat(value);
  }

  protected cast(): void {
    if (this.passSides()) return;
    if (this.node.op === 'Cast' && number(this.node, 'to', 1) === 1) this.same({ kind: 'identity' });
    else this.refuse('only to float32');
  }

  /** Nodes of constants alone, as exporters leave them that fold nothing: a zero for each filter, axes as a list. */
  protected folded(): boolean {
    const [first, second] = this.node.inputs as [string?, string?];
    const constant = this.constants.get(first ?? '');
    const wanted = this.sides.get(second ?? '') ?? sidesOf(this.constants.get(second ?? ''));
    if (
      !constant ||
      !['Reshape', 'Expand', 'Squeeze', 'Unsqueeze', 'Cast', 'CastLike'].includes(this.node.op)
    )
      return false;
    const { data, dtype } = constant;
    let kept = constant;
    if (this.node.op === 'Reshape') {
      const known = (wanted ?? []).reduce<number>((a, b) => (b === -1 ? a : a * Number(b)), 1);
      const shape = (wanted ?? []).map((side) => (side === -1 ? data.length / known : Number(side)));
      if (!wanted || shape.reduce((a, b) => a * b, 1) !== data.length)
        this.refuse(`a constant of shape [${constant.shape}] to [${wanted}]`);
      kept = { data, shape, dtype };
    } else if (this.node.op === 'Expand' && data.length === 1 && wanted?.every((side) => Number(side) > 0)) {
      const shape = wanted.map(Number);
      const count = shape.reduce((a, b) => a * b, 1);
      this.spend(4 * count);
      kept = { data: new Float32Array(count).fill(Number(data[0])), shape, dtype: 'float32' };
    } else if (this.node.op === 'Squeeze' && data.length === 1) kept = { data, shape: [], dtype };
    else if (this.node.op === 'Unsqueeze' && constant.shape.length < 2 && data.length === 1)
      kept = { data, shape: [1], dtype };
    else if (!this.node.op.startsWith('Cast')) return false;
    this.constants.set(this.node.outputs[0] ?? '', kept);
    return true;
  }

  /** Only of a side that is computed. */
  protected expand(): void {
    if (!this.passSides()) this.refuse('of what the net computes is not known');
  }

  protected reshape(): void {
    if (this.passSides()) return;
    const value = this.value(0);
    const name = this.node.inputs[1] ?? '';
    const wanted =
      this.sides.get(name) ??
      sidesOf(this.constants.get(name)) ??
      this.refuse('expected its shape as a constant');
    const before = ['batch' as const, ...onnxSides(value)];
    const size = value.shape.reduce((a, b) => a * b, 1);
    const sides = wanted.map((side, i) => (side === 0 ? (before[i] ?? 0) : side));
    // The batch comes first: open, or -1, or as it was when exported.
    const [batch, ...rest] = sides;
    const known = rest.reduce<number>((a, b) => (b === -1 || b === 'batch' ? a : a * b), 1);
    const open = rest.filter((side) => side === -1).length;
    const shape = rest.map((side) => (side === -1 ? size / known : Number(side)));
    const exported = this.model.inputs[0]?.shape?.[0] ?? 1;
    const fits =
      shape.reduce((a, b) => a * b, 1) === size && shape.every((side) => Number.isInteger(side) && side > 0);
    if (!fits || open > 1 || (batch !== 'batch' && batch !== -1 && batch !== 1 && batch !== exported))
      this.refuse(`shape [${wanted}] of [batch, ${onnxSides(value)}]: expected the batch first`);
    if (shape.length === 1) {
      this.flat(value);
      return;
    }
    if (shape.join() === onnxSides(value).join()) {
      this.put({ kind: 'identity' }, [value], value.form);
      return;
    }
    const [c, h, w] = shape as [number, number, number];
    // Only of one channel, or one pixel, is the order the same with channels first and last.
    if (shape.length !== 3 || value.form !== 'vector' || (c !== 1 && h * w !== 1))
      this.refuse(`to [batch, ${shape}]: only to batch × values, or to an image of one channel`);
    this.put({ kind: 'reshape', shape: [h, w, c] }, [value], 'image');
  }

  protected concat(): void {
    const lists = this.node.inputs.map((name) => this.sides.get(name) ?? sidesOf(this.constants.get(name)));
    if (this.node.inputs.length && lists.every((list) => list)) {
      const joined = lists.flatMap((list) => list!);
      if (joined.length > 64) this.refuse('expected a shape of at most 64 sides');
      this.sides.set(this.node.outputs[0] ?? '', joined);
      return;
    }
    const values = this.node.inputs.map((_, i) => this.value(i));
    const form = values[0]?.form ?? 'vector';
    const rank = form === 'vector' ? 2 : 4;
    const given = number(this.node, 'axis', Number.NaN);
    if ((given < 0 ? given + rank : given) !== (form === 'image-last' ? 3 : 1))
      this.refuse(`axis ${given}: expected the channels`);
    if (values.some((value) => value.form !== form)) this.refuse('expected inputs of one layout');
    this.put({ kind: 'concat' }, values, form);
  }

  protected transpose(): void {
    const constant = this.constants.get(this.node.inputs[0] ?? '');
    const perm = numbers(this.node, 'perm');
    if (constant) {
      if (constant.shape.length !== 2 || (perm && perm.join() !== '1,0'))
        this.refuse('of this constant is not known');
      const [rows, columns] = constant.shape as [number, number];
      const from = floats(constant);
      this.spend(from.byteLength);
      const data = new Float32Array(from.length);
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) data[j * rows + i] = from[i * columns + j]!;
      this.constants.set(this.node.outputs[0] ?? '', { data, shape: [columns, rows], dtype: 'float32' });
      return;
    }
    const value = this.value(0);
    const turns: Partial<Record<string, [Form, Form]>> = {
      '0,3,1,2': ['image-last', 'image'],
      '0,2,3,1': ['image', 'image-last'],
    };
    const turn = turns[perm?.join() ?? ''];
    if (turn?.[0] !== value.form)
      this.refuse(`perm [${perm}]: only between channels first and channels last`);
    this.values.set(this.node.outputs[0] ?? '', { ...value, form: turn[1] });
  }

  protected constant(): void {
    const [out] = this.node.outputs;
    for (const [key, attribute] of this.node.attributes) {
      if (attribute.kind === 'tensor') {
        this.constants.set(out ?? '', attribute.value);
        return;
      }
      if (attribute.kind !== 'number' && attribute.kind !== 'numbers') continue;
      const list = attribute.kind === 'number' ? [attribute.value] : attribute.value;
      const whole = key.startsWith('value_int');
      this.constants.set(out ?? '', {
        data: whole ? Int32Array.from(list) : Float32Array.from(list),
        shape: attribute.kind === 'number' ? [] : [list.length],
        dtype: whole ? 'int32' : 'float32',
      });
      return;
    }
    this.refuse('expected numbers');
  }

  /** x.view(x.size(0), -1) comes out of PyTorch as nodes that compute the shape. */
  protected shapes(): void {
    const [first, second] = this.node.inputs as [string, string?];
    const out = this.node.outputs[0] ?? '';
    if (this.node.op === 'Shape') {
      const constant = this.constants.get(first);
      const all = constant ? [...constant.shape] : (['batch', ...onnxSides(this.value(0))] as const);
      const start = number(this.node, 'start', 0);
      const end = number(this.node, 'end', all.length);
      this.sides.set(out, all.slice(start, end));
      return;
    }
    const list = this.sides.get(first) ?? sidesOf(this.constants.get(first));
    if (!list) this.refuse('only where it computes a shape');
    if (this.node.op === 'Unsqueeze') this.sides.set(out, list);
    else {
      const at = sidesOf(this.constants.get(second ?? ''));
      const index = at?.length === 1 ? Number(at[0]) : Number.NaN;
      const side = list[index < 0 ? index + list.length : index];
      if (side === undefined) this.refuse(`expected an index within [${list}]`);
      this.sides.set(out, [side]);
    }
  }
}
