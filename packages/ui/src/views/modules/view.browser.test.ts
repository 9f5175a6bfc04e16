import '../../register.js';
import { afterEach, describe, expect, it } from 'vitest';
import type { EsCentroidGallery } from '../../elements/es-centroid-gallery/index.js';
import type { EsModuleFlow } from '../../elements/es-module-flow/index.js';
import { modulesResult } from '../../gallery/modules.js';
import type { EsModulesView } from './index.js';

afterEach(() => {
  document.body.textContent = '';
});

async function mount(): Promise<EsModulesView> {
  const view = document.createElement('es-modules-view') as EsModulesView;
  view.style.inlineSize = '900px';
  view.data = modulesResult();
  document.body.append(view);
  await settled(view);
  return view;
}
async function settled(view: EsModulesView) {
  await view.updateComplete;
  for (const element of view.shadowRoot!.querySelectorAll('*'))
    await (element as EsModulesView).updateComplete;
}
const flow = (view: EsModulesView) => view.shadowRoot!.querySelector<EsModuleFlow>('es-module-flow')!;
const gallery = (view: EsModulesView) =>
  view.shadowRoot!.querySelector<EsCentroidGallery>('es-centroid-gallery:not([still])')!;
const cards = (element: EsCentroidGallery) => [
  ...element.shadowRoot!.querySelectorAll<SVGRectElement>('[part=plot] rect[data-mark]'),
];

describe('es-modules-view', () => {
  it('shows a chosen cluster with its ancestors and heirs, and follows it in every picture', async () => {
    const view = await mount();
    const heard: unknown[] = [];
    view.addEventListener('es-select', (event) => heard.push((event as CustomEvent).detail));
    const blocks = [...flow(view).shadowRoot!.querySelectorAll('rect[role=button]')];
    const second = blocks.find((b) => b.getAttribute('aria-label')!.startsWith('epoch 10, cluster 2:'))!;
    second.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true }));
    await settled(view);
    expect(heard).toEqual([{ snapshot: 'epoch-0010', cluster: 1 }]);
    const kin = view.shadowRoot!.querySelector('[data-kin]')!;
    expect([...kin.querySelectorAll('h4')].map((h) => h.textContent!.trim())).toEqual([
      `Cluster 2: ${view.data!.snapshots[1]!.clusters[1]!.size} units`,
      'Ancestors at epoch 1',
      'Heirs at epoch 20',
    ]);
    const t = view.data!.transitions[1]!;
    const heirs = [...t.row.keys()].filter((k) => t.row[k] === 1);
    const largest = heirs.reduce((a, b) => (t.count[b]! > t.count[a]! ? b : a));
    expect(kin.textContent).toContain(`cluster ${t.column[largest]! + 1}: ${t.count[largest]} (`);
    expect(cards(gallery(view))[1]!.getAttribute('aria-pressed')).toBe('true');
    // An heir's card goes on from there.
    const heir = kin.querySelectorAll<EsCentroidGallery>('es-centroid-gallery')[2]!;
    cards(heir)[0]!.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true }));
    await settled(view);
    expect(heard.at(-1)).toEqual({ snapshot: 'epoch-0020', cluster: t.column[largest] });
    expect(view.shadowRoot!.textContent).toContain('epoch 20: 8 clusters');
  });

  it('goes along with the page’s snapshot', async () => {
    const view = await mount();
    expect(view.shadowRoot!.textContent).toContain('epoch 30: 12 clusters');
    view.selection = { snapshot: 'epoch-0001' };
    await settled(view);
    expect(view.shadowRoot!.textContent).toContain('epoch 1: 5 clusters');
    expect(view.shadowRoot!.querySelectorAll('es-module-transition').length).toBe(1);
    view.selection = { snapshot: 'epoch-0007' };
    await settled(view);
    expect(view.shadowRoot!.textContent).toContain('epoch 1: 5 clusters');
  });

  it('moves along blocks by arrows and chooses by Enter', async () => {
    const view = await mount();
    const plot = flow(view).shadowRoot!.querySelector('.plot')!;
    const first = plot.querySelector<SVGElement>('[tabindex="0"]')!;
    first.focus();
    first.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true, composed: true }));
    const now = flow(view).shadowRoot!.activeElement!;
    expect(now.getAttribute('aria-label')).toMatch(/^epoch 10, /);
    now.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, composed: true }));
    await settled(view);
    expect(view.shadowRoot!.querySelector('[data-kin]')).not.toBeNull();
  });

  it('exports the data of each picture', async () => {
    const view = await mount();
    expect(flow(view).toCSV().split('\n')[0]).toBe('From,Cluster,To,Cluster there,Units,Share of the first');
    expect(gallery(view).toCSV().split('\n').length).toBe(14);
    expect(gallery(view).toSVG()).toContain('<image');
    expect(await (await flow(view).toPNG()).size).toBeGreaterThan(1000);
  });
});
