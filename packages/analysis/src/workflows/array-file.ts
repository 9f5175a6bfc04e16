import { EpochscopeError } from '@epochscope/core-wasm';
import type { Tensor } from '../formats/types.js';
import { openMatrix, readWholeNumbers } from '../matrices/index.js';
import { type FilePlace, openFile } from '../stores/file.js';
import { type HashedFile, hashed } from '../stores/identity.js';
import type { StoredFile } from '../stores/types.js';

/**
 * A file of arrays or a table: its path (Node), its address or a page's `File`; "file.npz:name" chooses one of several arrays. Or a file
 * that is open, such as a pipe that was read.
 */
export type ArrayPlace = FilePlace | { file: StoredFile; array?: string };

const ARRAY_PATH = /^(.*\.(?:npz|safetensors)):(.+)$/i;

/** Opens, uses and closes it; what is read is hashed on the way. Throws `missing`, `io`, and what `body` throws. */
export async function withArrayFile<T>(
  place: ArrayPlace,
  body: (file: HashedFile, array: string | undefined) => Promise<T>,
): Promise<T> {
  const { file, array } = await openArrayFile(place);
  try {
    return await body(file, array);
  } finally {
    await file.close();
  }
}

/** The same, left open. */
export async function openArrayFile(
  place: ArrayPlace,
): Promise<{ file: HashedFile; array: string | undefined }> {
  if (typeof place === 'object' && 'file' in place) return { file: hashed(place.file), array: place.array };
  const [, path, array] = (typeof place === 'string' && ARRAY_PATH.exec(place)) || [];
  try {
    return { file: hashed(await openFile(place)), array: undefined };
  } catch (cause) {
    // Only where no file has the colon in its own name.
    if (!path || !(cause instanceof EpochscopeError)) throw cause;
    const inside = await openFile(path).catch(() => null);
    if (!inside) throw cause;
    return { file: hashed(inside), array };
  }
}

/** One array of a file, whole. */
export const readArray = (place: ArrayPlace): Promise<Tensor> =>
  withArrayFile(place, async (file, array) => {
    const { rows, shape } = await openMatrix(file, { array });
    return { data: await rows.rows(0, rows.shape[0]), shape, dtype: rows.dtype };
  });

/** Integers ≥ 0, one a row: classes of samples, or sample numbers. */
export const readNumbers = (place: ArrayPlace): Promise<Uint32Array> =>
  withArrayFile(place, readWholeNumbers);
