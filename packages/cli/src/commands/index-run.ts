import { openRun } from '@epochscope/analysis';
import { writeIndex } from '@epochscope/analysis/runs';
import type { Command } from 'commander';
import type { Output } from '../output.js';

export function define(command: Command): Command {
  return command
    .argument('<run>', 'run directory; runs written here have one, those of other programs may not')
    .addHelpText('after', '\nExample:\n  epochscope index my-run');
}

export async function run([directory]: string[], _: object, output: Output): Promise<void> {
  await openRun(directory!);
  const files = await writeIndex(directory!);
  output.result(`${directory}/index.json: ${files} files`, { run: directory, files });
}
