import '../../register.js';
import { afterEach, describe, expect, it } from 'vitest';
import { page } from 'vitest/browser';
import type { EsActivityBars } from '../../elements/es-activity-bars/index.js';
import type { EsChangeHeatmap } from '../../elements/es-change-heatmap/index.js';
import { type EsChangeScatter, scatterOf } from '../../elements/es-change-scatter/index.js';
import type { EsParameterPaths } from '../../elements/es-parameter-paths/index.js';
import { activityPanel, activityResult, changeResult, tracksResult } from '../../gallery/change.js';
import { frames } from '../../gallery/page.js';

// Elements and views of change, tracks and activity: what pointer and keyboard do, what is exported. How they look: the gallery's tests.

async function mount<T extends HTMLElement>(tag: string, properties: object, width = 700): Promise<T> {
  const element = document.createElement(tag) as T;
  element.style.inlineSize = `${width}px`;
  element.style.display = 'block';
  Object.assign(element, properties);
  document.body.append(element);
  await frames();
  return element;
}
afterEach(() => document.body.replaceChildren());
const find = <T extends Element = HTMLElement>(element: Element, selector: string) =>
  element.shadowRoot!.querySelector<T>(selector)!;
const all = <T extends Element = HTMLElement>(element: Element, selector: string) => [
  ...element.shadowRoot!.querySelectorAll<T>(selector),
];
const readout = (element: Element) => find(element, '.readout').textContent!.trim();
function heard(element: Element): object[] {
  const list: object[] = [];
  element.addEventListener('es-select', (event) => list.push((event as CustomEvent).detail));
  return list;
}
function pixel(canvas: HTMLCanvasElement, x: number, y: number): number[] {
  const ratio = canvas.width / canvas.clientWidth;
  return [...canvas.getContext('2d')!.getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data];
}

describe('es-change-view', () => {
  it('shows every column of its table in 688 px, a page of 720, and in 560', async () => {
    const before = [window.innerWidth, window.innerHeight] as const;
    await page.viewport(720, 900);
    for (const width of [688, 560]) {
      const view = await mount('es-change-view', { data: changeResult() }, width);
      const scroll = find(view, '.scroll');
      expect(all(view, 'thead th').length).toBe(8);
      expect(scroll.clientWidth).toBe(width);
      expect(scroll.scrollWidth, `${width} px`).toBeLessThanOrEqual(width);
    }
    await page.viewport(...before);
  });
});

