import '../register.js';
import axe from 'axe-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { commands, page, userEvent } from 'vitest/browser';
import type { GalleryCase } from './case.js';
import { galleries } from './list.js';
import { below, frames } from './page.js';
import { signatureDistance, signatureOf } from './signature.js';

// Each case of the gallery, light and dark, at 720 px: it draws something, no label is cut, nothing overflows, axe finds
// nothing serious, and its screenshot's signature (16 × 12 mean luminances) is near the one stored beside the case. A case
// with no stored signature gets one and fails this once, so that someone looks at it; to accept a changed picture, delete its line in
// gallery.signatures.json.

const WIDTH = 720;
/** Differences of fonts between machines stay under these; half a picture gone does not. */
const MEAN = 8;
const MOST = 90;
const stored = import.meta.glob<Record<string, string>>(['../{elements,views}/*/gallery.signatures.json'], {
  eager: true,
  import: 'default',
});

/** Parts that custom-elements.json names, by tag; of the last build. */
const PARTS = new Map(
  Object.values(
    import.meta.glob<{ modules: { declarations: { tagName: string; cssParts: { name: string }[] }[] }[] }>(
      '../../dist/custom-elements.json',
      { eager: true, import: 'default' },
    ),
  )
    .flatMap(({ modules }) => modules.flatMap(({ declarations }) => declarations))
    .map(({ tagName, cssParts }) => [tagName, cssParts.map(({ name }) => name)]),
);

function drawnCanvas(canvas: HTMLCanvasElement): boolean {
  if (!canvas.width || !canvas.height) return false;
  const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
  const words = new Uint32Array(data.buffer);
  return words.some((word) => word !== words[0]);
}
const SHAPES = 'rect, path, circle, line, polyline, polygon, ellipse, image, use';

async function show(one: GalleryCase, scheme: string): Promise<HTMLElement> {
  document.documentElement.style.colorScheme = scheme;
  document.body.style.background = scheme === 'dark' ? '#171b20' : '#fff';
  const element = document.createElement(one.tag) as HTMLElement & { updateComplete?: Promise<unknown> };
  element.style.maxInlineSize = `${Math.min(one.width ?? WIDTH, WIDTH)}px`;
  Object.assign(element, one.properties());
  document.body.append(element);
  await element.updateComplete;
  await frames(4);
  return element;
}

let before: number[];
beforeAll(async () => {
  before = [window.innerWidth, window.innerHeight];
  document.body.style.margin = '0';
  await page.viewport(WIDTH, 900);
});
afterAll(() => page.viewport(before[0]!, before[1]!));
afterEach(() => {
  document.body.textContent = '';
});

it('finds the cases', () => {
  expect(Object.keys(galleries)).toContain('elements/es-tendency-image');
  for (const [folder, cases] of Object.entries(galleries)) {
    expect(cases.length, folder).toBeGreaterThan(0);
    expect(new Set(cases.map(({ title }) => title)).size, `${folder}: titles differ`).toBe(cases.length);
  }
});

