import { EpochscopeError, guard, type Matrix } from '@epochscope/core-wasm';
import { dtypeOf, losslessly, toFloat32 } from '../formats/dtypes.js';
import { encodeNpy } from '../formats/npy.js';
import type { TensorData } from '../formats/types.js';
import { findLayer, findSnapshot, isSafeName } from '../run/manifest.js';
import { RUN_FORMAT, type Run, type RunManifest } from '../run/types.js';
import { INDEX_FILE, INDEX_FORMAT } from '../stores/index-file.js';
import { memoryStore } from '../stores/memory.js';
import { toolInfo } from '../version.js';
import { checkObject, shownValue } from './arguments.js';
import { sha256 } from './keys.js';
import { rows } from './select.js';

/** Rows are samples. Numbers that float32 does not hold stay float64 until differences are taken. */
export type MatrixInput =
  | Matrix
  | { data: Float32Array | Float64Array | readonly number[]; shape: readonly [rows: number, columns: number] }
  | readonly (readonly number[])[];

export interface MatrixRunOptions {
  /** For results and messages. Default "matrix". */
  name?: string;
  /** One class a row. */
  labels?: ArrayLike<number> | null;
  /** One predicted class a row. */
  predictions?: ArrayLike<number> | null;
  classes?: string[] | null;
}

/**
 * A matrix as a run of one layer at one snapshot, both called `name`, so that every workflow on outputs takes it.
 * Throws `shape` for rows of unequal length, or labels and predictions of another number; `argument` for labels that are no integers ≥ 0.
 */
export async function matrixRun(x: MatrixInput, options: MatrixRunOptions = {}): Promise<Run> {
  checkObject(options, 'matrix, options');
  const { name = 'matrix', classes = null } = options;
  guard(
    typeof name === 'string' && name !== '',
    'argument',
    () => `matrix: name: expected a text, got ${shownValue(name)}`,
  );
  guard(
    classes === null || Array.isArray(classes),
    'argument',
    () => `${name}: classes: expected a list of names, got ${shownValue(classes)}`,
  );
  const given = matrixOf(x, name);
  const [n, d] = given.shape;
  const outputs: Matrix = { data: toFloat32(given.data), shape: [n, d] };
  const integers = (list: ArrayLike<number> | null | undefined, what: string) => {
    if (list === null || list === undefined) return null;
    guard(
      Array.isArray(list) || ArrayBuffer.isView(list),
      'argument',
      () => `${name}: ${what}: expected one integer a row, got ${shownValue(list)}`,
    );
    guard(list.length === n, 'shape', () => `${name}: ${n} rows need as many ${what}, got ${list.length}`, {
      expected: n,
      got: list.length,
    });
    return Uint32Array.from(list, (value, i) => {
      guard(
        Number.isInteger(value) && value >= 0 && value < (classes?.length ?? 2 ** 32),
        'argument',
        () =>
          `${name}: ${what}, row ${i}: expected an integer 0 … ${(classes?.length ?? 2 ** 32) - 1}, got ${value}`,
      );
      return value;
    });
  };
  const labels = integers(options.labels, 'labels');
  const predictions = integers(options.predictions, 'predictions');
  const manifest: RunManifest = {
    format: RUN_FORMAT,
    tool: toolInfo,
    model: null,
    layers: [{ name, kind: 'matrix', shape: [d], parameters: [] }],
    classes,
    inputShape: null,
    samples: { count: n, source: name },
    training: null,
    snapshots: [{ id: name, epoch: null, step: null, metrics: {} }],
    complete: true,
  };
  const path = isSafeName(name) ? name : 'matrix';
  const hashes: Record<string, object> = {
    [path]: { size: given.data.byteLength, sha256: await hashOf(given.data) },
  };
  const files: [string, Uint8Array][] = [];
  for (const [file, list] of [
    ['labels', labels],
    ['predictions', predictions],
  ] as const) {
    if (!list) continue;
    const bytes = encodeNpy(list, [n]);
    files.push([`samples/${file}.npy`, bytes]);
    hashes[`samples/${file}.npy`] = { size: bytes.length, sha256: await hashOf(bytes) };
  }
  // The hashes stand in an index, as a writer of a run leaves them.
  const index = new TextEncoder().encode(JSON.stringify({ format: INDEX_FORMAT, files: hashes }));
  const memory = memoryStore(name, [...files, [INDEX_FILE, index]]);
  const weights = async (): Promise<never> => {
    throw new EpochscopeError('missing', `${name} is a matrix and holds no weights`, { name });
  };
  return {
    store: { ...memory, writable: false, has: async (file) => file === path || memory.has(file) },
    name,
    manifest,
    warnings: [],
    snapshot: (wanted) => findSnapshot(manifest.snapshots, wanted, name),
    layer: (wanted) => findLayer(manifest.layers, wanted, name).layer,
    weights,
    openWeights: weights,
    weightPlaces: weights,
    series: weights,
    outputs: async (_, __, { rows: chosen } = {}) =>
      chosen instanceof Uint32Array ? rows(outputs, chosen) : outputs,
    outputTensor: async (_, __, { rows: chosen } = {}) => {
      const { data } = given;
      const whole = { data, shape: [n, d], dtype: dtypeOf(data) };
      if (!(chosen instanceof Uint32Array)) return whole;
      const out = new (data.constructor as typeof Float64Array)(chosen.length * d) as typeof data;
      chosen.forEach((row, i) => {
        out.set(data.subarray(row * d, (row + 1) * d), i * d);
      });
      return { ...whole, data: out, shape: [chosen.length, d] };
    },
    hasOutputs: async () => true,
    outputCount: async () => n,
    outputsPath: () => path,
    inputs: async () => null,
    inputTensor: async () => null,
    images: async () => null,
    labels: async () => labels,
    predictions: async () => predictions,
  };
}

