import type { Matrix } from '@epochscope/core-wasm';
import { transfer } from 'comlink/dist/esm/comlink.mjs';

/**
 * A matrix for a worker: shared data as it is, other data as a copy that is moved, so that the caller keeps its own.
 */
export function hand(x: Matrix): Matrix {
  if (typeof SharedArrayBuffer === 'function' && x.data.buffer instanceof SharedArrayBuffer) return x;
  const data = x.data.slice();
  return transfer({ data, shape: x.shape }, [data.buffer as ArrayBuffer]);
}