describe('es-change-heatmap', () => {
  const result = changeResult();
  const kernel = result.tensors.find(({ name }) => name === 'C1.kernel')!;

  it('paints decreases brown, increases teal and 0 white', async () => {
    const data = {
      ...kernel,
      shape: [1, 1, 1, 3],
      delta: Float32Array.of(-1, 0, 1),
      before: new Float32Array(3),
    };
    const element = await mount<EsChangeHeatmap>('es-change-heatmap', { data });
    const canvas = find<HTMLCanvasElement>(element, 'canvas');
    const [less, none, more] = all<SVGRectElement>(element, 'rect.cell').map((tile) =>
      pixel(canvas, tile.x.baseVal.value + 5, tile.y.baseVal.value + 5),
    );
    expect(less![0]!).toBeGreaterThan(less![2]! + 80);
    expect(none).toEqual([255, 255, 255, 255]);
    expect(more![1]!).toBeGreaterThan(more![0]! + 50);
  });

  it('reads out the value below the pointer, by its place in the tensor', async () => {
    const element = await mount<EsChangeHeatmap>('es-change-heatmap', { data: kernel });
    const plot = find(element, '.plot');
    const box = plot.getBoundingClientRect();
    const tile = all<SVGRectElement>(element, 'rect.cell')[2]!;
    const cell = tile.width.baseVal.value / 5;
    // Row 3, column 1 of filter 2.
    const at = {
      clientX: box.left + tile.x.baseVal.value + 1.5 * cell,
      clientY: box.top + tile.y.baseVal.value + 3.5 * cell,
    };
    plot.dispatchEvent(new PointerEvent('pointermove', { ...at, bubbles: true, composed: true }));
    await frames();
    const index = (3 * 5 + 1) * 6 + 2;
    expect(readout(element)).toMatch(/^C1\.kernel \[3, 1, 0, 2\]: before /);
    expect(Number(readout(element).split('change ')[1]!.replace('−', '-'))).toBeCloseTo(
      kernel.delta[index]!,
      3,
    );
  });

  it('chooses a filter by click and by keyboard', async () => {
    const element = await mount<EsChangeHeatmap>('es-change-heatmap', { data: kernel });
    const said = heard(element);
    const tiles = all<SVGRectElement>(element, 'rect.cell');
    tiles[4]!.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true }));
    tiles[0]!.focus();
    tiles[0]!.dispatchEvent(
      new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true, composed: true }),
    );
    expect(element.shadowRoot!.activeElement).toBe(tiles[1]);
    tiles[1]!.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, composed: true }));
    expect(said).toEqual([
      { layer: 'C1', unit: 4 },
      { layer: 'C1', unit: 1 },
    ]);
  });

  it('exports every value as CSV, the picture as SVG, and pages through many tiles', async () => {
    const element = await mount<EsChangeHeatmap>('es-change-heatmap', { data: kernel });
    const lines = element.toCSV().trim().split('\n');
    expect(lines).toHaveLength(151);
    expect(lines[0]).toBe('Place,Before,Change');
    expect(lines[1]).toBe(`"0, 0, 0, 0",${kernel.before[0]},${kernel.delta[0]}`);
    expect(element.toSVG()).toContain('<image');
    const count = 3 * 3 * 30 * 30;
    const many = {
      ...kernel,
      shape: [3, 3, 30, 30],
      delta: new Float32Array(count),
      before: new Float32Array(count),
    };
    const pages = await mount('es-change-heatmap', { data: many });
    expect(find(pages, '.note').textContent).toContain('Tiles 1 – 768 of 900');
    all<HTMLButtonElement>(pages, '.note button')[1]!.click();
    await frames();
    expect(find(pages, '.note').textContent).toContain('Tiles 769 – 900 of 900');
  });
});

describe('es-change-scatter', () => {
  it('draws 300 000 points and lists them lazily', async () => {
    const n = 300_000;
    const before = Float32Array.from({ length: n }, (_, i) => Math.sin(i));
    const parts = [{ before, delta: before.map((w) => w / 2) }];
    const { statistics } = scatterOf(changeResult(), 'C1')!;
    const element = await mount<EsChangeScatter>('es-change-scatter', {
      data: { title: 'big', parts, statistics: { ...statistics, count: n } },
    });
    const canvas = find<HTMLCanvasElement>(element, 'canvas');
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    let drawn = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i]) drawn++;
    // A line across the plot, one or two pixels thick.
    expect(drawn).toBeGreaterThan(300);
    expect(drawn).toBeLessThan(10_000);
    expect(find(element, 'table')).toBeNull();
    expect(element.shadowRoot!.querySelector('svg')!.getAttribute('aria-label')).toContain('Pearson r');
  });

  it('picks its layer from a whole result, weights without biases', () => {
    const data = scatterOf(changeResult(), 'C1')!;
    expect(data.parts).toHaveLength(1);
    expect(data.statistics.count).toBe(150);
    expect(scatterOf(changeResult(), 'P9')).toBeNull();
  });
});

describe('es-parameter-paths and es-update-sizes', () => {
  it('say what a line is, choose its layer and unit, and list every snapshot', async () => {
    const data = tracksResult(50);
    const element = await mount<EsParameterPaths>('es-parameter-paths', { data, layer: 'C1' });
    const paths = all<SVGPathElement>(element, 'path.line');
    expect(paths).toHaveLength(8);
    const said = heard(element);
    paths[3]!.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true }));
    expect(said).toEqual([{ layer: 'C1', unit: 3 }]);
    paths[3]!.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, composed: true }));
    await frames();
    expect(readout(element)).toMatch(/^C1\.kernel\[3, 1, 0, 3\]: .+ → /);
    expect(element.toCSV().trim().split('\n')).toHaveLength(51);
    const sizes = await mount('es-update-sizes', { data });
    const chosen = heard(sizes);
    all<SVGPathElement>(sizes, 'path.line')[2]!.dispatchEvent(
      new MouseEvent('click', { bubbles: true, composed: true }),
    );
    expect(chosen).toEqual([{ layer: 'F3' }]);
  });

  it('5 000 steps become lines of a few points a pixel', async () => {
    const element = await mount<EsParameterPaths>('es-parameter-paths', {
      data: tracksResult(5000),
      layer: 'C1',
    });
    const path = find<SVGPathElement>(element, 'path.line').getAttribute('d')!;
    expect(path.split('L').length).toBeLessThan(4 * 700);
  });
});

