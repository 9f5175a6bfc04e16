// `npm run site`: installs, builds, and writes the documentation as a site into release/site, links checked. What it alone needs (VitePress,
// typedoc) is installed into site/ from a lockfile of its own. SITE_BASE: the path at which it will stand, such as /epochscope/.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, root, run } from './prepare.mjs';

prepare();
const site = join(root, 'site');
if (!existsSync(join(site, 'node_modules', '.package-lock.json')))
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: site });
run(process.execPath, [join(site, 'build.mjs')], { cwd: site });
