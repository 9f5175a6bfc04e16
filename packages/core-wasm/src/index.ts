export { EpochscopeError, type ErrorCode, type ErrorFields, formatBytes, guard } from './errors.js';
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
