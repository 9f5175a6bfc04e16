import { join } from 'node:path';
import type { TendencyResult } from '@epochscope/analysis';

import {
  type FigureOptions,
  type GreyItem,
  panelScene,
  type Scene,
  scenePixels,
  sceneSvg,
  type TendencyFigure,
  tendencyFigure,
} from '@epochscope/ui';
import { encode } from 'fast-png';
import { writeFileWhole } from '../files.js';
import { paintText } from './text.js';

/** Side of a single picture in pixels. */
const SIDE = 800;

export interface PictureKinds {
  png: boolean;
  svg: boolean;
}

/** A scene as PNG, in Node alone. */
export function scenePng(scene: Scene): Uint8Array {
  return encode({ ...scenePixels(scene, paintText), channels: 3, depth: 8 });
}

/** A scene as SVG. */
export const sceneSvgText = (scene: Scene, title: string): string =>
  sceneSvg(
    scene,
    ({ data, width, height }: GreyItem) =>
      Buffer.from(encode({ data, width, height, channels: 1, depth: 8 })).toString('base64'),
    title,
  );

/** A scene as files of the given name. Answers them. */
export async function writeScene(
  folder: string,
  name: string,
  scene: Scene,
  title: string,
  kinds: PictureKinds,
): Promise<string[]> {
  const files: [string, () => Uint8Array | string][] = [];
  if (kinds.png) files.push([`${name}.png`, () => scenePng(scene)]);
  if (kinds.svg) files.push([`${name}.svg`, () => sceneSvgText(scene, title)]);
  for (const [file, make] of files) await writeFileWhole(join(folder, file), make());
  return files.map(([file]) => join(folder, file));
}

/** Each panel as the elements draw it, "S5-epoch-0010.png", beside the result. Answers the files. */
export async function writePanels(
  folder: string,
  { panels }: TendencyResult,
  kinds: PictureKinds,
  mode: 'ivat' | 'vat' = 'ivat',
): Promise<string[]> {
  const files: string[] = [];
  if (!kinds.png && !kinds.svg) return files;
  for (const panel of panels) {
    if (panel.n === 0) continue;
    const scene = { ...panelScene(panel, { pixels: SIDE, mode }), background: '#ffffff' };
    const title = `${mode === 'vat' ? 'VAT' : 'iVAT'} of layer ${panel.layer}, ${panel.snapshot.id}`;
    // A plain matrix is layer and snapshot at once.
    const own = panel.layer === panel.snapshot.id;
    const name = own ? panel.layer : `${panel.layer}-${panel.snapshot.id}`;
    files.push(...(await writeScene(folder, name, scene, title, kinds)));
  }
  return files;
}

/** One figure of the paper as files of the given name. Answers them. */
export async function writeFigure(
  folder: string,
  name: string,
  result: TendencyResult,
  figure: TendencyFigure,
  kinds: PictureKinds,
  options: FigureOptions = {},
): Promise<string[]> {
  return writeScene(
    folder,
    name,
    tendencyFigure(result, figure, options),
    `Cluster tendency: ${figure}`,
    kinds,
  );
}
