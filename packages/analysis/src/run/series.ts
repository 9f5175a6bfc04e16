import { EpochscopeError, formatBytes, guard } from '@epochscope/core-wasm';
import { DTYPE_BYTES, decodeElements, elementCount } from '../formats/dtypes.js';
import type { Tensor } from '../formats/types.js';
import type { Store, StoredFile } from '../stores/types.js';
import { yieldToEventLoop } from '../yield.js';
import type { Run } from './types.js';

export type WeightPlaces = Run['weightPlaces'];

const DEFAULT_MAX_BYTES = 1e9;
/** Reads between two looks at the signal and at timers. */
const BATCH = 64;

/** See `Run.series`. */
export async function readSeries(
  store: Store,
  places: WeightPlaces,
  ids: readonly string[],
  tensor: string,
  options: { indices?: readonly number[]; maxBytes?: number; signal?: AbortSignal } = {},
): Promise<Tensor<Float32Array>> {
  const { indices, maxBytes = DEFAULT_MAX_BYTES, signal } = options;
  let shape: readonly number[] | null = null;
  let out = new Float32Array(0);
  let open = null as { path: string; file: StoredFile } | null;
  try {
    for (const [s, id] of ids.entries()) {
      if (s % BATCH === BATCH - 1) await yieldToEventLoop();
      if (signal?.aborted) throw new EpochscopeError('cancelled', `reading ${tensor} was cancelled`);
      const { path, tensors } = await places(id);
      const entry = tensors.get(tensor);
      guard(
        entry,
        'missing',
        () => `snapshot ${id} has no tensor ${tensor}; it has ${[...tensors.keys()].join(', ')}`,
        { snapshot: id, tensor },
      );
      guard(
        entry.dtype !== 'int64' && entry.dtype !== 'uint64',
        'unsupported',
        () => `tensor ${tensor}: expected numbers that fit float32, got ${entry.dtype}`,
        { tensor, got: entry.dtype },
      );
      const count = elementCount(entry.shape);
      const width = DTYPE_BYTES[entry.dtype];
      if (!shape) {
        shape = entry.shape;
        for (const index of indices ?? [])
          guard(
            Number.isInteger(index) && index >= 0 && index < count,
            'argument',
            () => `tensor ${tensor} has ${count} values, got index ${index}`,
            { tensor, index, expected: count },
          );
        const bytes = 4 * ids.length * (indices?.length ?? count);
        guard(
          bytes <= maxBytes,
          'memory',
          () =>
            `tensor ${tensor} over ${ids.length} snapshots takes ${formatBytes(bytes)}, over the ${formatBytes(maxBytes)} allowed; choose snapshots or indices`,
          { tensor, expected: maxBytes, got: bytes },
        );
        out = new Float32Array(bytes / 4);
      }
      guard(
        shape.join() === entry.shape.join(),
        'shape',
        () => `tensor ${tensor} is [${shape}] in snapshot ${ids[0]} and [${entry.shape}] in ${id}`,
        { tensor, expected: `[${shape}]`, got: `[${entry.shape}]` },
      );
      if (open?.path !== path) {
        await open?.file.close();
        open = null;
        open = { path, file: await store.open(path) };
      }
      const { file } = open;
      const at = s * (indices?.length ?? count);
      if (!indices) out.set((await read(file, entry.begin, count * width, entry.dtype)) as Float32Array, at);
      else if (indices.length) {
        // One read of the span that holds them all.
        const first = indices.reduce((a, b) => Math.min(a, b));
        const last = indices.reduce((a, b) => Math.max(a, b));
        const span = await read(file, entry.begin + first * width, (last - first + 1) * width, entry.dtype);
        indices.forEach((index, i) => {
          out[at + i] = Number(span[index - first]);
        });
      }
    }
    return {
      data: out,
      shape: [ids.length, ...(indices ? [indices.length] : (shape ?? []))],
      dtype: 'float32',
    };
  } finally {
    await open?.file.close();
  }
}

async function read(file: StoredFile, begin: number, length: number, dtype: Tensor['dtype']) {
  return decodeElements(await file.read(begin, length), dtype, length / DTYPE_BYTES[dtype]);
}
