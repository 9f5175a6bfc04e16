import { describe, expect, it } from 'vitest';
import { decimate } from '../../figure/decimate.js';
import { placeTiles, type TileGrid, tileGrid } from './tiles.js';

/** Every value of the tensor, at the place that the grid gives it. */
const places = ({ tiles }: TileGrid) =>
  tiles.flatMap((tile) =>
    Array.from({ length: tile.rows * tile.columns }, (_, i) =>
      tile.index(Math.floor(i / tile.columns), i % tile.columns),
    ),
  );
const all = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('tileGrid', () => {
  it.each([
    [[2, 3, 4, 5], 'conv2d', null, 20, [2, 3]],
    [[3, 3, 1, 2], 'conv2d', null, 2, [3, 3]],
    [[24, 5], 'dense', [3, 4, 2], 10, [3, 4]],
    [[24, 5], 'dense', [4, 4, 1], 1, [24, 5]],
    [[24, 5], 'dense', null, 1, [24, 5]],
    [[7], 'dense', null, 1, [1, 7]],
    [[2, 3, 4], 'unknown', null, 1, [1, 24]],
  ] as const)('%j of %s over %j: each value once', (shape, kind, input, tiles, sides) => {
    const grid = tileGrid({ shape, kind }, input);
    expect(grid.tiles).toHaveLength(tiles);
    expect([grid.tiles[0]!.rows, grid.tiles[0]!.columns]).toEqual(sides);
    expect(places(grid).sort((a, b) => a - b)).toEqual(all(shape.reduce<number>((a, b) => a * b, 1)));
  });

  it('convolution: row-major [height, width, in, out], tiles by input channel, then filter', () => {
    const { tiles, across } = tileGrid({ shape: [2, 3, 4, 5], kind: 'conv2d' }, null);
    expect(across).toBe(5);
    const tile = tiles[2 * 5 + 3]!;
    expect([tile.label, tile.unit]).toEqual(['input channel 2, filter 3', 3]);
    expect(tile.index(1, 2)).toBe(((1 * 3 + 2) * 4 + 2) * 5 + 3);
  });

  it('dense over colour pictures: a tile a channel', () => {
    const { tiles } = tileGrid({ shape: [24, 5], kind: 'dense' }, [3, 4, 2]);
    const tile = tiles[3 * 2 + 1]!;
    expect(tile.label).toBe('unit 3, input channel 1');
    // Input [row 2, column 1, channel 1] of a 3 × 4 × 2 picture.
    expect(tile.index(2, 1)).toBe(((2 * 4 + 1) * 2 + 1) * 5 + 3);
  });

  it('shows a part of many, and nothing of an empty tensor', () => {
    const { tiles, total } = tileGrid({ shape: [3, 3, 64, 64], kind: 'conv2d' }, null, 4000, 100);
    expect([tiles.length, total]).toEqual([96, 4096]);
    expect(tiles[0]!.label).toBe('input channel 62, filter 32');
    expect(tileGrid({ shape: [0], kind: 'dense' }, null).tiles).toEqual([]);
  });
});

describe('placeTiles', () => {
  it.each([1, 60, 330, 1000])('at %i px: within the width, none over another', (width) => {
    for (const shape of [[5, 5, 1, 6], [3, 3, 6, 16], [3, 3, 1, 300], [784, 30], [5000, 2], [3, 900], [9]]) {
      const grid = tileGrid({ shape, kind: shape.length === 4 ? 'conv2d' : 'dense' }, [28, 28, 1]);
      const { tiles, height } = placeTiles(grid, width);
      for (const [i, t] of tiles.entries()) {
        expect(t.x + t.width, `${shape}`).toBeLessThanOrEqual(width);
        expect(t.y + t.height, `${shape}`).toBeLessThanOrEqual(height);
        const before = tiles[i - 1];
        if (before)
          expect(t.y > before.y ? t.y >= before.y + before.height : t.x >= before.x + before.width).toBe(
            true,
          );
      }
    }
  });

  it('keeps filters across in one row while cells can be told apart', () => {
    const { tiles } = placeTiles(tileGrid({ shape: [3, 3, 6, 16], kind: 'conv2d' }, null), 330);
    expect(tiles.filter(({ y }) => y === 0)).toHaveLength(16);
  });
});

describe('decimate', () => {
  const line = (values: number[]) => (i: number) => [(i * 100) / values.length, values[i]!] as const;
  it('keeps ends and extremes of every column, in order', () => {
    const values = all(10_000).map((i) => Math.sin(i / 7) + (i === 5003 ? 50 : 0) - (i === 777 ? 50 : 0));
    const points = decimate(values.length, line(values), 100);
    expect(points.length).toBeLessThanOrEqual(400);
    expect(points[0]![1]).toBe(values[0]);
    expect(points.at(-1)![1]).toBe(values.at(-1));
    expect(points.some(([, y]) => y === values[5003])).toBe(true);
    expect(points.some(([, y]) => y === values[777])).toBe(true);
    for (let i = 1; i < points.length; i++) expect(points[i]![0]).toBeGreaterThanOrEqual(points[i - 1]![0]);
  });
  it('leaves short lines, and none, as they are', () => {
    expect(decimate(3, line([3, 1, 2]), 100).map(([, y]) => y)).toEqual([3, 1, 2]);
    expect(decimate(0, line([]), 100)).toEqual([]);
  });
});
