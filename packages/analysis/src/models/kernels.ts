import { EpochscopeError, formatBytes, guard } from '@epochscope/core-wasm';
import { loadTfjsKernels, type TfjsKernels } from '@epochscope/core-wasm/tfjs';
import type * as tfjs from '@tensorflow/tfjs';

// Kernels of ours on tfjs-backend-wasm 4.22, registered in place of what it lacks (Conv2DBackpropFilter), does wrongly
// (matrix products: its packed right side is cached by tensor id, so a reshaped tensor gives garbage; fused products
// with a transposed side and K > 48 are wrong) or slowly (it copies what a gradient keeps). docs/decisions/0002-tfjs-kernels.md.

type Tf = typeof tfjs;
interface Info {
  dataId: object;
  shape: number[];
  dtype: 'float32';
}
interface WasmBackend {
  wasm: { asm: { memory: WebAssembly.Memory }; _malloc(bytes: number): number; _free(pointer: number): void };
  getMemoryOffset(dataId: object): number;
  makeOutput(shape: number[], dtype: string): Info;
  incRef(dataId: object): void;
}
interface Call {
  inputs: Record<string, Info>;
  backend: WasmBackend;
  attrs: Record<string, unknown>;
}

const product = (sides: readonly number[]) => sides.reduce((a, b) => a * b, 1);

/** Runs `body` on `bytes` of tfjs's heap. Throws `memory` where tfjs would go on with a null pointer. */
function scratch<T>(backend: WasmBackend, bytes: number, body: (pointer: number) => T): T {
  const pointer = backend.wasm._malloc(bytes) >>> 0;
  if (!pointer)
    throw new EpochscopeError(
      'memory',
      `tfjs's heap has no ${formatBytes(bytes)} left for a work area; use a smaller batch`,
      { needed: bytes },
    );
  try {
    return body(pointer);
  } finally {
    backend.wasm._free(pointer);
  }
}

function output(backend: WasmBackend, shape: number[]): { info: Info; pointer: number } {
  const info = backend.makeOutput(shape, 'float32');
  const pointer = backend.getMemoryOffset(info.dataId) >>> 0;
  const bytes = 4 * product(shape);
  if (!pointer && bytes)
    throw new EpochscopeError(
      'memory',
      `tfjs's heap has no ${formatBytes(bytes)} left; use a smaller batch`,
      { needed: bytes },
    );
  return { info, pointer };
}

/** Registers the kernels on the wasm backend, which must be the active one. */
export async function registerKernels(tf: Tf): Promise<void> {
  const backend = tf.backend() as unknown as WasmBackend;
  const kernels = await loadTfjsKernels(backend.wasm.asm.memory);
  const register = (kernelName: string, body: (call: Call) => Info) => {
    if (tf.getKernel(kernelName, 'wasm')) tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc: body as never });
  };
  const fused = tf.getKernel('_FusedMatMul', 'wasm')?.kernelFunc as unknown as
    | ((call: Call) => Info)
    | undefined;
  register('Conv2DBackpropFilter', (call) => filterGradient(tf, kernels, call));
  register('Conv2DBackpropInput', (call) => inputGradient(tf, kernels, call));
  register('MaxPoolGrad', (call) => poolGradient(tf, kernels, call));
  register('Identity', ({ inputs, backend }) => {
    const { x } = inputs as { x: Info };
    backend.incRef(x.dataId);
    return { ...x };
  });
  const sum = tf.getKernel('Sum', 'wasm').kernelFunc as unknown as (call: Call) => Info;
  register('Sum', (call) => columnSums(kernels, call) ?? sum(call));
  register('BatchMatMul', (call) => matMul(tf, kernels, call));
  register('_FusedMatMul', (call) => fusedMatMul(tf, kernels, call, fused));
}

/** Sum over all axes but the last, as a bias's gradient is; null for any other. */
function columnSums(kernels: TfjsKernels, { inputs, backend, attrs }: Call): Info | null {
  const { x } = inputs as { x: Info };
  const { axis, keepDims } = attrs as { axis?: number | number[]; keepDims?: boolean };
  const leading = x.shape.length - 1;
  const axes = [axis ?? []].flat();
  if (leading < 1 || keepDims || x.dtype !== 'float32' || axes.length !== leading) return null;
  if (!axes.every((a) => a >= 0 && a < leading)) return null;
  const columns = x.shape[leading]!;
  const result = output(backend, [columns]);
  kernels.columnSums(
    backend.getMemoryOffset(x.dataId),
    result.pointer,
    product(x.shape.slice(0, -1)),
    columns,
  );
  return result.info;
}

