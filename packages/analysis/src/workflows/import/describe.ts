import { EpochscopeError } from '@epochscope/core-wasm';
import {
  checkWeights,
  type FindOptions,
  type ImportPlan,
  type PlannedSnapshot,
  planImport,
} from '../../run/import/index.js';
import type { Place } from '../../stores/of.js';
import { checkNotCancelled, type WorkflowOptions } from '../run.js';

export interface ImportDescription extends Omit<ImportPlan, 'snapshots'> {
  /** `tensors`: how many weights hold; null where there are none, or they cannot be read. */
  snapshots: (PlannedSnapshot & { tensors: number | null })[];
  unreadable: { path: string; reason: string }[];
}

/** What a folder of checkpoints would give, looking at every file's header. Throws as `planImport`, `cancelled`. */
export async function describeImport(
  place: Place,
  {
    signal,
    onProgress,
    ...found
  }: FindOptions &
    Pick<WorkflowOptions, 'signal'> & {
      onProgress?: (done: number, total: number, path: string) => void;
    } = {},
): Promise<ImportDescription> {
  const plan = await planImport(place, found);
  const snapshots: ImportDescription['snapshots'] = [];
  const unreadable: ImportDescription['unreadable'] = [];
  for (const [i, snapshot] of plan.snapshots.entries()) {
    checkNotCancelled(signal, `looking at ${plan.store.name} was cancelled`);
    onProgress?.(i, plan.snapshots.length, snapshot.path);
    let tensors: number | null = null;
    try {
      if (snapshot.weights) tensors = (await checkWeights(plan.store, snapshot.weights)).length;
    } catch (cause) {
      if (!(cause instanceof EpochscopeError) || cause.code === 'internal') throw cause;
      unreadable.push({ path: snapshot.path, reason: cause.message });
    }
    snapshots.push({ ...snapshot, tensors });
  }
  return { ...plan, snapshots, unreadable };
}
