#!/usr/bin/env node
import { main } from './index.js';

const controller = new AbortController();
let interrupted = 0;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    controller.abort();
    // Asked again: leave at once; files appear whole or not at all either way.
    if (++interrupted > 1) process.exit(130);
  });
}
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
});
process.exitCode = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: controller.signal,
});
