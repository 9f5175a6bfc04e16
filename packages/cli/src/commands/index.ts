import type { Command } from 'commander';
import type { Output } from '../output.js';

export interface CommandModule {
  define(command: Command): Command;
  run(args: string[], options: never, output: Output): Promise<void>;
}

/** One line a command; loaded when used. */
export const COMMANDS: Record<string, () => Promise<CommandModule>> = {
  demo: () => import('./demo.js'),
  train: () => import('./train.js'),
  tendency: () => import('./tendency.js'),
  modules: () => import('./modules.js'),
  prune: () => import('./prune.js'),
  geometry: () => import('./geometry.js'),
  reproduce: () => import('./reproduce.js'),
  report: () => import('./report.js'),
  change: () => import('./change.js'),
  difference: () => import('./difference.js'),
  path: () => import('./path.js'),
  activity: () => import('./activity.js'),
  serve: () => import('./serve.js'),
  import: () => import('./import.js'),
  info: () => import('./info.js'),
};
