import { EpochscopeError } from '@epochscope/core-wasm';
import { elementCount } from '../../formats/dtypes.js';
import type { Tensor, TensorData } from '../../formats/types.js';
import type { LayerInfo } from '../types.js';

/** Wrappers that put their name before every parameter. */
const PREFIXES = ['module.', '_orig_mod.', 'model.', 'params.'];
/** Matrices that look up rows, which PyTorch also calls "weight": [rows, width], as ours. */
const EMBEDDING = /(^|\.)(wte|wpe|(\w*_)?emb|[\w]*embed[\w]*|embeddings?\.[\w.]+|shared)\.weight$/i;
/** Flax keeps what batch normalisation has seen beside the parameters. */
const FLAX = /^(params|batch_stats)\./;

export interface Canonical {
  tensors: Map<string, Tensor>;
  layers: LayerInfo[];
  /** Left out: counters and masks. */
  skipped: string[];
  /** PyTorch's [out, in, …] was turned to ours. */
  transposed: number;
  /** Weights that PyTorch's pruning keeps in two parts, put together. */
  masked: number;
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
 * kernels [height, width, in, out] (PyTorch's "weight" of two to five axes is turned and called "kernel").
 * Common prefixes ("module.") go; whole numbers are left out. Throws `format` on two tensors of one name, or none.
 */
export function canonicalWeights(
  tensors: ReadonlyMap<string, Tensor>,
  source: string,
  options: { keepLayout?: boolean } = {},
): Canonical {
  const out: Canonical = { tensors: new Map(), layers: [], skipped: [], transposed: 0, masked: 0 };
  const plain = (name: string) =>
    name.replace(/:\d+$/, '').replace(/[/\\]/g, '.').replace(/\0/g, '').replace(/^\.+/, '');
  const kept: [string, Tensor][] = [];
  for (const [name, tensor] of tensors)
    if (tensor.dtype.startsWith('float') || tensor.dtype === 'bfloat16') kept.push([plain(name), tensor]);
    else out.skipped.push(plain(name));
  const long = kept.map(([name]) => name);
  const prefix = commonPrefix(long);
  out.skipped = out.skipped.map((name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name));
  const short = shortNames(long, prefix);
  const named = new Map(kept.map(([, tensor], i) => [short[i]!, tensor]));
  if (named.size < kept.length) {
    const twice = short.find((name, i) => short.indexOf(name) !== i)!;
    throw new EpochscopeError('format', `${source}: two tensors are named ${twice.slice(0, 80)}`, {
      file: source,
      tensor: twice,
    });
  }
  for (let [name, tensor] of named) {
    // torch.nn.utils.prune: weight = weight_orig · weight_mask.
    const pruned = /^(.*(?:^|\.)\w+)_(orig|mask)$/.exec(name);
    if (pruned && isPair(named, pruned[1]!)) {
      if (pruned[2] === 'mask') continue;
      name = pruned[1]!;
      tensor = product(tensor, named.get(`${name}_mask`)!);
      out.masked++;
    }
    const isTable = tensor.shape.length === 2 && EMBEDDING.test(name);
    const axes = options.keepLayout || isTable ? undefined : TORCH_AXES[tensor.shape.length];
    if (axes && /(^|\.)weight$/.test(name)) {
      name = name.replace(/weight$/, 'kernel');
      tensor = transpose(tensor, axes);
      out.transposed++;
    }
    if (out.tensors.has(name))
      throw new EpochscopeError('format', `${source}: two tensors are named ${name.slice(0, 80)}`, {
        file: source,
        tensor: name,
      });
    out.tensors.set(name, tensor);
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

/** Without what all names begin with. */
function shortNames(names: readonly string[], prefix: string): string[] {
  const short = names.map((name) => name.slice(prefix.length));
  if (!short.every((name) => FLAX.test(name))) return short;
  const own = short.map((name) => name.replace(FLAX, ''));
  return new Set(own).size === own.length ? own : short;
}

const isPair = (tensors: ReadonlyMap<string, Tensor>, name: string): boolean => {
  const [orig, mask] = [tensors.get(`${name}_orig`), tensors.get(`${name}_mask`)];
  return Boolean(orig && mask && orig.shape.join() === mask.shape.join() && !tensors.has(name));
};

function product(a: Tensor, b: Tensor): Tensor {
  const data = (a.data as Float32Array).map((value, i) => value * Number(b.data[i]));
  return { ...a, data };
}

/** Linear [out, in], Conv1d [out, in, k], Conv2d [out, in, h, w], Conv3d [out, in, d, h, w]: where each of our axes is taken from. */
const TORCH_AXES: Record<number, number[] | undefined> = {
  2: [1, 0],
  3: [2, 1, 0],
  4: [2, 3, 1, 0],
  5: [2, 3, 4, 1, 0],
};

/** A tensor as PyTorch has it ("conv.weight"), from weights under our names; undefined where there is none. */
export function torchTensor(weights: ReadonlyMap<string, Tensor>, name: string): Tensor | undefined {
  const own = weights.get(name);
  if (own || !/(^|\.)weight$/.test(name)) return own;
  const kernel = weights.get(name.replace(/weight$/, 'kernel'));
  const axes = TORCH_AXES[kernel?.shape.length ?? 0];
  return kernel && axes
    ? transpose(
        kernel,
        axes.map((_, axis) => axes.indexOf(axis)),
      )
    : undefined;
}

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

/** A layer's name is a file's name too: a longer one keeps its end, which says most, and a number made of the whole. */
const MAX_LAYER_NAME = 120;

function layerName(name: string): string {
  if (name.length <= MAX_LAYER_NAME) return name;
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  const tag = (hash >>> 0).toString(16).padStart(8, '0');
  return `${tag}…${name.slice(10 - MAX_LAYER_NAME)}`;
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
    const flax = ['mean', 'var'].every((part) => parameters.includes(`${name}.${part}`));
    const statistics = flax || parameters.some((parameter) => /(moving|running)_mean$/.test(parameter));
    const kind = statistics
      ? 'batch-norm'
      : ({ 1: 'scale', 2: 'dense', 3: 'conv1d', 4: 'conv2d', 5: 'conv3d' }[main.length] ?? 'parameters');
    return { name: layerName(name), kind, shape: main.length ? [main[main.length - 1]!] : [1], parameters };
  });
}
