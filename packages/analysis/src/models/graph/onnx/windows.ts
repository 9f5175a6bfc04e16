import type { OnnxNode } from '../../../formats/onnx/index.js';
import type { Padding, Sides } from '../types.js';
import { numbers, text } from './attributes.js';

type Fail = (message: string) => never;
const WORDS = ['', 'one', 'two', 'three'];

/** Whole numbers > 0, one for each of `rank` spatial axes. */
export function sidesOf(
  node: OnnxNode,
  fail: Fail,
  attribute: string,
  rank: number,
  otherwise?: number,
): number[] {
  const list =
    numbers(node, attribute) ?? (otherwise === undefined ? [] : new Array<number>(rank).fill(otherwise));
  if (list.length !== rank || !list.every((n) => Number.isInteger(n) && n > 0 && n < 65_536))
    fail(`${attribute}: expected ${WORDS[rank] ?? rank} whole numbers > 0, got [${list.slice(0, 8)}]`);
  return list;
}

/** Zeros around space, from `pads` [befores, afters] or from auto_pad. */
export function paddingOf(
  node: OnnxNode,
  fail: Fail,
  space: readonly number[],
  size: Sides,
  strides: Sides,
): number[] {
  const rank = size.length;
  const auto = text(node, 'auto_pad', 'NOTSET');
  if (auto === 'SAME_UPPER' || auto === 'SAME_LOWER')
    return size.flatMap((window, axis) => {
      const all = Math.max(
        0,
        (Math.ceil(space[axis]! / strides[axis]!) - 1) * strides[axis]! + window - space[axis]!,
      );
      const less = Math.floor(all / 2);
      return auto === 'SAME_UPPER' ? [less, all - less] : [all - less, less];
    });
  if (auto !== 'NOTSET' && auto !== 'VALID') fail(`auto_pad ${auto} is not known`);
  const none = new Array<number>(2 * rank).fill(0);
  const pads = auto === 'VALID' ? none : (numbers(node, 'pads') ?? none);
  if (pads.length !== 2 * rank || !pads.every((n) => Number.isInteger(n) && n >= 0 && n < 65_536))
    fail(
      `pads: expected ${rank === 2 ? 'four' : rank === 1 ? 'two' : 'six'} whole numbers ≥ 0, got [${pads.slice(0, 8)}]`,
    );
  return size.flatMap((_, axis) => [pads[axis]!, pads[axis + rank]!]);
}

/**
 * ceil_mode: a last window that reaches over the edge counts, unless it begins in the padding. Answers the padding that
 * gives as many windows without it.
 */
export function ceilPadding(
  space: readonly number[],
  padding: Padding,
  size: Sides,
  strides: Sides,
): number[] {
  return size.flatMap((window, axis) => {
    const [before, after] = [padding[2 * axis]!, padding[2 * axis + 1]!];
    const side = space[axis]! + before + after;
    const steps = Math.ceil((side - window) / strides[axis]!);
    const windows = steps * strides[axis]! >= space[axis]! + before ? steps - 1 : steps;
    return [before, after + Math.max(0, windows * strides[axis]! + window - side)];
  });
}
