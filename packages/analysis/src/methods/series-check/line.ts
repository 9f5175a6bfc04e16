// Snapshots of a training as points on a line: which are out of it, from the distances of each to the next ones.

/**
 * Excess over which a snapshot is out of line. Along a training that goes on, the way over a snapshot is at most 1.84 times the way past it
 * (five series, 200 trials a fault): the whole net's figure is over 2, one tensor's over 2.5, only where something was swapped or replaced.
 */
export const SERIES_EXCESS = { whole: 2, tensor: 2.5 } as const;
const { whole: WHOLE, tensor: TENSOR } = SERIES_EXCESS;
/**
 * With few values a sound training turns round by chance: a tensor is out of line only if both ways to it are also STEP times as long as
 * any step around it.
 */
const STEP = 2;
/**
 * Two snapshots stand in each other's place where the way through them is so many times shorter with the two exchanged. Along a straight line
 * two that are two apart make it 2 times as long, along a random walk 1.37 times; the excess of each is then 2 and 1.93, and tells nothing.
 */
const EXCHANGE = 1.15;
/** One of them has at least this excess: pairs beside such a pair have less. */
const SUSPECT = 1.6;

/** Snapshots so far apart are compared at most: enough where some that lie between are out of line. */
const LAGS = 10;

/** [lag][i]: squared distance between snapshots i and i + lag. */
export type Distances = Float64Array[];
export const distances = (n: number): Distances =>
  Array.from({ length: LAGS + 1 }, () => new Float64Array(n));

/** Distance between two snapshots; NaN where that is not known. */
function between(d: Distances, a: number, b: number): number {
  const lag = Math.abs(b - a);
  return lag > LAGS ? Number.NaN : Math.sqrt(d[lag]![Math.min(a, b)]!);
}

/** The way over b against the way from a to c; Infinity where a and c are equal; null where that is not known or 0/0. */
export function ratio(
  d: Distances,
  a: number | undefined,
  b: number | undefined,
  c: number | undefined,
  n: number,
): number | null {
  if (a === undefined || b === undefined || c === undefined || a < 0 || c < 0 || a >= n || c >= n)
    return null;
  const value = (between(d, a, b) + between(d, b, c)) / between(d, a, c);
  return Number.isNaN(value) ? null : value;
}

/** Length of the way through these; NaN where a distance is not known. */
const way = (d: Distances, list: readonly number[]) =>
  list.reduce((sum, b, i) => (i ? sum + between(d, list[i - 1]!, b) : 0), 0);

/**
 * Pairs that stand in each other's place, two or more apart (neighbours that do are out of line by their excess): exchanged, the way through
 * them is shorter, hardly longer than without any one of them, and nothing near them out of line. `order`: with these exchanged; `places`: of
 * each the other. Not for ends, nor for copies, which are told by being equal; those farther apart have an excess that tells. O(snapshots).
 */
export function exchanged(
  d: Distances,
  n: number,
  copied: ReadonlySet<number>,
): { order: number[]; places: Map<number, number> } {
  const order = Array.from({ length: n }, (_, i) => i);
  const places = new Map<number, number>();
  for (let k = 1; k < n - 3; k++)
    for (let m = k + 2; m < n - 1 && m - k < LAGS - 1; m++) {
      const [a, b] = [order[k]!, order[m]!];
      if (copied.has(a) || copied.has(b)) continue;
      const suspect = (i: number) => (ratio(d, order[i - 1], order[i], order[i + 1], n) ?? 0) > SUSPECT;
      if (!suspect(k) && !suspect(m)) continue;
      const from = Math.max(0, k - 2);
      const near = order.slice(from, m + 3);
      near[k - from] = b;
      near[m - from] = a;
      const here = order.slice(k - 1, m + 2);
      const then = way(d, near.slice(k - 1 - from, m + 2 - from));
      if (!(way(d, here) > EXCHANGE * then)) continue;
      const without = here.slice(1, -1).map((_, i) => way(d, here.toSpliced(i + 1, 1)));
      if (without.some((length) => then > EXCHANGE * length)) continue;
      const inLine = (i: number, x: number) => (ratio(d, near[x], i, near[x + 2], n) ?? Number.NaN) <= WHOLE;
      if (!near.slice(1, -1).every(inLine)) continue;
      order[k] = b;
      order[m] = a;
      places.set(a, b).set(b, a);
    }
  return { order, places };
}

/** Of tensors with few values: both ways to a snapshot are longer than the steps around it, and the way past it. */
export function farOut(d: Distances, among: readonly number[], n: number): Map<number, number> {
  const found = new Map<number, number>();
  const step = (k: number) => (k < 1 || k >= among.length ? 0 : between(d, among[k - 1]!, among[k]!));
  for (let k = 1; k < among.length - 1; k++) {
    const [a, b, c] = [among[k - 1]!, among[k]!, among[k + 1]!];
    const excess = ratio(d, a, b, c, n);
    const around = STEP * Math.max(between(d, a, c), step(k - 1), step(k + 2));
    if (excess !== null && excess > TENSOR && Math.min(step(k), step(k + 1)) > around) found.set(b, excess);
  }
  return found;
}

/**
 * A snapshot that is out of line makes its neighbours look so too: the one without which the fewest others do goes first (of several, the
 * one with the longest detour), until none is left. O(snapshots) for a sound series.
 */
export function outOfLine(
  d: Distances,
  among: readonly number[],
  n: number,
  limit: number,
): Map<number, number> {
  const left = [...among];
  const found = new Map<number, number>();
  const length = (a: number, b: number) => between(d, a, b) || 0;
  const bad = (list: readonly (number | undefined)[], k: number) => {
    const excess = ratio(d, list[k - 1], list[k], list[k + 1], n);
    return excess !== null && excess > limit;
  };
  for (;;) {
    const near = new Set(left.flatMap((_, k) => (bad(left, k) ? [k - 1, k, k + 1] : [])));
    if (!near.size) return found;
    let best: { k: number; gain: number; detour: number } | null = null;
    for (const k of near) {
      if (k === 0 || k === left.length - 1) continue;
      const around = left.slice(Math.max(0, k - 2), k + 3);
      const at = Math.min(k, 2);
      const without = around.toSpliced(at, 1);
      const count = (list: readonly number[]) => list.filter((_, i) => bad(list, i)).length;
      const gain = count(around) - count(without);
      const [a, b, c] = [left[k - 1]!, left[k]!, left[k + 1]!];
      const detour = length(a, b) + length(b, c) - length(a, c);
      if (!best || gain > best.gain || (gain === best.gain && detour > best.detour))
        best = { k, gain, detour };
    }
    const { k } = best!;
    found.set(left[k]!, ratio(d, left[k - 1]!, left[k]!, left[k + 1]!, n) ?? Infinity);
    left.splice(k, 1);
  }
}
