// `npm run wheel`: the Python package as a wheel in release/, with the widgets' engine inside; `-- --engine`: puts that into the sources alone, for
// `pip install -e integrations/python`. Nothing in it is compiled: one wheel for all machines.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { prepare, root } from './prepare.mjs';

if (!process.argv.includes('--built')) prepare();
const from = join(root, 'packages', 'ui', 'dist', 'jupyter');
const to = join(root, 'integrations', 'python', 'src', 'epochscope', 'jupyter');
mkdirSync(to, { recursive: true });
writeFileSync(join(to, 'loader.js'), readFileSync(join(from, 'loader.js')));
writeFileSync(join(to, 'engine.js.gz'), gzipSync(readFileSync(join(from, 'engine.js')), { level: 9 }));
if (!process.argv.includes('--engine')) {
  const python = process.env.PYTHON ?? 'python3';
  const args = ['-m', 'pip', 'wheel', '--quiet', '--disable-pip-version-check', '--no-deps', '--wheel-dir'];
  const { status, error } = spawnSync(
    python,
    [...args, join(root, 'release'), join(root, 'integrations', 'python')],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  if (error) throw error;
  process.exitCode = status ?? 1;
}
