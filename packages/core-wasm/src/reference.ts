// The plain float64 references, one line a kernel: slow, obvious, and what the kernels are tested against.
export {};
