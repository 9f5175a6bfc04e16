import { EpochscopeError } from '@epochscope/core-wasm';
import { toFloat64 } from '../formats/dtypes.js';
import { type NpzEntry, npzEntrySource, readNpzEntry } from '../formats/npz.js';
import type { ByteSource } from '../formats/types.js';
import type { RowSource } from './rows.js';

// scipy.sparse.save_npz: "format" (b"csr"), "shape", "data", and for compressed rows or columns "indices" and "indptr".

/** Whether an .npz holds one sparse matrix of SciPy's. */
export const isSparse = (entries: ReadonlyMap<string, NpzEntry>): boolean =>
  ['format', 'shape', 'data'].every((name) => entries.has(name)) &&
  ['indptr', 'row', 'offsets'].some((name) => entries.has(name));

/**
 * A matrix in compressed rows or columns, whose rows are written out when they are wanted; entries at one place are added up.
 * Throws `unsupported` for other forms, `format` for indices outside the shape. Memory: the entries, 20 bytes each.
 */
export async function sparseRows(
  source: ByteSource,
  entries: ReadonlyMap<string, NpzEntry>,
): Promise<{ rows: RowSource; notes: string[] }> {
  const fail = (message: string): never => {
    throw new EpochscopeError('format', `${source.name}: sparse matrix: ${message}`, { file: source.name });
  };
  const head = await npzEntrySource(source, entries.get('format')!);
  const bytes = await head.read(Math.max(0, head.size - 16), Math.min(16, head.size));
  // Three letters, as bytes or as UTF-32.
  const form = /([a-z]{3})$/.exec(String.fromCharCode(...bytes.filter((byte) => byte !== 0)))?.[1];
  if (form !== 'csr' && form !== 'csc')
    throw new EpochscopeError(
      'unsupported',
      `${source.name} is a sparse matrix of form ${form}; expected csr or csc: scipy.sparse.save_npz(${JSON.stringify(source.name)}, x.tocsr())`,
      { file: source.name },
    );
  const values = async (name: string) => {
    const entry = entries.get(name) ?? fail(`expected an array ${name}`);
    return (await readNpzEntry(source, entry)).data;
  };
  const [shape, indices, indptr] = await Promise.all(
    ['shape', 'indices', 'indptr'].map(async (name) => toFloat64(await values(name))),
  );
  // 64-bit integers stay what they are: those beyond 2⁵³ have digits that float64 has not.
  const stored = await values('data');
  const isWide = stored instanceof BigInt64Array || stored instanceof BigUint64Array;
  const data: Entries = isWide ? stored : toFloat64(stored);
  const [n, d] = shape as unknown as [number, number];
  const whole = (x: number | undefined) => Number.isSafeInteger(x) && x! >= 0;
  if (shape!.length !== 2 || !whole(n) || !whole(d) || !Number.isSafeInteger(n * d))
    fail(`expected a shape of two sides, got [${shape!.subarray(0, 4)}]`);
  const [lines, across] = form === 'csr' ? [n, d] : [d, n];
  if (indptr!.length !== lines + 1 || indptr![0] !== 0 || indptr![lines] !== data.length)
    fail(`expected indptr of ${lines + 1} places from 0 to ${data.length}`);
  if (indices!.length !== data.length) fail(`${data.length} values have ${indices!.length} indices`);
  for (let i = 0; i < lines; i++)
    if (!whole(indptr![i]) || !(indptr![i + 1]! >= indptr![i]!)) fail(`indptr falls at ${i + 1}`);
  for (let i = 0; i < indices!.length; i++)
    if (!whole(indices![i]) || indices![i]! >= across)
      fail(`index ${indices![i]} lies outside 0 … ${across - 1}`);
  const rows = form === 'csr' ? { start: indptr!, at: indices!, data } : byRows(n, indptr!, indices!, data);
  return {
    rows: {
      name: source.name,
      shape: [n, d],
      dtype: !isWide ? 'float64' : stored instanceof BigInt64Array ? 'int64' : 'uint64',
      async rows(from, to) {
        const out = like(data, (to - from) * d);
        for (let row = from; row < to; row++)
          for (let e = rows.start[row]!; e < rows.start[row + 1]!; e++)
            (out as Float64Array)[(row - from) * d + rows.at[e]!]! += (rows.data as Float64Array)[e]!;
        return out;
      },
    },
    notes: [
      `a sparse matrix (${form}) of ${n} × ${d}, ${data.length} values stored (${Number(((100 * data.length) / Math.max(1, n * d)).toPrecision(2))} %), compared as a dense one`,
    ],
  };
}

type Entries = Float64Array | BigInt64Array | BigUint64Array;

/** Zeros of the same type. */
const like = (data: Entries, length: number): Entries =>
  new (data.constructor as new (length: number) => Entries)(length);

/** Compressed columns as compressed rows. */
function byRows(n: number, indptr: Float64Array, indices: Float64Array, data: Entries) {
  const start = new Float64Array(n + 1);
  for (let e = 0; e < indices.length; e++) start[indices[e]! + 1]!++;
  for (let row = 0; row < n; row++) start[row + 1]! += start[row]!;
  const next = start.slice();
  const at = new Float64Array(data.length);
  const values = like(data, data.length);
  for (let column = 0; column + 1 < indptr.length; column++)
    for (let e = indptr[column]!; e < indptr[column + 1]!; e++) {
      const place = next[indices[e]!]!++;
      at[place] = column;
      (values as Float64Array)[place] = (data as Float64Array)[e]!;
    }
  return { start, at, data: values };
}
