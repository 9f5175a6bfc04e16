// Before `npm pack`, in a package's folder: builds into an empty dist, so that nothing of earlier builds is packed.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync('npm', ['run', 'build'], {
  // stdout is npm's own: `npm pack --json`.
  stdio: ['ignore', 2, 2],
  shell: process.platform === 'win32',
});
process.exit(status ?? 1);
