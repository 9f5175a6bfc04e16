import { type TrainResult, type TrainRunOptions, trainRun } from '@epochscope/analysis';
import type { Dataset } from '@epochscope/analysis/models';
import { goesOn, talk } from './analyse.js';
import type { Output } from './output.js';

/** Trains and writes a run, telling how far it is. Throws as `trainRun` of analysis. */
export async function trainTold(
  directory: string,
  data: Dataset,
  options: Partial<Omit<TrainRunOptions, 'data'>>,
  overwrite: boolean,
  output: Output,
): Promise<TrainResult> {
  const { stop, onProgress, ...how } = talk(output);
  let begun = false;
  return trainRun(directory, data, options, {
    ...how,
    overwrite,
    onProgress(progress) {
      begun ||= progress.stageShare > 0;
      onProgress!(progress);
    },
  })
    .catch((cause) => {
      throw begun ? goesOn(cause, 'snapshots and the state of the training are kept') : cause;
    })
    .finally(stop);
}
