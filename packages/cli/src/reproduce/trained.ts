import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openRun, type RunManifest } from '@epochscope/analysis';
import { guard } from '@epochscope/core-wasm';
import type { Output } from '../output.js';

/**
 * What an earlier, cut-off reproduction left in a folder: "complete" can be used as it is, "cut" is to be trained anew over it,
 * "none" is to be trained. Throws `argument` for a run that `same` does not know, unless it may be overwritten.
 */
export async function earlierTraining(
  directory: string,
  overwrite: boolean,
  same: (manifest: RunManifest) => boolean,
  output: Output,
): Promise<'none' | 'cut' | 'complete'> {
  const there = await stat(join(directory, 'run.json')).then(
    () => true,
    () => false,
  );
  if (!there) return 'none';
  if (overwrite) return 'cut';
  const { manifest } = await openRun(directory);
  guard(
    same(manifest),
    'argument',
    () =>
      `${directory} was trained with other options (${JSON.stringify(manifest.training)}); choose another folder or pass --overwrite`,
    { path: directory },
  );
  if (!manifest.complete) return 'cut';
  output.say(`${directory} is trained already`);
  return 'complete';
}
