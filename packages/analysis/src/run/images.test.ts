import { describe, expect, it } from 'vitest';
import { imagesOf, pictureShape } from './images.js';

const two = (...values: number[]) => ({
  data: Float32Array.from(values),
  shape: [values.length / 2, 2] as [number, number],
});

describe('pictures of samples', () => {
  it('are bytes as they are, and numbers 0 … 1 as bytes', () => {
    expect(imagesOf(two(0, 255, 7, 1), [1, 2, 1])).toEqual({
      data: Uint8Array.of(0, 255, 7, 1),
      shape: [2, 1, 2, 1],
    });
    expect(imagesOf(two(0, 0.5, 1, 0.25), [2, 1, 1])!.data).toEqual(Uint8Array.of(0, 128, 255, 64));
    expect(imagesOf(two(), [1, 2, 1])).toEqual({ data: new Uint8Array(0), shape: [0, 1, 2, 1] });
  });

  it.each<[string, number[]]>([
    ['centred', [-0.5, 0.5]],
    ['scaled to something else', [0.5, 2.5]],
    ['larger than a byte', [0, 256]],
    ['not numbers', [Number.NaN, 0]],
  ])('are not made of values that are %s', (_, values) => {
    expect(imagesOf(two(...values), [1, 2, 1])).toBeNull();
  });

  it('need one channel or three', () => {
    expect(pictureShape([4, 4, 3])).toEqual([4, 4, 3]);
    for (const shape of [null, undefined, [4], [4, 4], [4, 4, 2], [1, 4, 4, 1]])
      expect(pictureShape(shape)).toBeNull();
  });
});
