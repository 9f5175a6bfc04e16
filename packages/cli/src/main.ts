#!/usr/bin/env node
import { ofThisMachine, tooFewAddresses, tooOld } from './limits.js';

const problem = tooOld(process.versions.node) ?? tooFewAddresses();
if (problem) {
  process.stderr.write(`epochscope: ${problem}\n`);
  process.exit(1);
}

const controller = new AbortController();
let interrupted = 0;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    controller.abort();
    // Asked again: leave at once; files appear whole or not at all either way.
    if (++interrupted > 1) process.exit(130);
  });
}

// Node's own parts fail outside our calls, for instance where memory is limited.
process.on('uncaughtException', (error) => {
  const known = ofThisMachine(error);
  process.stderr.write(known ? `epochscope: ${known.message}\n` : `${error.stack}\n`);
  process.exit(1);
});

// Whoever read our output has gone (`| head -1`): stop quietly; what is being written appears whole or not at all.
let unread = false;
let lost: NodeJS.ErrnoException | null = null;
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') unread = true;
    else if (stream === process.stdout) lost ??= error;
    // Talk that a full disk does not take is no reason to stop.
    else return;
    controller.abort();
  });

// Here and not above: where few files may be open, loading fails first, and says so like anything else.
const { main } = await import('./cli.js');
let code = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: controller.signal,
});
// Errors of a stream are told after the write that failed.
await new Promise<void>((resolve) => {
  if (unread || lost) resolve();
  else process.stdout.write('', () => setImmediate(resolve));
});
if (lost) {
  const { code: errno, message } = lost as NodeJS.ErrnoException;
  process.stderr.write(
    `epochscope: the output could not be written: ${errno === 'ENOSPC' ? 'the disk is full' : (errno ?? message)}\n`,
  );
  code = 1;
} else if (unread && code === 130 && !interrupted) code = 0;
process.exitCode = code;
