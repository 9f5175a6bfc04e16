// `npm run size`: installs and builds, makes the published package, installs its tarball into an empty folder (no network), and
// measures: bytes to download, bytes on disk, packages, and the time of `--version` and `--help` beside that of bare Node.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

const json = process.argv.includes('--json');
// Where the package is installed and left: for tests, which go on with it.
const at = process.argv.indexOf('--into');
const into = at < 0 ? null : process.argv[at + 1];

if (!json) prepare();
const npm = (args, cwd) =>
  execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  });
execFileSync(process.execPath, [join(root, 'packages', 'cli', 'scripts', 'bundle.mjs')], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
const folder = into ?? mkdtempSync(join(tmpdir(), 'epochscope-size-'));
try {
  const [{ filename, size }] = JSON.parse(
    npm(['pack', '--json', '--pack-destination', folder], join(root, 'release', 'epochscope')),
  );
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  npm(['install', '--offline', '--no-audit', '--no-fund', '--loglevel=error', `./${filename}`], folder);
  const modules = join(folder, 'node_modules');
  const bytes = readdirSync(modules, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  const packages = readdirSync(modules).filter((name) => !name.startsWith('.'));
  const main = join(modules, 'epochscope', 'dist', 'main.js');
  const commands = { node: ['-e', '0'], '--version': [main, '--version'], '--help': [main, '--help'] };
  const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  // One after another in turns: what else the machine does then touches all alike.
  for (let round = 0; round < (into ? 3 : 31); round++)
    for (const [name, args] of Object.entries(commands)) {
      const begun = performance.now();
      execFileSync(process.execPath, args);
      times[name].push(performance.now() - begun);
    }
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  const milliseconds = Object.fromEntries(
    Object.entries(times).map(([name, values]) => [name, Math.round(median(values))]),
  );
  if (json)
    process.stdout.write(`${JSON.stringify({ download: size, disk: bytes, packages, milliseconds })}\n`);
  else
    process.stdout.write(
      [
        `download   ${(size / 1e6).toFixed(2)} MB`,
        `on disk    ${(bytes / 1e6).toFixed(2)} MB, ${packages.join(', ')}`,
        ...Object.entries(milliseconds).map(([name, time]) => `${name.padEnd(10)} ${time} ms`),
        `(Node ${process.versions.node}, ${cpus()[0]?.model}, medians of 31)`,
        '',
      ].join('\n'),
    );
} finally {
  if (!into) rmSync(folder, { recursive: true, force: true });
}
