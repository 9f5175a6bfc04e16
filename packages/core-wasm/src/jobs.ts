// What an engine needs that runs kernels in slices, on several workers over one memory, or keeps results in it: jobs
// in their parts, steps, memory estimates, the allocator, checks of arguments. Plain calls are in index.ts.

export {
  addCorrelationSteps,
  type CorrelationJob,
  correlationBytes,
  correlationSteps,
  finishCorrelation,
  prepareCorrelation,
  releaseCorrelation,
} from '../kernels/correlation/index.js';
export { ivatMatrixInto } from '../kernels/ivat/index.js';
export { labelRegionsBytes, labelRegionsSteps } from '../kernels/label-regions/index.js';
export {
  checkPointsLinkage,
  type LinkageSteps,
  linkageBytes,
  linkageFromPointsBytes,
  linkageFromPointsSteps,
  linkageOfPairwiseSteps,
  linkageSteps,
  shares as linkageShares,
} from '../kernels/linkage/index.js';
export {
  checkPairwise,
  type PairwiseJob,
  type PairwiseShape,
  pairwiseBytes,
  pairwiseInto,
  pairwiseResult,
  pairwiseSteps,
  preparePairwise,
  releasePairwise,
  runPairwise,
} from '../kernels/pairwise/index.js';
export {
  truncatedSvdBytes,
  truncatedSvdOperatorBytes,
  truncatedSvdSteps,
} from '../kernels/truncated-svd/index.js';
export { type BorrowedMatrix, vatFromMatrixSteps } from '../kernels/vat/index.js';
export {
  checkCore,
  doneOfVatPoints,
  edgesOfVatPointsFit,
  finishVatPoints,
  type LightEdges,
  lightEdgesOfVatPoints,
  prepareVatPoints,
  releaseVatPoints,
  runVatPointsWorker,
  sampleOfVatPoints,
  stopVatPoints,
  type VatPointsJob,
  type VatPointsPlan,
  type VatPointsState,
  vatPointsBytes,
  vatPointsPlan,
  vatPointsWeight,
} from '../kernels/vat-points/index.js';
export { decodeBase64, instantiate, kernelModule } from './load.js';
export { checkFinite, checkMatrix, firstNotFinite, METRIC_ID } from './matrix.js';
export { Arena } from './memory.js';
export type { Steps } from './steps.js';
