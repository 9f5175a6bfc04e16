import { tensorToMatrix } from '../formats/matrix.js';
import { readNpySelected } from '../formats/npy.js';
import type { ByteSource } from '../formats/types.js';
import { imagesOf, type SampleImages } from '../run/images.js';
import { withStored } from '../stores/content.js';
import type { Store } from '../stores/types.js';
import type { SamplesReference } from './tree.js';

/** The images a result refers to, of a run's samples/inputs.npy: only their rows are read. Null where they are no pictures. */
export async function imagesFrom(
  source: ByteSource,
  reference: SamplesReference,
): Promise<SampleImages | null> {
  const { rows, shape } = reference;
  const tensor = await readNpySelected(source, rows ?? [0, shape[0]]);
  return imagesOf(tensorToMatrix(tensor, source.name), shape.slice(1));
}

/** The same of a run's store; null where it holds no samples. */
export const samplesIn = (store: Store) => async (reference: SamplesReference) =>
  (await store.has('samples/inputs.npy'))
    ? withStored(store, 'samples/inputs.npy', (source) => imagesFrom(source, reference))
    : null;
