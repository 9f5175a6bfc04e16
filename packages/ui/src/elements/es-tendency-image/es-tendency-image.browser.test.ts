import '../../register.js';
import { encodeInline, type TendencyPanel, type TendencyResult } from '@epochscope/analysis/results';
import axe from 'axe-core';
import { afterEach, describe, expect, it } from 'vitest';
import type { EsTendencyView } from '../../views/tendency/index.js';
import type { EsTendencyGrid } from '../es-tendency-grid/index.js';
import type { EsTendencyImage, TendencySelectDetail } from './index.js';

/** Two blocks of 20 positions: weights 1 inside, 10 between. */
function panel(more: Partial<TendencyPanel> = {}): TendencyPanel {
  const n = 40;
  const weights = new Float32Array(n - 1).fill(1);
  weights[19] = 10;
  const none = { value: null, reason: 'there are no labels' } as const;
  return {
    snapshot: { id: 'epoch-0001', epoch: 1, step: 10 },
    layer: 'S5',
    n,
    d: 3,
    metric: 'euclidean',
    start: 5,
    order: Uint32Array.from({ length: n }, (_, i) => (i + 5) % n),
    weights,
    parent: new Uint32Array(n - 1),
    vat: null,
    blocks: {
      count: 2,
      ranges: [
        { start: 0, end: 20, clearness: 6 },
        { start: 20, end: 38, clearness: 5 },
      ],
      shareInNone: 0.05,
      clearness: { value: 5.5 },
      smallest: 10,
      bySize: {
        smallest: Uint32Array.of(2),
        count: Uint32Array.of(2),
        persistence: Float64Array.of(2),
      },
      stability: { value: 1 },
    },
    scores: {
      inBlocks: { ari: { value: 0.5 }, nmi: none, purity: none },
      overall: { ari: { value: 0.4 }, nmi: none, purity: none },
    },
    rimScore: none,
    marks: [{ sample: 8, position: 3, label: 1, correct: false, rule: 'index' }],
    seconds: 0.1,
    ...more,
  };
}
function result(): TendencyResult {
  const panels = ['epoch-0001', 'epoch-0002'].flatMap((id, i) =>
    ['P1', 'S5'].map((layer) => panel({ layer, snapshot: { id, epoch: i + 1, step: i } })),
  );
  return {
    format: 'epochscope-result/2',
    method: 'tendency',
    name: 'default',
    tool: { name: 'epochscope', version: '0' },
    input: { source: 'test', files: {} },
    parameters: {},
    seeds: {},
    seconds: 1,
    samples: {
      count: 40,
      labels: Uint32Array.from({ length: 40 }, (_, i) => i % 2),
      classes: ['a', 'b'],
      images: { data: new Uint8Array(40 * 16).fill(128), shape: [40, 4, 4, 1] },
    },
    panels,
  };
}

async function mount<T extends HTMLElement>(tag: string, properties: object, width = 400): Promise<T> {
  const element = document.createElement(tag) as T & { updateComplete: Promise<unknown> };
  element.style.inlineSize = `${width}px`;
  Object.assign(element, properties);
  document.body.append(element);
  await element.updateComplete;
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  return element;
}
afterEach(() => {
  document.body.textContent = '';
});

const canvasOf = (element: Element) => element.shadowRoot!.querySelector('canvas')!;
/** Grey at a share of the picture, inside the margin. */
function pixel(element: Element, x: number, y: number): number[] {
  const canvas = canvasOf(element);
  const at = (share: number) => Math.round(canvas.width * (0.04 + 0.96 * share));
  return [...canvas.getContext('2d')!.getImageData(at(x), at(y), 1, 1).data];
}

