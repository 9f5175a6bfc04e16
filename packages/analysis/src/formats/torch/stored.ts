import { budgetOf, UNPACKED_BYTES } from '../budget.js';
import { bytesOf, DTYPE_BYTES } from '../dtypes.js';
import type { ByteSource, StoredTensor } from '../types.js';
import { beginOf, readZipEntry, type ZipEntry } from '../zip.js';
import type { TorchHeader } from './header.js';
import { isPlain, rawView, type TorchEntry } from './view.js';

/** Storages up to this are read whole the first time, and their checksum is looked at; of larger ones only what a view reaches over. */
const WHOLE_STORAGE = 64_000_000;
/** Bytes of unpacked storages that are kept for other views of them. */
const KEPT = UNPACKED_BYTES;

/** What is known of a file's storages: views share them, and may alternate. */
interface Storages {
  /** Whose checksum was looked at. */
  checked: Set<ZipEntry>;
  /** Unpacked, the longest unused first. */
  kept: Map<ZipEntry, Promise<Uint8Array>>;
  bytes: number;
}
const storagesOf = new WeakMap<ByteSource, Storages>();

/** A deflated storage, unpacked once as long as it and those used since fit into what is kept. */
function unpacked(source: ByteSource, storage: ZipEntry, known: Storages): Promise<Uint8Array> {
  const { kept } = known;
  const budget = budgetOf(source);
  const forget = (entry: ZipEntry) => {
    kept.delete(entry);
    known.bytes -= entry.unpacked;
    budget.free(entry.unpacked);
  };
  const found = kept.get(storage);
  if (found) {
    kept.delete(storage);
    kept.set(storage, found);
    return found;
  }
  for (const oldest of kept.keys()) {
    if (known.bytes + storage.unpacked <= KEPT && storage.unpacked <= budget.room) break;
    forget(oldest);
  }
  const bytes = readZipEntry(source, storage);
  kept.set(storage, bytes);
  known.bytes += storage.unpacked;
  bytes.catch(() => kept.has(storage) && forget(storage));
  return bytes;
}

/** An entry as a tensor that is read when it is wanted. */
export async function storedTorchEntry(
  source: ByteSource,
  header: Pick<TorchHeader, 'bigEndian'>,
  entry: TorchEntry,
): Promise<StoredTensor> {
  const { dtype, shape, storage, offset, reach, negative } = entry;
  const known = storagesOf.get(source) ?? { checked: new Set(), kept: new Map(), bytes: 0 };
  storagesOf.set(source, known);
  const width = DTYPE_BYTES[dtype];
  const from = storage.deflated ? null : (await beginOf(source, storage)) + offset * width;
  const reached = async (): Promise<Uint8Array> => {
    const [begin, end] = [offset * width, (offset + reach) * width];
    if (from === null) return (await unpacked(source, storage, known)).subarray(begin, end);
    if (storage.unpacked > WHOLE_STORAGE || known.checked.has(storage))
      return source.read(from, reach * width);
    const whole = await readZipEntry(source, storage);
    known.checked.add(storage);
    return whole.subarray(begin, end);
  };
  return {
    dtype,
    shape,
    async bytes() {
      const bytes = await reached();
      // Nothing to turn or to gather: as they are, without a copy.
      return isPlain(entry) && !negative && !header.bigEndian
        ? bytes
        : bytesOf(await rawView(bytes, entry, header.bigEndian, source.name));
    },
    ...(from !== null && isPlain(entry) && !negative && !header.bigEndian
      ? { range: { file: source.name, begin: from } }
      : {}),
  };
}
