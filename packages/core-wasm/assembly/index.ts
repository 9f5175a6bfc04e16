// Every kernel's exports, one line a kernel. Rules for all of them (ARCHITECTURE.md, "Kernels"):
// raw pointers and numbers only; no `new`, no `heap.alloc`, no mutable global, no static data, because several
// instances share one memory. The JavaScript side allocates.
export * from '../kernels/pairwise/assembly/index';
export * from '../kernels/vat/assembly';
export * from '../kernels/vat-points/assembly/index';
export * from '../kernels/ivat/assembly';
export * from '../kernels/label-regions/assembly';
export * from '../kernels/linkage/assembly/index';
export * from '../kernels/linkage/assembly/input';
export * from '../kernels/linkage/assembly/small';
export * from '../kernels/linkage/assembly/label';
export * from '../kernels/correlation/assembly';
export * from '../kernels/truncated-svd/assembly/index';
