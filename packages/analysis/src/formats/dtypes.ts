import { rest } from './budget.js';
import { checkRange } from './source.js';
import type { ByteSource, DType, StoredTensor, Tensor, TensorData } from './types.js';

/** Bytes of one element in a file. */
export const DTYPE_BYTES: Record<DType, number> = {
  bool: 1,
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  float8_e4m3: 1,
  float8_e5m2: 1,
  float16: 2,
  bfloat16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  uint64: 8,
  int64: 8,
  float64: 8,
};

const VIEWS = {
  bool: Uint8Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** The dtype a typed array is stored as. */
export function dtypeOf(data: TensorData): DType {
  for (const [dtype, view] of Object.entries(VIEWS))
    if (dtype !== 'bool' && data.constructor === view) return dtype as DType;
  throw new TypeError(`no dtype for ${data.constructor.name}`);
}

/** IEEE half to single. */
export function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

// Plain loops below: TypedArray.from with a function first makes a list of all values, which aborts the process at some
// 110 million of them and takes thirty times as long.

let halves: Float32Array | undefined;

function widenHalves(words: Uint16Array): Float32Array {
  if (!halves) {
    halves = new Float32Array(1 << 16);
    for (let half = 0; half < halves.length; half++) halves[half] = halfToFloat(half);
  }
  const out = new Float32Array(words.length);
  for (let i = 0; i < out.length; i++) out[i] = halves[words[i]!]!;
  return out;
}

/** Numbers as float32: float32 data are shared, others converted, each rounded once (64-bit integers by way of float64). */
export function toFloat32(data: TensorData): Float32Array {
  return data instanceof Float32Array ? data : converted(data, Float32Array);
}

/** Numbers as float64; 64-bit integers beyond 2⁵³ are rounded. Float64 data are shared. */
export function toFloat64(data: TensorData): Float64Array {
  return data instanceof Float64Array ? data : converted(data, Float64Array);
}

/**
 * The narrowest of float32, float64 and the array's own type (64-bit integers) that holds every value: what is stored so loses nothing.
 * Float32 and half data are shared. O(values).
 */
export function losslessly(data: TensorData): TensorData {
  if (data instanceof Float32Array) return data;
  const wide = toFloat64(data);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    for (let i = 0; i < wide.length; i++)
      if (Math.abs(wide[i]!) >= 2 ** 53 && BigInt(wide[i]!) !== data[i]) return data;
  for (let i = 0; i < wide.length; i++)
    if (Math.fround(wide[i]!) !== wide[i] && Number.isFinite(wide[i]!)) return wide;
  return toFloat32(data);
}

function converted<T extends Float32Array | Float64Array>(
  data: TensorData,
  Target: new (from: number | ArrayLike<number>) => T,
): T {
  if (!(data instanceof BigInt64Array || data instanceof BigUint64Array)) return new Target(data);
  // Halves of 32 bits: a BigInt a value would take ten times as long. The sum is rounded once, as Number(bigint) is.
  const low = new Uint32Array(data.buffer, data.byteOffset, 2 * data.length);
  const high =
    data instanceof BigInt64Array ? new Int32Array(data.buffer, data.byteOffset, 2 * data.length) : low;
  const out = new Target(data.length);
  for (let i = 0; i < out.length; i++) out[i] = high[2 * i + 1]! * 2 ** 32 + low[2 * i]!;
  return out;
}

/**
 * A byte of eight bits to a number (OCP 8-bit floating point): sign, 4 or 5 bits of exponent, 3 or 2 of fraction. e4m3 has no infinity, and
 * one NaN of each sign; e5m2 is the upper half of a float16.
 */
export function eightBitsToFloat(byte: number, dtype: 'float8_e4m3' | 'float8_e5m2'): number {
  if (dtype === 'float8_e5m2') return halfToFloat(byte << 8);
  const sign = byte & 0x80 ? -1 : 1;
  const exponent = (byte >> 3) & 15;
  const fraction = byte & 7;
  if (exponent === 15 && fraction === 7) return Number.NaN;
  return sign * (exponent ? (1 + fraction / 8) * 2 ** (exponent - 7) : (fraction / 8) * 2 ** -6);
}

/** Types whose elements are widened to float32, and the words they are in files. */
const WORDS: Partial<Record<DType, 'uint8' | 'uint16'>> = {
  float8_e4m3: 'uint8',
  float8_e5m2: 'uint8',
  float16: 'uint16',
  bfloat16: 'uint16',
};

/** The type of a file's elements where nothing is widened: half and eight-bit types as words. */
export const rawType = (dtype: DType): DType => WORDS[dtype] ?? dtype;

/** Bytes of a file as a typed array of its own, nothing widened. As `decodeElements` otherwise. */
export const rawElements = (bytes: Uint8Array, dtype: DType, count: number): TensorData =>
  decodeElements(bytes, rawType(dtype), count);

/** Raw elements as numbers: half and eight-bit types widened to float32, others as they are. Throws `cancelled`. */
export const widened = async (raw: TensorData, dtype: DType, file: string): Promise<TensorData> =>
  WORDS[dtype] ? decodeInTurns(bytesOf(raw), dtype, raw.length, file) : raw;

/** Bytes of an element in memory. */
export const memoryBytes = (dtype: DType): number => (WORDS[dtype] ? 4 : DTYPE_BYTES[dtype]);

/** Whether numbers of this type are floating point. */
export const isFloating = (dtype: DType): boolean => dtype.startsWith('float') || dtype === 'bfloat16';

/** A tensor in memory as one of a file. */
export const storedInMemory = ({ data, shape }: Tensor): StoredTensor => ({
  dtype: dtypeOf(data),
  shape,
  bytes: async () => bytesOf(data),
});

/** Reads a tensor whole, half types widened. */
export const readStored = async ({ dtype, shape, bytes }: StoredTensor): Promise<Tensor> => ({
  data: await decodeInTurns(await bytes(), dtype, elementCount(shape), 'tensors'),
  shape,
  dtype,
});

/**
 * Bytes as a typed array of `count` elements, always a copy or a fresh view of its own (never of a shared slab), widened
 * to float32 for half types. `bytes.length` must be count × element size. Assumes a little-endian host. `owned`: the bytes are the
 * caller's alone, so that no copy is made where they lie as such elements must.
 */
export function decodeElements(
  bytes: Uint8Array,
  dtype: DType,
  count: number,
  bigEndian = false,
  owned = false,
): TensorData {
  const width = DTYPE_BYTES[dtype];
  // Read where they lie: what comes out is of its own anyway.
  if ((dtype === 'float16' || dtype === 'bfloat16') && !bigEndian && bytes.byteOffset % 2 === 0)
    return widenWords(new Uint16Array(bytes.buffer, bytes.byteOffset, count), dtype);
  // Not bytes.slice: a Buffer's shares its memory.
  const own =
    owned && bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes.subarray(0, count * width));
  if (bigEndian && width > 1) {
    for (let i = 0; i < own.length; i += width)
      for (let a = i, b = i + width - 1; a < b; a++, b--) {
        const byte = own[a]!;
        own[a] = own[b]!;
        own[b] = byte;
      }
  }
  if (dtype === 'float8_e4m3' || dtype === 'float8_e5m2') {
    const table = Float32Array.from({ length: 256 }, (_, byte) => eightBitsToFloat(byte, dtype));
    const out = new Float32Array(count);
    for (let i = 0; i < count; i++) out[i] = table[own[i]!]!;
    return out;
  }
  if (dtype === 'float16' || dtype === 'bfloat16')
    return widenWords(new Uint16Array(own.buffer, own.byteOffset, count), dtype);
  return new VIEWS[dtype](own.buffer as ArrayBuffer, own.byteOffset, count);
}

