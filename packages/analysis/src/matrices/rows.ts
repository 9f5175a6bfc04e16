import { guard } from '@epochscope/core-wasm';
import { rest } from '../formats/budget.js';
import { DTYPE_BYTES, decodeInTurns, elementCount, readElements } from '../formats/dtypes.js';
import { readNpyHeader } from '../formats/npy.js';
import type { ByteSource, DType, Tensor, TensorData } from '../formats/types.js';

/** A matrix whose rows are read when they are wanted: the first axis are the rows, the others are flattened. */
export interface RowSource {
  /** For messages: file, and array where it holds several. */
  readonly name: string;
  readonly shape: readonly [rows: number, columns: number];
  readonly dtype: DType;
  /** Rows from … to − 1, row-major. 64-bit integers stay BigInt arrays. */
  rows(from: number, to: number): Promise<TensorData>;
  /** What a row or a column is called in the file, where it has a name of its own. */
  readonly called?: {
    row?: (row: number) => string | undefined;
    column?: (column: number) => string | undefined;
  };
}

/** "row 3 "s4", column 1 "b" (from 0)": where a value stands, by number and by name where there is one. */
export function placeIn({ called }: RowSource, row: number, column?: number): string {
  const name = (text: string | undefined) => (text === undefined ? '' : ` ${JSON.stringify(text)}`);
  const first = `row ${row}${name(called?.row?.(row))}`;
  return `${first}${column === undefined ? '' : `, column ${column}${name(called?.column?.(column))}`} (from 0)`;
}

/** Which rows are wanted: all (null), or their numbers in this order. */
export type RowChoice = Uint32Array | null;

/** Bytes of rows read at once. */
const PIECE = 16_000_000;

/** Rows × columns of any shape but that of a single number. Throws `shape`. */
export function rowsAndColumns(shape: readonly number[], name: string): [rows: number, columns: number] {
  guard(shape.length > 0, 'shape', () => `${name}: expected at least one axis, got a single number`, {
    name,
  });
  return [shape[0]!, elementCount(shape.slice(1))];
}

/** A tensor in memory. */
export function tensorRows(
  { data, shape, dtype }: Tensor,
  name: string,
  called?: RowSource['called'],
): RowSource {
  const [rows, columns] = rowsAndColumns(shape, name);
  return {
    name,
    ...(called ? { called } : {}),
    shape: [rows, columns],
    dtype,
    rows: async (from, to) => data.subarray(from * columns, to * columns) as TensorData,
  };
}

/** Elements that lie row after row in a file, little-endian. */
export function storedRows(
  source: ByteSource,
  place: { shape: readonly number[]; dtype: DType; begin: number; bigEndian?: boolean },
  name: string,
): RowSource {
  const shape = rowsAndColumns(place.shape, name);
  const columns = shape[1];
  const stride = columns * DTYPE_BYTES[place.dtype];
  return {
    name,
    shape,
    dtype: place.dtype,
    rows: async (from, to) =>
      readElements(source, place.begin + from * stride, place.dtype, (to - from) * columns, place.bigEndian),
  };
}

/** An .npy file; of one in Fortran order each column's part is read. Throws as `readNpyHeader`. */
export async function npyRows(source: ByteSource, name: string): Promise<RowSource> {
  const header = await readNpyHeader(source);
  const { dtype, bigEndian, dataOffset: begin } = header;
  if (!header.fortranOrder || header.shape.length < 2)
    return storedRows(source, { shape: header.shape, dtype, begin, bigEndian }, name);
  const [count, columns] = rowsAndColumns(header.shape, name);
  const places = fortranPlaces(header.shape.slice(1));
  const width = DTYPE_BYTES[dtype];
  return {
    name,
    shape: [count, columns],
    dtype,
    async rows(from, to) {
      const rows = to - from;
      const bytes = new Uint8Array(rows * columns * width);
      for (let column = 0; column < columns; column++) {
        const part = await source.read(begin + (places[column]! * count + from) * width, rows * width);
        for (let row = 0; row < rows; row++) {
          const at = (row * columns + column) * width;
          for (let b = 0; b < width; b++) bytes[at + b] = part[row * width + b]!;
        }
        await rest(name);
      }
      return decodeInTurns(bytes, dtype, rows * columns, name, { bigEndian, owned: true });
    },
  };
}

/** For each place of the axes in C order, its place in Fortran order. */
function fortranPlaces(shape: readonly number[]): Uint32Array {
  const out = new Uint32Array(elementCount(shape));
  const at = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < out.length; i++) {
    let place = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) place = place * shape[axis]! + at[axis]!;
    out[i] = place;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++at[axis]! < shape[axis]!) break;
      at[axis] = 0;
    }
  }
  return out;
}

/** Several files' rows one under the other. Throws `shape` where they have other columns or types. */
export function stackedRows(sources: readonly RowSource[], name: string): RowSource {
  const [first] = sources;
  guard(first, 'missing', () => `${name}: expected at least one file`, { name });
  const ends: number[] = [];
  for (const { name: file, shape, dtype } of sources) {
    guard(
      shape[1] === first.shape[1] && dtype === first.dtype,
      'shape',
      () =>
        `${file}: expected ${first.shape[1]} columns of ${first.dtype} as in ${first.name}, got ${shape[1]} of ${dtype}`,
      { file },
    );
    ends.push((ends.at(-1) ?? 0) + shape[0]);
  }
  const columns = first.shape[1];
  return {
    name,
    shape: [ends.at(-1)!, columns],
    dtype: first.dtype,
    async rows(from, to) {
      const parts: TensorData[] = [];
      for (let s = 0; s < sources.length; s++) {
        const begin = s ? ends[s - 1]! : 0;
        const [a, b] = [Math.max(from, begin), Math.min(to, ends[s]!)];
        if (a < b) parts.push(await sources[s]!.rows(a - begin, b - begin));
      }
      if (parts.length === 1) return parts[0]!;
      const some = parts[0] ?? (await first.rows(0, 0));
      const out = new (some.constructor as new (length: number) => TensorData)((to - from) * columns);
      let at = 0;
      for (const part of parts) {
        (out as Float64Array).set(part as Float64Array, at);
        at += part.length;
      }
      return out;
    },
  };
}

/** Rows in pieces of some 16 MB; `at` is the place of the piece's first row among those wanted. */
export async function* pieces(
  source: RowSource,
  chosen: RowChoice,
): AsyncGenerator<{ data: TensorData; at: number; rows: number }> {
  const [count, columns] = source.shape;
  const most = Math.max(1, Math.floor(PIECE / Math.max(1, columns * DTYPE_BYTES[source.dtype])));
  const total = chosen?.length ?? count;
  for (let at = 0; at < total; ) {
    const from = chosen ? chosen[at]! : at;
    let rows = 1;
    while (rows < most && at + rows < total && (!chosen || chosen[at + rows] === from + rows)) rows++;
    yield { data: await source.rows(from, from + rows), at, rows };
    await rest(source.name);
    at += rows;
  }
}
