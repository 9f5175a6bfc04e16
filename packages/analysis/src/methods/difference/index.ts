import { guard } from '@epochscope/core-wasm';
import type { Engine, JobOptions } from '../../engine/types.js';
import type { Figure } from '../../results/types.js';
import type { TendencyInput } from '../tendency/index.js';
import { type TendencyMetric, vatOf } from '../tendency/space.js';
import { linearCka } from './cka.js';
import { heightsApart } from './exchange.js';
import { scaleOf } from './scale.js';
import { commonLength, commonTree, edgesOf } from './trees.js';
import type { Difference, Edges, Side } from './types.js';

export { linearCka } from './cka.js';
export { differenceSentence, longestBars, witnessSentence } from './sentence.js';
export * from './types.js';

/** One side's tree and scale: all that a difference needs of it, computed once for any number of differences. */
export interface DifferenceSide extends Side {
  /** None where there is no scale. */
  edges: Edges;
}

export interface DifferenceOptions extends JobOptions {
  metric: TendencyMetric;
  /** Draws the samples that scale and CKA are taken over, where they are not taken over all. */
  seed: number;
}

/**
 * VAT's tree of one set of outputs, and its scale. Throws as `Engine.vat`: `not-finite`, `memory`, `cancelled`.
 * O(n² d) time at worst, O(n d) memory and 34 MB.
 */
export async function differenceSide(
  engine: Pick<Engine, 'vat' | 'vatFromMatrix' | 'pairwise'>,
  input: TendencyInput,
  source: string,
  { metric, seed, ...job }: DifferenceOptions,
): Promise<DifferenceSide> {
  const { snapshot, layer, outputs } = input;
  const { unit, ...tree } = await vatOf(engine, input, metric, job);
  const { scale, samples } = await scaleOf(engine, input, metric, { unit, seed, signal: job.signal });
  const edges = scale.value === null ? edgesOf(EMPTY, 1) : edgesOf(tree, scale.value);
  return {
    source,
    snapshot,
    layer,
    n: outputs.shape[0],
    d: input.dimensions ?? outputs.shape[1],
    metric,
    scale: scale.value === null ? scale : { value: scale.value * unit },
    scaleSamples: samples,
    length: sum(edges.height),
    edges,
  };
}

const EMPTY = { order: new Uint32Array(0), weights: new Float32Array(0), parent: new Uint32Array(0) };

/**
 * What changed between two pictures of the same samples (RTD-Lite: AISTATS 2025), from the trees alone: O(n log n) time, some
 * 150·n bytes. Throws `shape` for sides of different numbers of samples. Where a side has no scale, the distance is null with the
 * reason and there are no joins.
 */
export function differenceOf(a: DifferenceSide, b: DifferenceSide): Omit<Difference, 'cka' | 'ckaSamples'> {
  const undefinedWhy = compare(a, b);
  const { n } = a;
  const { order, joins } = commonTree(n, a.edges, b.edges);
  const apart: Difference['joins']['apart'] = [
    heightsApart(n, a.edges, joins),
    heightsApart(n, b.edges, joins),
  ];
  const oneWay: [number, number] = [excess(apart[0], joins.height), excess(apart[1], joins.height)];
  return {
    sides: [sideOf(a), sideOf(b)],
    distance: undefinedWhy ?? { value: (oneWay[0] + oneWay[1]) / 2 },
    oneWay,
    common: sum(joins.height),
    order,
    joins: { ...joins, apart },
  };
}

/**
 * The distance alone, from the lengths of the trees, without bars: for maps of many, which give n numbers of scratch. Throws and is null as
 * `differenceOf`.
 */
export function distanceOf(a: DifferenceSide, b: DifferenceSide, scratch = new Int32Array(a.n)): Figure {
  const undefinedWhy = compare(a, b);
  if (undefinedWhy) return undefinedWhy;
  return { value: Math.max(0, (a.length + b.length) / 2 - commonLength(a.edges, b.edges, scratch)) };
}

/** Sides, bars and CKA of two sets of outputs. Throws as `differenceSide`, `differenceOf`. */
export async function analyseDifference(
  engine: Pick<Engine, 'vat' | 'vatFromMatrix' | 'pairwise' | 'correlation'>,
  inputs: readonly [TendencyInput, TendencyInput],
  sources: readonly [string, string],
  options: DifferenceOptions,
): Promise<Difference> {
  const [first, second] = ([0, 1] as const).map((i) => ({
    source: sources[i],
    snapshot: inputs[i].snapshot,
    layer: inputs[i].layer,
    n: inputs[i].outputs.shape[0],
  }));
  checkSame(first!, second!);
  const half = (before: 0 | 1) => (done: number, total: number) =>
    options.onProgress?.(before + done / (total || 1), 2);
  const a = await differenceSide(engine, inputs[0], sources[0], { ...options, onProgress: half(0) });
  const b = await differenceSide(engine, inputs[1], sources[1], { ...options, onProgress: half(1) });
  const { cka, samples } = await linearCka(engine, ...inputs, options);
  return { ...differenceOf(a, b), cka, ckaSamples: samples };
}

type Named = Pick<Side, 'source' | 'snapshot' | 'layer' | 'n'>;
/** A file is one picture, and its place says which. */
const nameOf = ({ source, snapshot, layer }: Named) =>
  snapshot.id === layer ? source : [source, snapshot.id, layer].join(' ');

/** Throws `shape`. */
function checkSame(a: Named, b: Named): void {
  guard(
    a.n === b.n,
    'shape',
    () =>
      `a difference is between two pictures of the same samples: ${nameOf(a)} has ${a.n} samples, ${nameOf(b)} ${b.n}`,
    { expected: a.n, got: b.n },
  );
}

/** Why there is no distance, if so. Throws `shape`. */
function compare(a: DifferenceSide, b: DifferenceSide): Figure | null {
  checkSame(a, b);
  const without = [a, b].find(({ scale }) => scale.value === null);
  return without ? { value: null, reason: `${nameOf(without)}: ${without.scale.reason}` } : null;
}

export const sideOf = ({ edges: _, ...side }: DifferenceSide): Side => side;

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Sum of a − b. */
function excess(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! - b[i]!;
  return total;
}
