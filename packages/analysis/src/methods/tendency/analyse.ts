import { EpochscopeError, guard, type Matrix } from '@epochscope/core-wasm';
import type { Engine, JobOptions } from '../../engine/types.js';
import type { Figure } from '../../results/types.js';
import { assignFree } from './assign.js';
import { blockLabels, findBlocks } from './blocks.js';
import { chooseSamples, type MarkRule, placeMarks } from './marks.js';
import { rimScore } from './rim.js';
import { labelScores } from './scores.js';
import { imageSpace, type Space, type TendencyMetric, vatOf } from './space.js';
import { blockStability } from './stability.js';
import type { TendencyPanel } from './types.js';

export interface TendencyInput {
  snapshot: TendencyPanel['snapshot'];
  layer: string;
  /** float32[n × d]. */
  outputs: Matrix;
  /** What distances of `outputs` stand for, where they are not the metric's between its rows. */
  space?: Space;
  /** Values per sample, where `outputs` has other columns. */
  dimensions?: number;
  labels: ArrayLike<number> | null;
  predictions: ArrayLike<number> | null;
  /** Log-likelihood of the right class, per sample; of the predicted one without labels. */
  logLikelihood: ArrayLike<number> | null;
}

export interface TendencyOptions extends JobOptions {
  metric: TendencyMetric;
  /** k: mutual reachability by the k-th nearest neighbours takes the distance's place; points only. */
  core?: number;
  marks: readonly MarkRule[];
  /** Side of the stored VAT image; 0 for none. The iVAT image is always drawn from the weights. */
  vatSide: number;
  /** Smallest size that counts as a block; default 2 % of the samples, at least 10. */
  smallestBlock?: number;
  /** Subsets that the blocks' stability is taken over, 0 for none; default 20 up to 5000 samples, 0 beyond. */
  stabilitySubsets?: number;
  seed: number;
}

const STABILITY_SUBSETS = 20;
/** The subsets take thirteen times as long as the picture. */
const STABILITY_SAMPLES = 5000;

/**
 * VAT/iVAT of one layer's outputs (Satoh; Bezdek & Hathaway 2002; Havens & Bezdek 2012): order, weights, parents, blocks,
 * scores against labels where there are any, marks. Works with no labels at all.
 * Throws `not-finite` naming layer, snapshot and sample; `shape` for labels of another length; `missing` for marks that
 * need what is not there; `memory`; `cancelled`. O(n² d) time at worst, with stability thirteen times that; O(n d) memory.
 */
export async function analyseTendency(
  engine: Pick<Engine, 'vat' | 'vatFromMatrix' | 'vatImage'>,
  input: TendencyInput,
  options: TendencyOptions,
): Promise<TendencyPanel> {
  const { snapshot, layer, outputs, labels, predictions, logLikelihood } = input;
  const n = outputs.shape[0];
  const d = input.dimensions ?? outputs.shape[1];
  for (const [name, list] of [
    ['labels', labels],
    ['predictions', predictions],
    ['log-likelihoods', logLikelihood],
  ] as const) {
    guard(
      !list || list.length === n,
      'shape',
      () => `layer ${layer}, snapshot ${snapshot.id}: ${n} samples need ${n} ${name}, got ${list!.length}`,
      { layer, snapshot: snapshot.id, expected: n, got: list?.length },
    );
  }
  // Chosen first: a rule that cannot be followed is refused before the long part.
  const marked = options.marks.map((rule) => ({
    rule: rule.rule,
    samples: chooseSamples(rule, { n, labels, predictions, logLikelihood }),
  }));
  const begun = performance.now();
  const { unit, notes, ...vat } = await vatOf(engine, input, options.metric, {
    core: options.core,
    signal: options.signal,
    onProgress: options.onProgress,
  }).catch((cause) => {
    if (!(cause instanceof EpochscopeError) || cause.code !== 'not-finite') throw cause;
    const { row, column, got } = cause.fields;
    throw new EpochscopeError(
      'not-finite',
      `layer ${layer}, snapshot ${snapshot.id}: expected finite outputs, got ${got} for sample ${row}, unit ${column}`,
      { ...cause.fields, layer, snapshot: snapshot.id },
      { cause },
    );
  });
  const blocks = findBlocks(vat.weights, n, { smallest: options.smallestBlock });
  const inBlocks = blockLabels(blocks, vat.order);
  const subsets = options.stabilitySubsets ?? (n <= STABILITY_SAMPLES ? STABILITY_SUBSETS : 0);
  const correct =
    labels && predictions
      ? Uint8Array.from({ length: n }, (_, i) => Number(labels[i] === predictions[i]))
      : null;
  const image =
    options.vatSide > 0 && n > 0
      ? await engine.vatImage(outputs, vat.order, {
          ...imageSpace(input.space, options.metric, unit),
          side: options.vatSide,
          seed: options.seed,
          signal: options.signal,
        })
      : null;
  const panel = {
    snapshot,
    layer,
    n,
    d,
    metric: options.metric,
    ...(options.core ? { core: options.core } : {}),
    start: vat.order[0] ?? 0,
    ...vat,
    vat: image,
    scores: {
      inBlocks: labelScores(inBlocks, labels, blocks.reason),
      overall: labelScores(assignFree(vat, inBlocks), labels, blocks.reason),
    },
    rimScore: rimScore(blocks, vat.order, correct),
    marks: marked.flatMap(({ rule, samples }) => placeMarks(samples, rule, vat.order, labels, predictions)),
    // Of the picture, with which thinned ones are compared: stability is left out.
    seconds: (performance.now() - begun) / 1000,
    ...(unit === 1 ? {} : { unit }),
    ...(notes.length ? { notes } : {}),
  };
  const stability: Figure =
    subsets === 0 && blocks.count > 0
      ? { value: null, reason: `not worked out for ${n} samples unless asked for` }
      : await blockStability(engine, input, blocks, vat.order, {
          metric: options.metric,
          core: options.core,
          subsets,
          smallest: options.smallestBlock,
          seed: options.seed,
          signal: options.signal,
        });
  return { ...panel, blocks: { ...blocks, stability } };
}
