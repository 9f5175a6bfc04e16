export { AGREEMENT_PAIRS, thinnedAgreement } from './agreement.js';
export { alignedView, alignOrder, alignPanels, orderCorrelation } from './align.js';
export { analyseTendency, type TendencyInput, type TendencyOptions } from './analyse.js';
export { blockLabels, defaultMinimumSize, findBlocks } from './blocks.js';
export { chooseSamples, type MarkRule, placeMarks } from './marks.js';
export { ascendingOrder, blockCounts, runsAfterCuts } from './profile.js';
export { rimScore } from './rim.js';
export { adjustedRandIndex, normalisedMutualInformation, purity } from './scores.js';
export { type Space, TENDENCY_METRICS, type TendencyMetric } from './space.js';
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
