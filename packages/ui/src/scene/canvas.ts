import type { Scene } from './types.js';

/** A pixel's alpha, and one step of grey, as a 32-bit word of this machine's byte order. */
const OPAQUE = new Uint32Array(Uint8Array.of(0, 0, 0, 255).buffer)[0]!;
const GREY = new Uint32Array(Uint8Array.of(1, 1, 1, 0).buffer)[0]!;

/** Draws a scene at the canvas's own pixels. */
export function drawScene(context: CanvasRenderingContext2D, scene: Scene): void {
  if (scene.background) {
    context.fillStyle = scene.background;
    context.fillRect(0, 0, scene.width, scene.height);
  }
  for (const item of scene.items) {
    if (item.kind === 'grey') {
      const pixels = new Uint8ClampedArray(4 * item.data.length);
      const words = new Uint32Array(pixels.buffer);
      for (let i = 0; i < words.length; i++) words[i] = OPAQUE | (item.data[i]! * GREY);
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
