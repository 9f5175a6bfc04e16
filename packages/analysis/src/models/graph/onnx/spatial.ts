import { COORDINATES, ROUNDINGS } from '../ops/resize.js';
import type { GraphOp } from '../types.js';
import { number, numbers, text } from './attributes.js';
import { transposed } from './fold.js';
import { NormalisationOperators } from './normalisation.js';
import { floats, numbersOf } from './values.js';
import { ceilPadding, paddingOf, sidesOf } from './windows.js';

/** Operators whose windows move over space. */
export abstract class SpatialOperators extends NormalisationOperators {
  /** An optional bias; one of zeros that is none of the file's tensors was made up by the exporter. */
  private bias(i: number, length: number): Float32Array | null {
    const name = this.node.inputs[i];
    if (!name) return null;
    const given = this.vector(this.constantAt(i, 'the bias'), length, 'bias');
    return this.model.tensors.has(name) || given.some(Boolean) ? given : null;
  }

  protected conv(transpose: boolean): void {
    const kernel = this.constantAt(1, 'the kernel');
    const rank = kernel.shape.length - 2;
    if (rank < 1 || rank > 3)
      this.refuse(`expected a kernel of one to three dimensions, got shape [${kernel.shape}]`);
    const shape = this.value(0).shape;
    if (shape.length >= 3 && shape.length !== rank + 2)
      this.refuse(
        `expected a kernel of ${shape.length === 4 ? 'two dimensions' : `${shape.length - 2} dimensions`}, got shape [${kernel.shape}]`,
      );
    const input = this.spatial(0, rank);
    const space = input.shape.slice(2);
    const name = this.names.of(this.node, this.node.inputs[1]);
    // [out, in, …] → […, in, out]; of a transposed one [in, out, …] → […, out, in].
    const turned = transposed(kernel, [...space.map((_, i) => i + 2), 1, 0]);
    const groups = number(this.node, 'group', 1);
    const filters = transpose ? kernel.shape[1]! * groups : kernel.shape[0]!;
    const bias = this.bias(2, filters);
    const dilations = sidesOf(this.node, this.fail, 'dilations', rank, 1);
    const strides = sidesOf(this.node, this.fail, 'strides', rank, 1);
    const size = dilations.map((d, i) => (kernel.shape[i + 2]! - 1) * d + 1);
    const common = {
      kernel: this.store(`${name}.kernel`, floats(turned), [...turned.shape]),
      ...(bias ? { bias: this.store(`${name}.bias`, bias, [filters]) } : {}),
      strides,
      dilations,
      groups,
    };
    const op = transpose
      ? {
          kind: `conv${rank as 2}d-transpose` as const,
          ...common,
          ...this.transposedSpace(space, size, strides),
        }
      : {
          kind: `conv${rank as 2}d` as const,
          ...common,
          padding: paddingOf(this.node, this.fail, space, size, strides),
        };
    this.set(this.fromSpace(this.push(op, [input.node], name)));
  }

  /** The output's space of a transposed convolution, and what is cut from its sides. */
  private transposedSpace(
    space: number[],
    size: number[],
    strides: number[],
  ): { padding: number[]; size: number[] } {
    const rank = space.length;
    const extra = numbers(this.node, 'output_padding') ?? space.map(() => 0);
    const wanted = numbers(this.node, 'output_shape');
    const auto = text(this.node, 'auto_pad', 'NOTSET');
    const whole = space.map((side, i) => (side - 1) * strides[i]! + size[i]! + (extra[i] ?? 0));
    const same = auto.startsWith('SAME') ? space.map((side, i) => side * strides[i]!) : null;
    const target = wanted?.slice(-rank) ?? same;
    if (target) {
      const padding = whole.flatMap((side, i) => {
        const all = Math.max(0, side - target[i]!);
        const less = Math.floor(all / 2);
        return auto === 'SAME_UPPER' ? [less, all - less] : [all - less, less];
      });
      return { padding, size: target };
    }
    const pads = numbers(this.node, 'pads') ?? new Array<number>(2 * rank).fill(0);
    if (pads.length !== 2 * rank || pads.some((n) => !(n >= 0)))
      this.refuse(`pads [${pads}] are not possible`);
    return {
      padding: space.flatMap((_, i) => [pads[i]!, pads[i + rank]!]),
      size: whole.map((side, i) => side - pads[i]! - pads[i + rank]!),
    };
  }

