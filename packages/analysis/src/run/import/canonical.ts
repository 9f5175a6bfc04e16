import { EpochscopeError } from '@epochscope/core-wasm';
import { elementCount } from '../../formats/dtypes.js';
import type { Tensor, TensorData } from '../../formats/types.js';
import type { LayerInfo } from '../types.js';

/** Wrappers that put their name before every parameter. */
const PREFIXES = ['module.', '_orig_mod.', 'model.', 'params.'];
/** Matrices that look up rows, which PyTorch also calls "weight": [rows, width], as ours. */
const EMBEDDING = /(^|\.)(wte|wpe|[\w]*embed[\w]*|embeddings?\.[\w.]+|shared)\.weight$/i;

export interface Canonical {
  tensors: Map<string, Tensor>;
  layers: LayerInfo[];
  /** Left out: counters and masks. */
  skipped: string[];
  /** PyTorch's [out, in, …] was turned to ours. */
  transposed: number;
}

/** The wrappers' names that all names begin with: "module.model." or "". */
export function commonPrefix(names: readonly string[]): string {
  let prefix = '';
  for (let found: string | undefined = ''; found !== undefined && names.length; prefix += found ?? '')
    found = PREFIXES.find((word) =>
      names.every((name) => name.startsWith(prefix + word) && name.length > prefix.length + word.length),
    );
  return prefix;
}

/**
 * Weights of any framework under our names and layouts: "<layer>.<parameter>", dense kernels [inputs, units], convolution
 * kernels [height, width, in, out] (PyTorch's "weight" of two, three or four axes is turned and called "kernel").
 * Common prefixes ("module.") go; whole numbers are left out. Throws `format` on two tensors of one name, or none.
 */
export function canonicalWeights(
  tensors: ReadonlyMap<string, Tensor>,
  source: string,
  options: { keepLayout?: boolean } = {},
): Canonical {
  let names = [...tensors.keys()].map((name) =>
    name.replace(/:\d+$/, '').replace(/[/\\]/g, '.').replace(/\0/g, '').replace(/^\.+/, ''),
  );
  const prefix = commonPrefix(names);
  names = names.map((name) => name.slice(prefix.length));
  const out: Canonical = { tensors: new Map(), layers: [], skipped: [], transposed: 0 };
  let i = 0;
  for (const tensor of tensors.values()) {
    let name = names[i++]!;
    if (!tensor.dtype.startsWith('float') && tensor.dtype !== 'bfloat16') {
      out.skipped.push(name);
      continue;
    }
    let kept = tensor;
    const axes = options.keepLayout || EMBEDDING.test(name) ? undefined : TORCH_AXES[tensor.shape.length];
    if (axes && /(^|\.)weight$/.test(name)) {
      name = name.replace(/weight$/, 'kernel');
      kept = transpose(tensor, axes);
      out.transposed++;
    }
    if (name.length > 180 || out.tensors.has(name))
      throw new EpochscopeError(
        'format',
        `${source}: ${out.tensors.has(name) ? 'two tensors are' : 'a tensor is'} named ${name.slice(0, 80)}`,
        { file: source, tensor: name },
      );
    out.tensors.set(name, kept);
  }
  if (!out.tensors.size)
    throw new EpochscopeError(
      'format',
      `${source}: expected weights, got ${out.skipped.length ? 'only whole numbers' : 'no tensor'}`,
      { file: source },
    );
  out.layers = layersOf(out.tensors);
  return out;
}

/** Linear [out, in], Conv1d [out, in, k], Conv2d [out, in, h, w]: where each of our axes is taken from. */
const TORCH_AXES: Record<number, number[] | undefined> = { 2: [1, 0], 3: [2, 1, 0], 4: [2, 3, 1, 0] };

/** Row-major transposition. O(values). */
export function transpose(tensor: Tensor, axes: readonly number[]): Tensor {
  const shape = axes.map((axis) => tensor.shape[axis]!);
  const strides = tensor.shape.map((_, axis) => elementCount(tensor.shape.slice(axis + 1)));
  const steps = axes.map((axis) => strides[axis]!);
  const data = tensor.data as Float64Array;
  const out = new (data.constructor as Float64ArrayConstructor)(data.length);
  const at = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++at[axis]! < shape[axis]!) break;
      from -= at[axis]! * steps[axis]!;
      at[axis] = 0;
    }
  }
  return { data: out as TensorData, shape, dtype: tensor.dtype };
}

/** Parameters grouped by what precedes the last dot, in order. */
function layersOf(tensors: ReadonlyMap<string, Tensor>): LayerInfo[] {
  const groups = new Map<string, string[]>();
  for (const name of tensors.keys()) {
    const dot = name.lastIndexOf('.');
    const layer = dot > 0 ? name.slice(0, dot) : name;
    groups.set(layer, [...(groups.get(layer) ?? []), name]);
  }
  return [...groups].map(([name, parameters]) => {
    const shapes = parameters.map((parameter) => tensors.get(parameter)!.shape);
    const main = shapes.reduce((a, b) => (b.length > a.length ? b : a));
    const statistics = parameters.some((parameter) => /(moving|running)_mean$/.test(parameter));
    const kind = statistics
      ? 'batch-norm'
      : ({ 1: 'scale', 2: 'dense', 3: 'conv1d', 4: 'conv2d' }[main.length] ?? 'parameters');
    return { name, kind, shape: main.length ? [main[main.length - 1]!] : [1], parameters };
  });
}
