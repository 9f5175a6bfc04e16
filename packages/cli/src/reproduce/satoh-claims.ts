import type { TendencyPanel, TendencyResult } from '@epochscope/analysis';
import { blocksCaption } from '@epochscope/analysis/results';
import type { Claim } from './claims.js';

// The four claims of Satoh's §4.4 with rules fixed beforehand: the paper reads them off pictures.

const CLASSES = 10;
/** Blocks are there when those of rebuilt trees match them at least so well, by Jaccard's index. */
const STABLE = 0.5;
/** One-sided level for the rim score. */
const LEVEL = 0.01;
/** "The same picture": iVAT values correlate at least so, and the number of blocks differs by at most one. */
const SAME_CORRELATION = 0.8;
const SAME_BLOCKS = 1;

const epochOf = ({ snapshot }: TendencyPanel) => snapshot.epoch ?? snapshot.id;
/** Over all samples; where there are no clear blocks, nothing is separated. */
const separation = ({ scores, blocks }: TendencyPanel) => (blocks.count ? scores.overall.ari.value : 0);
const two = (value: number | null) => value?.toFixed(2) ?? '–';
const atEpochs = (panels: readonly TendencyPanel[], text: (p: TendencyPanel) => string) =>
  `${panels.map(text).join(', ')} at epochs ${panels.map(epochOf).join(', ')}`;
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
    measured: `${atEpochs(panels, blocksCaption)} (stability of the last ${two(stability)}); ARI of all samples ${panels.map((p) => two(separation(p))).join(', ')}`,
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
  return {
    id: 'later-layers',
    claim: 'Later layers separate the classes better than earlier ones',
    where: '§4.4, figure 2',
    paper: null,
    measured: `ARI of all samples ${aris.map(two).join(', ')} in ${panels.map((p) => p.layer).join(', ')} at epoch ${epochOf(panels[0]!)}`,
    figures: Object.fromEntries(panels.map((p) => [`ari-${p.layer}`, separation(p)])),
    holds: known.length === panels.length ? rising : null,
    rule: 'the adjusted Rand index of blocks and classes over all samples (0 without clear blocks) never falls from layer to layer, and rises in all',
    ...(known.length === panels.length ? {} : { note: 'an index is not defined' }),
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
  const wrong = Math.round((wrongShare.get(last.snapshot.epoch ?? -1) ?? 0) * last.n);
  const p = score === null || wrong < 1 || wrong >= last.n ? null : rimP(score, wrong, last.n - wrong);
  return {
    id: 'rims',
    claim: 'Wrongly classified samples sit at the rims of blocks',
    where: '§4.4, figure 3',
    paper: null,
    measured: `rim score ${atEpochs(all, (panel) => two(panel.rimScore.value))} on ${last.n} samples (0.5: no difference)${p === null ? '' : `, p ${p < 1e-4 ? '< 0.0001' : p.toFixed(4)} with ${wrong} wrong ones at the last`}; ${few.map((panel) => two(panel.rimScore.value)).join(', ')} on ${few.at(-1)!.n}`,
    figures: {
      ...byEpoch('rim', all, (panel) => panel.rimScore.value),
      ...byEpoch('rim-few', few, (panel) => panel.rimScore.value),
      wrong,
      p,
    },
    holds: score === null || p === null ? null : score > 0.5 && p < LEVEL,
    rule: `the rim score of all test samples in the last layer at the last epoch is over 0.5, one-sided p under ${LEVEL}`,
    ...(score === null ? { note: last.rimScore.reason } : {}),
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
      all: agreement.map((a) => two(a.correlation.value)).join(', '),
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
    measured: `at epoch ${epochOf(full)}: ${full.blocks.count} blocks of all; ${steps.map((s) => `${s.size}: ${s.blocks} blocks, r ${two(s.correlation)}, ARI ${two(s.ari)}`).join('; ')} (r at all epochs: ${steps.map((s) => `${s.size}: ${s.all}`).join('; ')})`,
    figures: Object.fromEntries(
      steps.flatMap((s) => [
        [`blocks-${s.size}`, s.blocks],
        [`correlation-${s.size}`, s.correlation],
        [`ari-${s.size}`, s.ari],
      ]),
    ),
    holds: Boolean(at(500)?.same) && at(100)?.same === false,
    rule: `the same picture: iVAT values correlate at least ${SAME_CORRELATION} and blocks differ by at most ${SAME_BLOCKS}, at the last epoch`,
  };
}
