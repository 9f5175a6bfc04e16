import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';

const ui = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

// Reads dist: build first. React's and Svelte's own types are not installed here; their files differ from Vue's in names only.
it.each(['Bundler', 'NodeNext'] as const)('the types tell right from wrong use (%s)', (resolution) => {
  const program = ts.createProgram([ui('examples/types.ts')], {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    module: resolution === 'Bundler' ? ts.ModuleKind.ESNext : ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind[resolution],
    types: [],
  });
  const found = ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ messageText, start, file }) =>
        `${file?.fileName}:${start} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
  expect(found).toEqual([]);
});

it('every framework’s file has properties and listeners of every tag', () => {
  for (const name of ['react', 'svelte', 'vue']) {
    const text = readFileSync(ui(`types/${name}.d.ts`), 'utf8');
    expect(text).toMatch(/\[Name in Tag\].*Properties<HTMLElementTagNameMap\[Name\]>.*Listeners/s);
    expect(text).toContain(`declare module '${name === 'svelte' ? 'svelte/elements' : name}'`);
  }
});
