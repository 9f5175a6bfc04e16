import { join } from 'node:path';
import type { ResultBase } from '@epochscope/analysis';
import { checkCancelled } from './cancelled.js';
import { checkOutput, writeResultTo } from './files.js';
import type { Output } from './output.js';

/**
 * Where a method's result for a run goes: `output`, or in the run under the method and `name`. Refused before the long part if anything
 * but an older result stands there. Throws `io`.
 */
export async function resultFolder(
  directory: string,
  method: string,
  { output, name }: { output?: string; name: string },
): Promise<string> {
  const folder = output ?? join(directory, 'results', method, name);
  await checkOutput(folder);
  return folder;
}

/** Writes a whole result there, unless the person has stopped the command. Throws `cancelled`, `io`. */
export async function writeWhole(folder: string, result: ResultBase, output: Output): Promise<void> {
  checkCancelled(output, 'cancelled before anything was written');
  await writeResultTo(folder, result);
}