describe('es-activity-bars and es-selectivity', () => {
  it('a bar a filter and defined class, on one scale', async () => {
    const panel = activityPanel('R1', 6, 2, [4]);
    const element = await mount<EsActivityBars>('es-activity-bars', { data: panel });
    const bars = all<SVGRectElement>(element, 'rect[data-mark]');
    expect(bars).toHaveLength(6 * 9);
    expect(find(element, '.note').textContent).toContain('4 (no correctly predicted sample)');
    const heights = bars.map((bar) => bar.height.baseVal.value);
    const values = Array.from(panel.activity).filter((_, i) => i % 10 !== 4);
    // Places are written to a hundredth of a pixel.
    for (const [i, value] of values.entries())
      expect(heights[i]! / heights[0]!).toBeCloseTo(value / values[0]!, 2);
    const said = heard(element);
    bars[10]!.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true }));
    expect(said).toEqual([{ layer: 'R1', unit: 1, class: 1, snapshot: 'step-00000500' }]);
  });

  it('a dot a filter, and its box', async () => {
    const element = await mount('es-selectivity', { data: activityResult().panels });
    expect(all(element, 'circle[data-mark]')).toHaveLength(2 * (6 + 16));
    expect(all(element, 'rect[data-mark]')).toHaveLength(4);
  });
});

describe('views', () => {
  it('change: a layer chosen in the table, or on the page, is shown large', async () => {
    const view = await mount('es-change-view', { data: changeResult() });
    const said = heard(view);
    all<HTMLButtonElement>(view, 'td button')[1]!.click();
    await frames();
    expect(said).toEqual([{ layer: 'C2' }]);
    expect(find<HTMLElement & { data: { title: string } }>(view, 'es-change-scatter').data.title).toBe('C2');
    Object.assign(view, { selection: { layer: 'F3' } });
    await frames();
    expect(find<EsChangeHeatmap>(view, 'es-change-heatmap').data!.name).toBe('F3.kernel');
    Object.assign(view, { selection: { layer: 'P1' } });
    await frames();
    expect(find<EsChangeHeatmap>(view, 'es-change-heatmap').data!.name).toBe('F3.kernel');
    // A value far beyond the others does not leave them pale, unless asked.
    const result = changeResult();
    const [first] = result.tensors;
    first!.delta[0] = 100;
    Object.assign(view, { data: { ...result, scale: 100 } });
    await frames();
    expect(find<EsChangeHeatmap>(view, 'es-change-heatmap').extent).toBeLessThan(10);
    find<HTMLInputElement>(view, '.controls input').click();
    await frames();
    expect(find<EsChangeHeatmap>(view, 'es-change-heatmap').extent).toBe(100);
  });

  it('activity: follows the page, and says when a snapshot was not analysed', async () => {
    const view = await mount('es-activity-view', { data: activityResult() });
    expect(find<EsActivityBars>(view, 'es-activity-bars').data!.layer).toBe('R2');
    Object.assign(view, { selection: { layer: 'R1', snapshot: 'init' } });
    await frames();
    const { layer, snapshot } = find<EsActivityBars>(view, 'es-activity-bars').data!;
    expect([layer, snapshot.id]).toEqual(['R1', 'init']);
    Object.assign(view, { selection: { layer: 'R1', snapshot: 'epoch-0009' } });
    await frames();
    expect(find(view, '.state').textContent).toContain('at epoch 9 was not analysed');
  });

  it('tracks: absolute sizes on request, paths by layer', async () => {
    const view = await mount('es-tracks-view', { data: tracksResult(20) });
    expect(all(view, 'es-parameter-paths')).toHaveLength(2);
    find<HTMLInputElement>(view, 'input').click();
    await frames();
    expect(find<HTMLElement & { absolute: boolean }>(view, 'es-update-sizes').absolute).toBe(true);
  });
});
