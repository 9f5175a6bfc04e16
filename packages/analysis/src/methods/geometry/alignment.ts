import { guard } from '@epochscope/core-wasm';
import { svdReference } from '@epochscope/core-wasm/reference';
import { type Random, random } from '../../random.js';
import { columnStatistics } from './dimension.js';
import { TANGENTS, type Tangent } from './tangents.js';
import type { GeometrySpectrum, TangentAlignment } from './types.js';

/** One input's share of the alignment; −1 where a tangent vanished. */
export interface AlignmentOfInput {
  /** float64[names × ks]. */
  cosine: Float64Array;
  principal: Float64Array;
  principalRandom: Float64Array;
}

export const ALIGNMENT_NAMES: readonly string[] = [...TANGENTS, 'random', 'shuffled'];
/** Random directions whose mean stands beside each tangent. */
const DRAWS = 20;

/** 1, 2, 3, 5, 10, 20, … up to k. */
export function alignmentSteps(k: number): Uint32Array {
  const steps = [1, 2, 3, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 400, 500].filter((s) => s < k);
  return Uint32Array.from([...steps, k]);
}

/**
 * Projections of one input's unit tangent vectors onto its top right singular vectors, for each k in `ks`; random
 * directions beside them. cos² of a random direction is about k/columns.
 * @param right float64[≥ min(max(ks), rank) × columns], orthonormal rows.
 * @param rank how many of them have a σ of their own: the rest of `ks` adds nothing, as its vectors are arbitrary.
 */
export function alignInput(
  right: Float64Array,
  columns: number,
  tangents: ReadonlyMap<Tangent, Float64Array>,
  ks: Uint32Array,
  seed: number,
  input: number,
  rank = Number.POSITIVE_INFINITY,
): AlignmentOfInput {
  const most = Math.min(ks[ks.length - 1]!, rank);
  guard(
    right.length >= most * columns,
    'shape',
    () => `alignment: expected ${most} right vectors, got ${right.length / columns}`,
  );
  const source = random(seed, 0xa11, input);
  const cosine = new Float64Array(ALIGNMENT_NAMES.length * ks.length);
  const coordinates = (unit: Float64Array) =>
    Float64Array.from({ length: most }, (_, i) => dot(right, i * columns, unit));
  const put = (name: number, unit: Float64Array | null, weight: number) => {
    const parts = unit && coordinates(unit);
    for (let s = 0, i = 0, sum = 0; s < ks.length; s++) {
      if (parts) for (; i < Math.min(ks[s]!, most); i++) sum += parts[i]! ** 2;
      cosine[name * ks.length + s]! += parts ? weight * Math.sqrt(Math.min(1, sum)) : -1;
    }
  };
  const units = TANGENTS.map((name) => unitOf(tangents.get(name)!));
  for (const [i, unit] of units.entries()) put(i, unit, 1);
  for (let draw = 0; draw < DRAWS; draw++)
    put(TANGENTS.length, unitOf(normalVector(columns, source)), 1 / DRAWS);
  const present = units.filter((unit) => unit !== null);
  if (!present.length) put(TANGENTS.length + 1, null, 1);
  for (let draw = 0; draw < DRAWS && present.length; draw++)
    put(TANGENTS.length + 1, shuffled(present[draw % present.length]!, source), 1 / DRAWS);
  const others = TANGENTS.map(() => unitOf(normalVector(columns, source)));
  return {
    cosine,
    principal: principalCosines(present, right, most, columns),
    principalRandom: principalCosines(others, right, most, columns),
  };
}

/**
 * Cosines of the principal angles between the span of `vectors` and that of the first k rows of `right`, descending;
 * directions that depend on the others give none (−1 at the end). Björck & Golub 1973.
 */
export function principalCosines(
  vectors: readonly (Float64Array | null)[],
  right: Float64Array,
  k: number,
  columns: number,
): Float64Array {
  const basis: Float64Array[] = [];
  for (const vector of vectors) {
    if (!vector) continue;
    const rest = vector.slice();
    for (let pass = 0; pass < 2; pass++)
      for (const q of basis) {
        const part = dot(rest, 0, q);
        for (let i = 0; i < columns; i++) rest[i]! -= part * q[i]!;
      }
    const unit = Math.sqrt(dot(rest, 0, rest)) > 1e-8 ? unitOf(rest) : null;
    if (unit) basis.push(unit);
  }
  const out = new Float64Array(TANGENTS.length).fill(-1);
  if (!basis.length) return out;
  out.fill(0, 0, basis.length);
  if (!k) return out;
  const data = new Float64Array(basis.length * k);
  basis.forEach((q, i) => {
    for (let j = 0; j < k; j++) data[i * k + j] = dot(right, j * columns, q);
  });
  const { sigma } = svdReference({ data, shape: [basis.length, k] });
  sigma.forEach((s, i) => {
    out[i] = Math.min(1, s);
  });
  return out;
}

/** Means over inputs; an input whose tangent vanished is left out of that tangent's mean, and counted. */
export function summariseAlignment(
  snapshot: GeometrySpectrum['snapshot'],
  to: string,
  ks: Uint32Array,
  inputs: readonly AlignmentOfInput[],
): TangentAlignment {
  const width = ks.length;
  const cosine = new Float64Array(ALIGNMENT_NAMES.length * width);
  const sd = new Float64Array(ALIGNMENT_NAMES.length * width);
  const vanished: Record<string, number> = {};
  ALIGNMENT_NAMES.forEach((name, i) => {
    const rows = inputs.filter((input) => input.cosine[i * width]! >= 0);
    if (rows.length < inputs.length) vanished[name] = inputs.length - rows.length;
    const values = rows.flatMap((input) => Array.from(input.cosine.subarray(i * width, (i + 1) * width)));
    const statistics = columnStatistics(values, rows.length, width);
    cosine.set(statistics.mean, i * width);
    sd.set(statistics.sd, i * width);
  });
  const mean = (pick: (input: AlignmentOfInput) => Float64Array) =>
    Float64Array.from({ length: TANGENTS.length }, (_, i) => {
      const values = inputs.map((input) => pick(input)[i]!).filter((x) => x >= 0);
      return values.length ? values.reduce((a, b) => a + b, 0) / values.length : 0;
    });
  return {
    snapshot,
    to,
    names: [...ALIGNMENT_NAMES],
    ks,
    cosine,
    sd,
    principal: mean((input) => input.principal),
    principalRandom: mean((input) => input.principalRandom),
    vanished,
  };
}

export function dot(rows: Float64Array, from: number, x: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += rows[from + i]! * x[i]!;
  return sum;
}

/** x/‖x‖; null for a zero vector. */
export function unitOf(x: Float64Array): Float64Array | null {
  const length = Math.sqrt(dot(x, 0, x));
  return length > 0 ? x.map((value) => value / length) : null;
}

export function normalVector(n: number, source: Random): Float64Array {
  return Float64Array.from({ length: n }, () => source.normal());
}

function shuffled(x: Float64Array, source: Random): Float64Array {
  const order = source.permutation(x.length);
  return x.map((_, i) => x[order[i]!]!);
}
