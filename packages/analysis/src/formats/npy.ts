import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { budgetOf, rest } from './budget.js';
import {
  bytesOf,
  DTYPE_BYTES,
  decodeElements,
  dtypeOf,
  elementCount,
  gather,
  memoryBytes,
  readElements,
} from './dtypes.js';
import { type NpyLiteral, parseNpyHeader } from './npy-header.js';
import type { ByteSource, DType, Tensor, TensorData } from './types.js';

// NumPy's format, versions 1 to 3: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

/** A header longer than this is refused: real ones have about 100 bytes. */
export const MAX_NPY_HEADER = 65_536;

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const DTYPES: Record<string, DType> = {
  b1: 'bool',
  u1: 'uint8',
  i1: 'int8',
  u2: 'uint16',
  i2: 'int16',
  u4: 'uint32',
  i4: 'int32',
  u8: 'uint64',
  i8: 'int64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  // NumPy has no bfloat16 of its own: JAX's (ml_dtypes) is saved as "two bytes of anything", and nothing else is.
  V2: 'bfloat16',
};
/** Other kinds that frameworks save, with what to do. */
const NO_NUMBERS: Record<string, string> = {
  O: '; Python objects are not read: save np.asarray(array, "float64"), or of labels np.asarray(array, str)',
  V: '; widen float8 and int4 before saving: np.asarray(array, "float32")',
  c: '; of complex numbers save parts: np.concatenate([array.real, array.imag], 1), or abs(array)',
  f: '; save array.astype("float64")',
  M: '; of dates save array.astype("int64")',
  m: '; of durations save array.astype("int64")',
  U: '; of texts that are numbers save array.astype("float64")',
  S: '; of texts that are numbers save array.astype("float64")',
};

export interface NpyHeader {
  dtype: DType;
  shape: number[];
  fortranOrder: boolean;
  bigEndian: boolean;
  /** Where the data begin. */
  dataOffset: number;
  count: number;
}

const failing =
  (source: ByteSource) =>
  (message: string, byte: number, fields: { descr?: string } = {}): never => {
    throw new EpochscopeError('format', `${source.name}: ${message} (byte ${byte})`, {
      file: source.name,
      byte,
      ...fields,
    });
  };

/** What the header says, unchecked, and where it and the data begin. Throws `format`. */
async function readLiteral(
  source: ByteSource,
): Promise<NpyLiteral & { headerOffset: number; dataOffset: number }> {
  const fail = failing(source);
  if (source.size < 10) fail(`expected an .npy file, got ${source.size} bytes`, 0);
  const start = await source.read(0, Math.min(12, source.size));
  if (!MAGIC.every((byte, i) => start[i] === byte))
    fail('expected the magic bytes \\x93NUMPY of an .npy file', 0);
  const major = start[6]!;
  if (major < 1 || major > 3) fail(`expected .npy version 1, 2 or 3, got ${major}`, 6);
  const wide = major > 1;
  if (wide && start.length < 12) fail('the file ends inside the header', start.length);
  const length = wide
    ? (start[8]! | (start[9]! << 8) | (start[10]! << 16) | (start[11]! << 24)) >>> 0
    : start[8]! | (start[9]! << 8);
  const headerOffset = wide ? 12 : 10;
  if (length > MAX_NPY_HEADER) fail(`expected a header of at most ${MAX_NPY_HEADER} bytes, got ${length}`, 8);
  if (headerOffset + length > source.size) fail(`the header says ${length} bytes, the file ends before`, 8);
  const text = new TextDecoder('utf-8').decode(await source.read(headerOffset, length));
  const literal = parseNpyHeader(text, (message, at) => fail(message, headerOffset + at));
  return { ...literal, headerOffset, dataOffset: headerOffset + length };
}

