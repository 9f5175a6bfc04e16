import { beforeAll, describe, expect, it } from 'vitest';
import { conv, guarded, normals, type TfjsRoom, tfjsRoom } from '../../bench/tfjs.js';
import { type ConvShape, convOutput } from '../tfjs-conv2d-filter-gradient/reference.js';
import { inputGradient } from './bench.js';
import { conv2dInputGradientReference } from './reference.js';

let room: TfjsRoom;
beforeAll(async () => {
  room = await tfjsRoom();
});

function check(shape: ConvShape, seed: number): void {
  const { outHeight, outWidth } = convOutput(shape);
  const taps = shape.filterHeight * shape.filterWidth;
  const filter = normals(taps * shape.channels * shape.outChannels, seed);
  const dy = normals(shape.batch * outHeight * outWidth * shape.outChannels, seed + 1);
  const want = conv2dInputGradientReference(dy, filter, shape);
  const sizes = conv2dInputGradientReference(dy.map(Math.abs), filter.map(Math.abs), shape);
  const { bytes, call } = inputGradient(room.kernels, shape);
  const [got] = guarded(room, [dy, filter], [4 * want.length, bytes], ([a, b], [out, scratch]) =>
    call(a!, b!, out!, scratch!),
  );
  const terms = taps * shape.outChannels + 2;
  want.forEach((value, i) => {
    // A float32 sum of n products is within n units in the last place of the sum of their sizes.
    const bound = terms * 2 ** -24 * sizes[i]!;
    expect(Math.abs(got![i]! - value), `${JSON.stringify(shape)} seed=${seed} at ${i}`).toBeLessThanOrEqual(
      bound,
    );
  });
}

describe('conv2dInputGradient', () => {
  it('equals the definition at the edges of a filter row (16 floats) and of output pairs, and keeps guards', () => {
    // filterWidth · channels: 1, 3, 15, 16, 17, 32, 33, 49.
    for (const [filterWidth, channels] of [
      [1, 1],
      [3, 1],
      [5, 3],
      [4, 4],
      [1, 17],
      [4, 8],
      [3, 11],
      [7, 7],
    ] as const)
      for (const width of [7, 8])
        for (const outChannels of [1, 4, 5])
          check(conv([2, 4, width, channels], [2, filterWidth, outChannels]), width + channels);
  });

  it('takes stride and padding, alone and together, and unlike by side', () => {
    for (const more of [
      { strideY: 2 },
      { strideX: 3 },
      { padTop: 1 },
      { padBottom: 2, padRight: 1 },
      { padTop: 2, padBottom: 1, padLeft: 3, padRight: 2, strideY: 2, strideX: 2 },
      { strideY: 3, strideX: 5 },
    ])
      check(conv([2, 8, 9, 3], [3, 2, 5], more), 7);
  });

  it('leaves pixels that no filter reached at 0', () => {
    const shape = conv([1, 6, 6, 1], [1, 1, 2], { strideY: 3, strideX: 3 });
    check(shape, 5);
    const dy = new Float32Array(8).fill(1);
    const { bytes, call } = inputGradient(room.kernels, shape);
    const [dx] = guarded(room, [dy, Float32Array.of(1, 2)], [4 * 36, bytes], ([a, b], [out, scratch]) =>
      call(a!, b!, out!, scratch!),
    );
    expect([...dx!]).toEqual(
      Array.from({ length: 36 }, (_, p) => (Math.floor(p / 6) % 3 === 0 && p % 3 === 0 ? 3 : 0)),
    );
  });

  it('takes one image of the filter’s size, and no image', () => {
    check(conv([1, 3, 3, 4], [3, 3, 6]), 3);
    check(conv([0, 5, 5, 2], [3, 3, 3]), 4);
  });
});
