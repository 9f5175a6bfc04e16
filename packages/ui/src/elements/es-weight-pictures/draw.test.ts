import type { PictureLayout } from '@epochscope/analysis/results';
import { describe, expect, it } from 'vitest';
import { tileOf, unitPixels, weightColour, weightExtent } from './draw.js';

const layout = (inputShape: [number, number, number], units: number, apart = false): PictureLayout => ({
  layer: 'F1',
  tensor: 'F1.kernel',
  kind: 'dense',
  inputShape,
  units,
  apart,
});
const at = (picture: { data: Uint8Array; width: number }, x: number, y: number) => [
  ...picture.data.subarray(3 * (y * picture.width + x), 3 * (y * picture.width + x) + 3),
];

describe('weightColour', () => {
  it('is black where removed, another colour by sign, brighter the larger', () => {
    expect(weightColour(5, false, 1)).toEqual([0, 0, 0]);
    for (const palette of ['sign', 'red-blue'] as const) {
      const [positive, negative] = [weightColour(1, true, 1, palette), weightColour(-1, true, 1, palette)];
      // Teal and brown; the paper's red and blue.
      const warm = palette === 'sign' ? negative : positive;
      const cold = palette === 'sign' ? positive : negative;
      expect(warm[0]).toBeGreaterThan(warm[2]);
      expect(cold[2]).toBeGreaterThan(cold[0]);
      const sum = (value: number) => weightColour(value, true, 1, palette).reduce((x, y) => x + y, 0);
      expect(sum(0.2)).toBeLessThan(sum(0.6));
      expect(sum(3)).toBe(sum(1));
      // A kept weight is never as black as a removed one, also where the scale has no extent.
      expect(weightColour(1e-9, true, 1, palette).some((x) => x > 20)).toBe(true);
      expect(weightColour(0, true, 0, palette).some((x) => x > 20)).toBe(true);
    }
  });
});

describe('weightExtent', () => {
  it('is near the largest |w| of those not 0, and 0 for none', () => {
    expect(weightExtent(Float32Array.of(0, -3, 0, 1))).toBe(3);
    expect(weightExtent(new Float32Array(5))).toBe(0);
    const w = Float32Array.from({ length: 1000 }, (_, i) => (i ? 1 : 1000));
    expect(weightExtent(w)).toBe(1);
  });
});

describe('pictures', () => {
  it('put weight [row, column, channel, unit] at its pixel, channels side by side', () => {
    // 2×3 pixels, 2 channels, 2 units; weight = ±(index + 1).
    const weights = Float32Array.from({ length: 24 }, (_, i) => (i % 2 ? -1 : 1));
    const mask = new Uint8Array(24).fill(1);
    const i = ((1 * 3 + 2) * 2 + 1) * 2 + 1;
    mask[i] = 0;
    const options = { mode: 'weights', palette: 'red-blue', extent: 1 } as const;
    const shape = layout([2, 3, 2], 2);
    expect(tileOf(shape)).toEqual({ across: 2, down: 1, width: 7, height: 2 });
    const unit = unitPixels(shape, weights, mask, 1, options);
    expect(at(unit, 4 + 2, 1)).toEqual([0, 0, 0]);
    expect(at(unit, 2, 1)).toEqual([...weightColour(-1, true, 1, 'red-blue')]);
    expect(at(unitPixels(shape, weights, mask, 0, options), 4 + 2, 1)).toEqual([
      ...weightColour(1, true, 1, 'red-blue'),
    ]);
    const regions = unitPixels(shape, weights, mask, 1, { ...options, mode: 'regions' });
    expect([at(regions, 6, 1), at(regions, 5, 1)]).toEqual([
      [0, 0, 0],
      [255, 255, 255],
    ]);
  });
});
