import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { type Zippable, zipSync } from 'fflate';
import { rest } from './budget.js';
import { encodeNpy, readNpy } from './npy.js';
import type { ByteSource, Tensor, TensorData } from './types.js';
import { readZipDirectory, type ZipEntry, type ZipKind, zipEntrySource } from './zip.js';

// NumPy's .npz: a zip of .npy files; limits on entries in zip.ts.

/** All arrays together, when all are read. */
export const MAX_NPZ_TOTAL = 8_000_000_000;

export type NpzEntry = ZipEntry;
const NPZ: ZipKind = {
  file: 'an .npz file',
  item: 'array',
  nameOf: (path) => (path.endsWith('.npy') ? path.slice(0, -4) : null),
  expected: '.npy files',
};

/** The directory of an .npz file, in its order: names without ".npy". Reads only the end. Throws `format`. */
export const readNpzDirectory = (source: ByteSource): Promise<Map<string, NpzEntry>> =>
  readZipDirectory(source, NPZ);

/** One array as an .npy file of its own; with `head`, only its first bytes. Throws `format`, `memory`. */
export const npzEntrySource = (source: ByteSource, entry: NpzEntry, head?: number): Promise<ByteSource> =>
  zipEntrySource(source, entry, `${source.name}:${entry.name}.npy`, head);

/** One array, reading and unpacking only its bytes. Throws `format`, `memory`. Memory: packed + 2 × unpacked. */
export async function readNpzEntry(source: ByteSource, entry: NpzEntry): Promise<Tensor> {
  return readNpy(await npzEntrySource(source, entry));
}

/** An array's dtype as NumPy writes it, where a failure to read is that it is no number; null for any other. */
export function oddDtype(cause: unknown): string | null {
  const descr = cause instanceof EpochscopeError ? cause.fields.descr : undefined;
  return typeof descr === 'string' ? descr : null;
}

/**
 * All arrays, in the directory's order. Throws `format`, also when they are more than MAX_NPZ_TOTAL together. `odd`: is told of arrays that
 * hold no numbers (text, objects, complex), which are left out then.
 */
export async function readNpz(
  source: ByteSource,
  odd?: (name: string, dtype: string) => void,
): Promise<Map<string, Tensor>> {
  const entries = await readNpzDirectory(source);
  const total = [...entries.values()].reduce((sum, { unpacked }) => sum + unpacked, 0);
  guard(
    total <= MAX_NPZ_TOTAL,
    'format',
    () => `${source.name}: expected at most ${MAX_NPZ_TOTAL} bytes once unpacked, got ${total}`,
    { file: source.name, expected: MAX_NPZ_TOTAL, got: total },
  );
  const tensors = new Map<string, Tensor>();
  for (const entry of entries.values()) {
    await rest(source.name);
    try {
      tensors.set(entry.name, await readNpzEntry(source, entry));
    } catch (cause) {
      const dtype = odd ? oddDtype(cause) : null;
      if (dtype === null) throw cause;
      odd!(entry.name, dtype);
    }
  }
  return tensors;
}

/** Dates in a zip begin in 1980; a fixed one makes equal arrays equal bytes. */
const NO_DATE = new Date(1980, 0, 1);

/** The bytes of an .npz file; `compress` deflates (np.savez_compressed). Same arrays, same bytes. */
export function encodeNpz(
  arrays: ReadonlyMap<string, { data: TensorData; shape: readonly number[] }>,
  options: { compress?: boolean } = {},
): Uint8Array {
  const files: Zippable = Object.create(null);
  for (const [name, { data, shape }] of arrays) {
    guard(
      /^[^\\\0]{1,200}$/.test(name),
      'argument',
      () => `array name: expected 1 to 200 characters, got ${JSON.stringify(name.slice(0, 80))}`,
    );
    files[`${name}.npy`] = [encodeNpy(data, shape), { level: options.compress ? 6 : 0, mtime: NO_DATE }];
  }
  return zipSync(files);
}
