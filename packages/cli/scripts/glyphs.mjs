// Draws the letters of PNG pictures once, in Chromium, and writes them as src/pictures/glyphs.ts.
// Only needed to change font, size or characters: node packages/cli/scripts/glyphs.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const FONT = '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf';
const SIZE = 22;
const HEIGHT = 30;
const BASELINE = 23;
const codes = [...Array(95).keys()].map((i) => 32 + i).concat([...Array(96).keys()].map((i) => 160 + i));
const CHARACTERS = `${String.fromCharCode(...codes)}–—…≥≤→−ρ√`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--font-render-hinting=none'],
});
const page = await browser.newPage();
const font = readFileSync(FONT).toString('base64');
const { advances, bytes } = await page.evaluate(
  async ({ font, characters, size, height, baseline }) => {
    const face = new FontFace('Glyphs', `url(data:font/ttf;base64,${font})`);
    document.fonts.add(await face.load());
    const canvas = document.createElement('canvas');
    canvas.height = height;
    const advances = [];
    const bytes = [];
    for (const character of characters) {
      canvas.width = 3 * size;
      const context = canvas.getContext('2d');
      context.font = `${size}px Glyphs`;
      const advance = context.measureText(character).width;
      const width = Math.ceil(advance) + 2;
      context.fillText(character, 1, baseline);
      const { data } = context.getImageData(0, 0, width, height);
      advances.push(Math.round(advance * 100) / 100);
      // Four bits of opacity a pixel are enough for the eye.
      const levels = Array.from({ length: width * height }, (_, i) => Math.round(data[4 * i + 3] / 17));
      if (levels.length % 2) levels.push(0);
      for (let i = 0; i < levels.length; i += 2) bytes.push(levels[i] * 16 + levels[i + 1]);
    }
    return { advances, bytes };
  },
  { font, characters: CHARACTERS, size: SIZE, height: HEIGHT, baseline: BASELINE },
);
await browser.close();
writeFileSync(
  new URL('../src/pictures/glyphs.ts', import.meta.url),
  `// Written by scripts/glyphs.mjs: DejaVu Sans (public domain and Bitstream Vera licence, which allow this) at ${SIZE} px.
export const GLYPH_SIZE = ${SIZE};
export const GLYPH_HEIGHT = ${HEIGHT};
export const GLYPH_BASELINE = ${BASELINE};
export const GLYPH_CHARACTERS = ${JSON.stringify(CHARACTERS)};
/** Pixels to the next letter. A glyph is ⌈advance⌉ + 2 pixels wide and begins one to the left. */
export const GLYPH_ADVANCES = ${JSON.stringify(advances)};
/** Base64 of four bits of opacity a pixel, glyph after glyph, row by row, each filled up to a byte. */
export const GLYPH_LEVELS: string = '${Buffer.from(bytes).toString('base64')}';
`,
);
// Advance widths for layouts, of the printing ASCII characters, in thousandths of the size.
console.log(JSON.stringify(advances.slice(0, 95).map((a) => Math.round((1000 * a) / SIZE))));
