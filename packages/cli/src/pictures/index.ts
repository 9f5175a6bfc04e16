import { join } from 'node:path';
import type { FileOptions } from '@epochscope/ui';
import { fontMeasure, type Measure, missingGlyphs, type Scene, type SceneItem } from '@epochscope/ui/drawing';
import { fileName, writeFileWhole } from '../files.js';
import type { Output } from '../output.js';
import { loadFonts, pdfFile, pngFile, svgFile } from './render.js';

/** How figures are written: what the options of `commands/_pictures.ts` say. */
export interface PictureOptions {
  png: boolean;
  svg: boolean;
  pdf: boolean;
  /** The numbers of each figure as a table. */
  csv: boolean;
  /** Dots an inch of PNGs. */
  dpi: number;
  /** CSS pixels (1/96 inch). */
  width: number;
  /** A font file instead of Inter. */
  font?: string;
  /** Below the figure; it is always kept in the file's own words. */
  caption: boolean;
  /** "a", "b", … on the figures of a command. */
  letters: boolean;
}

/** PNG and SVG at 300 dots an inch: what reproductions write. */
export const PNG_AND_SVG: PictureOptions = {
  png: true,
  svg: true,
  pdf: false,
  csv: false,
  dpi: 300,
  width: 680,
  caption: true,
  letters: false,
};

/** One figure: an element of ui, or anything that draws itself. */
export interface Picture {
  /** Of its files, without ending. */
  name: string;
  figure: {
    toScene(measure: Measure, options: FileOptions): Scene;
    captions(options?: FileOptions): { title: string; caption: string };
    /** Its numbers, where it has any. */
    readonly hasTable?: boolean;
    toCSV?(): string;
  };
}

export const wantsPictures = ({ png, svg, pdf }: PictureOptions): boolean => png || svg || pdf;

/** Writes figures into a folder, each in every kind that is wanted. Answers the files. */
export async function writePictures(
  folder: string,
  pictures: readonly Picture[],
  options: PictureOptions,
  output: Output,
): Promise<string[]> {
  if (!(wantsPictures(options) || options.csv) || !pictures.length) return [];
  const fonts = await loadFonts(options.font);
  const measure = fontMeasure(fonts);
  const files: string[] = [];
  const missing = new Set<string>();
  const names = fileNames(pictures);
  for (const [i, { figure }] of pictures.entries()) {
    const { title, caption } = figure.captions();
    const scene = figure.toScene(measure, {
      width: options.width,
      ...(options.caption ? {} : { caption: '' }),
      ...(options.letters ? { letter: letterOf(i) } : {}),
    });
    for (const character of missingGlyphs(textsOf(scene.items), fonts)) missing.add(character);
    const words = { title, description: caption };
    const kinds: [keyof PictureOptions, () => Promise<Uint8Array> | string][] = [
      ['png', () => pngFile(scene, words, fonts, options.dpi)],
      ['svg', () => svgFile(scene, words, fonts)],
      ['pdf', () => pdfFile(scene, words, fonts)],
      ['csv', () => figure.toCSV!()],
    ];
    for (const [kind, make] of kinds) {
      if (!options[kind] || (kind === 'csv' && !figure.hasTable)) continue;
      const file = join(folder, `${names[i]}.${kind}`);
      await writeFileWhole(file, await make());
      files.push(file);
    }
  }
  if (missing.size)
    output.warn(
      `The font has no sign for ${[...missing].slice(0, 20).join(' ')}: give a file that has, with --font`,
    );
  return files;
}

/** "a" … "z", "aa", … */
const letterOf = (i: number): string =>
  (i >= 26 ? letterOf(Math.floor(i / 26) - 1) : '') + String.fromCharCode(97 + (i % 26));

/** Names of layers may hold what a file's must not; those that are alike then, or but for capitals, are numbered. */
function fileNames(pictures: readonly Picture[]): string[] {
  const taken = new Set<string>();
  return pictures.map(({ name }) => {
    const plain = fileName(name);
    let own = plain;
    for (let i = 2; taken.has(own.toLowerCase()); i++) own = `${plain}-${i}`;
    taken.add(own.toLowerCase());
    return own;
  });
}

function* textsOf(items: readonly SceneItem[]): Generator<string> {
  for (const item of items) {
    if (item.kind === 'group') yield* textsOf(item.items);
    else if (item.kind === 'text') yield item.text;
  }
}
