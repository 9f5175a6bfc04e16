import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { decodeBase64 } from '@epochscope/core-wasm/jobs';
import { bytesOf, DTYPE_BYTES, decodeElements, dtypeOf } from '../formats/dtypes.js';
import { parseJson, shown } from '../formats/json.js';
import { parseJsonInPieces } from '../formats/json-pieces.js';
import { like, object, optional, recordOf, shaped, text } from '../formats/shape.js';
import type { DType, TensorData } from '../formats/types.js';
import { ofVersion1 } from '../methods/tendency/version-1.js';
import { isSafeName } from '../run/manifest.js';
import { type LoadSamples, mapArrays, referTo, resolveSamples, restoreArrays } from './tree.js';
import { type FileIdentity, RESULT_FORMAT, type ResultBase } from './types.js';

/** Before arrays had a folder of their own and inputs an identity each. */
const FORMAT_1 = 'epochscope-result/1';

/** Parses a result's JSON, of this version or the one before, and checks what all have. Throws `format`. */
export const parseResult = (text: string, name: string): ResultBase =>
  checkResult(parseJson(text, name), name);

const base = object({
  format: like(`"${RESULT_FORMAT}"`, (value) => value === RESULT_FORMAT || value === FORMAT_1),
  method: text,
  name: optional(text),
  input: optional(
    object({
      source: optional(text),
      files: optional(recordOf(object({}))),
      sha256: optional(recordOf(text)),
    }),
  ),
});

function checkResult(json: unknown, name: string): ResultBase {
  const result = shaped(json, base, name);
  if (result.format === RESULT_FORMAT) return json as ResultBase;
  const { source = '', sha256 = {} } = result.input ?? {};
  const files = Object.fromEntries(
    Object.entries(sha256).map(([path, hash]): [string, FileIdentity] => [path, { sha256: hash }]),
  );
  return { ...(json as object), format: RESULT_FORMAT, input: { source, files } } as unknown as ResultBase;
}

/** How images that stand in a run's samples are written. */
export interface EncodeOptions {
  /** inside: with the result (default); reference: as `{ "$samples": "inputs", rows }`, for what is read beside that run's samples. */
  samples?: 'inside' | 'reference';
  /**
   * levels: arrays that are only drawn (VAT pictures, centroids, singular vectors) as 256 levels each, 0 exact, a quarter of the bytes: for
   * pages, which say so. Default exact.
   */
  pictures?: 'exact' | 'levels';
}

/** Arrays of which views make pictures and nothing else. */
const DRAWN =
  /(?:^|\.)panels\.\d+\.vat\.data$|^snapshots\.\d+\.centroidInputs$|^spectra\.\d+\.vectors\.\d+\.(?:left|right)$/;

/** Values as levels: (level − zero) · step. */
interface Levels {
  zero: number;
  step: number;
}
function levelsOf(values: Float32Array): { bytes: Uint8Array; levels: Levels } {
  let [low, high] = [0, 0];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const zero = low < 0 ? 128 : 0;
  const step = (low < 0 ? Math.max(-low, high) / 127 : high / 255) || 1;
  return {
    bytes: Uint8Array.from(values, (value) => zero + Math.round(value / step)),
    levels: { zero, step },
  };
}
const isLevels = (value: unknown): value is Levels =>
  typeof value === 'object' &&
  value !== null &&
  Number.isFinite((value as Levels).zero) &&
  Number.isFinite((value as Levels).step);

/** How they are read. */
export interface DecodeOptions {
  /** Gives the images of references; without it `images` is null there. "keep" leaves references as they are, to be written again. */
  samples?: LoadSamples | 'keep';
}

const prepared = (result: ResultBase, { samples = 'inside' }: EncodeOptions) =>
  samples === 'reference' ? referTo(result) : result;
const finished = async <T>(
  tree: unknown,
  { samples = () => null }: DecodeOptions,
  name: string,
): Promise<T> => ofVersion1(samples === 'keep' ? tree : await resolveSamples(tree, samples), name) as T;

