import { type TrainRunOptions, type TrainSummaryOfRun, trainRun } from '@epochscope/analysis';
import type { Dataset } from '@epochscope/analysis/models';
import { talk } from './analyse.js';
import type { Output } from './output.js';

/** Trains and writes a run, telling how far it is. Throws as `trainRun` of analysis. */
export async function trainTold(
  directory: string,
  data: Dataset,
  options: Partial<TrainRunOptions>,
  overwrite: boolean,
  output: Output,
): Promise<TrainSummaryOfRun> {
  const { stop, ...how } = talk(output);
  return trainRun(directory, data, options, { ...how, overwrite }).finally(stop);
}
