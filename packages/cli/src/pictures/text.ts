import { type Raster, rgbOf, type TextItem } from '@epochscope/ui';
import { GLYPH_ADVANCES, GLYPH_BASELINE, GLYPH_CHARACTERS, GLYPH_HEIGHT, GLYPH_LEVELS } from './glyphs.js';

interface Glyph {
  width: number;
  advance: number;
  /** Opacity 0 … 15 of each pixel. */
  levels: Uint8Array;
}

let glyphs: Map<string, Glyph> | undefined;

function load(): Map<string, Glyph> {
  const bytes = Buffer.from(GLYPH_LEVELS, 'base64');
  const found = new Map<string, Glyph>();
  let at = 0;
  [...GLYPH_CHARACTERS].forEach((character, i) => {
    const advance = GLYPH_ADVANCES[i]!;
    const width = Math.ceil(advance) + 2;
    const levels = Uint8Array.from(
      { length: width * GLYPH_HEIGHT },
      (_, p) => (bytes[at + (p >> 1)]! >> (p % 2 ? 0 : 4)) & 15,
    );
    at += Math.ceil(levels.length / 2);
    found.set(character, { width, advance, levels });
  });
  return found;
}

/**
 * Paints a text into RGB bytes with letters drawn beforehand, so that Node needs no font and no browser. Latin letters and
 * some signs; others become "?". The letters are at 22 px: other sizes are drawn at that size.
 */
export function paintText(raster: Raster, { x, y, anchor, text, colour }: TextItem): void {
  glyphs ??= load();
  const line = [...text].map((character) => glyphs!.get(character) ?? glyphs!.get('?')!);
  const length = line.reduce((sum, { advance }) => sum + advance, 0);
  const [red, green, blue] = rgbOf(colour);
  let pen = anchor === 'start' ? x : anchor === 'end' ? x - length : x - length / 2;
  for (const { width, advance, levels } of line) {
    const left = Math.round(pen) - 1;
    for (let p = 0; p < levels.length; p++) {
      const level = levels[p]! / 15;
      const column = left + (p % width);
      const row = y - GLYPH_BASELINE + Math.floor(p / width);
      if (!level || column < 0 || row < 0 || column >= raster.width || row >= raster.height) continue;
      const at = 3 * (row * raster.width + column);
      [red, green, blue].forEach((ink, c) => {
        raster.data[at + c] = Math.round(ink * level + raster.data[at + c]! * (1 - level));
      });
    }
    pen += advance;
  }
}
