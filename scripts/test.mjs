// `npm test`: installs, builds, lints, checks types, finds Chromium and runs every test, the browser's too.
// Arguments go to Vitest.

import { findChromium } from './chromium.mjs';
import { bin, prepareAndCheck, run } from './prepare.mjs';

await prepareAndCheck();
const chromium = findChromium();
run(bin('vitest'), ['run', ...process.argv.slice(2)], { env: { ...process.env, CHROMIUM: chromium } });
