import type { Tensor } from '../../../formats/types.js';
import { product } from '../ops/definition.js';
import type { GraphOp, ReduceKind } from '../types.js';
import { number, numbers } from './attributes.js';
import { EinsumOperators } from './einsum.js';
import { floats, type Value, wide } from './values.js';

/** The largest float32: an end that is left open. */
const MAX_FLOAT = 3.4028234663852886e38;

/** Softmax, reductions and normalisations. */
export abstract class NormalisationOperators extends EinsumOperators {
  protected softmax(kind: 'softmax' | 'log-softmax'): void {
    const masked = this.at(0) as Value;
    const value = masked && 'mask' in masked && masked.mask ? { ...masked, mask: undefined } : this.value(0);
    const rank = value.shape.length;
    const modern = this.model.opset >= 13;
    const given = number(this.node, 'axis', modern ? -1 : 1);
    let axis = this.ownAxis(value, given);
    if (!modern) {
      // Before version 13 all axes from this one on were one.
      const more = value.shape.flatMap((side, i) => (i >= axis && side > 1 ? [i] : []));
      if (more.length > 1) this.refuse(`axis ${given} of [${value.shape}]: expected the last axis`);
      axis = more[0] ?? rank - 1;
    }
    const held = value.order.at(-1) === axis && value.sides.at(-1)! > 1 ? value : this.lastAxis(value, axis);
    const name = this.names.of(this.node);
    const mask = masked.mask && this.maskBeside(held, masked.mask, name);
    this.same({ kind, ...(mask ? { mask } : {}) }, held, name);
  }

  private maskBeside(value: Value, mask: Tensor, name: string): string {
    const placed = this.beside(value, mask) ?? this.refuse(`a mask of [${mask.shape}] for [${value.shape}]`);
    const last = value.sides.at(-1)!;
    for (let i = 0; i < placed.data.length; i += last) {
      const row = placed.data.subarray(i, i + last);
      if (placed.sides.at(-1) === last && row.every((x) => x === Number.NEGATIVE_INFINITY))
        this.refuse('its mask leaves nothing of a row');
    }
    return this.store(`${name}.mask`, placed.data, placed.sides);
  }

  protected reduce(kind: ReduceKind): void {
    const given = numbers(this.node, 'axes') ?? this.integers(1, 'axes');
    const value = this.value(0);
    if (!given?.length && number(this.node, 'noop_with_empty_axes', 0)) {
      this.set(value);
      return;
    }
    const axes = given?.length
      ? given.map((axis) => this.ownAxis(value, axis))
      : value.shape.flatMap((_, axis) => (axis === value.batch ? [] : [axis]));
    this.reduceAxes(kind, value, axes, number(this.node, 'keepdims', 1) !== 0);
  }

  protected reduceAxes(kind: ReduceKind, value: Value, axes: readonly number[], keep: boolean): void {
    const shape = value.shape.map((side, axis) => (axes.includes(axis) ? 1 : side));
    const kept = shape.flatMap((_, axis) => (keep || !axes.includes(axis) ? [axis] : []));
    const finish = (made: { node: string; sides: number[] }) => {
      const order = value.order.filter((axis) => !axes.includes(axis)).map((axis) => kept.indexOf(axis));
      const batch = value.batch < 0 ? -1 : kept.indexOf(value.batch);
      this.set({ ...made, shape: kept.map((axis) => shape[axis]!), order, batch });
    };
    const space =
      [...axes].sort((a, b) => a - b).join() === '2,3' && value.shape.length === 4 && value.batch === 0;
    if (space && (kind === 'mean' || kind === 'max')) {
      const image = this.channelsLast(value);
      if (image.sides.length === 3 && image.order.at(-1) === 1 ? true : image.sides[2]! >= 1) {
        const name = this.names.of(this.node);
        if (kind === 'mean') {
          finish(this.push({ kind: 'global-average-pool' }, [image.node], name));
          return;
        }
        const size = image.sides.slice(0, 2);
        const pooled = this.push(
          { kind: 'max-pool', size, strides: [1, 1], padding: [0, 0, 0, 0] },
          [image.node],
          name,
        );
        if (keep) {
          finish(pooled);
          return;
        }
        const flat: GraphOp = { kind: 'reshape', shape: [value.shape[1]!] };
        finish(this.push(flat, [pooled.node], this.names.of(this.node)));
        return;
      }
    }
    const held = this.arranged(value, value.order);
    const places = axes.filter((axis) => value.shape[axis]! > 1).map((axis) => held.order.indexOf(axis));
    finish(this.push({ kind, axes: places, keepDims: false }, [held.node], this.names.of(this.node)));
  }

  /** Reductions that are others after a map of each value, or before one. */
  protected reduceOf(before: GraphOp, after?: GraphOp): void {
    const value = this.value(0);
    const name = this.names.own(`${this.names.of(this.node)}.terms`);
    const made = { ...value, ...this.push(before, [value.node], name) };
    this.values.set(this.node.inputs[0]!, made);
    this.reduce('sum');
    this.values.set(this.node.inputs[0]!, value);
    if (after) {
      const sum = this.values.get(this.node.outputs[0]!)!;
      this.set({ ...sum, ...this.push(after, [sum.node], this.names.of(this.node)) });
    }
  }

