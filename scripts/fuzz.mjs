// `npm run fuzz`: installs, builds, then mutated files through every parser (tests/fuzz-command.ts). Arguments go to it.
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

prepare();
const { runnerImport } = await import('vite');
const { module } = await runnerImport(join(root, 'tests', 'fuzz-command.ts'), { root, logLevel: 'error' });
process.exitCode = await module.main(process.argv.slice(2));
