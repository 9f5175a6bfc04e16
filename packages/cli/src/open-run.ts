import { openRun, type Run } from '@epochscope/analysis';
import { guard } from '@epochscope/core-wasm';
import type { Output } from './output.js';
import { resultFolder } from './result-folder.js';

/** A run to be analysed, its warnings told, and where the result goes. Throws as `openRun` and `resultFolder` do. */
export async function openFor(
  method: string,
  directory: string,
  options: { output?: string; name: string },
  output: Output,
): Promise<{ run: Run; folder: string }> {
  const run = await openRun(directory);
  const folder = await resultFolder(directory, method, options);
  for (const warning of run.warnings) output.warn(warning);
  return { run, folder };
}

/** Snapshots by id, epoch, "first", "last", "init" or "all", in the run's order, each once. Throws `missing` if there are none. */
export function chooseSnapshots(run: Run, wanted: readonly string[]): Run['manifest']['snapshots'] {
  const { snapshots } = run.manifest;
  guard(snapshots.length > 0, 'missing', () => `${run.store.name} holds no complete snapshot`, {
    path: run.store.name,
  });
  if (wanted.includes('all')) return snapshots;
  const ids = new Set(wanted.map((name) => run.snapshot(name).id));
  return snapshots.filter(({ id }) => ids.has(id));
}
