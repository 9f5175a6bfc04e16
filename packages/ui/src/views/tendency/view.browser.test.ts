import '../../register.js';
import { alignedView, type TendencyResult } from '@epochscope/analysis/results';
import { afterEach, describe, expect, it } from 'vitest';
import type { EsTendencyGrid } from '../../elements/es-tendency-grid/index.js';
import type { EsTendencyImage } from '../../elements/es-tendency-image/index.js';
import type { EsTendencyScores } from '../../elements/es-tendency-scores/index.js';
import { tendencyResult, thinningOf } from '../../gallery/tendency.js';
import type { EsTendencyView } from './index.js';

afterEach(() => {
  document.body.textContent = '';
});

/** Orders of early snapshots turned round, and aligned to the last again. */
function result(): TendencyResult {
  const whole = tendencyResult(200, ['R4', 'S5'], [0, 1, 2]);
  const none = { value: null, reason: 'test' } as const;
  const panels = whole.panels.map((p) =>
    p.snapshot.id === 'epoch-0002'
      ? p
      : {
          ...p,
          aligned: {
            order: p.order.slice().reverse(),
            weights: p.weights.slice().reverse(),
            reference: 'epoch-0002',
            correlation: none,
            before: none,
          },
        },
  );
  return { ...whole, panels, thinning: thinningOf([100, 50], [0, 1, 2]) };
}
async function mount(): Promise<EsTendencyView> {
  const view = document.createElement('es-tendency-view') as EsTendencyView;
  view.style.inlineSize = '900px';
  view.data = result();
  document.body.append(view);
  await view.updateComplete;
  return view;
}
const find = <T extends Element>(view: EsTendencyView, selector: string) =>
  view.shadowRoot!.querySelector(selector) as unknown as T;
const large = (view: EsTendencyView) => find<EsTendencyImage>(view, '.split es-tendency-image');

describe('es-tendency-view', () => {
  it('draws aligned orders when asked, in the grid and large', async () => {
    const view = await mount();
    const box = find<HTMLInputElement>(view, 'input[name=aligned]');
    const slider = find<HTMLInputElement>(view, 'input[type=range]');
    slider.value = '0';
    slider.dispatchEvent(new Event('input'));
    await view.updateComplete;
    const own = view.data!.panels.find((p) => p.layer === 'S5')!;
    expect(large(view).data!.order).toEqual(own.order);
    box.click();
    await view.updateComplete;
    expect(large(view).data!.order).toEqual(own.aligned!.order);
    expect(large(view).data!.marks[0]!.position).toBe(alignedView(own).marks[0]!.position);
    const grid = find<EsTendencyGrid>(view, 'es-tendency-grid');
    expect(grid.data!.find((p) => p.layer === 'S5')!.order).toEqual(own.aligned!.order);
  });

  it('shows a thinning step with the samples own numbers', async () => {
    const view = await mount();
    const radio = find<HTMLInputElement>(view, 'input[name=samples][value="1"]');
    radio.click();
    await view.updateComplete;
    const step = view.data!.thinning!.steps[1]!;
    const data = large(view).data!;
    expect(data.n).toBe(50);
    expect([...data.order]).toEqual([...step.panels.at(-1)!.order].map((i) => step.samples[i]!));
    expect(data.marks.every(({ sample, position }) => data.order[position] === sample)).toBe(true);
    find<HTMLInputElement>(view, 'input[name=samples][value="-1"]').click();
    await view.updateComplete;
    expect(find<EsTendencyGrid>(view, 'es-tendency-grid').data!.length).toBe(6);
  });

  it('chooses by the chart, says so, and follows what is chosen on the page', async () => {
    const view = await mount();
    const chart = find<EsTendencyScores>(view, 'es-tendency-scores');
    await chart.updateComplete;
    const chosen: object[] = [];
    view.addEventListener('es-select', (event) => chosen.push((event as CustomEvent).detail));
    const point = [...chart.shadowRoot!.querySelectorAll('[data-mark]')].find((e) =>
      e.getAttribute('aria-label')!.startsWith('R4, epoch 1'),
    )!;
    point.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true }));
    await view.updateComplete;
    expect(chosen).toEqual([{ snapshot: 'epoch-0001', layer: 'R4' }]);
    expect(large(view).data).toMatchObject({ layer: 'R4', snapshot: { id: 'epoch-0001' } });
    view.selection = { snapshot: 'epoch-0002', layer: 'S5' };
    await view.updateComplete;
    expect(large(view).data).toMatchObject({ layer: 'S5', snapshot: { id: 'epoch-0002' } });
    const select = find<HTMLSelectElement>(view, 'select[name=score]');
    select.value = 'blocks';
    select.dispatchEvent(new Event('change'));
    await view.updateComplete;
    expect(chart.score).toBe('blocks');
  });

  it('plays from the start to the end and stops there', async () => {
    const view = await mount();
    const button = find<HTMLButtonElement>(view, '.player button');
    button.click();
    await view.updateComplete;
    expect(button.textContent).toBe('Stop');
    expect(large(view).data!.snapshot.id).toBe('init');
    const deadline = performance.now() + 10_000;
    while (button.textContent === 'Stop' && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(button.textContent).toBe('Play');
    expect(large(view).data!.snapshot.id).toBe('epoch-0002');
  });
});

describe('given points', () => {
  const rows = Array.from({ length: 90 }, (_, i) => [(i % 3) * 10 + Math.sin(i), Math.cos(2.1 * i)]);
  const made = async (set: Partial<EsTendencyView>) => {
    const view = document.createElement('es-tendency-view') as EsTendencyView;
    Object.assign(view, set);
    document.body.append(view);
    await expect.poll(() => view.loading, { timeout: 20_000 }).toBe(false);
    await view.updateComplete;
    return view;
  };

  it('computes them in workers: blocks, and scores against labels', async () => {
    const view = await made({ points: rows, labels: rows.map((_, i) => i % 3), classes: ['a', 'b', 'c'] });
    const [panel] = view.data!.panels;
    expect(panel!.blocks.count).toBe(3);
    expect(panel!.scores.inBlocks.ari.value).toBe(1);
    expect(view.renderRoot.querySelector('es-tendency-image')).not.toBeNull();
    // Others take their place; the newest count.
    view.points = { data: Float32Array.from(rows.slice(0, 60).flat()), shape: [60, 2] };
    view.labels = null;
    await expect.poll(() => view.data?.panels[0]?.n, { timeout: 20_000 }).toBe(60);
    expect(view.data!.samples.labels).toBeNull();
    view.remove();
  });

  it.each([
    [[[1, 2], [3]], 'row 1: expected 2 numbers, got 1'],
    [{ data: new Float32Array(5), shape: [2, 3] as const }, 'expected 2 × 3 numbers, got 5'],
    [
      [
        [1, 2],
        [Number.NaN, 0],
        [1, 1],
      ],
      'finite',
    ],
  ])('says what is wrong with them', async (points, said) => {
    const view = await made({ points });
    expect(view.renderRoot.textContent).toContain(said);
    view.remove();
  });
});
