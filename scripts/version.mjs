// `npm run set-version -- X.Y.Z`: sets the version everywhere it stands, and turns "Unreleased" of CHANGELOG.md into it. tests/release.test.ts holds them
// together.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const [version = ''] = process.argv.slice(2);
if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
  process.stderr.write(`version: expected X.Y.Z, got "${version}"\n`);
  process.exit(2);
}
const edit = (file, change) => {
  const path = join(root, file);
  const before = readFileSync(path, 'utf8');
  const after = change(before);
  if (after === before) throw new Error(`${file}: nothing to change; is it ${version} already?`);
  writeFileSync(path, after);
};
const OURS = ['@epochscope/core-wasm', '@epochscope/analysis', '@epochscope/ui', 'epochscope'];
const manifests = ['.', 'packages/core-wasm', 'packages/analysis', 'packages/ui', 'packages/cli', 'tests'];
const today = new Date().toISOString().slice(0, 10);

for (const folder of manifests)
  edit(`${folder}/package.json`, (text) =>
    text
      .replace(/^( {2}"version": )"[^"]+"/m, `$1"${version}"`)
      .replace(
        new RegExp(`("(?:${OURS.map((name) => name.replace('/', '\\/')).join('|')})": )"[^"]+"`, 'g'),
        `$1"${version}"`,
      ),
  );
edit('packages/analysis/src/version.ts', (text) => text.replace(/version: '[^']+'/, `version: '${version}'`));
edit('integrations/python/src/epochscope/version.py', (text) => text.replace(/"[^"]+"/, `"${version}"`));
edit('CITATION.cff', (text) => text.replace(/^version: .*$/m, `version: ${version}`));
edit('CHANGELOG.md', (text) =>
  text.replace('## Unreleased\n', `## Unreleased\n\n## ${version} (${today})\n`),
);
spawnSync('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund', '--loglevel=error'], {
  cwd: root,
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
