import { join } from 'node:path';
import type { GeometryResult, GeometrySpectrum } from '@epochscope/analysis';

import type { Scene, SceneItem } from '@epochscope/ui';
import { writeFileWhole } from '../files.js';
import { type PictureKinds, scenePng, sceneSvgText } from './index.js';

const GAP = 6;
const TITLE = 22;

/** Right singular vectors beside their inputs: one row an input; grey = 0, light positive, dark negative. null: no pictures. */
export function vectorScene(result: GeometryResult, spectrum: GeometrySpectrum): Scene | null {
  const { images } = result.samples;
  const [height, width, channels] = spectrum.columnShape;
  if (!images || channels !== 1 || !spectrum.vectors.length || images.shape[1] !== height) return null;
  const side = Math.max(1, Math.round(84 / Math.max(height!, width!)));
  const [w, h] = [width! * side, height! * side];
  const columns = spectrum.vectors[0]!.triplets.length + 1;
  const items: SceneItem[] = [];
  const text = (x: number, y: number, words: string) =>
    items.push({ kind: 'text', x, y, anchor: 'middle', text: words, size: 12, colour: '#333333' });
  text(GAP + w / 2, TITLE - 6, 'input');
  spectrum.vectors[0]!.triplets.forEach((t, i) => {
    text(GAP + (i + 1) * (w + GAP) + w / 2, TITLE - 6, `v${t + 1}`);
  });
  const put = (column: number, row: number, value: (pixel: number) => number) => {
    const data = new Uint8Array(w * h);
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++)
        data[y * w + x] = value(Math.floor(y / side) * width! + Math.floor(x / side));
    items.push({
      kind: 'grey',
      x: GAP + column * (w + GAP),
      y: TITLE + row * (h + GAP),
      width: w,
      height: h,
      data,
    });
  };
  const pixels = height! * width!;
  spectrum.vectors.forEach(({ input, right, triplets }, row) => {
    put(0, row, (pixel) => images.data[input * pixels + pixel]!);
    triplets.forEach((_, t) => {
      const vector = right.subarray(t * pixels, (t + 1) * pixels);
      const most = vector.reduce((m, v) => Math.max(m, Math.abs(v)), 0) || 1;
      put(t + 1, row, (pixel) => Math.round(127.5 + (127.5 * vector[pixel]!) / most));
    });
  });
  return {
    width: GAP + columns * (w + GAP),
    height: TITLE + spectrum.vectors.length * (h + GAP),
    background: '#ffffff',
    items,
  };
}

/** Each depth spectrum's right vectors as a picture, "H3-rbm-3-vectors.png". Answers the files. */
export async function writeGeometryPictures(
  folder: string,
  result: GeometryResult,
  kinds: PictureKinds,
): Promise<string[]> {
  const files: string[] = [];
  for (const spectrum of result.spectra) {
    if (spectrum.kind !== 'depth') continue;
    const scene = vectorScene(result, spectrum);
    if (!scene) continue;
    const name = join(folder, `${spectrum.to}-${spectrum.snapshot.id}-vectors`);
    if (kinds.png) await writeFileWhole(`${name}.png`, scenePng(scene));
    if (kinds.svg) await writeFileWhole(`${name}.svg`, sceneSvgText(scene, 'Right singular vectors'));
    if (kinds.png) files.push(`${name}.png`);
    if (kinds.svg) files.push(`${name}.svg`);
  }
  return files;
}
