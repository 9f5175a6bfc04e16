export { type Correlation, correlation } from '../kernels/correlation/index.js';
export {
  type IvatImageOptions,
  type IvatMatrixOptions,
  ivatCondensed,
  ivatImage,
  ivatLookup,
  ivatMatrix,
  ivatValue,
} from '../kernels/ivat/index.js';
export {
  type LabelledRegions,
  type LabelRegionsOptions,
  labelRegions,
} from '../kernels/label-regions/index.js';
export {
  type Cut,
  copheneticDistances,
  cutByCount,
  cutByDiameter,
  cutByHeight,
  LINKAGE_METHODS,
  type Linkage,
  type LinkageMethod,
  type LinkageOptions,
  leafOrder,
  leafRanges,
  linkage,
  linkageFromPoints,
  linkageMatrix,
  type PointsLinkage,
  type PointsLinkageOptions,
} from '../kernels/linkage/index.js';
export { type PairwiseOptions, pairwise, pairwiseCondensed } from '../kernels/pairwise/index.js';
export {
  type LinearOperator,
  type SvdMethod,
  type TruncatedSvdOptions,
  type TruncatedSvdResult,
  truncatedSvd,
  truncatedSvdOperator,
} from '../kernels/truncated-svd/index.js';
export { type SyncJobOptions, type VatResult, vatFromMatrix } from '../kernels/vat/index.js';
export { vatFromPoints } from '../kernels/vat-points/index.js';
export {
  EpochscopeError,
  type ErrorCode,
  type ErrorFields,
  formatBytes,
  guard,
  printable,
} from './errors.js';
export { detectFeatures, type Kernels, type LoadOptions, loadKernels } from './load.js';
export { type Matrix, METRICS, type Metric } from './matrix.js';
