import '../../register.js';
import { afterEach, describe, expect, it } from 'vitest';
import { userEvent } from 'vitest/browser';
import { weightColour } from '../../elements/es-weight-pictures/draw.js';
import { frames } from '../../gallery/page.js';
import { pruneResult } from '../../gallery/prune.js';

async function show<T extends HTMLElement>(tag: string, properties: object, width = 700): Promise<T> {
  const element = document.createElement(tag) as T;
  element.style.cssText = `display:block;width:${width}px`;
  Object.assign(element, properties);
  document.body.append(element);
  await frames();
  return element;
}
const inside = <T extends Element>(root: Element, selector: string) =>
  root.shadowRoot!.querySelector(selector) as unknown as T;
/** The colour a canvas has at a CSS pixel. */
function colourAt(canvas: HTMLCanvasElement, x: number, y: number): number[] {
  const scale = canvas.width / canvas.getBoundingClientRect().width;
  return [
    ...canvas.getContext('2d')!.getImageData(Math.floor(x * scale), Math.floor(y * scale), 1, 1).data,
  ].slice(0, 3);
}
afterEach(() => {
  document.body.textContent = '';
});

const result = pruneResult({ units: 12, rounds: 3 });
const picturesOf = (round: number) => ({
  layout: result.layout,
  weights: result.rounds[round]!.weights,
  mask: result.rounds[round]!.mask,
});

describe('es-weight-pictures', () => {
  it('draws each weight of each unit where it is, removed ones black', async () => {
    const element = await show('es-weight-pictures', { data: picturesOf(2), extent: 0.3 });
    const canvas = inside<HTMLCanvasElement>(element, 'canvas');
    const rects = [...element.shadowRoot!.querySelectorAll<SVGRectElement>('rect.cell')];
    expect(rects.length).toBe(12);
    for (const unit of [0, 5, 11]) {
      const rect = rects[unit]!;
      const [x, y, size] = ['x', 'y', 'width'].map((name) => Number(rect.getAttribute(name))) as [
        number,
        number,
        number,
      ];
      for (const [row, column] of [
        [0, 0],
        [3, 11],
        [13, 7],
      ] as const) {
        const i = (row * 14 + column) * 12 + unit;
        const cell = size / 14;
        const want = weightColour(result.rounds[2]!.weights[i]!, result.rounds[2]!.mask[i] === 1, 0.3);
        expect(
          colourAt(canvas, x + (column + 0.5) * cell, y + (row + 0.5) * cell),
          `${unit} ${row} ${column}`,
        ).toEqual([...want]);
      }
    }
  });

  it('is chosen from by click and by arrows and Enter, and reads out', async () => {
    const element = await show('es-weight-pictures', { data: picturesOf(1) });
    const chosen: number[] = [];
    element.addEventListener('es-select', (e) => chosen.push((e as CustomEvent).detail.unit));
    const rects = [...element.shadowRoot!.querySelectorAll<SVGRectElement>('rect.cell')];
    await userEvent.click(rects[4]!);
    rects[0]!.focus();
    await userEvent.keyboard('{ArrowRight}{ArrowDown}{Enter}');
    expect(chosen[0]).toBe(4);
    const columns = rects.filter((r) => r.getAttribute('y') === '0').length;
    expect(chosen[1]).toBe(1 + columns);
    expect(inside(element, '[part=readout]').textContent).toMatch(
      new RegExp(`unit ${1 + columns}, [\\d.]+ % removed, \\d+ weights kept`),
    );
  });

  it('orders by removal, limits, and has its figures as a table and CSV', async () => {
    const element = await show<HTMLElement & { toCSV(): string; toSVG(): string; limit: number }>(
      'es-weight-pictures',
      {
        data: picturesOf(2),
        sort: 'removed',
        limit: 5,
      },
    );
    const lines = element.toCSV().trim().split(/\r?\n/);
    expect(lines.length).toBe(6);
    const units = lines.slice(1).map((line) => Number(line.split(',')[0]));
    const { perUnit } = result.rounds[2]!.removed;
    const order = [...perUnit.keys()].sort((a, b) => perUnit[a]! - perUnit[b]! || a - b);
    expect(units).toEqual(order.slice(0, 5));
    // The pointer may rest where the last test left it.
    inside(element, '.plot').dispatchEvent(new PointerEvent('pointerleave'));
    await frames();
    expect(inside(element, '[part=readout]').textContent).toContain('7 more units are not drawn');
    expect(element.toSVG()).toContain('<image');
  });

  it('says why it draws nothing', async () => {
    const element = await show('es-weight-pictures', { data: picturesOf(1), units: [99] });
    expect(inside(element, '[part=state]').textContent).toBe('No such unit.');
    const loaded = document.createElement('es-weight-pictures') as unknown as {
      pick(r: unknown): unknown;
      round: number;
    };
    loaded.round = 7;
    expect(() => loaded.pick(result)).toThrow('The result has no round 7');
  });
});

