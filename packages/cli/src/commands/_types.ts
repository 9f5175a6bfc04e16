import type { Command } from 'commander';
import type { Output } from '../output.js';

export interface CommandModule {
  define(command: Command): Command;
  run(args: string[], options: never, output: Output): Promise<void>;
}
