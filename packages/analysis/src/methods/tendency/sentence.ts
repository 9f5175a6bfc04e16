import type { TendencyPanel } from './types.js';

type Shown = Pick<TendencyPanel, 'blocks'> & Partial<Pick<TendencyPanel, 'scores'>>;

const shareText = (share: number) => `${share > 0 && share < 0.005 ? 'under 1' : Math.round(100 * share)} %`;

/** Blocks whose mean best-match Jaccard index with those of other samples is below this are not to be relied on. */
export const STABLE = 0.5;
/** Subsets of the samples show other blocks. */
export const isUnstable = ({ stability }: Pick<TendencyPanel['blocks'], 'stability'>) =>
  stability.value !== null && stability.value < STABLE;

/**
 * What the picture shows, in one line, the same in the terminal, in elements and in reports: "10 blocks, 17 % of the
 * samples in none; ARI 0.96 in blocks", with a warning where other samples do not show these blocks; or why there are none.
 */
export function blocksSentence({ blocks, scores }: Shown): string {
  const { count, reason, shareInNone } = blocks;
  if (count === 0) return reason ?? 'no clear blocks';
  const ari = scores?.inBlocks.ari.value ?? null;
  const share =
    shareInNone === 0 ? 'every sample in one' : `${shareText(shareInNone)} of the samples in none`;
  const unstable = isUnstable(blocks)
    ? `; unstable: subsets of the samples show other blocks (${blocks.stability.value!.toFixed(2)})`
    : '';
  return `${count} blocks, ${share}${ari === null ? '' : `; ARI ${ari.toFixed(2)} in blocks`}${unstable}`;
}

/** The same below a small picture: "10 blocks · 17 % in none · ARI 0.96", or the first words of the reason. */
export function blocksCaption({ blocks, scores }: Shown): string {
  const { count, reason, shareInNone } = blocks;
  if (count === 0) return (reason ?? 'no clear blocks').split(':')[0]!;
  const ari = scores?.inBlocks.ari.value ?? null;
  return [
    `${count} blocks`,
    ...(shareInNone === 0 ? [] : [`${shareText(shareInNone)} in none`]),
    ...(ari === null ? [] : [`ARI ${ari.toFixed(2)}`]),
    ...(isUnstable(blocks) ? ['unstable'] : []),
  ].join(' · ');
}
