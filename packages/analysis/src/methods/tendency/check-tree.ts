import { EpochscopeError, guard, type Metric, type VatResult } from '@epochscope/core-wasm';
import { pointDistance } from '@epochscope/core-wasm/reference';
import type { Engine, JobOptions } from '../../engine/types.js';
import { toFloat64 } from '../../formats/dtypes.js';
import type { TensorData } from '../../formats/types.js';
import { yieldToEventLoop } from '../../yield.js';
import type { TendencyInput } from './analyse.js';
import { type TendencyMetric, vatOf } from './space.js';

/** Edges of a spanning tree as another library gives them. */
export interface SpanningTree {
  /** Of the file; for messages. */
  name: string;
  /** uint32[n − 1] each: the ends. */
  from: Uint32Array;
  to: Uint32Array;
  /** float64[n − 1]; null where the file gives none. */
  weights: Float64Array | null;
}

/** What was found of a tree that is minimal. */
export interface TreeCheck {
  edges: number;
  /** Sums of the weights, recomputed in float64: of the tree, and of the minimum spanning tree computed here. */
  total: number;
  minimalTotal: number;
  /**
   * The largest share of an edge by which it is longer than the longest edge between its ends in the tree computed
   * here: 0, or what rounding leaves.
   */
  largestExcess: number;
  /** Relative difference of the tree's weights from those recomputed, at most; null without weights. */
  largestWeightError: number | null;
}

/** Two float32 sums of one distance may differ so much, relatively. */
const RELATIVE = 1e-5;
/** Cosine and correlation, which many take as 1 − a·b, so much. */
const ABSOLUTE = 4e-7;

/**
 * Rows [from, to] or [from, to, weight] as a spanning tree of n samples, indices from 0. Throws `format` naming the
 * row and what is wrong: not n − 1 edges, an end that is no sample, an edge that closes a cycle.
 */
export function readSpanningTree(
  name: string,
  data: TensorData,
  [rows, columns]: readonly [number, number],
  n: number,
): SpanningTree {
  const wrong = (message: string, fields = {}) => {
    throw new EpochscopeError('format', `${name}: ${message}`, { tree: name, ...fields });
  };
  if (columns !== 2 && columns !== 3)
    wrong(`expected rows of 2 columns (from, to) or 3 (from, to, weight), got ${columns}`, { columns });
  const values = toFloat64(data);
  const from = new Uint32Array(rows);
  const to = new Uint32Array(rows);
  const weights = columns === 3 ? new Float64Array(rows) : null;
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let e = 0; e < rows; e++)
    for (const end of [values[e * columns]!, values[e * columns + 1]!]) {
      least = Math.min(least, end);
      most = Math.max(most, end);
    }
  if (least === 1 && most === n)
    wrong(`its samples are numbered 1 to ${n}: expected 0 to ${n - 1}; take 1 from the first two columns`);
  if (rows !== n - 1)
    wrong(`a spanning tree of ${n} samples has ${n - 1} edges, one a row; got ${rows}`, {
      expected: n - 1,
      got: rows,
    });
  const root = Uint32Array.from({ length: n }, (_, i) => i);
  for (let e = 0; e < rows; e++) {
    const ends = [values[e * columns]!, values[e * columns + 1]!] as const;
    for (const end of ends)
      if (!Number.isInteger(end) || end < 0 || end >= n)
        wrong(`edge ${e} ends at ${end}: expected a sample, 0 to ${n - 1}`, { edge: e });
    [from[e], to[e]] = ends;
    const [a, b] = [find(root, from[e]!), find(root, to[e]!)];
    if (a === b)
      wrong(
        `edge ${e}, of samples ${from[e]} and ${to[e]}, closes a cycle: the edges before it join these already, so that some sample is left out`,
        { edge: e, from: from[e]!, to: to[e]! },
      );
    root[a] = b;
    if (weights) weights[e] = values[e * columns + 2]!;
  }
  return { name, from, to, weights };
}

