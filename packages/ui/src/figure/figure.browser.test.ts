import axe from 'axe-core';
import { html, render, svg } from 'lit';
import { afterEach, describe, expect, it } from 'vitest';
import { chart, drawMatrix, EsFigure, type ExportDetail, type FigureTable, mark, tableOf } from './index.js';

interface Bars {
  names: string[];
  values: number[];
}
/** Bars over a canvas of the same values: every kind of layer at once. */
class TestBars extends EsFigure<Bars> {
  paints = 0;
  protected override emptyReason({ values }: Bars) {
    return values.length ? '' : 'No bars';
  }
  protected override summary({ values }: Bars) {
    return `${values.length} bars`;
  }
  protected override table({ names, values }: Bars): FigureTable {
    return tableOf(['Name', 'Value'], names, (name, i) => [name, values[i]!]);
  }
  protected override drawing({ names, values }: Bars) {
    if (values.includes(-1)) throw new Error('a bar below the ground');
    const { axes, x, y, bottom } = chart({
      width: this.width,
      height: 160,
      x: { domain: names },
      y: { domain: values, zero: true, title: 'value' },
      measure: this.measure,
    });
    return html`${this.plot({
      width: this.width,
      height: 160,
      marks: true,
      paint: (context, width) => {
        this.paints++;
        drawMatrix(context, values, [1, values.length], () => [200, 20, 20], [0, 0, width, 4]);
      },
      svg: svg`${axes}${values.map(
        (value, i) =>
          svg`<rect x=${x.at(names[i]!) - x.bandwidth / 2} width=${x.bandwidth} y=${y.at(value)} height=${bottom - y.at(value)} fill="var(--_accent)" ${mark({ label: `${names[i]}: ${value}`, detail: { unit: i }, selected: this.selection.unit === i })} />`,
      )}`,
    })}`;
  }
}
customElements.define('test-bars', TestBars);

const frames = () =>
  new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 20))));
async function mount(properties: object, width = 400): Promise<TestBars> {
  const element = document.createElement('test-bars') as TestBars;
  element.style.inlineSize = `${width}px`;
  Object.assign(element, properties);
  document.body.append(element);
  await element.updateComplete;
  await frames();
  return element;
}
const data: Bars = { names: ['a', 'b', 'c'], values: [1, 3, 2] };
const marks = (element: Element) => [...element.shadowRoot!.querySelectorAll<SVGElement>('[data-mark]')];
const text = (element: Element) => element.shadowRoot!.textContent!.replace(/\s+/g, ' ');

afterEach(() => {
  document.body.textContent = '';
  document.documentElement.style.colorScheme = '';
});

