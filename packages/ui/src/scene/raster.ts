import type { Scene, TextItem } from './types.js';

/** RGB bytes of a picture. */
export interface Raster {
  data: Uint8Array;
  width: number;
  height: number;
}

export const rgbOf = (colour: string): [number, number, number] => [
  Number.parseInt(colour.slice(1, 3), 16),
  Number.parseInt(colour.slice(3, 5), 16),
  Number.parseInt(colour.slice(5, 7), 16),
];

/**
 * A scene as RGB bytes, the same in Node and browsers and the same as `drawScene`, text apart, which `drawText` paints where
 * it is given. What reaches over the edge is cut. No background: white.
 */
export function scenePixels(scene: Scene, drawText?: (raster: Raster, item: TextItem) => void): Raster {
  const { width, height } = scene;
  const raster: Raster = { data: new Uint8Array(3 * width * height), width, height };
  const { data } = raster;
  const fill = (x: number, y: number, w: number, h: number, colour: string) => {
    const rgb = rgbOf(colour);
    for (let row = Math.max(0, y); row < Math.min(height, y + h); row++)
      for (let column = Math.max(0, x); column < Math.min(width, x + w); column++)
        data.set(rgb, 3 * (row * width + column));
  };
  fill(0, 0, width, height, scene.background ?? '#ffffff');
  for (const item of scene.items) {
    if (item.kind === 'fill') fill(item.x, item.y, item.width, item.height, item.colour);
    else if (item.kind === 'text') drawText?.(raster, item);
    else
      for (let row = 0; row < item.height; row++)
        for (let column = 0; column < item.width; column++) {
          const [x, y] = [item.x + column, item.y + row];
          if (x < 0 || y < 0 || x >= width || y >= height) continue;
          data.fill(item.data[row * item.width + column]!, 3 * (y * width + x), 3 * (y * width + x) + 3);
        }
  }
  return raster;
}