/**
 * Proves or refutes that a spanning tree of the input's samples is minimal. A spanning tree is minimal exactly if none
 * of its edges is longer than the longest edge on the path between its ends in one that is; and sorted weights of all
 * minimal ones are the same. Weights are recomputed in float64 for both.
 *
 * Accepted as rounding: a relative 1e-5, for cosine and correlation 4e-7 more, and what float32 rows leave open.
 * Throws `format` with the first edge that is wrong and why, beside what `analyseTendency` throws. Time that of VAT and
 * O(n·(d + log n)), with `core` O(n²·(d + log n)); memory 8·n·d bytes beside VAT's.
 */
export async function checkSpanningTree(
  engine: Pick<Engine, 'vat' | 'vatFromMatrix'>,
  input: TendencyInput,
  tree: SpanningTree,
  metric: TendencyMetric,
  options: JobOptions & { core?: number } = {},
): Promise<TreeCheck> {
  const n = input.outputs.shape[0];
  guard(n >= 2, 'argument', () => `a spanning tree needs at least 2 samples, got ${n}`, { n });
  const vat = await vatOf(engine, input, metric, options);
  const { distance, rounding } = await distancesOf(input, metric, options);
  const minimal = climbable(vat, distance);
  const { name, from, to, weights } = tree;
  const check: TreeCheck = {
    edges: from.length,
    total: 0,
    minimalTotal: minimal.total,
    largestExcess: 0,
    largestWeightError: weights ? 0 : null,
  };
  const wrong = (edge: number, message: string, fields: Record<string, number>): never => {
    throw new EpochscopeError('format', `${name} is no minimum spanning tree: edge ${edge} ${message}`, {
      tree: name,
      edge,
      from: from[edge]!,
      to: to[edge]!,
      ...fields,
    });
  };
  for (let e = 0; e < from.length; e++) {
    const [i, j] = [from[e]!, to[e]!];
    const weight = distance(i, j);
    const room = RELATIVE * weight + rounding(i, j);
    check.total += weight;
    if (weights) {
      const given = weights[e]!;
      const off = Math.abs(given - weight);
      if (!(off <= room))
        wrong(
          e,
          `joins samples ${i} and ${j} at ${number(given)}, but their ${options.core ? 'mutual reachability' : metric === 'precomputed' ? 'dissimilarity' : `${metric} distance`} is ${number(weight)}${powerOf(given, weight)}`,
          { given, weight },
        );
      if (weight > 0) check.largestWeightError = Math.max(check.largestWeightError!, off / weight);
    }
    const { longest, a, b } = minimal.between(i, j);
    if (weight > longest + RELATIVE * longest + rounding(i, j) + rounding(a, b))
      wrong(
        e,
        `joins samples ${i} and ${j} at ${number(weight)}, but a path between them has no edge longer than ${number(longest)} (samples ${a} and ${b}): an edge of it in place of this one makes the tree lighter by ${number(weight - longest)} or more`,
        { weight, longest, longestFrom: a, longestTo: b },
      );
    if (weight > longest) check.largestExcess = Math.max(check.largestExcess, (weight - longest) / weight);
  }
  return check;
}

/** Up to nine digits, as a float32 needs. */
const number = (value: number) => String(Number(value.toPrecision(9)));

/** Says where a weight is another form of the distance. */
function powerOf(given: number, weight: number): string {
  const near = (value: number) => Math.abs(given - value) <= 1e-4 * Math.abs(value);
  if (near(weight * weight)) return ', of which it is the square';
  if (near(Math.sqrt(weight))) return ', of which it is the root';
  return near(weight / 2) || near(2 * weight) ? ', of which it is half or twice as much' : '';
}