describe('es-tendency-image', () => {
  it('draws blocks dark and the rest light', async () => {
    const element = await mount<EsTendencyImage>('es-tendency-image', { data: panel() });
    // Half of the pixels are 10, which is the largest: (1/10)^1.7 · 255.
    expect(pixel(element, 0.1, 0.4)[0]).toBe(5);
    expect(pixel(element, 0.9, 0.6)[0]).toBe(5);
    expect(pixel(element, 0.1, 0.9)[0]).toBe(255);
  });

  it('draws marks at their position along both edges, in the colour asked for', async () => {
    const element = await mount<EsTendencyImage>('es-tendency-image', { data: panel() });
    const canvas = canvasOf(element);
    const at = Math.round(canvas.width * (0.04 + (0.96 * 3) / 40)) + 1;
    const colour = () => [...canvas.getContext('2d')!.getImageData(at, 3, 1, 1).data].slice(0, 3);
    expect(colour()).toEqual([0xca, 0x9a, 0x68]);
    element.markColor = 'correct';
    await element.updateComplete;
    expect(colour()).toEqual([0xee, 0x77, 0x33]);
    element.markColor = 'none';
    await element.updateComplete;
    expect([...canvas.getContext('2d')!.getImageData(at, 3, 1, 1).data][3]).toBe(0);
  });

  it('zooms, pans and resets by keyboard, saying so by es-zoom, and not when told by property', async () => {
    const element = await mount<EsTendencyImage>('es-tendency-image', { data: panel() });
    const events: object[] = [];
    element.addEventListener('es-zoom', (event) => events.push((event as CustomEvent).detail));
    const press = (key: string) =>
      canvasOf(element).dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    press('+');
    expect(events).toEqual([{ from: 5, to: 35 }]);
    press('End');
    expect(events[1]).toEqual({ from: 10, to: 40 });
    press('0');
    expect(events[2]).toEqual({ from: 0, to: 40 });
    element.from = 0;
    element.to = 20;
    await element.updateComplete;
    expect(events.length).toBe(3);
    expect(pixel(element, 0.1, 0.9)[0]).toBe(5);
  });

  it('leaves the wheel to the page at its full extent; zoomed it has a small picture of the whole and a way back', async () => {
    const element = await mount<EsTendencyImage>('es-tendency-image', { data: panel() });
    const turn = (more: object) => {
      const event = new WheelEvent('wheel', { deltaY: -100, bubbles: true, cancelable: true, ...more });
      canvasOf(element).dispatchEvent(event);
      return event.defaultPrevented;
    };
    const inside = (selector: string) => element.shadowRoot!.querySelector<HTMLElement>(selector);
    expect(turn({})).toBe(false);
    expect([element.from, inside('.mini')]).toEqual([Number.NaN, null]);
    expect(turn({ ctrlKey: true })).toBe(true);
    await element.updateComplete;
    expect(element.to - element.from).toBeLessThan(40);
    expect(inside('.mini')).not.toBeNull();
    expect(inside('.zoom')!.textContent).toMatch(/Positions \d+ – \d+ of 40/);
    expect(turn({ deltaY: 1 })).toBe(true);
    inside('.zoom button')!.click();
    await element.updateComplete;
    expect([element.from, element.to, inside('.mini')]).toEqual([0, 40, null]);
    expect(turn({ deltaY: 100 })).toBe(false);
  });

  it('greys are not stretched by a few far samples, unless asked for', async () => {
    const data = panel();
    data.weights[38] = 1000;
    const element = await mount<EsTendencyImage>('es-tendency-image', { data });
    expect(pixel(element, 0.1, 0.9)[0]).toBeGreaterThan(200);
    element.shadowRoot!.querySelector<HTMLInputElement>('.zoom input')!.click();
    await element.updateComplete;
    expect(pixel(element, 0.1, 0.9)[0]).toBe(0);
  });

  it('selects by click and Enter with position, sample and block', async () => {
    const element = await mount<EsTendencyImage>('es-tendency-image', { data: panel() });
    const chosen: TendencySelectDetail[] = [];
    element.addEventListener('es-select', (event) =>
      chosen.push((event as CustomEvent<TendencySelectDetail>).detail),
    );
    const canvas = canvasOf(element);
    const box = canvas.getBoundingClientRect();
    const place = {
      clientX: box.left + box.width * (0.04 + 0.96 * 0.76),
      clientY: box.top + box.height / 2,
      bubbles: true,
      pointerId: 1,
      button: 0,
    };
    canvas.setPointerCapture = () => {};
    canvas.dispatchEvent(new PointerEvent('pointerdown', place));
    canvas.dispatchEvent(new PointerEvent('pointerup', place));
    expect(chosen[0]).toEqual({ snapshot: 'epoch-0001', layer: 'S5', position: 30, sample: 35, block: 1 });
    canvas.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    expect(chosen[1]).toEqual(chosen[0]);
    const corner = { ...place, clientX: box.left + box.width * 0.045, clientY: box.top + 1 };
    canvas.dispatchEvent(new PointerEvent('pointerdown', corner));
    canvas.dispatchEvent(new PointerEvent('pointerup', corner));
    canvas.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    expect(chosen.slice(2).map(({ position }) => position)).toEqual([0, 0]);
  });

  it('a drag that the system takes away leaves nothing drawn', async () => {
    const element = await mount<EsTendencyImage>('es-tendency-image', { data: panel() });
    const canvas = canvasOf(element);
    canvas.setPointerCapture = () => {};
    const rubbers = () => element.shadowRoot!.querySelectorAll('.rubber').length;
    canvas.dispatchEvent(new PointerEvent('pointerdown', { button: 0, pointerId: 1 }));
    await element.updateComplete;
    expect(rubbers()).toBe(1);
    canvas.dispatchEvent(new PointerEvent('pointercancel', { pointerId: 1 }));
    await element.updateComplete;
    expect(rubbers()).toBe(0);
  });

  it('has a text summary, a table, CSV and PNG', async () => {
    const element = await mount<EsTendencyImage>('es-tendency-image', { data: panel() });
    expect(canvasOf(element).getAttribute('aria-label')).toBe(
      'iVAT picture of layer S5, epoch 1: 40 samples, 2 blocks, 5 % of the samples in none; ARI 0.50 in blocks',
    );
    element.shadowRoot!.querySelector<HTMLElement>('[part=export] summary')!.click();
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    element.shadowRoot!.querySelector<HTMLElement>('[data-kind=table]')!.click();
    await element.updateComplete;
    expect(element.shadowRoot!.querySelectorAll('tbody tr').length).toBe(2);
    const csv = element.toCSV().trim().split('\n');
    expect(csv.length).toBe(41);
    expect(csv[1]).toBe('0,5,,,0');
    expect(csv[21]).toBe('20,25,10,0,1');
    const png = await element.toPNG(1, { width: 300 });
    expect(png.type).toBe('image/png');
    expect((await createImageBitmap(png)).width).toBe(300);
  });

  it('says when there is nothing to draw', async () => {
    const empty = await mount<EsTendencyImage>('es-tendency-image', {});
    expect(empty.shadowRoot!.textContent).toContain('No data');
    const vat = await mount<EsTendencyImage>('es-tendency-image', { data: panel(), mode: 'vat' });
    expect(vat.shadowRoot!.textContent).toContain('holds no VAT picture');
  });

  it('takes one and two samples', async () => {
    for (const n of [1, 2]) {
      const one = panel({
        n,
        order: Uint32Array.from({ length: n }, (_, i) => i),
        weights: new Float32Array(n - 1).fill(2),
        parent: new Uint32Array(n - 1),
        marks: [],
        blocks: {
          ...panel().blocks,
          count: 0,
          reason: 'too few samples to count blocks: 1, at least 40 are needed',
          ranges: [],
          shareInNone: 1,
        },
      });
      const element = await mount<EsTendencyImage>('es-tendency-image', { data: one });
      expect(pixel(element, 0.25, 0.25)[0]).toBe(0);
    }
  });
});

