import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { EpochscopeError } from '@epochscope/analysis';
import { type Command, InvalidArgumentError } from 'commander';
import type { PictureOptions } from '../pictures/index.js';
import { whole } from './_shared.js';

const PER_INCH = { mm: 96 / 25.4, cm: 96 / 2.54, in: 96, pt: 96 / 72, px: 1 } as const;
const [NARROWEST, WIDEST] = [200, 4000];

/** "85mm", "3.35in", "640" (pixels of 1/96 inch) → pixels. */
export function pictureWidth(text: string): number {
  const [, value, unit = 'px'] = /^(\d+(?:\.\d+)?)\s*(mm|cm|in|pt|px)?$/.exec(text.trim()) ?? [];
  const width = Number(value) * PER_INCH[unit as keyof typeof PER_INCH];
  if (value === undefined || !(width >= NARROWEST && width <= WIDEST))
    throw new InvalidArgumentError(
      `expected a length such as 85mm, 3.35in or 640px, from ${NARROWEST} to ${WIDEST} px (53 mm to 1058 mm).`,
    );
  return width;
}

/** The path of a font, looked at before anything is computed. Throws `format`. */
export function fontFile(path: string): string {
  const head = Buffer.alloc(4);
  // A pipe would be waited for.
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) {
    const file = openSync(path, 'r');
    try {
      readSync(file, head, 0, 4, 0);
    } finally {
      closeSync(file);
    }
    if (['\0\u0001\0\0', 'OTTO', 'true'].includes(head.toString('latin1'))) return path;
  }
  throw new EpochscopeError(
    'format',
    `--font: expected the path of a .ttf or .otf file, and ${path} is none (a .woff2 or .ttc must be converted first)`,
  );
}

/** Options of every command that writes figures. */
export function pictureOptions(command: Command, what: string): Command {
  return command
    .option('--png', `also write ${what} as PNG`)
    .option('--svg', 'the same as SVG')
    .option('--pdf', 'the same as PDF, text as text')
    .option('--csv', 'the numbers of each as a table')
    .option('--dpi <n>', 'dots an inch of PNGs', whole(36, 2400), 300)
    .option('--width <length>', 'of a figure: 85mm (one column), 180mm, 3.35in, 640px', pictureWidth, 640)
    .option('--font <file>', 'a .ttf or .otf to draw with (default: Inter)', fontFile)
    .option('--no-caption', 'leave the sentence with parameters and seeds out of the figure')
    .option('--letters', 'a, b, c … on the figures, in the order they are written');
}

/** What those options say. */
export function picturesOf(o: object): PictureOptions {
  const { png, svg, pdf, csv, dpi, width, font, caption, letters } = o as Partial<PictureOptions>;
  return {
    png: Boolean(png),
    svg: Boolean(svg),
    pdf: Boolean(pdf),
    csv: Boolean(csv),
    dpi: dpi!,
    width: width!,
    ...(font === undefined ? {} : { font }),
    caption: caption !== false,
    letters: Boolean(letters),
  };
}
