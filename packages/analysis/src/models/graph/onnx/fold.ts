import { ONNX_DTYPES, type OnnxNode } from '../../../formats/onnx/index.js';
import type { DType, Tensor } from '../../../formats/types.js';
import { broadcast, product } from '../ops/definition.js';
import { number, numbers, text } from './attributes.js';
import { numbersOf } from './values.js';

// Nodes of constants alone: shapes that are computed, masks, tables of positions, weights that are turned.

type Fold = (node: OnnxNode, inputs: (Tensor | null)[], opset: number) => Tensor | Tensor[];

const stepsOf = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => product(shape.slice(axis + 1)));

/** Numbers in the array that holds their dtype: float32 where they are real, exact whole numbers else. */
export function tensorOf(values: ArrayLike<number>, shape: readonly number[], dtype: DType): Tensor {
  const real = /float/.test(dtype);
  const data = real
    ? values instanceof Float32Array
      ? values
      : Float32Array.from(values)
    : values instanceof Float64Array
      ? values
      : Float64Array.from(values);
  return { data, shape: [...shape], dtype: real ? 'float32' : dtype };
}

/** The places of a shape, in row-major order, as indices into arrays of other strides. */
function* places(shape: readonly number[], ...strides: (readonly number[])[]): Generator<number[]> {
  const at = strides.map(() => 0);
  const place = new Array<number>(shape.length).fill(0);
  for (let left = product(shape); left > 0; left--) {
    yield at;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      for (let s = 0; s < strides.length; s++) at[s]! += strides[s]![axis]!;
      if (++place[axis]! < shape[axis]!) break;
      for (let s = 0; s < strides.length; s++) at[s]! -= strides[s]![axis]! * shape[axis]!;
      place[axis] = 0;
    }
  }
}

/** Strides of `shape` as it broadcasts to a shape of `rank` axes: 0 along what is repeated. */
function spreadSteps(shape: readonly number[], rank: number): number[] {
  const steps = stepsOf(shape);
  return Array.from({ length: rank }, (_, axis) => {
    const own = axis - (rank - shape.length);
    return own >= 0 && shape[own] !== 1 ? steps[own]! : 0;
  });
}

export class FoldError extends Error {}
const fail = (message: string): never => {
  throw new FoldError(message);
};
const need = (inputs: (Tensor | null)[], i: number): Tensor => inputs[i] ?? fail(`input ${i} is missing`);
const ints = (tensor: Tensor | null | undefined): number[] | null =>
  tensor ? Array.from(numbersOf(tensor)) : null;
const axisOf = (axis: number, rank: number): number => {
  const own = axis < 0 ? axis + rank : axis;
  return Number.isInteger(own) && own >= 0 && own < Math.max(rank, 1) ? own : fail(`axis ${axis} of ${rank}`);
};

const elementwise =
  (map: (...values: number[]) => number, dtype?: DType): Fold =>
  (_, inputs) => {
    const list = inputs.map((_, i) => need(inputs, i));
    const shape = broadcast(list.map((each) => each.shape)) ?? fail('shapes that do not broadcast');
    const data = list.map(numbersOf);
    const out = new Float64Array(product(shape));
    let i = 0;
    const values = new Array<number>(list.length);
    for (const at of places(shape, ...list.map((each) => spreadSteps(each.shape, shape.length)))) {
      for (let k = 0; k < at.length; k++) values[k] = data[k]![at[k]!]!;
      out[i++] = map(...values);
    }
    return tensorOf(out, shape, dtype ?? list.at(-1)!.dtype);
  };

const isReal = (tensor: Tensor) => /float/.test(tensor.dtype);

