// Where all workers of a job meet.
import { ptr, setWord, word } from '../../../assembly/words';
import { Job, Sync, Worker } from '../memory';

// Some 0.1 ms: a sleep costs more than a step, so that short spinning makes several workers slower than one.
const SPIN: u32 = 100000;

/** All workers meet; false if the job was aborted meanwhile. The counter only grows, so that it is its own epoch. */
export function atBarrier(job: usize, state: usize): bool {
  const workers = word(job, Job.workers);
  if (workers == 1) return true;
  const sync = ptr(job, Job.sync);
  const target = word(state, Worker.epoch) + workers;
  setWord(state, Worker.epoch, target);
  atomic.add<u32>(sync, 1);
  if (atomic.load<u32>(sync, Sync.sleepers << 2) != 0) atomic.notify(sync, -1);
  for (let i: u32 = 0; i < SPIN; i++) if (<i32>(atomic.load<u32>(sync) - target) >= 0) return true;
  atomic.add<u32>(sync, 1, Sync.sleepers << 2);
  let ok = true;
  for (;;) {
    const seen = atomic.load<u32>(sync);
    if (<i32>(seen - target) >= 0) break;
    if (atomic.load<u32>(sync, Sync.abort << 2) != 0) {
      ok = false;
      break;
    }
    // V8's baseline compiler up to Node 20 keeps the address it waits on in 8 bytes of a slot for 4, over what lies
    // before it: that must be no local (it was `target`, of which 0 was left, so that workers went on early), but a
    // constant, which needs no slot.
    store<i32>(sync, 2 - atomic.wait<i32>(sync, seen, 20000000), Sync.lastWake << 2);
  }
  atomic.sub<u32>(sync, 1, Sync.sleepers << 2);
  return ok;
}
