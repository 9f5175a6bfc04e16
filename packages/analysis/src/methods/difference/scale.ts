import type { Engine, JobOptions } from '../../engine/types.js';
import { random } from '../../random.js';
import type { Figure } from '../../results/types.js';
import type { TendencyInput } from '../tendency/index.js';
import { dissimilaritiesOf, inputOfSamples, type TendencyMetric } from '../tendency/space.js';
import { selectInPlace } from './select.js';

const QUANTILE = 0.9;
/** Up to so many samples every pair is looked at: 8.4 million pairs, 34 MB. */
export const SCALE_SAMPLES = 4096;

/**
 * The 0.9 quantile of all n² dissimilarities (diagonal and both halves, as RTD-Lite takes it), between neighbours linearly; of those among
 * 4096 samples drawn with the seed where there are more. In multiples of `unit`, as `vatOf` gives it.
 */
export async function scaleOf(
  engine: Pick<Engine, 'pairwise'>,
  input: TendencyInput,
  metric: TendencyMetric,
  { unit, seed, signal }: Pick<JobOptions, 'signal'> & { unit: number; seed: number },
): Promise<{ scale: Figure; samples: number | 'all' }> {
  const n = input.outputs.shape[0];
  const drawn = n > SCALE_SAMPLES ? random(seed, 0).subset(n, SCALE_SAMPLES) : null;
  const samples = drawn ? SCALE_SAMPLES : 'all';
  const few = drawn ? inputOfSamples(input, drawn) : input;
  const m = few.outputs.shape[0];
  if (m < 2)
    return { scale: { value: null, reason: `${n === 0 ? 'no' : 'one'} sample has no distances` }, samples };
  const pairs = await dissimilaritiesOf(engine, few, metric, unit, { signal });
  // Of the n² values in rising order the first n are the diagonal's zeros, then every pair stands twice.
  const at = QUANTILE * (m * m - 1);
  const value = (i: number) => (i < m ? 0 : selectInPlace(pairs, (i - m) >> 1));
  const below = Math.floor(at);
  const lower = value(below);
  const quantile = lower + (at - below) * (value(Math.min(m * m - 1, below + 1)) - lower);
  return {
    scale:
      quantile > 0
        ? { value: quantile }
        : { value: null, reason: 'nine tenths of the pairs or more are equal: no scale to divide by' },
    samples,
  };
}
