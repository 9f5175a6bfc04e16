import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { platform } from '#platform';
import { bytesOf, elementCount } from '../formats/dtypes.js';
import { npyHeader } from '../formats/npy.js';
import { updateIndex } from '../stores/index-file.js';
import type { Store } from '../stores/types.js';
import { checkName } from './check.js';

export interface OutputsWriter {
  /** The next rows of a layer (float32, rows × its shape); settles once they are on their way to the store, so that memory stays that of one block. */
  add(layer: string, values: Float32Array): Promise<void>;
  /** All files are there from now on. Throws `shape` where rows are missing. */
  finish(): Promise<void>;
  /** Nothing of them stays. */
  cancel(): Promise<void>;
}

/** Writes layer outputs of one snapshot as they come, block by block, any number of samples; each file appears whole at the end. */
export function outputsWriter(
  store: Store,
  snapshotId: string,
  layers: readonly { name: string; shape: readonly number[] }[],
  samples: number,
): OutputsWriter {
  checkName('snapshot id', snapshotId);
  const folder = `snapshots/${snapshotId}/outputs`;
  const hashes = new Map<string, string>();
  const files = new Map(layers.map((layer) => [layer.name, begin(layer)]));

  function begin({ name, shape }: (typeof layers)[number]) {
    checkName('layer name', name);
    const path = `${folder}/${name}.npy`;
    const hash = platform.sha256();
    let left = samples * elementCount(shape);
    /** The block that waits, and who waits for it to be taken. */
    let waiting: { values: Float32Array | Error; taken: () => void } | null = null;
    let wake = () => {};
    async function* content(): AsyncGenerator<Uint8Array> {
      const header = npyHeader('float32', [samples, ...shape]);
      hash.update(header);
      yield header;
      while (left > 0) {
        if (!waiting)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        const { values, taken } = waiting!;
        waiting = null;
        if (values instanceof Error) throw values;
        left -= values.length;
        const bytes = bytesOf(values);
        hash.update(bytes);
        yield bytes;
        // Asked for the next: this one is written.
        taken();
      }
      hashes.set(path, hash.digest());
    }
    const done = store.write(path, content());
    done.catch(() => {});
    const put = (values: Float32Array | Error) =>
      Promise.race([
        new Promise<void>((taken) => {
          waiting = { values, taken };
          wake();
        }),
        done,
      ]);
    return { put, done, left: () => left };
  }

  return {
    async add(layer, values) {
      const file = files.get(layer);
      guard(
        file && values.length <= file.left(),
        'shape',
        () => `layer ${layer}: expected at most ${file?.left() ?? 0} more values, got ${values.length}`,
        { layer },
      );
      if (values.length) await file.put(values);
    },
    async finish() {
      for (const [layer, { left }] of files)
        guard(left() === 0, 'shape', () => `layer ${layer}: ${left()} values were not given`, { layer });
      await Promise.all([...files.values()].map(({ done }) => done));
      await updateIndex(store, [folder], hashes);
    },
    async cancel() {
      const stop = new EpochscopeError('cancelled', 'writing outputs was cancelled');
      for (const { put, left } of files.values()) if (left() > 0) put(stop).catch(() => {});
      await Promise.allSettled([...files.values()].map(({ done }) => done));
    },
  };
}
