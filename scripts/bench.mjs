// `npm run bench`: installs, builds, then the kernel benchmarks. Arguments go to them (see packages/core-wasm/README.md).
import { join } from 'node:path';
import { prepare, root, run } from './prepare.mjs';

prepare();
// Node 20 has relaxed SIMD behind this flag, which later versions no longer know.
const relaxed = process.versions.node.startsWith('20.') ? ['--experimental-wasm-relaxed-simd'] : [];
run(process.execPath, [
  ...relaxed,
  join(root, 'packages', 'core-wasm', 'dist', 'bench', 'run.js'),
  ...process.argv.slice(2),
]);
