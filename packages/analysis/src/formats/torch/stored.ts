import { budgetOf } from '../budget.js';
import { bytesOf, DTYPE_BYTES } from '../dtypes.js';
import type { ByteSource, StoredTensor } from '../types.js';
import { beginOf, readZipEntry } from '../zip.js';
import type { TorchHeader } from './header.js';
import { isPlain, rawView, type TorchEntry } from './view.js';

/** Storages up to this are read whole, and their checksum is looked at; of larger ones only what a view reaches over. */
const WHOLE_STORAGE = 64_000_000;

/** An entry as a tensor that is read when it is wanted. */
export async function storedTorchEntry(
  source: ByteSource,
  header: Pick<TorchHeader, 'bigEndian'>,
  entry: TorchEntry,
): Promise<StoredTensor> {
  const { dtype, shape, storage, offset, reach, negative } = entry;
  const width = DTYPE_BYTES[dtype];
  const from = storage.deflated ? null : (await beginOf(source, storage)) + offset * width;
  const whole = from === null || storage.unpacked <= WHOLE_STORAGE;
  return {
    dtype,
    shape,
    async bytes() {
      const reached = whole
        ? (await readZipEntry(source, storage)).subarray(offset * width, (offset + reach) * width)
        : await source.read(from, reach * width);
      if (storage.deflated) budgetOf(source).free(storage.unpacked);
      // Nothing to turn or to gather: as they are, without a copy.
      return isPlain(entry) && !negative && !header.bigEndian
        ? reached
        : bytesOf(rawView(reached, entry, header.bigEndian));
    },
    ...(from !== null && isPlain(entry) && !negative && !header.bigEndian
      ? { range: { file: source.name, begin: from } }
      : {}),
  };
}
