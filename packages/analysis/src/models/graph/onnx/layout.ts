import type { Tensor } from '../../../formats/types.js';
import { broadcast, product } from '../ops/definition.js';
import { ArithmeticOperators } from './arithmetic.js';
import { number, numbers, text } from './attributes.js';
import { isValue } from './builder.js';
import { FoldError, reshapeTo, slicesOf, splitSides, unsqueezed } from './fold.js';
import { numbersOf, type Value, wide } from './values.js';

/** Operators that move values and compute shapes, but no numbers. */
export abstract class LayoutOperators extends ArithmeticOperators {
  protected dropout(): void {
    if (this.isRead(1)) this.refuse('its mask is read');
    this.same({ kind: 'identity' });
  }

  /** Whether anything reads an output. */
  protected isRead(output: number): boolean {
    const name = this.node.outputs[output];
    return Boolean(name && this.uses.get(name));
  }

  protected identity(): void {
    const value = this.value(0);
    if (value.integer) this.set(value);
    else this.same({ kind: 'identity' });
  }

  /** To float32, or of ids to whole numbers. */
  protected cast(): void {
    const to = this.node.op === 'Cast' ? number(this.node, 'to', 1) : 1;
    const value = this.value(0);
    if (value.integer && [1, 2, 3, 5, 6, 7, 10, 11, 12, 13, 16].includes(to)) this.set(value);
    else if ([1, 10, 11, 16].includes(to)) this.same({ kind: 'identity' });
    else this.refuse('only to float32');
  }

  protected flatten(): void {
    const value = this.value(0);
    const given = number(this.node, 'axis', 1);
    const axis = given < 0 ? given + value.shape.length : given;
    const { shape } = value;
    this.reshaped(value, [product(shape.slice(0, axis)), product(shape.slice(axis))]);
  }

  protected reshape(): void {
    const value = this.value(0);
    const { node } = this;
    const wanted =
      this.integers(1, 'its shape') ??
      numbers(node, 'shape') ??
      this.refuse('expected its shape as a constant');
    const zero = number(node, 'allowzero', 0) === 1;
    const attempts = [wanted, this.unbatched(value.shape, wanted, zero)];
    for (const attempt of attempts)
      try {
        if (attempt) {
          this.reshaped(value, reshapeTo(value.shape, attempt, zero));
          return;
        }
      } catch (cause) {
        if (!(cause instanceof FoldError)) throw cause;
      }
    this.refuse(`shape [${wanted}] of [${['batch', ...value.shape.slice(1)]}]: expected the batch first`);
  }

  /** A shape that was written down for a batch of several samples, for one. */
  private unbatched(shape: readonly number[], wanted: readonly number[], zero: boolean): number[] | null {
    const exported = this.model.inputs[0]?.shape?.[0] ?? 1;
    if (exported === 1) return null;
    for (const [i, side] of wanted.entries())
      if (side > 0 && side % exported === 0) {
        const attempt = wanted.map((own, j) => (j === i ? own / exported : own));
        const known = attempt.map((own, j) => (own === 0 && !zero ? (shape[j] ?? 1) : own));
        if (known.includes(-1) || product(known) === product(shape)) return attempt;
      }
    return null;
  }

