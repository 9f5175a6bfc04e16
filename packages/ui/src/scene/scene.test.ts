import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  enlarged,
  fontMeasure,
  matrixPixels,
  missingGlyphs,
  PAPER,
  readFont,
  resolveColour,
  type Scene,
  scenePdf,
  sceneSvg,
} from './index.js';

const bytesOf = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../fonts/${name}`, import.meta.url)));
const fonts = {
  regular: readFont(bytesOf('Inter-Regular.ttf')),
  bold: readFont(bytesOf('Inter-SemiBold.ttf')),
};

const scene: Scene = {
  width: 200,
  height: 100,
  items: [
    {
      kind: 'image',
      x: 10,
      y: 10,
      width: 40,
      height: 20,
      pixels: { width: 2, height: 1, channels: 1, data: Uint8Array.of(7, 9) },
    },
    { kind: 'rect', x: 3, y: 2, width: 5, height: 5, fill: 'light-dark(#ff0080, #00ff00)', radius: 2 },
    { kind: 'line', x1: 0, y1: 50, x2: 200, y2: 50, stroke: 'var(--_quiet)', dash: [4, 2] },
    { kind: 'path', d: 'M0 0H20V5C1 2 3 4 30 8L1e1 .5Z', fill: '#102030', fillOpacity: 0.5 },
    {
      kind: 'polygon',
      points: [
        [1, 2],
        [3, 4],
        [5, 0],
      ],
      stroke: '#000000',
      strokeWidth: 2,
    },
    { kind: 'circle', x: 9, y: 9, r: 4, fill: '#ff0000', opacity: 0.25 },
    { kind: 'text', x: 100, y: 60, anchor: 'middle', text: 'a<b & "c" θ ≥ −1', bold: true, halo: true },
    { kind: 'text', x: 20, y: 90, text: 'up', rotate: -90, baseline: 'middle' },
    {
      kind: 'group',
      x: 5,
      y: 6,
      clip: { x: 0, y: 0, width: 10, height: 10 },
      items: [{ kind: 'rect', x: -5, y: -5, width: 50, height: 50, fill: 'var(--_accent)' }],
    },
  ],
};

describe('colours', () => {
  it('of tokens and pairs are those of the theme', () => {
    expect(resolveColour('var(--_text)', PAPER)).toBe(PAPER.text);
    expect(resolveColour('light-dark(#ff0080, #00ff00)', PAPER)).toBe('#ff0080');
    expect(resolveColour('light-dark(#ff0080, #00ff00)', { ...PAPER, dark: true })).toBe('#00ff00');
    expect(resolveColour('#123456', PAPER)).toBe('#123456');
  });
});

describe('sceneSvg', () => {
  const svg = sceneSvg(scene, {
    encode: ({ data }) => `PNG${data[0]}`,
    title: 'x "y"',
    description: 'a caption',
    size: ['85mm', '40mm'],
  });
  it('escapes texts and titles, and says its size as asked', () => {
    expect(svg).toContain('a&lt;b &amp; &quot;c&quot; θ ≥ −1</text>');
    expect(svg).toContain('aria-label="x &quot;y&quot;"');
    expect(svg).toContain('<desc>a caption</desc>');
    expect(svg).toContain('width="85mm" height="40mm" viewBox="0 0 200 100"');
  });
  it('stands alone: no style, class, variable or pair of colours', () => {
    expect(svg).not.toMatch(/style=|class=|var\(|light-dark|url\((?!#)/);
    expect(svg).toContain('fill="#ff0080"');
    expect(svg).toContain('image-rendering="optimizeSpeed"');
  });
});

describe('pixels', () => {
  it('are repeated until a viewer that smooths shows them sharp', () => {
    const { width, height, data } = enlarged(
      { width: 2, height: 1, channels: 1, data: Uint8Array.of(7, 9) },
      4,
      2,
    );
    expect([width, height]).toEqual([8, 4]);
    expect([...data.subarray(0, 8)]).toEqual([...Array(4).fill(7), ...Array(4).fill(9)]);
    expect([...data.subarray(24)]).toEqual([...data.subarray(0, 8)]);
    const large = matrixPixels([100, 100], () => [1, 2, 3]);
    expect(enlarged(large, 20, 20)).toBe(large);
  });
  it('of no colour are clear', () => {
    expect([...matrixPixels([1, 2], (i) => (i ? [1, 2, 3] : null)).data]).toEqual([0, 0, 0, 0, 1, 2, 3, 255]);
  });
});

describe('fonts', () => {
  it('give widths: additive, in proportion to the size, of digits alike', () => {
    const measure = fontMeasure(fonts);
    expect(measure('')).toBe(0);
    expect(measure('mm')).toBeCloseTo(2 * measure('m'), 9);
    expect(measure('wide', 24)).toBeCloseTo(2 * measure('wide', 12), 9);
    expect(measure('i')).toBeLessThan(measure('m'));
    expect(measure('A', 12, true)).toBeGreaterThan(measure('A', 12));
  });
  it('hold every sign that figures use, and say which they lack', () => {
    expect(missingGlyphs(['θ σ Δ ‖w‖ − ≥ ≤ × → … · ± ∞ 10⁻⁹ log₁₀ é ü'], fonts)).toEqual([]);
    expect(missingGlyphs(['漢字 and 漢'], fonts)).toEqual(['漢', '字']);
  });
  it('are refused with the reason where a file is none', () => {
    expect(() => readFont(Uint8Array.of(1, 2, 3), 'x.ttf')).toThrow(
      'x.ttf: expected a TrueType or OpenType font',
    );
    const cut = bytesOf('Inter-Regular.ttf').slice(0, 4000);
    expect(() => readFont(cut)).toThrow('beyond its end');
    expect(() => readFont(new TextEncoder().encode('wOF2 and something more'))).toThrow('unpack it first');
  });
});

describe('scenePdf', () => {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
  /** The inflated stream of an object. */
  function stream(pdf: Uint8Array, object: number): string {
    const from = text(pdf).indexOf(`\n${object} 0 obj`);
    const begin = text(pdf).indexOf('stream\n', from) + 7;
    return inflateSync(pdf.subarray(begin)).toString('latin1');
  }
  it('has a table that points at every object, and the same bytes each time', async () => {
    const pdf = await scenePdf(scene, { fonts, title: 'T', description: 'D' });
    const all = text(pdf);
    const at = Number(/startxref\n(\d+)/.exec(all)![1]);
    expect(all.slice(at, at + 4)).toBe('xref');
    const rows = [...all.slice(at).matchAll(/(\d{10}) 00000 n/g)].map(([, offset]) => Number(offset));
    rows.forEach((offset, i) => {
      expect(all.slice(offset, offset + 12)).toContain(`${i + 1} 0 obj`);
    });
    expect(rows.length).toBeGreaterThan(10);
    expect(await scenePdf(scene, { fonts, title: 'T', description: 'D' })).toEqual(pdf);
  });
  it('is as large as the scene in points, draws shapes as shapes and text by glyphs that are readable', async () => {
    const pdf = await scenePdf(scene, { fonts });
    expect(text(pdf)).toContain('/MediaBox [0 0 150 75]');
    const drawing = stream(pdf, 4);
    expect(drawing).toContain('1 2 m 3 4 l 5 0 l h');
    expect(drawing).toContain('0 0 m 20 0 l 20 5 l 1 2 3 4 30 8 c 10 0.5 l h');
    expect(drawing).toContain('[4 2] 0 d');
    expect(drawing).toContain('0 0 10 10 re W n');
    const glyph = (character: string) =>
      fonts.bold.glyph(character.codePointAt(0)!).toString(16).padStart(4, '0');
    expect(drawing).toContain([...'a<b'].map(glyph).join(''));
    const names = [...text(pdf).matchAll(/ToUnicode (\d+) 0 R/g)].map(([, object]) =>
      stream(pdf, Number(object)),
    );
    expect(names.some((map) => map.includes(`<${glyph('θ')}> <03b8>`))).toBe(true);
    expect(text(pdf)).toContain('/Interpolate false');
  });
  it('refuses a path it cannot draw', async () => {
    const wrong: Scene = { ...scene, items: [{ kind: 'path', d: 'M0 0Q1 1 2 2', stroke: '#000000' }] };
    await expect(scenePdf(wrong, { fonts })).rejects.toThrow('path command Q');
  });
});
