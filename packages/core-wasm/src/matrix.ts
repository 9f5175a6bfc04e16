import { EpochscopeError, guard } from './errors.js';

/** A dense row-major matrix. */
export interface Matrix<T extends Float32Array | Float64Array = Float32Array> {
  readonly data: T;
  readonly shape: readonly [rows: number, columns: number];
}

/** Checks that `m` is a float32 matrix whose length fits its shape; names it `name` in errors. */
export function checkMatrix(m: Matrix, name: string): void {
  const [rows, columns] = m.shape;
  guard(
    Number.isInteger(rows) && Number.isInteger(columns) && rows >= 0 && columns >= 0,
    'shape',
    () => `${name}: the shape must be two whole numbers, got [${m.shape}]`,
    { name },
  );
  guard(m.data instanceof Float32Array, 'argument', () => `${name}: expected Float32Array data`, { name });
  guard(
    m.data.length === rows * columns,
    'shape',
    () => `${name}: shape ${rows}×${columns} needs ${rows * columns} values, got ${m.data.length}`,
    { name, expected: rows * columns, got: m.data.length },
  );
}

/** Throws `not-finite` naming the first row and column that is NaN or infinite. One pass. */
export function checkFinite(m: Matrix<Float32Array | Float64Array>, name: string): void {
  const { data } = m;
  // The sum of x−x is 0 unless some x is NaN or infinite.
  let probe = 0;
  for (let i = 0; i < data.length; i++) probe += data[i]! - data[i]!;
  if (probe === 0) return;
  const at = data.findIndex((x) => !Number.isFinite(x));
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
