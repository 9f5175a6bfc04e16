import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { type Random, random } from '../../random.js';
import { dot, normalVector, unitOf } from './alignment.js';
import { columnStatistics } from './dimension.js';
import { TANGENTS, type Tangent } from './tangents.js';
import type { GeometrySpectrum, PerturbationCurves } from './types.js';

export const PERTURBATION_NAMES: readonly string[] = ['tangent', 'normal', 'random', ...TANGENTS];
/** Lengths of the steps, in the unit of pixels 0 … 1. */
export const PERTURBATION_LENGTHS: readonly number[] = [0.05, 0.1, 0.2, 0.5, 1, 2, 4];
/** Directions drawn of "tangent", "normal" and "random" for each input. */
const DRAWS = 8;

/** The net's output (at the layer looked at) for `count` inputs side by side: float32[count × inputs] → [count × outputs]. */
export type Evaluate = (block: Float32Array, count: number) => Float32Array | Promise<Float32Array>;

/**
 * ‖f(x + εd) − f(x)‖ for unit directions d, float64[names × lengths] (mean over the draws): tangent = random mixtures
 * of the first k right singular vectors, normal = random ones orthogonal to them, and the picture's own tangents (−1
 * where one vanishes, or k is 0 or all there are). The net itself is run, not its linear map. Throws `not-finite`.
 */
export async function perturbInput(
  x: Float32Array,
  right: Float64Array,
  k: number,
  tangents: ReadonlyMap<Tangent, Float64Array> | null,
  evaluate: Evaluate,
  lengths: readonly number[],
  seed: number,
  input: number,
): Promise<Float64Array> {
  const n = x.length;
  guard(
    right.length >= k * n,
    'shape',
    () => `perturbation: expected ${k} right vectors, got ${right.length / n}`,
  );
  const source = random(seed, 0x9e7, input);
  const directions: { name: number; unit: Float64Array }[] = [];
  for (let draw = 0; draw < DRAWS; draw++) {
    const tangent = mixture(right, k, n, source);
    if (tangent) directions.push({ name: 0, unit: tangent });
    const normal = orthogonal(right, k, n, source);
    if (normal) directions.push({ name: 1, unit: normal });
    directions.push({ name: 2, unit: unitOf(normalVector(n, source))! });
  }
  TANGENTS.forEach((name, i) => {
    const unit = tangents && unitOf(tangents.get(name)!);
    if (unit) directions.push({ name: 3 + i, unit });
  });
  const out = new Float64Array(PERTURBATION_NAMES.length * lengths.length).fill(-1);
  const sums = new Float64Array(out.length);
  const counts = new Float64Array(out.length);
  const still = await evaluate(x, 1);
  const size = still.length;
  for (const [l, length] of lengths.entries()) {
    const block = new Float32Array(directions.length * n);
    directions.forEach(({ unit }, d) => {
      for (let i = 0; i < n; i++) block[d * n + i] = x[i]! + length * unit[i]!;
    });
    const moved = await evaluate(block, directions.length);
    directions.forEach(({ name }, d) => {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += (moved[d * size + j]! - still[j]!) ** 2;
      if (!Number.isFinite(sum))
        throw new EpochscopeError(
          'not-finite',
          `perturbation: the output is ${Math.sqrt(sum)} away after a step of ${length} from input ${input}`,
          { input, length },
        );
      sums[name * lengths.length + l]! += Math.sqrt(sum);
      counts[name * lengths.length + l]!++;
    });
  }
  for (let i = 0; i < out.length; i++) if (counts[i]) out[i] = sums[i]! / counts[i]!;
  return out;
}

/** Means over inputs; names that vanish at every input are left out. */
export function summarisePerturbation(
  snapshot: GeometrySpectrum['snapshot'],
  to: string,
  k: number,
  lengths: readonly number[],
  inputs: readonly Float64Array[],
): PerturbationCurves {
  const width = lengths.length;
  const kept = PERTURBATION_NAMES.map((name, i) => ({
    name,
    rows: inputs.map((values) => values.subarray(i * width, (i + 1) * width)).filter((row) => row[0]! >= 0),
  })).filter(({ rows }) => rows.length);
  const moved = new Float64Array(kept.length * width);
  const sd = new Float64Array(kept.length * width);
  kept.forEach(({ rows }, i) => {
    const statistics = columnStatistics(
      rows.flatMap((row) => Array.from(row)),
      rows.length,
      width,
    );
    moved.set(statistics.mean, i * width);
    sd.set(statistics.sd, i * width);
  });
  return {
    snapshot,
    to,
    lengths: Float64Array.from(lengths),
    names: kept.map(({ name }) => name),
    k,
    moved,
    sd,
  };
}

/** null of no vectors. */
function mixture(right: Float64Array, k: number, n: number, source: Random): Float64Array | null {
  const out = new Float64Array(n);
  for (let i = 0; i < k; i++) {
    const weight = source.normal();
    for (let j = 0; j < n; j++) out[j]! += weight * right[i * n + j]!;
  }
  return unitOf(out);
}

/** null when the k vectors leave no direction. */
function orthogonal(right: Float64Array, k: number, n: number, source: Random): Float64Array | null {
  const out = normalVector(n, source);
  const before = Math.sqrt(dot(out, 0, out));
  for (let pass = 0; pass < 2; pass++)
    for (let i = 0; i < k; i++) {
      const part = dot(right, i * n, out);
      for (let j = 0; j < n; j++) out[j]! -= part * right[i * n + j]!;
    }
  return Math.sqrt(dot(out, 0, out)) > 1e-8 * before ? unitOf(out) : null;
}
