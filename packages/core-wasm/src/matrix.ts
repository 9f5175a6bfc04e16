import { isFloat32, nameOf } from './arguments.js';
import { EpochscopeError, guard } from './errors.js';
import type { Kernels } from './load.js';

/** A dense row-major matrix. */
export interface Matrix<T extends Float32Array | Float64Array = Float32Array> {
  readonly data: T;
  readonly shape: readonly [rows: number, columns: number];
}

/**
 * Data as it is or, where it lies in the kernels' own unshared memory, which detaches its views when it grows, a
 * copy.
 */
export function apart<T extends Float32Array | Uint8Array>({ memory, shared }: Kernels, data: T): T {
  return data.buffer === memory.buffer && !shared ? (data.slice() as T) : data;
}

/** Checks that `m` is a float32 matrix whose length fits its shape; names it `name` in errors. */
export function checkMatrix(m: Matrix, name: string): void {
  guard(
    typeof m === 'object' && m !== null && 'data' in m && 'shape' in m,
    'argument',
    () => `${name}: expected a matrix { data, shape: [rows, columns] }, got ${nameOf(m)}`,
    { name },
  );
  guard(
    Array.isArray(m.shape) && m.shape.length === 2,
    'shape',
    () =>
      `${name}: the shape must be two integers, got ${Array.isArray(m.shape) ? `[${m.shape}]` : nameOf(m.shape)}`,
    { name },
  );
  const [rows, columns] = m.shape;
  guard(
    Number.isSafeInteger(rows) && Number.isSafeInteger(columns) && rows >= 0 && columns >= 0,
    'shape',
    () => `${name}: the shape must be two integers, got [${m.shape}]`,
    { name },
  );
  guard(isFloat32(m.data), 'argument', () => `${name}: expected Float32Array data, got ${nameOf(m.data)}`, {
    name,
  });
  guard(
    m.data.length === rows * columns,
    'shape',
    () => `${name}: shape ${rows}×${columns} needs ${rows * columns} values, got ${m.data.length}`,
    { name, expected: rows * columns, got: m.data.length },
  );
}

/** Index of the first NaN or infinite value, −1 if none. One pass, some ten times as fast as asking each value. */
export function firstNotFinite(data: Float32Array | Float64Array): number {
  // A sum is finite if all are. Eight at a time, as one chain of additions takes four times as long; float64 sums
  // that overflow are no more than looked at again.
  const whole = data.length - (data.length % 8);
  let [p, q, r, s] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 8) {
    p += data[i]! + data[i + 4]!;
    q += data[i + 1]! + data[i + 5]!;
    r += data[i + 2]! + data[i + 6]!;
    s += data[i + 3]! + data[i + 7]!;
  }
  for (let i = whole; i < data.length; i++) p += data[i]!;
  return Number.isFinite(p + q + r + s) ? -1 : data.findIndex((x) => !Number.isFinite(x));
}

/** Throws `not-finite` naming the first row and column that is NaN or infinite. */
export function checkFinite(m: Matrix<Float32Array | Float64Array>, name: string): void {
  const { data } = m;
  const at = firstNotFinite(data);
  if (at < 0) return;
  const columns = m.shape[1];
  const row = Math.floor(at / columns);
  const column = at % columns;
  throw new EpochscopeError(
    'not-finite',
    `${name}: expected finite numbers, got ${data[at]} at row ${row}, column ${column}`,
    { name, row, column, got: String(data[at]) },
  );
}

/** Dissimilarities every kernel knows. */
export type Metric = 'euclidean' | 'cosine' | 'correlation' | 'manhattan';
export const METRICS: readonly Metric[] = ['euclidean', 'cosine', 'correlation', 'manhattan'];
/** The number a metric has inside the kernels. */
export const METRIC_ID: Record<Metric, number> = { euclidean: 0, cosine: 1, correlation: 2, manhattan: 3 };
