// `npm test`: installs, builds, lints, finds Chromium and runs every test, the browser's too. Arguments go to Vitest.

import { join } from 'node:path';
import { findChromium } from './chromium.mjs';
import { prepare, root, run } from './prepare.mjs';

prepare();
run(join(root, 'node_modules', '.bin', 'biome'), ['check', '--diagnostic-level=error', '.']);
const chromium = findChromium();
run(join(root, 'node_modules', '.bin', 'vitest'), ['run', ...process.argv.slice(2)], {
  env: { ...process.env, CHROMIUM: chromium },
});