function widenWords(words: Uint16Array, dtype: 'float16' | 'bfloat16'): Float32Array {
  if (dtype === 'float16') return widenHalves(words);
  const out = new Uint32Array(words.length);
  for (let i = 0; i < out.length; i++) out[i] = words[i]! << 16;
  return new Float32Array(out.buffer);
}

/** Bytes that are decoded before others get their turn. */
const TURN = 1 << 22;

/**
 * As `decodeElements`, and others get their turn in between; `file` for the message. Memory: the bytes and the numbers. Throws `cancelled`.
 */
export async function decodeInTurns(
  bytes: Uint8Array,
  dtype: DType,
  count: number,
  file: string,
  { bigEndian = false, owned = false }: { bigEndian?: boolean; owned?: boolean } = {},
): Promise<TensorData> {
  const width = DTYPE_BYTES[dtype];
  // What is put in another order would be so again the next time it is read.
  const asTheyAre = owned && bytes.byteOffset % width === 0 && !(bigEndian && width > 1) && !WORDS[dtype];
  if (asTheyAre || count * width <= TURN) return decodeElements(bytes, dtype, count, bigEndian, asTheyAre);
  const out = room(dtype, count);
  const step = TURN / width;
  for (let from = 0; from < count; from += step) {
    const to = Math.min(count, from + step);
    const part = decodeElements(bytes.subarray(from * width, to * width), dtype, to - from, bigEndian);
    out.set(part as Float64Array, from);
    await rest(file);
  }
  return out;
}