function reduce(
  start: number,
  add: (sum: number, value: number) => number,
  end?: (sum: number, count: number) => number,
): Fold {
  return (node, inputs) => {
    const x = need(inputs, 0);
    const given = numbers(node, 'axes') ?? ints(inputs[1]) ?? [];
    if (!given.length && number(node, 'noop_with_empty_axes', 0)) return x;
    const axes = given.length
      ? given.map((axis) => axisOf(axis, x.shape.length))
      : x.shape.map((_, axis) => axis);
    const kept = x.shape.map((side, axis) => (axes.includes(axis) ? 1 : side));
    const out = new Float64Array(product(kept)).fill(start);
    const values = numbersOf(x);
    const steps = stepsOf(kept).map((step, axis) => (axes.includes(axis) ? 0 : step));
    for (const [from, to] of places(x.shape, stepsOf(x.shape), steps))
      out[to!] = add(out[to!]!, values[from!]!);
    const count = product(axes.map((axis) => x.shape[axis]!));
    if (end) for (let i = 0; i < out.length; i++) out[i] = end(out[i]!, count);
    const shape = number(node, 'keepdims', 1) ? kept : x.shape.filter((_, axis) => !axes.includes(axis));
    return tensorOf(out, shape, x.dtype);
  };
}

/** Values that a constant may grow to where a few numbers say how many. */
const MAX_GROWN = 30_000_000;

/** How many values a shape holds, before they are allocated: no more than `held`, or few. */
function grown(shape: readonly number[], held = 0): number {
  const count = shape.every((side) => Number.isSafeInteger(side) && side >= 0) ? product(shape) : Number.NaN;
  return count <= Math.max(MAX_GROWN, held)
    ? count
    : fail(`a constant of shape [${shape.slice(0, 8).join(', ')}]`);
}

/** x along `axis` at `indices`, whose shape takes the axis's place. */
function take(x: Tensor, axis: number, indices: readonly number[], shape: readonly number[]): Tensor {
  const side = x.shape[axis]!;
  const [before, after] = [product(x.shape.slice(0, axis)), product(x.shape.slice(axis + 1))];
  const values = numbersOf(x);
  const out = new Float64Array(before * indices.length * after);
  let to = 0;
  for (let b = 0; b < before; b++)
    for (const index of indices) {
      const own = index < 0 ? index + side : index;
      if (!(own >= 0 && own < side)) fail(`index ${index} of ${side}`);
      for (let a = 0; a < after; a++) out[to++] = values[(b * side + own) * after + a]!;
    }
  return tensorOf(out, [...x.shape.slice(0, axis), ...shape, ...x.shape.slice(axis + 1)], x.dtype);
}

export function transposed(x: Tensor, perm: readonly number[]): Tensor {
  const steps = stepsOf(x.shape);
  const shape = perm.map((axis) => x.shape[axis]!);
  const values = numbersOf(x);
  const out = isReal(x) ? new Float32Array(values.length) : new Float64Array(values.length);
  let to = 0;
  for (const [from] of places(
    shape,
    perm.map((axis) => steps[axis]!),
  ))
    out[to++] = values[from!]!;
  return tensorOf(out, shape, x.dtype);
}

/** Starts, ends, steps as Slice has them, held within the sides: [axis, places] each. */
export function slicesOf(
  shape: readonly number[],
  starts: readonly number[],
  ends: readonly number[],
  axes: readonly number[] | null,
  steps: readonly number[] | null,
): { axis: number; start: number; step: number; count: number }[] {
  return starts.map((start, i) => {
    const axis = axisOf(axes?.[i] ?? i, shape.length);
    const [side, step] = [shape[axis]!, steps?.[i] ?? 1];
    if (!Number.isInteger(step) || step === 0) fail('a step of 0');
    const held = (value: number, low: number, high: number) =>
      Math.min(high, Math.max(low, value < 0 ? value + side : value));
    const from = step > 0 ? held(start, 0, side) : held(start, 0, side - 1);
    const to = step > 0 ? held(ends[i]!, 0, side) : held(ends[i]!, -1, side - 1);
    return { axis, start: from, step, count: Math.max(0, Math.ceil((to - from) / step)) };
  });
}

