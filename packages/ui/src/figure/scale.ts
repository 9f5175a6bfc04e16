import { scaleBand, scaleLinear, scaleLog, scalePoint } from 'd3-scale';
import { format, minus } from '../styles.js';

export interface AxisSpec {
  /** Default: linear for numbers, band for texts. `point` places texts or numbers at even steps without width. */
  kind?: 'linear' | 'log' | 'band' | 'point';
  /** Numbers: any values, of which the finite ones count (log: the positive ones). Texts: the categories in order. */
  domain: ArrayLike<number> | readonly string[];
  title?: string;
  /** Text of a tick. Default four significant digits. */
  format?: (value: never) => string;
  /** Rounds the ends to ticks; default true. Not for log, whose ends stay. */
  nice?: boolean;
  /** Takes zero in; linear only. */
  zero?: boolean;
  /** Share of a band left free, default 0.15. */
  padding?: number;
  /** No ticks, labels or title. */
  hidden?: boolean;
}

/** A scale with its ticks, in pixels of the plot. */
export interface AxisScale {
  kind: NonNullable<AxisSpec['kind']>;
  /** Pixel of a value: the middle of a band. NaN where it has no place. */
  at(value: number | string): number;
  /** Value at a pixel; NaN for bands. */
  invert(pixel: number): number;
  /** Width of a band in pixels, 0 otherwise. */
  bandwidth: number;
  /** Ends of a numeric domain. */
  ends: readonly [number, number];
  ticks(wanted: number): { value: number | string; label: string }[];
  /** Multiples 2 … 9 of the powers of a logarithmic axis of up to six; none otherwise. */
  minor: readonly number[];
}

/** Finite smallest and largest; [0, 1] when there is none. Positive ones only for log. */
export function extentOf(values: ArrayLike<number>, positive = false): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value) || (positive && value <= 0)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return positive ? [0.1, 1] : [0, 1];
  return [low, high];
}

const SUPER = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const powerLabel = (value: number): string => {
  const power = Math.round(Math.log10(value));
  if (Math.abs(power) <= 3) return String(Number(value.toPrecision(1)));
  return `10${power < 0 ? '⁻' : ''}${[...String(Math.abs(power))].map((digit) => SUPER[Number(digit)]).join('')}`;
};

const isTexts = (domain: AxisSpec['domain']): domain is readonly string[] =>
  domain.length > 0 && typeof domain[0] === 'string';

/** A scale over [from, to] pixels. A domain without extent is widened, so that nothing divides by zero. */
export function axisScale(spec: AxisSpec, from: number, to: number): AxisScale {
  const kind = spec.kind ?? (isTexts(spec.domain) ? 'band' : 'linear');
  if (kind === 'band' || kind === 'point') return categories(spec, kind, from, to);
  return kind === 'log' ? logarithmic(spec, from, to) : linear(spec, from, to);
}

function categories(spec: AxisSpec, kind: 'band' | 'point', from: number, to: number): AxisScale {
  const names = Array.from(spec.domain as ArrayLike<number | string>, String);
  const label = (spec.format ?? String) as (value: string) => string;
  const band = scaleBand(names, [from, to]).padding(spec.padding ?? 0.15);
  const point = scalePoint(names, [from, to]).padding(0.5);
  const bandwidth = kind === 'band' ? band.bandwidth() : 0;
  return {
    kind,
    at: (value) =>
      kind === 'band'
        ? (band(String(value)) ?? Number.NaN) + bandwidth / 2
        : (point(String(value)) ?? Number.NaN),
    invert: () => Number.NaN,
    bandwidth,
    ends: [0, names.length - 1],
    ticks: () => names.map((value) => ({ value, label: label(value) })),
    minor: [],
  };
}

function linear(spec: AxisSpec, from: number, to: number): AxisScale {
  let [low, high] = extentOf(spec.domain as ArrayLike<number>);
  if (spec.zero) [low, high] = [Math.min(0, low), Math.max(0, high)];
  if (low === high) {
    const half = Math.abs(low) * 0.1 || 0.5;
    [low, high] = [low - half, high + half];
  }
  const scale = scaleLinear([low, high], [from, to]);
  if (spec.nice ?? true) scale.nice();
  const own = spec.format as ((value: number) => string) | undefined;
  const { domain } = { domain: scale.domain() };
  return {
    kind: 'linear',
    at: (value) => scale(Number(value)),
    invert: (pixel) => scale.invert(pixel),
    bandwidth: 0,
    ends: [domain[0]!, domain[1]!],
    // A step below the rounding of `format` would show equal labels; 12 digits clear floating-point dust.
    ticks: (wanted) =>
      scale.ticks(Math.max(1, wanted)).map((value) => ({
        value,
        label: own ? own(value) : tickLabel(value, domain[1]! - domain[0]!),
      })),
    minor: [],
  };
}

function tickLabel(value: number, extent: number): string {
  const clean = Number(value.toPrecision(12));
  if (clean === 0) return '0';
  const size = Math.max(Math.abs(clean), extent);
  return size >= 1e5 || size < 1e-3
    ? minus(
        clean
          .toExponential(Math.abs(clean) > 20 * extent ? 4 : 1)
          .replace(/\.?0+e/, 'e')
          .replace('e+', 'e'),
      )
    : minus(String(clean));
}

function logarithmic(spec: AxisSpec, from: number, to: number): AxisScale {
  let [low, high] = extentOf(spec.domain as ArrayLike<number>, true);
  if (low === high) [low, high] = [low / 2, high * 2];
  const scale = scaleLog([low, high], [from, to]);
  const own = spec.format as ((value: number) => string) | undefined;
  const decades = Math.log10(high / low);
  const minor: number[] = [];
  if (decades >= 1 && decades <= 6)
    for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++)
      for (let m = 2; m <= 9; m++) {
        const value = m * 10 ** power;
        if (value >= low && value <= high) minor.push(value);
      }
  return {
    minor,
    kind: 'log',
    at: (value) => (Number(value) > 0 ? scale(Number(value)) : Number.NaN),
    invert: (pixel) => scale.invert(pixel),
    bandwidth: 0,
    ends: [low, high],
    ticks: (wanted) => {
      if (decades < 1)
        return scaleLinear([low, high], [from, to])
          .ticks(Math.max(1, wanted))
          .filter((value) => value > 0)
          .map((value) => ({ value, label: own ? own(value) : format(value) }));
      const first = Math.ceil(Math.log10(low) - 1e-9);
      const last = Math.floor(Math.log10(high) + 1e-9);
      const every = Math.max(1, Math.ceil((last - first + 1) / Math.max(1, wanted)));
      const powers: number[] = [];
      for (let power = first; power <= last; power += every) powers.push(10 ** power);
      const values =
        powers.length >= 3 || decades > 3
          ? powers
          : [first - 1, ...powers.map((p) => Math.round(Math.log10(p)))]
              .flatMap((power) => [1, 2, 5].map((m) => m * 10 ** power))
              .filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
      return values.map((value) => ({
        value,
        label: own ? own(value) : Number.isInteger(Math.log10(value)) ? powerLabel(value) : format(value),
      }));
    },
  };
}
