import { EpochscopeError } from '@epochscope/core-wasm';
import type * as tfjs from '@tensorflow/tfjs';
import { platform } from '#platform';
import type { TfjsWasm } from '../platform/types.js';
import { registerKernels } from './kernels.js';

export type Tf = typeof tfjs;
let ready: Promise<Tf> | null = null;

/**
 * tfjs on its wasm backend with our kernels, set up once. `wasm`: where its files lie, for pages whose bundler does not bring them
 * along. Throws `unsupported` where it cannot start.
 */
export function prepareTf(options: { wasm?: TfjsWasm } = {}): Promise<Tf> {
  ready ??= start(options.wasm).catch((cause) => {
    ready = null;
    throw cause;
  });
  return ready;
}

async function start(wasm: TfjsWasm | undefined): Promise<Tf> {
  const tf = (await platform.loadTf(wasm)) as Tf;
  // Its threads hang on pages that are isolated from other origins.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  if (!(await tf.setBackend('wasm')))
    throw new EpochscopeError('unsupported', 'the tfjs WebAssembly backend could not start');
  await tf.ready();
  await registerKernels(tf);
  return tf;
}
