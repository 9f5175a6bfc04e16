import '../register.js';
import type { RunManifest } from '@epochscope/analysis';
import {
  encodeBinary,
  encodeInline,
  type ResultBase,
  type TendencyResult,
} from '@epochscope/analysis/results';
import axe from 'axe-core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { metricSnapshots } from '../elements/es-metrics/gallery.js';
import type { EsTendencyImage } from '../elements/es-tendency-image/index.js';
import { frames } from '../gallery/page.js';
import { tendencyResult } from '../gallery/tendency.js';
import { watchResult } from '../gallery/watch.js';
import { EsComputeForm } from './es-compute-form.js';
import { EsDashboard } from './es-dashboard.js';
import { EsNotices } from './es-notices.js';
import { EsResultPanel } from './es-result-panel.js';
import { HttpSource } from './http-source.js';
import { InlineSource, type RunSource } from './source.js';

customElements.define('es-compute-form', EsComputeForm);
customElements.define('es-notices', EsNotices);
customElements.define('es-result-panel', EsResultPanel);
customElements.define('es-dashboard', EsDashboard);

const layers = ['P1', 'P3', 'S5'];
const manifest = (count = 11): RunManifest => ({
  format: 'epochscope-run/1',
  tool: { name: 'epochscope', version: 'test' },
  model: { name: 'lenet5' },
  layers: layers.map((name) => ({ name, kind: 'dense', shape: [10], parameters: [] })),
  classes: Array.from({ length: 10 }, (_, c) => `class ${c}`),
  inputShape: [8, 8, 1],
  samples: { count: 200, source: 'fixture' },
  training: { optimizer: 'adam', seed: 1 },
  snapshots: metricSnapshots(count),
  complete: true,
});

/** The scripts that the CLI's page holds. */
function pageOf(runs: Record<string, { manifest: RunManifest; results: string[] }>): HTMLElement {
  const root = document.createElement('div');
  const add = (className: string, run: string, text: string) => {
    const script = document.createElement('script');
    script.type = 'application/json';
    script.className = className;
    script.dataset.run = run;
    script.textContent = text;
    root.append(script);
  };
  for (const [run, { manifest, results }] of Object.entries(runs)) {
    add('epochscope-run', run, JSON.stringify({ title: run, written: '2026-11-21', manifest }));
    for (const text of results) add('epochscope-result', run, text);
  }
  return root;
}
const one = () =>
  new InlineSource(pageOf({ mine: { manifest: manifest(), results: [encodeInline(tendencyResult())] } }));

async function open(source: RunSource, hash = ''): Promise<EsDashboard> {
  history.replaceState(null, '', hash ? `#${hash}` : location.pathname + location.search);
  const dashboard = new EsDashboard();
  dashboard.source = source;
  document.body.append(dashboard);
  await expect.poll(() => deep(dashboard, '[data-stage], .state:not(.busy)').length).toBeGreaterThan(0);
  await frames();
  return dashboard;
}
/** Elements below that match, through shadow roots. */
function deep<T extends Element = HTMLElement>(root: Element | ShadowRoot, selector: string): T[] {
  const inside = root instanceof Element && root.shadowRoot ? [root.shadowRoot, root] : [root];
  return inside.flatMap((place) =>
    [...place.children].flatMap((child) => [
      ...(child.matches(selector) ? [child as T] : []),
      ...deep<T>(child, selector),
    ]),
  );
}
const text = (root: Element): string =>
  deep(root, '*')
    .map((e) =>
      [...e.childNodes]
        .filter((n) => n.nodeType === 3)
        .map((n) => n.textContent)
        .join(''),
    )
    .join(' ')
    .replace(/\s+/g, ' ');
const big = (root: Element) => deep<EsTendencyImage>(root, 'es-tendency-image:not([still])')[0]!;
const one1 = <T extends HTMLElement = HTMLElement>(root: Element, selector: string) =>
  deep<T>(root, selector)[0]!;
const button = (root: Element, name: string) =>
  deep<HTMLButtonElement>(root, 'button').find(
    (e) => e.getAttribute('aria-label') === name || e.textContent!.trim() === name,
  )!;
const place = (root: Element) => [big(root)?.data?.layer, big(root)?.data?.snapshot.id];

