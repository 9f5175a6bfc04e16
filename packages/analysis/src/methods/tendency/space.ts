import { guard, METRICS, type Metric } from '@epochscope/core-wasm';
import type { Engine, JobOptions, VatResult } from '../../engine/types.js';
import type { TendencyInput } from './analyse.js';

/** Dissimilarities that a result may be of: the kernels' own, and those that come as a matrix. */
export type TendencyMetric = Metric | 'jaccard' | 'hamming' | 'gower' | 'precomputed';
export const TENDENCY_METRICS: readonly TendencyMetric[] = [
  ...METRICS,
  'jaccard',
  'hamming',
  'gower',
  'precomputed',
];

/** What distances between float32 rows stand for, where the rows are not the numbers themselves. */
export interface Space {
  /** Taken between the rows; `matrix`: the rows are the dissimilarities themselves, n × n. */
  metric: Metric | 'matrix';
  /** The dissimilarity is half the square of the distance: cosine and correlation of rows of length 1. */
  halfSquare?: boolean;
  /** A power of two by which distances are multiplied. */
  unit: number;
  /** Float64 per row, in multiples of `unit`: by how much it was rounded, and a trace of the rest, equal for equal rows. */
  rounding?: { errors: Float64Array; traces: Float64Array };
}

/** Weights this many times their rounding are right to a relative 1e-5. */
const SURE = 1e5;
const LARGEST = 3.4e38;
const SMALLEST = 1.2e-38;

/** A dissimilarity in the input's own unit, from the distance of float32 rows. */
const inItsUnit = ({ halfSquare, unit }: Space, distance: number): number =>
  halfSquare ? 0.5 * (distance * unit) ** 2 : distance * unit;

const ordinal = (k: number) => ['th', 'st', 'nd', 'rd'][k % 100 > 10 && k % 100 < 14 ? 0 : k % 10] ?? 'th';

/** What `Engine.vatImage` is told of an input, for an image in the unit of its weights. */
export const imageSpace = (
  space: Space | undefined,
  metric: TendencyMetric,
  unit: number,
): { metric: Metric | 'matrix'; unit?: number; halfSquare?: boolean } =>
  space
    ? { metric: space.metric, unit: space.unit / unit, halfSquare: space.halfSquare ?? false }
    : { metric: metric as Metric };

/** VAT of an input, with what is to be said of its figures. `unit`: what weights are multiples of, 1 unless float32 cannot hold them. */
export async function vatOf(
  engine: Pick<Engine, 'vat' | 'vatFromMatrix'>,
  { outputs, space }: TendencyInput,
  metric: TendencyMetric,
  { core, ...options }: JobOptions & { core?: number },
): Promise<VatResult & { unit: number; notes: string[] }> {
  const said = core
    ? [
        `weights are mutual reachabilities: the largest of a distance and those of both samples to their ${core}${ordinal(core)} neighbours; the VAT image shows distances`,
      ]
    : [];
  if (!space) {
    const vat = await engine.vat(outputs, { ...options, core, metric: metric as Metric });
    return { ...vat, unit: 1, notes: said };
  }
  guard(
    !core || space.metric !== 'matrix',
    'argument',
    () => `core: mutual reachability is of points; ${metric} gives dissimilarities`,
  );
  const vat =
    space.metric === 'matrix'
      ? await engine.vatFromMatrix(outputs, options)
      : await engine.vat(outputs, { ...options, core, metric: space.metric });
  const notes = [...said, ...(core ? [] : roundingNotes(vat, space))];
  // Half squares of rows of length 1 lie in [0, 2]: never out of range.
  let unit = 1;
  if (!space.halfSquare && space.unit !== 1) {
    let [least, most] = [Number.POSITIVE_INFINITY, 0];
    for (const weight of vat.weights) {
      most = Math.max(most, weight * space.unit);
      if (weight > 0) least = Math.min(least, weight * space.unit);
    }
    if (most > LARGEST || least < SMALLEST) {
      unit = space.unit;
      notes.push(
        `weights are multiples of 2^${Math.log2(unit)} (${unit.toExponential(3)}): float32 does not hold them as they are`,
      );
    }
  }
  const weights = vat.weights.map((weight) => inItsUnit(space, weight) / unit);
  return { ...vat, weights, unit, notes };
}

