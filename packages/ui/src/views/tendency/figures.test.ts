import type { TendencyPanel, TendencyResult } from '@epochscope/analysis/results';
import { describe, expect, it } from 'vitest';
import { greyScale, MARGIN, panelScene, sharedScales } from '../../elements/es-tendency-image/draw.js';
import { blocksPanel, tendencyResult } from '../../gallery/tendency.js';
import { CORRECT_COLOUR, WRONG_COLOUR } from '../../palette.js';
import type { SceneItem } from '../../scene/index.js';
import { type TendencyFigure, tendencyFigure } from './figures.js';

const result = tendencyResult(60, ['P1', 'S5'], [1, 2, 10]);
const frame = { width: 600, measure: (text: string, size = 12) => 0.55 * size * text.length, dark: false };
function textsOf(items: readonly SceneItem[]): string[] {
  return items.flatMap((item) =>
    item.kind === 'group' ? textsOf(item.items) : item.kind === 'text' ? [item.text] : [],
  );
}
const texts = (r: TendencyResult, figure: TendencyFigure) => textsOf(tendencyFigure(r, figure, frame).items);
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

describe('greys', () => {
  /** Two blocks of ten, of distances `unit` times as large. */
  const panel = (unit: number, epoch: number) => {
    const one = blocksPanel(20, 2, { id: `epoch-${epoch}`, epoch, step: null }, 'R3');
    return { ...one, weights: one.weights.map((w) => w * unit) };
  };
  it('are shared within a layer, but for pictures whose blocks could not be told in them', () => {
    const alike = [panel(1, 1), panel(0.5, 2)];
    const shared = alike.map(sharedScales(alike, 'ivat'));
    expect(shared.map(({ own }) => own)).toEqual([false, false]);
    expect(shared[0]!.high).toBe(shared[1]!.high);
    const far = [panel(0.001, 0), panel(1, 1)];
    const [small, large] = far.map(sharedScales(far, 'ivat'));
    expect([small!.own, large!.own]).toEqual([true, false]);
    expect(small!.high).toBe(greyScale(far[0]!, 'ivat').high);
    // Nothing is counted: nothing is contradicted by a black picture.
    const none = { ...far[0]!, blocks: { ...far[0]!.blocks, count: 0, ranges: [] } };
    expect(sharedScales([none, far[1]!], 'ivat')(none).own).toBe(false);
  });
  it('that are a picture’s own are said below it, and so is what the outlines mean', () => {
    const far = { ...result, panels: [panel(0.001, 0), panel(1, 1)] };
    expect(
      texts(far, 'layers')
        .join(' ')
        .match(/own greys/g)?.length,
    ).toBe(1);
    const { note } = tendencyFigure(far, 'layers', frame);
    expect(note).toContain('Own greys: a picture whose blocks could not be told');
    expect(note).toContain('grey along the edges: samples in no block');
  });
});

describe('marks of very many samples', () => {
  it('are drawn once for each place along the edge, the last one, so a wrong sample is never hidden', () => {
    const n = 100_000;
    const side = 400;
    const one = blocksPanel(20, 2, result.panels[0]!.snapshot, 'R3');
    // Every sample is marked; one of 50 is wrong, those of 60 000 to 79 999 are all right.
    const wrong = (position: number) => position % 50 === 7 && !(position >= 60_000 && position < 80_000);
    const panel: TendencyPanel = {
      ...one,
      n,
      weights: new Float32Array(n - 1).fill(1),
      blocks: { ...one.blocks, count: 0, ranges: [] },
      marks: Array.from({ length: n }, (_, position) => ({
        sample: position,
        position,
        label: 0,
        correct: !wrong(position),
        rule: wrong(position) ? 'wrong' : 'correct',
      })),
    };
    const { items } = panelScene(panel, { side, markColor: 'correct', outlines: 'none' });
    expect(items.length).toBeLessThan(2 * 4 * side + 10);
    const margin = Math.round(side * MARGIN);
    // What is seen at each eighth of a pixel along the top: the last rectangle over it.
    const seen = new Map<number, string>();
    for (const item of items)
      if (item.kind === 'rect' && item.y === 0 && item.fill)
        for (let at = Math.ceil(8 * item.x); at < 8 * (item.x + item.width); at++) seen.set(at, item.fill);
    for (let at = 8 * margin + 16; at < 8 * side; at++) {
      const share = (at / 8 - margin) / (side - margin);
      const right = share > 0.61 && share < 0.79;
      if (share < 0.59 || right || share > 0.81)
        expect(seen.get(at), `${at / 8}`).toBe(right ? CORRECT_COLOUR : WRONG_COLOUR);
    }
  });
});

