import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { DTYPE_BYTES, elementCount } from '../formats/dtypes.js';
import { parseJson } from '../formats/json.js';
import { count, like, listOf, object, optional, orNull, recordOf, shaped, text } from '../formats/shape.js';
import type { DType } from '../formats/types.js';

// Weights that stay where they are: in place of snapshots/ID/weights.safetensors stands weights.json, which says of each tensor in
// which file, from which byte on and in which order of axes it lies.

export const LINK_FORMAT = 'epochscope-weights/1';
export const LINK_FILE = 'weights.json';

export interface LinkedFile {
  /** Absolute path, or http(s) address. */
  place: string;
  size: number;
  /** Size and time, or ETag: another one means another file. null where the place says neither. */
  stamp: string | null;
  /** Where the place says it without being read (a hub's listing). */
  sha256?: string;
}

export interface LinkedTensor {
  /** Which of the files. */
  file: number;
  begin: number;
  dtype: DType;
  shape: readonly number[];
  /** The file's axis that each of ours is, where it lies there in another order. */
  axes?: readonly number[];
}

export interface WeightsLink {
  files: LinkedFile[];
  tensors: Map<string, LinkedTensor>;
}

export const encodeLink = ({ files, tensors }: WeightsLink): string =>
  `${JSON.stringify({ format: LINK_FORMAT, files, tensors: Object.fromEntries(tensors) })}\n`;

const linkedFile = object({
  place: like<string>(
    'an absolute path or an address',
    (value) =>
      typeof value === 'string' && /^(\/|[A-Za-z]:[\\/]|https?:\/\/)/.test(value) && !value.includes('\0'),
  ),
  size: count,
  stamp: orNull(text),
  sha256: optional(text),
});
const link = object({
  format: like(JSON.stringify(LINK_FORMAT), (value) => value === LINK_FORMAT),
  files: listOf(linkedFile),
  tensors: recordOf(
    object({
      file: count,
      begin: count,
      dtype: like<DType>(
        'a known type',
        (value) => typeof value === 'string' && Object.hasOwn(DTYPE_BYTES, value),
      ),
      shape: listOf(count, 'a shape', 64),
      axes: optional(listOf(count)),
    }),
  ),
});

/** Throws `format` naming the field. */
export function parseLink(json: string, name: string): WeightsLink {
  const { files, tensors } = shaped(parseJson(json, name), link, name);
  const found = new Map<string, LinkedTensor>();
  for (const [tensor, { file, begin, dtype, shape, axes }] of Object.entries(tensors)) {
    const check = (holds: unknown, field: string, expected: string) =>
      guard(holds, 'format', () => `${name}: tensors.${tensor}.${field}: expected ${expected}`, {
        file: name,
        field: `tensors.${tensor}.${field}`,
      });
    const own = files[file];
    check(own, 'file', 'one of the files');
    const elements = elementCount(shape);
    check(
      begin + elements * DTYPE_BYTES[dtype] <= own!.size,
      'begin',
      `its ${elements} values within the file of ${own!.size} bytes`,
    );
    check(
      axes === undefined || [...axes].sort((a, b) => a - b).join() === [...shape.keys()].join(),
      'axes',
      'each axis once',
    );
    found.set(tensor, { file, begin, dtype, shape, ...(axes ? { axes } : {}) });
  }
  return { files: files as LinkedFile[], tensors: found };
}

/** Throws `format` where a file is not the one that was linked. */
export function checkSame(linked: LinkedFile, now: { size: number; stamp: string | null }): void {
  const same = now.size === linked.size && (linked.stamp === null || now.stamp === linked.stamp);
  if (!same)
    throw new EpochscopeError(
      'format',
      `${linked.place} is not the file that was linked: it has ${now.size} bytes${now.size === linked.size ? ' and was written since' : `, and had ${linked.size}`}; import it again`,
      { file: linked.place },
    );
}
