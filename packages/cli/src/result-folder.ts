import { join } from 'node:path';
import { checkResultFolder } from '@epochscope/analysis/node';

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
  await checkResultFolder(folder);
  return folder;
}
