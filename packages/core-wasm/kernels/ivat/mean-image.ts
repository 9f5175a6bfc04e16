// For a in block p and b in block q > p: D'(a,b) = max(S[a], M, P[b]) with S[a] the largest edge from a to the end of
// its block, M the largest edge between the blocks, P[b] the largest from the start of b's block to b. S falls and P
// rises along the positions, and both take few values: a run for each, from the edge between the blocks outwards,
// gives every sum.
import type { Blocks } from './blocks.js';

/** The right of the diagonal. */
export function meanImage(w: Float32Array, { side, start, end, gap }: Blocks): Float32Array {
  const out = new Float32Array(side * side);
  const inner = new Float32Array(side);
  const falling = new Runs(side);
  const rising = new Runs(side);
  const scan = scanner(w, largestBlock(start, end));
  for (let p = 0; p < side; p++) {
    const rows = end[p]! - start[p]!;
    out[p * side + p] = (2 * scan(start[p]!, end[p]!, falling, rising)) / (rows * rows);
    inner[p] = rising.last();
  }
  // rest[q]: nothing from block q on is larger.
  const rest = new Float32Array(side + 1);
  for (let q = side - 1; q >= 0; q--) rest[q] = Math.max(rest[q + 1]!, inner[q]!, gap[q]!);
  for (let p = 0; p < side; p++) {
    const rows = end[p]! - start[p]!;
    const line = p * side;
    const top = inner[p]!;
    let m = 0;
    for (let q = p + 1; q < side; q++) {
      if (gap[q]! > m) m = gap[q]!;
      const right = inner[q]!;
      if (m < top || m < right) {
        const columns = end[q]! - start[q]!;
        out[line + q] = blockSum(falling, p, rising, q, m) / (rows * columns);
        if (right > m) m = right;
      } else if (m < rest[q]!) out[line + q] = m;
      else {
        out.fill(m, line + q, line + side);
        break;
      }
    }
  }
  return out;
}

/** Runs of equal S or P of every block, their values rising. */
class Runs {
  value = new Float32Array(4096);
  /** Positions of the block in this run and those below, and the sum over them. */
  count = new Uint32Array(4096);
  sum = new Float64Array(4096);
  /** start[p]: first run of block p; start[p + 1]: one past its last. */
  readonly start: Uint32Array;
  private used = 0;
  private blocks = 0;

  constructor(side: number) {
    this.start = new Uint32Array(side + 1);
  }

  add(value: number, count: number): void {
    if (this.used === this.value.length) {
      this.value = doubled(this.value, new Float32Array(2 * this.used));
      this.count = doubled(this.count, new Uint32Array(2 * this.used));
      this.sum = doubled(this.sum, new Float64Array(2 * this.used));
    }
    const first = this.used === this.start[this.blocks];
    this.value[this.used] = value;
    this.count[this.used] = count + (first ? 0 : this.count[this.used - 1]!);
    this.sum[this.used] = value * count + (first ? 0 : this.sum[this.used - 1]!);
    this.used++;
  }

  endBlock(): void {
    this.start[++this.blocks] = this.used;
  }

  last(): number {
    return this.value[this.used - 1]!;
  }
}

function doubled<T extends Float32Array | Float64Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

// Sum of max(S[a], m, P[b]) over the block pair. While both sides have runs above m, the largest run meets all
// positions that are left on the other side; then the runs of one side above m meet the rest of the other at once.
function blockSum(S: Runs, p: number, P: Runs, q: number, m: number): number {
  const s0 = S.start[p]!;
  const t0 = P.start[q]!;
  let i = S.start[p + 1]! - 1;
  let j = P.start[q + 1]! - 1;
  let s = S.value[i]!;
  let t = P.value[j]!;
  let sum = 0;
  while (s > m && t > m) {
    if (s > t) {
      const rows = S.count[i]! - (i > s0 ? S.count[i - 1]! : 0);
      sum += s * rows * P.count[j]!;
      if (i === s0) return sum;
      s = S.value[--i]!;
    } else {
      const columns = P.count[j]! - (j > t0 ? P.count[j - 1]! : 0);
      sum += t * columns * S.count[i]!;
      if (j === t0) return sum;
      t = P.value[--j]!;
    }
  }
  return sum + (s > m ? oneSided(S, s0, i, m) * P.count[j]! : oneSided(P, t0, j, m) * S.count[i]!);
}

// Sum of max(value, m) over the positions of runs first..last.
function oneSided({ value, count, sum }: Runs, first: number, last: number, m: number): number {
  let lo = first;
  let hi = last + 1;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (value[mid]! > m) hi = mid;
    else lo = mid + 1;
  }
  return lo === first ? sum[last]! : m * count[lo - 1]! + (sum[last]! - sum[lo - 1]!);
}

// One pass over a block: returns the sum of max(w[a..b−1]) over from ≤ a < b < to and adds its runs. For each b a
// stack holds the runs of equal max(w[a..b−1]) over a, falling; what it holds at the end is S, and an edge that
// empties it is a new P.
function scanner(w: Float32Array, longest: number) {
  const value = new Float32Array(longest + 1);
  const left = new Uint32Array(longest + 1);
  value[0] = Number.POSITIVE_INFINITY;
  return (from: number, to: number, falling: Runs, rising: Runs): number => {
    let total = 0;
    let sum = 0;
    let depth = 0;
    let high = 0;
    let since = from;
    for (let e = from; e < to - 1; e++) {
      const x = w[e]!;
      let a = e;
      while (value[depth]! <= x) {
        sum -= value[depth]! * (a - left[depth]!);
        a = left[depth--]!;
      }
      value[++depth] = x;
      left[depth] = a;
      sum += x * (e + 1 - a);
      total += sum;
      if (depth === 1 && x > high) {
        rising.add(high, e + 1 - since);
        since = e + 1;
        high = x;
      }
    }
    rising.add(high, to - since);
    rising.endBlock();
    falling.add(0, 1);
    for (let d = depth, right = to - 1; d > 0; right = left[d--]!) falling.add(value[d]!, right - left[d]!);
    falling.endBlock();
    return total;
  };
}

function largestBlock(start: Uint32Array, end: Uint32Array): number {
  let longest = 0;
  for (let p = 0; p < start.length; p++) longest = Math.max(longest, end[p]! - start[p]!);
  return longest;
}
