import { guard } from '@epochscope/core-wasm';
import { readCifar10 } from '../formats/cifar.js';
import { readText, withStored } from '../stores/content.js';
import { type Place, storeOf } from '../stores/of.js';
import type { Dataset, Split } from './types.js';

const CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

/** CIFAR-10 from a folder of binary batches, gzipped or not; as many training batches as there are. Throws `missing`, `format`. */
export async function cifar10Folder(place: Place): Promise<Dataset> {
  const store = await storeOf(place);
  const folder = store.name;
  const names = (await store.list('')).map(({ name }) => name);
  const read = async (pattern: RegExp, wanted: string): Promise<Split> => {
    const files = names.filter((name) => pattern.test(name)).sort();
    guard(
      files.length > 0,
      'missing',
      () =>
        `${folder}: expected ${wanted}, plain or .gz; it holds ${names.slice(0, 8).join(', ') || 'nothing'}`,
      { path: folder },
    );
    const parts: Split[] = [];
    for (const file of files) parts.push(await withStored(store, file, readCifar10));
    const count = parts.reduce((sum, part) => sum + part.count, 0);
    const images = new Uint8Array(count * 3072);
    const labels = new Uint8Array(count);
    let at = 0;
    for (const part of parts) {
      images.set(part.images, at * 3072);
      labels.set(part.labels, at);
      at += part.count;
    }
    return { images, labels, count };
  };
  const meta = names.find((name) => name.startsWith('batches.meta'));
  const listed = meta ? (await readText(store, meta, 65_536)).split(/\r?\n/).filter(Boolean) : [];
  return {
    name: 'cifar10',
    source: folder,
    shape: [32, 32, 3],
    classes: listed.length === 10 ? listed : CLASSES,
    train: await read(/^data_batch_\d\.bin(\.gz)?$/, 'data_batch_1.bin …'),
    test: await read(/^test_batch\.bin(\.gz)?$/, 'test_batch.bin'),
  };
}
