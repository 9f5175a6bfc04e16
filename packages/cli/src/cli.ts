import { toolInfo } from '@epochscope/analysis';
import { EpochscopeError, printable } from '@epochscope/core-wasm';
import { Command, CommanderError } from 'commander';
import { commonOptions } from './commands/_shared.js';
import { COMMANDS } from './commands/index.js';
import { ofThisMachine } from './limits.js';
import { createOutput, type Io, withFlags } from './output.js';

export type { Io } from './output.js';

/** Exit codes: 0 done, 1 failed, 2 wrong usage, 3 failed and would fail again, 4 a rule of `watch` held, 130 cancelled. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const wantsJson = argv.includes('--json');
  const debug = argv.includes('--debug');
  const program = new Command('epochscope')
    .description('Shows what a neural network learns, epoch by epoch.')
    .version(toolInfo.version)
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}` })
    .showHelpAfterError('(epochscope --help says more)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(wantsJson ? '' : text),
    })
    .addHelpText(
      'after',
      '\nEvery command takes --json (results and errors as JSON on stdout) and --debug (stack traces).\nFirst steps:  epochscope demo\n              epochscope PATH opens a run, checkpoints, a matrix, a result, a zip or a net',
    );
  const fail = (code: string, message: string, fields: object, exit: number) => {
    if (wantsJson) io.stdout.write(`${JSON.stringify({ error: { code, message, ...fields } })}\n`);
    return exit;
  };
  const [first, second] = argv;
  // Help of one command is that command's own.
  const given =
    first === 'help' && second !== undefined && isCommand(second)
      ? [second, '--help']
      : argv.length
        ? argv
        : ['--help'];
  try {
    if (!isCommand(given[0]!) && !given[0]!.startsWith('-') && given[0] !== 'help') {
      const { looksLikePath } = await import('./open.js');
      if (await looksLikePath(given[0]!)) return await openPath(given[0]!, given.slice(1), io);
    }
    // One command is asked for: the others, and what they rest on, are not loaded.
    for (const [name, { about, takes, load }] of Object.entries(COMMANDS)) {
      const command = program.command(name).description(about).usage(`[options] ${takes}`.trim());
      if (name !== given[0]) continue;
      const module = await load();
      // Settings are inherited only by commands made through program.command.
      commonOptions(module.define(command.usage(''))).action(async () => {
        const { setDefaultThreads, setReadLimits } = await import('@epochscope/analysis');
        const { setDefaultMemory } = await import('@epochscope/analysis/workflows');
        setDefaultThreads(command.opts().threads);
        const { stopPipesBy } = await import('./matrix-file.js');
        stopPipesBy(io.signal);
        const { memory, followLinks } = command.opts();
        setReadLimits({ memory, followLinks, signal: io.signal });
        setDefaultMemory(command.opts().memory);
        await module.run(command.args, command.opts() as never, createOutput(io, wantsJson));
      });
    }
    await program.parseAsync([...given], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0 || error.code === 'commander.help')
        return error.code === 'commander.help' ? 2 : 0;
      // Commander has told of its own errors, but for those that parsers of values throw.
      const untold =
        error.code.startsWith('epochscope.') ||
        (error.code === 'commander.invalidArgument' && !error.message.startsWith('error:'));
      if (untold && !wantsJson) io.stderr.write(`epochscope: ${error.message.replace(/^error: /, '')}\n`);
      return fail('usage', error.message.replace(/^error: /, ''), {}, 2);
    }
    const limit = error instanceof EpochscopeError ? null : ofThisMachine(error);
    const known = limit
      ? new EpochscopeError(limit.code, limit.message)
      : error instanceof EpochscopeError
        ? error
        : null;
    // The command has told of it.
    if (known?.fields.said) return typeof known.fields.exit === 'number' ? known.fields.exit : 1;
    const message = known
      ? withFlags(known.message)
      : printable(error instanceof Error ? error.message : String(error));
    if (!wantsJson) io.stderr.write(`epochscope: ${message}\n`);
    if (debug && error instanceof Error) io.stderr.write(`${error.stack}\n`);
    else if (!known && !wantsJson) io.stderr.write('This is a defect of ours; --debug shows where.\n');
    if (known?.code === 'cancelled') return fail(known.code, message, known.fields, 130);
    return fail(
      known?.code ?? 'internal',
      message,
      known?.fields ?? {},
      known?.fields.retry === false ? 3 : 1,
    );
  }
}

/** `epochscope PATH`: says what it is and runs what shows it. What else is given goes to the last command. */
async function openPath(path: string, rest: readonly string[], io: Io): Promise<number> {
  const { recognise } = await import('./open.js');
  const { about, steps, temporary } = await recognise(path);
  const output = createOutput(io, false);
  output.say(about);
  try {
    for (const [i, step] of steps.entries()) {
      const last = i === steps.length - 1;
      // Results of the steps before are talk; the last one's is what was asked for.
      const code = await main(last ? [...step, ...rest] : step, last ? io : { ...io, stdout: io.stderr });
      if (code) return code;
    }
    return 0;
  } finally {
    const { rm } = await import('node:fs/promises');
    for (const folder of temporary) await rm(folder, { recursive: true, force: true });
  }
}

const isCommand = (name: string) => Object.hasOwn(COMMANDS, name);
