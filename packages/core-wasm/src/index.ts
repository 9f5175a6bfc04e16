export {
  addCorrelationSteps,
  type Correlation,
  type CorrelationJob,
  correlation,
  correlationBytes,
  correlationSteps,
  finishCorrelation,
  prepareCorrelation,
  releaseCorrelation,
} from '../kernels/correlation/index.js';
export {
  type IvatImageOptions,
  type IvatMatrixOptions,
  ivatCondensed,
  ivatImage,
  ivatLookup,
  ivatMatrix,
  ivatMatrixInto,
  ivatValue,
} from '../kernels/ivat/index.js';
export {
  type LabelledRegions,
  type LabelRegionsOptions,
  labelRegions,
  labelRegionsBytes,
  labelRegionsSteps,
} from '../kernels/label-regions/index.js';
export {
  type Cut,
  checkPointsLinkage,
  copheneticDistances,
  cutByCount,
  cutByDiameter,
  cutByHeight,
  LINKAGE_METHODS,
  type Linkage,
  type LinkageMethod,
  type LinkageOptions,
  type LinkageSteps,
  leafOrder,
  leafRanges,
  linkage,
  linkageBytes,
  linkageFromPoints,
  linkageFromPointsBytes,
  linkageFromPointsSteps,
  linkageMatrix,
  linkageOfPairwiseSteps,
  linkageSteps,
  type PointsLinkage,
  type PointsLinkageOptions,
  shares as linkageShares,
} from '../kernels/linkage/index.js';
export {
  checkPairwise,
  type PairwiseJob,
  type PairwiseOptions,
  type PairwiseShape,
  pairwise,
  pairwiseBytes,
  pairwiseCondensed,
  pairwiseInto,
  pairwiseResult,
  pairwiseSteps,
  preparePairwise,
  releasePairwise,
  runPairwise,
} from '../kernels/pairwise/index.js';
export {
  type LinearOperator,
  type SvdMethod,
  type TruncatedSvdOptions,
  type TruncatedSvdResult,
  truncatedSvd,
  truncatedSvdBytes,
  truncatedSvdOperator,
  truncatedSvdOperatorBytes,
  truncatedSvdSteps,
} from '../kernels/truncated-svd/index.js';
export {
  type BorrowedMatrix,
  type SyncJobOptions,
  type VatResult,
  vatFromMatrix,
  vatFromMatrixSteps,
} from '../kernels/vat/index.js';
export {
  doneOfVatPoints,
  finishVatPoints,
  prepareVatPoints,
  releaseVatPoints,
  runVatPointsWorker,
  stopVatPoints,
  type VatPointsJob,
  type VatPointsState,
  vatFromPoints,
  vatPointsBytes,
} from '../kernels/vat-points/index.js';
export {
  EpochscopeError,
  type ErrorCode,
  type ErrorFields,
  formatBytes,
  guard,
  printable,
} from './errors.js';
export {
  decodeBase64,
  detectFeatures,
  instantiate,
  type Kernels,
  kernelModule,
  type LoadOptions,
  loadKernels,
} from './load.js';
export { checkFinite, checkMatrix, type Matrix, METRIC_ID, METRICS, type Metric } from './matrix.js';
export { Arena } from './memory.js';
export type { Steps } from './steps.js';
