import { guard } from './errors.js';
import type { Kernels } from './load.js';

// What callers without types get wrong. Arrays are known by their tag, so that those of another realm (a frame, a
// test's sandbox) pass.
const tagOf = (value: unknown) => Object.prototype.toString.call(value).slice(8, -1);
export const isFloat32 = (value: unknown): value is Float32Array => tagOf(value) === 'Float32Array';
export const isUint32 = (value: unknown): value is Uint32Array => tagOf(value) === 'Uint32Array';
export const isUint8 = (value: unknown): value is Uint8Array => tagOf(value) === 'Uint8Array';

/** Names a value for a sentence that ends in "got …". */
export function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`;
  if (typeof value === 'object') return Array.isArray(value) ? 'a plain array' : `a ${tagOf(value)}`;
  return `a ${typeof value}`;
}

/** Throws `argument` unless `kernels` is what `loadKernels` resolves to. */
export function checkKernels(kernels: Kernels): void {
  guard(
    typeof kernels?.exports === 'object' && typeof kernels.arena?.alloc === 'function',
    'argument',
    () =>
      `kernels: expected what loadKernels() resolves to, got ${nameOf(kernels)}${tagOf(kernels) === 'Promise' ? ': await it' : ''}`,
  );
}

/** Throws `argument` unless `options` is an object; `needed` names what must stand in it. */
export function checkOptions(options: unknown, needed = ''): void {
  guard(
    typeof options === 'object' && options !== null,
    'argument',
    () => `options: expected an object${needed && ` with ${needed}`}, got ${nameOf(options)}`,
  );
}

/** Throws `argument` or `shape` unless `into` is absent or a place for `size` values. */
export function checkInto(into: Float32Array | undefined, size: number): void {
  if (into === undefined) return;
  guard(isFloat32(into), 'argument', () => `into: expected a Float32Array, got ${nameOf(into)}`);
  guard(into.length === size, 'shape', () => `into: expected ${size} values, got ${into.length}`, {
    expected: size,
    got: into.length,
  });
}

/** Throws `argument` unless `values` float32 at byte `pointer` lie in memory that `kernels.arena` gave out. */
export function checkPlace({ arena, memory }: Kernels, name: string, pointer: number, values: number): void {
  guard(
    Number.isInteger(pointer) &&
      pointer >= 0 &&
      pointer % 4 === 0 &&
      pointer + 4 * values <= memory.buffer.byteLength,
    'argument',
    () =>
      `${name}: ${values} float32 at byte ${nameOf(pointer)} do not lie in the memory of ${memory.buffer.byteLength} bytes`,
    { pointer, values },
  );
  guard(
    values === 0 || arena.holds(pointer, 4 * values),
    'argument',
    () => `${name}: ${values} float32 at byte ${pointer} were not given out by kernels.arena.alloc`,
    { pointer, values },
  );
}

/** Throws `argument` unless each is an integer ≥ 0. */
export function checkCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts))
    guard(
      Number.isSafeInteger(count) && count >= 0,
      'argument',
      () => `${name}: expected an integer ≥ 0, got ${nameOf(count)}`,
      { name },
    );
}

/** Throws `argument` unless `value` is one of `all`. */
export function checkOneOf(name: string, value: unknown, all: readonly unknown[]): void {
  guard(
    all.includes(value),
    'argument',
    () =>
      `${name}: expected ${all.length > 2 ? `one of ${all.join(', ')}` : all.join(' or ')}, got ${typeof value === 'string' ? value : nameOf(value)}`,
    { [name]: typeof value === 'string' ? value : nameOf(value) },
  );
}
