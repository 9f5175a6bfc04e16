// Slurm and Snakemake for `npm run test:scale`: Debian's packages, and a Python environment of its own. Elsewhere, and without a network,
// that suite says that it is left out, and passes.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const SLURM = ['slurm-wlm', 'munge', 'procps'];
const SNAKEMAKE = ['snakemake==9.27.1', 'snakemake-executor-plugin-cluster-generic==1.0.9'];

const there = (command) => spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;

function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? `status ${status}`}`);
}

const MADE = join(root, 'node_modules', '.cache', 'snakemake');

/** Installs what is missing; the place of Snakemake. Throws where it can be neither found nor installed. */
export function installQueues() {
  if (!['slurmctld', 'slurmd', 'munged', 'sbatch', 'pgrep'].every(there)) {
    if (process.getuid?.() !== 0 || !there('apt-get'))
      throw new Error(
        `Slurm is not there, and only root on Debian can install it: apt-get install ${SLURM.join(' ')}`,
      );
    run('apt-get', ['update', '-qq']);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...SLURM]);
  }
  const snakemake = join(MADE, 'bin', 'snakemake');
  if (!existsSync(snakemake)) {
    if (spawnSync('python3', ['-c', 'import ensurepip'], { stdio: 'ignore' }).status !== 0)
      run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'python3-venv']);
    run('python3', ['-m', 'venv', MADE]);
    run(join(MADE, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...SNAKEMAKE]);
  }
  return snakemake;
}
