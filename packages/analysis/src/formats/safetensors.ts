import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { budgetOf, rest } from './budget.js';
import { DTYPE_BYTES, elementCount, readElements, storedInMemory } from './dtypes.js';
import { shown } from './json.js';
import { MAX_TEXT_ITEMS, parseJsonInPieces } from './json-pieces.js';
import type { ByteSource, DType, StoredTensor, Tensor } from './types.js';

// https://github.com/huggingface/safetensors: 8 bytes of header length, a JSON header, then the data.

/** Longer headers are refused: 100 000 tensors have some 10 MB, and as JavaScript objects twenty times that. */
export const MAX_SAFETENSORS_HEADER = 12_000_000;

const DTYPES: Record<string, DType> = {
  BOOL: 'bool',
  U8: 'uint8',
  I8: 'int8',
  U16: 'uint16',
  I16: 'int16',
  U32: 'uint32',
  I32: 'int32',
  U64: 'uint64',
  I64: 'int64',
  F8_E4M3: 'float8_e4m3',
  F8_E5M2: 'float8_e5m2',
  F16: 'float16',
  BF16: 'bfloat16',
  F32: 'float32',
  F64: 'float64',
};

export interface SafetensorsEntry {
  name: string;
  dtype: DType;
  shape: number[];
  /** Bytes from the start of the file. */
  begin: number;
  end: number;
}

/** A tensor of a type that is not read. */
export interface UnreadTensor {
  /** As the file names it. */
  dtype: string;
  reason: string;
  begin: number;
  end: number;
}

export interface SafetensorsHeader {
  entries: Map<string, SafetensorsEntry>;
  /** Tensors of types that are not read (F8_E4M3, C64): they stand in no one's way until they are wanted. */
  unread: Map<string, UnreadTensor>;
  metadata: Record<string, string>;
}

/**
 * Reads and checks the header: every tensor lies within the file, takes as many bytes as its shape says, and none
 * overlaps another or leaves a hole. Throws `format`. Of a type that is not read the bytes are not counted.
 */
export async function readSafetensorsHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const fail = (message: string, fields: Record<string, string | number> = {}): never => {
    throw new EpochscopeError('format', `${source.name}: ${message}`, { file: source.name, ...fields });
  };
  if (source.size < 8) fail(`expected a safetensors file, got ${source.size} bytes`);
  const start = await source.read(0, 8);
  const length = Number(new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true));
  if (length > MAX_SAFETENSORS_HEADER)
    fail(
      `expected a header of at most ${MAX_SAFETENSORS_HEADER} bytes, got ${length} (byte 0): is it a safetensors file?`,
      { byte: 0 },
    );
  if (8 + length > source.size)
    fail(`the header says ${length} bytes, the file has ${source.size} (byte 0)`, { byte: 0 });
  let json: unknown;
  try {
    json = await parseJsonInPieces(
      new TextDecoder('utf-8', { fatal: true }).decode(await source.read(8, length)),
      source.name,
      undefined,
      MAX_TEXT_ITEMS,
    );
  } catch (cause) {
    if (
      cause instanceof EpochscopeError &&
      (cause.code === 'cancelled' || /nested|at most \d+ (keys|values)/.test(cause.message))
    )
      throw cause;
    fail('the header is not JSON (byte 8)', { byte: 8 });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    fail('the header is not a JSON object (byte 8)', { byte: 8 });
  const entries = new Map<string, SafetensorsEntry>();
  const unread = new Map<string, UnreadTensor>();
  let metadata: Record<string, string> = {};
  const base = 8 + length;
  let seen = 0;
  for (const name of Object.keys(json as object)) {
    const value = (json as Record<string, unknown>)[name];
    if (++seen % 10_000 === 0) await budgetOf(source).rest();
    if (name === '__metadata__') {
      if (
        typeof value !== 'object' ||
        value === null ||
        !Object.values(value).every((text) => typeof text === 'string')
      )
        fail('__metadata__: expected text values');
      metadata = value as Record<string, string>;
      continue;
    }
    const entry = value as { dtype?: unknown; shape?: unknown; data_offsets?: unknown } | null;
    const dtype =
      typeof entry?.dtype === 'string' && Object.hasOwn(DTYPES, entry.dtype)
        ? DTYPES[entry.dtype]!
        : undefined;
    const reason = `expected a dtype among ${Object.keys(DTYPES).join(', ')}, got ${shown(entry?.dtype)}`;
    if (!dtype && !(typeof entry?.dtype === 'string' && /^[A-Z][A-Z0-9_]{1,15}$/.test(entry.dtype)))
      return fail(`tensor ${name}: ${reason}`, { tensor: name });
    const shape = entry!.shape as number[];
    const count = Array.isArray(shape) && shape.length <= 64 ? elementCount(shape) : Number.NaN;
    if (Number.isNaN(count))
      fail(`tensor ${name}: the shape ${shown(shape)} is not possible`, {
        tensor: name,
      });
    const offsets = entry!.data_offsets as [number, number];
    const [begin, end] = Array.isArray(offsets) && offsets.length === 2 ? offsets : [Number.NaN, Number.NaN];
    if (
      !Number.isSafeInteger(begin) ||
      !Number.isSafeInteger(end) ||
      begin < 0 ||
      end < begin ||
      base + end > source.size
    ) {
      fail(
        `tensor ${name}: data_offsets ${shown(offsets)} do not lie within the ${source.size - base} bytes of data`,
        { tensor: name },
      );
    }
    if (!dtype) {
      unread.set(name, { dtype: entry!.dtype as string, reason, begin: base + begin, end: base + end });
      continue;
    }
    const bytes = count * DTYPE_BYTES[dtype];
    if (end - begin !== bytes)
      fail(
        `tensor ${name}: shape [${shape}] of ${dtype} needs ${bytes} bytes, data_offsets give ${end - begin}`,
        { tensor: name, expected: bytes, got: end - begin },
      );
    entries.set(name, { name, dtype, shape: [...shape], begin: base + begin, end: base + end });
  }
  let at = base;
  const places = [...entries, ...unread].map(([name, { begin, end }]) => ({ name, begin, end }));
  for (const entry of places.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== at)
      fail(
        `tensor ${entry.name}: expected its data at byte ${at}, got ${entry.begin}: tensors overlap or leave a hole`,
        { tensor: entry.name, expected: at, got: entry.begin },
      );
    at = entry.end;
  }
  if (at !== source.size)
    fail(`expected ${at} bytes, got ${source.size}`, { expected: at, got: source.size });
  return { entries, unread, metadata };
}

