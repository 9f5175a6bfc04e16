import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// What somebody gets who installs a package: `npm pack`'s own list. Reads dist: build first.

const root = fileURLToPath(new URL('..', import.meta.url));

interface Manifest {
  exports: Record<string, unknown>;
  bin?: Record<string, string>;
  files: string[];
}

/** Every path an exports map leads to, wildcards left out. */
function targets(value: unknown): string[] {
  if (typeof value === 'string') return value.includes('*') ? [] : [value];
  return Object.values(value as Record<string, unknown>).flatMap(targets);
}

describe.each(['core-wasm', 'analysis', 'ui', 'cli'])('the package %s', (name) => {
  const folder = join(root, 'packages', name);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  const [{ files: packed }] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      shell: process.platform === 'win32',
    }),
  ) as [{ files: { path: string; size: number }[] }];
  // A dist that was built into before may hold modules whose source is gone; `prepack` packs from an empty one.
  const compiled = /^dist\/(.*?)\.(js|js\.map|d\.ts)$/;
  const current = (path: string) =>
    existsSync(join(folder, name === 'core-wasm' ? '' : 'src', `${compiled.exec(path)?.[1]}.ts`));
  const paths = packed.map(({ path }) => path);
  const modules = paths.filter((path) => /\.(js|d\.ts)$/.test(path) && current(path));
  const text = (path: string) => readFileSync(join(folder, path), 'utf8');

  it('has its licence, its page and whatever its exports name', () => {
    expect(paths).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
    expect(text('LICENSE')).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'));
    const named = [...targets(manifest.exports), ...Object.values(manifest.bin ?? {})];
    expect(named.length).toBeGreaterThan(1);
    for (const target of named) expect(paths).toContain(target.replace(/^\.\//, ''));
  });

  it('has no tests, benchmarks or pictures of them', () => {
    expect(paths.filter((path) => /\.test\.|\/bench\b|\/gallery\b|goldens/.test(path))).toEqual([]);
  });

  it('has every module that its modules import', () => {
    for (const path of modules)
      for (const [, target] of text(path).matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+\.js)['"]/g)) {
        const found = join(dirname(path), target!);
        expect(paths, `${path} imports ${target}`).toContain(
          path.endsWith('.d.ts') && !paths.includes(found) ? found.replace(/\.js$/, '.d.ts') : found,
        );
      }
  });

  it('has sources in its source maps, and no bytes in its types', () => {
    const maps = paths.filter((path) => path.endsWith('.map') && current(path));
    expect(maps.length).toBeGreaterThan(10);
    for (const path of maps) {
      const { sources, sourcesContent } = JSON.parse(text(path)) as {
        sources: string[];
        sourcesContent?: string[];
      };
      expect(sourcesContent?.length, path).toBe(sources.length);
    }
    for (const { path, size } of packed.filter(({ path }) => path.endsWith('.d.ts')))
      expect(size, path).toBeLessThan(20_000);
  });
});