/**
 * A result as result.json's text and its typed arrays by path: each array stands in the JSON as
 * `{ "$array": "data-…/panels.0.order.npy" }`, named after its place, in the folder `data`. Throws `not-finite` by path.
 */
export function splitResult(
  result: ResultBase,
  data: string,
  options: EncodeOptions = {},
): { json: string; arrays: Map<string, TensorData> } {
  const arrays = new Map<string, TensorData>();
  const tree = mapArrays(prepared(result, options), (path, array) => {
    const file = `${data}/${path.join('.').replace(/[^\w.@-]+/g, '_')}.npy`;
    guard(!arrays.has(file), 'internal', () => `two arrays would be named ${file}`);
    arrays.set(file, array);
    return { $array: file };
  });
  return { json: `${JSON.stringify(tree, null, 1)}\n`, arrays };
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
 * one folder (`readNpy` makes the array). Throws `format`.
 */
export async function decodeResult<T extends ResultBase = ResultBase>(
  json: string,
  loadArray: (file: string) => TensorData | Promise<TensorData>,
  name = 'result.json',
  options: DecodeOptions = {},
): Promise<T> {
  const loaded = new Map<string, TensorData | Promise<TensorData>>();
  const outline = checkResult(await parseJsonInPieces(json, name), name);
  const tree = await restoreArrays(outline, '$array', ({ $array }) => {
    guard(isArrayPath($array), 'format', () => `${name}: expected an array's path, got ${shown($array)}`, {
      file: name,
    });
    // A file named again and again is read once.
    const known = loaded.get($array) ?? loadArray($array);
    loaded.set($array, known);
    return known;
  });
  return finished(tree, options, name);
}

// One file: 8 bytes of magic, the JSON's length (8 bytes, little-endian), the JSON, then the arrays' bytes as they are, each
// from a multiple of 8 on. docs/formats/result.md describes it.

const MAGIC = Uint8Array.of(0x93, 0x45, 0x50, 0x4f, 0x43, 0x48, 0x52, 0x32);
const HEAD = 16;
const aligned = (at: number) => Math.ceil(at / 8) * 8;

/** A result in one file: JSON and raw arrays, in memory once. Throws `not-finite` by path. */
export function encodeBinary(result: ResultBase, options: EncodeOptions = {}): Uint8Array<ArrayBuffer> {
  const arrays: { at: number; bytes: Uint8Array }[] = [];
  let size = 0;
  const tree = mapArrays(prepared(result, options), (path, array) => {
    const drawn =
      options.pictures === 'levels' && array instanceof Float32Array && DRAWN.test(path.join('.'))
        ? levelsOf(array)
        : null;
    const bytes = drawn ? drawn.bytes : bytesOf(array);
    const at = size;
    arrays.push({ at, bytes });
    size = aligned(at + bytes.length);
    return {
      $data: at,
      dtype: drawn ? 'uint8' : dtypeOf(array),
      length: array.length,
      levels: drawn?.levels,
    };
  });
  const json = new TextEncoder().encode(JSON.stringify(tree));
  const base = aligned(HEAD + json.length);
  // Spaces up to there: JSON still.
  const out = new Uint8Array(base + size);
  out.fill(32, HEAD + json.length, base);
  out.set(MAGIC);
  new DataView(out.buffer).setBigUint64(8, BigInt(base - HEAD), true);
  out.set(json, HEAD);
  for (const { at, bytes } of arrays) out.set(bytes, base + at);
  return out;
}

/** Bytes of an element of a dtype; undefined for what is none. */
const widthOf = (dtype: unknown): number | undefined =>
  typeof dtype === 'string' && Object.hasOwn(DTYPE_BYTES, dtype) ? DTYPE_BYTES[dtype as DType] : undefined;

/** Whether these are the first bytes (16 of them) of a result in one file. */
export const isBinary = (bytes: Uint8Array): boolean =>
  bytes.length >= HEAD && MAGIC.every((byte, i) => bytes[i] === byte);

/** The JSON of a result in one file, arrays left as references: enough to see what it covers. Throws `format`. */
export function outlineOf(bytes: Uint8Array, name = 'result'): { outline: ResultBase; base: number } {
  guard(isBinary(bytes), 'format', () => `${name}: expected a result in one file`, { file: name, byte: 0 });
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(8, true));
  guard(
    HEAD + length <= bytes.length,
    'format',
    () => `${name}: the header says ${length} bytes, the file has ${bytes.length} (byte 8)`,
    { file: name, byte: 8 },
  );
  const text = new TextDecoder().decode(bytes.subarray(HEAD, HEAD + length));
  return { outline: parseResult(text, name), base: HEAD + length };
}

