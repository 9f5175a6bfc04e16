import type { Tensor } from '../../../formats/types.js';
import { product } from '../ops/definition.js';
import { number, text } from './attributes.js';
import { LayoutOperators } from './layout.js';
import { type Value, wide } from './values.js';

/** Operators that put numbers to places which the file says: in-place writes, lookups of many axes. */
export abstract class MovingOperators extends LayoutOperators {
  /** Gather and Scatter of several axes: which number goes where is worked out once, on the places themselves. */
  protected moving(): void {
    const { op } = this.node;
    const scatters = op.startsWith('Scatter');
    const reduction = text(this.node, 'reduction', 'none');
    if (scatters && reduction !== 'none') this.refuse(`reduction ${reduction} is not known`);
    const indices = this.constantAt(1, 'its places');
    const values = [this.value(0), ...(scatters ? [this.value(2)] : [])];
    let from = 0;
    const places = values.map(({ shape }): Tensor => {
      const data = Float64Array.from({ length: product(shape) }, (_, i) => from + i);
      from += data.length;
      return { data, shape, dtype: 'int64' };
    });
    const [first, ...rest] = places as [Tensor, ...Tensor[]];
    const made = this.evaluated(op, [first, indices, ...rest])[0]!;
    const flat = values.map((value) => {
      const held = this.plain(value);
      const count = product(value.shape);
      return held.sides.length === 1
        ? held.node
        : this.push({ kind: 'reshape', shape: [count] }, [held.node], this.names.own(`${held.node}.flat`))
            .node;
    });
    const name = this.names.of(this.node);
    const joined =
      flat.length > 1 ? this.push({ kind: 'concat' }, flat, this.names.own(`${name}.both`)).node : flat[0]!;
    const taken = this.push(
      { kind: 'take', axis: 0, indices: Array.from(made.data as Float64Array) },
      [joined],
      this.names.own(`${name}.places`),
    );
    const shape = [...made.shape];
    const batch = this.batchAfter(values, indices, shape);
    const own = shape.filter((_, axis) => axis !== batch);
    this.set({
      ...this.push({ kind: 'reshape', shape: own }, [taken.node], name),
      shape,
      order: wide(shape),
      batch,
    });
  }

  /** Which axis of one place the samples are. */
  private batchAfter([data, updates]: Value[], indices: Tensor, shape: readonly number[]): number {
    const { op } = this.node;
    const one = (axis: number) => (shape[axis] === 1 ? axis : -1);
    const lead = indices.shape.length - 1;
    const depth = indices.shape.at(-1)!;
    if (op === 'GatherND') {
      const whole = number(this.node, 'batch_dims', 0);
      const { batch } = data!;
      return batch >= whole + depth ? batch - whole - depth + lead : one(0);
    }
    if (data!.batch >= 0) return one(data!.batch);
    if (!updates || updates.batch < 0) return one(0);
    if (op === 'ScatterElements') return one(updates.batch);
    return updates.batch >= lead ? one(updates.batch - lead + depth) : shape.slice(0, depth).indexOf(1);
  }
}