describe('src', () => {
  const address = (text: string) => URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  it('loads a result in one file into image, grid and view', async () => {
    const src = address(encodeInline(result()));
    const image = await mount<EsTendencyImage>('es-tendency-image', {
      src,
      layer: 'P1',
      snapshot: 'epoch-0001',
    });
    await expect.poll(() => image.data?.layer).toBe('P1');
    expect(image.data!.snapshot.id).toBe('epoch-0001');
    const grid = await mount<EsTendencyGrid>('es-tendency-grid', { src }, 700);
    await expect.poll(() => grid.shadowRoot!.querySelectorAll('button').length).toBe(4);
    const view = await mount<EsTendencyView>('es-tendency-view', { src }, 900);
    await expect.poll(() => view.shadowRoot!.textContent ?? '').toContain('S5, epoch 2');
  });
  it('says what is wrong', async () => {
    const image = await mount<EsTendencyImage>('es-tendency-image', {
      src: address(encodeInline(result())),
      layer: 'X1',
    });
    await expect
      .poll(() => image.shadowRoot!.querySelector('[role=alert]')?.textContent ?? '')
      .toContain('holds no panel of layer X1');
    const grid = await mount<EsTendencyGrid>('es-tendency-grid', { src: address('{"format":"other/1"}') });
    await expect
      .poll(() => grid.shadowRoot!.querySelector('[role=alert]')?.textContent ?? '')
      .toContain('format: expected "epochscope-result/2", got "other/1"');
  });
});

describe('es-tendency-view', () => {
  it('links grid, picture and gallery', async () => {
    const view = await mount<EsTendencyView>('es-tendency-view', { data: result() }, 1000);
    const root = view.shadowRoot!;
    expect(root.textContent).toContain('S5, epoch 2');
    const grid = root.querySelector('es-tendency-grid')!;
    grid.shadowRoot!.querySelector('button')!.click();
    await view.updateComplete;
    expect(root.textContent).toContain('P1, before training');
    root
      .querySelector('.split es-tendency-image')!
      .dispatchEvent(new CustomEvent('es-select', { detail: { block: 1 } }));
    await view.updateComplete;
    const gallery = root.querySelector('es-sample-gallery')! as HTMLElement & {
      updateComplete: Promise<unknown>;
    };
    await gallery.updateComplete;
    expect(gallery.shadowRoot!.querySelectorAll('canvas').length).toBe(18);
  });

  it('draws from an address, and says when that fails', async () => {
    const failed = await mount<EsTendencyView>('es-tendency-view', { src: '/no-such-result.json' });
    await expect
      .poll(() => failed.shadowRoot!.querySelector('[role=alert]')?.textContent ?? '')
      .toMatch(/no-such-result\.json/);
  });

  it.each(['light', 'dark'])('has no serious accessibility finding (%s)', async (scheme) => {
    document.documentElement.style.colorScheme = scheme;
    document.body.style.background = scheme === 'dark' ? '#171b20' : '#fff';
    await mount('es-tendency-view', { data: result() }, 1000);
    const { violations } = await axe.run(document.body, { resultTypes: ['violations'] });
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(serious.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`)).toEqual([]);
  });
});
