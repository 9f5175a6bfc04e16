import type { KernelBench } from './types.js';

/** One line a kernel. */
export const benches: KernelBench[] = [];
