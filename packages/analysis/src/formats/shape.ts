import { EpochscopeError } from '@epochscope/core-wasm';
import { isObject, shown } from './json.js';

// From JSON (or a tree with typed arrays in it) to a known shape, one way for every file: a shape says what it expects, and the first
// place that is otherwise is named. No method of the data is ever called. Depth is that of the shape, whatever the data's is.

/** Told of the first place that does not fit. */
type Refuse = (path: string, expected: string, got: unknown) => never;
export interface Shape<T> {
  readonly check: (value: unknown, path: string, refuse: Refuse) => void;
  /** For the type alone. */
  readonly type?: T;
}
export type Of<S> = S extends Shape<infer T> ? T : never;

/** `value` if it has the shape. Throws `format` naming file and place. */
export function shaped<T>(value: unknown, shape: Shape<T>, file: string): T {
  shape.check(value, '', (path, expected, got) => {
    const place = path === '' ? 'the whole' : path;
    throw new EpochscopeError(
      'format',
      `${file}: ${place}: expected ${expected}, got ${got === undefined ? 'nothing' : shown(got)}`,
      { file, path: place, expected },
    );
  });
  return value as T;
}

/** Whatever `fits`, called `expected` in messages. */
export const like = <T>(expected: string, fits: (value: unknown) => boolean): Shape<T> => ({
  check: (value, path, refuse) => {
    if (!fits(value)) refuse(path, expected, value);
  },
});

export const anything: Shape<unknown> = { check: () => {} };
export const text = like<string>('a text', (value) => typeof value === 'string');
export const finite = like<number>('a number', Number.isFinite);
export const count = like<number>(
  'a whole number ≥ 0',
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
);
export const numbers = like<Float64Array>(
  'an array of numbers',
  (value) =>
    ArrayBuffer.isView(value) &&
    !(value instanceof DataView || value instanceof BigInt64Array || value instanceof BigUint64Array),
);

export const orNull = <T>(shape: Shape<T>): Shape<T | null> => ({
  check: (value, path, refuse) => {
    if (value !== null)
      shape.check(value, path, (at, expected, got) => refuse(at, `${expected} or null`, got));
  },
});
export const optional = <T>(shape: Shape<T>): Shape<T | undefined> => ({
  check: (value, path, refuse) => {
    if (value !== undefined) shape.check(value, path, refuse);
  },
});

export const listOf = <T>(
  item: Shape<T>,
  expected = 'a list',
  most = Number.POSITIVE_INFINITY,
): Shape<T[]> => ({
  check: (value, path, refuse) => {
    if (!Array.isArray(value) || value.length > most)
      return refuse(
        path,
        most < Number.POSITIVE_INFINITY ? `${expected} of at most ${most}` : expected,
        value,
      );
    // Not forEach: holes count.
    for (let i = 0; i < value.length; i++) item.check(value[i], `${path}[${i}]`, refuse);
  },
});

/** Any keys, values of one shape. */
export const recordOf = <T>(item: Shape<T>): Shape<Record<string, T>> => ({
  check: (value, path, refuse) => {
    if (!isObject(value)) return refuse(path, 'an object', value);
    for (const key of Object.keys(value)) item.check(value[key], within(path, key), refuse);
  },
});

/** These fields, each its own and not inherited; others are let be. */
export const object = <F extends Record<string, Shape<unknown>>>(
  fields: F,
  expected = 'an object',
): Shape<{ [K in keyof F]: Of<F[K]> }> => ({
  check: (value, path, refuse) => {
    if (!isObject(value)) return refuse(path, expected, value);
    for (const key of Object.keys(fields))
      fields[key]!.check(Object.hasOwn(value, key) ? value[key] : undefined, within(path, key), refuse);
  },
});

const within = (path: string, key: string) =>
  `${path}${path === '' ? '' : '.'}${key.length > 60 ? `${key.slice(0, 60)}…` : key}`;
