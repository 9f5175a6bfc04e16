import { EpochscopeError } from '@epochscope/core-wasm';
import {
  bytesOf,
  decodeInTurns,
  elementCount,
  isFloating,
  rawType,
  readStored,
} from '../../formats/dtypes.js';
import type { DType, StoredTensor, Tensor } from '../../formats/types.js';
import { addTo } from '../../grouped.js';
import { transpose, transposeInTurns } from '../transpose.js';
import type { LayerInfo } from '../types.js';

/** Wrappers that put their name before every parameter. */
const PREFIXES = ['module.', '_orig_mod.', 'base_model.', 'model.', 'params.'];
/** Matrices that look up rows, which PyTorch also calls "weight": [rows, width], as ours. */
const EMBEDDING = /(^|\.)(wte|wpe|(\w*_)?emb|[\w]*embed[\w]*|embeddings?\.[\w.]+|shared)\.weight$/i;
/** Flax keeps what batch normalisation has seen beside the parameters. */
const FLAX = /^(params|batch_stats)\./;

interface Described {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** How one of our tensors is made of a file's. */
export interface Recipe extends Described {
  /** Of what the file calls it. */
  from: string;
  /** Multiplied by this one: pruned weights kept in two parts. */
  mask?: string;
  /** The file's axis that each of ours is, where PyTorch's order is turned to ours. */
  axes?: number[];
}

export interface CanonicalPlan {
  recipes: Map<string, Recipe>;
  layers: LayerInfo[];
  /** Left out: counters and masks. */
  skipped: string[];
  /** PyTorch's [out, in, …] was turned to ours. */
  transposed: number;
  /** Weights that PyTorch's pruning keeps in two parts, put together. */
  masked: number;
}

export interface Canonical extends Omit<CanonicalPlan, 'recipes'> {
  tensors: Map<string, Tensor>;
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
export function planWeights(
  tensors: ReadonlyMap<string, Described>,
  source: string,
  options: { keepLayout?: boolean } = {},
): CanonicalPlan {
  const out: CanonicalPlan = { recipes: new Map(), layers: [], skipped: [], transposed: 0, masked: 0 };
  const plain = (name: string) =>
    name.replace(/:\d+$/, '').replace(/[/\\]/g, '.').replace(/\0/g, '').replace(/^\.+/, '');
  const kept: [string, Recipe][] = [];
  for (const [name, { dtype, shape }] of tensors)
    if (isFloating(dtype)) kept.push([plain(name), { from: name, dtype, shape }]);
    else out.skipped.push(plain(name));
  const long = kept.map(([name]) => name);
  const prefix = commonPrefix(long);
  out.skipped = out.skipped.map((name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name));
  const short = shortNames(long, prefix);
  const twoOf = (name: string): never => {
    throw new EpochscopeError('format', `${source}: two tensors are named ${name.slice(0, 80)}`, {
      file: source,
      tensor: name,
    });
  };
  const named = new Map(kept.map(([, recipe], i) => [short[i]!, recipe]));
  if (named.size < kept.length) twoOf(short.find((name, i) => short.indexOf(name) !== i)!);
  for (let [name, recipe] of named) {
    // torch.nn.utils.prune: weight = weight_orig · weight_mask.
    const pruned = /^(.*(?:^|\.)\w+)_(orig|mask)$/.exec(name);
    if (pruned && isPair(named, pruned[1]!)) {
      if (pruned[2] === 'mask') continue;
      name = pruned[1]!;
      recipe = { ...recipe, mask: named.get(`${name}_mask`)!.from };
      out.masked++;
    }
    const isTable = recipe.shape.length === 2 && EMBEDDING.test(name);
    const axes = options.keepLayout || isTable ? undefined : TORCH_AXES[recipe.shape.length];
    if (axes && /(^|\.)weight$/.test(name)) {
      name = name.replace(/weight$/, 'kernel');
      recipe = { ...recipe, axes, shape: axes.map((axis) => recipe.shape[axis]!) };
      out.transposed++;
    }
    if (out.recipes.has(name)) twoOf(name);
    out.recipes.set(name, recipe);
  }
  if (!out.recipes.size)
    throw new EpochscopeError(
      'format',
      `${source}: expected weights, got ${out.skipped.length ? 'only whole numbers' : 'no tensor'}`,
      { file: source },
    );
  out.layers = layersOf(out.recipes);
  return out;
}

/** Our tensors of a file's, each made when it is wanted: the file's bytes are turned, not widened (but for pruned ones). */
export function storedByPlan(
  { recipes }: CanonicalPlan,
  tensors: ReadonlyMap<string, StoredTensor>,
): Map<string, StoredTensor> {
  return new Map(
    [...recipes].map(([name, { from, mask, axes, dtype, shape }]): [string, StoredTensor] => {
      const own = tensors.get(from)!;
      if (mask !== undefined)
        return [
          name,
          {
            dtype: dtype === 'float64' ? 'float64' : 'float32',
            shape,
            bytes: async () => bytesOf(turned(await masked(own, tensors.get(mask)!), axes).data),
          },
        ];
      if (!axes) return [name, own];
      const bytes = async () => {
        const raw = await decodeInTurns(await own.bytes(), rawType(dtype), elementCount(shape), name);
        return bytesOf((await transposeInTurns({ data: raw, shape: own.shape, dtype }, axes, name)).data);
      };
      return [name, { dtype, shape, bytes }];
    }),
  );
}

const turned = (tensor: Tensor, axes: readonly number[] | undefined) =>
  axes ? transpose(tensor, axes) : tensor;
const masked = async (orig: StoredTensor, mask: StoredTensor) =>
  product(await readStored(orig), await readStored(mask));

/** `planWeights`, with tensors in memory. */
export function canonicalWeights(
  tensors: ReadonlyMap<string, Tensor>,
  source: string,
  options: { keepLayout?: boolean } = {},
): Canonical {
  const { recipes, ...plan } = planWeights(tensors, source, options);
  return {
    ...plan,
    tensors: new Map(
      [...recipes].map(([name, { from, mask, axes }]): [string, Tensor] => {
        const own = tensors.get(from)!;
        return [name, turned(mask === undefined ? own : product(own, tensors.get(mask)!), axes)];
      }),
    ),
  };
}

/** Without what all names begin with. */
function shortNames(names: readonly string[], prefix: string): string[] {
  const short = names.map((name) => name.slice(prefix.length));
  if (!short.every((name) => FLAX.test(name))) return short;
  const own = short.map((name) => name.replace(FLAX, ''));
  return new Set(own).size === own.length ? own : short;
}

const isPair = (tensors: ReadonlyMap<string, Described>, name: string): boolean => {
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

/** Names as PyTorch has them → ours: "conv.weight" for "conv.kernel". */
export function torchNames(weights: ReadonlyMap<string, Described>): Map<string, string> {
  const names = new Map<string, string>();
  for (const [name, { shape }] of weights) {
    const torch = TORCH_AXES[shape.length] ? name.replace(/((?:^|\.))kernel$/, '$1weight') : name;
    names.set(torch === name || weights.has(torch) ? name : torch, name);
  }
  return names;
}

/** Shape of a kernel as PyTorch has it. */
export function torchShape(shape: readonly number[]): number[] {
  const axes = TORCH_AXES[shape.length]!;
  return axes.map((_, axis) => shape[axes.indexOf(axis)]!);
}

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
function layersOf(tensors: ReadonlyMap<string, Described>): LayerInfo[] {
  const groups = new Map<string, string[]>();
  for (const name of tensors.keys()) {
    const dot = name.lastIndexOf('.');
    const layer = dot > 0 ? name.slice(0, dot) : name;
    addTo(groups, layer, name);
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
