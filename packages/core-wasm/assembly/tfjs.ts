// Kernels that work on tfjs-backend-wasm's own memory: what it lacks or does wrongly
// (docs/decisions/0002-tfjs-kernels.md).
export * from '../kernels/tfjs-column-sums/assembly';
export * from '../kernels/tfjs-conv2d-filter-gradient/assembly';
export * from '../kernels/tfjs-max-pool-gradient/assembly';
export * from '../kernels/tfjs-matmul/assembly';
export * from '../kernels/tfjs-conv2d-input-gradient/assembly';
