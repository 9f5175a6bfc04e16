// The plain float64 references, one line a kernel: slow, obvious, and what the kernels are tested against.

export { correlationReference } from '../kernels/correlation/reference.js';
export { ivatImageReference, minimaxReference } from '../kernels/ivat/reference.js';
export { labelRegionsReference } from '../kernels/label-regions/reference.js';
export { linkageReference } from '../kernels/linkage/reference.js';
export { pointDistance } from '../kernels/pairwise/reference.js';
export { columnSumsReference } from '../kernels/tfjs-column-sums/reference.js';
export {
  type ConvShape,
  conv2dFilterGradientReference,
  convOutput,
} from '../kernels/tfjs-conv2d-filter-gradient/reference.js';
export { conv2dInputGradientReference } from '../kernels/tfjs-conv2d-input-gradient/reference.js';
export { type MatMulOptions, matMulReference } from '../kernels/tfjs-matmul/reference.js';
export { maxPoolGradientReference } from '../kernels/tfjs-max-pool-gradient/reference.js';
export { svdReference } from '../kernels/truncated-svd/reference.js';
export { vatReference } from '../kernels/vat/reference.js';
export { vatPointsReference } from '../kernels/vat-points/reference.js';
