import { EpochscopeError, formatBytes } from '@epochscope/core-wasm';

/** Edges between points, each with its lower and its higher end; keys are float32 distances as they are compared, by their bits. */
export interface Edges {
  low: Uint32Array;
  high: Uint32Array;
  /** Bits of a float32 that is not negative: they order like the numbers. */
  keys: Uint32Array;
}

export const edgeCount = ({ keys }: Edges): number => keys.length;

/**
 * Keeps of edges, which come in the order of key, higher end, lower end, what Prim's algorithm needs of them, its ties going by index (least key, of equals the
 * lowest new point, of these the lowest visited one). Kruskal's algorithm with all equal edges taken together, less those that ties make needless. Let
 * an edge u–v join two components of the edges below its key w. It is left out
 *
 * 1. if its ends are joined by edges below w (it is heavy);
 * 2. if an edge u′–v of key w goes to the same component as u with u′ < u: whichever component Prim comes from, u′ is the first it takes;
 * 3. if a point a < u, v has edges of key w to both: after one end's component Prim takes a before the other end, and a is the lower parent.
 *
 * 2 and 3 stay true when more edges, of any key, come in from elsewhere: so parts of the edges may be thinned apart and then together. Of all
 * pairs of n points equally far apart n − 1 remain.
 */
export class EdgeFilter {
  private low: Uint32Array;
  private high: Uint32Array;
  private keys: Uint32Array;
  private count = 0;
  /** First edge of the level at hand: of the same key. */
  private level = 0;
  private readonly root: Uint32Array;
  /** Per point: where its edges to lower points begin, at this level. */
  private readonly begin: Uint32Array;
  /** Points and components that the higher end at hand has an edge to: by a stamp of its own. */
  private readonly near: Uint32Array;
  private readonly nearRoot: Uint32Array;
  private stamp = 0;
  private lastHigh = -1;

  /** @param limit bytes that kept edges may take. */
  constructor(
    readonly n: number,
    private readonly limit = Number.POSITIVE_INFINITY,
  ) {
    const room = Math.max(16, Math.ceil(1.1 * n));
    this.low = new Uint32Array(room);
    this.high = new Uint32Array(room);
    this.keys = new Uint32Array(room);
    this.root = Uint32Array.from({ length: n }, (_, i) => i);
    this.begin = new Uint32Array(n);
    this.near = new Uint32Array(n);
    this.nearRoot = new Uint32Array(n);
  }

  /** Throws `memory` once more than the limit are kept. */
  add(low: number, high: number, key: number): void {
    if (this.count > this.level && this.keys[this.level] !== key) this.closeLevel();
    const from = this.find(low);
    if (from === this.find(high)) return;
    if (high !== this.lastHigh) {
      this.stamp++;
      this.lastHigh = high;
      this.begin[high] = this.count;
    }
    const { stamp } = this;
    if (this.nearRoot[from] === stamp) return;
    // A lower point that both have an edge to.
    for (let e = this.begin[low]!; e >= this.level && e < this.count && this.high[e] === low; e++)
      if (this.near[this.low[e]!] === stamp) return;
    if (this.count === this.keys.length) this.grow();
    this.low[this.count] = low;
    this.high[this.count] = high;
    this.keys[this.count++] = key;
    this.near[low] = stamp;
    this.nearRoot[from] = stamp;
  }

  /** What was kept, in order. Nothing is to be added afterwards. */
  finish(): Edges {
    return {
      low: this.low.slice(0, this.count),
      high: this.high.slice(0, this.count),
      keys: this.keys.slice(0, this.count),
    };
  }

  private closeLevel(): void {
    for (let e = this.level; e < this.count; e++) {
      const [a, b] = [this.find(this.low[e]!), this.find(this.high[e]!)];
      // The lower index stays root: cheap enough with halved paths.
      if (a !== b) this.root[Math.max(a, b)] = Math.min(a, b);
    }
    this.level = this.count;
    this.lastHigh = -1;
  }

  private find(i: number): number {
    const { root } = this;
    for (;;) {
      const up = root[i]!;
      if (up === i) return i;
      const above = root[up]!;
      root[i] = above;
      i = above;
    }
  }

