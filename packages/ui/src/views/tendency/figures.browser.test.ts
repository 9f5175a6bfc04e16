import '../../register.js';
import { afterEach, describe, expect, it } from 'vitest';
import { greyScale, panelScene } from '../../elements/es-tendency-image/draw.js';
import type { EsTendencyImage } from '../../elements/es-tendency-image/index.js';
import { paperScene } from '../../figure/index.js';
import { blocksPanel, tendencyResult } from '../../gallery/tendency.js';
import {
  type ImageItem,
  PAPER,
  paintScene,
  pngAddress,
  type Scene,
  type SceneItem,
  sceneSvg,
} from '../../scene/index.js';
import { tendencyFigure } from './figures.js';

// One scene, three ways to draw it: the element's canvas, a canvas for a file, and SVG show the same.

afterEach(() => {
  document.body.textContent = '';
});
const frames = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
function canvasOf(width: number, height: number): [HTMLCanvasElement, CanvasRenderingContext2D] {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, width, height);
  return [canvas, context];
}
const bytes = (context: CanvasRenderingContext2D) =>
  context.getImageData(0, 0, context.canvas.width, context.canvas.height).data;
/** Share of the bytes that differ by more than `most`. */
function differing(a: Uint8ClampedArray, b: Uint8ClampedArray, most = 0): number {
  expect(a.length).toBe(b.length);
  let count = 0;
  for (let i = 0; i < a.length; i++) if (Math.abs(a[i]! - b[i]!) > most) count++;
  return count / a.length;
}

describe('es-tendency-image', () => {
  it.each([
    ['class', 'none', Number.NaN, Number.NaN],
    ['class', 'blocks', 13, 57],
    ['none', 'none', 0, 5],
  ] as const)(
    'shows the scene that files show: marks %s, outlines %s, from %s to %s',
    async (markColor, outlines, from, to) => {
      document.documentElement.style.colorScheme = 'light';
      const data = blocksPanel(400, 7);
      const element = document.createElement('es-tendency-image') as EsTendencyImage;
      element.style.inlineSize = '333px';
      Object.assign(element, { data, markColor, outlines, from, to });
      document.body.append(element);
      await element.updateComplete;
      await frames();
      const canvas = element.shadowRoot!.querySelector('canvas')!;
      expect(canvas.width).toBeGreaterThan(300);
      const draw = (panel: typeof data) => {
        const [, context] = canvasOf(canvas.width, canvas.width);
        const range = Number.isNaN(from) ? {} : { from, to };
        paintScene(
          context,
          panelScene(panel, { side: canvas.width, markColor, outlines, ...range }).items,
          PAPER,
        );
        return bytes(context);
      };
      const [, shown] = canvasOf(canvas.width, canvas.width);
      shown.drawImage(canvas, 0, 0);
      // Two drawings of one line may round a pixel at its end apart: 2 of 110 000 pixels.
      expect(differing(bytes(shown), draw(data))).toBeLessThan(2e-5);
      // The test can fail: another picture differs.
      expect(differing(bytes(shown), draw(blocksPanel(400, 3)))).toBeGreaterThan(0.005);
    },
  );
});

describe('a figure', () => {
  const result = tendencyResult(120, ['R4', 'S5'], [1, 2]);
  const measure = (text: string, size = 12) => 0.55 * size * text.length;
  const frame = { width: 500, measure, dark: false };
  const withoutText = (items: readonly SceneItem[]): SceneItem[] =>
    items.flatMap((item): SceneItem[] =>
      item.kind === 'text'
        ? []
        : item.kind === 'group'
          ? [{ ...item, items: withoutText(item.items) }]
          : [item],
    );

  it('is the same drawn on a canvas and as SVG', async () => {
    const paper = paperScene(tendencyFigure(result, 'layers', frame), { measure, title: 'T', caption: 'C' });
    const scene: Scene = { ...paper, items: withoutText(paper.items) };
    const [, context] = canvasOf(scene.width, scene.height);
    paintScene(context, scene.items, PAPER);
    const [, second] = canvasOf(scene.width, scene.height);
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(sceneSvg(scene, { encode: pngAddress }))}`;
    await image.decode();
    second.drawImage(image, 0, 0);
    // Edges between pixels are smoothed by one renderer and set to whole pixels by the other.
    expect(differing(bytes(context), bytes(second), 40)).toBeLessThan(0.03);
    expect(differing(bytes(context), bytes(canvasOf(scene.width, scene.height)[1]), 40)).toBeGreaterThan(0.2);
  });

  it('holds each panel as its element shows it, on the scale of its layer', () => {
    const images = (items: readonly SceneItem[]): ImageItem[] =>
      items.flatMap((item) =>
        item.kind === 'group' ? images(item.items) : item.kind === 'image' ? [item] : [],
      );
    const { items } = tendencyFigure(result, 'layers', frame);
    const found = images(items);
    expect(found.length).toBe(4);
    for (const [i, panel] of result.panels.entries()) {
      const scales = result.panels
        .filter(({ layer }) => layer === panel.layer)
        .map((p) => greyScale(p, 'ivat').high);
      const side = Math.round(found[i]!.width / 0.96);
      const scene = panelScene(panel, { side, density: 3, high: Math.max(...scales) });
      const [own] = images(scene.items);
      expect(found.some(({ pixels }) => pixels.data.every((value, k) => value === own!.pixels.data[k]))).toBe(
        true,
      );
    }
  });
});
