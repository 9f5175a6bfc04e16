import { writeSync } from 'node:fs';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { bytesOf, elementCount } from '../formats/dtypes.js';
import { fileError } from '../formats/file-source.js';
import type { SafetensorsEntry } from '../formats/safetensors.js';
import type { Tensor } from '../formats/types.js';
import { makeFolder } from './atomic.js';
import { isSafeName, isSnapshotInfo } from './manifest.js';
import type { SnapshotInfo } from './types.js';

// Snapshots at every step, as two files that are only appended to: a folder, two renames and three flushes per snapshot
// would cost more than the step itself. docs/formats/run.md describes them.

export const STEPS_FORMAT = 'epochscope-steps/1';
export const STEPS_FOLDER = 'steps';
const FLUSH_MILLISECONDS = 1000;
/** An index longer than this is refused: 5 000 snapshots take about 1 MB. */
const MAX_INDEX_BYTES = 200_000_000;

export const stepFiles = (directory: string) => ({
  index: join(directory, STEPS_FOLDER, 'index.jsonl'),
  weights: join(directory, STEPS_FOLDER, 'weights.bin'),
});

export interface StepTensor {
  name: string;
  shape: number[];
  /** Bytes from the start of a record. */
  offset: number;
}

/** What the step log holds: record k of `recordBytes` bytes is the float32 weights of one snapshot. */
export interface StepLog {
  tensors: StepTensor[];
  recordBytes: number;
  /** Whole records only, in the order written; of one id written twice the later. */
  records: { info: SnapshotInfo; record: number; crc32: number }[];
  /** Records and bytes of the index that are whole: where a writer goes on. */
  count: number;
  indexBytes: number;
  warnings: string[];
}

function parseHeader(line: string, file: string): Pick<StepLog, 'tensors' | 'recordBytes'> {
  const fail = (what: string): never => {
    throw new EpochscopeError('format', `${file}: line 1: ${what}`, { file, line: 1 });
  };
  let json: { format?: unknown; tensors?: unknown; recordBytes?: unknown };
  try {
    json = JSON.parse(line) ?? {};
  } catch {
    return fail('expected JSON');
  }
  if (json.format !== STEPS_FORMAT)
    fail(`expected format "${STEPS_FORMAT}", got ${JSON.stringify(json.format) ?? 'none'}`);
  if (!Array.isArray(json.tensors) || json.tensors.length > 100_000)
    return fail('expected a list of tensors');
  let at = 0;
  const names = new Set<string>();
  const tensors = json.tensors.map((tensor: Partial<StepTensor> | null, i): StepTensor => {
    const { name, shape, offset } = tensor ?? {};
    const count = Array.isArray(shape) && shape.length <= 64 ? elementCount(shape) : Number.NaN;
    if (typeof name !== 'string' || names.has(name) || Number.isNaN(count) || offset !== at)
      return fail(`tensor ${i}: expected a new name, a shape and offset ${at}`);
    names.add(name);
    at += 4 * count;
    return { name, shape: [...(shape as number[])], offset };
  });
  if (json.recordBytes !== at) fail(`expected records of ${at} bytes, got ${String(json.recordBytes)}`);
  return { tensors, recordBytes: at };
}

/**
 * Reads the step log, also while it is appended to: a line or record that is not whole ends it. Null where there is none.
 * O(snapshots). Throws `format` when the first line is not readable as one.
 */
export async function readStepLog(directory: string): Promise<StepLog | null> {
  const files = stepFiles(directory);
  let text: string;
  let recorded: number;
  try {
    const bytes = await readFile(files.index).catch((cause) => {
      if (cause.code === 'ENOENT') return null;
      throw cause;
    });
    if (!bytes?.length) return null;
    guard(
      bytes.length <= MAX_INDEX_BYTES,
      'format',
      () => `${files.index}: expected at most ${MAX_INDEX_BYTES} bytes, got ${bytes.length}`,
      { file: files.index },
    );
    // latin1 keeps one character a byte, so that offsets are bytes; names are decoded line by line.
    text = bytes.toString('latin1');
    // After the index: a record is written before its line, so every line read has its record by now.
    recorded = (await stat(files.weights).catch(() => null))?.size ?? 0;
  } catch (cause) {
    throw fileError(files.index, cause);
  }
  const log: StepLog = { tensors: [], recordBytes: 0, records: [], count: 0, indexBytes: 0, warnings: [] };
  const places = new Map<string, number>();
  let end = text.indexOf('\n');
  if (end < 0) return null;
  Object.assign(log, parseHeader(utf8(text.slice(0, end)), files.index));
  log.indexBytes = end + 1;
  // What follows the last end of line is being written.
  for (let from = end + 1; ; from = end + 1) {
    end = text.indexOf('\n', from);
    if (end < 0 || (log.count + 1) * log.recordBytes > recorded) break;
    const entry = parseLine(utf8(text.slice(from, end)));
    if (!entry) {
      log.warnings.push(`${files.index}: line ${log.count + 2} is damaged; it and what follows are left out`);
      break;
    }
    const { crc32: sum, ...info } = entry;
    const at = places.get(info.id) ?? log.records.length;
    places.set(info.id, at);
    log.records[at] = { info, record: log.count++, crc32: sum };
    log.indexBytes = end + 1;
  }
  return log;
}

