import '../../register.js';
import type { TendencyPanel, TendencyResult } from '@epochscope/analysis/results';
import { afterEach, describe, expect, it } from 'vitest';
import { panelScene } from '../../elements/es-tendency-image/draw.js';
import type { EsTendencyImage } from '../../elements/es-tendency-image/index.js';
import { blocksPanel, tendencyResult } from '../../gallery/tendency.js';
import { drawScene, type GreyItem, type Scene, scenePixels, sceneSvg } from '../../scene/index.js';
import { tendencyFigure } from './figures.js';

// What Node writes (scenePixels) and what a browser shows are the same pixels.

afterEach(() => {
  document.body.textContent = '';
});
const frames = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));

/** RGB bytes of a canvas; what is clear counts as white. */
function pixelsOf(canvas: HTMLCanvasElement): Uint8Array {
  const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
  const out = new Uint8Array((3 * data.length) / 4);
  for (let i = 0; i < data.length / 4; i++)
    for (let c = 0; c < 3; c++) out[3 * i + c] = data[4 * i + 3] ? data[4 * i + c]! : 255;
  return out;
}
function differing(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length);
  let count = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count++;
  return count;
}

const right = (p: TendencyPanel): TendencyPanel => ({
  ...p,
  marks: p.marks.map((m, i) => ({ ...m, correct: i % 3 > 0, rule: i % 3 > 0 ? 'correct' : 'wrong' })),
});

describe('es-tendency-image and the PNG from Node', () => {
  it.each([
    ['class', false, Number.NaN, Number.NaN],
    ['correct', true, Number.NaN, Number.NaN],
    ['class', true, 13, 57],
    ['none', false, 0, 5],
  ] as const)(
    'are the same pixels: marks %s, blocks %s, from %s to %s',
    async (markColor, blocks, from, to) => {
      const data = markColor === 'correct' ? right(blocksPanel(400, 7)) : blocksPanel(400, 7);
      const element = document.createElement('es-tendency-image') as EsTendencyImage;
      element.style.inlineSize = '333px';
      Object.assign(element, { data, markColor, blocks, from, to });
      document.body.append(element);
      await element.updateComplete;
      await frames();
      const canvas = element.shadowRoot!.querySelector('canvas')!;
      expect(canvas.width).toBeGreaterThan(300);
      const scene = panelScene(data, {
        pixels: canvas.width,
        markColor,
        blocks,
        ...(Number.isNaN(from) ? {} : { from, to }),
      });
      const node = scenePixels(scene).data;
      expect(differing(pixelsOf(canvas), node)).toBe(0);
      // The test can fail: another picture differs.
      expect(
        differing(node, scenePixels(panelScene(blocksPanel(400, 3), { pixels: canvas.width })).data),
      ).toBeGreaterThan(1000);
    },
  );
});

describe('a figure', () => {
  const whole = tendencyResult(120, ['R4', 'S5'], [1, 2]);
  const result: TendencyResult = { ...whole, panels: whole.panels.map(right) };
  const withoutText = (scene: Scene): Scene => ({
    ...scene,
    items: scene.items.filter(({ kind }) => kind !== 'text'),
  });
  const encode = ({ data, width, height }: GreyItem) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [width, height];
    drawScene(canvas.getContext('2d')!, {
      width,
      height,
      background: null,
      items: [{ kind: 'grey', x: 0, y: 0, width, height, data }],
    });
    return canvas.toDataURL('image/png').split(',')[1]!;
  };

  it('is the same drawn on a canvas, as bytes and as SVG', async () => {
    const scene = withoutText(tendencyFigure(result, 'marks', { side: 150 }));
    const node = scenePixels(scene).data;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [scene.width, scene.height];
    const context = canvas.getContext('2d')!;
    drawScene(context, scene);
    expect(differing(pixelsOf(canvas), node)).toBe(0);
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(sceneSvg(scene, encode))}`;
    await image.decode();
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0);
    expect(differing(pixelsOf(canvas), node)).toBe(0);
  });

  it('holds each panel as its element shows it', () => {
    const scene = tendencyFigure(result, 'layers', { side: 150 });
    const greys = scene.items.filter((item): item is GreyItem => item.kind === 'grey');
    expect(greys.length).toBe(4);
    result.panels.forEach((panel) => {
      const own = panelScene(panel, { pixels: 150 }).items[0] as GreyItem;
      expect(greys.some(({ data }) => data.every((value, i) => value === own.data[i]))).toBe(true);
    });
  });
});
