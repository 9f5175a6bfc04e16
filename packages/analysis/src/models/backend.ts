import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { EpochscopeError } from '@epochscope/core-wasm';
import type * as tfjs from '@tensorflow/tfjs';
import { registerKernels } from './kernels.js';

export type Tf = typeof tfjs;
let ready: Promise<Tf> | null = null;

/** tfjs on its wasm backend with our kernels, set up once a process (Node). Throws `unsupported` where it cannot start. */
export function prepareTf(): Promise<Tf> {
  ready ??= start();
  return ready;
}

async function start(): Promise<Tf> {
  // Its CommonJS builds: its ES modules import without file endings, which Node refuses.
  const require = createRequire(import.meta.url);
  const tf = require('@tensorflow/tfjs') as Tf;
  const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(path: string): void };
  wasm.setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  if (!(await tf.setBackend('wasm')))
    throw new EpochscopeError('unsupported', 'the tfjs WebAssembly backend could not start');
  await tf.ready();
  await registerKernels(tf);
  return tf;
}
