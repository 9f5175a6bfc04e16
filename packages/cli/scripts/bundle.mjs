// Makes the package that is published, in release/epochscope: one folder with everything inside and no dependencies.
// The sources' own build (tsc) is what tests and `npm run demo` run; build all packages first.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';
import { tfjsBeside } from '../../ui/scripts/tfjs.mjs';
import { ASSETS } from '../dist/assets.js';
import { licences } from './licences.mjs';

const cli = fileURLToPath(new URL('..', import.meta.url));
const root = join(cli, '..', '..');
const analysis = join(root, 'packages', 'analysis', 'dist');
const out = join(root, 'release', 'epochscope');
const require = createRequire(import.meta.url);

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, 'dist', 'assets'), { recursive: true });

/** Files that the page brings itself, so that the package holds them once. */
const PAGE = 'assets/dashboard/assets';
const FONTS = `${PAGE}/fonts/`;
const paths = Object.fromEntries(
  Object.keys(ASSETS).map((name) => [name, `../${name.endsWith('.ttf') ? FONTS : 'assets/'}${name}`]),
);
/** In place of src/assets.ts, and where @epochscope/analysis finds its own. */
const assetsModule = {
  name: 'assets',
  load: (id) =>
    id === join(cli, 'dist', 'assets.js')
      ? `import { fileURLToPath } from 'node:url';
         const paths = ${JSON.stringify(paths)};
         export const assetPath = (name) => fileURLToPath(new URL(paths[name], import.meta.url));`
      : null,
  transform: (code, id) =>
    id.startsWith(join(analysis, 'platform')) ? code.replaceAll('../assets/', `../${PAGE}/`) : null,
};

/** tfjs, which is large, is the page's: one bundle for Node and for pages. */
const tfjs = tfjsBeside(`../${PAGE}/tfjs`);

const ui = join(root, 'packages', 'ui', 'dist');
const modules = new Set(
  JSON.parse(readFileSync(join(ui, 'tfjs-modules.json'), 'utf8')).map((path) => join(root, path)),
);
async function bundled(input, dir, platform, lib = '') {
  const bundle = await rolldown({
    cwd: cli,
    input,
    platform,
    // tfjs's CommonJS builds would bring all of it.
    resolve: { mainFields: ['module', 'main'] },
    transform: { define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' } },
    plugins: [assetsModule, tfjs],
  });
  const { output } = await bundle.write({
    dir: join(out, 'dist', dir),
    format: 'esm',
    minify: true,
    entryFileNames: '[name].js',
    chunkFileNames: `${lib}[name]-[hash].js`,
    comments: { legal: false },
  });
  await bundle.close();
  for (const { type, moduleIds } of output) if (type === 'chunk') for (const id of moduleIds) modules.add(id);
  return output;
}

// Files are found beside the modules, in ../assets: so all that asks for one lies in a folder of dist.
const output = await bundled(
  {
    main: join(cli, 'dist', 'main.js'),
    cli: join(cli, 'dist', 'cli.js'),
    index: join(cli, 'dist', 'index.js'),
    'lib/worker-node': join(analysis, 'engine', 'worker-node.js'),
  },
  '',
  'node',
  'lib/',
);
for (const { type, fileName, code } of output)
  if (type === 'chunk' && !fileName.startsWith('lib/') && /import\.meta\.url|\/tfjs\//.test(code))
    throw new Error(`${fileName} asks for files in .., which is dist from dist/lib: make it a chunk`);
// The API for pages: what differs stands behind #platform.
await bundled(
  {
    index: join(cli, 'dist', 'index.js'),
    'worker-browser': join(analysis, 'engine', 'worker-browser.js'),
  },
  'page',
  'browser',
);
const types = await rolldown({
  cwd: cli,
  input: { index: join(cli, 'dist', 'index.d.ts'), cli: join(cli, 'dist', 'cli.d.ts') },
  // None of tfjs's types stands in the API: were one to, a test that checks types in an empty folder would miss it.
  external: (id) => id.startsWith('node:') || id.startsWith('@tensorflow/'),
  checks: { pluginTimings: false },
  plugins: [
    dts({ cwd: cli, tsconfig: join(cli, 'tsconfig.json'), dtsInput: true, resolve: [/^@epochscope\//] }),
  ],
});
await types.write({ dir: join(out, 'dist'), format: 'esm', chunkFileNames: 'types/[name]-[hash].d.ts' });
await types.close();

const dist = join(out, 'dist');
for (const [name, specifier] of Object.entries(ASSETS)) {
  const from = require.resolve(specifier);
  if (name.startsWith('dashboard/'))
    cpSync(dirname(from), join(dist, 'assets', 'dashboard'), { recursive: true });
  else if (!name.endsWith('.ttf')) cpSync(from, join(dist, 'assets', name));
}
for (const file of [
  ...readdirSync(join(analysis, 'assets'))
    .filter((name) => name !== 'digits-LICENSE')
    .map((name) => join(PAGE, name)),
  ...Object.keys(ASSETS)
    .filter((name) => name.endsWith('.ttf'))
    .map((name) => join(FONTS, name)),
])
  if (!existsSync(join(dist, file)))
    throw new Error(`the page brings no ${file}, which others read from there`);
share(join(dist, 'lib'), join(dist, PAGE), `../${PAGE}/`);
share(join(dist, 'page'), join(dist, PAGE), `../${PAGE}/`);
share(join(dist, 'page'), join(dist, 'lib'), '../lib/');

/** Chunks of `folder` that stand word by word in `there` under the same name are imported from there: `path` leads to it. */
function share(folder, there, path) {
  const same = readdirSync(folder).filter(
    (name) =>
      /-[\w-]{8}\.js$/.test(name) &&
      existsSync(join(there, name)) &&
      readFileSync(join(folder, name)).equals(readFileSync(join(there, name))),
  );
  for (const name of same) rmSync(join(folder, name));
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.js'))) {
    let code = readFileSync(join(folder, file), 'utf8');
    for (const name of same) code = code.replaceAll(`./${name}`, path + name);
    writeFileSync(join(folder, file), code);
  }
}

const { scripts, devDependencies, dependencies, ...manifest } = JSON.parse(
  readFileSync(join(cli, 'package.json'), 'utf8'),
);
manifest.exports['.'] = {
  types: manifest.exports['.'].types,
  browser: './dist/page/index.js',
  default: './dist/index.js',
};
writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
for (const file of ['LICENSE', 'README.md']) cpSync(join(cli, file), join(out, file));
writeFileSync(join(out, 'dist', 'THIRD-PARTY-LICENSES.txt'), licences(root, modules));
if (!existsSync(join(out, 'dist', 'index.d.ts'))) throw new Error('no types were written');
