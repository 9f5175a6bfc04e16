import { EpochscopeError } from '@epochscope/core-wasm';
import { parseJson } from '../../formats/json.js';
import { encodeSafetensors, readSafetensors, readSafetensorsHeader } from '../../formats/safetensors.js';
import { count, finite, object, orNull, shaped } from '../../formats/shape.js';
import type { Tensor } from '../../formats/types.js';
import { UNFINISHED } from '../../run/write.js';
import { withStored } from '../../stores/content.js';
import type { Store } from '../../stores/types.js';
import type { TrainState } from '../../training/index.js';

/** In the run's store, until the training is done. */
const STATE_FILE = `${UNFINISHED}/training.safetensors`;

/** Replaces the state as a whole. `key`: of the training. */
export function writeState(store: Store, key: string, state: TrainState): Promise<void> {
  const { weights, optimizer, ...numbers } = state;
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of weights) tensors.set(`weights/${name}`, tensor);
  for (const [name, tensor] of optimizer) tensors.set(`optimizer/${name}`, tensor);
  return store.write(STATE_FILE, encodeSafetensors(tensors, { key, numbers: JSON.stringify(numbers) }));
}

const numbers = object({ step: count, lossSum: finite, images: count, imagesAtEvaluation: orNull(count) });

export const removeState = (store: Store): Promise<void> => store.remove(STATE_FILE);

/** The state that a training of this key left; null where there is none that can be read. */
export async function readState(store: Store, key: string): Promise<TrainState | null> {
  try {
    const { metadata, tensors } = await withStored(store, STATE_FILE, async (file) => ({
      metadata: (await readSafetensorsHeader(file)).metadata,
      tensors: await readSafetensors(file),
    }));
    if (metadata.key !== key) return null;
    const { step, lossSum, images, imagesAtEvaluation } = shaped(
      parseJson(metadata.numbers ?? '', STATE_FILE),
      numbers,
      STATE_FILE,
    );
    const under = (prefix: string) =>
      new Map(
        [...tensors].flatMap(([name, tensor]) =>
          name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [],
        ),
      );
    return {
      step,
      lossSum,
      images,
      imagesAtEvaluation,
      weights: under('weights/'),
      optimizer: under('optimizer/'),
    };
  } catch (cause) {
    // Without it the training begins anew, to the same bits.
    if (cause instanceof EpochscopeError) return null;
    throw cause;
  }
}
