import type { Figure, ResultBase } from '../../results/types.js';
import type { TendencyPanel } from '../tendency/types.js';

/** What a rule looks at: a figure of a layer, or a metric that the training recorded. */
export type RuleFigure =
  | 'block count'
  | 'share in no block'
  | 'difference to the last snapshot'
  | 'dead units'
  | { metric: string };

/** A condition on one figure over the snapshots. */
export interface Rule {
  /** As it was given. */
  text: string;
  figure: RuleFigure;
  /** null: the last layer; of dead units the activation layer that has most. */
  layer: string | null;
  change: 'over' | 'under' | 'fell' | 'rose';
  /** Limit of "over" and "under"; by how much it has to fall or rise at least (0: at all). */
  by: number;
  /** At so many snapshots in a row. */
  times: number;
}

/** A rule beginning to hold. */
export interface Alarm {
  rule: string;
  snapshot: string;
  /** In words: "at epoch-0003 block count of R4 fell from 10 to 7". */
  text: string;
}

/** `watch`: rules on a run's snapshots. */
export interface WatchResult extends ResultBase {
  method: 'watch';
  /** Samples that figures of layers are taken on. */
  samples: { count: number };
  snapshots: TendencyPanel['snapshot'][];
  rules: (Omit<Rule, 'figure'> & {
    /** With its layer: "block count of R4". */
    figure: string;
    /** One a snapshot; null with the reason where it is not defined, as a difference at the first. */
    values: Figure[];
    /** Places among the snapshots where the rule holds. */
    holds: number[];
  })[];
  /** In the order of the snapshots. */
  alarms: Alarm[];
}
