import '../../register.js';
import { afterEach, describe, expect, it } from 'vitest';
import { userEvent } from 'vitest/browser';
import type { EsSingularVectors } from '../../elements/es-singular-vectors/index.js';
import type { EsSpectrum } from '../../elements/es-spectrum/index.js';
import { geometryResult } from '../../gallery/geometry.js';
import { frames } from '../../gallery/page.js';
import type { EsGeometryView } from './index.js';

async function show(data = geometryResult()): Promise<EsGeometryView> {
  const view = document.createElement('es-geometry-view');
  view.data = data;
  document.body.append(view);
  await frames();
  return view;
}
const inside = <T extends Element>(view: Element, tag: string) =>
  view.shadowRoot!.querySelector<T & Element>(tag)!;
afterEach(() => {
  document.body.textContent = '';
});

describe('es-geometry-view', () => {
  it('choosing a layer by keyboard in the spectra moves every panel there, and is told', async () => {
    const view = await show();
    const told: unknown[] = [];
    view.addEventListener('es-select', (event) => told.push((event as CustomEvent).detail));
    const spectrum = inside<EsSpectrum>(view, 'es-spectrum');
    const lines = [...spectrum.shadowRoot!.querySelectorAll<SVGElement>('[data-mark]')];
    expect(lines.map((line) => line.getAttribute('aria-label')!.split(':')[0])).toEqual([
      'H1',
      'H2',
      'H3',
      'S4',
    ]);
    lines[0]!.focus();
    await userEvent.keyboard('{ArrowRight}{Enter}');
    await frames();
    expect(told).toEqual([{ layer: 'H2' }]);
    const vectors = inside<EsSingularVectors>(view, 'es-singular-vectors');
    expect(vectors.selection.layer).toBe('H2');
    expect(view.shadowRoot!.textContent).toContain('Singular vectors at H2');
    expect(lines[1]!.getAttribute('aria-pressed')).toBe('true');
  });

  it('the snapshot list moves every panel, and a selection from outside too', async () => {
    const view = await show();
    const [list] = view.shadowRoot!.querySelectorAll('select');
    await userEvent.selectOptions(list!, 'init');
    await frames();
    expect(inside<EsSpectrum>(view, 'es-spectrum').selection.snapshot).toBe('init');
    view.selection = { snapshot: 'rbm-3', layer: 'S4' };
    await frames();
    expect(inside<EsSpectrum>(view, 'es-spectrum').selection).toMatchObject({
      snapshot: 'rbm-3',
      layer: 'S4',
    });
    expect(list!.value).toBe('rbm-3');
  });

  it('says what it shows in words, as a table and as files', async () => {
    const view = await show();
    const spectrum = inside<EsSpectrum>(view, 'es-spectrum');
    const label = spectrum.shadowRoot!.querySelector('svg[aria-label]')!.getAttribute('aria-label')!;
    expect(label).toMatch(
      /^Singular values at epoch 10, mean over 8 inputs: H1 \d+\.\d values of 30 at least 1/,
    );
    const csv = spectrum.toCSV().split('\n');
    expect(csv[0]).toBe('singular value,H1,± H1,H2,± H2,H3,± H3,S4,± S4');
    expect(csv.length).toBe(32);
    // S4 has ten values: the rest of its column is empty.
    expect(csv[15]!.endsWith(',,')).toBe(true);
    expect(spectrum.toSVG()).toContain('<path');
    const vectors = inside<EsSingularVectors>(view, 'es-singular-vectors');
    expect(vectors.toCSV().split('\n')[1]).toMatch(/^"?sample 0, cat"?,1,\d/);
    expect((await vectors.toPNG()).size).toBeGreaterThan(1000);
  });

  it('choosing a picture tells its sample', async () => {
    const view = await show();
    const told: unknown[] = [];
    view.addEventListener('es-select', (event) => told.push((event as CustomEvent).detail));
    const vectors = inside<EsSingularVectors>(view, 'es-singular-vectors');
    const cells = vectors.shadowRoot!.querySelectorAll<SVGElement>('.cell');
    expect(cells[6]!.getAttribute('aria-label')).toBe('sample 3, dog');
    cells[6]!.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true }));
    expect(told).toEqual([{ sample: 3 }]);
  });

  it('leaves out panels that have nothing, and says when there is nothing at all', async () => {
    const data = geometryResult(1);
    const view = await show({ ...data, alignments: [], perturbations: [], classTrees: [] });
    for (const tag of ['es-tangent-alignment', 'es-perturbation', 'es-class-dendrogram'])
      expect(inside(view, tag), tag).toBeNull();
    view.data = { ...data, spectra: [] };
    await frames();
    expect(view.shadowRoot!.querySelector('[part=state]')!.textContent).toBe('There is no spectrum.');
  });
});
