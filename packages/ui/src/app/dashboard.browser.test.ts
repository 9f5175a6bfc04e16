import '../register.js';
import type { RunManifest } from '@epochscope/analysis';
import {
  encodeBinary,
  encodeInline,
  outlineOf,
  type ResultBase,
  type TendencyResult,
} from '@epochscope/analysis/results';
import axe from 'axe-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { metricSnapshots } from '../elements/es-metrics/gallery.js';
import type { EsTendencyImage } from '../elements/es-tendency-image/index.js';
import type { EsTimeline } from '../elements/es-timeline/index.js';
import { frames } from '../gallery/page.js';
import { tendencyResult } from '../gallery/tendency.js';
import { EsDashboard } from './es-dashboard.js';
import { EsResultPanel } from './es-result-panel.js';
import { HttpSource } from './http-source.js';
import { InlineSource, type RunSource } from './source.js';

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
  await expect.poll(() => deep(dashboard, 'es-run-overview, .state').length).toBeGreaterThan(0);
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

describe('the dashboard', () => {
  it('shows the run, what is analysed, and each result, at the last snapshot', async () => {
    const dashboard = await open(one());
    await expect.poll(() => big(dashboard)?.data?.snapshot.id).toBe('epoch-0010');
    expect(text(dashboard)).toContain('lenet5');
    expect(deep(dashboard, 'es-metrics').length).toBe(1);
    const cells = deep(dashboard, 'es-run-overview')[0]!.shadowRoot!.querySelectorAll('.cell');
    expect(cells.length).toBe(layers.length * 11);
    expect(cells[cells.length - 1]!.getAttribute('aria-label')).toBe('S5, epoch 10: tendency 10 blocks');
    expect(cells[3]!.getAttribute('aria-label')).toBe('P1, epoch 3: not analysed');
  });

  it('one selection: a cell, the slider, a sample, a class; each seen in the others and in the address', async () => {
    const dashboard = await open(one());
    await expect.poll(() => big(dashboard)?.data?.layer).toBe('S5');
    const cell = (label: string) =>
      deep(dashboard, 'es-run-overview')[0]!.shadowRoot!.querySelector<SVGElement>(
        `[aria-label^="${label}"]`,
      )!;
    cell('P3, epoch 5').dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true }));
    await expect
      .poll(() => [big(dashboard).data!.layer, big(dashboard).data!.snapshot.id])
      .toEqual(['P3', 'epoch-0005']);
    const timeline = deep<EsTimeline>(dashboard, 'es-timeline')[0]!;
    expect(timeline.shadowRoot!.querySelector('input')!.getAttribute('aria-valuetext')).toBe('epoch 5');
    expect(location.hash).toBe('#snapshot=epoch-0005&layer=P3');

    timeline.shadowRoot!.querySelector<HTMLButtonElement>('[aria-label="First snapshot"]')!.click();
    await expect.poll(() => big(dashboard).data!.snapshot.id).toBe('init');

    deep(dashboard, 'es-legend')[0]!.shadowRoot!.querySelectorAll('button')[4]!.click();
    big(dashboard).dispatchEvent(
      new CustomEvent('es-select', { detail: { sample: 33, block: 0 }, bubbles: true, composed: true }),
    );
    await expect.poll(() => location.hash).toBe('#snapshot=init&layer=P3&class=4&sample=33');
    await expect
      .poll(() => deep(dashboard, '.chip').map((e) => e.textContent!.trim()))
      .toEqual(['layer P3 ×', 'class class 4 ×', 'sample 33 ×']);
    await expect.poll(() => deep(dashboard, '.chips es-sample-gallery').length).toBe(1);
    deep<HTMLButtonElement>(dashboard, '.chip')[1]!.click();
    await expect.poll(() => location.hash).toBe('#snapshot=init&layer=P3&sample=33');
  });

  it('opens where its address points, and follows it', async () => {
    const dashboard = await open(one(), 'snapshot=epoch-0002&layer=P1&find=p');
    await expect
      .poll(() => [big(dashboard)?.data?.layer, big(dashboard)?.data?.snapshot.id])
      .toEqual(['P1', 'epoch-0002']);
    const rows = () =>
      new Set(
        deep(dashboard, 'es-run-overview')[0]!
          .shadowRoot!.querySelector('svg')!
          .textContent!.match(/[PS]\d/g),
      );
    expect([...rows()].sort()).toEqual(['P1', 'P3']);
    location.hash = 'snapshot=epoch-0001&layer=S5';
    await expect
      .poll(() => [big(dashboard)?.data?.layer, big(dashboard)?.data?.snapshot.id])
      .toEqual(['S5', 'epoch-0001']);
  });

  it('plays through the snapshots and stops at the end', async () => {
    const dashboard = await open(one(), 'snapshot=epoch-0007&layer=S5');
    const timeline = deep<EsTimeline>(dashboard, 'es-timeline')[0]!;
    timeline.speed = 30;
    const seen: string[] = [];
    timeline.addEventListener('es-select', (e) => seen.push((e as CustomEvent).detail.snapshot));
    timeline.shadowRoot!.querySelector<HTMLButtonElement>('[aria-label="Play"]')!.click();
    await expect.poll(() => timeline.playing || seen.length).toBe(3);
    expect(seen).toEqual(['epoch-0008', 'epoch-0009', 'epoch-0010']);
    expect(timeline.playing).toBe(false);
    // A snapshot that is not analysed is said to be none.
    location.hash = 'snapshot=epoch-0007&layer=S5';
    await expect.poll(() => text(dashboard)).toContain('no picture of S5 at epoch 7');
  });

  it('compares two snapshots side by side', async () => {
    const dashboard = await open(one(), 'layer=S5&snapshot=epoch-0010&versus=snapshot:epoch-0001');
    const both = () =>
      deep<EsTendencyImage>(dashboard, 'es-tendency-image:not([still])').map((e) => e.data?.snapshot.id);
    await expect.poll(both).toEqual(['epoch-0010', 'epoch-0001']);
    const timeline = deep<EsTimeline>(dashboard, 'es-timeline')[0]!;
    timeline.shadowRoot!.querySelector<HTMLButtonElement>('[aria-label="First snapshot"]')!.click();
    await expect.poll(both).toEqual(['init', 'epoch-0001']);
  });

  it('with 5 000 snapshots offers some to compare with, and the one compared with always', async () => {
    const source = new InlineSource(pageOf({ mine: { manifest: manifest(5000), results: [] } }));
    const dashboard = await open(source, 'snapshot=epoch-4321&versus=snapshot:epoch-0013');
    const options = () => deep<HTMLOptionElement>(dashboard, 'optgroup option');
    await expect.poll(() => options().length).toBeGreaterThan(100);
    expect(options().length).toBeLessThanOrEqual(201);
    expect(options().find((option) => option.selected)?.value).toBe('snapshot:epoch-0013');
    const slider = deep<EsTimeline>(dashboard, 'es-timeline')[0]!.shadowRoot!.querySelector('input')!;
    expect([slider.value, slider.max]).toEqual(['4321', '4999']);
    slider.value = '77';
    slider.dispatchEvent(new Event('input'));
    await expect.poll(() => location.hash).toContain('snapshot=epoch-0077');
    const cells = deep(dashboard, 'es-run-overview')[0]!.shadowRoot!.querySelectorAll('.cell');
    expect(cells.length).toBe(layers.length * 60);
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
    const dashboard = await open(source(), 'run=mine&snapshot=epoch-0005&layer=S5&versus=run:theirs');
    await expect
      .poll(() => deep<EsTendencyImage>(dashboard, 'es-tendency-image:not([still])').map((e) => e.data?.n))
      .toEqual([200, 100]);
    location.hash = 'run=mine&snapshot=epoch-0005&versus=run:bare';
    await expect.poll(() => text(dashboard)).toContain('bare has no result of this kind');
    location.hash = 'run=bare';
    await expect.poll(() => text(dashboard)).toContain('holds no results yet');
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
    dashboard.store.set({ find: 'p' });
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
    await expect.poll(() => big(dashboard)?.data?.layer).toBe('S5');
    for (const panel of deep(dashboard, 'es-result-panel')) {
      panel.scrollIntoView();
      await frames();
    }
    await expect.poll(() => text(dashboard)).toContain('does not lie within');
    await expect.poll(() => text(dashboard)).toContain('There is no view for seance yet');
    deep<HTMLInputElement>(dashboard, 'input[type=checkbox]')
      .find((e) => e.parentElement!.textContent!.includes('seance'))!
      .click();
    await expect.poll(() => deep(dashboard, 'es-result-panel').length).toBe(2);
    expect(location.hash).toContain('hide=seance');
  });

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 720],
    ['dark', 360],
  ])('has no serious accessibility finding and no overflow (%s, %i px)', async (scheme, width) => {
    await page.viewport(width, 900);
    document.documentElement.style.colorScheme = scheme;
    document.body.style.cssText = `margin:0;background:${scheme === 'dark' ? '#171b20' : '#fff'}`;
    const dashboard = await open(one(), 'layer=S5&class=2&sample=3&versus=snapshot:init');
    // Narrow, the panel lies below and loads when it comes near.
    deep(dashboard, 'es-result-panel')[0]!.scrollIntoView();
    await expect.poll(() => big(dashboard)?.data?.layer).toBe('S5');
    await frames();
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width);
    const { violations } = await axe.run(dashboard, { resultTypes: ['violations'] });
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(serious.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`)).toEqual([]);
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
      if (address === '/api/runs/a%20b/results/tendency/default/files/result.json')
        return new Response(JSON.stringify(outlineOf(encodeBinary(result)).outline));
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
    outline: (key, name) => source.outline(key, name),
    result: (key, name) => source.result(key, name),
  });

  it('is the same page, each result fetched once', async () => {
    const { asked, source } = server();
    const dashboard = await open(quiet(source));
    await expect.poll(() => big(dashboard)?.data?.snapshot.id).toBe('epoch-0010');
    expect(text(dashboard)).toContain('snapshots/x is incomplete');
    expect(deep<HTMLOptionElement>(dashboard, 'option').find((o) => o.value === 'bad')!.disabled).toBe(true);
    location.hash = 'snapshot=epoch-0001&versus=snapshot:init';
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
    await expect.poll(() => text(dashboard)).toContain('holds no results yet');
    state.results = true;
    changed();
    await expect.poll(() => big(dashboard)?.data?.layer).toBe('S5');
    state.version = '2';
    changed();
    await expect.poll(() => asked.filter((address) => address.includes('/default?')).length).toBe(2);
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
