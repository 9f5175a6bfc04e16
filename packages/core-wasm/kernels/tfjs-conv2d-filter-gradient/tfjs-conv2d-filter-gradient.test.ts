import { beforeAll, describe, expect, it } from 'vitest';
import { conv, guarded, normals, type TfjsRoom, tfjsRoom } from '../../bench/tfjs.js';
import { filterGradient } from './bench.js';
import { type ConvShape, conv2dFilterGradientReference, convOutput } from './reference.js';

let room: TfjsRoom;
beforeAll(async () => {
  room = await tfjsRoom();
});

function check(shape: ConvShape, seed: number): void {
  const { outHeight, outWidth } = convOutput(shape);
  const x = normals(shape.batch * shape.height * shape.width * shape.channels, seed);
  const dy = normals(shape.batch * outHeight * outWidth * shape.outChannels, seed + 1);
  const want = conv2dFilterGradientReference(x, dy, shape);
  const sizes = conv2dFilterGradientReference(x.map(Math.abs), dy.map(Math.abs), shape);
  const { bytes, call } = filterGradient(room.kernels, shape);
  const [got] = guarded(room, [x, dy], [4 * want.length, bytes], ([a, b], [out, scratch]) =>
    call(a!, b!, out!, scratch!),
  );
  const terms = shape.batch * outHeight * outWidth + 2;
  want.forEach((value, i) => {
    // A float32 sum of n products is within n units in the last place of the sum of their sizes.
    const bound = terms * 2 ** -24 * sizes[i]!;
    expect(Math.abs(got![i]! - value), `${JSON.stringify(shape)} seed=${seed} at ${i}`).toBeLessThanOrEqual(
      bound,
    );
  });
}

describe('conv2dFilterGradient', () => {
  it('equals the definition at the lane edges of output channels (8) and taps (4), and keeps guards', () => {
    for (const outChannels of [1, 7, 8, 9, 16, 25])
      for (const [filterHeight, filterWidth, channels] of [
        [1, 1, 1],
        [1, 3, 1],
        [2, 2, 1],
        [1, 5, 1],
        [3, 3, 2],
        [2, 3, 5],
      ] as const)
        check(
          conv([2, 6, 5, channels], [filterHeight, filterWidth, outChannels]),
          outChannels * 10 + channels,
        );
  });

  it('takes stride, dilation and padding, alone and together, and unlike by side', () => {
    for (const more of [
      { strideY: 2 },
      { strideX: 3 },
      { dilationY: 2 },
      { dilationX: 2, strideY: 2 },
      { padTop: 1 },
      { padBottom: 2, padRight: 1 },
      { padTop: 2, padBottom: 1, padLeft: 3, padRight: 2, strideY: 2, strideX: 2 },
      { padLeft: 1, padRight: 1, padTop: 1, padBottom: 1, dilationY: 2, dilationX: 3 },
    ])
      check(conv([2, 8, 9, 3], [3, 2, 5], more), 7);
  });

  it('takes one image of the filter’s size, and no image', () => {
    check(conv([1, 3, 3, 4], [3, 3, 6]), 3);
    check(conv([0, 5, 5, 2], [3, 3, 3]), 4);
  });
});
