import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// The rules of ARCHITECTURE.md, "Imports point one way", read off the sources themselves.

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return ['node_modules', 'dist', 'generated'].includes(entry.name) ? [] : sources(path);
    return /\.ts$/.test(entry.name) && !/\.test\.ts$/.test(entry.name) && entry.name !== 'assembly.ts'
      ? [path]
      : [];
  });
}

/** Module specifiers of static imports, re-exports and dynamic imports. */
function imports(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:\bfrom\s+|\bimport\s+|\bimport\(\s*)'([^']+)'/g)].map((match) => match[1]!);
}

const files = [
  'packages/core-wasm/src',
  'packages/core-wasm/kernels',
  'packages/analysis/src',
  'packages/ui/src',
  'packages/cli/src',
].flatMap(sources);

/** What a relative import points at, as a path from the root. */
const target = (file: string, specifier: string) => relative(root, resolve(root, dirname(file), specifier));

describe('imports point one way', () => {
  it('finds the sources it checks', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(files.some((file) => imports(file).includes('comlink'))).toBe(true);
  });

  it('between packages: core-wasm ← analysis ← ui ← cli', () => {
    const order = ['core-wasm', 'analysis', 'ui', 'cli'];
    const wrong = files.flatMap((file) =>
      imports(file)
        .filter((specifier) => specifier.startsWith('@epochscope/'))
        .filter((specifier) => order.indexOf(specifier.split('/')[1]!) >= order.indexOf(file.split(sep)[1]!))
        .map((specifier) => `${file} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  it('no package reaches into another by path', () => {
    const wrong = files.flatMap((file) =>
      imports(file)
        .filter((specifier) => specifier.startsWith('.'))
        .filter((specifier) => target(file, specifier).split(sep)[1] !== file.split(sep)[1])
        .map((specifier) => `${file} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  it('inside analysis: formats ← stores ← run ← capture ← methods ← results ← workflows', () => {
    // Type-only imports may cross (a contract is no dependency at run time).
    const order = ['formats', 'stores', 'run', 'capture', 'methods', 'results', 'workflows'];
    const base = join('packages', 'analysis', 'src');
    const wrong = files
      .filter((file) => file.startsWith(base))
      .flatMap((file) => {
        const from = order.indexOf(relative(base, file).split(sep)[0]!);
        if (from < 0) return [];
        const text = readFileSync(join(root, file), 'utf8').replace(/(?:import|export)\s+type\s[^;]*;/g, '');
        return [...text.matchAll(/\bfrom\s+'(\.[^']+)'/g)]
          .map((match) => order.indexOf(relative(base, target(file, match[1]!)).split(sep)[0]!))
          .filter((to) => to > from)
          .map((to) => `${file} imports from ${order[to]}`);
      });
    expect(wrong).toEqual([]);
  });

  it('no module imports itself by way of others', () => {
    const links = new Map(
      files.map((file) => {
        const text = readFileSync(join(root, file), 'utf8').replace(/(?:import|export)\s+type\s[^;]*;/g, '');
        return [
          file,
          [...text.matchAll(/\bfrom\s+'(\.[^']+)'/g)].map((match) =>
            target(file, match[1]!).replace(/\.js$/, '.ts'),
          ),
        ] as const;
      }),
    );
    const cycles: string[] = [];
    const state = new Map<string, 'open' | 'done'>();
    const visit = (file: string, path: readonly string[]) => {
      if (state.get(file) === 'open') cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (state.has(file)) return;
      state.set(file, 'open');
      for (const next of links.get(file) ?? []) visit(next, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of files) visit(file, []);
    expect([...links.values()].flat().filter((to) => links.has(to)).length).toBeGreaterThan(100);
    expect(cycles).toEqual([]);
  });

  it('in analysis, what only Node has stands behind #platform', () => {
    const base = join('packages', 'analysis', 'src');
    const own = files
      .filter((file) => file.startsWith(base) && imports(file).some((name) => name.startsWith('node:')))
      .map((file) => relative(base, file).split(sep).join('/'));
    const allowed = ['platform/disk.ts', 'platform/file.ts', 'platform/node.ts', 'platform/writer-token.ts'];
    // Each reached from platform/node.ts alone, or started by it.
    allowed.push('datasets/download.ts', 'engine/spawn-node.ts', 'engine/worker-node.ts', 'stores/folder.ts');
    expect(own.filter((file) => !allowed.includes(file))).toEqual([]);
    const nodeOnly = new Set(allowed.filter((file) => !file.includes('worker-node')));
    const wrong = files
      .filter((file) => file.startsWith(base) && !allowed.includes(relative(base, file).split(sep).join('/')))
      .flatMap((file) => {
        const text = readFileSync(join(root, file), 'utf8').replace(/(?:import|export)\s+type\s[^;]*;/g, '');
        return [...text.matchAll(/\bfrom\s+'(\.[^']+)'/g)]
          .map((match) =>
            relative(base, target(file, match[1]!)).split(sep).join('/').replace(/\.js$/, '.ts'),
          )
          .filter((to) => nodeOnly.has(to))
          .map((to) => `${file} imports ${to}`);
      });
    expect(wrong).toEqual([]);
  });

  it('only analysis/engine imports Comlink', () => {
    const wrong = files.filter(
      (file) =>
        !file.startsWith(join('packages', 'analysis', 'src', 'engine')) &&
        imports(file).some((s) => s.startsWith('comlink')),
    );
    expect(wrong).toEqual([]);
  });

  it('methods touch no disk, DOM or worker', () => {
    const methods = files.filter((file) => file.startsWith(join('packages', 'analysis', 'src', 'methods')));
    const wrong = methods.filter(
      (file) =>
        imports(file).some((s) => s.startsWith('node:') || s.includes('worker')) ||
        /\b(document|window|fetch)\b[.(]/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(wrong).toEqual([]);
  });

  it('libraries name options, not flags: those are the command line’s to add', () => {
    // What the page shows as the command that does the same, and Node's own.
    const commands = ['app/methods.ts', 'app/work/types.ts'].map((file) => join('packages/ui/src', file));
    const flags = (text: string) =>
      text
        .replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
        .replaceAll(/\bcss`[^`]*`|var\(--[^)]*\)|--this\b|--(?:es|experimental)-[\w-]+/g, '')
        // Another program's.
        .replaceAll(/\bpython -m [^'"`\n]*/g, '')
        // A property of CSS, or of an element's style.
        .replaceAll(/--[\w-]+\s*:/g, '')
        .match(/(?<=['"`\s(])--[a-z][\w-]*(?=['"`\s;,.:)])/g) ?? [];
    expect(flags("throw new Error('take fewer: --samples 10, or give --no-header')")).toHaveLength(2);
    const wrong = files
      .filter((file) => !file.startsWith(join('packages', 'cli')) && !commands.includes(file))
      .flatMap((file) =>
        flags(readFileSync(join(root, file), 'utf8')).map((flag) => `${file} names ${flag}`),
      );
    expect(wrong).toEqual([]);
  });

  it('core-wasm has no dependency at run time', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'packages/core-wasm/package.json'), 'utf8'));
    expect(manifest.dependencies ?? {}).toEqual({});
  });

  it('the library entries import without a DOM', async () => {
    await expect(import('@epochscope/core-wasm')).resolves.toBeDefined();
    await expect(import('@epochscope/analysis')).resolves.toBeDefined();
    await expect(import('@epochscope/ui')).resolves.toBeDefined();
  });
});

describe('the wasm modules', () => {
  it.each(['kernels', 'kernels-shared', 'kernels-relaxed', 'kernels-relaxed-shared'])(
    '%s.wasm holds no static data',
    (name) => {
      // Every instance on a shared memory would rewrite a data segment. Section id 11 is data, 12 its count.
      const bytes = readFileSync(join(root, 'packages/core-wasm/dist/wasm', `${name}.wasm`));
      const ids: number[] = [];
      for (let at = 8; at < bytes.length; ) {
        ids.push(bytes[at++]!);
        let size = 0;
        for (let shift = 0; ; shift += 7) {
          const byte = bytes[at++]!;
          size |= (byte & 0x7f) << shift;
          if (byte < 128) break;
        }
        at += size;
      }
      expect(ids).toContain(10);
      expect(ids).not.toContain(11);
    },
  );
});
