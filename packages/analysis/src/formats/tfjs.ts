import { EpochscopeError } from '@epochscope/core-wasm';
import { rest } from './budget.js';
import { decodeInTurns, elementCount } from './dtypes.js';
import { isObject, shown } from './json.js';
import { anything, finite, like, listOf, type Of, object, optional, shaped } from './shape.js';
import { MAX_SHARDS, type OpenSibling, readJson, siblingName } from './siblings.js';
import type { DType, Tensor, TensorData } from './types.js';

// TensorFlow.js: model.json with "modelTopology" and "weightsManifest", groups of weights one after another in the
// bytes of the group's files; or the manifest alone ("weights_manifest.json" of older converters and of face-api.js).

/** Bytes of all weights. */
export const MAX_TFJS_BYTES = 8_000_000_000;
/** Weights in all. */
export const MAX_TFJS_WEIGHTS = 100_000;

const DTYPES: Record<string, [DType, number]> = {
  float32: ['float32', 4],
  int32: ['int32', 4],
  uint8: ['uint8', 1],
  bool: ['bool', 1],
  float16: ['float16', 2],
  uint16: ['uint16', 2],
};

export interface TfjsModel {
  /** What tf.loadLayersModel takes as modelTopology; null where there is none. */
  topology: unknown;
  /** By the manifest's names: "conv/kernel". */
  tensors: Map<string, Tensor>;
  /** Names of weights that hold texts, which are stepped over. */
  texts: string[];
}

interface Weight {
  name: string;
  shape: number[];
  /** null: texts, each after its length in four bytes. */
  stored: DType | null;
  /** Of texts the least: their lengths. */
  bytes: number;
  /** value = stored × scale + min, for quantised weights. */
  scale: number;
  min: number;
  quantised: boolean;
}

/** Reads model.json, or a manifest alone, and its shards; quantised weights become float32. Throws `format`, `unsupported`, `missing`. */
export async function readTfjsModel(open: OpenSibling, file = 'model.json'): Promise<TfjsModel> {
  const { name, json } = await open(file, async (source) => ({
    name: source.name,
    json: await readJson(source),
  }));
  const fail = (message: string, code: 'format' | 'unsupported' = 'format'): never => {
    throw new EpochscopeError(code, `${name}: ${message}`, { file: name });
  };
  const model = Array.isArray(json) ? { weightsManifest: json } : isObject(json) ? json : {};
  if (!Array.isArray(model.weightsManifest))
    return fail('expected "weightsManifest", a list: is it a TensorFlow.js model?');
  const { weightsManifest: groups } = shaped(model, MODEL, name);
  const tensors = new Map<string, Tensor>();
  const texts: string[] = [];
  let total = 0;
  let shards = 0;
  const taken = new Set<string>();
  for (const [g, group] of groups.entries()) {
    const { paths, weights } = group;
    shards += paths.length;
    if (shards > MAX_SHARDS) fail(`expected at most ${MAX_SHARDS} files`);
    if (tensors.size + weights.length > MAX_TFJS_WEIGHTS)
      fail(`expected at most ${MAX_TFJS_WEIGHTS} weights`);
    const described = weights.map((weight, i) =>
      describe(weight, `weightsManifest[${g}].weights[${i}]`, fail),
    );
    const exact = described.every(({ stored }) => stored !== null);
    const expected = described.reduce((sum, { bytes }) => sum + bytes, 0);
    const add = (more: number) => {
      total += more;
      if (!(total <= MAX_TFJS_BYTES)) fail(`expected at most ${MAX_TFJS_BYTES} bytes of weights, got more`);
    };
    add(expected);
    // Sizes first: nothing is allocated for files that do not hold what is promised.
    const names = paths.map((path) => siblingName(path, name));
    const twice = names.find((path) => taken.has(path) || !taken.add(path));
    if (twice !== undefined) fail(`weightsManifest[${g}] names ${twice} again; expected each file once`);
    let got = 0;
    for (const path of names) got += await open(path, async (source) => source.size);
    if (exact ? got !== expected : got < expected)
      fail(`weightsManifest[${g}] describes ${expected} bytes, ${names.join(', ')} hold ${got}`);
    add(got - expected);
    const bytes = new Uint8Array(got);
    let at = 0;
    for (const path of names)
      await open(path, async (source) => {
        if (at + source.size > got) fail(`${path} grew while it was read`);
        bytes.set(await source.read(0, source.size), at);
        at += source.size;
      });
    at = 0;
    for (const weight of described) {
      if (tensors.has(weight.name)) fail(`two weights are named ${JSON.stringify(weight.name.slice(0, 80))}`);
      if (weight.stored === null) {
        at = pastTexts(bytes, at, elementCount(weight.shape)) ?? fail(`${weight.name} is cut off`);
        texts.push(weight.name);
        continue;
      }
      if (at + weight.bytes > got) fail(`${weight.name} is cut off`);
      tensors.set(
        weight.name,
        await tensorOf(bytes.subarray(at, at + weight.bytes), weight, weight.stored, name),
      );
      at += weight.bytes;
    }
    if (at !== got) fail(`weightsManifest[${g}] describes ${at} bytes, ${names.join(', ')} hold ${got}`);
  }
  return { topology: model.modelTopology ?? null, tensors, texts };
}

