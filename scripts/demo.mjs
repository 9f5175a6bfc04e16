// `npm run demo`: installs, builds, then `epochscope demo`. Arguments go to the command.
import { join } from 'node:path';
import { prepare, root, run } from './prepare.mjs';

prepare();
run(process.execPath, [join(root, 'packages', 'cli', 'dist', 'main.js'), 'demo', ...process.argv.slice(2)]);
