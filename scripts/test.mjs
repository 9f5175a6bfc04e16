// `npm test`: installs, builds, lints, checks types, finds Chromium and runs the fast tests, the browser's too.
// `npm run test:e2e` (--e2e): installs, builds and runs the slow ones. Other arguments go to Vitest.

import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { findChromium } from './chromium.mjs';
import { bin, prepare, prepareAndCheck, root } from './prepare.mjs';
import { describeSuite, resultFile } from './tally.mjs';

const e2e = process.argv.includes('--e2e');
const given = process.argv.slice(2).filter((argument) => argument !== '--e2e');
const suite = e2e ? 'e2e' : 'fast';
rmSync(resultFile(suite), { force: true });

if (e2e) prepare();
else await prepareAndCheck();
const chromium = findChromium();

const chosen = given.some((argument) => argument.startsWith('--project'));
const projects = e2e ? ['slow', 'slow-browser'] : ['node', 'browser'];
mkdirSync(dirname(resultFile(suite)), { recursive: true });
const { status } = spawnSync(
  bin('vitest'),
  [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${resultFile(suite)}`,
    ...(chosen ? [] : projects.map((name) => `--project=${name}`)),
    ...given,
  ],
  {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    env: { ...process.env, CHROMIUM: chromium },
  },
);
process.stdout.write(describeSuite(suite, status ?? 1));
process.exitCode = status ?? 1;
