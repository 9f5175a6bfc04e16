import { setReadLimits } from '@epochscope/analysis';
import { Command, CommanderError } from 'commander';
import { commonOptions } from '../commands/_shared.js';
import type { CommandModule } from '../commands/_types.js';
import type { Output } from '../output.js';
import { usage } from '../usage.js';

/** Commands whose work can be done as tasks. `whole`: the command itself is one. */
export const METHODS: Record<string, { load: () => Promise<CommandModule>; whole?: boolean }> = {
  tendency: { load: () => import('../commands/tendency.js') },
  modules: { load: () => import('../commands/modules.js') },
  change: { load: () => import('../commands/change.js') },
  activity: { load: () => import('../commands/activity.js') },
  geometry: { load: () => import('../commands/geometry.js') },
  features: { load: () => import('../commands/features.js') },
  difference: { load: () => import('../commands/difference.js') },
  prune: { load: () => import('../commands/prune.js') },
  import: { load: () => import('../commands/import.js'), whole: true },
  reproduce: { load: () => import('../commands/reproduce.js'), whole: true },
};

export const isWhole = ([name]: readonly string[]): boolean => Boolean(METHODS[name ?? '']?.whole);

export interface ParsedCommand {
  args: readonly string[];
  options: Record<string, unknown>;
  run(output: Output, change?: Record<string, unknown>): Promise<void>;
}

/** A command as it was given, checked. Throws `usage` errors of commander. */
export async function parsedCommand([name, ...args]: readonly string[]): Promise<ParsedCommand> {
  const method = Object.hasOwn(METHODS, name ?? '') ? METHODS[name!]! : null;
  if (!method)
    throw usage(
      `after -- expected a command, one of ${Object.keys(METHODS).join(', ')}, got ${name ?? 'nothing'}`,
    );
  const module = await method.load();
  const command: Command = commonOptions(module.define(new Command(name))).exitOverride();
  command.configureOutput({ writeErr: () => {} });
  try {
    command.parse(args, { from: 'user' });
  } catch (cause) {
    if (!(cause instanceof CommanderError) || cause.exitCode === 0) throw cause;
    throw usage(cause.message.replace(/^error: /, ''));
  }
  const options = command.opts();
  return {
    args: command.args,
    options,
    async run(output, change = {}) {
      // The command line has set what its own options say, not those behind --.
      if (options.followLinks)
        setReadLimits({ memory: options.memory, followLinks: true, signal: output.signal });
      await module.run(command.args, { ...options, ...change } as never, output);
    },
  };
}

/** What stops a command once its plan is made, or its task done. */
export class Stop extends Error {}

/** Runs a command up to where its work is done as tasks. Throws `argument` where it comes to no such place. */
export async function runUpToWork(command: readonly string[], output: Output): Promise<void> {
  const { run } = await parsedCommand(command);
  try {
    await run(output);
  } catch (cause) {
    if (cause instanceof Stop) return;
    throw cause;
  }
  throw usage(`${command.join(' ')}: nothing of this can be done as tasks`);
}
