import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { DTYPE_BYTES, elementCount } from '../formats/dtypes.js';
import { isObject, parseJson } from '../formats/json.js';
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

/** Throws `format` naming the field. */
export function parseLink(text: string, name: string): WeightsLink {
  const check: (holds: unknown, where: string, expected: string) => asserts holds = (
    holds,
    where,
    expected,
  ) => guard(holds, 'format', () => `${name}: ${where}: expected ${expected}`, { file: name, field: where });
  const json = parseJson(text, name);
  check(isObject(json) && json.format === LINK_FORMAT, 'format', JSON.stringify(LINK_FORMAT));
  const { files, tensors } = json as { files: unknown; tensors: unknown };
  check(Array.isArray(files), 'files', 'a list');
  check(isObject(tensors), 'tensors', 'an object');
  for (const [i, file] of files.entries()) {
    check(isObject(file), `files[${i}]`, 'an object');
    const { place, size, stamp, sha256 } = file;
    check(
      typeof place === 'string' && /^(\/|[A-Za-z]:[\\/]|https?:\/\/)/.test(place) && !place.includes('\0'),
      `files[${i}].place`,
      'an absolute path or an address',
    );
    check(Number.isSafeInteger(size) && (size as number) >= 0, `files[${i}].size`, 'a number of bytes');
    check(stamp === null || typeof stamp === 'string', `files[${i}].stamp`, 'a text or null');
    check(sha256 === undefined || typeof sha256 === 'string', `files[${i}].sha256`, 'a text');
  }
  const found = new Map<string, LinkedTensor>();
  for (const [tensor, place] of Object.entries(tensors)) {
    const where = `tensors.${tensor}`;
    check(isObject(place), where, 'an object');
    const { file, begin, dtype, shape, axes } = place as unknown as LinkedTensor;
    const own = files[file] as LinkedFile | undefined;
    check(own, `${where}.file`, 'one of the files');
    check(typeof dtype === 'string' && Object.hasOwn(DTYPE_BYTES, dtype), `${where}.dtype`, 'a known type');
    const count = Array.isArray(shape) && shape.length <= 64 ? elementCount(shape) : Number.NaN;
    check(!Number.isNaN(count), `${where}.shape`, 'a shape');
    check(
      Number.isSafeInteger(begin) && begin >= 0 && begin + count * DTYPE_BYTES[dtype] <= own.size,
      `${where}.begin`,
      `its ${count} values within the file of ${own.size} bytes`,
    );
    check(
      axes === undefined ||
        (Array.isArray(axes) && [...axes].sort((a, b) => a - b).join() === [...shape.keys()].join()),
      `${where}.axes`,
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
