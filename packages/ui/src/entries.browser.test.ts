import { expect, it } from 'vitest';

// The entries of single elements, as a dashboard imports them. Reads dist: build first.

const entries = import.meta.glob<object>('../dist/register/*.js');
const tags = Object.keys(entries).map((path) => path.split('/').at(-1)!.replace('.js', ''));

it('each registers its element and those in its templates, and no other', async () => {
  expect(tags.length).toBeGreaterThan(40);
  const registered = () => tags.filter((tag) => customElements.get(tag)).sort();
  await entries['../dist/register/es-spectrum.js']!();
  expect(registered()).toEqual(['es-spectrum']);
  await entries['../dist/register/es-tendency-view.js']!();
  const both = registered();
  expect(both).toContain('es-tendency-image');
  expect(both).not.toContain('es-module-flow');
  // What a view draws is there: nothing in its templates is an unknown element.
  for (const tag of tags) {
    await entries[`../dist/register/${tag}.js`]!();
    expect(customElements.get(tag), tag).toBeDefined();
  }
});
