import { describe, expect, it } from 'vitest';
import { activityPanel, changeResult } from '../../gallery/change.js';
import { CORRECT_COLOUR, WRONG_COLOUR } from '../../palette.js';
import type { FillItem, Scene } from '../../scene/types.js';
import { activityFigure } from '../activity/figures.js';
import { filtersFigure, scatterFigure } from './figures.js';

const fills = (scene: Scene) => scene.items.filter((item): item is FillItem => item.kind === 'fill');
const within = (scene: Scene) => {
  for (const item of scene.items) {
    expect(Number.isInteger(item.x) && Number.isInteger(item.y)).toBe(true);
    expect(item.x).toBeGreaterThanOrEqual(0);
    expect(item.y).toBeGreaterThanOrEqual(0);
    if (item.kind === 'fill') expect(item.x + item.width).toBeLessThanOrEqual(scene.width);
    if (item.kind === 'fill') expect(item.y + item.height).toBeLessThanOrEqual(scene.height);
  }
};

describe('the figures of a change result', () => {
  it('filters: a cell of 26 pixels a weight, twice, decrease red and increase blue', () => {
    const result = changeResult();
    const scene = filtersFigure(result, 'C1');
    within(scene);
    const cells = fills(scene).filter(({ width, height }) => width === 26 && height === 26);
    expect(cells).toHaveLength(2 * 150);
    const kernel = result.tensors[0]!;
    // The first cell of the second row of tiles: filter 0, row 0, column 0.
    const { colour } = cells[150]!;
    const [red, blue] = [Number.parseInt(colour.slice(1, 3), 16), Number.parseInt(colour.slice(5, 7), 16)];
    expect(Math.sign(blue - red)).toBe(Math.sign(kernel.delta[0]!));
    expect(() => filtersFigure(result, 'R1')).toThrow('no weights of layer R1');
  });

  it('scatter: a point a weight, coloured by whether it kept its sign', () => {
    const result = changeResult();
    const scene = scatterFigure(result, 'C1');
    within(scene);
    const { before, delta } = result.tensors[0]!;
    const same = before.filter((w, i) => w * delta[i]! >= 0).length;
    const points = fills(scene).filter(({ width, height }) => width === 6 && height === 6);
    expect(points.filter(({ colour }) => colour === CORRECT_COLOUR)).toHaveLength(same);
    expect(points.filter(({ colour }) => colour === WRONG_COLOUR)).toHaveLength(150 - same);
    // Whatever is drawn, r stands above it.
    expect(
      scene.items.some((item) => item.kind === 'text' && /^C1: r = 0\.\d{3}, slope/.test(item.text)),
    ).toBe(true);
  });

  it('activity: a bar a filter and class that is defined', () => {
    const panel = activityPanel('R1', 6, 2, [4]);
    const scene = activityFigure(panel, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'], 'R1');
    within(scene);
    expect(fills(scene).filter(({ colour }) => colour === '#2a62b0')).toHaveLength(6 * 9);
  });
});
