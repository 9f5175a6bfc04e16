import type { DType } from '../types.js';
import type { Cursor } from './cursor.js';

/** What one element is. `other` can be passed over, not read. */
export type Hdf5Type =
  | { kind: 'number'; dtype: DType; bigEndian: boolean; size: number }
  | { kind: 'text'; size: number }
  | { kind: 'long-text'; size: number }
  | { kind: 'other'; size: number; description: string };

const CLASSES = [
  'whole number',
  'float',
  'time',
  'text',
  'bit field',
  'opaque',
  'compound',
  'reference',
  'enumeration',
  'variable length',
  'array',
];

/** By bytes and bits of the exponent. */
const FLOATS: Record<string, DType> = {
  '2,5': 'float16',
  '2,8': 'bfloat16',
  '4,8': 'float32',
  '8,11': 'float64',
};

/** A datatype message (IV.A.2.d). Complex ones come back as `other`. */
export function readDatatype(c: Cursor, depth = 0): Hdf5Type {
  const classAndVersion = c.u8();
  const version = classAndVersion >> 4;
  if (version < 1 || version > 5) c.fail(`expected datatype version 1 to 5, got ${version}`);
  const bits = [c.u8(), c.u8(), c.u8()] as const;
  const size = c.u32();
  const type = classAndVersion & 15;
  const other = (): Hdf5Type => ({ kind: 'other', size, description: CLASSES[type] ?? `class ${type}` });
  if (type === 0) {
    const [offset, precision] = [c.u16(), c.u16()];
    if (offset !== 0 || precision !== 8 * size || ![1, 2, 4, 8].includes(size)) return other();
    return {
      kind: 'number',
      dtype: `${bits[0] & 8 ? 'int' : 'uint'}${8 * size}` as DType,
      bigEndian: Boolean(bits[0] & 1),
      size,
    };
  }
  if (type === 1) {
    c.skip(5);
    const exponent = c.u8();
    // VAX order sets bit 6 too.
    if (bits[0] & 64) return other();
    const dtype = FLOATS[`${size},${exponent}`];
    return dtype ? { kind: 'number', dtype, bigEndian: Boolean(bits[0] & 1), size } : other();
  }
  // h5py keeps NumPy's "two bytes of anything" so, which is what bfloat16 is there.
  if (type === 5 && size === 2) return { kind: 'number', dtype: 'bfloat16', bigEndian: false, size };
  if (type === 3) return { kind: 'text', size };
  // h5py keeps booleans as an enumeration of int8.
  if (type === 8 && depth === 0) {
    const base = readDatatype(c, 1);
    return base.kind === 'number' && base.size === size
      ? { ...base, dtype: size === 1 ? 'bool' : base.dtype }
      : other();
  }
  if (type === 9 && (bits[0] & 15) === 1 && size === 16) return { kind: 'long-text', size };
  return other();
}

/** A dataspace message (IV.A.2.b): the shape; null for a null space, which holds nothing. */
export function readDataspace(c: Cursor): number[] | null {
  const version = c.u8();
  if (version !== 1 && version !== 2) c.fail(`expected dataspace version 1 or 2, got ${version}`);
  const rank = c.u8();
  if (rank > 32) c.fail(`expected at most 32 dimensions, got ${rank}`);
  c.skip(1);
  const kind = c.u8();
  if (version === 1) c.skip(4);
  if (version === 2 && kind === 2) return null;
  return Array.from({ length: rank }, () => c.u64());
}
