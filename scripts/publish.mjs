// `node scripts/publish.mjs [--dry-run]`: builds, then publishes the packages in the order of their imports. Arguments go to `npm publish`.
// One that is there in this version is left alone, so that a release cut off goes on.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, root, run } from './prepare.mjs';

const PACKAGES = ['packages/core-wasm', 'packages/analysis', 'packages/ui', 'release/epochscope'];

prepare();
run(process.execPath, [join(root, 'packages', 'cli', 'scripts', 'bundle.mjs')]);
for (const name of PACKAGES) {
  const cwd = join(root, name);
  const { name: full, version } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'));
  const { status } = spawnSync('npm', ['view', `${full}@${version}`, 'version'], {
    cwd,
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32',
  });
  if (status === 0 && !process.argv.includes('--dry-run'))
    process.stdout.write(`${full} ${version} is there\n`);
  else run('npm', ['publish', ...process.argv.slice(2)], { cwd });
}
