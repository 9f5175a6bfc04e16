import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { guard } from '@epochscope/core-wasm';
import { bytesOf, elementCount } from '../../formats/dtypes.js';
import { fileError } from '../../formats/file-source.js';
import type { SafetensorsEntry } from '../../formats/safetensors.js';
import type { Tensor } from '../../formats/types.js';
import { type StepLog, type StepTensor, stepFiles } from './log.js';

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
