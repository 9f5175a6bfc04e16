import { blocksSentence, isUnstable, type TendencyPanel } from '@epochscope/analysis/results';
import { sentence, snapshotTitle } from '../styles.js';
import { blockContents, isDigits } from './model.js';

const WORDS = 'zero one two three four five six seven eight nine ten eleven twelve'.split(' ');
const inWords = (n: number) => WORDS[n] ?? String(n);
/** Why there are none, in the first words of the rule's reason: samples too few to count are not samples without blocks. */
const noBlocks = ({ blocks }: TendencyPanel) => (blocks.reason ?? 'no clear blocks').split(':')[0]!;
const blocksOf = (panel: TendencyPanel) =>
  panel.blocks.count === 0 ? noBlocks(panel) : `${inWords(panel.blocks.count)} blocks`;

/** A block is of one class where at least this share of it is. */
const PURE = 0.8;

/**
 * Whether the blocks stand for the classes one by one: as many as there are classes, each mostly of one, no class twice. The picture's
 * bars say the shares; a mixed block takes the claim away.
 */
export function oneForEach(panel: TendencyPanel, labels: Uint32Array | null, classes: number): boolean {
  const blocks = blockContents(panel, labels);
  if (!labels || blocks.length !== classes || classes < 2) return false;
  const majority = new Set<number>();
  for (const { classes: held, start, end } of blocks) {
    const [label, count] = held[0]!;
    if (count < PURE * (end - start)) return false;
    majority.add(label);
  }
  return majority.size === classes;
}

/** The picture is nearly all dark on a scale that ends at `high`. */
const FAINT = 0.15;
export const isFaint = (own: number, high: number): boolean => high > 0 && own < FAINT * high;

/** What the headline is made from. */
export interface StoryFacts {
  /** Of one layer, first and last snapshot, and those between. */
  row: readonly TendencyPanel[];
  labels: Uint32Array | null;
  classes: readonly string[] | null;
  /** Its blocks could not be told on the scale of its layer. */
  faint: (panel: TendencyPanel) => boolean;
  /** Training goes on: the epoch that is at work, where that is known. */
  training?: { epoch: number | null } | null;
}

const after = (panel: TendencyPanel) => {
  const { epoch, step } = panel.snapshot;
  const title = snapshotTitle(panel.snapshot);
  if (title === 'before training') return title;
  if (epoch !== null) return `after ${epoch} ${epoch === 1 ? 'epoch' : 'epochs'}`;
  return step === null ? `at ${title}` : `after ${step} steps`;
};

/**
 * One sentence or two, from the counts alone: what they were at the first snapshot and are at the last. Says neither more nor less than
 * the counting rule; where the blocks at first are not to be relied on, or its layer's scale draws them as one dark square, that too.
 */
export function headline(facts: StoryFacts): string {
  const { row, labels, classes, faint, training } = facts;
  const first = row[0];
  const last = row.at(-1);
  if (!first || !last) return '';
  const kind = isDigits(classes) ? 'digit' : 'class';
  if (training) {
    const now = `${sentence(blocksOf(last))} so far.`;
    return training.epoch === null ? now : `${now} Epoch ${training.epoch} is training.`;
  }
  const ari = last.scores.inBlocks.ari.value;
  const match = oneForEach(last, labels, classes?.length ?? 0)
    ? `: one for each ${kind}`
    : ari === null || last.blocks.count === 0
      ? ''
      : `, ARI ${ari.toFixed(2)}`;
  if (row.length === 1) return `${sentence(blocksOf(last))}${match}.`;
  // Of the samples, not of what was learnt: the same at every snapshot.
  const { count, reason } = last.blocks;
  if (count === 0 && reason && reason === first.blocks.reason) return `${sentence(reason)}.`;
  const kindOf = isUnstable(first.blocks) ? 'unstable ' : faint(first) ? 'faint ' : '';
  const before = `${sentence(after(first))}, ${first.blocks.count ? `${inWords(first.blocks.count)} ${kindOf}blocks` : noBlocks(first)}.`;
  const later =
    count === 0 ? noBlocks(last) : count === first.blocks.count ? `still ${inWords(count)}` : inWords(count);
  const shaky = count > 0 && isUnstable(last.blocks) ? ' unstable' : '';
  return `${before} ${sentence(after(last))}, ${later}${shaky}${match}.`;
}

/** The counting rule's own sentence of what is shown, as everywhere. */
export const ruleSentence = (panel: TendencyPanel): string => {
  const text = blocksSentence(panel);
  return `${sentence(text)}.`;
};

/** What stands inside a picture that is nearly all dark. */
export function faintNote(own: number, most: number, high: number, count: number): string {
  const figure = (value: number) => String(Number(value.toPrecision(2)));
  return count
    ? `On a scale of its own, to ${figure(own)}: on that of all epochs, to ${figure(high)}, its blocks could not be told.`
    : `Nothing to tell apart yet: the widest gap between neighbours is ${figure(most)}, on a scale to ${figure(high)}.`;
}
