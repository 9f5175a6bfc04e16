import { EpochscopeError } from '@epochscope/core-wasm';
import { Unzlib } from 'fflate';
import { type Budget, budgetOf } from '../budget.js';
import { decodeInTurns, elementCount, memoryBytes, readElements } from '../dtypes.js';
import type { Tensor } from '../types.js';
import { type Cursor, Hdf5Reader, MAX_HDF5_TREE_DEPTH, NOWHERE } from './cursor.js';
import { type Hdf5Type, readDataspace, readDatatype } from './datatype.js';
import type { Message } from './objects.js';

/** A dataset larger than this is refused. */
const MAX_HDF5_DATASET = 4_000_000_000;
/** Deflate packs at most 1032 : 1, so a larger claim is a lie. */
const MAX_DEFLATE_RATIO = 1032;
const FILTERS: Record<number, string> = {
  4: 'szip',
  5: 'n-bit',
  6: 'scale-offset',
  32000: 'LZF',
  32001: 'Blosc',
  32015: 'Zstandard',
};

type Layout =
  | { kind: 'compact'; bytes: Uint8Array }
  | { kind: 'contiguous'; address: number; size: number }
  | { kind: 'chunked'; tree: number; chunk: number[] }
  | { kind: 'refused'; reason: string };

export interface Hdf5Dataset {
  readonly path: string;
  readonly shape: number[];
  readonly type: Hdf5Type;
  readonly layout: Layout;
  readonly filters: number[];
  readonly base: number;
  /** Under another name: the dataset of the first. */
  readonly alias?: Hdf5Dataset;
  /** Whether it has other names. */
  aliased?: boolean;
}

/** From the messages of an object that is a dataset; null for one that is not. */
export function describeDataset(
  reader: Hdf5Reader,
  path: string,
  messages: readonly Message[],
): Hdf5Dataset | null {
  const find = (type: number) => messages.find((message) => message.type === type);
  const layout = find(8);
  const type = find(3);
  const space = find(1);
  if (!layout || !type || !space) return null;
  if (type.shared) {
    const other: Hdf5Type = { kind: 'other', size: 0, description: 'named type' };
    return {
      path,
      shape: [],
      type: other,
      layout: { kind: 'refused', reason: '' },
      filters: [],
      base: reader.base,
    };
  }
  const shape = readDataspace(space.body) ?? [0];
  const filters = find(11);
  return {
    path,
    shape,
    type: readDatatype(type.body),
    layout: readLayout(layout.body, shape.length),
    filters: filters ? readFilters(filters.body) : [],
    base: reader.base,
  };
}

/** A layout message (IV.A.2.i). */
function readLayout(c: Cursor, rank: number): Layout {
  const version = c.u8();
  if (version !== 3 && version !== 4)
    return { kind: 'refused', reason: `stored in a layout of version ${version}` };
  const kind = c.u8();
  if (kind === 0) return { kind: 'compact', bytes: c.raw(c.u16()).slice() };
  if (kind === 1) return { kind: 'contiguous', address: c.address(), size: c.u64() };
  if (kind !== 2 || version === 4)
    return { kind: 'refused', reason: 'stored in chunks as only libver="latest" does' };
  const dimensions = c.u8();
  if (dimensions !== rank + 1) c.fail(`expected chunks of ${rank} dimensions, got ${dimensions - 1}`);
  const tree = c.address();
  const chunk = Array.from({ length: rank }, () => c.u32());
  if (chunk.includes(0)) c.fail('a chunk has a side of 0');
  return { kind: 'chunked', tree, chunk };
}

/** A filter pipeline message (IV.A.2.l): the ids, in the order they were applied. */
function readFilters(c: Cursor): number[] {
  const version = c.u8();
  if (version !== 1 && version !== 2) c.fail(`expected filter version 1 or 2, got ${version}`);
  const count = c.u8();
  if (version === 1) c.skip(6);
  return Array.from({ length: count }, () => {
    const id = c.u16();
    const nameLength = version === 1 || id >= 256 ? c.u16() : 0;
    c.skip(2);
    const values = c.u16();
    c.skip(nameLength + 4 * values + (version === 1 && values % 2 ? 4 : 0));
    return id;
  });
}

/** What datasets of several names hold, for as long as they are known. */
const shared = new WeakMap<Hdf5Dataset, Tensor>();

/**
 * Reads a dataset of numbers, row-major; one of several names gives the same tensor each time. Throws `format`, `unsupported`,
 * `memory` before more is unpacked than the file's budget allows. Memory: twice its size.
 */