/** Reads what `encodeBinary` wrote. Throws `format`. */
export async function decodeBinary<T extends ResultBase = ResultBase>(
  bytes: Uint8Array,
  name = 'result',
  options: DecodeOptions = {},
): Promise<T> {
  const { outline, base } = outlineOf(bytes, name);
  let total = 0;
  const tree = await restoreArrays(outline, '$data', ({ $data, dtype, length, levels }) => {
    const width = widthOf(dtype);
    const [from, count] = [$data as number, length as number];
    guard(
      width !== undefined &&
        Number.isSafeInteger(from) &&
        Number.isSafeInteger(count) &&
        from >= 0 &&
        count >= 0 &&
        base + from + count * width <= bytes.length,
      'format',
      () =>
        `${name}: an array of ${shown(length)} ${shown(dtype)} at ${shown($data)} does not lie within its ${bytes.length} bytes`,
      { file: name },
    );
    // Arrays lie one after another: together they cannot be more than the file.
    total += count * width;
    guard(
      total <= bytes.length,
      'format',
      () => `${name}: its arrays overlap: they take more than its ${bytes.length} bytes`,
      { file: name },
    );
    const array = decodeElements(
      bytes.subarray(base + from, base + from + count * width),
      dtype as DType,
      count,
    );
    if (levels === undefined) return array;
    guard(
      isLevels(levels) && array instanceof Uint8Array,
      'format',
      () => `${name}: levels ${shown(levels)} of an array of ${shown(dtype)}`,
      { file: name },
    );
    return Float32Array.from(array, (level) => (level - levels.zero) * levels.step);
  });
  return finished(tree, options, name);
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 0x8000)
    text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

function fromBase64(text: string, name: string): Uint8Array {
  try {
    return decodeBase64(text);
  } catch (cause) {
    throw new EpochscopeError('format', `${name}: not base64`, { file: name }, { cause });
  }
}

/** The one file as base64, to stand inside a page that opens from disk. */
export const encodeInline = (result: ResultBase, options: EncodeOptions = {}): string =>
  toBase64(encodeBinary(result, options));

/** The bytes of what `encodeInline` wrote. Throws `format`. */
export const inlineBytes = (text: string, name = 'result'): Uint8Array => fromBase64(text.trim(), name);

/**
 * Reads a result in one piece, whatever it is: the bytes of `encodeBinary`, the text of `encodeInline`, or the JSON with arrays inside as
 * base64 that version 1 wrote. Throws `format`.
 */
export async function decodeAny<T extends ResultBase = ResultBase>(
  given: Uint8Array | string,
  name = 'result',
  options: DecodeOptions = {},
): Promise<T> {
  if (typeof given !== 'string') {
    if (isBinary(given)) return decodeBinary(given, name, options);
    return decodeAny(new TextDecoder().decode(given), name, options);
  }
  if (/^[A-Za-z0-9+/=\s]+$/.test(given.slice(0, 64)))
    return decodeBinary(inlineBytes(given, name), name, options);
  const tree = await restoreArrays(parseResult(given, name), '$base64', ({ $base64, dtype, length }) => {
    const width = widthOf(dtype);
    const bytes = typeof $base64 === 'string' ? fromBase64($base64, name) : null;
    guard(
      bytes && width && Number.isSafeInteger(length) && bytes.length === (length as number) * width,
      'format',
      () => `${name}: an array of ${shown(length)} ${shown(dtype)} does not fit its bytes`,
      { file: name },
    );
    return decodeElements(bytes, dtype as DType, length as number);
  });
  return finished(tree, options, name);
}
