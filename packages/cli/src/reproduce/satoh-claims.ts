import type { TendencyPanel, TendencyResult } from '@epochscope/analysis';
import type { Claim } from './claims.js';

// The claims of Satoh's §4.4 with rules fixed beforehand: the paper reads them off pictures.

const CLASSES = 10;
/** Blocks are there when those of rebuilt trees match them at least so well, by Jaccard's index. */
const STABLE = 0.5;
/** One-sided level for the rim score. */
const LEVEL = 0.01;
/** "The same picture": iVAT values correlate at least so, and the number of blocks differs by at most one. */
const SAME_CORRELATION = 0.8;
const SAME_BLOCKS = 1;
/** A class is a block of its own where so much of a window of its size is of the class, and is none below the other. */
const A_BLOCK = 0.9;
const NO_BLOCK = 0.7;

const epochOf = ({ snapshot }: TendencyPanel) => snapshot.epoch ?? snapshot.id;
/** Over all samples; where there are no clear blocks, nothing is separated. */
const separation = ({ scores, blocks }: TendencyPanel) => (blocks.count ? scores.overall.ari.value : 0);
const places = (
  panels: readonly TendencyPanel[],
  name: (p: TendencyPanel) => string | number,
  prefix: string,
  digits = 2,
) => panels.map((p) => `{${prefix}-${name(p)}:${digits}}`).join(', ');
const atEpochs = (panels: readonly TendencyPanel[], prefix: string, digits?: number) =>
  `${places(panels, epochOf, prefix, digits)} at epochs ${panels.map(epochOf).join(', ')}`;
const byEpoch = (
  name: string,
  panels: readonly TendencyPanel[],
  value: (p: TendencyPanel) => number | null,
) => Object.fromEntries(panels.map((p) => [`${name}-${epochOf(p)}`, value(p)]));

/** Panels of the last layer, one an epoch. */
export function blockClaim(panels: readonly TendencyPanel[]): Claim {
  const first = panels[0]!;
  const last = panels.at(-1)!;
  const stability = last.blocks.stability.value;
  const [before, after] = [separation(first), separation(last)];
  const risen = before !== null && after !== null && after > before;
  return {
    id: 'ten-blocks',
    claim: 'With training the last layer shows ten dark blocks, one a class',
    where: '§4.4, figure 2',
    paper: '10 blocks',
    measured: `blocks ${atEpochs(panels, 'blocks', 1)}, ${places(panels, epochOf, 'none').replaceAll(':2', ':%0')} of the samples in none; ARI of all ${places(panels, epochOf, 'ari')}; stability of the last {stability}`,
    figures: {
      ...byEpoch('blocks', panels, (p) => p.blocks.count),
      ...byEpoch('none', panels, (p) => p.blocks.shareInNone),
      ...byEpoch('ari-in-blocks', panels, (p) => p.scores.inBlocks.ari.value),
      ...byEpoch('ari', panels, separation),
      stability,
    },
    holds: last.blocks.count === CLASSES && stability !== null && stability >= STABLE && risen,
    rule: `${CLASSES} blocks at the last epoch, matched by those of trees rebuilt on 80 % of the samples with a mean Jaccard index of at least ${STABLE}, and an adjusted Rand index of all samples that rose`,
  };
}

/** Panels of the layers in order, all at the last epoch. */
export function layerClaim(panels: readonly TendencyPanel[]): Claim {
  const aris = panels.map(separation);
  const known = aris.filter((value): value is number => value !== null);
  const rising =
    known.length === panels.length &&
    known.every((value, i) => i === 0 || value >= known[i - 1]!) &&
    known.at(-1)! > known[0]!;
  // A channel has another name in every seed.
  const name = ({ layer }: TendencyPanel) => layer.split('@')[0]!;
  return {
    id: 'later-layers',
    claim: 'Later layers separate the classes better than earlier ones',
    where: '§4.4, figure 2',
    paper: null,
    measured: `ARI of all samples ${places(panels, name, 'ari')} in ${panels.map(name).join(', ')} at epoch ${epochOf(panels[0]!)}; in blocks ${places(panels, name, 'in-blocks')}`,
    figures: {
      ...Object.fromEntries(panels.map((p) => [`ari-${name(p)}`, separation(p)])),
      ...Object.fromEntries(panels.map((p) => [`in-blocks-${name(p)}`, p.scores.inBlocks.ari.value])),
    },
    holds: known.length === panels.length ? rising : null,
    rule: 'the adjusted Rand index of blocks and classes over all samples (0 without clear blocks) never falls from layer to layer, and rises in all',
    ...(known.length === panels.length ? {} : { note: 'an index is not defined' }),
  };
}

/** Largest share of a class among neighbouring positions of an order, as many as the class has samples; null without any. O(n). */
export function bestWindow(order: Uint32Array, labels: ArrayLike<number>, wanted: number): number | null {
  const is = Array.from(order, (sample) => Number(labels[sample] === wanted));
  const size = is.reduce((a, b) => a + b, 0);
  if (!size) return null;
  let inside = 0;
  let best = 0;
  is.forEach((one, p) => {
    inside += one - (p >= size ? is[p - size]! : 0);
    best = Math.max(best, inside);
  });
  return best / size;
}

