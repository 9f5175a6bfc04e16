// `npm run app [-- FOLDER]`: the page as a folder for any web server that serves files: default release/app.
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { prepare, root } from './prepare.mjs';

const folder = resolve(process.argv[2] ?? join(root, 'release', 'app'));
const ours = (name) => existsSync(join(folder, name));
if (existsSync(folder) && readdirSync(folder).length && !(ours('index.html') && ours('sw.js'))) {
  console.error(`${folder} holds something else; expected an empty folder, or a page written there before`);
  process.exit(1);
}
prepare();
rmSync(folder, { recursive: true, force: true });
cpSync(join(root, 'packages', 'ui', 'dist', 'dashboard'), folder, { recursive: true });
console.log(`${folder}: put it on any web server (no headers are needed; with Cross-Origin-Opener-Policy: same-origin and
Cross-Origin-Embedder-Policy: require-corp it uses every core). To look at it here: python3 -m http.server -d ${folder}`);