let size: number[];
beforeEach(async () => {
  size = [innerWidth, innerHeight];
  await page.viewport(1280, 900);
});
afterEach(async () => {
  document.body.textContent = '';
  document.documentElement.style.colorScheme = '';
  history.replaceState(null, '', location.pathname + location.search);
  await page.viewport(size[0]!, size[1]!);
});

describe('the page', () => {
  it('opens on the story of the last layer at the last snapshot', async () => {
    const dashboard = await open(one());
    await expect.poll(() => place(dashboard)).toEqual(['S5', 'epoch-0010']);
    expect(one1(dashboard, 'h1').textContent).toMatch(/^Before training, .+ After 10 epochs, /);
    expect(text(dashboard)).toContain('LeNet-5');
    expect(deep(dashboard, '.strip .row').map((e) => e.dataset.layer)).toEqual(layers);
    expect(deep(dashboard, '.epoch-thumb').length).toBe(11);
    expect(deep(dashboard, '.tab').map((e) => e.textContent!.replace(/\s+/g, ' ').trim())).toEqual([
      'Story',
      'Clusters',
      ...['Modules', 'Change', 'Activity', 'Geometry', 'Features', 'Pruning', 'Difference', 'Path'].map(
        (name) => `${name} (not computed)`,
      ),
    ]);
    // The sentence, the figure and the outlines say the same number.
    const count = big(dashboard).data!.blocks.count;
    expect(text(one1(dashboard, 'dl.large'))).toContain('blocks');
    expect(one1(dashboard, 'dl.large dd').textContent).toBe(String(count));
    expect(deep(dashboard, '.beside').length).toBe(count);
    expect(location.hash).toBe('');
  });

  it('one layer and one epoch for all of it; each change is an entry of the history', async () => {
    const dashboard = await open(one());
    await expect.poll(() => place(dashboard)[0]).toBe('S5');
    one1(dashboard, '[data-layer=P3]').click();
    await expect.poll(() => place(dashboard)).toEqual(['P3', 'epoch-0010']);
    one1(dashboard, '[data-snapshot=epoch-0005]').click();
    await expect.poll(() => place(dashboard)).toEqual(['P3', 'epoch-0005']);
    expect(location.hash).toBe('#snapshot=epoch-0005&layer=P3');
    const slider = one1<HTMLInputElement>(dashboard, '.slider');
    expect(slider.getAttribute('aria-valuetext')).toBe('epoch 5');
    one1(dashboard, '[data-tab=clusters]').click();
    await expect.poll(() => deep(dashboard, '.cell-button').length).toBe(33);
    expect(one1(dashboard, '.cell-button[aria-current]').getAttribute('aria-label')).toContain(
      'P3, epoch 5:',
    );
    history.back();
    await expect.poll(() => location.hash).toBe('#snapshot=epoch-0005&layer=P3');
    await expect.poll(() => deep(dashboard, '[data-stage=story]').length).toBe(1);
    history.back();
    await expect.poll(() => place(dashboard)).toEqual(['P3', 'epoch-0010']);
  });

  it('follows a sample through every picture, and lets go by Esc; Ctrl Z takes back', async () => {
    const dashboard = await open(one());
    await expect.poll(() => place(dashboard)[0]).toBe('S5');
    big(dashboard).dispatchEvent(
      new CustomEvent('es-select', { detail: { sample: 33, block: 0 }, bubbles: true, composed: true }),
    );
    await expect.poll(() => location.hash).toBe('#sample=33');
    await expect.poll(() => deep(dashboard, '.unfollow').length).toBe(1);
    expect(one1(dashboard, '.unfollow').textContent).toContain('Digit 33');
    // A lane of where it stood, a chip an epoch.
    const chips = deep(dashboard, '.epoch-thumb .chip');
    expect(chips.length).toBe(11);
    const panel = big(dashboard).data!;
    const at = panel.order.indexOf(33);
    const block = panel.blocks.ranges.findIndex(({ start, end }) => start <= at && at < end);
    expect(chips.at(-1)!.textContent!.trim()).toBe(block < 0 ? '–' : String.fromCharCode(65 + block));
    const key = (init: KeyboardEventInit) =>
      document.dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...init }));
    key({ key: 'Escape' });
    await expect.poll(() => deep(dashboard, '.unfollow').length).toBe(0);
    key({ key: 'z', ctrlKey: true });
    await expect.poll(() => location.hash).toBe('#sample=33');
    key({ key: 'ArrowLeft' });
    await expect.poll(() => location.hash).toBe('#snapshot=epoch-0009&sample=33');
    key({ key: 'ArrowUp' });
    await expect.poll(() => location.hash).toContain('layer=P3');
  });

  it('shows in every picture what the pointer is on, and lets go of it', async () => {
    const dashboard = await open(one());
    const canvases = () =>
      [...dashboard.renderRoot.querySelectorAll<HTMLCanvasElement>('.epoch-thumb canvas')].map((canvas) =>
        canvas.toDataURL(),
      );
    await expect.poll(() => canvases().length).toBeGreaterThan(1);
    const before = canvases();
    const address = location.hash;
    const row = dashboard.renderRoot.querySelector('.bar-row')!;
    row.dispatchEvent(new PointerEvent('pointerenter'));
    await expect.poll(() => canvases().filter((url, i) => url !== before[i]).length).toBe(before.length);
    // Nothing is followed for that.
    expect(location.hash).toBe(address);
    expect(dashboard.renderRoot.querySelector('.dock.following')).toBeNull();
    row.dispatchEvent(new PointerEvent('pointerleave'));
    await expect.poll(canvases).toEqual(before);
  });

  it('holds the block, the picture and its marks in the address; Ctrl Z takes them back', async () => {
    const dashboard = await open(one());
    dashboard.renderRoot.querySelectorAll<HTMLElement>('.bar-row')[1]!.click();
    await expect.poll(() => location.hash).toContain('block=B');
    dashboard.store.set({ mode: 'vat' });
    dashboard.store.set({ marks: 'none' });
    await expect.poll(() => location.hash).toContain('block=B&mode=vat&marks=none');
    for (let i = 0; i < 3; i++)
      document.dispatchEvent(new KeyboardEvent('keydown', { key: 'z', ctrlKey: true }));
    await expect.poll(() => location.hash).not.toContain('block');
    location.hash = 'block=ZZ';
    await expect
      .poll(() => dashboard.renderRoot.querySelector('[role=alert]')?.textContent)
      .toContain('there is no block ZZ here');
  });

  it('prints every result once it is loaded, and no form; says so where the browser printed too early', async () => {
    const dashboard = await open(one());
    let stages: string[] = [];
    let words = '';
    const print = vi.spyOn(window, 'print').mockImplementation(() => {
      dispatchEvent(new Event('beforeprint'));
      stages = deep(dashboard, '[data-stage]').map((stage) => stage.dataset.stage!);
      words = text(dashboard);
      dispatchEvent(new Event('afterprint'));
    });
    document.dispatchEvent(new KeyboardEvent('keydown', { key: 'p', ctrlKey: true }));
    await expect.poll(() => print.mock.calls.length, { timeout: 20_000 }).toBe(1);
    expect(stages).toEqual(['story', 'clusters']);
    expect(words).not.toContain('Loading');
    expect(words).not.toContain('Not everything was loaded');
    print.mockRestore();
    const early = await open(one());
    dispatchEvent(new Event('beforeprint'));
    expect(text(early)).toContain('Not everything was loaded');
    dispatchEvent(new Event('afterprint'));
    await early.updateComplete;
    expect(text(early)).not.toContain('Not everything was loaded');
  });

  it('says what was predicted, where the result knows', async () => {
    const result = tendencyResult();
    const { labels, count } = result.samples;
    const wrong = labels!.map((label) => (label + 1) % 10);
    const predictions = [
      { snapshot: 'epoch-0009', classes: wrong },
      { snapshot: 'epoch-0010', classes: labels!.slice() },
    ];
    const source = new InlineSource(
      pageOf({
        mine: {
          manifest: manifest(),
          results: [
            encodeInline({
              ...result,
              samples: { ...result.samples, predictions },
            } as TendencyResult),
          ],
        },
      }),
    );
    const dashboard = await open(source, `sample=${count - 1}`);
    await expect.poll(() => deep(dashboard, '.epoch-thumb .chip').length).toBe(11);
    const chip = (id: string) => one1(dashboard, `[data-snapshot=${id}]`).querySelector('.chip')!;
    expect(chip('epoch-0010').classList.contains('right')).toBe(true);
    expect(chip('epoch-0010').textContent!.trim()).toMatch(new RegExp(`^${labels![count - 1]}`));
    expect(chip('epoch-0009').classList.contains('right')).toBe(false);
    expect(chip('epoch-0009').textContent).toContain('wrong');
  });

  it('opens where its address points, follows it, and says what it does not understand', async () => {
    const dashboard = await open(one(), 'snapshot=epoch-0002&layer=P1&zoom=20-80&theme=dark');
    await expect.poll(() => place(dashboard)).toEqual(['P1', 'epoch-0002']);
    expect([big(dashboard).from, big(dashboard).to]).toEqual([20, 80]);
    expect(document.documentElement.style.colorScheme).toBe('dark');
    location.hash = 'snapshot=epoch-0099&layer=Q&sample=5000&color=red&tab=nowhere';
    await expect
      .poll(() => text(dashboard))
      .toContain('this run has no snapshot “epoch-0099”; epoch 10 is shown');
    for (const said of [
      'no layer “Q”; S5 is shown',
      'no sample 5000',
      '“color” is nothing',
      'no tab “nowhere”',
    ])
      expect(text(dashboard)).toContain(said);
    expect(place(dashboard)).toEqual(['S5', 'epoch-0010']);
    button(dashboard, 'Forget it').click();
    await expect.poll(() => deep(dashboard, '.said').length).toBe(0);
    expect(location.hash).toBe('');
  });

  it('plays through the snapshots and stops at the end, without filling the history', async () => {
    const dashboard = await open(one(), 'snapshot=epoch-0008&layer=S5');
    await expect.poll(() => Boolean(button(dashboard, 'Play'))).toBe(true);
    const entries = history.length;
    button(dashboard, 'Play').click();
    await expect.poll(() => place(dashboard)[1]).toBe('epoch-0010');
    await expect.poll(() => Boolean(button(dashboard, 'Play'))).toBe(true);
    expect(history.length).toBe(entries);
  });

  it('keeps one scale for a layer over all epochs, or each its own', async () => {
    const dashboard = await open(one());
    await expect.poll(() => place(dashboard)[1]).toBe('epoch-0010');
    const high = big(dashboard).scaleHigh;
    one1(dashboard, '[data-snapshot=init]').click();
    await expect.poll(() => place(dashboard)[1]).toBe('init');
    expect(big(dashboard).scaleHigh).toBe(high);
    button(dashboard, 'One scale for all epochs').click();
    await expect.poll(() => big(dashboard).scaleHigh === high).toBe(false);
    expect(location.hash).toContain('scale=own');
  });

  it('shows and saves the members of a block', async () => {
    const dashboard = await open(one());
    await expect.poll(() => deep(dashboard, '.bar-row').length).toBeGreaterThan(2);
    one1(dashboard, '.bar-row').click();
    await expect.poll(() => deep(dashboard, '.members').length).toBe(1);
    const { start, end } = big(dashboard).data!.blocks.ranges[0]!;
    expect(one1(dashboard, '.members').textContent).toContain(`${end - start} samples`);
    let name = '';
    const click = HTMLAnchorElement.prototype.click;
    HTMLAnchorElement.prototype.click = function () {
      name = this.download;
    };
    try {
      button(dashboard, 'Save as a table').click();
    } finally {
      HTMLAnchorElement.prototype.click = click;
    }
    expect(name).toBe('S5-epoch-10-block-A.csv');
  });

  it('a method that is not computed has its options, and the command that computes it', async () => {
    const dashboard = await open(one(), 'tab=geometry');
    await expect.poll(() => deep(dashboard, 'code').length).toBe(1);
    expect(one1(dashboard, 'code').textContent).toBe('epochscope geometry mine');
    const field = deep<HTMLInputElement>(dashboard, '.field input')[3]!;
    field.value = '60';
    field.dispatchEvent(new Event('input', { bubbles: true }));
    await expect.poll(() => one1(dashboard, 'code').textContent).toBe('epochscope geometry mine --k 60');
    expect(text(dashboard)).toContain('After Mototake');
  });

  it('a single matrix has its picture, and neither a player nor layers', async () => {
    const result = tendencyResult();
    const panel = result.panels.at(-1)!;
    const alone = {
      ...result,
      panels: [{ ...panel, layer: 'points', snapshot: { id: 'points', epoch: null, step: null } }],
    };
    const root = pageOf({ points: { manifest: null as never, results: [encodeInline(alone)] } });
    const dashboard = await open(new InlineSource(root));
    await expect.poll(() => place(dashboard)).toEqual(['points', 'points']);
    expect(deep(dashboard, '.strip, .dock, .play').length).toBe(0);
    expect(one1(dashboard, 'h1').textContent).toMatch(/blocks/);
    expect(big(dashboard).labels).not.toBeNull();
  });

  it('draws hundreds of snapshots in a dock as wide as the page', async () => {
    const result = tendencyResult();
    const dashboard = await open(
      new InlineSource(pageOf({ mine: { manifest: manifest(500), results: [encodeInline(result)] } })),
      'snapshot=epoch-0077',
    );
    await expect.poll(() => deep(dashboard, '.epoch-thumb').length).toBeGreaterThan(5);
    const thumbs = deep(dashboard, '.epoch-thumb');
    expect(thumbs.length).toBeLessThan(40);
    expect(thumbs.map((e) => e.dataset.snapshot)).toContain('epoch-0077');
    expect(one1<HTMLInputElement>(dashboard, '.slider').max).toBe('499');
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(1280);
  });

  it('compares two runs, also where the other lacks the result', async () => {
    const source = () =>
      new InlineSource(
        pageOf({
          mine: { manifest: manifest(), results: [encodeInline(tendencyResult())] },
          theirs: { manifest: manifest(), results: [encodeInline(tendencyResult(100))] },
          bare: { manifest: manifest(3), results: [] },
        }),
      );
    const dashboard = await open(
      source(),
      'run=mine&tab=clusters&snapshot=epoch-0005&layer=S5&versus=run:theirs',
    );
    await expect
      .poll(() => deep<EsTendencyImage>(dashboard, 'es-tendency-image:not([still])').map((e) => e.data?.n))
      .toEqual([200, 100]);
    location.hash = 'run=mine&tab=clusters&snapshot=epoch-0005&versus=run:bare';
    await expect.poll(() => text(dashboard)).toContain('bare has no result of this kind');
    location.hash = 'run=bare';
    await expect.poll(() => text(dashboard)).toContain('No clusters are computed yet');
  });

  it('shows the runs of another source that it is given, also under the same name', async () => {
    const dashboard = await open(one());
    await expect.poll(() => big(dashboard)?.data?.n).toBe(200);
    dashboard.source = new InlineSource(
      pageOf({ mine: { manifest: manifest(), results: [encodeInline(tendencyResult(100))] } }),
    );
    await expect.poll(() => big(dashboard)?.data?.n).toBe(100);
  });

  it('says when there are no runs', async () => {
    const dashboard = await open(new InlineSource(pageOf({})));
    await expect.poll(() => text(dashboard)).toContain('There are no runs here.');
  });

  it('follows its run again after it was put elsewhere, and not while it is nowhere', async () => {
    const source: RunSource = one();
    const log: string[] = [];
    source.watch = (key) => {
      log.push(`watch ${key}`);
      return () => void log.push('stop');
    };
    const dashboard = await open(source);
    await expect.poll(() => log).toEqual(['watch mine']);
    dashboard.remove();
    dashboard.store.set({ ownScale: true });
    expect(log).toEqual(['watch mine', 'stop']);
    document.body.append(dashboard);
    await expect.poll(() => log).toEqual(['watch mine', 'stop', 'watch mine']);
  });

  it('a result that is damaged, or of a method with no view, leaves the rest', async () => {
    const strange = {
      ...tendencyResult(),
      method: 'seance',
      panels: [],
      parameters: { table: 'round' },
    } as ResultBase;
    const damaged = btoa(
      atob(encodeInline({ ...tendencyResult(), name: 'damaged' })).replace(
        '"dtype":"uint32"',
        '"dtype":"uint99"',
      ),
    );
    const source = new InlineSource(
      pageOf({
        mine: {
          manifest: manifest(),
          results: [encodeInline(tendencyResult()), damaged, encodeInline(strange)],
        },
      }),
    );
    const dashboard = await open(source);
    await expect.poll(() => place(dashboard)[0]).toBe('S5');
    location.hash = 'tab=clusters/damaged';
    await expect.poll(() => text(dashboard)).toContain('does not lie within');
    location.hash = 'tab=seance';
    await expect.poll(() => text(dashboard)).toContain('There is no view for seance yet');
    location.hash = '';
    await expect.poll(() => place(dashboard)[0]).toBe('S5');
  });

  it('is reached by Tab, part after part', async () => {
    const dashboard = await open(one());
    await expect.poll(() => place(dashboard)[0]).toBe('S5');
    (document.activeElement as HTMLElement | null)?.blur();
    const seen: string[] = [];
    for (let i = 0; i < 80; i++) {
      await userEvent.keyboard('{Tab}');
      let at: Element | null = document.activeElement;
      while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
      if (!at || at === document.body) break;
      seen.push(at.getAttribute('aria-label') ?? at.textContent!.replace(/\s+/g, ' ').trim());
    }
    const index = (pattern: RegExp) => seen.findIndex((name) => pattern.test(name));
    const stops = [
      /^To the picture/,
      /^Story/,
      /^Pruning/,
      /page$/,
      /^P1, /,
      /^S5, /,
      /^iVAT picture of/,
      /^Block A/,
      /scale for all/,
      /^Play$/,
      /^Snapshot$/,
    ].map(index);
    expect(
      stops.every((at) => at >= 0),
      seen.join(' | '),
    ).toBe(true);
    expect([...stops].sort((a, b) => a - b)).toEqual(stops);
  });

  it('on a phone keeps a low bar with the last epoch in sight', async () => {
    await page.viewport(390, 844);
    document.body.style.margin = '0';
    const dashboard = await open(one(), 'sample=3');
    await expect.poll(() => place(dashboard)[0]).toBe('S5');
    await frames();
    const box = one1(dashboard, '.dock').getBoundingClientRect();
    expect(box.height).toBeLessThan(112);
    expect(Math.round(box.bottom)).toBe(844);
    const last = deep(dashboard, '.epoch-thumb').at(-1)!;
    expect(last.dataset.snapshot).toBe('epoch-0010');
    const { left, right, bottom } = last.getBoundingClientRect();
    expect(left).toBeGreaterThan(0);
    expect(right).toBeLessThanOrEqual(390);
    expect(bottom).toBeLessThanOrEqual(844);
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(390);
  });

  it('is no taller than the window at 1280 × 800', async () => {
    await page.viewport(1280, 800);
    document.body.style.margin = '0';
    const dashboard = await open(one());
    await expect.poll(() => place(dashboard)[0]).toBe('S5');
    for (const tab of ['story', 'clusters', 'geometry']) {
      dashboard.store.set({ tab });
      await frames();
      expect(document.documentElement.scrollHeight, tab).toBeLessThanOrEqual(800);
    }
  });

  it.each([1001, 1200, 1280, 1600])(
    'has the whole name of the run beside the tabs of all methods, %i px',
    async (width) => {
      await page.viewport(width, 800);
      const dashboard = await open(one());
      await expect.poll(() => place(dashboard)[0]).toBe('S5');
      const [name] = deep<HTMLElement>(dashboard, '.run strong');
      expect(deep(dashboard, 'button.tab').length).toBeGreaterThan(8);
      expect(name!.scrollWidth).toBe(name!.clientWidth);
      expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width);
    },
  );

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 720],
    ['dark', 360],
  ])('has no serious accessibility finding and no overflow (%s, %i px)', async (scheme, width) => {
    await page.viewport(width, 900);
    document.documentElement.style.colorScheme = scheme;
    document.body.style.cssText = `margin:0;background:${scheme === 'dark' ? '#121418' : '#fafaf8'}`;
    const dashboard = await open(one(), `layer=S5&sample=3&theme=${scheme}`);
    await expect.poll(() => place(dashboard)[0]).toBe('S5');
    for (const tab of ['story', 'clusters', 'geometry']) {
      dashboard.store.set({ tab });
      await frames();
      await frames();
      expect(document.documentElement.scrollWidth, tab).toBeLessThanOrEqual(width);
      const { violations } = await axe.run(dashboard, { resultTypes: ['violations'] });
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      expect(serious.map(({ id, nodes }) => `${tab} ${id}: ${nodes[0]!.html}`)).toEqual([]);
    }
  });
});

