// `npm run kill -- [N] [--seed S] [--only NAME]`: installs, builds, then N (1000) processes that write, of every command that does,
// killed at random moments (tests/kills.ts). They run the bundled command, which starts in a third of the time.
import { join } from 'node:path';
import { prepare, root, run } from './prepare.mjs';

prepare();
run(process.execPath, [join(root, 'packages', 'cli', 'scripts', 'bundle.mjs')]);
process.env.KILL_BIN = join(root, 'release', 'epochscope', 'dist', 'main.js');
const { runnerImport } = await import('vite');
const { module } = await runnerImport(join(root, 'tests', 'kill-command.ts'), { root, logLevel: 'error' });
process.exit(await module.main(process.argv.slice(2)));
