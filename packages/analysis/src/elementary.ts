// log, exp, sin and cos from + − × ÷ and the bits of a float64 alone, so that every engine gives the same bits: the
// standard leaves Math.log and the like to the implementation, and seeded results would differ between browsers.

import { guard } from '@epochscope/core-wasm';

const float = new Float64Array(1);
/** The same number's bits: low half, high half (WebAssembly's machines are little-endian). */
const words = new Uint32Array(float.buffer);

/** ln 2 as a sum whose first part has 32 bits, so that its product with an exponent is exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** π/2 as a sum: 33 bits, the next 33, the rest. */
const HALF_PI = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21] as const;
/** Largest angle: up to here k · π/2 keeps every bit that the reduced angle needs. */
const LARGEST_ANGLE = 1000;

/** 1/3, 1/5, … 1/23: the series of atanh. */
const ATANH = Array.from({ length: 11 }, (_, i) => 1 / (2 * i + 3));
/** 1/2!, 1/3!, … 1/18!, by factorials, which float64 holds exactly that far. */
const INVERSE_FACTORIAL = Array.from({ length: 17 }, (_, i) => {
  let factorial = 1;
  for (let k = 2; k <= i + 2; k++) factorial *= k;
  return 1 / factorial;
});
const inverseFactorial = (k: number) => INVERSE_FACTORIAL[k - 2]!;
/** (sin r − r) / r³ and (cos r − 1 + r²/2) / r⁴ in powers of r². */
const SINE = [3, 5, 7, 9, 11, 13, 15, 17].map((k, i) => (i % 2 ? 1 : -1) * inverseFactorial(k));
const COSINE = [4, 6, 8, 10, 12, 14, 16, 18].map((k, i) => (i % 2 ? -1 : 1) * inverseFactorial(k));

/** Σ c[i] · xⁱ by Horner's rule. */
function polynomial(c: readonly number[], x: number): number {
  let sum = 0;
  for (let i = c.length - 1; i >= 0; i--) sum = sum * x + c[i]!;
  return sum;
}

/**
 * Natural logarithm, error under 1 ulp. NaN below 0, −∞ at 0. x = 2ᵏ·m with √½ < m ≤ √2; with f = m − 1 and
 * s = f / (2 + f), ln m = 2·atanh s = f − s·(f − 2·(s²/3 + s⁴/5 + …)), in which the large part, f, is exact.
 */
export function log(x: number): number {
  if (!(x > 0) || x === Number.POSITIVE_INFINITY) return x === 0 ? Number.NEGATIVE_INFINITY : x > 0 ? x : NaN;
  const subnormal = x < 2.2250738585072014e-308;
  float[0] = subnormal ? x * 18014398509481984 : x;
  let k = (words[1]! >>> 20) - 1023 - (subnormal ? 54 : 0);
  words[1] = (words[1]! & 0xfffff) | 0x3ff00000;
  let m = float[0]!;
  if (m > Math.SQRT2) {
    m /= 2;
    k++;
  }
  const f = m - 1;
  const s = f / (2 + f);
  const s2 = s * s;
  const low = s * (f - 2 * s2 * polynomial(ATANH, s2));
  return k === 0 ? f - low : k * LN2_HIGH - (low - k * LN2_LOW - f);
}

/** eˣ, error under 1 ulp (a little over among subnormals). x = k·ln 2 + r with |r| ≤ ½ ln 2, and the series of eʳ − 1 − r. */
export function exp(x: number): number {
  if (x > 710) return Number.POSITIVE_INFINITY;
  if (x < -746) return 0;
  const k = Math.round(x * Math.LOG2E);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const series = r * r * polynomial(INVERSE_FACTORIAL, r);
  const value = 1 + (high + (series - low));
  // In two factors where 2ᵏ itself is no normal number.
  const step = k > 1000 ? 100 : k < -1000 ? -100 : 0;
  return value * powerOfTwo(k - step) * powerOfTwo(step);
}

/** 2ᵏ for −1022 ≤ k ≤ 1023. */
function powerOfTwo(k: number): number {
  words[0] = 0;
  words[1] = (k + 1023) << 20;
  return float[0]!;
}

/** Sine of an angle of at most ±1000 radians, error under 1 ulp; throws `argument` beyond. */
export function sin(x: number): number {
  return quarter(x, 0);
}

/** Cosine of an angle of at most ±1000 radians, error under 1 ulp; throws `argument` beyond. */
export function cos(x: number): number {
  return quarter(x, 1);
}

/** sin(x + turns · π/2): x = k·π/2 + r + low with |r| ≤ π/4 (Cody & Waite), then the series of sin or cos of r. */
function quarter(x: number, turns: number): number {
  guard(
    Math.abs(x) <= LARGEST_ANGLE,
    'argument',
    () => `angle: expected at most ±${LARGEST_ANGLE} radians, got ${x}`,
    {
      expected: LARGEST_ANGLE,
      got: x,
    },
  );
  const k = Math.round(x / (Math.PI / 2));
  const first = x - k * HALF_PI[0];
  const second = k * HALF_PI[1];
  const sum = first - second;
  const rest = first - sum - second - k * HALF_PI[2];
  const r = sum + rest;
  const low = sum - r + rest;
  const r2 = r * r;
  const place = (k + turns) & 3;
  let value: number;
  if (place % 2 === 0) value = r + (r * r2 * polynomial(SINE, r2) + low * (1 - r2 / 2));
  else {
    const half = r2 / 2;
    const most = 1 - half;
    value = most + (1 - most - half + (r2 * r2 * polynomial(COSINE, r2) - r * low));
  }
  return place < 2 ? value : -value;
}
