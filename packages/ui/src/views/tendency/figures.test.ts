import type { TendencyResult } from '@epochscope/analysis/results';
import { describe, expect, it } from 'vitest';
import { blocksPanel, tendencyResult } from '../../gallery/tendency.js';
import { tendencyFigure } from './figures.js';

const result = tendencyResult(60, ['P1', 'S5'], [1, 2, 10]);
const texts = (r: TendencyResult, ...rest: [Parameters<typeof tendencyFigure>[1]]) =>
  tendencyFigure(r, ...rest, { side: 100 }).items.flatMap((item) =>
    item.kind === 'text' ? [item.text] : [],
  );
const none = { value: null, reason: 'x' } as const;

function thinned(): TendencyResult {
  const last = result.panels.filter(({ layer }) => layer === 'S5');
  const panels = last.map((p) => blocksPanel(30, 3, p.snapshot, 'S5'));
  return {
    ...result,
    thinning: {
      reference: { snapshot: 'epoch-0010', layer: 'S5' },
      by: 'size',
      least: null,
      chosen: none,
      fullSeconds: 1,
      steps: [
        {
          interval: 2,
          size: 30,
          samples: Uint32Array.from({ length: 30 }, (_, i) => 2 * i),
          panels,
          seconds: 1,
          lowest: none,
          agreement: panels.map((p, i) => ({
            snapshot: p.snapshot.id,
            layer: 'S5',
            ari: { value: 0.5 },
            correlation: i ? { value: 0.25 } : none,
            lowest: none,
            pairs: 'all',
            seconds: 1,
            fullSeconds: 1,
          })),
        },
      ],
    },
  };
}

describe('tendencyFigure', () => {
  it('layers: snapshots as columns, layers as rows, figures below', () => {
    const found = texts(result, 'layers');
    for (const text of ['epoch 1', 'epoch 2', 'epoch 10', 'P1', 'S5']) expect(found).toContain(text);
    expect(found.filter((text) => / blocks? · ARI /.test(text) || / blocks?$/.test(text)).length).toBe(6);
  });
  it('thinning: all samples first, then each number of samples, of the reference layer', () => {
    const found = texts(thinned(), 'thinning');
    expect(found).toContain('60 samples');
    expect(found).toContain('30 samples');
    expect(found).not.toContain('P1');
    expect(found.filter((text) => text.endsWith('r 0.25')).length).toBe(2);
  });
  it('VAT: says where pixels are drawn at random, and that there is none to draw', () => {
    const vat = (pairsPerPixel: number | 'all') => ({
      ...result,
      panels: result.panels.map((p) => ({
        ...p,
        vat: { side: 2, data: new Float32Array(4), pairsPerPixel },
      })),
    });
    const note = (r: TendencyResult) =>
      tendencyFigure(r, 'layers', { side: 100, mode: 'vat' })
        .items.flatMap((item) => (item.kind === 'text' ? [item.text] : []))
        .join(' ');
    expect(note(vat(4))).toContain('pairs drawn with the seed');
    expect(note(vat('all'))).not.toContain('drawn');
    expect(() => note(result)).toThrow('holds no VAT picture');
  });
  it('says what a result does not hold', () => {
    expect(() => tendencyFigure(result, 'thinning')).toThrow('holds no thinning; analyse with --thin');
    const plain = { ...result, panels: result.panels.map((p) => ({ ...p, marks: [] })) };
    expect(() => tendencyFigure(plain, 'marks')).toThrow('known to be right or wrong');
    expect(() => tendencyFigure({ ...result, panels: [] }, 'layers')).toThrow('holds no picture');
  });
  it('leaves the place of a panel that was not analysed, and draws one with no samples', () => {
    const some = { ...result, panels: result.panels.slice(1) };
    expect(texts(some, 'layers')).toContain('not analysed');
    const empty = {
      ...result.panels[0]!,
      n: 0,
      order: new Uint32Array(0),
      weights: new Float32Array(0),
      marks: [],
    };
    expect(texts({ ...result, panels: [empty] }, 'layers')).toContain('no samples');
  });
  it('keeps every item inside, with long names too', () => {
    const long = result.panels.map((p) => ({ ...p, layer: `a-very-long-layer-name-${p.layer}` }));
    const { width, height, items } = tendencyFigure({ ...result, panels: long }, 'layers', { side: 60 });
    for (const item of items) {
      expect(item.x).toBeGreaterThanOrEqual(0);
      expect(item.y).toBeGreaterThanOrEqual(0);
      expect(item.x).toBeLessThanOrEqual(width);
      expect(item.y).toBeLessThanOrEqual(height);
    }
  });
});