describe.each(Object.keys(galleries))('%s', (folder) => {
  const file = `../${folder}/gallery.signatures.json`;
  const known = stored[file] ?? {};
  const fresh: Record<string, string> = {};
  afterAll(async () => {
    if (!Object.keys(fresh).length) return;
    const sorted = Object.entries({ ...known, ...fresh }).sort(([a], [b]) => (a < b ? -1 : 1));
    await commands.writeFile(
      `packages/ui/src/${folder}/gallery.signatures.json`,
      `${JSON.stringify(Object.fromEntries(sorted), null, 1)}\n`,
    );
  });

  const tests = galleries[folder]!.flatMap((one) =>
    ['light', 'dark'].map((scheme) => ({ ...one, one, scheme })),
  );
  it.each(tests)('$title ($scheme)', async ({ one, scheme, title, blank, controls, tag }) => {
    expect(customElements.get(tag), `${tag} is registered`).toBeDefined();
    const element = await show(one, scheme);
    const inside = [element, ...below(element), ...(element.shadowRoot ? below(element.shadowRoot) : [])];
    expect(element.getBoundingClientRect().height).toBeGreaterThan(0);

    if (!blank) {
      const failed = inside.find((e) => e.getAttribute('part') === 'state' && e.role === 'alert');
      expect(failed?.textContent ?? '', 'no error state').toBe('');
      const canvases = inside.filter((e): e is HTMLCanvasElement => e instanceof HTMLCanvasElement);
      const shapes = inside.filter((e) => e instanceof SVGElement && e.matches(SHAPES));
      const html = inside.some((e) => e.matches('[part~=item], table'));
      expect(controls || canvases.some(drawnCanvas) || shapes.length > 0 || html, 'something is drawn').toBe(
        true,
      );
    } else expect(element.shadowRoot!.textContent!.trim()).not.toBe('');

    for (const text of inside.filter((e) => e instanceof SVGTextElement)) {
      const svg = (text as SVGTextElement).ownerSVGElement!.getBoundingClientRect();
      const own = text.getBoundingClientRect();
      if (!own.width) continue;
      const label = `"${text.textContent!.trim()}" lies inside its drawing`;
      expect(own.left, label).toBeGreaterThanOrEqual(svg.left - 1.5);
      expect(own.right, label).toBeLessThanOrEqual(svg.right + 1.5);
      expect(own.top, label).toBeGreaterThanOrEqual(svg.top - 1.5);
      expect(own.bottom, label).toBeLessThanOrEqual(svg.bottom + 1.5);
    }
    expect(document.documentElement.scrollWidth, 'no horizontal overflow').toBeLessThanOrEqual(WIDTH);

    const parts = [...element.shadowRoot!.querySelectorAll('[part]')].flatMap((e) => [...e.part]);
    expect(PARTS.get(tag), `${tag} in custom-elements.json`).toEqual(expect.arrayContaining(parts));

    const { violations } = await axe.run(element, {
      resultTypes: ['violations'],
      // WCAG 2.2, which axe leaves off by default.
      rules: { 'target-size': { enabled: true } },
    });
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(serious.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`)).toEqual([]);

    await pointerAway();
    const look = async () => {
      const shot = await page.screenshot({ element, save: false });
      const picture = await (await fetch(`data:image/png;base64,${shot}`)).blob();
      return signatureOf(picture);
    };
    let signature = await look();
    const key = `${title} (${scheme})`;
    if (!known[key]) fresh[key] = signature;
    expect(
      known[key],
      `a stored signature; it has been written now: look at the picture and run again`,
    ).toBeDefined();
    let distance = signatureDistance(known[key]!, signature);
    // On a busy machine a picture may be taken before the element has settled at its width.
    for (let tries = 0; tries < 4 && (distance.mean >= MEAN || distance.most >= MOST); tries++) {
      await frames(10);
      signature = await look();
      distance = signatureDistance(known[key]!, signature);
    }
    const { mean, most } = distance;
    const words = `screenshot near the stored one: now ${signature}`;
    expect(mean, words).toBeLessThan(MEAN);
    expect(most, words).toBeLessThan(MOST);
  });
});

describe('signatures', () => {
  it('tell a picture from one with a quarter missing', async () => {
    const canvas = new OffscreenCanvas(320, 240);
    const context = canvas.getContext('2d')!;
    const draw = (without: number) => {
      context.fillStyle = '#fff';
      context.fillRect(0, 0, 320, 240);
      context.fillStyle = '#369';
      for (let x = 0; x < 320 * (1 - without); x += 20) context.fillRect(x, 40, 10, 160);
      return signatureOf(canvas);
    };
    const whole = await draw(0);
    expect(signatureDistance(whole, await draw(0))).toEqual({ mean: 0, most: 0 });
    expect(signatureDistance(whole, await draw(0.25)).mean).toBeGreaterThan(MEAN);
  });
});

/** The pointer may stand where another test file left it, over something that answers to it. */
async function pointerAway(): Promise<void> {
  const corner = document.createElement('div');
  corner.style.cssText = 'position: fixed; right: 0; bottom: 0; width: 2px; height: 2px; z-index: 1';
  document.body.append(corner);
  await userEvent.hover(corner);
  corner.remove();
  await frames(2);
}
