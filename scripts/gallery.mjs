// `npm run gallery`: installs, builds, makes the page of every element (packages/ui/dist-gallery) and serves it. `--build` only makes it.
import { join } from 'node:path';
import { prepare, root, run } from './prepare.mjs';

prepare();
const vite = [join(root, 'node_modules', 'vite', 'bin', 'vite.js')];
const config = ['--config', 'vite.gallery.config.ts'];
const options = { cwd: join(root, 'packages', 'ui') };
run(process.execPath, [...vite, 'build', ...config, '--logLevel', 'warn'], options);
if (process.argv.includes('--build'))
  process.stdout.write(`${join(root, 'packages', 'ui', 'dist-gallery', 'index.html')}\n`);
else run(process.execPath, [...vite, 'preview', ...config], options);
