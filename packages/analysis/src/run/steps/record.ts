import { guard } from '@epochscope/core-wasm';
import { platform } from '#platform';
import { bytesOf, elementCount } from '../../formats/dtypes.js';
import type { SafetensorsEntry } from '../../formats/safetensors.js';
import type { Tensor } from '../../formats/types.js';
import type { FileIdentity } from '../../results/types.js';
import { withStored } from '../../stores/content.js';
import { shown } from '../../stores/paths.js';
import type { Store } from '../../stores/types.js';
import { STEP_FILES, type StepLog, type StepTensor } from './log.js';

/** Where each tensor of a record stands: one after another, in the order of the first snapshot. */
export function layout(tensors: ReadonlyMap<string, Tensor>): { tensors: StepTensor[]; recordBytes: number } {
  let offset = 0;
  const list = [...tensors].map(([name, { shape, data }]) => {
    const entry = { name, shape: [...shape], offset };
    offset += 4 * data.length;
    return entry;
  });
  return { tensors: list, recordBytes: offset };
}

/** A snapshot as a record. Throws `shape` when its tensors are not those of the first one. */
export function pack(
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

/**
 * One record, checked against its sum, and which bytes of the log it is ("steps/weights.bin#bytes=0-1023"). Throws `format` naming the
 * snapshot when it is damaged.
 */
export async function readStepRecord(
  store: Store,
  log: StepLog,
  { info, record, crc32: sum }: StepLog['records'][number],
): Promise<{ bytes: Uint8Array; tensors: Map<string, Tensor>; identity: Record<string, FileIdentity> }> {
  const name = shown(store, STEP_FILES.weights);
  const base = record * log.recordBytes;
  const bytes = new Uint8Array(
    await withStored(store, STEP_FILES.weights, (file) => file.read(base, log.recordBytes)),
  );
  guard(
    platform.crc32(bytes) === sum,
    'format',
    () => `${name}: the weights of snapshot ${info.id} are damaged (record ${record}: checksum differs)`,
    { file: name, snapshot: info.id, byte: base },
  );
  const hash = platform.sha256();
  hash.update(bytes);
  return {
    bytes,
    tensors: new Map(
      log.tensors.map(({ name, shape, offset }): [string, Tensor] => [
        name,
        { data: new Float32Array(bytes.buffer, offset, elementCount(shape)), shape, dtype: 'float32' },
      ]),
    ),
    identity: {
      [`${STEP_FILES.weights}#bytes=${base}-${base + log.recordBytes - 1}`]: { sha256: hash.digest() },
    },
  };
}

/** Where the tensors of a record lie in the weights file. */
export function recordPlaces(
  log: StepLog,
  record: number,
): { path: string; tensors: Map<string, SafetensorsEntry> } {
  const base = record * log.recordBytes;
  return {
    path: STEP_FILES.weights,
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
