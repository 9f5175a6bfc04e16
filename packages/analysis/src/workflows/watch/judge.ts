import { createInlineEngine } from '../../engine/inline.js';
import type { Alarm } from '../../methods/watch/index.js';
import { openRun } from '../../run/read.js';
import { memoryStore } from '../../stores/memory.js';
import type { Store } from '../../stores/types.js';
import { watchRun } from './index.js';

/** Judges a run that is being written, each time it is asked: the alarms that are new. Only new snapshots are computed, in this thread. */
export function judgeOf(store: Store, rules: readonly string[]): () => Promise<Alarm[]> {
  const parts = { store: memoryStore('parts'), folder: 'parts' };
  const engine = createInlineEngine();
  let told = 0;
  return async () => {
    const { alarms } = await watchRun(await openRun(store), { rules }, { engine, parts });
    const fresh = alarms.slice(told);
    told = alarms.length;
    return fresh;
  };
}
