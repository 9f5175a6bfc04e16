import { beforeAll, describe, expect, it } from 'vitest';
import { conv, guarded, normals, type TfjsRoom, tfjsRoom } from '../../bench/tfjs.js';
import { type ConvShape, convOutput } from '../tfjs-conv2d-filter-gradient/reference.js';
import { poolGradient } from './bench.js';
import { maxPoolGradientReference } from './reference.js';

let room: TfjsRoom;
beforeAll(async () => {
  room = await tfjsRoom();
});

const run = (x: Float32Array, dy: Float32Array, shape: ConvShape) =>
  guarded(room, [x, dy], [x.byteLength], ([a, b], [out]) =>
    poolGradient(room.kernels, shape)(a!, b!, out!),
  )[0]!;

/** `levels` > 0 draws from that many values, so that ties abound; gradients are integers, whose sums are exact. */
function check(shape: ConvShape, seed: number, levels = 0): void {
  const { outHeight, outWidth } = convOutput(shape);
  const raw = normals(shape.batch * shape.height * shape.width * shape.channels, seed);
  const x = levels ? raw.map((value) => Math.round(value * levels)) : raw;
  const dy = normals(shape.batch * outHeight * outWidth * shape.channels, seed + 1).map((g) =>
    Math.round(100 * g),
  );
  expect(
    [...run(x, dy, shape)].map((g) => g + 0),
    `${JSON.stringify(shape)} seed=${seed} levels=${levels}`,
  ).toEqual([...maxPoolGradientReference(x, dy, shape)].map((g) => g + 0));
}

describe('maxPoolGradient', () => {
  it('equals the definition at the lane edges of channels (4), with many ties too, and keeps guards', () => {
    for (const channels of [1, 3, 4, 5, 8, 13])
      for (const levels of [0, 1])
        for (const [filter, stride] of [
          [1, 1],
          [2, 2],
          [3, 2],
          [3, 1],
        ] as const)
          check(
            conv([2, 7, 6, channels], [filter, filter, 1], { strideY: stride, strideX: stride }),
            10 * channels + filter,
            levels,
          );
  });

  it('takes windows and steps unlike by side, dilation, and padding', () => {
    for (const more of [
      { strideY: 2, strideX: 3 },
      { dilationY: 2 },
      { dilationX: 2, strideY: 2 },
      { padTop: 1, padLeft: 1, padBottom: 1, padRight: 1 },
      { padTop: 2, padBottom: 2, padLeft: 1, padRight: 0, strideY: 2, strideX: 2 },
    ])
      check(conv([2, 8, 9, 5], [3, 2, 1], more), 7);
  });

  it('gives nothing from a window of nothing but padding', () => {
    const shape = conv([1, 2, 2, 4], [2, 2, 1], {
      padTop: 2,
      padBottom: 2,
      padLeft: 2,
      padRight: 2,
      strideY: 2,
      strideX: 2,
    });
    const dy = new Float32Array(9 * 4).fill(1);
    const dx = run(normals(16, 3), dy, shape);
    expect(dx.reduce((a, b) => a + b, 0)).toBe(4);
  });

  it('gives a tie to the first in the window, also where all are −∞; a NaN that comes first keeps it, a later one is passed over', () => {
    const at = (values: number[]) => {
      for (const channels of [1, 4]) {
        const x = Float32Array.from(values.flatMap((value) => new Array<number>(channels).fill(value)));
        const dx = run(x, new Float32Array(channels).fill(1), conv([1, 2, 2, channels], [2, 2, 1]));
        const shape = conv([1, 2, 2, channels], [2, 2, 1]);
        expect([...dx]).toEqual([...maxPoolGradientReference(x, new Float32Array(channels).fill(1), shape)]);
        if (channels === 4) return [0, 1, 2, 3].filter((p) => dx[4 * p] === 1);
      }
      return [];
    };
    expect(at([1, 2, 2, 0])).toEqual([1]);
    expect(at([5, 5, 5, 5])).toEqual([0]);
    expect(at([-Infinity, -Infinity, -Infinity, -Infinity])).toEqual([0]);
    expect(at([0, -0, 0, -0])).toEqual([0]);
    expect(at([Number.NaN, 7, 8, 9])).toEqual([0]);
    expect(at([1, Number.NaN, 3, 2])).toEqual([2]);
  });

  it('takes no image', () => {
    check(conv([0, 4, 4, 3], [2, 2, 1]), 1);
  });
});
