import { type Dataset, type DownloadName, openDataset } from '@epochscope/analysis/models';
import { guard } from '@epochscope/core-wasm';
import { fetchDataset } from '../data.js';
import type { Output } from '../output.js';
import { refuseGiven, usage } from '../usage.js';
import type { ExperimentOptions } from './types.js';

/**
 * The data of an experiment: a folder, "bundled", "download" (into `download` or the user's cache, checksums checked), or the bundled
 * digits when quick. Throws `argument` with the ways out when none is given, and when pictures have another shape.
 */
export async function experimentData(
  name: DownloadName,
  { data, quick, download }: Pick<ExperimentOptions, 'data' | 'quick' | 'download'>,
  shape: readonly [number, number, number],
  output: Output,
): Promise<Dataset> {
  const where =
    data ?? (download !== undefined ? 'download' : quick && name === 'mnist' ? 'bundled' : undefined);
  if (where === undefined)
    throw usage(
      `this experiment needs ${name}: give its folder as --data DIR, fetch it with --data download${name === 'mnist' ? ', or take the bundled digits with --quick' : ''}`,
    );
  const fetches = where === 'download' || where === name;
  if (!fetches) refuseGiven({ '--download': download }, `goes with --data download, got --data ${where}`);
  const dataset = await openDataset(fetches ? await fetchDataset(name, download, output) : where);
  guard(
    dataset.shape.join() === shape.join(),
    'argument',
    () => `${dataset.source}: expected pictures of ${shape.join('×')}, got ${dataset.shape.join('×')}`,
    { expected: shape.join('×'), got: dataset.shape.join('×') },
  );
  return dataset;
}
