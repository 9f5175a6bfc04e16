import type { TendencyPanel } from '@epochscope/analysis/results';
import { ivatImage } from '@epochscope/core-wasm';
import { html, type TemplateResult } from 'lit';
import { inkRamp, levelsOf, throughRamp } from '../elements/es-tendency-image/draw.js';
import { painted } from '../figure/index.js';

/** Pixels of small pictures, kept for each panel: stepping through epochs shows the same ones again and again. */
const kept = new WeakMap<TendencyPanel, Map<string, ImageData>>();

function pixelsOf(panel: TendencyPanel, side: number, high: number, dark: boolean): ImageData {
  const key = `${side} ${high} ${dark}`;
  let sizes = kept.get(panel);
  if (!sizes) kept.set(panel, (sizes = new Map()));
  let image = sizes.get(key);
  if (!image) {
    const own = Math.max(1, Math.min(side, panel.n));
    const levels = levelsOf(ivatImage(panel, { side: own, from: 0, to: panel.n }), high);
    const data = throughRamp(levels, inkRamp(dark));
    image = new ImageData(new Uint8ClampedArray(data.buffer as ArrayBuffer), own, own);
    sizes.set(key, image);
  }
  return image;
}

/** Pictures of more samples than this are not drawn all in one task of the page's thread. */
const LARGE = 4000;
/** Milliseconds of drawing at a time. */
const AT_ONCE = 8;
const waiting = new Map<CanvasRenderingContext2D, () => void>();
let begun = false;

/** Draws later, a few at a time, what was not replaced meanwhile. */
function later(context: CanvasRenderingContext2D, draw: () => void): void {
  waiting.set(context, draw);
  if (begun) return;
  begun = true;
  const some = () => {
    const until = performance.now() + AT_ONCE;
    for (const [one, act] of waiting) {
      waiting.delete(one);
      act();
      if (performance.now() > until) break;
    }
    begun = waiting.size > 0;
    if (begun) requestAnimationFrame(some);
  };
  requestAnimationFrame(some);
}

/** What a small picture shows beside its panel. */
export interface ThumbOptions {
  size: number;
  high: number;
  dark: boolean;
  /** Position of the sample that is followed, or positions of a class's. */
  marks?: ArrayLike<number> | null;
  follow: string;
}

/** A small picture without frames; a ring is where the followed sample stands, ticks are the followed class. */
export function thumb(
  panel: TendencyPanel,
  { size, high, dark, marks, follow }: ThumbOptions,
): TemplateResult {
  const paint = (context: CanvasRenderingContext2D) => {
    const side = Math.round(size * (context.getTransform().a || 1));
    const known = kept.get(panel)?.has(`${side} ${high} ${dark}`);
    if (known || panel.n <= LARGE) {
      waiting.delete(context);
      draw(context, side);
    } else later(context, () => draw(context, side));
  };
  const draw = (context: CanvasRenderingContext2D, side: number) => {
    const image = pixelsOf(panel, side, high, dark);
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext('2d')!.putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(canvas, 0, 0, size, size);
    if (!marks?.length) return;
    if (marks.length > 1) {
      // Beside the diagonal, so that it stays seen.
      context.fillStyle = follow;
      const thick = Math.max(1.5, size / 16);
      const wide = Math.max(1, size / panel.n);
      // Those that share a pixel are one tick.
      const taken = new Set<number>();
      for (let i = 0; i < marks.length; i++) taken.add(Math.floor((marks[i]! * size) / panel.n / wide));
      for (const tick of taken) {
        const at = tick * wide;
        context.fillRect(at, Math.max(0, at - 2 * thick), wide, thick);
      }
      return;
    }
    const at = Math.min(size - 4, Math.max(4, ((marks[0]! + 0.5) * size) / panel.n));
    context.beginPath();
    context.arc(at, at, 3.2, 0, 2 * Math.PI);
    context.fillStyle = dark ? '#15171c' : '#ffffff';
    context.fill();
    context.lineWidth = 1.6;
    context.strokeStyle = follow;
    context.stroke();
  };
  return html`<canvas class="thumb" aria-hidden="true" ${painted(size, size, paint, [panel, high, dark, marks?.length === 1 ? marks[0] : (marks ?? -1)])}></canvas>`;
}

/** Mean picture of a block as ink: dark strokes on a light page, light ones on a dark page, the ground clear. */
export function inkImage(
  mean: Float32Array,
  [height, width, channels]: readonly [number, number, number],
  size: number,
  dark: boolean,
): TemplateResult {
  const paint = (context: CanvasRenderingContext2D) => {
    const image = new ImageData(width, height);
    for (let i = 0; i < width * height; i++) {
      if (channels === 3) {
        for (let c = 0; c < 3; c++) image.data[4 * i + c] = 255 * mean[3 * i + c]!;
        image.data[4 * i + 3] = 255;
      } else {
        image.data.fill(dark ? 236 : 21, 4 * i, 4 * i + 3);
        image.data[4 * i + 3] = 255 * Math.min(1, 1.25 * mean[i]!);
      }
    }
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext('2d')!.putImageData(image, 0, 0);
    context.imageSmoothingQuality = 'high';
    const scale = Math.min(size / width, size / height);
    context.drawImage(
      canvas,
      (size - width * scale) / 2,
      (size - height * scale) / 2,
      width * scale,
      height * scale,
    );
  };
  return html`<canvas class="mean" aria-hidden="true" ${painted(size, size, paint, [mean, dark])}></canvas>`;
}
