import { join } from 'node:path';
import { toolInfo } from '@epochscope/analysis';
import { BATCH_FORMAT, type BatchPlan, keyOf } from '@epochscope/analysis/batch';
import { parsedCommand } from './command.js';

/** Commands that are a task each: one, or one a seed, each with a folder of its own. */
export async function commandsOf(
  command: readonly string[],
  seeds: readonly number[] | undefined,
  memory: number,
): Promise<BatchPlan> {
  await parsedCommand(command);
  const commands = seeds ? seeds.map((seed) => ofSeed(command, seed)) : [[...command]];
  for (const one of commands) await parsedCommand(one);
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

/** The last of an option counts. */
function ofSeed(command: readonly string[], seed: number): string[] {
  const at = command.findIndex((word) => word === '-o' || word === '--output');
  const base = at >= 0 ? command[at + 1]! : `epochscope-${command[1] ?? 'paper'}`;
  return [...command, '--seed', String(seed), '-o', join(base, `seed-${seed}`)];
}
