import type { Figure, ResultBase } from '../../results/types.js';

/** What each filter of one layer responds to at one snapshot. */
export interface ActivityPanel {
  snapshot: { id: string; epoch: number | null; step: number | null };
  layer: string;
  filters: number;
  /** float64[filters × classes]: eq. 1; NaN-free: 0 where `used[c]` is 0, see `undefinedClasses`. */
  activity: Float64Array;
  /** Samples used per class: those predicted correctly, or all of them where `notSelected` says why. */
  used: Uint32Array;
  /** Why wrongly predicted samples are not left out; not set where they are. */
  notSelected?: string;
  /** Why activity is not divided by the input's sum; not set where it is. */
  notDivided?: string;
  /** Classes whose activity is undefined, with the reason. */
  undefinedClasses: { class: number; reason: string }[];
  /** Per filter, over the defined classes. */
  selectivity: Figure[];
  /** Median and quartiles over the filters with a figure; null when there is none. */
  distribution: { q1: Figure; median: Figure; q3: Figure };
}

export interface ActivityResult extends ResultBase {
  method: 'activity';
  classes: string[];
  panels: ActivityPanel[];
}
