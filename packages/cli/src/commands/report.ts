import { join } from 'node:path';
import { formatBytes } from '@epochscope/core-wasm';
import type { Command } from 'commander';
import { isFolder } from '../files.js';
import type { Output } from '../output.js';
import { writeReport } from '../report/page.js';

export function define(command: Command): Command {
  return command
    .argument('<run>', 'run directory, the folder of a single result, or a result in one file')
    .argument('[others...]', 'more runs for the same page, to compare with')
    .option('-o, --output <file>', 'page to write (default: report.html in the run)')
    .addHelpText('after', '\nExample:\n  epochscope report my-run -o my-run.html');
}

export async function run(
  [directory, ...others]: string[],
  o: { output?: string },
  output: Output,
): Promise<void> {
  const file =
    o.output ?? ((await isFolder(directory!)) ? join(directory!, 'report.html') : `${directory}.html`);
  const { bytes, results } = await writeReport(directory!, file, others);
  if (!results)
    output.warn(`${directory} holds no results yet; run "epochscope tendency ${directory}" first`);
  output.result(`${file} (${formatBytes(bytes)}, ${results} ${results === 1 ? 'result' : 'results'})`, {
    file,
    bytes,
    results,
  });
}