describe('over HTTP', () => {
  const result: TendencyResult = tendencyResult();
  function server() {
    const asked: string[] = [];
    const state = { version: '1', down: false, results: true };
    const fetcher = (async (address: string) => {
      asked.push(address);
      if (state.down) throw new TypeError('Failed to fetch');
      const json = (value: unknown) => new Response(JSON.stringify(value));
      const results = state.results ? [{ method: 'tendency', name: 'default', version: state.version }] : [];
      if (address === '/api/runs')
        return json({
          runs: [
            { key: 'a b', problem: null },
            { key: 'bad', problem: 'run.json: expected an object' },
          ],
        });
      if (address === '/api/runs/a%20b')
        return json({ key: 'a b', manifest: manifest(), warnings: ['snapshots/x is incomplete'], results });
      if (address === '/api/runs/a%20b/results/tendency/default?samples=reference')
        return new Response(encodeBinary(result));
      return new Response(JSON.stringify({ error: { code: 'missing', message: `no ${address}` } }), {
        status: 404,
      });
    }) as unknown as typeof fetch;
    return { asked, state, source: new HttpSource('', fetcher) };
  }
  /** Without the server's events: a test has none. */
  const quiet = (source: HttpSource): RunSource => ({
    runs: () => source.runs(),
    run: (key) => source.run(key),
    result: (key, name) => source.result(key, name),
  });

  it('is the same page, each result fetched once', async () => {
    const { asked, source } = server();
    const dashboard = await open(quiet(source));
    await expect.poll(() => big(dashboard)?.data?.snapshot.id).toBe('epoch-0010');
    expect(text(dashboard)).toContain('snapshots/x is incomplete');
    expect(deep<HTMLOptionElement>(dashboard, 'option').find((o) => o.value === 'bad')!.disabled).toBe(true);
    location.hash = 'snapshot=epoch-0001';
    await expect.poll(() => big(dashboard)?.data?.snapshot.id).toBe('epoch-0001');
    expect(asked.filter((address) => address.includes('/default?')).length).toBe(1);
  });

  it('takes new results and versions when the run changes', async () => {
    const { asked, state, source } = server();
    let changed = () => {};
    state.results = false;
    const watch = (_: string, tell: () => void) => {
      changed = tell;
      return () => {};
    };
    const dashboard = await open({ ...quiet(source), watch });
    await expect.poll(() => text(dashboard)).toContain('No clusters are computed yet');
    state.results = true;
    changed();
    await expect.poll(() => big(dashboard)?.data?.layer).toBe('S5');
    state.version = '2';
    changed();
    await expect.poll(() => asked.filter((address) => address.includes('/default?')).length).toBe(2);
  });

  it('says above every view what rules of watch say, the last of many', async () => {
    const result = watchResult();
    const text = 'at epoch-0009 testLoss rose from 1 to 2';
    result.alarms = [...result.alarms, ...result.alarms, ...result.alarms, { rule: '', snapshot: '', text }];
    const dashboard = await open(
      new InlineSource(
        pageOf({
          mine: { manifest: manifest(), results: [encodeInline(tendencyResult()), encodeInline(result)] },
        }),
      ),
    );
    await expect
      .poll(() => deep(dashboard, 'es-notices')[0]?.textContent)
      .toContain(`at epoch 3 dead units of R3 is 0.7, over 0.5; ${text}; and 1 before.`);
  });

  it('tries again also where only the run could not be read', async () => {
    let down = true;
    const source = one();
    const run = source.run.bind(source);
    source.run = (key) => (down ? Promise.reject(new Error('the run is away')) : run(key));
    const dashboard = await open(source);
    await expect.poll(() => text(dashboard)).toContain('the run is away');
    down = false;
    deep<HTMLButtonElement>(dashboard, 'button')[0]!.click();
    await expect.poll(() => big(dashboard)?.data?.layer).toBe('S5');
  });

  it('says what the server said, and tries again when asked', async () => {
    const { state, source } = server();
    state.down = true;
    const dashboard = await open(quiet(source));
    await expect.poll(() => text(dashboard)).toContain('the server does not answer');
    state.down = false;
    deep<HTMLButtonElement>(dashboard, 'button')[0]!.click();
    await expect.poll(() => big(dashboard)?.data?.layer).toBe('S5');
    await expect(source.result('a b', { method: 'no', name: 'x', version: '' })).rejects.toThrow(
      'no /api/runs/a%20b/results/no/x?samples=reference',
    );
  });
});
