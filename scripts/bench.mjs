// `npm run bench`: installs, builds, then the kernel benchmarks. Arguments go to them (see packages/core-wasm/README.md).
import { join } from 'node:path';
import { prepare, root, run } from './prepare.mjs';

prepare();
run(process.execPath, [
  join(root, 'packages', 'core-wasm', 'dist', 'bench', 'run.js'),
  ...process.argv.slice(2),
]);
