import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scene } from '@epochscope/ui/drawing';
import { decode } from 'fast-png';
import { afterAll, describe, expect, it } from 'vitest';
import { pictureWidth } from '../commands/_pictures.js';
import type { Output } from '../output.js';
import { type PictureOptions, writePictures } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'pictures-'));
afterAll(() => rmSync(folder, { recursive: true }));

const said: string[] = [];
const output = { warn: (text: string) => said.push(text) } as unknown as Output;
const options: PictureOptions = {
  png: true,
  svg: true,
  pdf: true,
  csv: true,
  dpi: 192,
  width: 300,
  caption: true,
  letters: true,
};
/** Half black, half red, of a picture of 2 × 1 pixels; a text that only some fonts can write. */
const scene: Scene = {
  width: 300,
  height: 100,
  items: [
    {
      kind: 'image',
      x: 0,
      y: 0,
      width: 200,
      height: 100,
      pixels: { width: 2, height: 1, channels: 3, data: Uint8Array.of(0, 0, 0, 255, 0, 0) },
    },
    { kind: 'text', x: 210, y: 50, text: '漢 θ', size: 20 },
  ],
};
const asked: object[] = [];
const figure = {
  captions: () => ({ title: 'T', caption: 'C' }),
  toScene: (_: unknown, wanted: object) => {
    asked.push(wanted);
    return scene;
  },
};

describe('writePictures', () => {
  it('writes every kind, sharp where pixels are enlarged, and says what the font lacks', async () => {
    const files = await writePictures(
      folder,
      [
        { name: 'a/b', figure },
        { name: 'c', figure },
      ],
      options,
      output,
    );
    expect(files.map((file) => file.slice(folder.length + 1))).toEqual(
      ['a_b', 'c'].flatMap((name) => ['png', 'svg', 'pdf'].map((kind) => `${name}.${kind}`)),
    );
    expect(asked).toEqual([
      { width: 300, letter: 'a' },
      { width: 300, letter: 'b' },
    ]);
    const png = decode(readFileSync(files[0]!));
    expect([png.width, png.height]).toEqual([600, 200]);
    expect(png.resolution).toEqual({ x: Math.round(192 / 0.0254), y: Math.round(192 / 0.0254), unit: 1 });
    const at = (x: number, y: number) => [
      ...png.data.subarray(png.channels * (y * png.width + x), png.channels * (y * png.width + x) + 3),
    ];
    // No smoothing between the two pixels: their edge is at 200.
    expect([at(197, 100), at(202, 100)]).toEqual([
      [0, 0, 0],
      [255, 0, 0],
    ]);
    // The text is there: ink on white.
    const ink = [...Array(200 * 180).keys()].filter((i) => at(420 + (i % 180), Math.floor(i / 180))[0]! < 90);
    expect(ink.length).toBeGreaterThan(50);
    expect(said).toEqual(['The font has no sign for 漢: give a file that has, with --font']);
  });

  it('writes nothing unless asked, and refuses a font that is none', async () => {
    const none = { ...options, png: false, svg: false, pdf: false, csv: false };
    expect(await writePictures(folder, [{ name: 'x', figure }], none, output)).toEqual([]);
    const wrong = { ...options, font: join(folder, 'c.svg') };
    await expect(writePictures(folder, [{ name: 'x', figure }], wrong, output)).rejects.toThrow(
      'expected a TrueType or OpenType font',
    );
  });
});

describe('--csv', () => {
  it('writes the table of each figure that has one', async () => {
    const own = { ...options, png: false, svg: false, pdf: false };
    const listed = { ...figure, hasTable: true, toCSV: () => 'a,b\n1,2\n' };
    const files = await writePictures(
      folder,
      [
        { name: 'none', figure },
        { name: 'some', figure: listed },
      ],
      own,
      output,
    );
    expect(files).toEqual([join(folder, 'some.csv')]);
    expect(readFileSync(files[0]!, 'utf8')).toBe('a,b\n1,2\n');
  });
});

describe('--width', () => {
  it('takes lengths, in pixels of 1/96 inch', () => {
    expect(pictureWidth('85mm')).toBeCloseTo(321.26, 2);
    expect(pictureWidth('3.35in')).toBeCloseTo(321.6, 6);
    expect(pictureWidth('17 cm')).toBeCloseTo(642.52, 2);
    expect(pictureWidth('640')).toBe(640);
    for (const wrong of ['85', '85 miles', '-85mm', '1e3mm', '', '10mm', '9999mm'])
      expect(() => pictureWidth(wrong), wrong).toThrow('expected a length such as 85mm');
  });
});