/** Reads and checks the header: the data it promises must be in the file. Throws `format`. */
export async function readNpyHeader(source: ByteSource): Promise<NpyHeader> {
  const { descr, fortranOrder, shape, headerOffset, dataOffset } = await readLiteral(source);
  const fail = failing(source);
  const dtype = Object.hasOwn(DTYPES, descr.slice(1)) ? DTYPES[descr.slice(1)] : undefined;
  if (!dtype || !'<>|='.includes(descr[0]!))
    return fail(
      `expected a number dtype (${Object.keys(DTYPES).join(', ')}), got ${descr}${NO_NUMBERS[descr[1] ?? ''] ?? ''}`,
      headerOffset,
      { descr },
    );
  const count = elementCount(shape);
  const bytes = count * DTYPE_BYTES[dtype];
  if (!Number.isSafeInteger(bytes)) fail(`the shape (${shape.join(', ')}) is not possible`, headerOffset);
  guard(
    dataOffset + bytes <= source.size,
    'format',
    () =>
      `${source.name}: shape (${shape.join(', ')}) of ${dtype} needs ${bytes} bytes, got ${source.size - dataOffset} (byte ${dataOffset})`,
    {
      file: source.name,
      byte: dataOffset,
      expected: bytes,
      got: source.size - dataOffset,
    },
  );
  return { dtype, shape, fortranOrder, bigEndian: descr[0] === '>', dataOffset, count };
}

/** Reads an .npy file; Fortran order becomes row-major, half floats become float32. O(size). */
export async function readNpy(source: ByteSource): Promise<Tensor> {
  const header = await readNpyHeader(source);
  const { dtype, shape, count, bigEndian, dataOffset } = header;
  const turned = header.fortranOrder && shape.length > 1;
  // Beside the file's bytes: numbers that are widened or copied, and again where their order is changed.
  const same = source.fresh && !bigEndian && memoryBytes(dtype) === DTYPE_BYTES[dtype];
  budgetOf(source).take(count * memoryBytes(dtype) * (Number(!same) + Number(turned)), source.name);
  const data = await readElements(source, dataOffset, dtype, count, bigEndian);
  if (!turned) return { data, shape, dtype };
  const strides: number[] = [];
  for (let axis = 0, stride = 1; axis < shape.length; stride *= shape[axis++]!) strides.push(stride);
  return { data: await gather(data, shape, strides, source.name), shape, dtype };
}

/** Rows [from, to) along the first axis, reading only their bytes. Throws `unsupported` for Fortran order. */
export const readNpyRows = (source: ByteSource, from: number, to: number): Promise<Tensor> =>
  readNpySelected(source, [from, to]);

/** Which rows: all of a span [from, to), or those numbered, in that order. */
export type RowChoice = readonly [from: number, to: number] | Uint32Array;

/** Bytes read at once, and the gap between wanted rows that is read along rather than skipped. */
export const NPY_BLOCK_BYTES = 1 << 26;
const GAP = 1 << 16;

/**
 * Chosen rows along the first axis, reading little but their bytes: memory is that of the rows and 64 MB (or one row), whatever
 * the file's size. Throws `argument` for a row that is not there, `unsupported` for Fortran order.
 */
export async function readNpySelected(source: ByteSource, rows: RowChoice): Promise<Tensor> {
  const header = await readNpyHeader(source);
  const { dtype, bigEndian, dataOffset } = header;
  guard(
    !header.fortranOrder || header.shape.length < 2,
    'unsupported',
    () => `${source.name}: rows of a Fortran-order array cannot be read alone`,
    { file: source.name },
  );
  const all = header.shape[0] ?? 1;
  const chosen = rows instanceof Uint32Array ? rows : null;
  const [from, to] = chosen ? [0, chosen.length] : (rows as readonly [number, number]);
  guard(
    chosen
      ? chosen.every((row) => row < all)
      : Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= all,
    'argument',
    () =>
      `${source.name}: expected rows within 0 … ${all}, got ${chosen ? chosen.find((row) => row >= all) : `${from} … ${to}`}`,
    { file: source.name, rows: all },
  );
  const width = elementCount(header.shape.slice(1));
  const stride = width * DTYPE_BYTES[dtype];
  const count = to - from;
  const shape = [count, ...header.shape.slice(1)];
  if (!count || !stride)
    return { data: decodeElements(new Uint8Array(0), dtype, 0, bigEndian), shape, dtype };
  /** Row numbers in the order of the file, and where each goes. */
  const order = chosen ? [...chosen.keys()].sort((a, b) => chosen[a]! - chosen[b]!) : null;
  const rowAt = (i: number) => (order ? chosen![order[i]!]! : from + i);
  const block = Math.max(stride, NPY_BLOCK_BYTES);
  let out: TensorData | null = null;
  for (let i = 0; i < count; ) {
    const first = rowAt(i);
    let end = i + 1;
    while (
      end < count &&
      (rowAt(end) - rowAt(end - 1) - 1) * stride <= GAP &&
      (rowAt(end) + 1 - first) * stride <= block
    )
      end++;
    const last = rowAt(end - 1);
    const values = await readElements(
      source,
      dataOffset + first * stride,
      dtype,
      (last + 1 - first) * width,
      bigEndian,
    );
    // All in one piece: nothing is copied.
    if (!order && end === count && i === 0) return { data: values, shape, dtype };
    out ??= new (values.constructor as new (length: number) => TensorData)(
      allocatable(count * width, source.name),
    );
    if (!order) (out as Float64Array).set(values as Float64Array, i * width);
    else
      for (let k = i; k < end; k++) {
        const at = (rowAt(k) - first) * width;
        (out as Float64Array).set((values as Float64Array).subarray(at, at + width), order[k]! * width);
      }
    i = end;
  }
  return { data: out!, shape, dtype };
}