describe('tendencyFigure', () => {
  it('layers: snapshots as columns, layers as rows, figures below', () => {
    const found = texts(result, 'layers');
    for (const text of ['epoch 1', 'epoch 2', 'epoch 10', 'P1', 'S5']) expect(found).toContain(text);
    // Captions may be broken into lines.
    const captions = found.join(' ').match(/\d+ blocks · \d+ % in none · ARI 0\.78|no clear blocks/g);
    expect(captions?.length).toBe(6);
  });
  it('thinning: all samples first, then each number of samples, of the reference layer', () => {
    const found = texts(thinned(), 'thinning');
    expect(found.join(' ')).toMatch(/60 samples.* 30 samples/);
    expect(found).not.toContain('P1');
    expect(found.join(' ').match(/r 0\.25/g)?.length).toBe(2);
  });
  it('VAT: says where pixels are drawn at random, and that there is none to draw', () => {
    const vat = (pairsPerPixel: number | 'all') => ({
      ...result,
      panels: result.panels.map((p) => ({
        ...p,
        vat: { side: 2, data: new Float32Array(4), pairsPerPixel },
      })),
    });
    const note = (r: TendencyResult) => tendencyFigure(r, 'layers', frame, { mode: 'vat' }).note!;
    expect(note(vat(4))).toContain('pairs drawn with the seed');
    expect(note(vat('all'))).not.toContain('drawn');
    expect(() => note(result)).toThrow('holds no VAT picture');
  });
  it('says what a result does not hold', () => {
    expect(() => tendencyFigure(result, 'thinning', frame)).toThrow('holds no thinning; analyse with `thin');
    const plain = { ...result, panels: result.panels.map((p) => ({ ...p, marks: [] })) };
    expect(() => tendencyFigure(plain, 'marks', frame)).toThrow('known to be right or wrong');
    expect(() => tendencyFigure({ ...result, panels: [] }, 'layers', frame)).toThrow('holds no picture');
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
  it('keeps every item inside, with long names too, at one column of a paper', () => {
    const long = result.panels.map((p) => ({ ...p, layer: `a-very-long-layer-name-${p.layer}` }));
    const one = { ...frame, width: 305 };
    const { width, height, items } = tendencyFigure({ ...result, panels: long }, 'layers', one);
    expect(width).toBe(305);
    for (const item of items) {
      if (item.kind !== 'text' && item.kind !== 'group') continue;
      const half =
        item.kind === 'text' ? one.measure(item.text, item.size) / (item.anchor === 'middle' ? 2 : 1) : 0;
      const [x, y] = [item.x ?? 0, item.y ?? 0];
      expect(x - half, JSON.stringify(item).slice(0, 90)).toBeGreaterThanOrEqual(-0.5);
      expect(x).toBeLessThanOrEqual(width);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y).toBeLessThanOrEqual(height);
    }
  });
  it('draws all snapshots of a layer on one grey scale', () => {
    const [first, second] = result.panels.filter(({ layer }) => layer === 'S5') as [
      TendencyPanel,
      TendencyPanel,
    ];
    const wide = { ...second, snapshot: { ...second.snapshot }, weights: second.weights.map((w) => 3 * w) };
    const { items, scales } = tendencyFigure({ ...result, panels: [first, wide] }, 'layers', frame);
    const lightest = items.flatMap((item) =>
      item.kind === 'group' && item.items[0]?.kind === 'image'
        ? [item.items[0].pixels.data.reduce((most, level) => Math.max(most, level), 0)]
        : [],
    );
    expect(lightest).toHaveLength(2);
    expect(Math.min(...lightest)).toBeLessThan(0.5 * Math.max(...lightest));
    expect(scales![0]!.high).toMatch(/^(≥ )?[\d.]+$/);
  });
});
