import { guard } from '@epochscope/core-wasm';
import type { Figure } from '../../results/types.js';

/** J(x)·v of a smooth map, in float64: float64[columns] twice → float64[rows]. */
export type SmoothJvp = (x: Float64Array, v: Float64Array) => Float64Array;

/** How the map bends a straight line through x. */
export interface Curvature {
  /** Of the curve f(x + t·v) at t = 0: |f″⊥| / |f′|², f″⊥ the part of f″ across f′; in 1 / the output's unit. Null with the reason. */
  curvature: Figure;
  /** Estimated error of it, from how far two extrapolations lie apart; null without a curvature. */
  error: number | null;
  /** |f′| = |J·v|: how fast the output moves. */
  speed: number;
}

/** Steps are h, h/2, … so many times. */
const STEPS = 8;
/** A curvature is kept with a relative error up to this, or one that turns the curve by less than `STILL` radians a step of 1. */
const RELATIVE = 0.05;
const STILL = 1e-6;

/**
 * Curvature of a map along a direction, from central differences of J·v: f″ = (J(x+hv)v − J(x−hv)v) / 2h for halved steps h, each
 * pair of steps extrapolated (Richardson), and of all the extrapolation taken that lies nearest to the one before; that distance is the error.
 * Only smooth maps have it: a ReLU net is piecewise linear, its f″ is 0 but where it is not defined.
 *
 * @param v of any length but 0; taken as a unit vector.
 * @param step the first h, in the input's unit.
 * Throws `shape`, `argument` for a direction of length 0, `not-finite`. 2·8 + 1 products.
 */
export function curvatureAlong(
  jvp: SmoothJvp,
  x: Float64Array,
  v: Float64Array,
  { step = 0.5 } = {},
): Curvature {
  guard(v.length === x.length, 'shape', () => `curvature: a direction of ${v.length} at ${x.length} numbers`);
  const length = Math.sqrt(v.reduce((sum, value) => sum + value * value, 0));
  guard(length > 0, 'argument', 'curvature: expected a direction of some length, got 0');
  const unit = v.map((value) => value / length);
  const first = jvp(x, unit);
  const squares = dot(first, first);
  guard(Number.isFinite(squares), 'not-finite', () => `curvature: J·v is ${Math.sqrt(squares)} long`);
  const speed = Math.sqrt(squares);
  if (!(speed > 0))
    return {
      curvature: { value: null, reason: 'the output does not move along this direction' },
      error: null,
      speed,
    };
  const at = (t: number) =>
    jvp(
      x.map((value, i) => value + t * unit[i]!),
      unit,
    );
  let difference: Float64Array | null = null;
  let before: Float64Array | null = null;
  let best = { second: first, error: Number.POSITIVE_INFINITY };
  for (let s = 0, h = step; s < STEPS; s++, h /= 2) {
    const [ahead, behind] = [at(h), at(-h)];
    const now = ahead.map((value, i) => (value - behind[i]!) / (2 * h));
    if (difference) {
      const coarse: Float64Array = difference;
      const extrapolated: Float64Array = now.map((value, i) => (4 * value - coarse[i]!) / 3);
      if (before) {
        const last: Float64Array = before;
        const apart = extrapolated.map((value, i) => value - last[i]!);
        const error = Math.sqrt(dot(apart, apart));
        if (error < best.error) best = { second: extrapolated, error };
      }
      before = extrapolated;
    }
    difference = now;
  }
  const along = dot(best.second, first) / squares;
  const across = best.second.map((value, i) => value - along * first[i]!);
  const curvature = Math.sqrt(dot(across, across)) / squares;
  const error = best.error / squares;
  // Not ≤: an error that is no number is none that could be kept.
  if (!(error <= RELATIVE * curvature || error * speed <= STILL))
    return {
      curvature: {
        value: null,
        reason: `the differences do not settle: ${curvature.toPrecision(3)} with an error of ${error.toPrecision(3)}`,
      },
      error: null,
      speed,
    };
  return { curvature: { value: curvature }, error, speed };
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
