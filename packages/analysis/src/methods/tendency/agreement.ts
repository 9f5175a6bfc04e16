import { ivatLookup } from '@epochscope/core-wasm';
import { random } from '../../random.js';
import type { Figure } from '../../results/types.js';
import { assignFree } from './assign.js';
import { blockLabels } from './blocks.js';
import { adjustedRandIndex } from './scores.js';
import type { TendencyPanel, ThinnedAgreement } from './types.js';

/** All pairs up to this many; beyond, as many drawn with the seed. */
export const AGREEMENT_PAIRS = 1_000_000;

/** Pearson's correlation from sums; null where either side has no variance. */
export function pearson(count: number, value: (i: number) => readonly [number, number]): Figure {
  let meanX = 0;
  let meanY = 0;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  // Welford's updates: the sums of squares never cancel.
  for (let i = 0; i < count; i++) {
    const [x, y] = value(i);
    const dx = x - meanX;
    meanX += dx / (i + 1);
    const dy = y - meanY;
    meanY += dy / (i + 1);
    xx += dx * (x - meanX);
    yy += dy * (y - meanY);
    xy += dx * (y - meanY);
  }
  if (!(xx > 0 && yy > 0)) return { value: null, reason: 'all iVAT values are equal' };
  return { value: Math.min(1, Math.max(-1, xy / Math.sqrt(xx * yy))) };
}

const assigned = (panel: TendencyPanel) => assignFree(panel, blockLabels(panel.blocks, panel.order));

/**
 * How well the picture of a subset agrees with that of all samples: the adjusted Rand index of their blocks on the subset
 * (free samples given to blocks by `assignFree`; null where neither picture has blocks, 0 where one has), and Pearson's correlation of the iVAT values of the subset's pairs in either (all pairs up to a million, else a million
 * drawn with the seed). O(n log n + pairs).
 *
 * @param samples uint32[m]: the subset, as indices into the full panel's samples; `thinned` counts within it.
 */
export function thinnedAgreement(
  full: TendencyPanel,
  thinned: TendencyPanel,
  samples: Uint32Array,
  seed: number,
): ThinnedAgreement {
  const m = samples.length;
  const inFull = assigned(full);
  const ari: Figure =
    full.blocks.count && thinned.blocks.count
      ? adjustedRandIndex(
          Int32Array.from(samples, (sample) => inFull[sample]!),
          assigned(thinned),
        )
      : full.blocks.count || thinned.blocks.count
        ? { value: 0 }
        : { value: null, reason: 'neither picture has clear blocks' };
  const all = (m * (m - 1)) / 2;
  let correlation: Figure = { value: null, reason: 'fewer than two samples' };
  if (m >= 2) {
    const place = new Uint32Array(full.n);
    full.order.forEach((sample, p) => {
      place[sample] = p;
    });
    const [inAll, inThinned] = [ivatLookup(full), ivatLookup(thinned)];
    const pair = (a: number, b: number) =>
      [
        inAll(place[samples[thinned.order[a]!]!]!, place[samples[thinned.order[b]!]!]!),
        inThinned(a, b),
      ] as const;
    if (all <= AGREEMENT_PAIRS) {
      let a = 0;
      let b = 0;
      correlation = pearson(all, () => {
        if (++b === m) b = ++a + 1;
        return pair(a, b);
      });
    } else {
      const draw = random(seed);
      correlation = pearson(AGREEMENT_PAIRS, () => {
        const a = draw.below(m);
        const b = draw.below(m - 1);
        return pair(a, b < a ? b : b + 1);
      });
    }
  }
  const both = [ari, correlation].flatMap(({ value }) => (value === null ? [] : [value]));
  return {
    snapshot: full.snapshot.id,
    layer: full.layer,
    ari,
    correlation,
    lowest: both.length
      ? { value: Math.min(...both) }
      : { value: null, reason: correlation.reason ?? 'not defined' },
    pairs: all <= AGREEMENT_PAIRS ? 'all' : AGREEMENT_PAIRS,
    seconds: thinned.seconds,
    fullSeconds: full.seconds,
  };
}