  private reshaped(value: Value, shape: number[]): void {
    // Which axis the samples are: the first, as long as it has one place.
    const batch = shape[0] === 1 ? 0 : -1;
    const next = wide(shape);
    const kept = value.order.map((axis) => value.shape[axis]!);
    const sorted = value.order.every((axis, i) => i === 0 || value.order[i - 1]! < axis);
    const own = batch === 0 ? shape.slice(1) : shape;
    const same = next.map((axis) => shape[axis]!).join() === kept.join();
    const stays = batch === 0 && value.batch === 0;
    if (shape.join() === value.shape.join() && value.integer) this.set(value);
    else if (shape.join() === value.shape.join() && stays) {
      this.same({ kind: 'identity' }, value);
    } else if (sorted && same) {
      // Only axes of one place come or go.
      const out: Value = { ...value, shape, order: next, batch };
      if (value.integer || own.length !== 1 || !stays) this.set(out);
      else {
        const kind = value.sides.length === 1 ? 'identity' : 'flatten';
        this.set({ ...out, ...this.push({ kind }, [value.node], this.names.of(this.node)) });
      }
    } else if (
      stays &&
      own.length === 1 &&
      value.shape.length === 4 &&
      value.sides.length === 3 &&
      value.order.at(-1) === 1
    ) {
      const image = this.channelsLast(value);
      const made = this.push({ kind: 'flatten-channels-first' }, [image.node], this.names.of(this.node));
      this.set({ ...made, shape, order: next, batch });
    } else if (
      stays &&
      shape.length === 4 &&
      value.sides.length === 1 &&
      (shape[1] === 1 || shape[2]! * shape[3]! === 1)
    ) {
      // Only of one channel, or one pixel, is the order the same with channels first and last.
      const op = { kind: 'reshape' as const, shape: [shape[2]!, shape[3]!, shape[1]!] };
      const made = this.push(op, [value.node], this.names.of(this.node));
      this.set({ ...made, shape, order: [2, 3, 1].filter((axis) => shape[axis]! > 1), batch });
    } else {
      const plain = this.plain(value);
      const op =
        stays && own.length === 1
          ? ({ kind: 'flatten' } as const)
          : ({ kind: 'reshape', shape: own } as const);
      const made = this.push(op, [plain.node], this.names.of(this.node));
      this.set({ ...made, shape, order: next, batch, integer: value.integer });
    }
  }

  /** Axes of one place are nowhere in our graph: they only change their numbers. */
  private renumbered(value: Value, kept: readonly number[], shape: number[]): Value {
    // kept[i]: the old axis that becomes axis i; -1 for a new one.
    const order = value.order.map((axis) => kept.indexOf(axis));
    return { ...value, shape, order, batch: value.batch < 0 ? -1 : kept.indexOf(value.batch) };
  }

  protected squeeze(): void {
    const value = this.value(0);
    const given = numbers(this.node, 'axes') ?? this.integers(1, 'axes');
    const rank = value.shape.length;
    const axes =
      given?.map((axis) => this.axis(axis, rank)) ??
      value.shape.flatMap((side, axis) => (side === 1 && axis !== value.batch ? [axis] : []));
    if (axes.some((axis) => value.shape[axis] !== 1))
      this.refuse(`axes [${axes}] of [${value.shape}]: expected axes of one place`);
    const kept = value.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
    this.squeezed(
      this.renumbered(
        value,
        kept,
        kept.map((axis) => value.shape[axis]!),
      ),
    );
  }

  protected unsqueeze(): void {
    const value = this.value(0);
    const given = numbers(this.node, 'axes') ?? this.integers(1, 'axes') ?? this.refuse('expected axes');
    const shape = unsqueezed(value.shape, given);
    const added = new Set(given.map((axis) => this.axis(axis, shape.length)));
    let next = 0;
    const kept = shape.map((_, axis) => (added.has(axis) ? -1 : next++));
    this.squeezed(this.renumbered(value, kept, shape));
  }

  /** A pooled image that becomes values is a layer that is looked at. */
  private squeezed(value: Value): void {
    if (value.shape.length === 2 && value.batch === 0 && !value.integer && this.node.op === 'Squeeze')
      this.set({
        ...value,
        ...this.push(
          { kind: value.sides.length === 1 ? 'identity' : 'flatten' },
          [value.node],
          this.names.of(this.node),
        ),
      });
    else this.set(value);
  }

  protected transpose(): void {
    const value = this.value(0);
    const rank = value.shape.length;
    const perm = numbers(this.node, 'perm') ?? value.shape.map((_, i) => rank - 1 - i);
    if ([...perm].sort((a, b) => a - b).join() !== value.shape.map((_, i) => i).join())
      this.refuse(`perm [${perm}] of [${value.shape}]`, 'format');
    this.set(
      this.renumbered(
        value,
        perm,
        perm.map((axis) => value.shape[axis]!),
      ),
    );
  }

