import '../register.js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cdp, page } from 'vitest/browser';
import type { GalleryCase } from './case.js';
import { galleries } from './list.js';
import { below, frames } from './page.js';

// Elements in pages that are not ours: a panel of 200 px on a wide page, a page that runs from right to left, forced colours,
// put away and back, data and selections that are not there yet or are something else.

interface Shown extends HTMLElement {
  data: unknown;
  selection: unknown;
  updateComplete: Promise<unknown>;
}
const WIDE = 1200;
const inside = (element: Element) => below(element.shadowRoot!);
async function show(one: GalleryCase, width: number): Promise<Shown> {
  const panel = document.createElement('div');
  panel.style.inlineSize = `${width}px`;
  const element = document.createElement(one.tag) as Shown;
  Object.assign(element, one.properties());
  panel.append(element);
  document.body.append(panel);
  await element.updateComplete;
  await frames();
  return element;
}
/** What sticks out of an element, left or right, and cannot be scrolled to. */
function sticksOut(element: Element): string[] {
  const place = element.getBoundingClientRect();
  const scrolls = (e: Element): boolean => {
    for (let at: Element | null = e; at && at !== element; ) {
      if (/auto|scroll|hidden|clip/.test(getComputedStyle(at).overflowX)) return true;
      at = at.parentElement ?? (at.getRootNode() as ShadowRoot).host ?? null;
    }
    return false;
  };
  return inside(element)
    .filter((e) => {
      const { left, right, width } = e.getBoundingClientRect();
      return width > 0 && (left < place.left - 2 || right > place.right + 2) && !scrolls(e);
    })
    .map((e) => `${e.localName}.${e.getAttribute('class') ?? ''} "${e.textContent!.trim().slice(0, 40)}"`);
}

let before: number[];
beforeAll(async () => {
  before = [window.innerWidth, window.innerHeight];
  await page.viewport(WIDE, 900);
});
afterAll(() => page.viewport(before[0]!, before[1]!));
afterEach(() => {
  document.body.textContent = '';
  document.documentElement.dir = '';
});

const drawn = Object.entries(galleries)
  .flatMap(([folder, cases]) => cases.map((one) => ({ ...one, folder, one })))
  .filter(({ blank }) => !blank);
/** One case of each element. */
const elements = drawn.filter(({ tag }, i) => drawn.findIndex((other) => other.tag === tag) === i);

it('finds every element but the legend’s states', () => {
  expect(elements.length).toBeGreaterThan(30);
});

describe.each(drawn)('$folder: $title', ({ one }) => {
  it('fits a panel of 200 px on a wide page', async () => {
    expect(sticksOut(await show(one, 200))).toEqual([]);
  });
});

describe.each(elements)('$tag', ({ one }) => {
  it('shares a flex box, and fills one that stacks its items at their start', async () => {
    const element = await show(one, 900);
    const panel = element.parentElement!;
    for (const [css, least] of [
      ['display:flex', 300],
      ['display:flex;flex-direction:column;align-items:flex-start', 900],
      ['display:grid;justify-items:start', 900],
    ] as const) {
      panel.style.cssText = `inline-size:900px;${css}`;
      const other = document.createElement(one.tag);
      Object.assign(other, one.properties());
      if (least < 900) panel.append(other);
      await frames(6);
      if (one.tag !== 'es-legend')
        expect(element.getBoundingClientRect().width, css).toBeGreaterThanOrEqual(least);
      expect(panel.scrollWidth, css).toBeLessThanOrEqual(900);
      other.remove();
    }
  });

  it('is drawn alike in a page that runs from right to left', async () => {
    const texts = (element: Element) =>
      inside(element)
        .filter((e) => e instanceof SVGTextElement && e.getBoundingClientRect().width > 0)
        .map((e) => Math.round(e.getBoundingClientRect().left - element.getBoundingClientRect().left));
    const usual = texts(await show(one, 700));
    document.body.textContent = '';
    document.documentElement.dir = 'rtl';
    const element = await show(one, 700);
    expect(texts(element)).toEqual(usual);
    expect(sticksOut(element)).toEqual([]);
  });

  it('takes selections and data that are not there yet, or are something else, without a throw', async () => {
    const element = await show(one, 500);
    const { data } = element;
    const thrown: string[] = [];
    const listen = (event: PromiseRejectionEvent) => {
      event.preventDefault();
      thrown.push(String(event.reason));
    };
    window.addEventListener('unhandledrejection', listen);
    const given = async (name: 'data' | 'selection', value: unknown) => {
      element[name] = value;
      await element.updateComplete.catch((error: unknown) => thrown.push(`${name} ${value}: ${error}`));
      await frames(1);
      return [...element.shadowRoot!.querySelectorAll('[role=alert]')].map((e) => e.textContent);
    };
    for (const value of [
      null,
      undefined,
      { snapshot: 'none', layer: 'none', class: 99, sample: 1e9, unit: -1 },
    ])
      expect(await given('selection', value)).toEqual([]);
    if (data !== undefined) {
      for (const value of [null, undefined, {}, [], 'x', 5]) await given('data', value);
      expect(await given('data', data)).toEqual([]);
    }
    window.removeEventListener('unhandledrejection', listen);
    expect(thrown).toEqual([]);
  });

  it('is drawn when its panel is shown later, fits when put back elsewhere, and reports no error to the page', async () => {
    const errors: string[] = [];
    const listen = (event: ErrorEvent) => errors.push(event.message);
    window.addEventListener('error', listen);
    const element = await show(one, 600);
    const panel = element.parentElement!;
    const size = () => inside(element).filter((e) => e.getBoundingClientRect().width > 4).length;
    const usual = size();
    expect(usual).toBeGreaterThan(0);
    panel.style.display = 'none';
    await frames();
    panel.style.display = '';
    await frames();
    expect(size()).toBe(usual);
    element.remove();
    panel.style.inlineSize = '300px';
    await frames(2);
    panel.append(element);
    await frames(6);
    expect(sticksOut(element)).toEqual([]);
    window.removeEventListener('error', listen);
    expect(errors).toEqual([]);
  });
});

it('swatches keep their colours, and lines take the page’s, where colours are forced', async () => {
  const session = cdp() as unknown as { send(method: string, options: object): Promise<void> };
  const features = [{ name: 'forced-colors', value: 'active' }];
  await session.send('Emulation.setEmulatedMedia', { features });
  try {
    const legend = await show(drawn.find(({ tag }) => tag === 'es-legend')!.one, 500);
    const colours = [...legend.shadowRoot!.querySelectorAll('[part~=item] svg *')].map(
      (swatch) => getComputedStyle(swatch).fill,
    );
    expect(new Set(colours).size).toBeGreaterThan(1);
    const chart = await show(drawn.find(({ tag }) => tag === 'es-metrics')!.one, 500);
    const probe = document.createElement('span');
    probe.style.color = 'CanvasText';
    document.body.append(probe);
    const strokes = [...chart.shadowRoot!.querySelectorAll('line, path')].map(
      (line) => getComputedStyle(line).stroke,
    );
    expect(strokes).toContain(getComputedStyle(probe).color);
  } finally {
    await session.send('Emulation.setEmulatedMedia', { features: [] });
  }
});