/** What edges weigh, in float64: dissimilarities or, with `core`, mutual reachabilities by every sample's distances. */
async function distancesOf(
  input: TendencyInput,
  metric: TendencyMetric,
  { core = 0, signal }: JobOptions & { core?: number },
): Promise<Distances> {
  const { distance, rounding } = plainDistances(input, metric);
  if (!core) return { distance, rounding };
  const n = input.outputs.shape[0];
  // The neighbour that a core distance goes to, and the distance.
  const neighbours = new Uint32Array(n);
  const cores = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    if (i % 64 === 0) {
      await yieldToEventLoop();
      if (signal?.aborted) throw new EpochscopeError('cancelled', 'the check was cancelled');
    }
    const row = Float64Array.from({ length: n }, (_, j) =>
      j === i ? Number.POSITIVE_INFINITY : distance(i, j),
    );
    cores[i] = row.slice().sort()[core - 1]!;
    neighbours[i] = row.indexOf(cores[i]!);
  }
  return {
    distance: (i, j) => Math.max(distance(i, j), cores[i]!, cores[j]!),
    rounding: (i, j) => Math.max(rounding(i, j), rounding(i, neighbours[i]!), rounding(j, neighbours[j]!)),
  };
}

interface Distances {
  distance: (i: number, j: number) => number;
  /** How far float32 rows may have moved a distance. */
  rounding: (i: number, j: number) => number;
}

function plainDistances({ outputs, space }: TendencyInput, metric: TendencyMetric): Distances {
  const unit = space?.unit ?? 1;
  if (space?.metric === 'matrix') {
    const [n] = outputs.shape;
    return { distance: (i, j) => outputs.data[i * n + j]! * unit, rounding: () => 0 };
  }
  const between = pointDistance(outputs, space?.metric ?? (metric as Metric));
  const errors = space?.rounding?.errors;
  if (metric === 'cosine' || metric === 'correlation') {
    const error = (i: number, j: number) => ABSOLUTE + (errors ? errors[i]! + errors[j]! : 0);
    if (!space?.halfSquare) return { distance: between, rounding: error };
    return { distance: (i, j) => 0.5 * (between(i, j) * unit) ** 2, rounding: error };
  }
  return {
    distance: (i, j) => between(i, j) * unit,
    rounding: (i, j) => (errors ? (errors[i]! + errors[j]!) * unit : 0),
  };
}

/**
 * A minimum spanning tree as joins of components, smaller under larger: the longest edge between two samples is found
 * by climbing at most 2·log₂ n of them.
 */
function climbable({ order, parent }: VatResult, distance: (i: number, j: number) => number) {
  const n = order.length;
  const weights = Float64Array.from(parent, (u, k) => distance(u, order[k + 1]!));
  const sorted = Uint32Array.from(weights, (_, k) => k).sort((a, b) => weights[a]! - weights[b]! || a - b);
  const root = Uint32Array.from({ length: n }, (_, i) => i);
  const size = new Uint32Array(n).fill(1);
  const up = new Uint32Array(n);
  // When a sample's component was joined to another: the place in `sorted`.
  const joined = new Uint32Array(n).fill(n);
  sorted.forEach((k, place) => {
    const [a, b] = [find(root, parent[k]!), find(root, order[k + 1]!)];
    const [under, over] = size[a]! <= size[b]! ? [a, b] : [b, a];
    root[under] = over;
    up[under] = over;
    joined[under] = place;
    size[over] = size[over]! + size[under]!;
  });
  return {
    total: weights.reduce((sum, weight) => sum + weight, 0),
    between(i: number, j: number): { longest: number; a: number; b: number } {
      let place = 0;
      while (i !== j)
        if (joined[i]! < joined[j]!) {
          place = joined[i]!;
          i = up[i]!;
        } else {
          place = joined[j]!;
          j = up[j]!;
        }
      const k = sorted[place]!;
      return { longest: weights[k]!, a: parent[k]!, b: order[k + 1]! };
    },
  };
}

function find(root: Uint32Array, i: number): number {
  while (root[i] !== i) {
    root[i] = root[root[i]!]!;
    i = root[i]!;
  }
  return i;
}
