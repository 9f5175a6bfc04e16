import { toolInfo } from '@epochscope/analysis';
import { EpochscopeError } from '@epochscope/core-wasm';
import { Command, CommanderError } from 'commander';
import { COMMANDS } from './commands/index.js';
import { createOutput, type Io } from './output.js';

export type { Io } from './output.js';

/** Exit codes: 0 done, 1 failed, 2 wrong usage, 130 cancelled. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const wantsJson = argv.includes('--json');
  const debug = argv.includes('--debug');
  const program = new Command('epochscope')
    .description('Shows what a neural network learns, epoch by epoch.')
    .version(toolInfo.version)
    .showHelpAfterError('(epochscope --help says more)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(wantsJson ? '' : text),
    })
    .addHelpText(
      'after',
      '\nEvery command takes --json (results and errors as JSON on stdout) and --debug (stack traces).\nFirst steps:  epochscope demo',
    );
  const fail = (code: string, message: string, fields: object, exit: number) => {
    if (wantsJson) io.stdout.write(`${JSON.stringify({ error: { code, message, ...fields } })}\n`);
    return exit;
  };
  try {
    for (const [name, load] of Object.entries(COMMANDS)) {
      const module = await load();
      // Settings are inherited only by commands made through program.command.
      module
        .define(program.command(name))
        .option('--json', 'results and errors as JSON')
        .option('--debug', 'show stack traces')
        .action(async (...args: unknown[]) => {
          const command = args.pop() as Command;
          args.pop();
          await module.run(command.args, command.opts() as never, createOutput(io, wantsJson));
        });
    }
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0 || error.code === 'commander.help')
        return error.code === 'commander.help' ? 2 : 0;
      if (error.code === 'commander.invalidArgument' && !wantsJson && !error.message.startsWith('error:'))
        io.stderr.write(`epochscope: ${error.message}\n`);
      return fail('usage', error.message.replace(/^error: /, ''), {}, 2);
    }
    const known = error instanceof EpochscopeError;
    const message = error instanceof Error ? error.message : String(error);
    if (!wantsJson) io.stderr.write(`epochscope: ${message}\n`);
    if (debug && error instanceof Error) io.stderr.write(`${error.stack}\n`);
    else if (!known && !wantsJson) io.stderr.write('This is a defect of ours; --debug shows where.\n');
    if (known && error.code === 'cancelled') return fail(error.code, message, error.fields, 130);
    return fail(known ? error.code : 'internal', message, known ? error.fields : {}, 1);
  }
}