export function reshapeTo(shape: readonly number[], wanted: readonly number[], allowZero: boolean): number[] {
  const sides = wanted.map((side, i) =>
    side === 0 && !allowZero ? (shape[i] ?? fail('0 for no side')) : side,
  );
  const known = sides.reduce((a, b) => (b === -1 ? a : a * b), 1);
  const out = sides.map((side) => (side === -1 ? product(shape) / known : side));
  return sides.filter((side) => side === -1).length < 2 &&
    product(out) === product(shape) &&
    out.every(Number.isInteger)
    ? out
    : fail(`[${shape}] to [${wanted}]`);
}

const arithmetic = (op: (a: number, b: number) => number): Fold => elementwise(op);

function scatter(node: OnnxNode, inputs: (Tensor | null)[]): Tensor {
  if (text(node, 'reduction', 'none') !== 'none') fail('with a reduction');
  const [x, indices, updates] = [need(inputs, 0), need(inputs, 1), need(inputs, 2)];
  const depth = indices.shape.at(-1) ?? 0;
  const steps = stepsOf(x.shape);
  const block = product(x.shape.slice(depth));
  const out = Float64Array.from(numbersOf(x));
  const [at, values] = [numbersOf(indices), numbersOf(updates)];
  for (let i = 0; i < at.length / depth; i++) {
    let to = 0;
    for (let d = 0; d < depth; d++) {
      const side = x.shape[d]!;
      const own = at[i * depth + d]! < 0 ? at[i * depth + d]! + side : at[i * depth + d]!;
      if (!(own >= 0 && own < side)) fail(`index ${at[i * depth + d]} of ${side}`);
      to += own * steps[d]!;
    }
    for (let b = 0; b < block; b++) out[to + b] = values[i * block + b] ?? fail('too few updates');
  }
  return tensorOf(out, x.shape, x.dtype);
}

function gatherNd(node: OnnxNode, inputs: (Tensor | null)[]): Tensor {
  const [x, indices] = [need(inputs, 0), need(inputs, 1)];
  const lead = number(node, 'batch_dims', 0);
  const depth = indices.shape.at(-1) ?? 0;
  const steps = stepsOf(x.shape);
  const tail = x.shape.slice(lead + depth);
  const block = product(tail);
  const [at, values] = [numbersOf(indices), numbersOf(x)];
  const count = product(indices.shape.slice(0, -1));
  const perLead = count / product(indices.shape.slice(0, lead));
  const out = new Float64Array(count * block);
  for (let i = 0; i < count; i++) {
    let from = Math.floor(i / perLead) * product(x.shape.slice(lead));
    for (let d = 0; d < depth; d++) {
      const [index, side] = [at[i * depth + d]!, x.shape[lead + d] ?? 0];
      const own = index < 0 ? index + side : index;
      if (!(own >= 0 && own < side)) fail(`index ${index} of ${side}`);
      from += own * steps[lead + d]!;
    }
    for (let b = 0; b < block; b++) out[i * block + b] = values[from + b]!;
  }
  return tensorOf(out, [...indices.shape.slice(0, -1), ...tail], x.dtype);
}

/** Where in x each of the indices of GatherElements and ScatterElements points. */
function* elementPlaces(node: OnnxNode, x: Tensor, indices: Tensor): Generator<number> {
  const axis = axisOf(number(node, 'axis', 0), x.shape.length);
  const [steps, at] = [stepsOf(x.shape), numbersOf(indices)];
  const side = x.shape[axis]!;
  let i = 0;
  for (const [start] of places(
    indices.shape,
    steps.map((step, own) => (own === axis ? 0 : step)),
  )) {
    const index = at[i]! < 0 ? at[i]! + side : at[i]!;
    if (!(index >= 0 && index < side)) fail(`index ${at[i]} of ${side}`);
    yield start! + index * steps[axis]!;
    i++;
  }
}

