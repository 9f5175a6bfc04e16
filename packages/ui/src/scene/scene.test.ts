import { describe, expect, it } from 'vitest';
import { outline, type Scene, scenePixels, sceneSvg, textWidth } from './index.js';

const scene: Scene = {
  width: 4,
  height: 3,
  background: '#102030',
  items: [
    { kind: 'grey', x: 1, y: 1, width: 2, height: 1, data: Uint8Array.of(7, 9) },
    { kind: 'fill', x: 3, y: 2, width: 5, height: 5, colour: '#ff0080' },
    { kind: 'text', x: 0, y: 2, anchor: 'middle', text: 'a<b & "c"', size: 10, colour: '#000000' },
  ],
};

describe('scenePixels', () => {
  it('paints items in order and cuts what reaches over the edge', () => {
    const { data, width, height } = scenePixels(scene);
    expect([width, height]).toEqual([4, 3]);
    const at = (x: number, y: number) => [...data.subarray(3 * (y * 4 + x), 3 * (y * 4 + x) + 3)];
    expect(at(0, 0)).toEqual([0x10, 0x20, 0x30]);
    expect([at(1, 1), at(2, 1)]).toEqual([
      [7, 7, 7],
      [9, 9, 9],
    ]);
    expect(at(3, 2)).toEqual([0xff, 0, 0x80]);
    expect(at(2, 2)).toEqual([0x10, 0x20, 0x30]);
  });
  it('hands texts over, and leaves them out where nobody paints them', () => {
    const seen: string[] = [];
    scenePixels(scene, (_, item) => seen.push(item.text));
    expect(seen).toEqual(['a<b & "c"']);
    expect(scenePixels({ ...scene, background: null, items: [] }).data).toEqual(new Uint8Array(36).fill(255));
  });
});

it('sceneSvg escapes texts and titles and places every item', () => {
  const svg = sceneSvg(scene, ({ data }) => `PNG${[...data]}`, 'x "y"');
  expect(svg).toContain('a&lt;b &amp; &quot;c&quot;</text>');
  expect(svg).toContain('aria-label="x &quot;y&quot;"');
  expect(svg).toContain('<image x="1" y="1" width="2" height="1"');
  expect(svg).toContain('base64,PNG7,9"');
});

it('an outline stays inside its rectangle', () => {
  const { data } = scenePixels({
    width: 5,
    height: 5,
    background: '#000000',
    items: outline(1, 1, 3, 3, 1, '#ffffff'),
  });
  const lit = [...Array(25).keys()].filter((i) => data[3 * i] === 255);
  expect(lit).toEqual([6, 7, 8, 11, 13, 16, 17, 18]);
});

it('widths grow with the text, also for letters without a known width', () => {
  expect(textWidth('', 10)).toBe(0);
  expect(textWidth('mm', 10)).toBeGreaterThan(textWidth('ii', 10));
  expect(textWidth('漢字', 10)).toBe(14);
});
