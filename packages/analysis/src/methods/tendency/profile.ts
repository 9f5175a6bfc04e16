/**
 * Indices of weights ≥ 0, ascending; equal weights by index. Radix sort on the bits, which rise with a float32 ≥ 0.
 * O(n) time, 12·n bytes.
 */
export function ascendingOrder(weights: Float32Array): Uint32Array {
  // + 0 makes −0 a 0.
  const keys = new Uint32Array(weights.map((w) => w + 0).buffer);
  let from = Uint32Array.from({ length: keys.length }, (_, i) => i);
  let to = new Uint32Array(keys.length);
  for (const shift of [0, 16]) {
    const starts = new Uint32Array(65537);
    for (const key of keys) starts[((key >>> shift) & 0xffff) + 1]!++;
    for (let b = 0; b < 65536; b++) starts[b + 1]! += starts[b]!;
    for (const i of from) to[starts[(keys[i]! >>> shift) & 0xffff]!++] = i;
    [from, to] = [to, from];
  }
  return from;
}

/** Neighbouring runs of positions that are united across the weight between them. */
export interface Runs {
  /** First position of the run that ends at a position. */
  start: Uint32Array;
  /** Last position of the run that starts at a position. */
  end: Uint32Array;
}

/** Every position a run of its own. */
export function singleRuns(n: number): Runs {
  const start = Uint32Array.from({ length: n }, (_, i) => i);
  return { start, end: start.slice() };
}

/** How many runs of at least `minimum` positions there are, and how many positions are in them, by number of cuts. */
export interface Profile {
  counts: Int32Array;
  covered: Int32Array;
  /** The weights between the positions that count, ascending. */
  sorted: Float32Array;
}

/**
 * For r = 0 … m−1: how many runs of at least `minimum` positions are left when the r largest weights are cut (equal
 * weights: the later position first), and how many positions are in them; m positions in all.
 * `kept` (ascending) counts only those positions: a weight between two of them is the largest on the way, so that paths
 * may pass through the others; the sorted order of all weights serves every such choice. O(n).
 */
export function blockCounts(
  weights: Float32Array,
  minimum: number,
  ascending: Uint32Array = ascendingOrder(weights),
  kept?: Uint32Array,
): Profile {
  const n = weights.length + 1;
  const m = kept ? kept.length : n;
  // before[p]: kept positions in front of p.
  const before = Uint32Array.from({ length: n + 1 }, (_, i) => (kept ? 0 : i));
  if (kept) {
    for (const p of kept) before[p + 1] = 1;
    for (let p = 0; p < n; p++) before[p + 1]! += before[p]!;
  }
  const { start, end } = singleRuns(n);
  const counts = new Int32Array(m);
  const covered = new Int32Array(m);
  const sorted = new Float32Array(Math.max(0, m - 1));
  let count = minimum <= 1 ? m : 0;
  let inside = count;
  let cuts = m - 1;
  counts[cuts] = count;
  covered[cuts] = inside;
  for (const at of ascending) {
    const left = start[at]!;
    const right = end[at + 1]!;
    end[left] = right;
    start[right] = left;
    const a = before[at + 1]! - before[left]!;
    const b = before[right + 1]! - before[at + 1]!;
    if (a === 0 || b === 0) continue;
    count += Number(a + b >= minimum) - Number(a >= minimum) - Number(b >= minimum);
    inside += (a + b >= minimum ? a + b : 0) - (a >= minimum ? a : 0) - (b >= minimum ? b : 0);
    sorted[m - 1 - cuts] = weights[at]!;
    cuts--;
    counts[cuts] = count;
    covered[cuts] = inside;
  }
  return { counts, covered, sorted };
}

/**
 * Cuts the `cuts` largest weights: runs of at least `minimum` positions are blocks, and each shorter one joins a neighbour, lowest
 * weight first, until the blocks share out all positions. Shorter runs that meet are still none, so there are as many blocks as
 * `blockCounts` says, or one if it says none. Positions where a block begins, and n at the end. O(n).
 */
export function runsAfterCuts(
  weights: Float32Array,
  ascending: Uint32Array,
  cuts: number,
  minimum: number,
): Uint32Array {
  const n = weights.length + 1;
  const { start, end } = singleRuns(n);
  const unite = (left: number, right: number) => {
    end[left] = right;
    start[right] = left;
  };
  const whole = n - 1 - cuts;
  for (const at of ascending.subarray(0, whole)) unite(start[at]!, end[at + 1]!);
  // At a run's first position: whether it is a block, or has joined one.
  const holds = new Uint8Array(n);
  for (let p = 0; p < n; p = end[p]! + 1) holds[p] = Number(end[p]! - p + 1 >= minimum);
  const boundaries = [0, n];
  for (const at of ascending.subarray(whole)) {
    const left = start[at]!;
    if (holds[left] && holds[at + 1]) {
      boundaries.push(at + 1);
      continue;
    }
    holds[left]! |= holds[at + 1]!;
    unite(left, end[at + 1]!);
  }
  return Uint32Array.from(boundaries).sort();
}
