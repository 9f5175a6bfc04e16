import { toolInfo } from '@epochscope/analysis';
import { BATCH_FORMAT, type BatchPlan, keyOf } from '@epochscope/analysis/batch';
import { seedsOf } from '../reproduce/seeds.js';
import { usage } from '../usage.js';
import { type ParsedCommand, parsedCommand } from './command.js';

/** `import` as one task, `reproduce` as one for each seed. Throws `usage` errors of commander. */
export async function planOfCommand(command: readonly string[], memory: number): Promise<BatchPlan> {
  const commands = commandsOf(command, await parsedCommand(command));
  return {
    format: BATCH_FORMAT,
    tool: toolInfo,
    command: [...command],
    directory: process.cwd(),
    memory,
    tasks: commands.map((one) => ({
      key: keyOf('command', one),
      what: one.join(' '),
      memory,
      reads: null,
      seconds: null,
      after: [],
    })),
    work: { kind: 'commands', commands },
  };
}

function commandsOf(command: readonly string[], { args, options }: ParsedCommand): string[][] {
  if (command[0] !== 'reproduce') return [[...command]];
  if (!args.length) throw usage('reproduce: expected a paper after it');
  // The last of an option counts.
  return seedsOf(options as never).map((seed) => [
    ...command,
    ...['--seed', String(seed), '--seeds', '1', '--no-claims'],
  ]);
}
