import { resolveColour, type Theme } from './colour.js';
import { rgba } from './pixels.js';
import { baselineShift, type ImageItem, type Pixels, type SceneItem, type TextItem } from './types.js';

/** Pictures of a scene with their places, those in groups too. */
export function imagesOf(items: readonly SceneItem[], dx = 0, dy = 0): ImageItem[] {
  return items.flatMap((item): ImageItem[] => {
    if (item.kind === 'group') return imagesOf(item.items, dx + (item.x ?? 0), dy + (item.y ?? 0));
    return item.kind === 'image' ? [dx || dy ? { ...item, x: item.x + dx, y: item.y + dy } : item] : [];
  });
}

/** Draws items on a canvas, at whatever scale its context has. */
export function paintScene(
  context: CanvasRenderingContext2D,
  items: readonly SceneItem[],
  theme: Theme,
  font = 'sans-serif',
): void {
  const colour = (name: string) => resolveColour(name, theme);
  for (const item of items) {
    context.save();
    if (item.kind === 'group') {
      context.translate(item.x ?? 0, item.y ?? 0);
      if (item.clip) {
        context.beginPath();
        context.rect(item.clip.x, item.clip.y, item.clip.width, item.clip.height);
        context.clip();
      }
      paintScene(context, item.items, theme, font);
    } else if (item.kind === 'image') paintImage(context, item);
    else if (item.kind === 'text') paintText(context, item, colour, font);
    else {
      const path = outlineOf(item);
      context.globalAlpha = (item.opacity ?? 1) * (item.fillOpacity ?? 1);
      if (item.fill) {
        context.fillStyle = colour(item.fill);
        context.fill(path);
      }
      context.globalAlpha = item.opacity ?? 1;
      if (item.stroke) {
        context.strokeStyle = colour(item.stroke);
        context.lineWidth = item.strokeWidth ?? 1;
        context.lineJoin = item.join ?? 'miter';
        context.setLineDash([...(item.dash ?? [])]);
        context.stroke(path);
      }
    }
    context.restore();
  }
}

function outlineOf(item: Exclude<SceneItem, { kind: 'group' | 'image' | 'text' }>): Path2D {
  if (item.kind === 'path') return new Path2D(item.d);
  const path = new Path2D();
  if (item.kind === 'rect')
    path.roundRect(item.x, item.y, Math.max(0, item.width), Math.max(0, item.height), item.radius ?? 0);
  else if (item.kind === 'circle') path.arc(item.x, item.y, item.r, 0, 2 * Math.PI);
  else if (item.kind === 'line') {
    path.moveTo(item.x1, item.y1);
    path.lineTo(item.x2, item.y2);
  } else {
    for (const [x, y] of item.points) path.lineTo(x, y);
    path.closePath();
  }
  return path;
}

function paintText(
  context: CanvasRenderingContext2D,
  item: TextItem,
  colour: (name: string) => string,
  font: string,
): void {
  const { x, y, text, size = 12, bold, rotate, anchor = 'start', fill = 'var(--_text)', halo } = item;
  context.translate(x, y);
  if (rotate) context.rotate((rotate * Math.PI) / 180);
  context.globalAlpha = item.opacity ?? 1;
  context.font = `${bold ? 600 : 400} ${size}px ${font}`;
  context.textAlign = anchor === 'middle' ? 'center' : anchor;
  if (halo) {
    context.strokeStyle = colour('var(--_surface)');
    context.lineWidth = 3;
    context.lineJoin = 'round';
    context.strokeText(text, 0, baselineShift(item));
  }
  context.fillStyle = colour(fill);
  context.fillText(text, 0, baselineShift(item));
}

/** Sharp where it is enlarged, smoothed where it holds more pixels than there is room. */
function paintImage(
  context: CanvasRenderingContext2D,
  { pixels, x, y, width, height, opacity = 1 }: ImageItem,
): void {
  if (!pixels.width || !pixels.height) return;
  const canvas = new OffscreenCanvas(pixels.width, pixels.height);
  canvas.getContext('2d')!.putImageData(new ImageData(rgba(pixels), pixels.width, pixels.height), 0, 0);
  context.globalAlpha = opacity;
  context.imageSmoothingEnabled = pixels.width > width * context.getTransform().a * 1.01;
  context.imageSmoothingQuality = 'high';
  context.drawImage(canvas, x, y, width, height);
}

/** Pixels as a PNG's address, in a browser. */
export function pngAddress(pixels: Pixels): string {
  const canvas = document.createElement('canvas');
  canvas.width = pixels.width;
  canvas.height = pixels.height;
  canvas.getContext('2d')!.putImageData(new ImageData(rgba(pixels), pixels.width, pixels.height), 0, 0);
  return canvas.toDataURL('image/png');
}