describe('EsFigure', () => {
  it('has states for no data, loading, nothing to draw, a problem, and a drawing that failed', async () => {
    expect(text(await mount({}))).toContain('No data');
    expect(text(await mount({ loading: true }))).toContain('Loading');
    expect(text(await mount({ data: { names: [], values: [] } }))).toContain('No bars');
    const failed = await mount({ problem: 'run.json is missing' });
    expect(failed.shadowRoot!.querySelector('[role=alert]')!.textContent).toBe('run.json is missing');
    expect(text(await mount({ data: { names: ['a'], values: [-1] } }))).toContain(
      'could not be drawn: a bar below the ground',
    );
  });

  it('shows data that comes after a failed src, and lets go of a src that is taken away', async () => {
    const element = await mount({ src: '/nothing-here.json' });
    const alert = () => element.shadowRoot!.querySelector('[role=alert]')?.textContent ?? '';
    await expect.poll(alert).toContain('nothing-here.json');
    element.data = data;
    await element.updateComplete;
    expect(alert()).toBe('');
    expect(marks(element).length).toBe(3);
    // A problem that the page itself set stays.
    element.problem = 'said by the page';
    element.data = { ...data };
    await element.updateComplete;
    expect(alert()).toBe('said by the page');
    element.problem = '';
    element.src = '/nothing-there.json';
    await element.updateComplete;
    element.src = '';
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect([alert(), element.loading]).toEqual(['', false]);
  });

  it('keeps a long title of an axis within a narrow drawing', async () => {
    const title = 'a title longer than its axis';
    const host = document.createElement('div');
    document.body.append(host);
    const measure = (words: string) => 6.5 * words.length;
    const y = { domain: [10_000, 99_999], title: 'height' };
    render(
      svg`<svg width="220" height="120">${chart({ width: 220, height: 120, x: { domain: [0, 1], title }, y, measure }).axes}</svg>`,
      host,
    );
    const at = [...host.querySelectorAll('text.title')].find((e) => e.textContent!.includes('longer'))!;
    const middle = Number(at.getAttribute('x'));
    const half = measure(at.firstChild!.textContent!) / 2;
    expect(middle + half).toBeLessThanOrEqual(220);
    expect(middle - half).toBeGreaterThanOrEqual(0);
  });

  it('paints with the colours of the place it is put into', async () => {
    const element = await mount({ data });
    const before = element.paints;
    element.remove();
    const dark = document.createElement('div');
    dark.style.colorScheme = 'dark';
    document.body.append(dark);
    dark.append(element);
    await expect.poll(() => element.paints).toBeGreaterThan(before);
  });

  it('follows the width of its place', async () => {
    const element = await mount({ data }, 400);
    const svgOf = () => element.shadowRoot!.querySelector('svg')!;
    expect(svgOf().getAttribute('width')).toBe('400');
    element.style.inlineSize = '250px';
    await frames();
    expect(svgOf().getAttribute('width')).toBe('250');
    expect(element.shadowRoot!.querySelector('canvas')!.width).toBe(Math.round(250 * devicePixelRatio));
  });

  it('moves the focus among marks by arrows, one of them in the tab order, and reads them out', async () => {
    const element = await mount({ data });
    const [a, b, c] = marks(element);
    expect(marks(element).map((m) => m.getAttribute('tabindex'))).toEqual(['0', '-1', '-1']);
    a!.focus();
    const press = (on: Element, key: string) =>
      on.dispatchEvent(
        new KeyboardEvent('keydown', { key, bubbles: true, composed: true, cancelable: true }),
      );
    press(a!, 'ArrowRight');
    await element.updateComplete;
    expect(element.shadowRoot!.activeElement).toBe(b);
    expect(element.shadowRoot!.querySelector('[part=readout]')!.textContent).toBe('b: 3');
    press(b!, 'End');
    expect(element.shadowRoot!.activeElement).toBe(c);
    expect(marks(element).map((m) => m.getAttribute('tabindex'))).toEqual(['-1', '-1', '0']);
    const chosen: object[] = [];
    element.addEventListener('es-select', (event) => chosen.push((event as CustomEvent).detail));
    press(c!, 'Enter');
    a!.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true }));
    expect(chosen).toEqual([{ unit: 2 }, { unit: 0 }]);
    element.selection = { unit: 1 };
    await element.updateComplete;
    expect(marks(element).map((m) => m.getAttribute('aria-pressed'))).toEqual(['false', 'true', 'false']);
  });

  it('paints its canvas again for a new size, data or theme only', async () => {
    const element = await mount({ data });
    const before = element.paints;
    element.selection = { unit: 1 };
    await element.updateComplete;
    expect(element.paints).toBe(before);
    document.documentElement.style.colorScheme =
      getComputedStyle(document.documentElement).colorScheme === 'dark' ? 'light' : 'dark';
    await expect.poll(() => element.paints).toBeGreaterThan(before);
  });

  it('shows long tables when opened and then says what it leaves out', async () => {
    const names = Array.from({ length: 300 }, (_, i) => `n${i}`);
    const element = await mount({ data: { names, values: names.map((_, i) => i) } });
    expect(element.shadowRoot!.querySelectorAll('tbody tr').length).toBe(0);
    element.shadowRoot!.querySelector<HTMLDetailsElement>('[part=table]')!.open = true;
    await frames();
    expect(element.shadowRoot!.querySelectorAll('tbody tr').length).toBe(200);
    expect(text(element)).toContain('first 200 of 300 rows');
    expect(element.toCSV().trim().split('\n').length).toBe(301);
  });

  it('exports PNG, SVG that stands alone, and CSV from its menu', async () => {
    const element = await mount({ data });
    const found: ExportDetail[] = [];
    element.addEventListener('es-export', (event) => {
      event.preventDefault();
      found.push((event as CustomEvent<ExportDetail>).detail);
    });
    for (const at of [0, 1, 2]) {
      element.shadowRoot!.querySelector<HTMLElement>('[part=export] summary')!.click();
      await frames();
      element.shadowRoot!.querySelectorAll<HTMLButtonElement>('[part=export] button')[at]!.click();
      await expect.poll(() => found.length).toBe(at + 1);
    }
    expect(found.map(({ name }) => name)).toEqual(['test-bars.png', 'test-bars.svg', 'test-bars.csv']);
    const png = await createImageBitmap(found[0]!.blob);
    expect([png.width, png.height]).toEqual([800, 320]);
    const svgText = await found[1]!.blob.text();
    const parsed = new DOMParser().parseFromString(svgText, 'image/svg+xml');
    expect(parsed.querySelector('parsererror')).toBeNull();
    expect(svgText).not.toMatch(/var\(|class=|<!--/);
    expect(parsed.querySelectorAll('image[href^="data:image/png"]').length).toBe(1);
    expect(parsed.querySelector('rect[aria-label="b: 3"]')!.getAttribute('fill')).toMatch(/^rgb/);
    expect(await found[2]!.blob.text()).toBe('Name,Value\na,1\nb,3\nc,2\n');
    // The picture holds the bar's colour where the bar stands.
    const canvas = new OffscreenCanvas(800, 320);
    const context = canvas.getContext('2d')!;
    context.drawImage(png, 0, 0);
    const plot = element.shadowRoot!.querySelector('.plot')!.getBoundingClientRect();
    const bar = marks(element)[1]!.getBoundingClientRect();
    const pixel = context.getImageData(
      2 * (bar.left - plot.left + bar.width / 2),
      2 * (bar.top - plot.top + bar.height / 2),
      1,
      1,
    ).data;
    expect(`rgb(${pixel[0]}, ${pixel[1]}, ${pixel[2]})`).toBe(getComputedStyle(marks(element)[1]!).fill);
  });

  it('keeps every label inside the drawing, also when narrow', async () => {
    const names = Array.from({ length: 9 }, (_, i) => `a rather long name ${i}`);
    for (const width of [720, 300]) {
      const element = await mount({ data: { names, values: names.map((_, i) => 1e6 * i) } }, width);
      const box = element.shadowRoot!.querySelector('svg')!.getBoundingClientRect();
      const labels = [...element.shadowRoot!.querySelectorAll('svg text')];
      expect(labels.length).toBeGreaterThan(9);
      for (const label of labels) {
        const own = label.getBoundingClientRect();
        expect(own.left, label.textContent!).toBeGreaterThanOrEqual(box.left - 1);
        expect(own.right, label.textContent!).toBeLessThanOrEqual(box.right + 1);
        expect(own.top, label.textContent!).toBeGreaterThanOrEqual(box.top - 1);
        expect(own.bottom, label.textContent!).toBeLessThanOrEqual(box.bottom + 1);
      }
    }
  });

  it('still: the picture only', async () => {
    const element = await mount({ data, still: true });
    expect(element.shadowRoot!.querySelectorAll('details, .readout').length).toBe(0);
    expect(marks(element).length).toBe(3);
  });

  it.each(['light', 'dark'])('has no serious accessibility finding (%s)', async (scheme) => {
    document.documentElement.style.colorScheme = scheme;
    document.body.style.background = scheme === 'dark' ? '#171b20' : '#fff';
    const element = await mount({ data });
    for (const details of element.shadowRoot!.querySelectorAll('details')) details.open = true;
    await frames();
    const { violations } = await axe.run(element, { resultTypes: ['violations'] });
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(serious.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`)).toEqual([]);
  });
});