/** The browser's own is many times as fast as plain JavaScript, where there is one and the array is not too large for it. */
async function hashOf(array: Float32Array | Float64Array | Uint8Array): Promise<string> {
  const { subtle } = globalThis.crypto ?? {};
  if (!subtle || array.byteLength > 1e9) return sha256(array);
  const digest = await subtle.digest('SHA-256', array as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function matrixOf(
  x: MatrixInput,
  name: string,
): { data: Float32Array | Float64Array; shape: [number, number] } {
  const kept = (data: TensorData) => losslessly(data) as Float32Array | Float64Array;
  const numbers = (list: unknown): list is ArrayLike<number> =>
    Array.isArray(list) || ArrayBuffer.isView(list);
  guard(
    typeof x === 'object' && x !== null && (Array.isArray(x) || ('shape' in x && 'data' in x)),
    'argument',
    () => `${name}: expected rows of numbers, or { data, shape: [rows, columns] }, got ${shownValue(x)}`,
    { got: shownValue(x) },
  );
  if ('shape' in x) {
    guard(
      numbers(x.data) && Array.isArray(x.shape),
      'argument',
      () => `${name}: expected { data: numbers, shape: [rows, columns] }, got other fields`,
    );
    const [n, d] = x.shape;
    guard(
      x.shape.length === 2 && Number.isInteger(n) && Number.isInteger(d) && n * d === x.data.length,
      'shape',
      () => `${name}: expected rows × columns of ${x.data.length} numbers, got shape [${x.shape}]`,
      { got: `[${x.shape}]` },
    );
    const { data } = x;
    return {
      data: kept(
        data instanceof Float32Array || data instanceof Float64Array ? data : Float64Array.from(data),
      ),
      shape: [n, d],
    };
  }
  const d = x[0]?.length ?? 0;
  const data = new Float64Array(numbers(x[0]) ? x.length * d : 0);
  x.forEach((row, i) => {
    guard(
      numbers(row),
      'shape',
      () => `${name}, row ${i}: expected a list of numbers, got ${shownValue(row)}`,
      { row: i, got: shownValue(row) },
    );
    guard(
      row.length === d,
      'shape',
      () => `${name}, row ${i}: expected ${d} numbers as in the first row, got ${row.length}`,
      { row: i, expected: d, got: row.length },
    );
    data.set(row, i * d);
  });
  return { data: kept(data), shape: [x.length, d] };
}