/** All pairs' dissimilarities, the upper triangle in SciPy's order, in multiples of `unit` as `vatOf` gives it. 4·n(n−1)/2 bytes. */
export async function dissimilaritiesOf(
  engine: Pick<Engine, 'pairwise'>,
  { outputs, space }: TendencyInput,
  metric: TendencyMetric,
  unit: number,
  options: Pick<JobOptions, 'signal'>,
): Promise<Float32Array> {
  if (space?.metric === 'matrix') {
    const n = outputs.shape[0];
    const pairs = new Float32Array((n * (n - 1)) / 2);
    for (let i = 0, k = 0; i < n; i++)
      for (let j = i + 1; j < n; j++) pairs[k++] = (outputs.data[i * n + j]! * space.unit) / unit;
    return pairs;
  }
  const { data } = await engine.pairwise(outputs, {
    ...options,
    metric: space?.metric ?? (metric as Metric),
    condensed: true,
  });
  return space ? data.map((distance) => inItsUnit(space, distance) / unit) : data;
}

/** Says which weights lie too near to the rounding of their rows. */
function roundingNotes({ order, weights, parent }: VatResult, space: Space): string[] {
  const { rounding } = space;
  if (!rounding) return [];
  const { errors, traces } = rounding;
  // The kernels' cosine and correlation are half squares of distances between rows of length 1 too.
  const angular = space.halfSquare || space.metric === 'cosine' || space.metric === 'correlation';
  let unsure = 0;
  let largest = 0;
  for (let k = 0; k < weights.length; k++) {
    const [u, v] = [parent[k]!, order[k + 1]!];
    const error = errors[u]! + errors[v]!;
    const same = weights[k] === 0 && traces[u] === traces[v] && errors[u] === errors[v];
    const distance = angular && !space.halfSquare ? Math.sqrt(2 * weights[k]!) : weights[k]!;
    if (same || error === 0 || distance >= SURE * error * (angular ? 2 : 1)) continue;
    unsure++;
    largest = Math.max(largest, error * space.unit);
  }
  if (unsure === 0) return [];
  const figure = Number(largest.toPrecision(2));
  return [
    angular
      ? `float32 keeps directions to ±${figure}: ${unsure} of ${weights.length} weights are so small that this changes them by more than a hundred-thousandth`
      : `float32 keeps distances to ±${figure}: ${unsure} of ${weights.length} weights are so small that this changes them by more than a hundred-thousandth`,
  ];
}

/** The samples of an input that a list names, in its order. */
export function inputOfSamples(input: TendencyInput, samples: Uint32Array): TendencyInput {
  const pick = <T extends ArrayLike<number>>(list: T | null) =>
    list && Float64Array.from(samples, (sample) => list[sample]!);
  const { outputs, space, ...rest } = input;
  const { data, shape } = outputs;
  const matrix = space?.metric === 'matrix';
  const width = matrix ? samples.length : shape[1];
  const out = new Float32Array(samples.length * width);
  samples.forEach((sample, i) => {
    const row = data.subarray(sample * shape[1], (sample + 1) * shape[1]);
    if (!matrix) out.set(row, i * width);
    else
      samples.forEach((other, j) => {
        out[i * width + j] = row[other]!;
      });
  });
  const { rounding } = space ?? {};
  return {
    ...rest,
    outputs: { data: out, shape: [samples.length, width] },
    ...(space && {
      space: {
        ...space,
        ...(rounding && {
          rounding: { errors: pick(rounding.errors)!, traces: pick(rounding.traces)! },
        }),
      },
    }),
    labels: pick(input.labels),
    predictions: pick(input.predictions),
    logLikelihood: pick(input.logLikelihood),
  };
}
