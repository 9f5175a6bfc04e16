import { guard } from '@epochscope/core-wasm';
import { platform } from '#platform';
import type { Tensor } from '../../formats/types.js';
import { shown } from '../../stores/paths.js';
import type { Appender, Store } from '../../stores/types.js';
import { isSafeName, isSnapshotInfo } from '../manifest.js';
import type { SnapshotInfo } from '../types.js';
import { readStepLog, STEP_FILES, STEPS_FORMAT, type StepLog } from './log.js';
import { layout, pack } from './record.js';

const FLUSH_MILLISECONDS = 1000;

export interface StepWriter {
  append(info: SnapshotInfo, weights: ReadonlyMap<string, Tensor>): Promise<void>;
  /** Flushes to the disk itself; after that not even a power cut loses what was appended. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the log for appending, after cutting off what is not whole. A record is written before its line, so a process
 * killed at any moment leaves whole snapshots only; both are flushed to the disk about once a second and at `flush`, and
 * a record that a power cut damaged is found by its checksum. Throws `io`, `format`.
 */
export async function openStepWriter(store: Store): Promise<StepWriter> {
  let log: Pick<StepLog, 'tensors' | 'recordBytes' | 'count'> | null = null;
  const old = await readStepLog(store);
  log = old;
  let index: Appender | null = await store.append(STEP_FILES.index, old?.indexBytes ?? 0);
  let weights: Appender | null = null;
  try {
    weights = await store.append(STEP_FILES.weights, old ? old.count * old.recordBytes : 0);
  } catch (cause) {
    await index.close();
    throw cause;
  }
  let flushed = performance.now();
  let flushing: Promise<void> | null = null;
  let failure: unknown = null;
  const line = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value)}\n`);
  const writer: StepWriter = {
    async append(info, tensors) {
      guard(
        isSafeName(info.id) && isSnapshotInfo(info),
        'argument',
        () =>
          `snapshot: expected a plain id, epoch, step and metrics, got ${JSON.stringify(info).slice(0, 200)}`,
        { id: info.id },
      );
      guard(index && weights, 'io', () => `${shown(store, STEP_FILES.index)}: the step log is closed`);
      const header = log ?? layout(tensors);
      // Refuses what cannot be a record before the first line is written.
      const record = pack(header, tensors, info.id);
      if (!log) {
        await index.append(line({ format: STEPS_FORMAT, ...header }));
        log = { ...header, count: 0 };
      }
      await weights.append(record);
      await index.append(line({ ...info, crc32: platform.crc32(record) }));
      log.count++;
      if (failure) throw failure;
      // Beside the training; a disk that fails is told at the next append.
      if (!flushing && performance.now() - flushed > FLUSH_MILLISECONDS)
        flushing = writer
          .flush()
          .catch((cause) => {
            failure = cause;
          })
          .finally(() => {
            flushing = null;
          });
    },
    async flush() {
      await weights?.flush();
      await index?.flush();
      flushed = performance.now();
    },
    async close() {
      await flushing;
      const open = [weights, index];
      weights = index = null;
      for (const file of open) await file?.close();
    },
  };
  return writer;
}
