import '../../register.js';
import type { TendencyPanel } from '@epochscope/analysis/results';
import { afterEach, describe, expect, it } from 'vitest';
import { userEvent } from 'vitest/browser';
import { frames } from '../../gallery/page.js';
import { tendencyResult } from '../../gallery/tendency.js';
import type { EsTendencyGrid } from './index.js';

const panels = () => tendencyResult(60, ['P1', 'P3', 'S5'], [0, 5, 10]).panels;

async function mount(data: readonly TendencyPanel[], width = 700): Promise<EsTendencyGrid> {
  const grid = document.createElement('es-tendency-grid');
  grid.style.inlineSize = `${width}px`;
  grid.data = data;
  const [before, after] = ['before', 'after'].map((id) =>
    Object.assign(document.createElement('button'), { id }),
  );
  document.body.append(before!, grid, after!);
  await grid.updateComplete;
  await frames();
  return grid;
}
afterEach(() => {
  document.body.textContent = '';
});

const cells = (grid: EsTendencyGrid) => [
  ...grid.shadowRoot!.querySelectorAll<HTMLButtonElement>('button[part=cell]'),
];
const name = (cell: Element | null | undefined) =>
  cell instanceof HTMLElement ? `${cell.dataset.layer} ${cell.dataset.snapshot}` : null;
const focused = (grid: EsTendencyGrid) => name(grid.shadowRoot!.activeElement);
const readout = (grid: EsTendencyGrid) =>
  grid.shadowRoot!.querySelector('[role=status]')!.textContent!.trim();

