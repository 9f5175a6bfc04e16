import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// What the site is made of, without VitePress: `npm run site` makes it whole and checks every link of it. Reads dist: build first.

const root = fileURLToPath(new URL('..', import.meta.url));
const part = (name: string) => import(pathToFileURL(join(root, 'site', name)).href);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'epochscope-site-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the site', () => {
  it('holds every page of the documentation, whose links lead somewhere', async () => {
    const { gather } = await part('pages.mjs');
    const pages = join(folder, 'pages');
    mkdirSync(pages);
    // It throws where a link leads nowhere.
    gather(root, pages);
    const there = readdirSync(pages, { recursive: true }).map((path) => String(path).replaceAll('\\', '/'));
    for (const guide of readdirSync(join(root, 'docs', 'guides')))
      if (guide.endsWith('.md')) expect(there).toContain(`guides/${guide}`);
    expect(there).toEqual(
      expect.arrayContaining(['index.md', 'mathematics.md', 'methods/tendency.md', 'formats/result.md']),
    );
    // To a page of the site, to a picture, and to sources, which it does not hold.
    expect(readFileSync(join(pages, 'overview.md'), 'utf8')).toMatch(/\]\(\.\/guides\/pytorch\.md\)/);
    expect(readFileSync(join(pages, 'overview.md'), 'utf8')).toMatch(/!\[[^\]]*\]\(\.\/images\//);
    expect(readFileSync(join(pages, 'guides', 'dashboards.md'), 'utf8')).not.toMatch(/\]\([^)]*examples/);
  });

  it('has a page with living examples for each element', async () => {
    const { writeElements } = await part('elements.mjs');
    const manifest = JSON.parse(readFileSync(join(root, 'packages/ui/dist/custom-elements.json'), 'utf8'));
    writeElements(manifest, join(folder, 'elements'));
    expect(readdirSync(join(folder, 'elements'))).toHaveLength(manifest.modules.length + 1);
    const page = readFileSync(join(folder, 'elements', 'es-spectrum.md'), 'utf8');
    expect(page).toContain('<Example tag="es-spectrum" />');
    expect(page).toMatch(/## Properties\n[\s\S]*`` kind ``/);
  });

  it('is refused with a dead link in it, or one to a place that a page does not have', async () => {
    const { checkLinks } = await part('links.mjs');
    const out = join(folder, 'out');
    mkdirSync(join(out, 'a'), { recursive: true });
    writeFileSync(
      join(out, 'index.html'),
      '<h1 id="top">x</h1><a href="/a/b.html#here">x</a><a href="#top">x</a>',
    );
    writeFileSync(
      join(out, 'a', 'b.html'),
      '<p id="here"></p><a href="../index.html#gone">x</a><img src="none.png"><a href="https://example.org">x</a>',
    );
    const { links, problems } = checkLinks(out);
    expect(links).toBe(4);
    expect(problems).toEqual([
      'a/b.html: ../index.html#gone: the page has no such place',
      'a/b.html: none.png leads nowhere',
    ]);
  });
});
