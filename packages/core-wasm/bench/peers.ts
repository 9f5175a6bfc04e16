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
  matMul(a: Tensor, b: Tensor): Tensor;
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

/** x·xᵀ by tfjs's WebAssembly backend, one thread; xᵀ laid out beforehand, which its fast path needs. */
export function tfjsMatMul({ data, shape: [n, d] }: Matrix): Contender {
  let made: { tf: Tfjs; x: Tensor; y: Tensor } | null = null;
  return {
    name: 'tfjs-wasm matMul(x, xᵀ)',
    async run() {
      if (!made) {
        const tf = await loadTfjs();
        const turned = new Float32Array(n * d);
        for (let i = 0; i < n; i++) for (let k = 0; k < d; k++) turned[k * n + i] = data[i * d + k]!;
        made = { tf, x: tf.tensor2d(data, [n, d]), y: tf.tensor2d(turned, [d, n]) };
      }
      const product = made.tf.matMul(made.x, made.y);
      await product.data();
      product.dispose();
    },
    dispose() {
      made?.x.dispose();
      made?.y.dispose();
    },
  };
}

/** Arrays of arrays, as most npm peers take data. */
export function rowsOf({ data, shape: [n, d] }: Matrix): number[][] {
  return Array.from({ length: n }, (_, i) => Array.from(data.subarray(i * d, (i + 1) * d)));
}