  protected concat(): void {
    const given = this.node.inputs.map((_, i) => this.at(i)!);
    const values = given.map((_, i) => this.value(i));
    const first = values.find((_, i) => isValue(given[i]!)) ?? values[0]!;
    const rank = first.shape.length;
    const axis = this.ownAxis(first, number(this.node, 'axis', Number.NaN));
    const shape = first.shape.map((side, i) =>
      i === axis ? values.reduce((sum, each) => sum + (each.shape[i] ?? 0), 0) : side,
    );
    const batch = first.batch;
    const all = wide(shape).filter((each) => each !== batch);
    const lead = values.find((each) => {
      const others = each.order.filter((own) => own !== axis);
      return others.length === all.filter((own) => own !== axis).length && each.order.includes(axis);
    });
    const order = lead?.order ?? all;
    const nodes = values.map((each) => {
      if (each.shape.length !== rank || (batch >= 0 && each.shape[batch] !== 1))
        this.refuse('expected inputs of one layout');
      return this.arranged({ ...each, batch }, order).node;
    });
    const place = order.indexOf(axis);
    const op =
      place === order.length - 1 ? ({ kind: 'concat' } as const) : ({ kind: 'concat', axis: place } as const);
    const made = this.push(op, nodes, this.names.of(this.node));
    this.set({ ...made, shape, order, batch });
  }

  /** With `axis` among the axes that the node holds, and its place there. */
  private holding(value: Value, axis: number): { held: Value; place: number; order: number[] } {
    if (value.shape[axis]! > 1) {
      const held = this.arranged(value, value.order);
      return { held, place: held.order.indexOf(axis), order: held.order };
    }
    const order = [...value.order, axis];
    return { held: this.arranged(value, order), place: order.length - 1, order };
  }

  protected slice(): void {
    const value = this.value(0);
    const starts =
      numbers(this.node, 'starts') ?? this.integers(1, 'starts') ?? this.refuse('expected starts');
    const ends = numbers(this.node, 'ends') ?? this.integers(2, 'ends') ?? this.refuse('expected ends');
    const axes = numbers(this.node, 'axes') ?? this.integers(3, 'axes');
    let out = value;
    for (const { axis, start, step, count } of slicesOf(
      value.shape,
      starts,
      ends,
      axes,
      this.integers(4, 'steps'),
    )) {
      const side = value.shape[axis]!;
      if (start === 0 && step === 1 && count === side) continue;
      this.ownAxis(value, axis);
      if (!count) this.refuse('nothing is left');
      out = this.range(out, axis, start, step, count);
    }
    this.set(out);
  }

  /** `count` places along an axis. */
  private range(value: Value, axis: number, start: number, step: number, count: number): Value {
    if (step !== 1) {
      const indices = Array.from({ length: count }, (_, i) => start + i * step);
      return this.taken(value, axis, indices);
    }
    const { held, place, order } = this.holding(value, axis);
    const begin = held.sides.map((_, i) => (i === place ? start : 0));
    const size = held.sides.map((side, i) => (i === place ? count : side));
    const made = this.push({ kind: 'slice', begin, size }, [held.node], this.names.of(this.node));
    const shape = value.shape.map((side, i) => (i === axis ? count : side));
    return { ...value, ...made, shape, order: order.filter((own) => shape[own]! > 1) };
  }

  private taken(value: Value, axis: number, indices: number[]): Value {
    const { held, place, order } = this.holding(value, axis);
    const made = this.push({ kind: 'take', axis: place, indices }, [held.node], this.names.of(this.node));
    const shape = value.shape.map((side, i) => (i === axis ? indices.length : side));
    return { ...value, ...made, shape, order: order.filter((own) => shape[own]! > 1) };
  }

  protected split(): void {
    const value = this.value(0);
    const axis = this.ownAxis(value, number(this.node, 'axis', 0));
    let from = 0;
    for (const [i, count] of splitSides(this.node, this.integers(1, 'sides'), value.shape[axis]!).entries()) {
      if (this.isRead(i)) this.set(this.range(value, axis, from, 1, count), i);
      from += count;
    }
  }

