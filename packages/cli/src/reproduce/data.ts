import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Dataset, type DownloadName, downloadDataset, openDataset } from '@epochscope/analysis/node';
import { EpochscopeError, guard } from '@epochscope/core-wasm';
import type { Output } from '../output.js';
import type { ExperimentOptions } from './types.js';

/**
 * The data of an experiment: a folder, "bundled", "download" (into the user's cache, checksums checked), or the bundled
 * digits when quick. Throws `argument` with the ways out when none is given, and when pictures have another shape.
 */
export async function experimentData(
  name: DownloadName,
  { data, quick }: Pick<ExperimentOptions, 'data' | 'quick'>,
  shape: readonly [number, number, number],
  output: Output,
): Promise<Dataset> {
  const where = data ?? (quick && name === 'mnist' ? 'bundled' : undefined);
  if (where === undefined)
    throw new EpochscopeError(
      'argument',
      `this experiment needs ${name}: give its folder as --data DIR, fetch it with --data download${name === 'mnist' ? ', or take the bundled digits with --quick' : ''}`,
      { dataset: name },
    );
  const dataset = await openDataset(where === 'download' ? await fetched(name, output) : where);
  guard(
    dataset.shape.join() === shape.join(),
    'argument',
    () => `${dataset.source}: expected pictures of ${shape.join('×')}, got ${dataset.shape.join('×')}`,
    { expected: shape.join('×'), got: dataset.shape.join('×') },
  );
  return dataset;
}

async function fetched(name: DownloadName, output: Output): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'epochscope');
  const progress = output.progress(`Fetching ${name}`);
  try {
    return await downloadDataset(name, cache, {
      signal: output.signal,
      onProgress: ({ file, done, total }) => progress.update(done, total, file),
    });
  } finally {
    progress.stop();
  }
}
