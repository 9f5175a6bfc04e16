import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// What the package promises to whoever imports it. Reads dist: build first.

const ui = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
interface Named {
  name: string;
}
interface Declaration extends Named {
  tagName: string;
  attributes: (Named & { fieldName: string })[];
  members: (Named & { kind: string; attribute?: string; type?: { text: string } })[];
  events: Named[];
  cssParts: Named[];
  cssProperties: (Named & { description?: string })[];
}
const manifest = JSON.parse(readFileSync(ui('dist/custom-elements.json'), 'utf8')) as {
  schemaVersion: string;
  modules: { path: string; declarations: Declaration[] }[];
};
const declarations = manifest.modules.flatMap((module) => module.declarations);

describe('custom-elements.json', () => {
  const tags = [...readFileSync(ui('src/register.ts'), 'utf8').matchAll(/'(es-[\w-]+)':/g)].map((m) => m[1]!);

  it('has every registered tag, each with a sentence about it', () => {
    expect(tags.length).toBeGreaterThan(5);
    expect(declarations.map(({ tagName }) => tagName).sort()).toEqual([...tags].sort());
    for (const { tagName, description } of declarations as (Declaration & { description: string })[])
      expect(description, tagName).toMatch(/\w{3,} .*\./s);
  });

  it('has an entry of its own for each, which Node can import too', async () => {
    for (const tag of tags) await import(/* @vite-ignore */ ui(`dist/register/${tag}.js`));
  });

  it('has every property and attribute that Lit knows', async () => {
    for (const { path, declarations } of manifest.modules) {
      const [declaration] = declarations as [Declaration];
      const module = (await import(/* @vite-ignore */ ui(path))) as Record<string, never>;
      const element = module[declaration.name] as unknown as {
        finalize(): void;
        elementProperties: Map<string, { attribute?: string | false; state?: boolean }>;
        prototype: object;
      };
      element.finalize();
      const known = [...element.elementProperties].filter(([, { state }]) => !state);
      const fields = declaration.members.filter(({ kind }) => kind === 'field');
      expect(fields.map(({ name }) => name).sort(), declaration.tagName).toEqual(
        known.map(([name]) => name).sort(),
      );
      expect(declaration.attributes.map(({ name }) => name).sort(), declaration.tagName).toEqual(
        known
          .filter(([, { attribute }]) => attribute !== false)
          .map(([name, { attribute }]) => (typeof attribute === 'string' ? attribute : name.toLowerCase()))
          .sort(),
      );
      for (const method of declaration.members.filter(({ kind }) => kind === 'method'))
        expect(element.prototype, `${declaration.tagName}.${method.name}`).toHaveProperty(method.name);
    }
  });

  it('gives own types to inherited properties, and names events, parts and custom properties', () => {
    const image = declarations.find(({ tagName }) => tagName === 'es-tendency-image')!;
    expect(image.members.find(({ name }) => name === 'data')!.type!.text).toBe('TendencyPanel | null');
    expect(image.events.map(({ name }) => name)).toEqual(['es-export', 'es-point', 'es-select', 'es-zoom']);
    expect(image.cssParts.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['plot', 'canvas', 'readout', 'table', 'export', 'state']),
    );
    const styles = readFileSync(ui('src/styles.ts'), 'utf8');
    const used = [...new Set([...styles.matchAll(/var\((--es-[\w-]+)/g)].map((m) => m[1]!))].sort();
    for (const { tagName, cssProperties } of declarations) {
      expect(
        cssProperties.map(({ name }) => name).filter((name) => used.includes(name)),
        tagName,
      ).toEqual(used);
      for (const { name, description } of cssProperties)
        expect(description, `${tagName} ${name}`).toBeTruthy();
    }
  });
});

describe('the entries', () => {
  const node = (code: string) =>
    execFileSync(process.execPath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
      cwd: ui('.'),
    }).trim();

  it('are safe to import without a window, and only the registering one registers', () => {
    // A registry that counts stands in for the browser's; nothing else of a window is there.
    const registry =
      'const seen = []; globalThis.customElements = { get: () => undefined, define: (tag) => seen.push(tag) };';
    const count = (entry: string) =>
      Number(node(`${registry} await import('${entry}'); console.log(seen.length);`));
    expect(count('@epochscope/ui')).toBe(0);
    expect(count('@epochscope/ui/register')).toBe(declarations.length);
    expect(
      node(`await import('@epochscope/ui/register'); console.log(typeof window, typeof document);`),
    ).toBe('undefined undefined');
    expect(node(`const m = await import('@epochscope/ui'); console.log(typeof m.EsTendencyImage);`)).toBe(
      'function',
    );
  });

  it('for CDNs import nothing by a bare name', () => {
    const imports = (file: string) =>
      [
        ...readFileSync(ui(file), 'utf8').matchAll(
          /(?:^|[;}\s])(?:import|export)\s*(?:[\w$*{][^;'"`]{0,2000}?from\s*)?(['"])([^'"\n]+)\1/g,
        ),
      ].map((match) => match[2]!);
    expect(imports('dist/register.js').length).toBe(declarations.length);
    for (const file of ['dist/cdn/epochscope.js', 'dist/cdn/epochscope.mjs', 'dist/app/report.js']) {
      const text = readFileSync(ui(file), 'utf8');
      expect(text.length, file).toBeGreaterThan(50_000);
      expect(imports(file), file).toEqual([]);
      expect(text, file).not.toMatch(/\brequire\(["']/);
    }
  });
});