  protected gather(): void {
    const [data, indices] = [this.at(0), this.at(1)];
    if (!data || !indices) throw this.error('expected data and indices', 'format');
    if (isValue(indices)) {
      if (isValue(data)) this.refuse('its places are computed from the input');
      this.embedding(data, indices);
      return;
    }
    const value = this.value(0);
    const axis = this.ownAxis(value, number(this.node, 'axis', 0));
    const side = value.shape[axis]!;
    const list = Array.from(numbersOf(indices), (index) => (index < 0 ? index + side : index));
    if (!list.every((index) => Number.isInteger(index) && index >= 0 && index < side))
      this.refuse(`an index lies outside of ${side} places`, 'format');
    const plain = list.every((index, i) => index === list[0]! + i);
    const out = plain ? this.range(value, axis, list[0]!, 1, list.length) : this.taken(value, axis, list);
    if (indices.shape.length === 1) {
      this.set(out);
      return;
    }
    // The axis becomes those of the indices.
    const shape = [...value.shape.slice(0, axis), ...indices.shape, ...value.shape.slice(axis + 1)];
    if (indices.shape.length === 0) {
      const kept = value.shape.flatMap((_, own) => (own === axis ? [] : [own]));
      this.set(this.renumbered(out, kept, shape));
      return;
    }
    const flat = this.plain(out);
    const own = shape.filter((_, i) => i !== value.batch || value.batch > axis);
    const made = this.push(
      { kind: 'reshape', shape: own },
      [flat.node],
      this.names.own(`${flat.node}.shaped`),
    );
    this.set({ ...made, shape, order: wide(shape), batch: value.batch < axis ? value.batch : -1 });
  }

  private embedding(table: Tensor, ids: Value): void {
    if (!ids.integer) this.refuse('expected token ids as the input of the net');
    if (table.shape.length !== 2 || number(this.node, 'axis', 0) !== 0)
      this.refuse(`expected a table of rows, got shape [${table.shape}]`);
    const name = this.names.of(this.node, this.node.inputs[0]);
    const held = this.arranged(ids, ids.order);
    const made = this.push(
      { kind: 'embedding', table: this.store(`${name}.table`, this.floatsOf(table), [...table.shape]) },
      [held.node],
      name,
    );
    const shape = [...ids.shape, table.shape[1]!];
    const order = [...ids.order, ids.shape.length].filter((axis) => shape[axis]! > 1);
    this.set({ ...made, shape, order, batch: ids.batch });
  }
  private floatsOf(tensor: Tensor): Float32Array {
    return Float32Array.from(numbersOf(tensor));
  }

  protected expand(): void {
    const value = this.value(0);
    const wanted = this.integers(1, 'its shape') ?? this.refuse('expected its shape');
    const exported = this.model.inputs[0]?.shape?.[0] ?? 1;
    const given =
      exported > 1 && wanted[0] === exported && value.batch === 0 ? [1, ...wanted.slice(1)] : wanted;
    this.expanded(value, given);
  }

  protected expanded(value: Value, wanted: readonly number[]): void {
    const shape = broadcast([value.shape, wanted]) ?? this.refuse(`[${value.shape}] to [${wanted}]`);
    const offset = shape.length - value.shape.length;
    const batch = value.batch < 0 ? -1 : value.batch + offset;
    const kept = shape.map((_, axis) => axis - offset).map((axis) => (axis < 0 ? -1 : axis));
    const wider = this.renumbered(
      value,
      kept,
      shape.map((_, axis) => (axis < offset ? 1 : value.shape[axis - offset]!)),
    );
    if (shape.join() === wider.shape.join()) {
      this.set(wider);
      return;
    }
    if (batch >= 0 && shape[batch] !== 1) this.refuse('it repeats samples');
    const all = shape.map((_, axis) => axis).filter((axis) => axis !== batch);
    const plain = this.arranged({ ...wider, batch }, all);
    const made = this.push(
      { kind: 'expand', shape: all.map((axis) => shape[axis]!) },
      [plain.node],
      this.names.of(this.node),
    );
    this.set({ ...made, shape, order: wide(shape), batch });
  }

  protected tile(): void {
    let value = this.value(0);
    const times = this.integers(1, 'repeats') ?? this.refuse('expected repeats');
    for (const [axis, count] of times.entries()) {
      if (count === 1) continue;
      this.ownAxis(value, axis);
      const side = value.shape[axis]!;
      value = this.taken(
        value,
        axis,
        Array.from({ length: side * count }, (_, i) => i % side),
      );
    }
    this.set(value);
  }