/** What one typed array can hold here. Throws `memory`. */
function allocatable(elements: number, name: string): number {
  guard(
    elements <= MAX_ELEMENTS,
    'memory',
    () => `${name}: ${elements} values do not fit one array; choose fewer rows (option samples)`,
    { file: name, expected: MAX_ELEMENTS, got: elements },
  );
  return elements;
}
const MAX_ELEMENTS = 2 ** 32 - 1;

/**
 * Texts of an .npy file of one axis (NumPy's <U and |S), as labels are saved; null if it holds numbers. Zeros at the end are no part of
 * a text. Throws `format`.
 */
export async function readNpyTexts(source: ByteSource): Promise<string[] | null> {
  const { descr, shape, dataOffset } = await readLiteral(source);
  const [, order, kind, size] = /^([<>|=])([US])(\d{1,6})$/.exec(descr) ?? [];
  if (!kind) return null;
  const width = Number(size) * (kind === 'U' ? 4 : 1);
  const [count] = shape;
  guard(
    shape.length === 1 && dataOffset + width * count! <= source.size,
    'format',
    () => `${source.name}: expected a list of texts that are all there, got shape (${shape}) of ${descr}`,
    { file: source.name },
  );
  const bytes = await source.read(dataOffset, width * count!);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const out: string[] = [];
  for (let i = 0; i < count!; i++) {
    await rest(source.name);
    let text = '';
    if (kind === 'S') text = new TextDecoder().decode(bytes.subarray(i * width, (i + 1) * width));
    else
      for (let at = i * width; at < (i + 1) * width; at += 4) {
        const code = view.getUint32(at, order !== '>');
        text += code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
      }
    out.push(text.replace(/\0+$/, ''));
  }
  return out;
}

/** The header of an .npy file, version 1.0, little-endian, row-major, data aligned to 64 bytes: for files written in parts. */
export function npyHeader(
  dtype: Exclude<DType, 'float8_e4m3' | 'float8_e5m2' | 'float16' | 'bfloat16'>,
  shape: readonly number[],
): Uint8Array {
  const code = Object.entries(DTYPES).find(([, known]) => known === dtype)![0];
  const descr = `${code.endsWith('1') ? '|' : '<'}${code}`;
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const out = new Uint8Array(10 + length);
  out.set(MAGIC);
  out.set([1, 0, length & 255, length >> 8], 6);
  out.set(new TextEncoder().encode(`${text.padEnd(length - 1)}\n`), 10);
  return out;
}

/** The bytes of an .npy file, as `npyHeader` begins it. */
export function encodeNpy(data: TensorData, shape: readonly number[]): Uint8Array {
  const [header, body] = npyParts(data, shape);
  const out = new Uint8Array(header.length + body.length);
  out.set(header);
  out.set(body, header.length);
  return out;
}

/** The same in two parts, without a copy of the data. */
export function npyParts(data: TensorData, shape: readonly number[]): [header: Uint8Array, data: Uint8Array] {
  const count = elementCount(shape);
  guard(
    count === data.length,
    'shape',
    () => `shape (${shape.join(', ')}) needs ${count} values, got ${data.length}`,
    { expected: count, got: data.length },
  );
  return [npyHeader(dtypeOf(data) as 'float32', shape), bytesOf(data)];
}
