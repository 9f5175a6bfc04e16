// Peers from npm that need setting up. All are devDependencies of this package; none is imported by the library.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Matrix } from '../src/matrix.js';
import type { Contender } from './types.js';

interface Tensor {
  data(): Promise<unknown>;
  dispose(): void;
}
interface Tfjs {
  setBackend(name: string): Promise<boolean>;
  tensor2d(values: Float32Array, shape: readonly [number, number]): Tensor;
  transpose(x: Tensor): Tensor;
  matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
}

let tfjs: Promise<Tfjs> | null = null;

function loadTfjs(): Promise<Tfjs> {
  tfjs ??= (async () => {
    // By name at run time: the library is built without tfjs's types.
    const [core, backend] = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'];
    const tf = (await import(core!)) as Tfjs;
    const wasm = (await import(backend!)) as { setWasmPaths(folder: string): void };
    const main = createRequire(import.meta.url).resolve(backend!);
    wasm.setWasmPaths(join(dirname(main), '/'));
    await tf.setBackend('wasm');
    return tf;
  })();
  return tfjs;
}

/**
 * x·xᵀ by tfjs's WebAssembly backend, one thread, in the two ways one can write it: told to turn the right side (a
 * slow path of the backend), or turned first (XNNPACK).
 */
export function tfjsMatMul({ data, shape: [n, d] }: Matrix, turned: boolean): Contender {
  let made: { tf: Tfjs; x: Tensor } | null = null;
  return {
    name: turned ? 'tfjs-wasm matMul(x, transpose(x))' : 'tfjs-wasm matMul(x, x, false, true)',
    async run() {
      if (!made) {
        const tf = await loadTfjs();
        made = { tf, x: tf.tensor2d(data, [n, d]) };
      }
      const { tf, x } = made;
      const y = turned ? tf.transpose(x) : x;
      const product = turned ? tf.matMul(x, y) : tf.matMul(x, x, false, true);
      await product.data();
      product.dispose();
      if (turned) y.dispose();
    },
    dispose: () => made?.x.dispose(),
  };
}

/** Arrays of arrays, as most npm peers take data. */
export function rowsOf({ data, shape: [n, d] }: Matrix): number[][] {
  return Array.from({ length: n }, (_, i) => Array.from(data.subarray(i * d, (i + 1) * d)));
}