  private grow(): void {
    const room = Math.ceil(1.5 * this.keys.length);
    // Old and new arrays at once.
    if (12 * (room + this.keys.length) > this.limit) throw tooManyTies(this.n, this.keys.length, this.limit);
    const grown = (from: Uint32Array) => {
      const to = new Uint32Array(room);
      to.set(from);
      return to;
    };
    this.low = grown(this.low);
    this.high = grown(this.high);
    this.keys = grown(this.keys);
  }
}

/** Edges in the order of key, higher end, lower end. Radix sort; time and memory O(edges). */
export function sortEdges({ low, high, keys }: Edges): Edges {
  const count = keys.length;
  let order = new Uint32Array(count);
  let other = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  const places = new Uint32Array(65537);
  for (const values of [low, high, keys])
    for (const shift of [0, 16]) {
      places.fill(0);
      for (let i = 0; i < count; i++) places[((values[i]! >>> shift) & 65535) + 1]!++;
      // All in one place: nothing moves.
      if (count && places[((values[0]! >>> shift) & 65535) + 1] === count) continue;
      for (let p = 1; p < 65537; p++) places[p]! += places[p - 1]!;
      for (let i = 0; i < count; i++) {
        const e = order[i]!;
        other[places[(values[e]! >>> shift) & 65535]!++] = e;
      }
      [order, other] = [other, order];
    }
  const pick = (values: Uint32Array) => {
    const out = new Uint32Array(count);
    for (let i = 0; i < count; i++) out[i] = values[order[i]!]!;
    return out;
  };
  return { low: pick(low), high: pick(high), keys: pick(keys) };
}

/** Edges with their ends in order, `rows` naming the points. */
export function edgesOf(
  { from, to, keys }: { from: Uint32Array; to: Uint32Array; keys: Float32Array },
  rows: ArrayLike<number> | null = null,
): Edges {
  const count = keys.length;
  const low = new Uint32Array(count);
  const high = new Uint32Array(count);
  for (let e = 0; e < count; e++) {
    const a = rows ? rows[from[e]!]! : from[e]!;
    const b = rows ? rows[to[e]!]! : to[e]!;
    low[e] = Math.min(a, b);
    high[e] = Math.max(a, b);
  }
  return { low, high, keys: new Uint32Array(keys.buffer, keys.byteOffset, count) };
}

/** Bytes that an edge takes while edges are thinned: as it came, in order, and what sorting needs. */
const THINNED = 32;

/** Edges that come list by list and are thinned whenever there are many. */
export class EdgeBag {
  private lists: Edges[] = [];
  private waiting = 0;
  private readonly most: number;
  /** @param limit bytes that edges may take, also while they are thinned. */
  constructor(
    private readonly n: number,
    private readonly limit: number,
  ) {
    this.most = Math.min(Math.max(4e6, 8 * n), Math.max(0, limit) / (2 * THINNED));
  }

  /** Throws `memory`. */
  add(edges: Edges): void {
    this.lists.push(edges);
    this.waiting += edgeCount(edges);
    if (this.waiting > this.most) this.thin();
  }

  /** All, thinned, in order. */
  finish(): Edges {
    return this.thin();
  }

  private thin(): Edges {
    const { low, high, keys } = sortEdges(joined(this.lists.splice(0)));
    // Beside what is kept stands what is being thinned.
    const filter = new EdgeFilter(this.n, this.limit - 12 * keys.length);
    for (let e = 0; e < keys.length; e++) filter.add(low[e]!, high[e]!, keys[e]!);
    const kept = filter.finish();
    if (2 * THINNED * edgeCount(kept) > this.limit) throw tooManyTies(this.n, edgeCount(kept), this.limit);
    this.lists = [kept];
    // What is kept does not count towards the next thinning.
    this.waiting = 0;
    return kept;
  }
}

const joined = (lists: readonly Edges[]): Edges => ({
  low: join(lists.map(({ low }) => low)),
  high: join(lists.map(({ high }) => high)),
  keys: join(lists.map(({ keys }) => keys)),
});

/** The same would be met again. */
const tooManyTies = (n: number, edges: number, limit: number): EpochscopeError =>
  new EpochscopeError(
    'memory',
    `more than ${edges} pairs of ${n} points lie exactly as far apart as others that matter: these ties take more than ${formatBytes(Math.max(0, limit))}; allow more by \`memory\`, leave equal coordinates out, or take fewer samples`,
    { limit, edges, retry: false },
  );

function join(lists: Uint32Array[]): Uint32Array {
  const out = new Uint32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const list of lists) {
    out.set(list, at);
    at += list.length;
  }
  return out;
}
