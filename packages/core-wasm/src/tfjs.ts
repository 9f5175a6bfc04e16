// Kernels that tfjs-backend-wasm lacks.
export {};
