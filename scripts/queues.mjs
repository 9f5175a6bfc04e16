// Slurm and Snakemake for `npm run test:scale`: Debian's packages, and a Python environment of its own. Where one can be neither found nor
// installed, its tests are left out, and the suite says why.

import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const SLURM = ['slurm-wlm', 'munge', 'procps'];
const SNAKEMAKE = ['snakemake==9.27.1', 'snakemake-executor-plugin-cluster-generic==1.0.9'];

const succeeds = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const there = (command) => succeeds('sh', '-c', `command -v ${command}`);

function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? `status ${status}`}`);
}

/** Debian's packages. Throws where this is not root on Debian, or they are not to be had. */
function install(packages) {
  if (process.getuid?.() !== 0 || !there('apt-get'))
    throw new Error(`only root on Debian can install it: apt-get install ${packages.join(' ')}`);
  run('apt-get', ['update', '-qq', '-o', 'Acquire::Retries=3']);
  run('apt-get', [
    ...['install', '-y', '-qq', '--no-install-recommends', '-o', 'Acquire::Retries=3'],
    ...packages,
  ]);
}

/** Installs Slurm if it is missing. Throws where it cannot, or cannot run: its daemons need root. */
export function installSlurm() {
  if (process.getuid?.() !== 0) throw new Error('Slurm for tests is run by root');
  if (!['slurmctld', 'slurmd', 'munged', 'sbatch', 'pgrep'].every(there)) install(SLURM);
}

/** The place of Snakemake, installed if it is missing. Throws where it cannot be. */
export function installSnakemake() {
  const folder = join(root, 'node_modules', '.cache', 'snakemake');
  const snakemake = join(folder, 'bin', 'snakemake');
  if (succeeds(snakemake, '--version')) return snakemake;
  // What an earlier try left.
  if (existsSync(folder)) rmSync(folder, { recursive: true });
  if (!succeeds('python3', '-c', 'import ensurepip')) install(['python3-venv']);
  run('python3', ['-m', 'venv', folder]);
  run(join(folder, 'bin', 'pip'), [
    ...['install', '--quiet', '--disable-pip-version-check', '--retries', '3'],
    ...SNAKEMAKE,
  ]);
  return snakemake;
}
