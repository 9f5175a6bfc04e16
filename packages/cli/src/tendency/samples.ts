import { guard } from '@epochscope/core-wasm';
import { readLabelsFile } from '../matrix-file.js';
import type { Chosen } from '../rows.js';

/** The first so many of `n` samples, or those that a file lists, each once. Throws `argument`, and as `readLabelsFile`. */
export async function chooseSamples(wanted: number | string | undefined, n: number): Promise<Chosen> {
  if (wanted === undefined) return null;
  if (typeof wanted === 'number')
    return wanted < n ? Uint32Array.from({ length: wanted }, (_, i) => i) : null;
  const list = await readLabelsFile(wanted);
  const seen = new Set<number>();
  list.forEach((sample, row) => {
    guard(
      sample < n && !seen.has(sample),
      'argument',
      () => `${wanted}: row ${row}: expected a sample 0 … ${n - 1} that is not listed yet, got ${sample}`,
      { file: wanted, row, got: sample },
    );
    seen.add(sample);
  });
  return list;
}
