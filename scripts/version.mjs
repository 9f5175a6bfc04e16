// `npm run version-packages`: what .changeset/ holds becomes a version, in every manifest and wherever else it stands, and its sentences stand in
// CHANGELOG.md with what was under "Unreleased". `npm run set-version -- X.Y.Z` sets one by hand. tests/release.test.ts holds them together.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bin, root, run } from './prepare.mjs';

const [given] = process.argv.slice(2);
if (given !== undefined && !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(given)) {
  process.stderr.write(`version: expected X.Y.Z, got "${given}"\n`);
  process.exit(2);
}
const read = (file) => readFileSync(join(root, file), 'utf8');
const versionOf = () => JSON.parse(read('packages/cli/package.json')).version;

const before = versionOf();
const sentences = [];
if (given === undefined) {
  for (const name of readdirSync(join(root, '.changeset'))
    .filter((n) => /(?<!README)\.md$/.test(n))
    .sort())
    sentences.push(
      read(join('.changeset', name))
        .replace(/^---\n.*?^---\n/ms, '')
        .trim(),
    );
  if (!sentences.length) {
    process.stderr.write('version: .changeset holds no change; "npm run changeset" writes one\n');
    process.exit(1);
  }
  // Sets the versions of packages and of what they need of each other, and removes the files.
  run(bin('changeset'), ['version']);
}
const version = given ?? versionOf();
if (version === before) {
  process.stderr.write(`version: it is ${version} already\n`);
  process.exit(1);
}

const edit = (file, change) => writeFileSync(join(root, file), change(read(file)));
const OURS = ['@epochscope/core-wasm', '@epochscope/analysis', '@epochscope/ui', 'epochscope'];
const needed = new RegExp(
  `("(?:${OURS.map((name) => name.replace('/', '\\/')).join('|')})": )"\\d[^"]*"`,
  'g',
);
for (const folder of ['.', 'packages/core-wasm', 'packages/analysis', 'packages/ui', 'packages/cli', 'tests'])
  edit(`${folder}/package.json`, (text) =>
    text.replace(/^( {2}"version": )"[^"]+"/m, `$1"${version}"`).replace(needed, `$1"${version}"`),
  );
edit('packages/analysis/src/version.ts', (text) => text.replace(/version: '[^']+'/, `version: '${version}'`));
edit('integrations/python/src/epochscope/version.py', (text) => text.replace(/"[^"]+"/, `"${version}"`));
edit('CITATION.cff', (text) => text.replace(/^version: .*$/m, `version: ${version}`));
const today = new Date().toISOString().slice(0, 10);
const lines = sentences.map((sentence) => `- ${sentence.replaceAll('\n', '\n  ')}\n`).join('');
edit('CHANGELOG.md', (text) =>
  text.replace('## Unreleased\n\n', `## Unreleased\n\n## ${version} (${today})\n\n${lines}`),
);
spawnSync('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund', '--loglevel=error'], {
  cwd: root,
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
process.stdout.write(`${before} → ${version}\n`);
