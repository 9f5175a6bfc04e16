import { writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { guard } from '@epochscope/core-wasm';
import { fileError } from '../../formats/file-source.js';
import type { Tensor } from '../../formats/types.js';
import { makeFolder } from '../atomic.js';
import { isSafeName, isSnapshotInfo } from '../manifest.js';
import type { SnapshotInfo } from '../types.js';
import { readStepLog, STEPS_FOLDER, STEPS_FORMAT, type StepLog, stepFiles } from './log.js';
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
export async function openStepWriter(directory: string): Promise<StepWriter> {
  const files = stepFiles(directory);
  let index: FileHandle | null = null;
  let weights: FileHandle | null = null;
  const closeBoth = async () => {
    await index?.close();
    await weights?.close();
    index = weights = null;
  };
  let log: Pick<StepLog, 'tensors' | 'recordBytes' | 'count'> | null = null;
  try {
    await makeFolder(join(directory, STEPS_FOLDER));
    const old = await readStepLog(directory);
    // Not 'a': on some systems appending ignores the place written to.
    index = await open(files.index, old ? 'r+' : 'w+');
    weights = await open(files.weights, old ? 'r+' : 'w+');
    await index.truncate(old?.indexBytes ?? 0);
    await weights.truncate(old ? old.count * old.recordBytes : 0);
    log = old;
  } catch (cause) {
    await closeBoth();
    throw fileError(join(directory, STEPS_FOLDER), cause, 'write');
  }
  let indexAt = (await index.stat()).size;
  let flushed = performance.now();
  let flushing: Promise<void> | null = null;
  let failure: unknown = null;
  // Blocking: into the system's memory it takes a twentieth of a millisecond, and a trip to the thread pool ten times that.
  const put = (handle: FileHandle, bytes: Uint8Array, at: number) => {
    for (let done = 0; done < bytes.length; )
      done += writeSync(handle.fd, bytes, done, bytes.length - done, at + done);
  };
  const putLine = (value: unknown) => {
    const bytes = new TextEncoder().encode(`${JSON.stringify(value)}\n`);
    put(index!, bytes, indexAt);
    indexAt += bytes.length;
  };
  const writer: StepWriter = {
    async append(info, tensors) {
      guard(
        isSafeName(info.id) && isSnapshotInfo(info),
        'argument',
        () =>
          `snapshot: expected a plain id, epoch, step and metrics, got ${JSON.stringify(info).slice(0, 200)}`,
        { id: info.id },
      );
      guard(index && weights, 'io', () => `${directory}: the step log is closed`);
      try {
        const header = log ?? layout(tensors);
        // Refuses what cannot be a record before the first line is written.
        const record = pack(header, tensors, info.id);
        if (!log) {
          putLine({ format: STEPS_FORMAT, ...header });
          log = { ...header, count: 0 };
        }
        put(weights, record, log.count * log.recordBytes);
        putLine({ ...info, crc32: crc32(record) });
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
      } catch (cause) {
        throw fileError(files.weights, cause, 'write');
      }
    },
    async flush() {
      await weights?.datasync();
      await index?.datasync();
      flushed = performance.now();
    },
    async close() {
      await flushing;
      if (index) await writer.flush();
      await closeBoth();
    },
  };
  return writer;
}
