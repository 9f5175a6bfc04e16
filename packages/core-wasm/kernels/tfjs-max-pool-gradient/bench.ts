import { conv, normals, tfjsKernel, tfjsRoom } from '../../bench/tfjs.js';
import type { KernelBench } from '../../bench/types.js';
import type { TfjsKernels } from '../../src/tfjs.js';
import { type ConvShape, convOutput } from '../tfjs-conv2d-filter-gradient/reference.js';

/** The call with the shape's numbers in their places. */
export function poolGradient(kernels: TfjsKernels, s: ConvShape) {
  const { outHeight, outWidth } = convOutput(s);
  return (x: number, dy: number, dx: number) =>
    kernels.maxPoolGradient(
      x,
      dy,
      dx,
      s.batch,
      s.height,
      s.width,
      s.channels,
      outHeight,
      outWidth,
      s.filterHeight,
      s.filterWidth,
      s.strideY,
      s.strideX,
      s.dilationY,
      s.dilationX,
      s.padTop,
      s.padLeft,
    );
}

/** The loop one would write. Dilation 1, no padding. */
export function plainPoolGradient(x: Float32Array, dy: Float32Array, s: ConvShape): Float32Array {
  const { outHeight, outWidth } = convOutput(s);
  const dx = new Float32Array(x.length);
  let g = 0;
  for (let n = 0; n < s.batch; n++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++)
        for (let c = 0; c < s.channels; c++) {
          let best = -1;
          for (let fy = 0; fy < s.filterHeight; fy++)
            for (let fx = 0; fx < s.filterWidth; fx++) {
              const at =
                ((n * s.height + oy * s.strideY + fy) * s.width + ox * s.strideX + fx) * s.channels + c;
              if (best < 0 || x[at]! > x[best]!) best = at;
            }
          dx[best]! += dy[g++]!;
        }
  return dx;
}

export const bench: KernelBench = {
  kernel: 'tfjs-max-pool-gradient',
  async *cases({ quick }) {
    const { kernels, arena } = await tfjsRoom();
    const two = { strideY: 2, strideX: 2 };
    const cases: [string, ConvShape][] = [
      ['LeNet P1, batch 100', conv([quick ? 20 : 100, 24, 24, 6], [2, 2, 1], two)],
      ...(quick
        ? []
        : ([['64 channels, 32×32, batch 32', conv([32, 32, 32, 64], [2, 2, 1], two)]] as [
            string,
            ConvShape,
          ][])),
    ];
    for (const [name, s] of cases) {
      const { outHeight, outWidth } = convOutput(s);
      const image = [s.batch, s.height, s.width, s.channels];
      const x = normals(
        image.reduce((a, b) => a * b, 1),
        1,
      );
      const dy = normals(s.batch * outHeight * outWidth * s.channels, 2);
      const call = poolGradient(kernels, s);
      const at = [x.byteLength, dy.byteLength, x.byteLength].map((size) => arena.alloc(size));
      const [px, pdy, pdx] = at as [number, number, number];
      arena.f32(px, x.length).set(x);
      arena.f32(pdy, dy.length).set(dy);
      const tensors: Record<string, [Float32Array, readonly number[]]> = {
        dy: [dy, [s.batch, outHeight, outWidth, s.channels]],
        input: [x, image],
        output: [dy, [s.batch, outHeight, outWidth, s.channels]],
      };
      const attrs = { filterSize: 2, strides: 2, pad: 'valid' };
      yield {
        work: 'max pooling, gradient',
        data: name,
        elements: x.length,
        contenders: [
          {
            name: 'core-wasm',
            run: () => call(px, pdy, pdx),
            dispose: () => {
              for (const pointer of at) arena.dealloc(pointer);
            },
          },
          { name: 'plain JavaScript', run: () => plainPoolGradient(x, dy, s) },
          tfjsKernel('wasm', 'MaxPoolGrad', tensors, attrs),
          tfjsKernel('cpu', 'MaxPoolGrad', tensors, attrs),
        ],
      };
    }
  },
};
