// What tests and benches of the tfjs-* kernels share: a memory of their own in place of tfjs's, and tfjs itself as a
// peer.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ConvShape } from '../kernels/tfjs-conv2d-filter-gradient/reference.js';
import { Arena } from '../src/memory.js';
import { loadTfjsKernels, type TfjsKernels } from '../src/tfjs.js';
import { normal } from './data.js';
import type { Contender } from './types.js';

export interface TfjsRoom {
  kernels: TfjsKernels;
  arena: Arena;
}

/** The tfjs kernels on a memory of their own. */
export async function tfjsRoom(): Promise<TfjsRoom> {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 65536 });
  return { kernels: await loadTfjsKernels(memory), arena: new Arena(memory) };
}

const GUARD = 64;
const PATTERN = 0xab;

/**
 * Runs `body` with pointers to copies of `inputs` and to outputs of the given byte lengths, each between 64 guard
 * bytes. Returns the outputs as float32. Throws when a guard or an input has changed.
 */
export function guarded(
  { arena }: TfjsRoom,
  inputs: readonly Float32Array[],
  outputs: readonly number[],
  body: (inputs: number[], outputs: number[]) => void,
): Float32Array[] {
  const lengths = [...inputs.map((x) => x.byteLength), ...outputs];
  const blocks = lengths.map((bytes) => arena.alloc(bytes + 2 * GUARD));
  try {
    blocks.forEach((block, i) => {
      arena.u8(block, lengths[i]! + 2 * GUARD).fill(PATTERN);
      if (i < inputs.length) arena.f32(block + GUARD, inputs[i]!.length).set(inputs[i]!);
    });
    const at = blocks.map((block) => block + GUARD);
    body(at.slice(0, inputs.length), at.slice(inputs.length));
    blocks.forEach((block, i) => {
      const all = arena.u8(block, lengths[i]! + 2 * GUARD);
      const around = [...all.subarray(0, GUARD), ...all.subarray(GUARD + lengths[i]!)];
      const wrong = around.findIndex((byte) => byte !== PATTERN);
      const name = i < inputs.length ? `input ${i}` : `output ${i - inputs.length}`;
      if (wrong >= 0)
        throw new Error(
          `guard of ${name} (${lengths[i]} bytes) was written at ${wrong < GUARD ? wrong - GUARD : `end + ${wrong - GUARD}`}`,
        );
      const input = inputs[i];
      if (input && !arena.f32(block + GUARD, input.length).every((x, k) => Object.is(x, input[k])))
        throw new Error(`${name} was changed`);
    });
    return outputs.map((bytes, i) => arena.f32(at[inputs.length + i]!, bytes / 4).slice());
  } finally {
    for (const block of blocks) arena.dealloc(block);
  }
}

export const normals = (count: number, seed: number): Float32Array => {
  const next = normal(seed);
  return Float32Array.from({ length: count }, next);
};

/** A convolution of stride and dilation 1 with no padding; `more` changes that. */
export const conv = (
  [batch, height, width, channels]: readonly [number, number, number, number],
  [filterHeight, filterWidth, outChannels]: readonly [number, number, number],
  more: Partial<ConvShape> = {},
): ConvShape => ({
  batch,
  height,
  width,
  channels,
  outChannels,
  filterHeight,
  filterWidth,
  strideY: 1,
  strideX: 1,
  dilationY: 1,
  dilationX: 1,
  padTop: 0,
  padBottom: 0,
  padLeft: 0,
  padRight: 0,
  ...more,
});

interface Core {
  setBackend(name: string): Promise<boolean>;
  tensor(values: Float32Array, shape: readonly number[]): Tensor;
  engine(): { runKernel(name: string, inputs: object, attrs: object): Tensor };
}
interface Tensor {
  data(): Promise<unknown>;
  dispose(): void;
}
let core: Promise<Core> | null = null;

function loadCore(): Promise<Core> {
  core ??= (async () => {
    // By name at run time: the library is built without tfjs's types. CommonJS: its ES modules do not load in Node.
    const require = createRequire(import.meta.url);
    const tf = require('@tensorflow/tfjs-core') as Core;
    require('@tensorflow/tfjs-backend-cpu');
    const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void };
    wasm.setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), '/'));
    return tf;
  })();
  return core;
}

/** A kernel of tfjs's own on one of its backends, without ours. */
export function tfjsKernel(
  backend: 'wasm' | 'cpu',
  kernel: string,
  inputs: Record<string, [Float32Array, readonly number[]]>,
  attrs: object,
): Contender {
  let made: { tf: Core; tensors: Record<string, Tensor> } | null = null;
  return {
    name: `tfjs-${backend} ${kernel}`,
    async run() {
      const tf = await loadCore();
      await tf.setBackend(backend);
      made ??= {
        tf,
        tensors: Object.fromEntries(
          Object.entries(inputs).map(([name, [data, shape]]) => [name, tf.tensor(data, shape)]),
        ),
      };
      const out = tf.engine().runKernel(kernel, made.tensors, attrs);
      await out.data();
      out.dispose();
    },
    dispose() {
      for (const tensor of Object.values(made?.tensors ?? {})) tensor.dispose();
    },
  };
}
