// An entry for each element: `import '@epochscope/ui/register/es-spectrum'` registers it and those that its templates hold, and brings
// nothing else. Written from what register.ts holds, as read for custom-elements.json.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/** Writes `dist/register/TAG.js` and its declaration for every element of the manifest. */
export function writeEntries(root, manifest) {
  const folder = join(root, 'dist', 'register');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const elements = new Map(
    manifest.modules.flatMap(({ path, declarations }) =>
      declarations.map(({ tagName, name }) => [tagName, { name, path: join(root, path) }]),
    ),
  );
  for (const [tag, { path }] of elements) {
    const files = new Set();
    const tags = new Set([tag]);
    gather(path, files, (inner) => {
      if (!elements.has(inner) || tags.has(inner)) return null;
      tags.add(inner);
      return elements.get(inner).path;
    });
    const lines = [...tags].map((one) => {
      const { name, path: from } = elements.get(one);
      return `import { ${name} } from '${relative(folder, from).split(sep).join('/')}';`;
    });
    const define = [...tags].map((one) => `  ['${one}', ${elements.get(one).name}],`);
    writeFileSync(
      join(folder, `${tag}.js`),
      `${lines.join('\n')}
${tags.has('es-tendency-view') ? "import '../computing.js';\n" : ''}
for (const [tag, element] of [
${define.join('\n')}
])
  if (typeof customElements !== 'undefined' && !customElements.get(tag)) customElements.define(tag, element);
`,
    );
    writeFileSync(join(folder, `${tag}.d.ts`), 'export {};\n');
  }
}

/** The modules of dist that one brings, and those of the elements that stand in their templates. */
function gather(path, files, moduleOf) {
  if (files.has(path)) return;
  files.add(path);
  const text = readFileSync(path, 'utf8');
  for (const [, from] of text.matchAll(/(?:from|import) '(\.[^']+\.js)'/g))
    gather(join(dirname(path), from), files, moduleOf);
  for (const [, tag] of text.matchAll(/<(es-[\w-]+)/g)) {
    const other = moduleOf(tag);
    if (other) gather(other, files, moduleOf);
  }
}
