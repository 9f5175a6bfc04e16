import type { Figure, ResultBase } from '../../results/types.js';
import type { SampleImages } from '../../run/images.js';
import type { TendencyMetric } from './space.js';

/** A label that means no class: noise, as −1 of a clustering. Drawn grey, left out of the scores. */
export const NO_CLASS = 0xffffffff;

/** A sample of interest at its position along the image's edge. */
export interface Mark {
  sample: number;
  position: number;
  /** Class whose colour it takes, −1 for no class; null when there are no labels. */
  label: number | null;
  /** null when there are no predictions. */
  correct: boolean | null;
  /** Which rule chose it: "top-likelihood", "wrong", "correct", "largest-loss", "index", "random". */
  rule: string;
}

/** One dark block: positions start … end − 1 of the order. */
export interface Block {
  start: number;
  end: number;
  /** How clearly it stands out: see `findBlocks`; about 3.3 by chance. */
  clearness: number;
}

/** Dark blocks on the diagonal; samples between them are in none. */
export interface Blocks {
  count: number;
  /** Why there are none; only where `count` is 0. */
  reason?: string;
  /** `count` of them, from the first position to the last, apart from each other. */
  ranges: Block[];
  /** Share of the samples in no block: 1 where there are none. */
  shareInNone: number;
  /** Mean over the blocks. */
  clearness: Figure;
  /** The smallest size that counts as a block. */
  smallest: number;
  /**
   * The same rule for every smallest size from 2 to n/2: one row where the choice of blocks changes, which holds until the next.
   * `smallest` and `count` uint32; `persistence` float64: mean over all samples of ln(weight at which their block joins
   * others / weight at which they leave it), 0 in none, before the test for clearness, which may leave a count of 0.
   */
  bySize: { smallest: Uint32Array; count: Uint32Array; persistence: Float64Array };
  /** Mean best-match Jaccard index of the blocks with those of trees rebuilt on subsets of 80 % of the samples, 0 … 1. */
  stability: Figure;
}

/** How well blocks and labels agree. */
export interface LabelScores {
  /** Adjusted Rand index. */
  ari: Figure;
  /** Normalised mutual information. */
  nmi: Figure;
  /** Share of samples that belong to the commonest class of their block. */
  purity: Figure;
}

/** VAT / iVAT of one layer at one snapshot. */
export interface TendencyPanel {
  snapshot: { id: string; epoch: number | null; step: number | null };
  /** "S5", or "P1@3" for one channel. */
  layer: string;
  n: number;
  d: number;
  metric: TendencyMetric;
  /** k, where weights are mutual reachabilities: max(distance, those of both samples to their k-th neighbours). */
  core?: number;
  start: number;
  order: Uint32Array;
  weights: Float32Array;
  parent: Uint32Array;
  /** Mean dissimilarity per pixel in VAT order, side×side; null when not asked for. Sampled with a seed where n > side. */
  vat: { side: number; data: Float32Array; pairsPerPixel: number | 'all' } | null;
  blocks: Blocks;
  /**
   * Against the labels; null with the reason when there are no labels or no blocks. `inBlocks`: over the samples in blocks alone
   * (1 − blocks.shareInNone of all); `overall`: over all, each free sample given the block it joins by the tree (`assignFree`).
   */
  scores: { inBlocks: LabelScores; overall: LabelScores };
  /** Are wrong samples nearer to the rims of their blocks than correct ones? Over samples in blocks; area under the ROC curve, 0.5 = no. */
  rimScore: Figure;
  marks: Mark[];
  seconds: number;
  /** What weights and VAT image are multiples of, a power of two; only where float32 could not hold them. */
  unit?: number;
  /** Where float32 does not keep every weight to a hundred-thousandth: by how much, in words. */
  notes?: readonly string[];
  /** The same iVAT values in an order aligned with the next snapshot's, for playing through epochs; the last keeps its own and has none. */
  aligned?: Alignment;
}

/** Another order with the same iVAT values between all samples. */
export interface Alignment {
  /** uint32[n]: sample at each position. */
  order: Uint32Array;
  /** float32[n−1]: iVAT value of neighbours, so that between positions a < b it is max(weights[a … b−1]). */
  weights: Float32Array;
  /** Snapshot it is aligned to. */
  reference: string;
  /** Spearman's correlation with the reference's order, after and before. */
  correlation: Figure;
  before: Figure;
}

/** How one panel of a subset agrees with the panel of all samples. */
export interface ThinnedAgreement {
  snapshot: string;
  layer: string;
  /** Adjusted Rand index of the blocks on the subset, free samples given to blocks; null where neither picture has blocks, 0 where one has. */
  ari: Figure;
  /** Pearson's correlation of the iVAT values of the subset's pairs. */
  correlation: Figure;
  /** The lower of those that are defined. */
  lowest: Figure;
  /** Pairs the correlation is taken over; a number when drawn with the seed. */
  pairs: number | 'all';
  seconds: number;
  fullSeconds: number;
}

/** One subset tried. */
export interface ThinningStep {
  /** Distance along the reference order; a fraction where a size was asked for that does not divide n. */
  interval: number;
  size: number;
  /** uint32[size], ascending: the samples kept. The step's panels and marks count within them. */
  samples: Uint32Array;
  panels: TendencyPanel[];
  agreement: ThinnedAgreement[];
  /** Lowest of all panels. */
  lowest: Figure;
  /** All panels together. */
  seconds: number;
}

/** Thinning along the order of a reference layer (Satoh, §3.2). */
export interface Thinning {
  reference: { snapshot: string; layer: string };
  by: 'size' | 'interval' | 'agreement';
  /** Agreement asked for; null where sizes or intervals were given. */
  least: number | null;
  /** The largest interval up to which every panel's agreement stays at `least` or over. */
  chosen: Figure;
  steps: ThinningStep[];
  /** Seconds of the panels of all samples. */
  fullSeconds: number;
}

export interface TendencyResult extends ResultBase {
  method: 'tendency';
  samples: {
    count: number;
    /** uint8/uint32 per sample; null without labels. */
    labels: Uint32Array | null;
    classes: string[] | null;
    /** What each row is called, where the file names its rows. */
    names?: readonly string[];
    /** Input pictures for galleries: uint8, count × height × width × channels; null when not images. */
    images: SampleImages | null;
    /** uint32[count]: which samples of the run or file these are, where a list of them was given. */
    indices?: Uint32Array;
    /** uint32[count] per snapshot: the class the net predicted for each sample; only snapshots whose outputs or predictions were there. */
    predictions?: { snapshot: string; classes: Uint32Array }[];
  };
  panels: TendencyPanel[];
  /** What was read, left out and assumed, one sentence each. */
  notes?: readonly string[];
  /** Where it was asked for. */
  thinning?: Thinning;
}
