import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { exp, log } from '../elementary.js';

/** When to take snapshots. `init` adds the untrained state; the last step is always taken. */
export type SnapshotPolicy = { init?: boolean } & (
  | { epochs: number[] }
  | { everySteps: number }
  /** About this many steps, spaced by equal factors. */
  | { logSpaced: number }
);

/** Steps at which to take a snapshot; 0 is the untrained state. Throws `argument`. */
export function snapshotPlan(policy: SnapshotPolicy, epochs: number, stepsPerEpoch: number): Set<number> {
  const total = epochs * stepsPerEpoch;
  const steps = new Set<number>(policy.init ? [0, total] : [total]);
  if ('epochs' in policy) {
    for (const epoch of policy.epochs) {
      guard(
        Number.isInteger(epoch) && epoch >= 0 && epoch <= epochs,
        'argument',
        () => `snapshot epoch: expected a whole number 0 … ${epochs}, got ${epoch}`,
        { epoch },
      );
      steps.add(epoch * stepsPerEpoch);
    }
  } else if ('everySteps' in policy) {
    const every = policy.everySteps;
    guard(
      Number.isInteger(every) && every > 0,
      'argument',
      () => `snapshots every k steps: expected a whole number > 0, got ${every}`,
    );
    for (let step = every; step < total; step += every) steps.add(step);
  } else if ('logSpaced' in policy) {
    const count = policy.logSpaced;
    guard(
      Number.isInteger(count) && count > 1,
      'argument',
      () => `log-spaced snapshots: expected a whole number > 1, got ${count}`,
    );
    for (let i = 0; i < count && total > 0; i++)
      steps.add(Math.max(1, Math.round(exp((log(total) * i) / (count - 1)))));
  } else throw new EpochscopeError('argument', 'snapshots: expected epochs, everySteps or logSpaced');
  return steps;
}
