import axe from 'axe-core';
import { afterEach, describe, expect, it } from 'vitest';
import type { SceneItem } from '../scene/index.js';
import {
  chart,
  drawItems,
  EsFigure,
  type ExportDetail,
  type FigureTable,
  type Frame,
  locatePoint,
  setFontFolder,
  tableOf,
} from './index.js';

interface Bars {
  names: string[];
  values: number[];
}
/** Bars over a canvas of the same values: every kind of layer at once. */
class TestBars extends EsFigure<Bars> {
  draws = 0;
  protected override emptyReason({ values }: Bars) {
    return values.length ? '' : 'No bars';
  }
  protected override summary({ values }: Bars) {
    return `${values.length} bars`;
  }
  protected override table({ names, values }: Bars): FigureTable {
    return tableOf(['Name', 'Value'], names, (name, i) => [name, values[i]!]);
  }
  protected override draw({ names, values }: Bars, { width, measure }: Frame) {
    this.draws++;
    if (values.includes(-1)) throw new Error('a bar below the ground');
    const { axes, x, y, bottom } = chart({
      width,
      height: 160,
      x: { domain: names },
      y: { domain: values, zero: true, title: 'value' },
      measure,
    });
    const pixels = this.kept('pixels', [values], () => ({
      width: values.length,
      height: 1,
      channels: 3 as const,
      data: Uint8Array.from(values.flatMap(() => [200, 20, 20])),
    }));
    const items: SceneItem[] = [
      { kind: 'image', x: 0, y: 0, width, height: 4, pixels },
      axes,
      ...values.map((value, i): SceneItem => {
        const selected = this.selection.unit === i;
        return {
          kind: 'rect',
          x: x.at(names[i]!) - x.bandwidth / 2,
          width: x.bandwidth,
          y: y.at(value),
          height: bottom - y.at(value),
          fill: 'var(--_accent)',
          mark: { label: `${names[i]}: ${value}`, detail: { unit: i }, selected },
        };
      }),
    ];
    return {
      width,
      height: 160,
      items,
      legend: [{ name: 'bars', colour: 'var(--_accent)' }],
      locate: locatePoint(
        values.length,
        (i) => [x.at(names[i]!), y.at(values[i]!)],
        (i) => `top of ${names[i]}: ${values[i]}`,
        (i) => ({ unit: i }),
      ),
    };
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
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    host.append(svg);
    drawItems(svg, [chart({ width: 220, height: 120, x: { domain: [0, 1], title }, y, measure }).axes]);
    const at = [...host.querySelectorAll('text')].find((e) => e.textContent!.includes('longer'))!;
    const middle = Number(at.getAttribute('x'));
    const half = measure(at.firstChild!.textContent!) / 2;
    expect(middle + half).toBeLessThanOrEqual(220);
    expect(middle - half).toBeGreaterThanOrEqual(0);
  });

  it('draws for the colours of the place it is put into', async () => {
    const element = await mount({ data });
    const before = element.draws;
    element.remove();
    const dark = document.createElement('div');
    dark.style.colorScheme = 'dark';
    document.body.append(dark);
    dark.append(element);
    await expect.poll(() => element.draws).toBeGreaterThan(before);
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

  it('draws again for what changes the picture only, and then keeps the pixels and the elements', async () => {
    const element = await mount({ data });
    const before = element.draws;
    const canvas = element.shadowRoot!.querySelector('canvas')!;
    canvas.getContext('2d')!.clearRect(0, 0, 9, 9);
    const [first] = marks(element);
    first!.focus();
    first!.dispatchEvent(new PointerEvent('pointermove', { clientX: 3, clientY: 3, bubbles: true }));
    await element.updateComplete;
    expect(element.draws).toBe(before);
    element.selection = { unit: 1 };
    await element.updateComplete;
    expect(element.draws).toBe(before + 1);
    // Still cleared: nobody painted it; and the focus is where it was.
    expect([...canvas.getContext('2d')!.getImageData(2, 2, 1, 1).data]).toEqual([0, 0, 0, 0]);
    expect(element.shadowRoot!.activeElement).toBe(first);
    document.documentElement.style.colorScheme =
      getComputedStyle(document.documentElement).colorScheme === 'dark' ? 'light' : 'dark';
    await expect.poll(() => element.draws).toBeGreaterThan(before + 1);
  });

  it('shows the nearest value beside the pointer, within its own edges, and a click near it chooses it', async () => {
    const element = await mount({ data });
    const plot = element.shadowRoot!.querySelector<HTMLElement>('.plot')!;
    const tip = plot.querySelector<HTMLElement>('.tip')!;
    const box = plot.getBoundingClientRect();
    const bar = marks(element)[2]!.getBoundingClientRect();
    const at = { clientX: bar.left + bar.width / 2 + 9, clientY: bar.top - 8, bubbles: true, composed: true };
    expect(tip.hidden).toBe(true);
    plot.dispatchEvent(new PointerEvent('pointermove', at));
    expect([tip.hidden, tip.textContent]).toEqual([false, 'top of c: 2']);
    const own = tip.getBoundingClientRect();
    expect(own.right).toBeLessThanOrEqual(box.right + 0.5);
    expect(own.left).toBeGreaterThanOrEqual(box.left - 0.5);
    const ring = plot.querySelector<HTMLElement>('.near')!.getBoundingClientRect();
    expect(ring.left + ring.width / 2).toBeCloseTo(bar.left + bar.width / 2, -0.5);
    const chosen: object[] = [];
    element.addEventListener('es-select', (event) => chosen.push((event as CustomEvent).detail));
    plot.dispatchEvent(new MouseEvent('click', { ...at, detail: 1 }));
    expect(chosen).toEqual([{ unit: 2 }]);
    plot.dispatchEvent(
      new PointerEvent('pointermove', { ...at, clientX: box.left + 2, clientY: box.top + 80 }),
    );
    expect(tip.hidden).toBe(true);
  });

  const menu = async (element: TestBars, kind: string) => {
    element.shadowRoot!.querySelector<HTMLElement>('[part=export] summary')!.click();
    await frames();
    element.shadowRoot!.querySelector<HTMLButtonElement>(`[part=export] [data-kind=${kind}]`)!.click();
    await frames();
  };

  it('shows its data as a table when asked in its menu, and says what a long one leaves out', async () => {
    const names = Array.from({ length: 300 }, (_, i) => `n${i}`);
    const element = await mount({ data: { names, values: names.map((_, i) => i) } });
    expect(element.shadowRoot!.querySelectorAll('tbody tr').length).toBe(0);
    await menu(element, 'table');
    expect(element.shadowRoot!.querySelectorAll('[part=table] tbody tr').length).toBe(200);
    expect(text(element)).toContain('first 200 of 300 rows');
    await menu(element, 'table');
    expect(element.shadowRoot!.querySelector('[part=table]')).toBeNull();
    expect(element.toCSV().trim().split('\n').length).toBe(301);
  });

  // In a build they stand beside the scripts.
  setFontFolder(new URL('../../fonts/', import.meta.url).href);

  it('saves PNG, SVG that stands alone, PDF and CSV, with title, legend and caption', async () => {
    const element = await mount({ data, selection: { unit: 0 } });
    const found: ExportDetail[] = [];
    element.addEventListener('es-export', (event) => {
      event.preventDefault();
      found.push((event as CustomEvent<ExportDetail>).detail);
    });
    for (const kind of ['png', 'svg', 'pdf', 'csv']) {
      await menu(element, kind);
      // What fails is said below the picture.
      await expect
        .poll(() => `${found.at(-1)?.kind} ${element.shadowRoot!.querySelector('.readout')!.textContent}`)
        .toBe(`${kind} `);
    }
    expect(found.map(({ name }) => name)).toEqual([
      'test-bars.png',
      'test-bars.svg',
      'test-bars.pdf',
      'test-bars.csv',
    ]);
    const svgText = await found[1]!.blob.text();
    const parsed = new DOMParser().parseFromString(svgText, 'image/svg+xml');
    expect(parsed.querySelector('parsererror')).toBeNull();
    expect(svgText).not.toMatch(/var\(|light-dark|class=|style=|<!--/);
    expect(parsed.querySelectorAll('image[href^="data:image/png"]').length).toBe(1);
    const texts = [...parsed.querySelectorAll('text')].map((e) => e.textContent);
    expect(texts).toEqual(expect.arrayContaining(['3 bars', 'bars', 'value', 'a', '3 bars.']));
    const png = await createImageBitmap(found[0]!.blob);
    const [, , width, height] = parsed.documentElement.getAttribute('viewBox')!.split(' ').map(Number);
    expect([png.width, png.height]).toEqual([2 * width!, 2 * height!]);
    const pdf = await found[2]!.blob.text();
    expect(pdf.slice(0, 5)).toBe('%PDF-');
    expect(pdf).toContain(`/MediaBox [0 0 ${width! * 0.75} ${height! * 0.75}]`);
    expect(await found[3]!.blob.text()).toBe('Name,Value\na,1\nb,3\nc,2\n');
    // The picture holds the bar's colour where the bar stands.
    const bar = [...parsed.querySelectorAll('rect')].filter((e) => e.getAttribute('fill') === '#1a66ff')[1]!;
    const group = bar
      .parentElement!.getAttribute('transform')!
      .match(/[\d.]+/g)!
      .map(Number);
    const place = ['x', 'y', 'width', 'height'].map((name) => Number(bar.getAttribute(name))) as number[];
    const canvas = new OffscreenCanvas(png.width, png.height);
    const context = canvas.getContext('2d')!;
    context.drawImage(png, 0, 0);
    const [px, py] = [group[0]! + place[0]! + place[2]! / 2, group[1]! + place[1]! + place[3]! / 2];
    expect([...context.getImageData(2 * px, 2 * py, 1, 1).data]).toEqual([0x1a, 0x66, 0xff, 255]);
  });

  it('names in its caption what was analysed, how and with which seeds, where it knows', async () => {
    const element = await mount({ data });
    expect(element.captions()).toEqual({ title: '3 bars', caption: '3 bars.' });
    element.result = {
      format: 'epochscope-result/2',
      method: 'bars',
      name: 'default',
      tool: { name: 'epochscope', version: '9.9' },
      input: { source: 'my-run', files: {} },
      parameters: { largestWidth: -2, layers: ['a', 'b'], nothing: null },
      seeds: { analysis: 7 },
      seconds: 1,
    };
    expect(element.captions().caption).toBe(
      '3 bars. Source: my-run; method bars; largest width −2; layers a, b; seeds: analysis 7; epochscope 9.9.',
    );
  });

  it('keeps every label inside the drawing, also when narrow', async () => {
    const names = Array.from({ length: 9 }, (_, i) => `a rather long name ${i}`);
    for (const width of [720, 300]) {
      const element = await mount({ data: { names, values: names.map((_, i) => 1e6 * i) } }, width);
      const box = element.shadowRoot!.querySelector('svg[part=svg]')!.getBoundingClientRect();
      const labels = [...element.shadowRoot!.querySelectorAll('svg[part=svg] text')];
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
    await menu(element, 'table');
    for (const details of element.shadowRoot!.querySelectorAll('details')) details.open = true;
    await frames();
    const { violations } = await axe.run(element, { resultTypes: ['violations'] });
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(serious.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`)).toEqual([]);
  });
});
