import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { DTYPE_BYTES, decodeElements, dtypeOf } from '../formats/dtypes.js';
import { isObject } from '../formats/json.js';
import { parseJsonInPieces } from '../formats/json-pieces.js';
import { npyParts, readNpyHeader } from '../formats/npy.js';
import { anything, finite, like, object, recordOf, shaped, text } from '../formats/shape.js';
import type { DType } from '../formats/types.js';
import { mapArrays, restoreArrays } from '../results/tree.js';
import type { FileIdentity } from '../results/types.js';
import { readText, withStored } from '../stores/content.js';
import { hashed } from '../stores/identity.js';
import type { Store } from '../stores/types.js';
import { toolInfo } from '../version.js';
import { sha256 } from '../workflows/keys.js';

export const PART_FORMAT = 'epochscope-part/1';

/** An array of a part, and where it lies beside part.json. */
interface StoredArray {
  $array: string;
  dtype: DType;
  length: number;
  bytes: number;
  sha256: string;
}

/** What a task left: part.json, and an .npy for each array. */
export interface StoredPart {
  format: typeof PART_FORMAT;
  tool: { name: string; version: string };
  key: string;
  seconds: number;
  /** Which state of each file was read. */
  reads: Record<string, FileIdentity>;
  /** The output's tree with `StoredArray` for arrays. */
  output: unknown;
}

const MAX_PART_JSON = 100_000_000;
const PIECE = 1 << 24;

const folderOf = (key: string) => `parts/${key}`;

/**
 * Writes a part: its arrays, then part.json with their hashes, each whole or not at all. A second writer of the same part writes the same, so that it
 * does no harm.
 */
export async function writePart(
  store: Store,
  { key, seconds, reads, output }: Pick<StoredPart, 'key' | 'seconds' | 'reads' | 'output'>,
): Promise<void> {
  const files: [path: string, content: [Uint8Array, Uint8Array]][] = [];
  const tree = mapArrays(output, (_, data) => {
    const name = `a${files.length}.npy`;
    const content = npyParts(data, [data.length]);
    files.push([name, content]);
    return {
      $array: name,
      dtype: dtypeOf(data),
      length: data.length,
      bytes: content[0].length + content[1].length,
      sha256: sha256(...content),
    };
  });
  for (const [name, content] of files) await store.write(`${folderOf(key)}/${name}`, content);
  const part: StoredPart = {
    format: PART_FORMAT,
    tool: toolInfo,
    key,
    seconds,
    reads,
    output: tree as StoredPart['output'],
  };
  await store.write(`${folderOf(key)}/part.json`, `${JSON.stringify(part)}\n`);
}

/** part.json of a part. Throws `missing`, `format`. */
export async function readPartHead(store: Store, key: string): Promise<StoredPart> {
  const path = `${folderOf(key)}/part.json`;
  const name = `${store.name}/${path}`;
  const head = shaped(
    await parseJsonInPieces(await readText(store, path, MAX_PART_JSON), name),
    storedPart,
    name,
  );
  guard(head.key === key, 'format', () => `${name}: expected part ${key.slice(0, 12)}`, { path });
  return head as StoredPart;
}

const storedPart = object({
  format: like(JSON.stringify(PART_FORMAT), (value) => value === PART_FORMAT),
  tool: object({ name: text, version: text }),
  key: text,
  seconds: finite,
  reads: recordOf(object({})),
  output: anything,
});

/** A part's output. Arrays are compared with their hashes. Throws `missing`, `format`. */
export async function readPart(store: Store, key: string): Promise<StoredPart> {
  const head = await readPartHead(store, key);
  const output = await restoreArrays(head.output, '$array', async (reference) => {
    const array = storedArray(reference);
    const path = `${folderOf(key)}/${array.$array}`;
    return withStored(store, path, async (stored) => {
      const file = hashed(stored);
      const bytes = await file.read(0, file.size);
      checkHash(file.identity(), array, `${store.name}/${path}`);
      return decodeElements(
        bytes.slice(bytes.length - array.length * DTYPE_BYTES[array.dtype]),
        array.dtype,
        array.length,
      );
    });
  });
  return { ...head, output };
}

function storedArray(reference: Record<string, unknown>): StoredArray {
  const { $array, dtype, length, bytes, sha256 } = reference;
  guard(
    typeof $array === 'string' &&
      /^a\d+\.npy$/.test($array) &&
      typeof dtype === 'string' &&
      Object.hasOwn(DTYPE_BYTES, dtype) &&
      Number.isSafeInteger(length) &&
      Number.isSafeInteger(bytes) &&
      (length as number) * DTYPE_BYTES[dtype as DType] <= (bytes as number) &&
      (length as number) >= 0 &&
      typeof sha256 === 'string',
    'format',
    'part.json: expected the place, type, length and hash of an array',
  );
  return reference as unknown as StoredArray;
}

function checkHash(identity: FileIdentity, array: StoredArray, path: string): void {
  const got = 'sha256' in identity ? identity.sha256 : 'other bytes';
  guard(
    got === array.sha256,
    'format',
    () =>
      `${path} is not as it was written: expected SHA-256 ${array.sha256.slice(0, 12)}…, got ${got.slice(0, 12)}…`,
    { path },
  );
}

/** Compares all arrays of a part with their hashes, a piece at a time. Throws `missing`, `format`. */
export async function checkPart(store: Store, key: string): Promise<StoredPart> {
  const head = await readPartHead(store, key);
  for (const array of arraysIn(head.output)) {
    const path = `${folderOf(key)}/${array.$array}`;
    await withStored(store, path, async (stored) => {
      guard(
        stored.size === array.bytes,
        'format',
        () => `${store.name}/${path}: expected ${array.bytes} bytes, got ${stored.size}`,
        { path },
      );
      const file = hashed(stored);
      for (let at = 0; at < file.size; at += PIECE) await file.read(at, Math.min(PIECE, file.size - at));
      checkHash(file.identity(), array, `${store.name}/${path}`);
    });
  }
  return head;
}

function arraysIn(tree: unknown): StoredArray[] {
  if (Array.isArray(tree)) return tree.flatMap(arraysIn);
  if (!isObject(tree)) return [];
  if ('$array' in tree) return [storedArray(tree)];
  return Object.values(tree).flatMap(arraysIn);
}

/** Whether a part is there and whole; null, or why not in a sentence. */
export async function faultOfPart(store: Store, key: string, version: string): Promise<string | null> {
  try {
    const { tool } = await checkPart(store, key);
    return tool.version === version ? null : `made by version ${tool.version}, not ${version}`;
  } catch (cause) {
    if (!(cause instanceof EpochscopeError)) throw cause;
    return cause.code === 'missing' ? 'not there' : cause.message;
  }
}

/** An array of uint32 of a part, read in pieces. */
export async function openPartArray(
  store: Store,
  key: string,
  reference: Record<string, unknown>,
): Promise<{ length: number; read(from: number, to: number): Promise<Uint32Array> }> {
  const array = storedArray(reference);
  const path = `${folderOf(key)}/${array.$array}`;
  const begin = await withStored(store, path, async (file) => (await readNpyHeader(file)).dataOffset);
  return {
    length: array.length,
    // Opened anew each time: there may be more parts than a process may have files open.
    read: (from, to) =>
      withStored(
        store,
        path,
        async (file) =>
          decodeElements(
            await file.read(begin + 4 * from, 4 * (to - from)),
            'uint32',
            to - from,
          ) as Uint32Array,
      ),
  };
}
