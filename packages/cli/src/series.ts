import { httpStore } from '@epochscope/analysis';
import type { Output } from './output.js';

/** Which of the checkpoints that lie somewhere. */
export interface SeriesChoice {
  revisions?: string;
  series?: string;
  pattern?: string;
}

/** A hub is asked with patience, and says so. */
export const hubOptions = (output: Output) => ({
  signal: output.signal,
  onWait: (message: string) => output.say(message),
});

/** Whether an address is that of checkpoints, rather than of a run. */
export async function isSeriesAddress(place: string, { revisions }: SeriesChoice): Promise<boolean> {
  if (!/^https?:\/\//i.test(place)) return false;
  return (
    revisions !== undefined ||
    !(await httpStore(place)
      .has('run.json')
      .catch(() => false))
  );
}
