import { normals, tfjsKernel, tfjsRoom } from '../../bench/tfjs.js';
import type { KernelBench } from '../../bench/types.js';
import type { TfjsKernels } from '../../src/tfjs.js';
import { CONVOLUTIONS } from '../tfjs-conv2d-filter-gradient/bench.js';
import { type ConvShape, convOutput } from '../tfjs-conv2d-filter-gradient/reference.js';

/** The call with the shape's numbers in their places, and the bytes of scratch it needs. Dilation 1 only. */
export function inputGradient(kernels: TfjsKernels, s: ConvShape) {
  const { outHeight, outWidth } = convOutput(s);
  const image = [s.height, s.width, s.channels];
  const window = [s.filterHeight, s.filterWidth];
  const padding = [s.padTop, s.padBottom, s.padLeft, s.padRight];
  return {
    bytes: kernels.conv2dInputGradientScratch(...image, s.outChannels, ...window, ...padding),
    call: (dy: number, filter: number, dx: number, scratch: number) =>
      kernels.conv2dInputGradient(
        dy,
        filter,
        dx,
        scratch,
        s.batch,
        ...image,
        outHeight,
        outWidth,
        s.outChannels,
        ...window,
        s.strideY,
        s.strideX,
        ...padding,
      ),
  };
}

/** The loop one would write: float32 arrays. Stride and dilation 1, no padding. */
export function plainInputGradient(dy: Float32Array, filter: Float32Array, s: ConvShape): Float32Array {
  const { outHeight, outWidth } = convOutput(s);
  const dx = new Float32Array(s.batch * s.height * s.width * s.channels);
  for (let n = 0; n < s.batch; n++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++) {
        const g = ((n * outHeight + oy) * outWidth + ox) * s.outChannels;
        for (let fy = 0; fy < s.filterHeight; fy++)
          for (let fx = 0; fx < s.filterWidth; fx++) {
            const to = ((n * s.height + oy + fy) * s.width + ox + fx) * s.channels;
            const from = (fy * s.filterWidth + fx) * s.channels * s.outChannels;
            for (let ci = 0; ci < s.channels; ci++) {
              let sum = 0;
              const row = from + ci * s.outChannels;
              for (let co = 0; co < s.outChannels; co++) sum += dy[g + co]! * filter[row + co]!;
              dx[to + ci]! += sum;
            }
          }
      }
  return dx;
}

export const bench: KernelBench = {
  kernel: 'tfjs-conv2d-input-gradient',
  async *cases({ quick }) {
    const { kernels, arena } = await tfjsRoom();
    for (const [name, s] of CONVOLUTIONS(quick)) {
      const { outHeight, outWidth } = convOutput(s);
      const taps = s.filterHeight * s.filterWidth * s.channels;
      const filter = normals(taps * s.outChannels, 1);
      const dy = normals(s.batch * outHeight * outWidth * s.outChannels, 2);
      const { bytes, call } = inputGradient(kernels, s);
      const image = [s.batch, s.height, s.width, s.channels];
      const at = [dy.byteLength, filter.byteLength, 4 * image.reduce((a, b) => a * b, 1), bytes].map((size) =>
        arena.alloc(size),
      );
      const [pdy, pw, pdx, scratch] = at as [number, number, number, number];
      arena.f32(pdy, dy.length).set(dy);
      arena.f32(pw, filter.length).set(filter);
      const tensors: Record<string, [Float32Array, readonly number[]]> = {
        dy: [dy, [s.batch, outHeight, outWidth, s.outChannels]],
        filter: [filter, [s.filterHeight, s.filterWidth, s.channels, s.outChannels]],
      };
      const attrs = { strides: 1, pad: 'valid', dataFormat: 'NHWC', inputShape: image };
      yield {
        work: 'convolution, input gradient',
        data: name,
        flops: 2 * dy.length * taps,
        bytes,
        contenders: [
          {
            name: 'core-wasm',
            run: () => call(pdy, pw, pdx, scratch),
            dispose: () => {
              for (const pointer of at) arena.dealloc(pointer);
            },
          },
          { name: 'plain JavaScript', run: () => plainInputGradient(dy, filter, s) },
          tfjsKernel('wasm', 'Conv2DBackpropInput', tensors, attrs),
          tfjsKernel('cpu', 'Conv2DBackpropInput', tensors, attrs),
        ],
      };
    }
  },
};
