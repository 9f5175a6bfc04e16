// What demo, test and bench need first: dependencies installed as the lock file says, everything built. Node's own modules only.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Runs a command with its output shown; ends this process with its exit code if it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    ...options,
  });
  if (result.error) {
    process.stderr.write(`${command}: ${result.error.message}\n`);
    process.exit(1);
  }
  if (result.signal) process.exit(130);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function installed() {
  const marker = join(root, 'node_modules', '.package-lock.json');
  return existsSync(marker) && statSync(marker).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

/** Path of a command that a development dependency brings. */
export const bin = (name) => join(root, 'node_modules', '.bin', name);

/** Checks Node's version and installs. Quiet when there is nothing to do. */
export function install() {
  const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node.replace('>=', '');
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [needMajor, needMinor] = wanted.split('.').map(Number);
  if (major < needMajor || (major === needMajor && minor < needMinor)) {
    process.stderr.write(`Epochscope needs Node ${wanted} or newer; this is ${process.versions.node}.\n`);
    process.exit(1);
  }
  if (installed()) return;
  process.stderr.write('Installing dependencies…\n');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

const BUILD = ['run', 'build', '--output-logs=errors-only'];
const buildEnvironment = () => ({ ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' });

/** Checks Node's version, installs and builds. */
export function prepare() {
  install();
  process.stderr.write('Building…\n');
  run(bin('turbo'), BUILD, { env: buildEnvironment() });
}

/**
 * Installs, then builds, lints, checks types and looks for what nothing uses, at once: none needs another. The output of each is shown when it ends,
 * and the process ends with 1 if one of them failed.
 */
export async function prepareAndCheck() {
  install();
  process.stderr.write('Building, linting, checking types and what nothing uses…\n');
  const results = await Promise.all([
    captured('build', bin('turbo'), BUILD, buildEnvironment()),
    captured('lint', bin('biome'), ['check', '--diagnostic-level=error', '.']),
    captured('lint of AssemblyScript', process.execPath, [join(root, 'scripts', 'assembly-style.mjs')]),
    captured('type check', bin('tsc'), ['-p', '.']),
    captured('what nothing uses', bin('knip'), [
      '--exclude',
      'enumMembers',
      '--no-progress',
      '--no-config-hints',
    ]),
  ]);
  const failed = results.filter(({ status }) => status !== 0).map(({ name }) => name);
  if (!failed.length) return;
  process.stderr.write(`Failed: ${failed.join(', ')}\n`);
  process.exit(1);
}

function captured(name, command, args, env = process.env) {
  const begun = performance.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, shell: process.platform === 'win32' });
    let output = '';
    const end = (status) => {
      const seconds = ((performance.now() - begun) / 1000).toFixed(0);
      process.stderr.write(
        `${status === 0 ? '' : output}${name}: ${status === 0 ? 'ok' : 'failed'}, ${seconds} s\n`,
      );
      resolve({ name, status });
    };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    child.once('error', (error) => {
      output += `${command}: ${error.message}\n`;
      end(1);
    });
    child.once('close', (status) => end(status ?? 1));
  });
}
