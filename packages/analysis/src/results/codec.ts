import { decodeBase64, EpochscopeError, guard } from '@epochscope/core-wasm';
import { bytesOf, DTYPE_BYTES, decodeElements, dtypeOf } from '../formats/dtypes.js';
import type { DType, TensorData } from '../formats/types.js';
import { RESULT_FORMAT, type ResultBase } from './types.js';

const isArray = (value: unknown): value is TensorData =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A copy of a result's tree with every typed array replaced by `replace(path, array)`. Refuses NaN and infinities by path. */
export function mapArrays(
  value: unknown,
  replace: (path: string[], array: TensorData) => unknown,
  path: string[] = [],
): unknown {
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
): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map((item) => restoreArrays(item, key, load)));
  if (!isObject(value)) return value;
  if (key in value) return load(value);
  const entries = await Promise.all(
    Object.entries(value).map(async ([name, item]) => [name, await restoreArrays(item, key, load)] as const),
  );
  return Object.fromEntries(entries);
}

/** Parses a result's JSON and checks its version. Throws `format`. */
export function parseResult(text: string, name: string): ResultBase {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new EpochscopeError(
      'format',
      `${name}: not JSON: ${(cause as Error).message}`,
      { file: name },
      { cause },
    );
  }
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