function gatherElements(node: OnnxNode, inputs: (Tensor | null)[]): Tensor {
  const [x, indices] = [need(inputs, 0), need(inputs, 1)];
  const values = numbersOf(x);
  const out = Float64Array.from(elementPlaces(node, x, indices), (from) => values[from]!);
  return tensorOf(out, indices.shape, x.dtype);
}

function scatterElements(node: OnnxNode, inputs: (Tensor | null)[]): Tensor {
  const [x, indices, updates] = [need(inputs, 0), need(inputs, 1), need(inputs, 2)];
  if (text(node, 'reduction', 'none') !== 'none') fail('a reduction');
  const values = numbersOf(updates);
  if (values.length < indices.data.length) fail('too few updates');
  const out = Float64Array.from(numbersOf(x));
  let i = 0;
  for (const to of elementPlaces(node, x, indices)) out[to] = values[i++]!;
  return tensorOf(out, x.shape, x.dtype);
}

function multiply(_: OnnxNode, inputs: (Tensor | null)[]): Tensor {
  const [a, b] = [need(inputs, 0), need(inputs, 1)];
  if (a.shape.length < 2 || b.shape.length < 2) fail('expected matrices');
  const [m, k] = a.shape.slice(-2) as [number, number];
  const [inner, n] = b.shape.slice(-2) as [number, number];
  const lead =
    broadcast([a.shape.slice(0, -2), b.shape.slice(0, -2)]) ?? fail('matrices that do not broadcast');
  if (inner !== k) fail('matrices that cannot be multiplied');
  const out = new Float64Array(product(lead) * m * n);
  const [left, right] = [numbersOf(a), numbersOf(b)];
  const steps = [a, b].map((t) =>
    spreadSteps(t.shape.slice(0, -2), lead.length).map((s) => s * product(t.shape.slice(-2))),
  );
  let to = 0;
  for (const [from, other] of places(lead, ...steps))
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) sum += left[from! + i * k + l]! * right[other! + l * n + j]!;
        out[to++] = sum;
      }
  return tensorOf(out, [...lead, m, n], 'float32');
}

function cast(x: Tensor, dtype: DType): Tensor {
  const values = numbersOf(x);
  if (/float/.test(dtype)) return tensorOf(values, x.shape, dtype);
  const whole = (value: number) => (dtype === 'bool' ? Number(value !== 0) : Math.trunc(value));
  return tensorOf(Float64Array.from(values, whole), x.shape, dtype);
}

