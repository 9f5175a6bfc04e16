/** A 2-D convolution: images NHWC, filter [filterHeight, filterWidth, channels, outChannels], all row-major. */
export interface ConvShape {
  batch: number;
  height: number;
  width: number;
  channels: number;
  outChannels: number;
  filterHeight: number;
  filterWidth: number;
  strideY: number;
  strideX: number;
  dilationY: number;
  dilationX: number;
  padTop: number;
  padBottom: number;
  padLeft: number;
  padRight: number;
}

/** Sides of its output; at least 0. */
export function convOutput(s: ConvShape): { outHeight: number; outWidth: number } {
  const side = (size: number, filter: number, stride: number, dilation: number) =>
    Math.max(0, Math.floor((size - dilation * (filter - 1) - 1) / stride) + 1);
  return {
    outHeight: side(s.height + s.padTop + s.padBottom, s.filterHeight, s.strideY, s.dilationY),
    outWidth: side(s.width + s.padLeft + s.padRight, s.filterWidth, s.strideX, s.dilationX),
  };
}

/** Calls `visit` with the flat index of every product of the convolution: x, filter, output. */
export function eachProduct(s: ConvShape, visit: (x: number, filter: number, output: number) => void): void {
  const { outHeight, outWidth } = convOutput(s);
  for (let n = 0; n < s.batch; n++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++)
        for (let fy = 0; fy < s.filterHeight; fy++)
          for (let fx = 0; fx < s.filterWidth; fx++) {
            const y = oy * s.strideY + fy * s.dilationY - s.padTop;
            const x = ox * s.strideX + fx * s.dilationX - s.padLeft;
            if (y < 0 || x < 0 || y >= s.height || x >= s.width) continue;
            for (let ci = 0; ci < s.channels; ci++)
              for (let co = 0; co < s.outChannels; co++)
                visit(
                  ((n * s.height + y) * s.width + x) * s.channels + ci,
                  ((fy * s.filterWidth + fx) * s.channels + ci) * s.outChannels + co,
                  ((n * outHeight + oy) * outWidth + ox) * s.outChannels + co,
                );
          }
}

/** ∂L/∂filter from x and ∂L/∂output, by the definition, in float64. */
export function conv2dFilterGradientReference(
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  shape: ConvShape,
): Float64Array {
  const dw = new Float64Array(shape.filterHeight * shape.filterWidth * shape.channels * shape.outChannels);
  eachProduct(shape, (i, f, o) => {
    dw[f]! += x[i]! * dy[o]!;
  });
  return dw;
}
