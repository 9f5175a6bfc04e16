// `npm test`: installs, builds, lints, checks types, finds Chromium and runs the fast tests, the browser's too.
// `npm run test:e2e` (--e2e): installs, builds and runs the slow ones. `npm run test:scale` (--scale): those on a real Slurm and
// Snakemake, installed where that can be done. Other arguments go to Vitest.

import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { findChromium } from './chromium.mjs';
import { bin, prepare, prepareAndCheck, root } from './prepare.mjs';
import { installSlurm, installSnakemake } from './queues.mjs';
import { describeSuite, leaveOut, resultFile } from './tally.mjs';

const e2e = process.argv.includes('--e2e');
const scale = process.argv.includes('--scale');
const given = process.argv.slice(2).filter((argument) => argument !== '--e2e' && argument !== '--scale');
const suite = e2e ? 'e2e' : scale ? 'scale' : 'fast';
rmSync(resultFile(suite), { force: true });

if (e2e || scale) prepare();
else await prepareAndCheck();
const chromium = scale ? undefined : findChromium();
let snakemake = '';
let without = '';
if (scale)
  try {
    installSlurm();
    try {
      snakemake = installSnakemake();
    } catch (cause) {
      without = `scale suite: skipped on this machine, its tests of Snakemake: ${cause.message}\n`;
    }
  } catch (cause) {
    process.stdout.write(leaveOut(suite, cause.message));
    process.exit(0);
  }

const chosen = given.some((argument) => argument.startsWith('--project'));
const projects = e2e ? ['slow', 'slow-browser'] : scale ? ['scale'] : ['node', 'browser'];
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
    env: {
      ...process.env,
      ...(chromium && { CHROMIUM: chromium }),
      ...(scale && { SNAKEMAKE: snakemake }),
    },
  },
);
process.stdout.write(`${without}${describeSuite(suite, status ?? 1)}`);
process.exitCode = status ?? 1;
