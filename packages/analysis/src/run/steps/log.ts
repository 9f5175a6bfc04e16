import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { elementCount } from '../../formats/dtypes.js';
import { parseJson, shown as shownValue } from '../../formats/json.js';
import { withStored } from '../../stores/content.js';
import { shown } from '../../stores/paths.js';
import type { Store } from '../../stores/types.js';
import { isSnapshotInfo } from '../manifest.js';
import type { SnapshotInfo } from '../types.js';

export const STEPS_FORMAT = 'epochscope-steps/1';
export const STEPS_FOLDER = 'steps';
/** An index longer than this is refused: 5 000 snapshots take about 1 MB. */
const MAX_INDEX_BYTES = 200_000_000;

/** In the run's store. */
export const STEP_FILES = { index: `${STEPS_FOLDER}/index.jsonl`, weights: `${STEPS_FOLDER}/weights.bin` };

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
    json = (parseJson(line, file) ?? {}) as typeof json;
  } catch {
    return fail('expected JSON');
  }
  if (json.format !== STEPS_FORMAT)
    fail(
      `expected format "${STEPS_FORMAT}", got ${json.format === undefined ? 'none' : shownValue(json.format)}`,
    );
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
  if (json.recordBytes !== at) fail(`expected records of ${at} bytes, got ${shownValue(json.recordBytes)}`);
  return { tensors, recordBytes: at };
}

/**
 * Reads the step log, also while it is appended to: a line or record that is not whole ends it. Null where there is none.
 * O(snapshots). Throws `format` when the first line is not readable as one.
 */
export async function readStepLog(store: Store): Promise<StepLog | null> {
  if (!(await store.has(STEP_FILES.index))) return null;
  const name = shown(store, STEP_FILES.index);
  const bytes = await withStored(store, STEP_FILES.index, (file) => {
    guard(
      file.size <= MAX_INDEX_BYTES,
      'format',
      () => `${name}: expected at most ${MAX_INDEX_BYTES} bytes, got ${file.size}`,
      { file: name },
    );
    return file.read(0, file.size);
  });
  if (!bytes.length) return null;
  // After the index: a record is written before its line, so every line read has its record by now.
  const recorded = (await store.has(STEP_FILES.weights))
    ? await withStored(store, STEP_FILES.weights, async ({ size }) => size)
    : 0;
  const log: StepLog = { tensors: [], recordBytes: 0, records: [], count: 0, indexBytes: 0, warnings: [] };
  const places = new Map<string, number>();
  let end = bytes.indexOf(NEWLINE);
  if (end < 0) return null;
  Object.assign(log, parseHeader(utf8(bytes.subarray(0, end)), name));
  log.indexBytes = end + 1;
  // What follows the last end of line is being written.
  for (let from = end + 1; ; from = end + 1) {
    end = bytes.indexOf(NEWLINE, from);
    if (end < 0 || (log.count + 1) * log.recordBytes > recorded) break;
    const entry = parseLine(utf8(bytes.subarray(from, end)));
    if (!entry) {
      log.warnings.push(`${name}: line ${log.count + 2} is damaged; it and what follows are left out`);
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

const NEWLINE = 10;
const utf8 = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function parseLine(line: string): (SnapshotInfo & { crc32: number }) | null {
  try {
    const {
      id,
      epoch,
      step,
      metrics,
      crc32: sum,
    } = parseJson(line, '') as { [name: string]: unknown; crc32: number };
    const info: unknown = { id, epoch, step, metrics };
    if (!isSnapshotInfo(info) || !Number.isSafeInteger(sum)) return null;
    // A loss that diverged was written as null: as if it had not been measured.
    const finite = Object.entries(info.metrics).filter(([, value]) => Number.isFinite(value));
    return { ...info, metrics: Object.fromEntries(finite), crc32: sum };
  } catch {
    return null;
  }
}