/** An array for so many numbers of a type, half types widened. */
function room(dtype: DType, count: number): Float64Array {
  const none = decodeElements(new Uint8Array(0), dtype, 0);
  return new (none.constructor as Float64ArrayConstructor)(count);
}

/** Bytes read at once where they cannot be taken as they are. */
const PIECE = 1 << 24;

/**
 * So many numbers of a source, from `begin`. Memory: the numbers, and 16 MB where they are not taken as they lie. Throws `format`,
 * `cancelled`.
 */
export async function readElements(
  source: ByteSource,
  begin: number,
  dtype: DType,
  count: number,
  bigEndian = false,
): Promise<TensorData> {
  const width = DTYPE_BYTES[dtype];
  const asTheyAre = source.fresh && !(bigEndian && width > 1) && !WORDS[dtype];
  if (asTheyAre || count * width <= PIECE)
    return decodeInTurns(await source.read(begin, count * width), dtype, count, source.name, {
      bigEndian,
      owned: source.fresh ?? false,
    });
  // Before anything is allocated for them: are they all there?
  checkRange(source, begin, count * width);
  const out = room(dtype, count);
  const step = PIECE / width;
  for (let from = 0; from < count; from += step) {
    const some = Math.min(count - from, step);
    const bytes = await source.read(begin + from * width, some * width);
    out.set((await decodeInTurns(bytes, dtype, some, source.name, { bigEndian })) as Float64Array, from);
  }
  return out;
}

/** What lies behind strides (in elements), row-major, and others get their turn in between. Throws `cancelled`. */
export async function gather(
  data: TensorData,
  shape: readonly number[],
  strides: readonly number[],
  file: string,
): Promise<TensorData> {
  const walk = gathering(data, shape, strides);
  for (;;) {
    const { done, value } = walk.next();
    if (done) return value;
    await rest(file);
  }
}

/** The same for whoever has its own way of resting: yields now and then. */
export function* gathering(
  data: TensorData,
  shape: readonly number[],
  strides: readonly number[],
): Generator<void, TensorData> {
  const out = new (data.constructor as Float64ArrayConstructor)(elementCount(shape));
  const at = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let i = 0; i < out.length; i++) {
    if (i % GATHERED === 0) yield;
    out[i] = (data as Float64Array)[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++at[axis]! < shape[axis]!) break;
      from -= at[axis]! * strides[axis]!;
      at[axis] = 0;
    }
  }
  return out;
}
/** Elements between two looks at the clock. */
const GATHERED = 1 << 16;

/** The bytes of a typed array, without a copy. */
export function bytesOf(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Product of a shape, or NaN when it is not a list of whole numbers ≥ 0 with a safe product. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const side of shape) {
    if (!Number.isSafeInteger(side) || side < 0) return Number.NaN;
    count *= side;
  }
  return Number.isSafeInteger(count) ? count : Number.NaN;
}