function filterGradient(tf: Tf, kernels: TfjsKernels, { inputs, backend, attrs }: Call): Info {
  const { x, dy } = inputs as { x: Info; dy: Info };
  const { strides, pad, dataFormat, dimRoundingMode, filterShape } = attrs as never as {
    strides: number;
    pad: 'valid';
    dataFormat: string;
    dimRoundingMode?: 'floor';
    filterShape: [number, number, number, number];
  };
  guard(dataFormat === 'NHWC', 'unsupported', () => `convolution gradient: expected NHWC, got ${dataFormat}`);
  const info = tf.backend_util.computeConv2DInfo(
    x.shape as [number, number, number, number],
    filterShape,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const sizes = [
    info.inHeight,
    info.inWidth,
    info.inChannels,
    info.outHeight,
    info.outWidth,
    info.outChannels,
    info.filterHeight,
    info.filterWidth,
  ];
  const padding = [info.padInfo.top, info.padInfo.bottom, info.padInfo.left, info.padInfo.right];
  const steps = [info.strideHeight, info.strideWidth, info.dilationHeight, info.dilationWidth];
  const result = output(backend, filterShape);
  scratch(backend, kernels.conv2dFilterGradientScratch(...sizes, ...padding), (pointer) =>
    kernels.conv2dFilterGradient(
      backend.getMemoryOffset(x.dataId),
      backend.getMemoryOffset(dy.dataId),
      result.pointer,
      pointer,
      info.batchSize,
      ...sizes,
      ...steps,
      ...padding,
    ),
  );
  return result.info;
}

function inputGradient(tf: Tf, kernels: TfjsKernels, { inputs, backend, attrs }: Call): Info {
  const { dy, filter } = inputs as { dy: Info; filter: Info };
  const { strides, pad, dataFormat, dimRoundingMode, inputShape } = attrs as never as {
    strides: number;
    pad: 'valid';
    dataFormat: string;
    dimRoundingMode?: 'floor';
    inputShape: [number, number, number, number];
  };
  guard(dataFormat === 'NHWC', 'unsupported', () => `convolution gradient: expected NHWC, got ${dataFormat}`);
  const info = tf.backend_util.computeConv2DInfo(
    inputShape,
    filter.shape as [number, number, number, number],
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const padding = [info.padInfo.top, info.padInfo.bottom, info.padInfo.left, info.padInfo.right];
  const image = [info.inHeight, info.inWidth, info.inChannels];
  const window = [info.filterHeight, info.filterWidth];
  const result = output(backend, inputShape);
  scratch(
    backend,
    kernels.conv2dInputGradientScratch(...image, info.outChannels, ...window, ...padding),
    (pointer) =>
      kernels.conv2dInputGradient(
        backend.getMemoryOffset(dy.dataId),
        backend.getMemoryOffset(filter.dataId),
        result.pointer,
        pointer,
        info.batchSize,
        ...image,
        info.outHeight,
        info.outWidth,
        info.outChannels,
        ...window,
        info.strideHeight,
        info.strideWidth,
        ...padding,
      ),
  );
  return result.info;
}

function poolGradient(tf: Tf, kernels: TfjsKernels, { inputs, backend, attrs }: Call): Info {
  const { dy, input } = inputs as { dy: Info; input: Info };
  const { filterSize, strides, pad, dimRoundingMode } = attrs as never as {
    filterSize: number;
    strides: number;
    pad: 'valid';
    dimRoundingMode?: 'floor';
  };
  const info = tf.backend_util.computePool2DInfo(
    input.shape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const result = output(backend, input.shape);
  kernels.maxPoolGradient(
    backend.getMemoryOffset(input.dataId),
    backend.getMemoryOffset(dy.dataId),
    result.pointer,
    info.batchSize,
    info.inHeight,
    info.inWidth,
    info.inChannels,
    info.outHeight,
    info.outWidth,
    info.filterHeight,
    info.filterWidth,
    info.strideHeight,
    info.strideWidth,
    info.dilationHeight,
    info.dilationWidth,
    info.padInfo.top,
    info.padInfo.left,
  );
  return result.info;
}

function matMul(
  tf: Tf,
  kernels: TfjsKernels,
  { inputs, backend, attrs }: Call,
  bias?: Info,
  relu = false,
): Info {
  const { a, b } = inputs as { a: Info; b: Info };
  const { transposeA = false, transposeB = false } = attrs as { transposeA?: boolean; transposeB?: boolean };
  const [rowsA, columnsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [inner, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  guard(k === inner, 'shape', () => `matrix product: inner sides ${k} and ${inner} differ`, {
    expected: k,
    got: inner,
  });
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const batches = product(outer);
  const placesA = placesOf(a, outer);
  const placesB = placesOf(b, outer);
  const result = output(backend, [...outer, m, n]);
  const startA = backend.getMemoryOffset(a.dataId);
  const startB = backend.getMemoryOffset(b.dataId);
  const startBias = bias ? backend.getMemoryOffset(bias.dataId) : 0;
  scratch(backend, kernels.matMulScratch(k, n), (pointer) => {
    for (let batch = 0; batch < batches; batch++) {
      const c = result.pointer + batch * m * n * 4;
      kernels.matMul(
        startA + placesA(batch),
        startB + placesB(batch),
        c,
        pointer,
        m,
        k,
        n,
        Number(transposeA),
        Number(transposeB),
        startBias,
        Number(relu),
      );
    }
  });
  return result.info;
}

/** Where the matrix for one of the batches lies, in bytes: leading axes of 1 serve all. */
function placesOf(info: Info, outer: readonly number[]): (batch: number) => number {
  const own = info.shape.slice(0, -2);
  const bytes = 4 * product(info.shape.slice(-2));
  if (product(own) === product(outer)) return (batch) => batch * bytes;
  if (product(own) === 1) return () => 0;
  return (batch) => {
    let [rest, at, step] = [batch, 0, 1];
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      const place = rest % outer[axis]!;
      rest = Math.floor(rest / outer[axis]!);
      const side = own[axis - (outer.length - own.length)] ?? 1;
      at += side === 1 ? 0 : place * step;
      step *= side;
    }
    return at * bytes;
  };
}

function fusedMatMul(tf: Tf, kernels: TfjsKernels, call: Call, original?: (call: Call) => Info): Info {
  const { b, bias } = call.inputs as { b: Info; bias?: Info };
  const {
    activation = 'linear',
    transposeA,
    transposeB,
  } = call.attrs as { activation?: string; transposeA?: boolean; transposeB?: boolean };
  const n = b.shape.at(transposeB ? -2 : -1);
  if ((activation === 'linear' || activation === 'relu') && (!bias || product(bias.shape) === n))
    return matMul(tf, kernels, call, bias, activation === 'relu');
  guard(
    original && !transposeA && !transposeB,
    'unsupported',
    () => `a fused matrix product with activation ${activation} and a transposed side is not available`,
  );
  return original(call);
}
