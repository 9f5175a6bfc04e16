import { EpochscopeError } from '@epochscope/core-wasm';
import { yieldToEventLoop } from '../../yield.js';
import { type DifferenceSide, distanceOf, sideOf } from './index.js';
import type { DifferenceMap } from './types.js';

/**
 * The distance of every two pictures of the same samples, from their trees: O(m² n α(n)) time for m pictures. A picture without a scale has no
 * distances and is named with the reason instead. Throws `shape` for different numbers of samples, `cancelled`.
 */
export async function differenceMap(
  sides: readonly DifferenceSide[],
  { signal }: { signal?: AbortSignal } = {},
): Promise<DifferenceMap> {
  const kept = sides.filter(({ scale }) => scale.value !== null);
  const m = kept.length;
  const distances = new Float64Array(m * m);
  const scratch = new Int32Array(kept[0]?.n ?? 0);
  for (let i = 0; i < m; i++) {
    await yieldToEventLoop();
    if (signal?.aborted) throw new EpochscopeError('cancelled', 'the map of differences was cancelled');
    for (let j = i + 1; j < m; j++) {
      const { value } = distanceOf(kept[i]!, kept[j]!, scratch);
      distances[i * m + j] = value!;
      distances[j * m + i] = value!;
    }
  }
  return {
    pictures: kept.map(sideOf),
    distances,
    undefinedPictures: sides.flatMap(({ scale, snapshot, layer }) =>
      scale.value === null ? [{ snapshot, layer, reason: scale.reason! }] : [],
    ),
  };
}