  /** Over the last axes, from `axis` on, which become one. */
  protected layerNorm(rms: boolean): void {
    const value = this.value(0);
    const rank = value.shape.length;
    const axis = this.ownAxis(value, number(this.node, 'axis', -1));
    if (this.isRead(1) || this.isRead(2)) this.refuse('its mean or deviation is read');
    const inner = value.shape.slice(axis);
    const count = product(inner);
    let held = rank - axis === 1 ? this.lastOf(value, axis) : this.plain(value);
    if (rank - axis > 1) {
      const flat = [...held.sides.slice(0, held.sides.length - inner.length), count];
      held = {
        ...held,
        ...this.push({ kind: 'reshape', shape: flat }, [held.node], this.names.own(`${held.node}.flat`)),
      };
    }
    const name = this.names.of(this.node, this.node.inputs[1]);
    const whole = (i: number, what: string, none: number) => {
      if (!this.node.inputs[i]) return new Float32Array(count).fill(none);
      const given = this.constantAt(i, what);
      return this.vector({ ...given, shape: [product(given.shape)] }, count, what).slice();
    };
    const scale = this.store(`${name}.scale`, whole(1, 'scale', 1), [count]);
    const epsilon = number(this.node, 'epsilon', 1e-5);
    const op: GraphOp = rms
      ? { kind: 'rms-norm', scale, epsilon }
      : {
          kind: 'layer-norm',
          scale,
          offset: this.store(`${name}.offset`, whole(2, 'bias', 0), [count]),
          epsilon,
        };
    const made = this.push(op, [held.node], name);
    if (rank - axis === 1) {
      this.set({ ...held, ...made });
      return;
    }
    const own = value.shape.filter((_, i) => i !== value.batch);
    const back = this.push({ kind: 'reshape', shape: own }, [made.node], this.names.own(`${name}.shaped`));
    this.set({ ...value, ...back, order: wide(value.shape) });
  }
  private lastOf(value: Value, axis: number): Value {
    return value.order.at(-1) === axis && value.sides.at(-1)! > 1 ? value : this.lastAxis(value, axis);
  }

  /** Instance normalisation is one group a channel. */
  protected groupNorm(perChannel: boolean): void {
    const value = this.value(0);
    const channels = value.shape[1]!;
    const groups = perChannel ? channels : number(this.node, 'num_groups', 1);
    const held = this.channelsLast(value);
    const name = this.names.of(this.node, this.node.inputs[1]);
    const spread = (i: number, what: string): Float32Array => {
      const given = floats(this.constantAt(i, what));
      // Before version 21 one number a group.
      if (given.length === groups && groups < channels)
        return Float32Array.from({ length: channels }, (_, c) => given[Math.floor((c * groups) / channels)]!);
      return this.vector(this.constantAt(i, what), channels, what).slice();
    };
    const op: GraphOp = {
      kind: 'group-norm',
      groups,
      ...(this.node.inputs[1] ? { scale: this.store(`${name}.scale`, spread(1, 'scale'), [channels]) } : {}),
      ...(this.node.inputs[2] ? { offset: this.store(`${name}.offset`, spread(2, 'bias'), [channels]) } : {}),
      epsilon: number(this.node, 'epsilon', 1e-5),
    };
    this.same(op, held, name);
  }

  protected clip(): void {
    const bound = (i: number, key: string, otherwise: number): number => {
      const given = this.scalar(i, key) ?? number(this.node, key, otherwise);
      return Math.min(MAX_FLOAT, Math.max(-MAX_FLOAT, given));
    };
    const [min, max] = [bound(1, 'min', -MAX_FLOAT), bound(2, 'max', MAX_FLOAT)];
    if (!(min < max)) this.refuse(`expected min < max, got ${min} and ${max}`);
    this.same(min === 0 && max === MAX_FLOAT ? { kind: 'relu' } : { kind: 'clip', min, max });
  }

  protected prelu(): void {
    const value = this.value(0);
    const slope = this.constantAt(1, 'the slope');
    const channels = slope.data.length;
    const held = channels === 1 ? value : value.shape.length > 2 ? this.channelsLast(value) : value;
    const placed = this.beside(held, slope);
    if (!placed || placed.data.length !== channels || (channels > 1 && placed.sides.at(-1) !== channels))
      this.refuse(`a slope of [${slope.shape}] for [${value.shape}]: expected one, or one a channel`);
    const name = this.names.of(this.node, this.node.inputs[1]);
    this.same({ kind: 'prelu', slope: this.store(`${name}.slope`, placed.data, [channels]) }, held, name);
  }

  protected batchNorm(): void {
    if (number(this.node, 'training_mode', 0)) this.refuse('export in evaluation mode: model.eval()');
    const value = this.value(0);
    const held = value.shape.length > 2 ? this.channelsLast(value) : value;
    if (held.shape.length < 2) this.refuse('expected channels at axis 1');
    const channels = held.shape[1]!;
    const last = held.sides.at(-1) === channels ? held : this.arranged(held, [1]);
    const [gamma, beta, mean, variance] = ['scale', 'bias', 'mean', 'variance'].map((what, i) =>
      this.vector(this.constantAt(i + 1, what), channels, what),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const epsilon = number(this.node, 'epsilon', 1e-5);
    const name = this.names.of(this.node, this.node.inputs[1]);
    const scale = gamma.map((g, i) => g / Math.sqrt(variance[i]! + epsilon));
    this.norms.add(name);
    this.same(
      {
        kind: 'batch-norm',
        scale: this.store(`${name}.scale`, scale, [channels]),
        offset: this.store(
          `${name}.offset`,
          beta.map((b, i) => b - mean[i]! * scale[i]!),
          [channels],
        ),
      },
      last,
      name,
    );
  }

  protected localResponse(): void {
    const input = this.spatial(0, 2);
    const op: GraphOp = {
      kind: 'local-response-norm',
      size: number(this.node, 'size', 0),
      alpha: number(this.node, 'alpha', 1e-4),
      beta: number(this.node, 'beta', 0.75),
      bias: number(this.node, 'bias', 1),
    };
    this.same(op, input);
  }
}
