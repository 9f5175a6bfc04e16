// The API out of the docstrings: typedoc over the declarations that the packages publish, a page an entry.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Application } from 'typedoc';

/** Package → its entries' declarations in dist. */
const ENTRIES = {
  'core-wasm': ['src/index', 'src/jobs', 'src/reference'],
  analysis: [
    'index',
    'formats',
    'methods',
    'models',
    'runs',
    'workflows',
    'results/index',
    'api/index',
    'batch/index',
  ],
  // Elements have pages of their own, out of their manifest; here they would bring all that a page's elements inherit.
  ui: ['drawing'],
};
const titleOf = (entry) => entry.replace(/^src\//, '').replace(/\/index$/, '');

export async function writeApi(root, pages) {
  const lines = [];
  for (const [name, entries] of Object.entries(ENTRIES)) {
    const folder = join(root, 'packages', name);
    const out = join(pages, 'api', name);
    const tsconfig = join(pages, `tsconfig.${name}.json`);
    const files = entries.map((entry) => join(folder, 'dist', `${entry}.d.ts`));
    for (const file of files) if (!existsSync(file)) throw new Error(`${file} is missing: build first`);
    writeFileSync(
      tsconfig,
      JSON.stringify({
        compilerOptions: {
          target: 'es2022',
          module: 'nodenext',
          lib: ['es2023', 'dom', 'dom.iterable'],
          skipLibCheck: true,
          types: [],
        },
        files,
      }),
    );
    const app = await Application.bootstrapWithPlugins({
      plugin: ['typedoc-plugin-markdown'],
      name: `@epochscope/${name}`,
      entryPoints: files,
      tsconfig,
      out,
      readme: 'none',
      router: 'module',
      entryFileName: entries.length > 1 ? 'entries' : 'index',
      disableSources: true,
      excludeExternals: true,
      excludePrivate: true,
      excludeInternal: true,
      skipErrorChecking: true,
      hideBreadcrumbs: true,
      hidePageHeader: true,
      sanitizeComments: true,
      useCodeBlocks: true,
      expandObjects: false,
      parametersFormat: 'table',
      interfacePropertiesFormat: 'table',
      propertyMembersFormat: 'table',
      typeDeclarationFormat: 'table',
      logLevel: 'Error',
      validation: false,
    });
    const project = await app.convert();
    if (!project) throw new Error(`typedoc could not read ${name}`);
    await app.generateOutputs(project);
    rmSync(tsconfig);
    lines.push(
      `- [\`@epochscope/${name}\`](./${name}/index.md): ${entries.map((entry) => `\`${titleOf(entry)}\``).join(', ')}`,
    );
  }
  mkdirSync(join(pages, 'api'), { recursive: true });
  writeFileSync(
    join(pages, 'api', 'index.md'),
    `# API\n\nEvery public name, with what it takes and throws, out of the docstrings. What the command line does is in [the guides](../guides/any-matrix.md) and in \`epochscope COMMAND --help\`.\n\n${lines.join('\n')}\n`,
  );
  for (const file of readdirSync(join(pages, 'api'), { recursive: true, withFileTypes: true }))
    if (file.name.endsWith('.md') && file.parentPath !== join(pages, 'api'))
      quiet(join(file.parentPath, file.name));
}

/** Out of the search, which they would fill; places in pages as VitePress names them; nothing that Vue takes for its own. */
function quiet(path) {
  const text = readFileSync(path, 'utf8')
    .replaceAll('{{', '&#123;&#123;')
    .replaceAll(
      /(?<=\]\([^)\s]*)#([\w-]+)\)/g,
      (_, place) => `#${place.replaceAll('_', '-').replace(/-\d+$/, '')})`,
    );
  writeFileSync(path, `---\nsearch: false\noutline: [2, 3]\neditLink: false\n---\n\n${text}`);
}
