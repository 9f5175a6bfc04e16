import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main } from 'epochscope/cli';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Makes an empty folder one in which documents' commands run as they stand: with the repository's tests/ and bin/epochscope. */
export function furnish(folder: string): void {
  symlinkSync(join(root, 'tests'), join(folder, 'tests'));
  mkdirSync(join(folder, 'bin'));
  const bin = join(folder, 'bin', 'epochscope');
  writeFileSync(
    bin,
    `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'packages/cli/dist/main.js')}" "$@"\n`,
  );
  chmodSync(bin, 0o755);
}

export interface Answer {
  code: number;
  out: string;
  err: string;
}

/** The CLI in this process, so that a test costs no start: exit code, standard output and standard error. */
export async function cliUntil(argv: readonly string[], signal: AbortSignal): Promise<Answer> {
  let out = '';
  let err = '';
  const code = await main(argv, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    env: {},
    signal,
  });
  return { code, out, err };
}

export const cli = (...argv: string[]): Promise<Answer> => cliUntil(argv, new AbortController().signal);

/** The same, stopped once a text has been said. */
export async function cliUntilSaid(said: string, ...argv: string[]): Promise<{ code: number; err: string }> {
  const controller = new AbortController();
  let err = '';
  const code = await main(argv, {
    stdout: { write: () => true },
    stderr: {
      write: (text) => {
        err += text;
        if (err.includes(said)) controller.abort();
      },
    },
    env: {},
    signal: controller.signal,
  });
  return { code, err };
}
