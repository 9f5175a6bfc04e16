// tfjs as one bundle for pages and for Node: the page's workers import it from assets/tfjs, and so does the published package, which holds
// it once (packages/cli/scripts/bundle.mjs).
import { readdirSync, writeFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const NAMES = ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm'];
const fileOf = (name) => `${name.slice('@tensorflow/'.length)}.js`;

/** Imports of tfjs as those of the bundle in `folder`, an address from where the importing script will stand. */
export const tfjsBeside = (folder) => ({
  name: 'tfjs',
  enforce: 'pre',
  resolveId: (id) => (NAMES.includes(id) ? { id: `${folder}/${fileOf(id)}`, external: 'relative' } : null),
});

/** Writes it into a folder, and into `list` the files of which it is made, for their licences. */
export async function writeTfjs(folder, list) {
  const bundle = await rolldown({
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    input: Object.fromEntries(NAMES.map((name) => [fileOf(name).slice(0, -3), name])),
    platform: 'neutral',
    // tfjs's CommonJS builds would bring all of it.
    resolve: {
      mainFields: ['module', 'main'],
      alias: { 'node-fetch': fileURLToPath(new URL('fetch.mjs', import.meta.url)) },
    },
    transform: { define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' } },
    onLog(level, log, handle) {
      // tfjs asks for modules that only old Nodes have need of, and is made anew with eval nowhere.
      if (!['UNRESOLVED_IMPORT', 'EVAL'].includes(log.code)) handle(level, log);
    },
  });
  const { output } = await bundle.write({
    dir: folder,
    format: 'esm',
    minify: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    comments: { legal: false },
    // In Node it asks for Node's own modules by require, which modules do not have.
    banner: 'const require=(name)=>process.getBuiltinModule(name);',
  });
  await bundle.close();
  const modules = output.flatMap(({ moduleIds = [] }) => moduleIds);
  writeFileSync(list, JSON.stringify(modules.map((id) => relative(root, id).split(sep).join('/'))));
  if (readdirSync(folder).length < NAMES.length) throw new Error(`${folder}: no tfjs was written`);
}