describe('es-removal-histogram', () => {
  it('counts every unit once', async () => {
    const element = await show<HTMLElement & { toCSV(): string }>('es-removal-histogram', {
      data: result.rounds[2]!.removed,
    });
    const rows = element.toCSV().trim().split(/\r?\n/).slice(1);
    expect(rows.length).toBe(20);
    expect(rows.reduce((sum, row) => sum + Number(row.split(',').at(-1)), 0)).toBe(12);
    const { perUnit } = result.rounds[2]!.removed;
    const over = perUnit.filter((x) => x >= 0.9).length;
    expect(rows.slice(18).reduce((sum, row) => sum + Number(row.split(',').at(-1)), 0)).toBe(over);
  });
});

describe('es-prune-rounds', () => {
  it('tells snapshot and round when a point is chosen', async () => {
    const element = await show('es-prune-rounds', { data: [{ ...result, name: 'net' }] });
    const told: unknown[] = [];
    element.addEventListener('es-select', (e) => told.push((e as CustomEvent).detail));
    const points = [...element.shadowRoot!.querySelectorAll<SVGCircleElement>('circle')];
    // Three hollow ones and the net's, three rounds' and five shares.
    expect(points.length).toBe(4 + 4 + 5);
    const named = (label: string) => points.find((p) => p.getAttribute('aria-label')!.startsWith(label))!;
    await userEvent.click(named('round 2:'));
    await userEvent.click(named('before'));
    await userEvent.click(named('magnitude'));
    expect(told).toEqual([
      { snapshot: 'round-02', round: 2 },
      { snapshot: 'before', round: null },
      { snapshot: 'magnitude', round: 0 },
    ]);
  });
});

describe('es-prune-view', () => {
  it('is driven by its slider, and by the selection from outside', async () => {
    const view = await show<HTMLElement & { selection: object }>('es-prune-view', { data: result }, 1000);
    const heading = () => inside(view, 'h3').textContent;
    expect(heading()).toBe('F1, round 3');
    const slider = inside<HTMLElement>(view, 'es-timeline').shadowRoot!.querySelector('input')!;
    slider.value = '1';
    slider.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
    slider.dispatchEvent(new Event('change', { bubbles: true, composed: true }));
    await frames();
    expect(heading()).toBe('F1, magnitude');
    const pictures = inside<HTMLElement & { data: { mask: Uint8Array } }>(view, 'es-weight-pictures');
    expect(pictures.data.mask).toBe(result.rounds[0]!.mask);
    view.selection = { snapshot: 'before' };
    await frames();
    expect(heading()).toBe('F1, before');
    expect(inside(view, 'es-removal-histogram')).toBe(null);
    // Another result's snapshot leaves it at the last round.
    view.selection = { snapshot: 'epoch-0007' };
    await frames();
    expect(heading()).toBe('F1, round 3');
  });

  it('shows a chosen unit before, now and as regions', async () => {
    const view = await show<HTMLElement>('es-prune-view', { data: result }, 1000);
    const told: unknown[] = [];
    view.addEventListener('es-select', (e) => told.push((e as CustomEvent).detail));
    expect(view.shadowRoot!.textContent).toContain('Choose a unit');
    const rects = inside<HTMLElement>(view, 'es-weight-pictures').shadowRoot!.querySelectorAll('rect.cell');
    await userEvent.click(rects[6]!);
    await frames();
    expect(told).toEqual([{ unit: 6 }]);
    const large = [
      ...view.shadowRoot!.querySelectorAll<HTMLElement & { units: number[]; mode: string }>(
        '.unit es-weight-pictures',
      ),
    ];
    expect(large.map(({ units, mode }) => [units, mode])).toEqual([
      [[6], 'weights'],
      [[6], 'weights'],
      [[6], 'regions'],
    ]);
    expect(large[0]!.shadowRoot!.querySelector('canvas')!.getBoundingClientRect().width).toBeGreaterThan(80);
  });

  it('says what is missing without a net', async () => {
    const view = await show('es-prune-view', { data: pruneResult({ net: false }) }, 1000);
    expect(view.shadowRoot!.textContent).toContain('the run does not say which net made it');
    const chart = inside<HTMLElement>(view, 'es-prune-rounds').shadowRoot!;
    expect(chart.textContent).toContain('No accuracy: the run does not say which net made it.');
  });
});