const utf8 = (latin1: string) => Buffer.from(latin1, 'latin1').toString('utf8');

function parseLine(line: string): (SnapshotInfo & { crc32: number }) | null {
  try {
    const { id, epoch, step, metrics, crc32: sum } = JSON.parse(line);
    const info = { id, epoch, step, metrics };
    if (!isSnapshotInfo(info) || !Number.isSafeInteger(sum)) return null;
    // A loss that diverged was written as null: as if it had not been measured.
    const finite = Object.entries(info.metrics).filter(([, value]) => Number.isFinite(value));
    return { ...info, metrics: Object.fromEntries(finite), crc32: sum };
  } catch {
    return null;
  }
}

/** One record, checked against its sum. Throws `format` naming the snapshot when it is damaged. */
export async function readStepRecord(
  directory: string,
  log: StepLog,
  { info, record, crc32: sum }: StepLog['records'][number],
): Promise<Map<string, Tensor>> {
  const { weights: file } = stepFiles(directory);
  const bytes = new Uint8Array(log.recordBytes);
  let handle: FileHandle | null = null;
  try {
    handle = await open(file, 'r');
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, record * log.recordBytes);
    guard(
      bytesRead === bytes.length && crc32(bytes) === sum,
      'format',
      () => `${file}: the weights of snapshot ${info.id} are damaged (record ${record}: checksum differs)`,
      { file, snapshot: info.id, byte: record * log.recordBytes },
    );
  } catch (cause) {
    throw fileError(file, cause);
  } finally {
    await handle?.close();
  }
  return new Map(
    log.tensors.map(({ name, shape, offset }): [string, Tensor] => [
      name,
      { data: new Float32Array(bytes.buffer, offset, elementCount(shape)), shape, dtype: 'float32' },
    ]),
  );
}

/** Where the tensors of a record lie in the weights file. */
export function recordPlaces(
  directory: string,
  log: StepLog,
  record: number,
): { file: string; tensors: Map<string, SafetensorsEntry> } {
  const base = record * log.recordBytes;
  return {
    file: stepFiles(directory).weights,
    tensors: new Map(
      log.tensors.map(({ name, shape, offset }) => [
        name,
        {
          name,
          dtype: 'float32',
          shape,
          begin: base + offset,
          end: base + offset + 4 * elementCount(shape),
        },
      ]),
    ),
  };
}

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
        if (!log) {
          const header = layout(tensors);
          putLine({ format: STEPS_FORMAT, ...header });
          log = { ...header, count: 0 };
        }
        const record = pack(log, tensors, info.id);
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

function layout(tensors: ReadonlyMap<string, Tensor>): { tensors: StepTensor[]; recordBytes: number } {
  let offset = 0;
  const list = [...tensors].map(([name, { shape, data }]) => {
    const entry = { name, shape: [...shape], offset };
    offset += 4 * data.length;
    return entry;
  });
  return { tensors: list, recordBytes: offset };
}

function pack(
  log: Pick<StepLog, 'tensors' | 'recordBytes'>,
  tensors: ReadonlyMap<string, Tensor>,
  id: string,
): Uint8Array {
  const record = new Uint8Array(log.recordBytes);
  const extra = [...tensors.keys()].find((name) => !log.tensors.some((tensor) => tensor.name === name));
  guard(
    extra === undefined,
    'shape',
    () => `snapshot ${id} has a tensor ${extra} that the run's first one has not`,
    {
      snapshot: id,
      tensor: extra ?? '',
    },
  );
  for (const { name, shape, offset } of log.tensors) {
    const tensor = tensors.get(name);
    guard(
      tensor && tensor.shape.join() === shape.join() && tensor.data instanceof Float32Array,
      'shape',
      () =>
        `snapshot ${id}, tensor ${name}: expected float32 of shape [${shape}] as in the run's first one, got ${tensor ? `${tensor.dtype} [${tensor.shape}]` : 'none'}`,
      { snapshot: id, tensor: name, expected: `[${shape}]`, got: `[${tensor?.shape ?? 'none'}]` },
    );
    record.set(bytesOf(tensor.data), offset);
  }
  return record;
}