export const FOLDS: Record<string, Fold> = {
  Identity: (_, inputs) => need(inputs, 0),
  Dropout: (_, inputs) => need(inputs, 0),
  Shape: (node, inputs) => {
    const { shape } = need(inputs, 0);
    const list = shape.slice(number(node, 'start', 0), number(node, 'end', shape.length));
    return tensorOf(list, [list.length], 'int64');
  },
  Size: (_, inputs) => tensorOf([product(need(inputs, 0).shape)], [], 'int64'),
  Cast: (node, inputs) =>
    cast(need(inputs, 0), ONNX_DTYPES[number(node, 'to', 1)] ?? fail('to what is no number')),
  CastLike: (_, inputs) => cast(need(inputs, 0), need(inputs, 1).dtype),
  Reshape: (node, inputs) => {
    const x = need(inputs, 0);
    const wanted = ints(inputs[1]) ?? numbers(node, 'shape') ?? fail('no shape');
    return { ...x, shape: reshapeTo(x.shape, wanted, number(node, 'allowzero', 0) === 1) };
  },
  Flatten: (node, inputs) => {
    const x = need(inputs, 0);
    const axis = number(node, 'axis', 1);
    const at = axis < 0 ? axis + x.shape.length : axis;
    return { ...x, shape: [product(x.shape.slice(0, at)), product(x.shape.slice(at))] };
  },
  Squeeze: (node, inputs) => {
    const x = need(inputs, 0);
    const axes = (numbers(node, 'axes') ?? ints(inputs[1]))?.map((axis) => axisOf(axis, x.shape.length));
    const shape = x.shape.filter((side, axis) => (axes ? !axes.includes(axis) : side !== 1));
    return product(shape) === product(x.shape) ? { ...x, shape } : fail(`axes [${axes}] of [${x.shape}]`);
  },
  Unsqueeze: (node, inputs) => {
    const x = need(inputs, 0);
    return { ...x, shape: unsqueezed(x.shape, numbers(node, 'axes') ?? ints(inputs[1]) ?? fail('no axes')) };
  },
  Transpose: (node, inputs) => {
    const x = need(inputs, 0);
    return transposed(x, numbers(node, 'perm') ?? x.shape.map((_, i) => x.shape.length - 1 - i));
  },
  Concat: (node, inputs) => {
    const list = inputs.map((_, i) => need(inputs, i));
    const [first] = list as [Tensor];
    const axis = axisOf(number(node, 'axis', 0), first.shape.length);
    const after = list.map(({ shape }) => product(shape.slice(axis)));
    const before = product(first.shape.slice(0, axis));
    const sum = after.reduce((a, b) => a + b, 0);
    const out = new Float64Array(before * sum);
    for (let b = 0, to = 0; b < before; b++)
      for (const [i, each] of list.entries()) {
        const values = numbersOf(each);
        for (let a = 0; a < after[i]!; a++)
          out[to++] = values[b * after[i]! + a] ?? fail('sides that differ');
      }
    const shape = first.shape.map((side, i) =>
      i === axis ? list.reduce((s, each) => s + each.shape[axis]!, 0) : side,
    );
    return product(shape) === out.length ? tensorOf(out, shape, first.dtype) : fail('sides that differ');
  },
  Gather: (node, inputs) => {
    const [x, indices] = [need(inputs, 0), need(inputs, 1)];
    return take(x, axisOf(number(node, 'axis', 0), x.shape.length), ints(indices)!, indices.shape);
  },
  GatherND: gatherNd,
  GatherElements: gatherElements,
  Slice: (node, inputs) => {
    let x = need(inputs, 0);
    const starts = numbers(node, 'starts') ?? ints(inputs[1]) ?? fail('no starts');
    const ends = numbers(node, 'ends') ?? ints(inputs[2]) ?? fail('no ends');
    const axes = numbers(node, 'axes') ?? ints(inputs[3]);
    for (const { axis, start, step, count } of slicesOf(x.shape, starts, ends, axes, ints(inputs[4]))) {
      const list = Array.from({ length: count }, (_, i) => start + i * step);
      x = take(x, axis, list, [count]);
    }
    return x;
  },
  Split: (node, inputs) => {
    const x = need(inputs, 0);
    const axis = axisOf(number(node, 'axis', 0), x.shape.length);
    let from = 0;
    return splitSides(node, ints(inputs[1]), x.shape[axis]!).map((count) => {
      const part = take(
        x,
        axis,
        Array.from({ length: count }, (_, i) => from + i),
        [count],
      );
      from += count;
      return part;
    });
  },
  Expand: (_, inputs) => {
    const x = need(inputs, 0);
    const shape = broadcast([x.shape, ints(need(inputs, 1))!]) ?? fail('shapes that do not broadcast');
    const values = numbersOf(x);
    const count = grown(shape, values.length);
    const out = isReal(x) ? new Float32Array(count) : new Float64Array(count);
    let to = 0;
    for (const [from] of places(shape, spreadSteps(x.shape, shape.length))) out[to++] = values[from!]!;
    return tensorOf(out, shape, x.dtype);
  },
  Tile: (_, inputs) => {
    let x = need(inputs, 0);
    for (const [axis, times] of ints(need(inputs, 1))!.entries()) {
      const side = x.shape[axis] ?? fail('more repeats than axes');
      grown([...x.shape.slice(0, axis), side, times, ...x.shape.slice(axis + 1)], product(x.shape));
      const list = Array.from({ length: side * times }, (_, i) => i % side);
      x = take(x, axis, list, [list.length]);
    }
    return x;
  },
  Range: (_, inputs) => {
    const [start, limit, step] = [0, 1, 2].map((i) => numbersOf(need(inputs, i))[0]!) as [
      number,
      number,
      number,
    ];
    const count = Math.max(0, Math.ceil((limit - start) / step));
    if (!(count <= 1e7)) fail(`${count} values`);
    return tensorOf(
      Float64Array.from({ length: count }, (_, i) => start + i * step),
      [count],
      need(inputs, 0).dtype,
    );
  },
  ConstantOfShape: (node, inputs) => {
    const shape = ints(need(inputs, 0))!;
    const value = node.attributes.get('value');
    const fill = value?.kind === 'tensor' ? value.value : tensorOf([0], [1], 'float32');
    const count = grown(shape);
    const out = isReal(fill) ? new Float32Array(count) : new Float64Array(count);
    return tensorOf(out.fill(numbersOf(fill)[0]!), shape, fill.dtype);
  },
  Trilu: (node, inputs) => {
    const x = need(inputs, 0);
    const [k, upper] = [inputs[1] ? numbersOf(inputs[1])[0]! : 0, number(node, 'upper', 1) === 1];
    const [rows, columns] = x.shape.slice(-2) as [number, number];
    const values = Float64Array.from(numbersOf(x), (value, i) => {
      const [r, c] = [Math.floor(i / columns) % rows, i % columns];
      return (upper ? c >= r + k : c <= r + k) ? value : 0;
    });
    return tensorOf(values, x.shape, x.dtype);
  },
  EyeLike: (node, inputs) => {
    const [rows, columns] = need(inputs, 0).shape as [number, number];
    const k = number(node, 'k', 0);
    grown([rows, columns]);
    const values = Float64Array.from({ length: rows * columns }, (_, i) =>
      Number((i % columns) - Math.floor(i / columns) === k),
    );
    return tensorOf(values, [rows, columns], ONNX_DTYPES[number(node, 'dtype', 1)] ?? 'float32');
  },
  CumSum: (node, inputs) => {
    const x = need(inputs, 0);
    if (number(node, 'exclusive', 0) || number(node, 'reverse', 0)) fail('exclusive or reversed');
    const axis = axisOf(numbersOf(need(inputs, 1))[0]!, x.shape.length);
    const [side, after] = [x.shape[axis]!, product(x.shape.slice(axis + 1))];
    const out = Float64Array.from(numbersOf(x));
    for (let i = 0; i < out.length; i++) if (Math.floor(i / after) % side > 0) out[i]! += out[i - after]!;
    return tensorOf(out, x.shape, x.dtype);
  },
  Where: elementwise((condition, a, b) => (condition ? a : b)),
  ScatterND: scatter,
  ScatterElements: scatterElements,
  MatMul: multiply,
  Einsum: (node, inputs) => {
    // Rotary positions: i , j → i j.
    const equation = text(node, 'equation', '').replace(/\s/g, '');
    if (!/^(\w),(\w)->\1\2$/.test(equation)) fail(`equation ${equation}`);
    const [a, b] = [need(inputs, 0), need(inputs, 1)];
    const out = Array.from(numbersOf(a)).flatMap((x) => Array.from(numbersOf(b), (y) => x * y));
    return tensorOf(out, [a.shape[0]!, b.shape[0]!], 'float32');
  },
  Add: arithmetic((a, b) => a + b),
  Sub: arithmetic((a, b) => a - b),
  Mul: arithmetic((a, b) => a * b),
  Div: (node, inputs, opset) =>
    (isReal(need(inputs, 0)) ? elementwise((a, b) => a / b) : elementwise((a, b) => Math.trunc(a / b)))(
      node,
      inputs,
      opset,
    ),
  Mod: (node, inputs, opset) =>
    elementwise((a, b) => (number(node, 'fmod', 0) ? a % b : a - b * Math.floor(a / b)))(node, inputs, opset),
  Pow: (node, inputs, opset) => elementwise((a, b) => a ** b, need(inputs, 0).dtype)(node, inputs, opset),
  Min: elementwise(Math.min),
  Max: elementwise(Math.max),
  Sum: elementwise((...values) => values.reduce((a, b) => a + b, 0)),
  Neg: elementwise((a) => -a),
  Abs: elementwise(Math.abs),
  Sqrt: elementwise(Math.sqrt),
  Exp: elementwise(Math.exp),
  Log: elementwise(Math.log),
  Reciprocal: elementwise((a) => 1 / a),
  Sin: elementwise(Math.sin),
  Cos: elementwise(Math.cos),
  Tanh: elementwise(Math.tanh),
  Sigmoid: elementwise((a) => 1 / (1 + Math.exp(-a))),
  Sign: elementwise(Math.sign),
  Floor: elementwise(Math.floor),
  Ceil: elementwise(Math.ceil),
  Round: elementwise((a) => (Math.abs(a % 1) === 0.5 ? 2 * Math.round(a / 2) : Math.round(a))),
  Relu: elementwise((a) => Math.max(0, a)),
  Clip: (node, inputs, opset) => {
    const [low, high] = [inputs[1], inputs[2]].map((bound) => (bound ? numbersOf(bound)[0]! : null));
    const [min, max] = [
      low ?? number(node, 'min', Number.NEGATIVE_INFINITY),
      high ?? number(node, 'max', Number.POSITIVE_INFINITY),
    ];
    return elementwise((a) => Math.min(max, Math.max(min, a)))(node, [need(inputs, 0)], opset);
  },
  Equal: elementwise((a, b) => Number(a === b), 'bool'),
  Greater: elementwise((a, b) => Number(a > b), 'bool'),
  GreaterOrEqual: elementwise((a, b) => Number(a >= b), 'bool'),
  Less: elementwise((a, b) => Number(a < b), 'bool'),
  LessOrEqual: elementwise((a, b) => Number(a <= b), 'bool'),
  And: elementwise((a, b) => Number(Boolean(a && b)), 'bool'),
  Or: elementwise((a, b) => Number(Boolean(a || b)), 'bool'),
  Xor: elementwise((a, b) => Number(Boolean(a) !== Boolean(b)), 'bool'),
  Not: elementwise((a) => Number(!a), 'bool'),
  IsNaN: elementwise((a) => Number(Number.isNaN(a)), 'bool'),
  IsInf: elementwise((a) => Number(Math.abs(a) === Number.POSITIVE_INFINITY), 'bool'),
  ReduceSum: reduce(0, (a, b) => a + b),
  ReduceMean: reduce(
    0,
    (a, b) => a + b,
    (sum, count) => sum / count,
  ),
  ReduceProd: reduce(1, (a, b) => a * b),
  ReduceMax: reduce(Number.NEGATIVE_INFINITY, Math.max),
  ReduceMin: reduce(Number.POSITIVE_INFINITY, Math.min),
};

export function unsqueezed(shape: readonly number[], given: readonly number[]): number[] {
  const rank = shape.length + given.length;
  const axes = given.map((axis) => axisOf(axis, rank)).sort((a, b) => a - b);
  const out = [...shape];
  for (const axis of axes) out.splice(axis, 0, 1);
  return out;
}

/** Sides of the parts of a Split. */
export function splitSides(node: OnnxNode, given: number[] | null, side: number): number[] {
  const list = numbers(node, 'split') ?? given;
  if (list) return list.reduce((a, b) => a + b, 0) === side ? list : fail(`[${list}] of ${side}`);
  const parts = number(node, 'num_outputs', node.outputs.length);
  const each = Math.ceil(side / parts);
  return Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(each, side - i * each)));
}
