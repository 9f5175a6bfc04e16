export { AGREEMENT_PAIRS, thinnedAgreement } from './agreement.js';
export { alignedView, alignOrder, alignPanels, orderCorrelation } from './align.js';
export { analyseTendency, type TendencyInput, type TendencyOptions } from './analyse.js';
export { ascendingOrder } from './ascending.js';
export { assignFree } from './assign.js';
export { blockLabels, defaultSmallest, findBlocks } from './blocks.js';
export { checkSpanningTree, readSpanningTree, type SpanningTree, type TreeCheck } from './check-tree.js';
export { chooseSamples, type MarkRule, placeMarks } from './marks.js';
export { rimScore } from './rim.js';
export { adjustedRandIndex, labelScores, normalisedMutualInformation, purity } from './scores.js';
export { blocksCaption, blocksSentence } from './sentence.js';
export { type Space, TENDENCY_METRICS, type TendencyMetric } from './space.js';
export { blockStability } from './stability.js';
export {
  INTERVALS,
  joinThinning,
  LEAST_SAMPLES,
  type ThinnedPanel,
  type ThinningOptions,
  type ThinningPlan,
  type ThinningSource,
  thinningSteps,
  thinOrder,
  thinPanel,
  thinTendency,
} from './thinning.js';
export * from './types.js';
