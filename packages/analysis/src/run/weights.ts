import { EpochscopeError, formatBytes, guard } from '@epochscope/core-wasm';
import { LONGEST_ARRAY } from '../formats/budget.js';
import { DTYPE_BYTES, elementCount, readElements, toFloat32 } from '../formats/dtypes.js';
import type { SafetensorsEntry } from '../formats/safetensors.js';
import type { Tensor } from '../formats/types.js';
import type { StoredFile } from '../stores/types.js';
import { transposeInTurns } from './transpose.js';

/** Where a tensor lies. */
export interface WeightPlace extends SafetensorsEntry {
  /** Which file of a link; undefined: the snapshot's own. */
  file?: number;
  /** The file's axis that each of ours is, where it lies there in another order. */
  axes?: readonly number[];
}

/** One snapshot's weights, opened: a tensor at a time, or parts of it. */
export interface SnapshotWeights {
  readonly tensors: ReadonlyMap<string, WeightPlace>;
  /** A whole tensor, row-major; half types widened. Throws `missing`, `memory` over 4 GiB. */
  read(name: string): Promise<Tensor>;
  /**
   * Values `from` … `to` − 1 as float32, in the order of the file: that of the tensor unless it has `axes`. For what does not depend on
   * the order, in parts.
   */
  span(name: string, from: number, to: number): Promise<Float32Array>;
  /** Values at flat indices of the tensor (row-major), as float32: few reads where they lie close. */
  values(name: string, indices: readonly number[]): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Indices closer than this are read in one go. */
const NEAR = 16_384;

/** `open`: the file a tensor lies in, opened once and closed with the rest. */
export function snapshotWeights(
  id: string,
  tensors: ReadonlyMap<string, WeightPlace>,
  open: (place: WeightPlace) => Promise<StoredFile>,
  close: () => Promise<void>,
): SnapshotWeights {
  const find = (name: string): WeightPlace => {
    const place = tensors.get(name);
    if (!place)
      throw new EpochscopeError(
        'missing',
        `snapshot ${id} has no tensor ${name}; it has ${[...tensors.keys()].join(', ')}`,
        { snapshot: id, tensor: name },
      );
    return place;
  };
  const part = async (place: WeightPlace, from: number, count: number) => {
    const width = DTYPE_BYTES[place.dtype];
    guard(
      count * Math.max(width, 4) <= LONGEST_ARRAY,
      'memory',
      () =>
        `tensor ${place.name} takes ${formatBytes(count * Math.max(width, 4))}, over the 4 GiB one array can hold`,
      { tensor: place.name },
    );
    return readElements(await open(place), place.begin + from * width, place.dtype, count);
  };
  const floats = async (place: WeightPlace, from: number, count: number) => {
    guard(
      place.dtype !== 'int64' && place.dtype !== 'uint64',
      'unsupported',
      () => `tensor ${place.name}: expected numbers that fit float32, got ${place.dtype}`,
      { tensor: place.name, got: place.dtype },
    );
    return toFloat32(await part(place, from, count));
  };
  return {
    tensors,
    close,
    async read(name) {
      const place = find(name);
      const { dtype, shape, axes } = place;
      const data = await part(place, 0, elementCount(shape));
      if (!axes) return { data, shape, dtype };
      const own = axes.map((_, axis) => shape[axes.indexOf(axis)]!);
      return { ...(await transposeInTurns({ data, shape: own, dtype }, axes, place.name)), dtype };
    },
    async span(name, from, to) {
      return floats(find(name), from, to - from);
    },
    async values(name, indices) {
      const place = find(name);
      const at = Float64Array.from(indices, fileIndex(place));
      const order = ascending(at, elementCount(place.shape));
      const out = new Float32Array(indices.length);
      const reach = NEAR / DTYPE_BYTES[place.dtype];
      for (let k = 0; k < order.length; ) {
        const first = at[order[k]!]!;
        let end = k + 1;
        while (end < order.length && at[order[end]!]! - at[order[end - 1]!]! <= reach) end++;
        const values = await floats(place, first, at[order[end - 1]!]! - first + 1);
        for (; k < end; k++) out[order[k]!] = values[at[order[k]!]! - first]!;
      }
      return out;
    },
  };
}

/** The order in which whole numbers below `limit` rise. Millions are sorted as numbers, a comparison of which costs no call. */
function ascending(values: Float64Array, limit: number): Uint32Array {
  const n = values.length;
  if (values.every((value, i) => i === 0 || value >= values[i - 1]!)) return Uint32Array.from(values.keys());
  if (limit * n > Number.MAX_SAFE_INTEGER)
    return Uint32Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
  return Uint32Array.from(values.map((value, i) => value * n + i).sort(), (key) => key % n);
}

/** From a flat index of a tensor to that of the same value in its file. */
export function fileIndex({ shape, axes }: Pick<WeightPlace, 'shape' | 'axes'>): (index: number) => number {
  if (!axes) return (index) => index;
  const own = axes.map((_, axis) => shape[axes.indexOf(axis)]!);
  const strides = axes.map((axis) => elementCount(own.slice(axis + 1)));
  return (index) => {
    let rest = index;
    let at = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return at;
  };
}

/** The way back: from a flat index in the file to that of the tensor. */
export function indexFromFile({
  shape,
  axes,
}: Pick<WeightPlace, 'shape' | 'axes'>): (index: number) => number {
  if (!axes) return (index) => index;
  const back = axes.map((_, axis) => axes.indexOf(axis));
  return fileIndex({ shape: back.map((axis) => shape[axis]!), axes: back });
}
