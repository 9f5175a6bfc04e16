import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { random } from '../../random.js';
import { type Mark, NO_CLASS } from './types.js';

/** How samples of interest are chosen. */
export type MarkRule =
  /** The k samples of each class with the largest log-likelihood of it (paper: 10). Without labels: of each predicted class. */
  | { rule: 'top-likelihood'; k: number; classes?: readonly number[] }
  /** Wrongly (or correctly) predicted samples of the given classes, default all. */
  | { rule: 'wrong' | 'correct'; classes?: readonly number[] }
  /** The k samples with the smallest log-likelihood of their label. */
  | { rule: 'largest-loss'; k: number }
  | { rule: 'index'; samples: readonly number[] }
  /** Every sample, in the colour of its class. */
  | { rule: 'class' }
  | { rule: 'random'; k: number; seed: number };

export interface MarkInputs {
  n: number;
  labels: ArrayLike<number> | null;
  predictions: ArrayLike<number> | null;
  /** Log-likelihood of the right class; of the predicted one without labels. */
  logLikelihood: ArrayLike<number> | null;
}

/** Each mark is a few words of the result. */
const MOST = 1_000_000;

/**
 * Sample indices a rule chooses, ascending and distinct. Ties: lower index first. Throws `missing` for labels or predictions it needs, `argument`,
 * also for more than a million.
 */
export function chooseSamples(rule: MarkRule, inputs: MarkInputs): number[] {
  const chosen = samplesOf(rule, inputs);
  guard(
    chosen.length <= MOST,
    'argument',
    () =>
      `marks by ${rule.rule}: ${chosen.length} samples, at most ${MOST} can be marked; choose fewer, such as \`random:1000\` or those of some classes`,
    { got: chosen.length, most: MOST },
  );
  return chosen;
}

function samplesOf(rule: MarkRule, { n, labels, predictions, logLikelihood }: MarkInputs): number[] {
  const need = <T>(value: T | null, what: string): T => {
    if (value === null)
      throw new EpochscopeError(
        'missing',
        `marks by ${rule.rule} need ${what}, which this run does not have; use \`marks: random or index\``,
        { rule: rule.rule, needs: what },
      );
    return value;
  };
  const all = () => Array.from({ length: n }, (_, i) => i);
  if (rule.rule === 'index') {
    for (const sample of rule.samples)
      guard(
        Number.isInteger(sample) && sample >= 0 && sample < n,
        'argument',
        () => `mark: expected a sample 0 … ${n - 1}, got ${sample}`,
        { sample },
      );
    return [...new Set(rule.samples)].sort((a, b) => a - b);
  }
  if ('k' in rule)
    guard(
      Number.isInteger(rule.k) && rule.k >= 0,
      'argument',
      () => `marks by ${rule.rule}: expected a whole number ≥ 0, got ${rule.k}`,
    );
  if (rule.rule === 'class') {
    need(labels, 'labels');
    return all();
  }
  if (rule.rule === 'random')
    return [...random(rule.seed).permutation(n).subarray(0, rule.k)].sort((a, b) => a - b);
  const known =
    rule.rule === 'top-likelihood' && !labels
      ? need(predictions, 'labels or predictions')
      : need(labels, 'labels');
  const within = 'classes' in rule && rule.classes ? new Set(rule.classes) : null;
  const candidates = within ? all().filter((i) => within.has(known[i]!)) : all();
  if (!('k' in rule)) {
    const predicted = need(predictions, 'predictions');
    return candidates.filter((i) => (predicted[i] === known[i]) === (rule.rule === 'correct'));
  }
  const likelihood = need(logLikelihood, 'log-likelihoods');
  if (rule.rule === 'largest-loss')
    return candidates
      .sort((a, b) => likelihood[a]! - likelihood[b]! || a - b)
      .slice(0, rule.k)
      .sort((a, b) => a - b);
  const chosen: number[] = [];
  for (const label of new Set(candidates.map((i) => known[i]!))) {
    const own = candidates
      .filter((i) => known[i] === label)
      .sort((a, b) => likelihood[b]! - likelihood[a]! || a - b);
    chosen.push(...own.slice(0, rule.k));
  }
  return chosen.sort((a, b) => a - b);
}

/** Marks at their positions in an order. O(n). */
export function placeMarks(
  samples: readonly number[],
  rule: string,
  order: Uint32Array,
  labels: ArrayLike<number> | null,
  predictions: ArrayLike<number> | null,
): Mark[] {
  const position = new Uint32Array(order.length);
  order.forEach((sample, p) => {
    position[sample] = p;
  });
  return samples.map((sample) => ({
    sample,
    position: position[sample]!,
    label: labels ? (labels[sample] === NO_CLASS ? -1 : labels[sample]!) : null,
    correct: labels && predictions ? labels[sample] === predictions[sample] : null,
    rule,
  }));
}