/** One tensor, reading only its bytes. */
export async function readSafetensorsEntry(source: ByteSource, entry: SafetensorsEntry): Promise<Tensor> {
  const { begin, dtype, shape } = entry;
  return { data: await readElements(source, begin, dtype, elementCount(shape)), shape, dtype };
}

/** The header, where every tensor can be read. Throws `format` naming the first that cannot. */
export function readable(source: ByteSource, header: SafetensorsHeader): SafetensorsHeader {
  for (const [tensor, { reason }] of header.unread)
    throw new EpochscopeError('format', `${source.name}: tensor ${tensor}: ${reason}`, {
      file: source.name,
      tensor,
    });
  return header;
}

/** All tensors, in the header's order. */
export async function readSafetensors(source: ByteSource): Promise<Map<string, Tensor>> {
  const { entries } = readable(source, await readSafetensorsHeader(source));
  const tensors = new Map<string, Tensor>();
  for (const entry of entries.values()) {
    tensors.set(entry.name, await readSafetensorsEntry(source, entry));
    await rest(source.name);
  }
  return tensors;
}

/** An entry as a tensor that is read when it is wanted. */
export function storedEntry(
  source: ByteSource,
  { dtype, shape, begin, end }: SafetensorsEntry,
): StoredTensor {
  return {
    dtype,
    shape,
    bytes: () => source.read(begin, end - begin),
    range: { file: source.name, begin },
  };
}

/** The beginning of a safetensors file, tensors in the map's order, padded to 8 bytes: for files written in parts. */
export function safetensorsHead(
  tensors: ReadonlyMap<string, Pick<StoredTensor, 'dtype' | 'shape'>>,
  metadata?: Record<string, string>,
): Uint8Array {
  // A tensor may be called __proto__.
  const header: Record<string, unknown> = Object.create(null);
  if (metadata) header.__metadata__ = metadata;
  let at = 0;
  for (const [name, { dtype, shape }] of tensors) {
    guard(name !== '__metadata__', 'argument', 'a tensor may not be named __metadata__');
    const [code] = Object.entries(DTYPES).find(([, known]) => known === dtype)!;
    const end = at + elementCount(shape) * DTYPE_BYTES[dtype];
    header[name] = { dtype: code, shape, data_offsets: [at, end] };
    at = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  const out = new Uint8Array(8 + length).fill(32, 8);
  new DataView(out.buffer).setBigUint64(0, BigInt(length), true);
  out.set(json, 8);
  return out;
}

/** A safetensors file in parts, one tensor in memory at a time. Throws `shape` where a tensor's bytes are not as many as its shape says. */
export async function* safetensorsParts(
  tensors: ReadonlyMap<string, StoredTensor>,
): AsyncGenerator<Uint8Array> {
  yield safetensorsHead(tensors);
  for (const [name, tensor] of tensors) {
    const bytes = await tensor.bytes();
    checkBytes(name, tensor, bytes.length);
    yield bytes;
  }
}

function checkBytes(
  name: string,
  { dtype, shape }: Pick<StoredTensor, 'dtype' | 'shape'>,
  got: number,
): void {
  const count = elementCount(shape);
  const width = DTYPE_BYTES[dtype];
  guard(
    count * width === got,
    'shape',
    () => `tensor ${name}: shape [${shape}] needs ${count} values, got ${got / width}`,
    { tensor: name, expected: count, got: got / width },
  );
}

/** The bytes of a safetensors file, in memory. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata?: Record<string, string>,
): Uint8Array {
  const stored = new Map([...tensors].map(([name, tensor]) => [name, storedInMemory(tensor)]));
  for (const [name, { data }] of tensors) checkBytes(name, stored.get(name)!, data.byteLength);
  const head = safetensorsHead(stored, metadata);
  const total = [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, head.length);
  const out = new Uint8Array(total);
  out.set(head);
  let offset = head.length;
  for (const { data } of tensors.values()) {
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return out;
}
