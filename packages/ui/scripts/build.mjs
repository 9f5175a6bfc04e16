// `npm run build` after tsc: the scripts with everything inside, the pages' files, and custom-elements.json.
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { writeEntries } from './entries.mjs';
import { manifestOf } from './manifest.mjs';
import { tfjsBeside, writeTfjs } from './tfjs.mjs';

const ui = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

function assetName({ names }) {
  const [name] = names;
  if (/\.ttf$/.test(name)) return 'assets/fonts/[name][extname]';
  return /\.(gz|wasm)$/.test(name) ? 'assets/[name][extname]' : 'assets/[name]-[hash][extname]';
}

/** For pages that have a worker of their own, or none, and a module alone, which would bring its workers' files with it. */
const withoutEngine = {
  name: 'without-engine',
  load: (id) =>
    /\/(src|dist)\/compute\.[jt]s$/.test(id.replaceAll(sep, '/'))
      ? "export async function tendencyOfPoints() { throw new Error('this script holds no engine for points: import @epochscope/ui/register, or use cdn/epochscope.js'); }"
      : null,
};

/** For a notebook's worker, which trains no nets and shares no memory. */
const withoutTraining = {
  name: 'without-training',
  enforce: 'pre',
  resolveId: (id) => (id.startsWith('@tensorflow/') ? '\0tfjs' : null),
  load(id) {
    if (id === '\0tfjs') return "throw new Error('no net is run in a notebook');";
    const path = id.replaceAll(sep, '/');
    if (/\/generated\/kernels-[\w-]+\.[jt]s$/.test(path))
      return "throw new Error('a notebook has kernels without shared memory alone');";
    return /\/engine\/spawn-browser\.[jt]s$/.test(path)
      ? "export const spawnWorker = () => Promise.reject(new Error('a notebook has one worker'));"
      : null;
  },
  // Nor are there files beside it.
  transform: (code, id) =>
    /\/platform\/browser\.[jt]s$/.test(id.replaceAll(sep, '/'))
      ? code.replaceAll(/new URL\('\.\.\/assets\/[^)]*\)/g, "new URL('about:blank')")
      : null,
};

async function bundle(entry, folder, file, format, name, plugins = []) {
  await build({
    configFile: false,
    plugins,
    root: ui(''),
    logLevel: 'warn',
    // Classic scripts have no address of their own.
    define: format === 'iife' ? { 'import.meta.url': '""' } : {},
    build: {
      outDir: ui(folder),
      emptyOutDir: false,
      target: 'es2022',
      lib: { entry: ui(entry), formats: [format], name, fileName: () => file },
      minify: true,
      // One file, whatever is loaded later elsewhere.
      ...(format === 'es' ? { rolldownOptions: { output: { codeSplitting: false } } } : {}),
    },
  });
}

rmSync(ui('dist/cdn'), { recursive: true, force: true });

// The page's script is inlined by the CLI; the other two are for people's pages: a classic script, which also works from
// file:, and a module.
await bundle('src/app/report.ts', 'dist/app', 'report.js', 'iife', 'EpochscopeReport', [withoutEngine]);
await bundle('src/cdn.ts', 'dist/cdn', 'epochscope.js', 'iife', 'Epochscope');
await bundle('src/cdn.ts', 'dist/cdn', 'epochscope.mjs', 'es', 'Epochscope', [withoutEngine]);

await notebook();

copyFileSync(ui('page/page.css'), ui('dist/app/page.css'));
cpSync(ui('fonts'), ui('dist/fonts'), { recursive: true });

// The workbench: modules and workers, loaded when they are used; any static host, and what `epochscope serve` serves.
const page = ui('dist/dashboard');
await build({
  configFile: false,
  root: ui('page'),
  base: './',
  publicDir: false,
  plugins: [withoutEngine, tfjsBeside('./tfjs')],
  logLevel: 'warn',
  build: {
    outDir: page,
    emptyOutDir: true,
    target: 'esnext',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000,
    // Names without a hash: the published package reads these from here too (packages/cli/scripts/bundle.mjs), and holds them once.
    rolldownOptions: { output: { assetFileNames: assetName } },
  },
  worker: {
    format: 'es',
    plugins: () => [tfjsBeside('./tfjs')],
    rolldownOptions: { output: { comments: false, assetFileNames: assetName } },
  },
});
await writeTfjs(`${page}/assets/tfjs`, ui('dist/tfjs-modules.json'));
cpSync(ui('fonts'), `${page}/assets/fonts`, { recursive: true });
writeServiceWorker(page);

/** The widgets of the Python package (integrations/python/scripts/build.mjs packs them): a loader, and what it loads in one script. */
async function notebook() {
  const one = async (entry, format, define = {}) => {
    const [{ output }] = await build({
      configFile: false,
      root: ui(''),
      logLevel: 'warn',
      plugins: [withoutEngine, withoutTraining],
      define: { 'import.meta.url': '""', ...define },
      build: {
        write: false,
        target: 'es2022',
        minify: true,
        lib: { entry: ui(entry), formats: [format], name: 'epochscope', fileName: () => 'x.js' },
        ...(format === 'es' ? { rolldownOptions: { output: { codeSplitting: false } } } : {}),
      },
    });
    return output[0].code;
  };
  const font = (name) => JSON.stringify(readFileSync(ui(`fonts/${name}.ttf`)).toString('base64'));
  const files = {
    'loader.js': await one('src/notebook/loader.ts', 'es'),
    'engine.js': await one('src/notebook/engine.ts', 'es', {
      __WORKER__: JSON.stringify(await one('src/notebook/worker.ts', 'iife')),
      __FONTS__: `{ regular: ${font('Inter-Regular')}, bold: ${font('Inter-SemiBold')} }`,
    }),
  };
  mkdirSync(ui('dist/jupyter'), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(ui(`dist/jupyter/${name}`), text);
}

/** What the page needs without a network, and its version: the hash of all of it. */
function writeServiceWorker(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'sw.js')
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((name) => !/\.(md|txt)$/.test(name))
    .sort();
  const hash = createHash('sha256');
  for (const name of files) hash.update(name).update(readFileSync(join(folder, name)));
  const version = hash.digest('hex').slice(0, 12);
  const text = readFileSync(ui('page/sw.js'), 'utf8')
    .replace("VERSION = ''", `VERSION = '${version}'`)
    .replace(
      'FILES = []',
      `FILES = ${JSON.stringify(['./', ...files.filter((name) => name !== 'index.html')])}`,
    );
  writeFileSync(join(folder, 'sw.js'), text);
}

const manifest = manifestOf(ui(''));
writeFileSync(ui('dist/custom-elements.json'), `${JSON.stringify(manifest, null, 1)}\n`);
writeEntries(ui(''), manifest);
