import type { OnnxNode } from '../../../formats/onnx/index.js';
import type { Padding, Pair } from '../types.js';
import { numbers, text } from './attributes.js';

type Fail = (message: string) => never;

/** Two whole numbers > 0. */
export function pairOf(node: OnnxNode, fail: Fail, attribute: string, otherwise?: number): Pair {
  const list = numbers(node, attribute) ?? (otherwise === undefined ? [] : [otherwise, otherwise]);
  if (list.length !== 2 || !list.every((n) => Number.isInteger(n) && n > 0 && n < 65_536))
    fail(`${attribute}: expected two whole numbers > 0, got [${list.slice(0, 8)}]`);
  return [list[0]!, list[1]!];
}

/** Zeros around an image, from `pads` [top, left, bottom, right] or from auto_pad. */
export function paddingOf(
  node: OnnxNode,
  fail: Fail,
  image: readonly number[],
  size: Pair,
  strides: Pair,
): Padding {
  const auto = text(node, 'auto_pad', 'NOTSET');
  if (auto === 'SAME_UPPER' || auto === 'SAME_LOWER') {
    const side = (axis: 0 | 1): [number, number] => {
      const all = Math.max(
        0,
        (Math.ceil(image[axis]! / strides[axis]) - 1) * strides[axis] + size[axis] - image[axis]!,
      );
      const less = Math.floor(all / 2);
      return auto === 'SAME_UPPER' ? [less, all - less] : [all - less, less];
    };
    return [...side(0), ...side(1)];
  }
  if (auto !== 'NOTSET' && auto !== 'VALID') fail(`auto_pad ${auto} is not known`);
  const pads = auto === 'VALID' ? [0, 0, 0, 0] : (numbers(node, 'pads') ?? [0, 0, 0, 0]);
  if (pads.length !== 4 || !pads.every((n) => Number.isInteger(n) && n >= 0 && n < 65_536))
    fail(`pads: expected four whole numbers ≥ 0, got [${pads.slice(0, 8)}]`);
  return [pads[0]!, pads[2]!, pads[1]!, pads[3]!];
}

/**
 * ceil_mode: a last window that reaches over the edge counts, unless it begins in the padding. Answers the padding that
 * gives as many windows without it.
 */
export function ceilPadding(image: readonly number[], padding: Padding, size: Pair, strides: Pair): Padding {
  const more = (axis: 0 | 1): number => {
    const side = image[axis]! + padding[2 * axis]! + padding[2 * axis + 1]!;
    const steps = Math.ceil((side - size[axis]) / strides[axis]);
    const windows = steps * strides[axis] >= image[axis]! + padding[2 * axis]! ? steps - 1 : steps;
    return Math.max(0, windows * strides[axis] + size[axis] - side);
  };
  return [padding[0], padding[1] + more(0), padding[2], padding[3] + more(1)];
}
