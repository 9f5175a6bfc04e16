import type { Scene } from './types.js';

/** Draws a scene at the canvas's own pixels. */
export function drawScene(context: CanvasRenderingContext2D, scene: Scene): void {
  if (scene.background) {
    context.fillStyle = scene.background;
    context.fillRect(0, 0, scene.width, scene.height);
  }
  for (const item of scene.items) {
    if (item.kind === 'grey') {
      const pixels = new Uint8ClampedArray(4 * item.data.length);
      item.data.forEach((grey, i) => {
        pixels[4 * i] = pixels[4 * i + 1] = pixels[4 * i + 2] = grey;
        pixels[4 * i + 3] = 255;
      });
      context.putImageData(new ImageData(pixels, item.width, item.height), item.x, item.y);
    } else if (item.kind === 'fill') {
      context.fillStyle = item.colour;
      context.fillRect(item.x, item.y, item.width, item.height);
    } else {
      context.fillStyle = item.colour;
      context.font = `${item.size}px 'DejaVu Sans', sans-serif`;
      context.textAlign = item.anchor === 'middle' ? 'center' : item.anchor;
      context.fillText(item.text, item.x, item.y);
    }
  }
}