  protected pad(): void {
    let value = this.value(0);
    const rank = value.shape.length;
    const pads =
      numbers(this.node, 'pads') ?? numbers(this.node, 'paddings') ?? this.integers(1, 'the padding') ?? [];
    const axes =
      this.integers(3, 'axes')?.map((axis) => this.axis(axis, rank)) ?? value.shape.map((_, i) => i);
    if (pads.length !== 2 * axes.length || !pads.every((n) => Number.isInteger(n) && Math.abs(n) < 65_536))
      this.refuse(`expected padding of each side, got [${pads.slice(0, 8)}]`);
    const mode = text(this.node, 'mode', 'constant');
    const fill = this.scalar(2, 'the value') ?? number(this.node, 'value', 0);
    const both = new Map(axes.map((axis, i) => [axis, [pads[i]!, pads[i + axes.length]!] as const]));
    for (const [axis, [before, after]] of both) {
      if (!before && !after) continue;
      this.ownAxis(value, axis);
      const side = value.shape[axis]!;
      if (mode === 'constant' && before >= 0 && after >= 0) continue;
      const indices = Array.from({ length: side + before + after }, (_, i) => {
        const at = i - before;
        if (at >= 0 && at < side) return at;
        if (mode === 'edge') return at < 0 ? 0 : side - 1;
        if (mode === 'wrap') return ((at % side) + side) % side;
        if (mode !== 'reflect') return this.refuse(`mode ${mode} with pads [${pads}]`);
        const period = Math.max(1, 2 * (side - 1));
        const folded = ((at % period) + period) % period;
        return folded < side ? folded : period - folded;
      });
      value = this.taken(value, axis, indices);
      both.set(axis, [0, 0]);
    }
    if (mode !== 'constant' && ![...both.values()].some((pair) => pair[0] || pair[1])) {
      this.set(value);
      return;
    }
    // Channels last where they are, so that images stay images.
    const held =
      rank === 4 && value.batch === 0 && value.order.at(-1) === 1
        ? this.channelsLast(value)
        : this.plain(value);
    const places =
      rank === 4 && held.sides.length === 3 && value.order.at(-1) === 1
        ? [2, 3, 1]
        : value.shape.map((_, axis) => axis).filter((axis) => axis !== value.batch);
    const padding = places.flatMap((axis) => [...(both.get(axis) ?? [0, 0])]);
    const least = rank === 4 && held.sides.length === 3 ? 4 : 2;
    while (padding.length > least && padding.at(-1) === 0 && padding.at(-2) === 0) padding.splice(-2);
    const shape = value.shape.map(
      (side, axis) => side + (both.get(axis)?.[0] ?? 0) + (both.get(axis)?.[1] ?? 0),
    );
    const made = this.push(
      { kind: 'pad', padding, ...(fill ? { value: fill } : {}) },
      [held.node],
      this.names.of(this.node),
    );
    this.set({ ...made, shape, order: places.filter((axis) => shape[axis]! > 1), batch: value.batch });
  }

  /** Channels to blocks of space, or back, by reshaping and turning. */
  protected depthToSpace(back: boolean): void {
    const value = this.plain(this.value(0));
    const [n, c, h, w] = value.shape as [number, number, number, number];
    const b = number(this.node, 'blocksize', 0);
    if (value.shape.length !== 4 || value.batch !== 0 || !(b > 0))
      this.refuse('expected batch × channels × height × width and a blocksize');
    const crd = text(this.node, 'mode', 'DCR') === 'CRD';
    const parts = back
      ? [c, h / b, b, w / b, b]
      : crd
        ? [c / (b * b), b, b, h, w]
        : [b, b, c / (b * b), h, w];
    const axes = back ? [2, 4, 0, 1, 3] : crd ? [0, 3, 1, 4, 2] : [2, 3, 0, 4, 1];
    const shape = back ? [n, c * b * b, h / b, w / b] : [n, c / (b * b), h * b, w * b];
    if (!parts.every(Number.isInteger)) this.refuse(`[${value.shape}] cannot be parted into blocks of ${b}`);
    const name = this.names.of(this.node);
    const split = this.push({ kind: 'reshape', shape: parts }, [value.node], this.names.own(`${name}.parts`));
    const turned = this.push({ kind: 'transpose', axes }, [split.node], this.names.own(`${name}.transposed`));
    const made = this.push({ kind: 'reshape', shape: shape.slice(1) }, [turned.node], name);
    this.set({ ...made, shape, order: wide(shape), batch: 0 });
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
        data: whole ? Float64Array.from(list) : Float32Array.from(list),
        shape: attribute.kind === 'number' ? [] : [list.length],
        dtype: whole ? 'int64' : 'float32',
      });
      return;
    }
    this.refuse('expected numbers');
  }
}