  protected pool(kind: 'max-pool' | 'average-pool'): void {
    const input = this.spatial(0);
    const space = input.shape.slice(2);
    const rank = space.length;
    if (rank > 3) this.refuse(`over ${rank} axes is not known`);
    const size = sidesOf(this.node, this.fail, 'kernel_shape', rank);
    const strides = sidesOf(this.node, this.fail, 'strides', rank, 1);
    if (this.isRead(1)) this.refuse('its indices are read');
    if ((numbers(this.node, 'dilations') ?? []).some((n) => n !== 1)) this.refuse('dilations are not known');
    let padding = paddingOf(this.node, this.fail, space, size, strides);
    const counted = number(this.node, 'count_include_pad', 0) === 1;
    if (number(this.node, 'ceil_mode', 0)) {
      const wider = ceilPadding(space, padding, size, strides);
      if (counted && wider.join() !== padding.join())
        this.refuse('ceil_mode with count_include_pad is not known');
      padding = wider;
    }
    const op: GraphOp =
      kind === 'max-pool'
        ? { kind, size, strides, padding }
        : { kind, size, strides, padding, countPadding: counted };
    this.set(this.fromSpace(this.push(op, [input.node], this.names.of(this.node))));
  }

  /** Over all space: an image of one pixel. */
  protected globalPool(kind: 'mean' | 'max'): void {
    const value = this.spatial(0);
    this.reduceAxes(kind, value, value.shape.map((_, i) => i).slice(2), true);
  }

  protected resize(): void {
    const upsample = this.node.op === 'Upsample';
    const value = this.value(0);
    const rank = value.shape.length;
    const first = upsample || this.model.opset < 11 ? 1 : 2;
    const listOf = (i: number, what: string) => {
      const list = this.node.inputs[i] ? Array.from(numbersOf(this.constantAt(i, what))) : [];
      return list.length ? list : null;
    };
    const given = listOf(first, 'the scales') ?? numbers(this.node, 'scales');
    const sizes = this.model.opset >= 11 && !upsample ? listOf(3, 'the sizes') : null;
    const axes =
      numbers(this.node, 'axes')?.map((axis) => this.axis(axis, rank)) ?? value.shape.map((_, i) => i);
    const list = sizes ?? given ?? this.refuse('expected scales or sizes');
    if (list.length !== axes.length) this.refuse(`expected ${axes.length} scales or sizes, got [${list}]`);
    if (text(this.node, 'keep_aspect_ratio_policy', 'stretch') !== 'stretch')
      this.refuse('expected keep_aspect_ratio_policy stretch');
    const target = new Map<number, { size: number; scale: number }>();
    axes.forEach((axis, i) => {
      const side = value.shape[axis]!;
      const size = sizes ? list[i]! : Math.floor(side * list[i]!);
      if (size !== side)
        target.set(this.ownAxis(value, axis), { size, scale: sizes ? size / side : list[i]! });
    });
    if (!target.size) {
      this.set(value);
      return;
    }
    const old = upsample || this.model.opset < 11;
    const coordinates = old ? 'asymmetric' : text(this.node, 'coordinate_transformation_mode', 'half_pixel');
    if (!COORDINATES.includes(coordinates))
      this.refuse(`coordinate_transformation_mode ${coordinates} is not known`);
    if (number(this.node, 'antialias', 0)) this.refuse('antialias is not known');
    const rounding = old ? 'floor' : text(this.node, 'nearest_mode', 'round_prefer_floor');
    if (!ROUNDINGS.includes(rounding)) this.refuse(`nearest_mode ${rounding} is not known`);
    const mode = text(this.node, 'mode', 'nearest');
    const own = mode === 'bilinear' ? 'linear' : mode;
    if (own !== 'nearest' && own !== 'linear' && own !== 'cubic')
      throw this.error(`mode ${mode} is not known`);
    // As convolutions around it have it; other values as they are.
    const held = rank >= 3 && value.batch === 0 ? this.channelsLast(value) : this.plain(value);
    const places =
      rank >= 3 && value.batch === 0
        ? [...value.shape.slice(2).map((_, i) => i + 2), 1]
        : value.shape.map((_, i) => i).filter((axis) => axis !== value.batch);
    const moved = places.filter((axis) => target.has(axis));
    const made = this.push(
      {
        kind: 'resize',
        axes: moved.map((axis) => places.indexOf(axis)),
        sizes: moved.map((axis) => target.get(axis)!.size),
        scales: moved.map((axis) => target.get(axis)!.scale),
        mode: own,
        coordinates,
        rounding,
        cubic: number(this.node, 'cubic_coeff_a', -0.75),
        excludeOutside: number(this.node, 'exclude_outside', 0) === 1,
      },
      [held.node],
      this.names.of(this.node),
    );
    const shape = value.shape.map((side, axis) => target.get(axis)?.size ?? side);
    this.set({ ...made, shape, order: places.filter((axis) => shape[axis]! > 1), batch: value.batch });
  }
}
