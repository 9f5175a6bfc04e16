import { EpochscopeError, formatBytes, guard } from '@epochscope/core-wasm';
import { elementCount, toFloat32 } from '../formats/dtypes.js';
import type { Tensor } from '../formats/types.js';
import { OpenFiles } from '../stores/open-files.js';
import { yieldToEventLoop } from '../yield.js';
import type { SnapshotWeights } from './weights.js';

const DEFAULT_MAX_BYTES = 1e9;
/** Reads between two looks at the signal and at timers. */
const BATCH = 64;
const AT_ONCE = 8;

/** See `Run.series`. `open`: a snapshot's weights over files that are shared by all of them. */
export async function readSeries(
  open: (id: string, files: OpenFiles) => Promise<SnapshotWeights>,
  ids: readonly string[],
  tensor: string,
  options: { indices?: readonly number[]; maxBytes?: number; signal?: AbortSignal } = {},
): Promise<Tensor<Float32Array>> {
  const { indices, maxBytes = DEFAULT_MAX_BYTES, signal } = options;
  let shape: readonly number[] | null = null;
  let out = new Float32Array(0);
  const files = new OpenFiles();
  try {
    const one = async (s: number): Promise<void> => {
      const id = ids[s]!;
      if (signal?.aborted) throw new EpochscopeError('cancelled', `reading ${tensor} was cancelled`);
      const weights = await open(id, files);
      const entry = weights.tensors.get(tensor);
      guard(
        entry,
        'missing',
        () => `snapshot ${id} has no tensor ${tensor}; it has ${[...weights.tensors.keys()].join(', ')}`,
        { snapshot: id, tensor },
      );
      guard(
        entry.dtype !== 'int64' && entry.dtype !== 'uint64',
        'unsupported',
        () => `tensor ${tensor}: expected numbers that fit float32, got ${entry.dtype}`,
        { tensor, got: entry.dtype },
      );
      const count = elementCount(entry.shape);
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
      const values = indices
        ? await weights.values(tensor, indices)
        : toFloat32((await weights.read(tensor)).data);
      out.set(values, s * (indices?.length ?? count));
    };
    // The first says the shape; of a few values several snapshots at a time, since each may be a request.
    const together = indices ? AT_ONCE : 1;
    if (ids.length) await one(0);
    for (let s = 1; s < ids.length; s += together) {
      if (s % BATCH < together) await yieldToEventLoop();
      await Promise.all(ids.slice(s, s + together).map((_, k) => one(s + k)));
    }
    return {
      data: out,
      shape: [ids.length, ...(indices ? [indices.length] : (shape ?? []))],
      dtype: 'float32',
    };
  } finally {
    await files.close();
  }
}
