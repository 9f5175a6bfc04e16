import type { Tensor } from '../../formats/types.js';

// Constants that exporters made of a parameter by moving its numbers: looked up by a table of indices, turned, cut.

/** Numbers compared of one pair of tensors. */
const MOST = 4_000_000;

/**
 * Where each number of `wanted` lies in `there`, by its value: rows of a table [rows, width] first, wherever its width is an axis of
 * `wanted`, else single numbers. null where one is not there, or more than once, or they are too few or too round to tell.
 */
export function gatheredFrom(there: Tensor, wanted: Tensor): number[] | null {
  if (there.data.length > MOST || wanted.data.length > MOST || !canTell(wanted)) return null;
  return byRows(there, wanted) ?? byNumbers(there.data, wanted.data);
}

/** Four different numbers, and not whole ones alone, as counts and masks are. */
export function canTell({ data }: Tensor): boolean {
  const seen = new Set<number>();
  let whole = true;
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    if (!Number.isFinite(value)) continue;
    if (seen.size < 4) seen.add(value);
    if (!Number.isInteger(value)) whole = false;
    if (seen.size > 3 && !whole) return true;
  }
  return false;
}

/** Keys → their one place; -1 for a key that stands at several. */
function placesOf<K>(keys: Iterable<K>): Map<K, number> {
  const places = new Map<K, number>();
  let i = 0;
  for (const key of keys) {
    places.set(key, places.has(key) ? -1 : i);
    i++;
  }
  return places;
}

function byRows(there: Tensor, wanted: Tensor): number[] | null {
  const [rows, width] = there.shape;
  if (there.shape.length !== 2 || !width || width < 2) return null;
  const keyAt = (data: Tensor['data'], from: number, step: number) => {
    let key = '';
    for (let i = 0; i < width; i++) key += `${Math.fround(Number(data[from + i * step]))} `;
    return key;
  };
  const known = placesOf(Array.from({ length: rows! }, (_, row) => keyAt(there.data, row * width, 1)));
  for (const [axis, side] of wanted.shape.entries()) {
    if (side !== width) continue;
    const after = wanted.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const places = new Array<number>(wanted.data.length);
    let found = true;
    for (let i = 0; found && i < wanted.data.length; i++) {
      if (Math.floor(i / after) % width) continue;
      const row = known.get(keyAt(wanted.data, i, after)) ?? -1;
      found = row >= 0;
      for (let j = 0; j < width; j++) places[i + j * after] = row * width + j;
    }
    if (found) return places;
  }
  return null;
}

function byNumbers(there: Tensor['data'], wanted: Tensor['data']): number[] | null {
  const known = placesOf(Array.from(there as ArrayLike<number | bigint>, (x) => Math.fround(Number(x))));
  const places = new Array<number>(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    const place = known.get(Math.fround(Number(wanted[i]))) ?? -1;
    if (place < 0) return null;
    places[i] = place;
  }
  return places;
}
