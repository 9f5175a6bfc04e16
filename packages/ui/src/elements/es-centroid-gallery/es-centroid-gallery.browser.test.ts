import '../../register.js';
import { afterEach, expect, it } from 'vitest';
import { userEvent } from 'vitest/browser';
import { cases } from './gallery.js';
import type { EsCentroidGallery } from './index.js';

afterEach(() => {
  document.body.textContent = '';
});

it('is one tab stop; arrows, Home and End move, Enter chooses, each cluster is read out', async () => {
  const gallery = document.createElement('es-centroid-gallery') as EsCentroidGallery;
  Object.assign(gallery, cases[0]!.properties());
  document.body.append(gallery);
  await gallery.updateComplete;
  const cards = [...gallery.shadowRoot!.querySelectorAll<SVGRectElement>('rect[data-mark]')];
  expect(cards.length).toBeGreaterThan(2);
  expect(cards.filter(({ tabIndex }) => tabIndex === 0).length).toBe(1);
  const chosen: object[] = [];
  gallery.addEventListener('es-select', (event) => chosen.push((event as CustomEvent).detail));
  const focused = () => cards.indexOf(gallery.shadowRoot!.activeElement as unknown as SVGRectElement);
  await userEvent.keyboard('{Tab}');
  expect(focused()).toBe(0);
  await userEvent.keyboard('{End}');
  expect(focused()).toBe(cards.length - 1);
  await userEvent.keyboard('{ArrowLeft}{ArrowLeft}{Home}{ArrowRight}');
  expect(focused()).toBe(1);
  await gallery.updateComplete;
  expect(gallery.shadowRoot!.querySelector('[role=status]')!.textContent!.trim()).toMatch(
    /^cluster 2: \d+ units?, [−\d.]+ … [−\d.]+ correlation with inputs/,
  );
  await userEvent.keyboard('{Enter}');
  const { id } = gallery.data!.snapshot.snapshot;
  expect(chosen).toEqual([{ snapshot: id, cluster: 1 }]);
});
