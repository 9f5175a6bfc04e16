import { CommanderError } from 'commander';

/** Options or arguments that are missing, contradict each other or do not go with the target: one line, exit 2. */
export const usage = (message: string): CommanderError =>
  new CommanderError(2, 'epochscope.usage', `error: ${message}`);

/** Throws `usage` for the first option that was given, and says why it may not be. */
export function refuseGiven(options: Record<string, unknown>, why: string): void {
  for (const [option, value] of Object.entries(options))
    if (value !== undefined && value !== false) throw usage(`${option}: ${why}`);
}
