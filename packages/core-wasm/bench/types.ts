import type { Kernels } from '../src/load.js';
import type { Matrix } from '../src/matrix.js';
import type { Threads } from './threads.js';

/** One thing to time: a kernel or a peer, on data already made. */
export interface Contender {
  /** "core-wasm", "core-wasm relaxed", "tfjs-wasm", "ml-distance", "plain JavaScript", … The first is ours. */
  name: string;
  /** Runs the work once; a self-timed one as often as told. */
  run: (calls: number) => unknown | Promise<unknown>;
  /** Called once after timing, to give memory back. */
  dispose?: () => void | Promise<void>;
  /** `run` returns `{ seconds }` of all its calls by its own clock (another process). */
  selfTimed?: boolean;
  /** Works on several threads: timed by the clock, not by the processor time of this process. */
  threads?: boolean;
}

/** One row of the table: the same work on the same data by several contenders. */
export interface BenchCase {
  /** "cosine matrix", "VAT from points", … */
  work: string;
  /** "n=5000 d=84 blobs". */
  data: string;
  /** Floating-point operations of the useful work (multiply and add count as two), for GFLOP/s; or … */
  flops?: number;
  /** … elements touched, for ns per element. */
  elements?: number;
  /** Bytes our kernel takes in WebAssembly memory. */
  bytes?: number;
  contenders: Contender[];
  /** Works of bench/peers.py to run on `input()` with --peers python. */
  python?: {
    work: string[];
    input: () => Matrix;
    k?: number;
    /** Seconds a call of each is likely to take, where that may be long: one over the limit is left out. */
    expected?: Readonly<Record<string, number>>;
  };
}

export interface BenchContext {
  kernels: Kernels;
  /** null where relaxed SIMD is missing. */
  relaxed: Kernels | null;
  /** Several threads over one memory; null where the machine has one core. */
  threads: Threads | null;
  /** Small sizes only, for a quick look. */
  quick: boolean;
  /** A folder with MNIST's training images; null: cases of them are left out. */
  mnist: string | null;
}

/**
 * What a kernel's bench.ts exports as `bench`. Cases are made lazily, one at a time, so that data does not pile up.
 */
export interface KernelBench {
  kernel: string;
  cases(context: BenchContext): Iterable<BenchCase> | AsyncIterable<BenchCase>;
}
