import { nameOf } from './arguments.js';
import { guard } from './errors.js';
import { decodeBase64, linked } from './load.js';

/** What tfjs.wasm exports: kernels on tfjs's own memory. All pointers are byte offsets into it. */
export interface TfjsKernels {
  columnSums(x: number, out: number, rows: number, columns: number): void;
  conv2dFilterGradientScratch(...sizes: number[]): number;
  conv2dFilterGradient(x: number, dy: number, dw: number, scratch: number, ...sizes: number[]): void;
  conv2dInputGradientScratch(...sizes: number[]): number;
  conv2dInputGradient(dy: number, w: number, dx: number, scratch: number, ...sizes: number[]): void;
  maxPoolGradient(x: number, dy: number, dx: number, ...sizes: number[]): void;
  matMulScratch(k: number, n: number): number;
  matMul(
    a: number,
    b: number,
    c: number,
    scratch: number,
    m: number,
    k: number,
    n: number,
    transposeA: number,
    transposeB: number,
    bias: number,
    relu: number,
  ): void;
}

/**
 * Instantiates the training kernels on a memory, usually tfjs-backend-wasm's (`backend.wasm.asm.memory`). They keep
 * no data of their own there; the caller gives scratch space. These are raw: pointers and sizes are not checked.
 * Throws `argument`.
 */
export async function loadTfjsKernels(memory: WebAssembly.Memory): Promise<TfjsKernels> {
  guard(
    memory instanceof WebAssembly.Memory,
    'argument',
    () => `memory: expected a WebAssembly.Memory, got ${nameOf(memory)}`,
  );
  const { default: base64 } = await import('./generated/tfjs.js');
  const module = await WebAssembly.compile(decodeBase64(base64));
  const instance = linked(() => new WebAssembly.Instance(module, { env: { memory } }));
  return instance.exports as unknown as TfjsKernels;
}