/** Where `count` texts that begin at `at` end; null where the bytes end before them. */
function pastTexts(bytes: Uint8Array, at: number, count: number): number | null {
  const view = new DataView(bytes.buffer);
  let end = at;
  for (let i = 0; i < count; i++) {
    if (end + 4 > bytes.length) return null;
    end += 4 + view.getUint32(end, true);
  }
  return end <= bytes.length ? end : null;
}

const WEIGHT = object({
  name: like<string>('a text of at most 1000', (value) => typeof value === 'string' && value.length <= 1000),
  shape: like<number[]>(
    'whole numbers ≥ 0',
    (value) => Array.isArray(value) && value.length <= 32 && !Number.isNaN(elementCount(value)),
  ),
  dtype: anything,
  quantization: optional(object({ dtype: anything, scale: optional(finite), min: optional(finite) })),
});
const MODEL = object({
  weightsManifest: listOf(object({ paths: listOf(anything), weights: listOf(WEIGHT) })),
});

function describe(
  weight: Of<typeof WEIGHT>,
  place: string,
  fail: (message: string, code?: 'format' | 'unsupported') => never,
): Weight {
  const { name, shape, dtype, quantization: packed } = weight;
  const stored = packed?.dtype ?? dtype;
  if (stored === 'string' && !packed) {
    const bytes = elementCount(shape) * 4;
    return { name, shape: [...shape], stored: null, bytes, scale: 1, min: 0, quantised: false };
  }
  if (typeof stored !== 'string' || !Object.hasOwn(DTYPES, stored))
    return fail(
      `${place}.dtype: expected one of ${Object.keys(DTYPES).join(', ')}, got ${shown(stored)}`,
      'unsupported',
    );
  const scaled = packed !== undefined && stored !== 'float16';
  if (scaled && (packed.scale === undefined || packed.min === undefined))
    fail(`${place}.quantization: expected numbers "scale" and "min"`);
  const [type, width] = DTYPES[stored]!;
  return {
    name,
    shape: [...shape],
    stored: type,
    bytes: elementCount(shape) * width,
    scale: scaled ? (packed.scale as number) : 1,
    min: scaled ? (packed.min as number) : 0,
    quantised: packed !== undefined,
  };
}

async function tensorOf(
  bytes: Uint8Array,
  { shape, scale, min, quantised }: Weight,
  stored: DType,
  file: string,
): Promise<Tensor> {
  const data: TensorData = await decodeInTurns(bytes, stored, elementCount(shape), file);
  await rest(file);
  if (!quantised) return { data, shape, dtype: stored };
  const out = new Float32Array(data.length);
  for (let i = 0; i < out.length; i++) {
    if (i % (1 << 20) === 0) await rest(file);
    out[i] = (data as Uint8Array)[i]! * scale + min;
  }
  return { data: out, shape, dtype: 'float32' };
}
