import { guard } from '@epochscope/core-wasm';
import type { Tensor } from '../formats/types.js';
import { isSafeName } from './manifest.js';

/** What writers of a run refuse before anything is written. */
export function checkName(what: 'snapshot id' | 'layer name', name: string): void {
  guard(isSafeName(name), 'argument', () => `${what}: expected a plain name, got ${JSON.stringify(name)}`, {
    name,
  });
}

/** How many samples there are, of which inputs, labels or both are given. */
export function sampleCount(inputs: Tensor | null, labels: Uint32Array | null): number {
  guard(inputs || labels, 'argument', 'samples: expected inputs, labels or both');
  const count = inputs?.shape[0] ?? labels?.length ?? 0;
  guard(
    labels === null || labels.length === count,
    'shape',
    () => `${count} samples need ${count} labels, got ${labels?.length}`,
    { expected: count, got: labels?.length },
  );
  return count;
}
