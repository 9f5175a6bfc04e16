import { conv, normals, tfjsKernel, tfjsRoom } from '../../bench/tfjs.js';
import type { KernelBench } from '../../bench/types.js';
import type { TfjsKernels } from '../../src/tfjs.js';
import { type ConvShape, convOutput } from './reference.js';

/** The call with the shape's numbers in their places, and the bytes of scratch it needs. */
export function filterGradient(kernels: TfjsKernels, s: ConvShape) {
  const { outHeight, outWidth } = convOutput(s);
  const sizes = [
    s.height,
    s.width,
    s.channels,
    outHeight,
    outWidth,
    s.outChannels,
    s.filterHeight,
    s.filterWidth,
  ];
  const padding = [s.padTop, s.padBottom, s.padLeft, s.padRight];
  return {
    bytes: kernels.conv2dFilterGradientScratch(...sizes, ...padding),
    call: (x: number, dy: number, dw: number, scratch: number) =>
      kernels.conv2dFilterGradient(
        x,
        dy,
        dw,
        scratch,
        s.batch,
        ...sizes,
        s.strideY,
        s.strideX,
        s.dilationY,
        s.dilationX,
        ...padding,
      ),
  };
}

/** The loop one would write: float32 arrays, output channels innermost. Stride and dilation 1, no padding. */
export function plainFilterGradient(x: Float32Array, dy: Float32Array, s: ConvShape): Float32Array {
  const { outHeight, outWidth } = convOutput(s);
  const dw = new Float32Array(s.filterHeight * s.filterWidth * s.channels * s.outChannels);
  for (let n = 0; n < s.batch; n++)
    for (let fy = 0; fy < s.filterHeight; fy++)
      for (let fx = 0; fx < s.filterWidth; fx++)
        for (let oy = 0; oy < outHeight; oy++)
          for (let ox = 0; ox < outWidth; ox++) {
            const from = ((n * s.height + oy + fy) * s.width + ox + fx) * s.channels;
            const g = ((n * outHeight + oy) * outWidth + ox) * s.outChannels;
            const to = (fy * s.filterWidth + fx) * s.channels * s.outChannels;
            for (let ci = 0; ci < s.channels; ci++) {
              const value = x[from + ci]!;
              const row = to + ci * s.outChannels;
              for (let co = 0; co < s.outChannels; co++) dw[row + co]! += value * dy[g + co]!;
            }
          }
  return dw;
}

/** Shapes of LeNet-5's two convolutions and of a wider one. */
export const CONVOLUTIONS = (quick: boolean): [string, ConvShape][] =>
  quick
    ? [['LeNet C2, batch 20', conv([20, 12, 12, 6], [5, 5, 16])]]
    : [
        ['LeNet C1, batch 100', conv([100, 28, 28, 1], [5, 5, 6])],
        ['LeNet C2, batch 100', conv([100, 12, 12, 6], [5, 5, 16])],
        ['32 → 64 channels, 16×16, batch 32', conv([32, 16, 16, 32], [3, 3, 64])],
      ];

export const bench: KernelBench = {
  kernel: 'tfjs-conv2d-filter-gradient',
  async *cases({ quick }) {
    const { kernels, arena } = await tfjsRoom();
    for (const [name, s] of CONVOLUTIONS(quick)) {
      const { outHeight, outWidth } = convOutput(s);
      const x = normals(s.batch * s.height * s.width * s.channels, 1);
      const dy = normals(s.batch * outHeight * outWidth * s.outChannels, 2);
      const taps = s.filterHeight * s.filterWidth * s.channels;
      const { bytes, call } = filterGradient(kernels, s);
      const at = [x.byteLength, dy.byteLength, 4 * taps * s.outChannels, bytes].map((size) =>
        arena.alloc(size),
      );
      const [px, pdy, pdw, scratch] = at as [number, number, number, number];
      arena.f32(px, x.length).set(x);
      arena.f32(pdy, dy.length).set(dy);
      yield {
        work: 'convolution, filter gradient',
        data: name,
        flops: 2 * dy.length * taps,
        bytes,
        contenders: [
          {
            name: 'core-wasm',
            run: () => call(px, pdy, pdw, scratch),
            dispose: () => {
              for (const pointer of at) arena.dealloc(pointer);
            },
          },
          { name: 'plain JavaScript', run: () => plainFilterGradient(x, dy, s) },
          // A second and more even for the smallest: the larger ones would take minutes.
          ...(dy.length * taps < 1e7
            ? [
                tfjsKernel(
                  'cpu',
                  'Conv2DBackpropFilter',
                  {
                    x: [x, [s.batch, s.height, s.width, s.channels]],
                    dy: [dy, [s.batch, outHeight, outWidth, s.outChannels]],
                  },
                  {
                    strides: 1,
                    pad: 'valid',
                    dataFormat: 'NHWC',
                    filterShape: [s.filterHeight, s.filterWidth, s.channels, s.outChannels],
                  },
                ),
              ]
            : []),
        ],
      };
    }
  },
};