export async function readHdf5Dataset(source: Hdf5Reader['source'], dataset: Hdf5Dataset): Promise<Tensor> {
  const first = dataset.alias ?? dataset;
  let tensor = first.aliased ? shared.get(first) : undefined;
  tensor ??= await readNumbers(source, dataset);
  if (first.aliased) shared.set(first, tensor);
  return tensor;
}

async function readNumbers(source: Hdf5Reader['source'], dataset: Hdf5Dataset): Promise<Tensor> {
  const { path, shape, type, layout, filters, base } = dataset;
  const fail = (message: string, code: 'format' | 'unsupported' = 'format'): never => {
    throw new EpochscopeError(code, `${source.name}: dataset ${path}: ${message}`, {
      file: source.name,
      dataset: path,
    });
  };
  if (type.kind !== 'number')
    return fail(`expected numbers, got ${type.kind === 'other' ? type.description : 'text'}`, 'unsupported');
  const count = elementCount(shape);
  const size = count * type.size;
  if (!(size <= MAX_HDF5_DATASET))
    fail(`expected at most ${MAX_HDF5_DATASET} bytes, got shape [${shape}] of ${type.dtype}`);
  const tensor = async (bytes: Uint8Array, owned = false): Promise<Tensor> => {
    if (bytes.length < size)
      fail(`shape [${shape}] of ${type.dtype} needs ${size} bytes, got ${bytes.length}`);
    const { bigEndian } = type;
    return {
      data: await decodeInTurns(bytes, type.dtype, count, source.name, { bigEndian, owned }),
      shape: [...shape],
      dtype: type.dtype,
    };
  };
  if (layout.kind === 'refused')
    return fail(`${layout.reason}; write it again with h5py.File(…, libver="earliest")`, 'unsupported');
  if (layout.kind === 'compact') return tensor(layout.bytes);
  if (size === 0) return tensor(new Uint8Array(0));
  if (layout.kind === 'contiguous') {
    if (layout.address === NOWHERE) return fail('its numbers were never written');
    if (layout.size < size) fail(`shape [${shape}] of ${type.dtype} needs ${size} bytes, got ${layout.size}`);
    return {
      data: await readElements(source, base + layout.address, type.dtype, count, type.bigEndian),
      shape: [...shape],
      dtype: type.dtype,
    };
  }
  const unknown = filters.find((id) => ![1, 2, 3].includes(id));
  if (unknown !== undefined)
    fail(
      `packed by ${FILTERS[unknown] ?? `filter ${unknown}`}; write it again with compression="gzip" or none`,
      'unsupported',
    );
  const chunkSize = elementCount(layout.chunk) * type.size;
  // What is packed cannot be larger than the file lets it be; chunks at the edges reach over it.
  const most = source.size * (filters.includes(1) ? MAX_DEFLATE_RATIO : 1);
  if (!(chunkSize <= Math.min(MAX_HDF5_DATASET, most)) || size > most * 2)
    fail(`chunks [${layout.chunk}] of shape [${shape}] cannot come from a file of ${source.size} bytes`);
  const reader = new Hdf5Reader(source);
  reader.base = base;
  const budget = budgetOf(source);
  // Two chunks of bytes are held beside the dataset: memory of one that was let go is not free at once.
  const packed = filters.includes(1);
  const unpacked = packed ? new Uint8Array(chunkSize + 4) : null;
  const sorted = filters.includes(2) ? new Uint8Array(chunkSize) : null;
  const widened = memoryBytes(type.dtype) > type.size ? count * memoryBytes(type.dtype) : 0;
  if (packed) budget.take(size + 2 * chunkSize + widened, `dataset ${path}`);
  const out = new Uint8Array(size);
  const seen = new Set<string>();
  if (layout.tree === NOWHERE) return fail('its numbers were never written');
  for await (const { address, stored, mask, offset } of chunksOf(reader, layout.tree, shape.length, 0)) {
    if (offset.some((at, axis) => at % layout.chunk[axis]! || at >= shape[axis]!))
      fail(`a chunk lies at [${offset}]`);
    if (seen.has(offset.join())) fail(`two chunks lie at [${offset}]`);
    seen.add(offset.join());
    if (!(base + address + stored <= source.size))
      fail(`the chunk at [${offset}] runs past the end of the file`);
    let bytes = await source.read(base + address, stored);
    for (let i = filters.length - 1; i >= 0; i--) {
      if (mask & (1 << i)) continue;
      if (filters[i] === 3) bytes = bytes.subarray(0, Math.max(0, bytes.length - 4));
      else if (filters[i] === 1)
        bytes = await unpack(bytes, unpacked!, budget, (message) =>
          fail(`the chunk at [${offset}]: ${message}`),
        );
      else bytes = await unshuffle(bytes, sorted!, type.size, budget);
    }
    if (bytes.length !== chunkSize)
      fail(`the chunk at [${offset}]: expected ${chunkSize} bytes, got ${bytes.length}`);
    place(bytes, layout.chunk, offset, out, shape, type.size);
    await budget.rest();
  }
  return tensor(out, true);
}

