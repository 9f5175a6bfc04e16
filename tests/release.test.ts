import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { describe, expect, it } from 'vitest';

// What a release rests on. Reads dist: build first.

const root = fileURLToPath(new URL('..', import.meta.url));
const text = (path: string) => readFileSync(join(root, path), 'utf8');
const PACKAGES = ['core-wasm', 'analysis', 'ui', 'cli'];
interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  publishConfig?: { access: string };
  dependencies?: Record<string, string>;
}
const manifestOf = (folder: string) => JSON.parse(text(join(folder, 'package.json'))) as Manifest;
const { version } = manifestOf('.');

it('the version stands everywhere alike', () => {
  const manifests = [...PACKAGES.map((name) => manifestOf(`packages/${name}`)), manifestOf('tests')];
  for (const manifest of manifests) {
    expect(manifest.version, manifest.name).toBe(version);
    for (const [name, wanted] of Object.entries(manifest.dependencies ?? {}))
      if (/^(@epochscope\/|epochscope$)/.test(name))
        expect(wanted, `${manifest.name}: ${name}`).toBe(version);
  }
  expect(text('packages/analysis/src/version.ts')).toContain(`version: '${version}'`);
  expect(text('integrations/python/src/epochscope/version.py')).toBe(`__version__ = "${version}"\n`);
  expect(text('CITATION.cff')).toContain(`\nversion: ${version}\n`);
  expect(text('CHANGELOG.md')).toMatch(/\n## Unreleased\n/);
});

describe.each(PACKAGES)('the package %s', (name) => {
  it('is clean to publint', async () => {
    const pkgDir = join(root, 'packages', name);
    const { messages, pkg } = await publint({ pkgDir, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it('is public, with exact versions of what it rests on', () => {
    const manifest = manifestOf(`packages/${name}`);
    expect(manifest.private).toBeUndefined();
    expect(manifest.publishConfig).toEqual({ access: 'public' });
    for (const [dependency, wanted] of Object.entries(manifest.dependencies ?? {}))
      expect(wanted, dependency).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('has a page whose links work where it stands alone', () => {
    const links = [...text(`packages/${name}/README.md`).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to!);
    expect(links.filter((to) => !/^(https:\/\/|#)/.test(to))).toEqual([]);
  });
});

it('the Python package has a page whose links work where it stands alone', () => {
  const links = [...text('integrations/python/README.md').matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to!);
  expect(links.filter((to) => !/^(https:\/\/|#)/.test(to))).toEqual([]);
});

it('links of the pages at the root lead to files', () => {
  for (const page of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs/release.md'])
    for (const [, to] of text(page).matchAll(/\]\((?!https?:|#)([^)\s#]+)[^)]*\)/g))
      expect(existsSync(join(root, page, '..', to!)), `${page} → ${to}`).toBe(true);
});
