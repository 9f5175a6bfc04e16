import { describe, expect, it } from 'vitest';
import { bandPath, type ChartSpec, chart, linePath } from './chart.js';
import { axisScale, extentOf } from './scale.js';
import { tableOf, toCsv } from './table.js';
import { fitText } from './text.js';

const measure = (text: string) => 7 * text.length;
const at = (spec: Partial<ChartSpec>) =>
  chart({ width: 400, height: 240, x: { domain: [0, 10] }, y: { domain: [0, 1] }, measure, ...spec });

describe('axisScale', () => {
  it('places the ends of a linear domain at the ends of the range', () => {
    const scale = axisScale({ domain: [3, 1, 2, Number.NaN], nice: false }, 100, 200);
    expect([scale.at(1), scale.at(3), scale.invert(150)]).toEqual([100, 200, 2]);
  });
  it('widens a domain without extent, and takes [0, 1] for none', () => {
    for (const domain of [[5], [0, 0], [-2, -2]]) {
      const scale = axisScale({ domain }, 0, 10);
      expect(scale.ends[0]).toBeLessThan(domain[0]!);
      expect(scale.at(domain[0]!)).toBeCloseTo(5, 6);
    }
    expect(extentOf([])).toEqual([0, 1]);
    expect(extentOf([Number.NaN, Number.POSITIVE_INFINITY])).toEqual([0, 1]);
  });
  it('log: counts only positive values, and what is not positive has no place', () => {
    const scale = axisScale({ kind: 'log', domain: [-1, 0, 0.01, 100] }, 0, 400);
    expect(scale.ends).toEqual([0.01, 100]);
    expect(scale.at(1)).toBeCloseTo(200, 9);
    expect(scale.at(0)).toBeNaN();
    expect(scale.ticks(10).map((tick) => tick.label)).toEqual(['0.01', '0.1', '1', '10', '100']);
    expect(
      axisScale({ kind: 'log', domain: [1e-9, 1e3] }, 0, 400)
        .ticks(4)
        .map((tick) => tick.label),
    ).toEqual(['10⁻⁹', '10⁻⁵', '0.1', '1000']);
    expect(
      axisScale({ kind: 'log', domain: [2, 40] }, 0, 400)
        .ticks(6)
        .map((tick) => tick.label),
    ).toEqual(['2', '5', '10', '20']);
  });
  it('bands: the middle of the band, in order, whatever the texts hold', () => {
    const scale = axisScale({ domain: ['b', 'a', 'c d'], padding: 0 }, 0, 300);
    expect(['b', 'a', 'c d'].map(scale.at)).toEqual([50, 150, 250]);
    expect(scale.bandwidth).toBe(100);
    expect(scale.at('x')).toBeNaN();
  });
  it('labels small steps far from zero distinctly', () => {
    const labels = axisScale({ domain: [10_000, 10_000.4] }, 0, 400)
      .ticks(4)
      .map((tick) => tick.label);
    expect(new Set(labels).size).toBe(labels.length);
  });
});

describe('axes', () => {
  it('a logarithmic axis says so, and has ticks between its powers', () => {
    const { axes, x } = at({ x: { kind: 'log', domain: [1, 100], title: 'step' } });
    expect(x.minor).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 20, 30, 40, 50, 60, 70, 80, 90]);
    expect(axes.items.flatMap((item) => (item.kind === 'text' ? [item.text] : []))).toContain(
      'step (log scale)',
    );
    expect(axisScale({ domain: [0, 1] }, 0, 1).minor).toEqual([]);
  });
  it('every minus is U+2212', () => {
    const { axes } = at({ y: { domain: [-1, 1e-7] }, x: { domain: [-3e-7, 0] } });
    const texts = axes.items.flatMap((item) => (item.kind === 'text' ? [item.text] : []));
    expect(texts.some((text) => text.includes('−'))).toBe(true);
    expect(texts.join('')).not.toContain('-');
  });
});

describe('chart', () => {
  it('leaves as much room at the left as the widest label and the title take', () => {
    const bare = at({ y: { domain: [0, 1] } });
    const wide = at({ y: { domain: [0, 1], format: () => 'twelve chars' as never } });
    expect(wide.left - bare.left).toBe(7 * ('twelve chars'.length - '0.0'.length));
    expect(at({ y: { domain: [0, 1], title: 'loss' } }).left).toBeGreaterThan(bare.left + 10);
  });
  it('keeps the last label of x inside the drawing', () => {
    const { x, right } = at({
      x: { domain: [0, 1_000_000], format: ((value: number) => value.toFixed(0)) as never },
    });
    expect(right).toBeLessThanOrEqual(400);
    expect(x.at(1_000_000) + measure('1000000') / 2).toBeLessThanOrEqual(400);
  });
  it('turns categories that do not fit, giving them room below', () => {
    const names = Array.from({ length: 12 }, (_, i) => `category ${i}`);
    const level = at({ x: { domain: ['a', 'b'] } });
    expect(at({ x: { domain: names } }).bottom).toBeLessThan(level.bottom - 30);
  });
  it('keeps a plot of 20 px however small the drawing is', () => {
    const { left, right, top, bottom } = at({ width: 30, height: 20 });
    expect(right - left).toBeGreaterThanOrEqual(20);
    expect(bottom - top).toBeGreaterThanOrEqual(20);
  });
});

describe('paths', () => {
  it('break at what is not finite', () => {
    expect(
      linePath([
        [0, 1],
        [1, Number.NaN],
        [2, 3],
        [3, 4],
      ]),
    ).toBe('M0.00 1.00M2.00 3.00L3.00 4.00');
    expect(
      bandPath([
        [0, 1, 2],
        [1, 1, 3],
        [2, Number.NaN, 1],
      ]),
    ).toBe('M0.00 1.00L1.00 1.00L1.00 3.00L0.00 2.00Z');
  });
});

describe('texts', () => {
  it('end in … where they are too long', () => {
    expect(fitText('abcdef', 42, measure)).toBe('abcdef');
    expect(fitText('abcdef', 41, measure)).toBe('abcd…');
    expect(fitText('abcdef', 3, measure)).toBe('');
  });
  it('CSV quotes what must be quoted and leaves undefined cells empty', () => {
    expect(
      toCsv(tableOf(['a', 'b "c"'], [1, 2], (item) => (item === 1 ? ['x,y', null] : ['line\nbreak', 0.1]))),
    ).toBe('a,"b ""c"""\n"x,y",\n"line\nbreak",0.1\n');
  });
});
