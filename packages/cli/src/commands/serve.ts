import { spawn } from 'node:child_process';
import { storeOf } from '@epochscope/analysis';
import { type Command, InvalidArgumentError } from 'commander';
import { isFolder } from '../files.js';
import { insteadOfRuns, runsIn } from '../open.js';
import type { Output } from '../output.js';
import { originsOf, startServer } from '../serve/index.js';
import { names, whole } from './_shared.js';

export function define(command: Command): Command {
  return command
    .argument('<run-or-folder>', 'run directory, or a folder whose subfolders are runs')
    .option('--port <n>', '0 for any free port', whole(0, 65_535), 4860)
    .option(
      '--host <address>',
      'address to listen on; a token is needed when it is not this machine alone',
      '127.0.0.1',
    )
    .option('--allow-host <names>', 'more names that a browser may call this server by', names, [])
    .option('--frame <origins>', 'pages that may show this one in a frame: https://wiki.example', origins, [])
    .option('--open', 'open the page in the browser')
    .addHelpText(
      'after',
      '\nExample:\n  epochscope train -o my-run --snapshots every:1 &\n  epochscope serve my-run --open',
    );
}

function origins(text: string): string[] {
  try {
    return originsOf(names(text));
  } catch (cause) {
    throw new InvalidArgumentError(`${(cause as Error).message}.`);
  }
}

interface Options {
  port: number;
  host: string;
  allowHost: string[];
  frame: string[];
  open?: boolean;
}

export async function run([target]: string[], o: Options, output: Output): Promise<void> {
  if (await isFolder(target!)) {
    const store = await storeOf(target!);
    if (!(await store.has('run.json')) && !(await runsIn(store)).length)
      output.warn(await insteadOfRuns(target!));
  }
  const serving = await startServer({
    target: target!,
    port: o.port,
    host: o.host,
    allowHosts: o.allowHost,
    frames: o.frame,
  });
  output.result(serving.url, { url: serving.url, port: serving.port, token: serving.token });
  if (serving.token) output.say('The address holds a token: whoever has it can read what is served.');
  output.say('Ctrl-C stops.');
  if (o.open) openBrowser(serving.url, output);
  if (!output.signal.aborted)
    await new Promise<void>((resolve) =>
      output.signal.addEventListener('abort', () => resolve(), { once: true }),
    );
  await serving.close();
  output.say('Stopped.');
}

function openBrowser(url: string, output: Output): void {
  const [program, ...before] =
    process.platform === 'darwin'
      ? ['open']
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '']
        : ['xdg-open'];
  const child = spawn(program!, [...before, url], { stdio: 'ignore', detached: true });
  child.on('error', () => output.warn(`no browser could be opened with ${program}; visit ${url}`));
  child.unref();
}