async function* chunksOf(
  reader: Hdf5Reader,
  address: number,
  rank: number,
  depth: number,
): AsyncGenerator<{ address: number; stored: number; mask: number; offset: number[] }> {
  if (depth > MAX_HDF5_TREE_DEPTH)
    reader.fail(`expected at most ${MAX_HDF5_TREE_DEPTH} levels of chunks`, address);
  const head = await reader.at(address, 24, 'chunks');
  head.signature('TREE');
  if (head.u8() !== 1) head.fail('expected a tree of chunks');
  const level = head.u8();
  const count = head.u16();
  const node = await reader.at(address + 24, count * (24 + 8 * rank), 'chunks');
  for (let i = 0; i < count; i++) {
    reader.count(1, address);
    const stored = node.u32();
    const mask = node.u32();
    const offset = Array.from({ length: rank }, () => node.u64());
    node.skip(8);
    const child = node.address();
    if (level) yield* chunksOf(reader, child, rank, depth + 1);
    else yield { address: child, stored, mask, offset };
  }
}

/** Bytes that go in at once: a thousand times as many may come out. */
const SLICE = 1 << 10;

/** Unpacks into `out`; what comes out is a part of it, or a copy of more bytes than fit is refused. */
async function unpack(
  bytes: Uint8Array,
  out: Uint8Array,
  budget: Budget,
  fail: (message: string) => never,
): Promise<Uint8Array> {
  let total = 0;
  let ended = false;
  const stream = new Unzlib((chunk, final) => {
    if (total + chunk.length > out.length) fail(`expected ${out.length - 4} bytes, got more`);
    out.set(chunk, total);
    total += chunk.length;
    ended ||= final;
  });
  try {
    for (let at = 0; at < bytes.length; at += SLICE) {
      const before = total;
      stream.push(bytes.subarray(at, at + SLICE), at + SLICE >= bytes.length);
      budget.work(total - before);
      await budget.rest();
    }
  } catch (cause) {
    if (cause instanceof EpochscopeError) throw cause;
    return fail(`broken deflate data: ${(cause as Error).message}`);
  }
  if (!ended) fail('broken deflate data: unexpected EOF');
  return out.subarray(0, total);
}

/** Bytes put in order before others get their turn. */
const ORDERED = 1 << 22;

/** The shuffle filter keeps all first bytes, then all second ones, … Puts them in order into `out`, or into fresh bytes if they are more. */
async function unshuffle(
  bytes: Uint8Array,
  into: Uint8Array,
  width: number,
  budget: Budget,
): Promise<Uint8Array> {
  const out = bytes.length <= into.length ? into.subarray(0, bytes.length) : new Uint8Array(bytes.length);
  const count = Math.floor(bytes.length / width);
  for (let from = 0; from < count; from += ORDERED) {
    const to = Math.min(count, from + ORDERED);
    for (let b = 0; b < width; b++)
      for (let i = from, at = from * width + b; i < to; i++, at += width) out[at] = bytes[b * count + i]!;
    await budget.rest();
  }
  out.set(bytes.subarray(count * width), count * width);
  return out;
}

/** Copies what of a chunk lies within the shape, row by row of the last axis. */
function place(
  chunk: Uint8Array,
  sides: readonly number[],
  offset: readonly number[],
  out: Uint8Array,
  shape: readonly number[],
  width: number,
): void {
  const last = shape.length - 1;
  const run = Math.min(sides[last]!, shape[last]! - offset[last]!) * width;
  const rows = sides.slice(0, -1).reduce((a, b) => a * b, 1);
  for (let row = 0; row < rows; row++) {
    let rest = row;
    let to = offset[last]!;
    let inside = true;
    for (let axis = last - 1, stride = shape[last]!; axis >= 0; stride *= shape[axis--]!) {
      const at = offset[axis]! + (rest % sides[axis]!);
      rest = Math.floor(rest / sides[axis]!);
      inside &&= at < shape[axis]!;
      to += at * stride;
    }
    const from = row * sides[last]! * width;
    if (inside) out.set(chunk.subarray(from, from + run), to * width);
  }
}
