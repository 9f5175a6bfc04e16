import { guard } from '@epochscope/core-wasm';
import { decodeBase64 } from '@epochscope/core-wasm/jobs';
import { bytesOf, DTYPE_BYTES, decodeElements, dtypeOf } from '../formats/dtypes.js';
import { isObject, parseJson } from '../formats/json.js';
import { encodeNpy } from '../formats/npy.js';
import type { DType, TensorData } from '../formats/types.js';
import { isSafeName } from '../run/manifest.js';
import { RESULT_FORMAT, type ResultBase } from './types.js';

/** Deeper trees are refused: methods' results have about 6 levels, and a cycle has no end. */
export const MAX_RESULT_DEPTH = 64;

const isArray = (value: unknown): value is TensorData =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);

/** A copy of a result's tree with every typed array replaced by `replace(path, array)`. Refuses NaN and infinities by path. */
export function mapArrays(
  value: unknown,
  replace: (path: string[], array: TensorData) => unknown,
  path: string[] = [],
): unknown {
  guard(
    path.length <= MAX_RESULT_DEPTH,
    'argument',
    () => `result field ${path.slice(0, 4).join('.')}…: expected at most ${MAX_RESULT_DEPTH} levels`,
    { path: path.slice(0, 4).join('.') },
  );
  if (isArray(value)) return replace(path, value);
  if (Array.isArray(value)) return value.map((item, i) => mapArrays(item, replace, [...path, String(i)]));
  if (isObject(value))
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => [key, mapArrays(item, replace, [...path, key])]),
    );
  guard(
    typeof value !== 'number' || Number.isFinite(value),
    'not-finite',
    () => `result field ${path.join('.')}: expected a finite number or null, got ${value}`,
    { path: path.join('.') },
  );
  return value;
}

/** The inverse: every object that has `key` is replaced by what `load` makes of it. */
export async function restoreArrays(
  value: unknown,
  key: string,
  load: (reference: Record<string, unknown>) => TensorData | Promise<TensorData>,
  depth = 0,
): Promise<unknown> {
  guard(depth <= MAX_RESULT_DEPTH, 'format', () => `expected a result of at most ${MAX_RESULT_DEPTH} levels`);
  if (Array.isArray(value))
    return Promise.all(value.map((item) => restoreArrays(item, key, load, depth + 1)));
  if (!isObject(value)) return value;
  if (key in value) return load(value);
  const entries = await Promise.all(
    Object.entries(value).map(
      async ([name, item]) => [name, await restoreArrays(item, key, load, depth + 1)] as const,
    ),
  );
  return Object.fromEntries(entries);
}

/** Parses a result's JSON and checks its version. Throws `format`. */
export function parseResult(text: string, name: string): ResultBase {
  const json = parseJson(text, name);
  const format = isObject(json) ? json.format : undefined;
  guard(
    format === RESULT_FORMAT,
    'format',
    () => `${name}: expected format "${RESULT_FORMAT}", got ${JSON.stringify(format) ?? 'none'}`,
    { file: name, expected: RESULT_FORMAT, got: String(format) },
  );
  guard(
    typeof (json as { method?: unknown }).method === 'string',
    'format',
    () => `${name}: expected a method name`,
    { file: name },
  );
  return json as unknown as ResultBase;
}

/**
 * A result as result.json's text and its typed arrays by path: each array stands in the JSON as
 * `{ "$array": "data-…/panels.0.order.npy" }`, named after its place, in the folder `data`. Throws `not-finite` by path.
 */
export function splitResult(
  result: ResultBase,
  data: string,
): { json: string; arrays: Map<string, TensorData> } {
  const arrays = new Map<string, TensorData>();
  const tree = mapArrays(result, (path, array) => {
    const file = `${data}/${path.join('.').replace(/[^\w.@-]+/g, '_')}.npy`;
    guard(!arrays.has(file), 'internal', () => `two arrays would be named ${file}`);
    arrays.set(file, array);
    return { $array: file };
  });
  return { json: `${JSON.stringify(tree, null, 1)}\n`, arrays };
}

/** The same with each array as the bytes of its .npy file: what a result folder holds, for whoever has no disk. */
export function encodeResult(result: ResultBase): { json: string; arrays: Map<string, Uint8Array> } {
  const { json, arrays } = splitResult(result, 'data');
  return {
    json,
    arrays: new Map([...arrays].map(([file, array]) => [file, encodeNpy(array, [array.length])])),
  };
}

/** An array's path from result.json: its name, in a folder beside it or (version 1) right there. */
const isArrayPath = (value: unknown): value is string =>
  typeof value === 'string' && value.split('/').length <= 2 && value.split('/').every(isSafeName);

/** Paths of the arrays that a result.json names; none for what is not one. */
export function arrayFiles(json: string): string[] {
  const found: string[] = [];
  try {
    JSON.parse(json, (key, value) => {
      if (key === '$array' && isArrayPath(value)) found.push(value);
      return value;
    });
  } catch {
    // Not JSON: it names nothing.
  }
  return found;
}

/**
 * Puts a result together from result.json's text; `loadArray` is asked for each array by its path from there, a plain name or one in
 * one folder (a page fetches it, Node reads it: `readNpy` makes the array). Throws `format`.
 */
export async function decodeResult<T extends ResultBase = ResultBase>(
  json: string,
  loadArray: (file: string) => TensorData | Promise<TensorData>,
  name = 'result.json',
): Promise<T> {
  return (await restoreArrays(parseResult(json, name), '$array', ({ $array }) => {
    guard(
      isArrayPath($array),
      'format',
      () => `${name}: expected an array's path, got ${JSON.stringify($array)}`,
      { file: name },
    );
    return loadArray($array);
  })) as T;
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 0x8000)
    text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

/** One JSON text with arrays inside as base64, for a page that opens from disk. `<` is escaped so that it can stand in a script element. */
export function encodeInline(result: ResultBase): string {
  const json = mapArrays(result, (_, array) => ({
    $base64: toBase64(bytesOf(array)),
    dtype: dtypeOf(array),
    length: array.length,
  }));
  return JSON.stringify(json).replace(/</g, '\\u003c');
}

/** Reads what `encodeInline` wrote. Throws `format`. */
export async function decodeInline<T extends ResultBase = ResultBase>(
  text: string,
  name = 'result',
): Promise<T> {
  return (await restoreArrays(parseResult(text, name), '$base64', (reference) => {
    const { $base64, dtype, length } = reference;
    const width = typeof dtype === 'string' ? DTYPE_BYTES[dtype as DType] : undefined;
    let bytes: Uint8Array | null = null;
    try {
      bytes = typeof $base64 === 'string' ? decodeBase64($base64) : null;
    } catch {
      // atob's own error says less than ours below.
    }
    guard(
      bytes && width && Number.isSafeInteger(length) && bytes.length === (length as number) * width,
      'format',
      () => `${name}: an array of ${length} ${dtype} does not fit its bytes`,
      { file: name },
    );
    return decodeElements(bytes, dtype as DType, length as number);
  })) as T;
}