describe('es-tendency-grid', () => {
  it('shows snapshots as columns and layers as rows, and says what was chosen', async () => {
    const grid = await mount(panels());
    expect(cells(grid).map(name)).toEqual(
      ['P1', 'P3', 'S5'].flatMap((layer) =>
        ['init', 'epoch-0005', 'epoch-0010'].map((snapshot) => `${layer} ${snapshot}`),
      ),
    );
    expect(cells(grid)[8]!.textContent!.trim()).toBe('10 blocks · 17 % in none · ARI 0.78');
    const chosen: object[] = [];
    grid.addEventListener('es-select', (event) => chosen.push((event as CustomEvent).detail));
    cells(grid)[6]!.click();
    await grid.updateComplete;
    expect(chosen).toEqual([{ snapshot: 'init', layer: 'S5' }]);
    expect(cells(grid).map((cell) => cell.getAttribute('aria-pressed') === 'true')).toEqual(
      cells(grid).map((_, i) => i === 6),
    );
  });

  it('is one tab stop; arrows, Home and End move, Enter and Space choose once', async () => {
    const grid = await mount(panels());
    const chosen: object[] = [];
    grid.addEventListener('es-select', (event) => chosen.push((event as CustomEvent).detail));
    document.querySelector<HTMLElement>('#before')!.focus();
    await userEvent.keyboard('{Tab}');
    expect(focused(grid)).toBe('P1 init');
    const ways: [string, string][] = [
      ['{ArrowRight}', 'P1 epoch-0005'],
      ['{ArrowDown}', 'P3 epoch-0005'],
      ['{ArrowRight}', 'P3 epoch-0010'],
      // The end of a row is the end.
      ['{ArrowRight}', 'P3 epoch-0010'],
      ['{ArrowLeft}', 'P3 epoch-0005'],
      ['{ArrowUp}', 'P1 epoch-0005'],
      ['{ArrowUp}', 'P1 epoch-0005'],
      ['{End}', 'S5 epoch-0010'],
      ['{Home}', 'P1 init'],
      ['{ArrowDown}', 'P3 init'],
    ];
    for (const [key, to] of ways) {
      await userEvent.keyboard(key);
      expect(focused(grid), key).toBe(to);
      expect(
        cells(grid)
          .filter((cell) => cell.tabIndex === 0)
          .map(name),
      ).toEqual([to]);
    }
    expect(chosen).toEqual([]);
    await userEvent.keyboard('{Enter}');
    await userEvent.keyboard('{ArrowDown} ');
    expect(chosen).toEqual([
      { snapshot: 'init', layer: 'P3' },
      { snapshot: 'init', layer: 'S5' },
    ]);
    expect(grid.selected).toEqual(chosen[1]);
    // Out of the pictures by one key, and back to the same one.
    await userEvent.keyboard('{Tab}');
    expect(grid.shadowRoot!.activeElement?.matches('summary')).toBe(true);
    await userEvent.keyboard('{Shift>}{Tab}{/Shift}');
    expect(focused(grid)).toBe('S5 init');
  });

  it('a click moves the tab stop too', async () => {
    const grid = await mount(panels());
    await userEvent.click(cells(grid)[2]!);
    expect(focused(grid)).toBe('P1 epoch-0010');
    await userEvent.keyboard('{Tab}{Shift>}{Tab}{/Shift}');
    expect(focused(grid)).toBe('P1 epoch-0010');
    await userEvent.keyboard('{Shift>}{Tab}{/Shift}');
    expect(document.activeElement?.id).toBe('before');
  });

  it('shows where the focus is, and reads it out', async () => {
    const grid = await mount(panels());
    document.querySelector<HTMLElement>('#before')!.focus();
    await userEvent.keyboard('{Tab}{End}');
    const cell = grid.shadowRoot!.activeElement!;
    expect(cell.getAttribute('aria-label')).toBe('S5, epoch 10: 10 blocks · 17 % in none · ARI 0.78');
    await grid.updateComplete;
    expect(readout(grid)).toBe('S5, epoch 10: 10 blocks · 17 % in none · ARI 0.78');
    const { outlineStyle, outlineWidth, outlineOffset, outlineColor } = getComputedStyle(cell);
    expect([outlineStyle, outlineWidth]).toEqual(['solid', '2px']);
    // Not cut off at the edge of the box that scrolls, and not to be taken for the chosen one.
    expect(Number.parseFloat(outlineOffset)).toBeLessThanOrEqual(-2);
    await userEvent.keyboard('{Enter}');
    await grid.updateComplete;
    expect(getComputedStyle(cell).borderTopColor).not.toBe('rgba(0, 0, 0, 0)');
    expect(getComputedStyle(cell).borderTopColor).not.toBe(outlineColor);
    const group = cell.parentElement!;
    expect([group.role, group.ariaLabel]).toEqual(['group', 'iVAT pictures of 3 layers at 3 snapshots']);
  });

  it('goes over pictures that are missing, and keeps one tab stop when pictures go', async () => {
    const grid = await mount(
      panels().filter(({ layer, snapshot }) => layer !== 'P3' || snapshot.id !== 'epoch-0005'),
    );
    document.querySelector<HTMLElement>('#before')!.focus();
    await userEvent.keyboard('{Tab}{ArrowRight}{ArrowDown}');
    expect(focused(grid)).toBe('S5 epoch-0005');
    await userEvent.keyboard('{ArrowUp}{ArrowLeft}{ArrowDown}{ArrowRight}');
    expect(focused(grid)).toBe('P3 epoch-0010');
    grid.data = panels().filter(({ layer }) => layer === 'P1');
    await grid.updateComplete;
    expect(cells(grid).filter((cell) => cell.tabIndex === 0).length).toBe(1);
  });

  it('scrolls the picture into view where they are many', async () => {
    const grid = await mount(tendencyResult(60, ['S5'], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]).panels, 360);
    document.querySelector<HTMLElement>('#before')!.focus();
    await userEvent.keyboard('{Tab}{End}');
    await frames();
    const [cell, box] = [grid.shadowRoot!.activeElement!, grid.shadowRoot!.querySelector('.scroll-x')!].map(
      (element) => element.getBoundingClientRect(),
    );
    expect(cell!.right).toBeLessThanOrEqual(box!.right + 4);
    expect(cell!.left).toBeGreaterThanOrEqual(box!.left - 4);
  });
});