/** Panels of single channels of P1 at the last epoch, and the class of every sample. */
export function digitClaim(channels: readonly TendencyPanel[], labels: ArrayLike<number>): Claim {
  const windows = channels.map(({ order }) =>
    Array.from({ length: CLASSES }, (_, digit) => bestWindow(order, labels, digit)),
  );
  const ones = windows.flatMap((row) => (row[1] === null ? [] : [row[1]!]));
  const others = windows.flatMap((row) => row.filter((v, digit) => digit !== 1 && v !== null) as number[]);
  const known = ones.length > 0 && others.length > 0;
  const [lowest, highest] = known ? [Math.min(...ones), Math.max(...others)] : [null, null];
  return {
    id: 'digit-one',
    claim: 'In one channel of P1 digit 1 forms a cluster, the other digits form none',
    where: '§4.4, figure 2, first row',
    paper: null,
    measured: `of the best window of a digit's own size at least {one} is digit 1 in every one of ${channels.length} channels, at most {others} any other digit`,
    figures: { one: lowest, others: highest },
    holds: known ? lowest! >= A_BLOCK && highest! <= NO_BLOCK : null,
    rule: `in every channel at least ${A_BLOCK} of the window for digit 1, at most ${NO_BLOCK} of that for any other digit`,
    ...(known ? {} : { note: 'some digit has no sample' }),
  };
}

/** One-sided p of a rim score over 0.5 by the normal approximation of Mann–Whitney's test, ties not corrected for (which makes it larger). */
export function rimP(auc: number, wrong: number, right: number): number {
  const z = (auc - 0.5) / Math.sqrt((wrong + right + 1) / (12 * wrong * right));
  return 1 - normal(z);
}

/** Normal distribution function; Abramowitz & Stegun 26.2.17, absolute error under 7.5e-8. */
function normal(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail =
    (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return z >= 0 ? 1 - tail : tail;
}

/** Panels of the last layer, of all test samples and of the paper's number; share of wrong test samples by epoch. */
export function rimClaim(
  all: readonly TendencyPanel[],
  few: readonly TendencyPanel[],
  wrongShare: ReadonlyMap<number, number>,
): Claim {
  const last = all.at(-1)!;
  const score = last.rimScore.value;
  // The earliest epoch that has blocks: before, there are no rims.
  const first = all.find(({ rimScore }) => rimScore.value !== null);
  const wrong = Math.round((wrongShare.get(last.snapshot.epoch ?? -1) ?? 0) * last.n);
  const p = score === null || wrong < 1 || wrong >= last.n ? null : rimP(score, wrong, last.n - wrong);
  const clearer = score !== null && first !== last && score > first!.rimScore.value!;
  return {
    id: 'rims',
    claim: 'Wrongly classified samples sit at the rims of blocks, the more so the longer training goes on',
    where: '§4.4, figure 3',
    paper: null,
    measured: `rim score ${atEpochs(all, 'rim')} on ${last.n} samples (0.5: no difference), with {wrong:0} wrong ones at the last; ${places(few, epochOf, 'rim-few')} on ${few.at(-1)!.n}`,
    figures: {
      ...byEpoch('rim', all, (panel) => panel.rimScore.value),
      ...byEpoch('rim-few', few, (panel) => panel.rimScore.value),
      wrong,
      p,
    },
    holds: score === null || p === null ? null : score > 0.5 && p < LEVEL && clearer,
    rule: `the rim score of all test samples in the last layer is over 0.5 at the last epoch, one-sided p under ${LEVEL}, and larger than at the first epoch that has blocks`,
    ...(score === null ? { note: last.rimScore.reason } : {}),
    ...(score !== null && first === last ? { note: 'only the last epoch has blocks' } : {}),
  };
}

/** A result of the last layer with thinning to 500, 100 and 50. */
export function thinningClaim({ panels, thinning }: TendencyResult): Claim {
  const full = panels.at(-1)!;
  const steps = thinning!.steps.map(({ size, panels: thin, agreement }) => {
    const blocks = thin.at(-1)!.blocks.count;
    const { correlation, ari } = agreement.at(-1)!;
    return {
      size,
      blocks,
      ari: ari.value,
      correlation: correlation.value,
      same:
        correlation.value !== null &&
        correlation.value >= SAME_CORRELATION &&
        Math.abs(blocks - full.blocks.count) <= SAME_BLOCKS,
    };
  });
  const at = (size: number) => steps.find((step) => step.size === size);
  return {
    id: 'thinning',
    claim: '500 of 1000 samples give nearly the same picture, 100 do not',
    where: '§4.4, figure 4',
    paper: null,
    measured: `at epoch ${epochOf(full)}: {blocks:1} blocks of all; ${steps.map((s) => `${s.size}: {blocks-${s.size}:1} blocks, r {correlation-${s.size}}, ARI {ari-${s.size}}`).join('; ')}`,
    figures: {
      blocks: full.blocks.count,
      ...Object.fromEntries(
        steps.flatMap((s) => [
          [`blocks-${s.size}`, s.blocks],
          [`correlation-${s.size}`, s.correlation],
          [`ari-${s.size}`, s.ari],
        ]),
      ),
    },
    holds: Boolean(at(500)?.same) && at(100)?.same === false,
    rule: `the same picture: iVAT values correlate at least ${SAME_CORRELATION} and blocks differ by at most ${SAME_BLOCKS}, at the last epoch`,
  };
}
