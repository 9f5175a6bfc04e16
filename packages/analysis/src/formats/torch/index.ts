import { guard } from '@epochscope/core-wasm';
import { budgetOf } from '../budget.js';
import type { ByteSource, Tensor } from '../types.js';
import { readZipEntry, type ZipEntry } from '../zip.js';
import { readTorchHeader, type TorchHeader } from './header.js';
import { type TorchEntry, viewOf } from './view.js';

export { readDistributed } from './distributed.js';
export { readTorchHeader, type TorchHeader } from './header.js';
export { storedTorchEntry } from './stored.js';
export type { TorchEntry } from './view.js';

// PyTorch's torch.save since 1.6: a zip of NAME/data.pkl and NAME/data/<key>, one storage each, tensors being views of
// storages (https://pytorch.org/docs/stable/notes/serialization.html). The pickle is read as data: nothing is called.

/** One tensor, row-major; reads and checks its whole storage. */
export async function readTorchEntry(
  source: ByteSource,
  header: TorchHeader,
  entry: TorchEntry,
): Promise<Tensor> {
  return viewOf(await readZipEntry(source, entry.storage), entry, header.bigEndian, source.name);
}

/**
 * All tensors of a .pt, .pth, .ckpt or .bin file, in the state dict's order; a state dict inside "state_dict",
 * "model_state_dict" and the like is found. Half floats become float32. Throws `format`, `unsupported`.
 */
export async function readTorch(source: ByteSource): Promise<Map<string, Tensor>> {
  const header = await readTorchHeader(source);
  const tensors = new Map<string, Tensor>();
  // Each storage is unpacked once, however its views alternate; tensors keep the state dict's order.
  const views = new Map<ZipEntry, TorchEntry[]>();
  for (const entry of header.entries.values()) {
    const known = views.get(entry.storage);
    if (known) known.push(entry);
    else views.set(entry.storage, [entry]);
  }
  const made = new Map<string, Tensor>();
  for (const [storage, entries] of views) {
    const bytes = await readZipEntry(source, storage);
    const owned = entries.length === 1 && (storage.deflated || (source.fresh ?? false));
    for (const entry of entries) {
      made.set(entry.name, await viewOf(bytes, entry, header.bigEndian, source.name, owned));
      await budgetOf(source).rest();
    }
    // The tensors are copies of their own.
    if (storage.deflated) budgetOf(source).free(storage.unpacked);
  }
  for (const name of header.entries.keys()) tensors.set(name, made.get(name)!);
  guard(tensors.size > 0, 'format', () => `${source.name}: the state dict holds no tensor`, {
    file: source.name,
  });
  return tensors;
}
