import { guard, type Matrix } from '@epochscope/core-wasm';
import { firstNotFinite } from '@epochscope/core-wasm/jobs';
import type { Figure } from '../../results/types.js';
import type { ActivityPanel } from './types.js';

export * from './types.js';

export interface ActivityInput {
  snapshot: ActivityPanel['snapshot'];
  layer: string;
  /** float32, n × (positions · filters): one sample's output flattened from [height, width, filters], or [units]. */
  outputs: Matrix;
  /** The last axis of the layer's shape. */
  filters: number;
  /** float32, n × d: the network's input on the same samples. */
  inputs: Matrix | { reason: string };
  labels: ArrayLike<number>;
  /** Or why none are known: then every sample counts. */
  predictions: ArrayLike<number> | { reason: string };
  classes: number;
}

/**
 * Feature-map activity by class (Inagaki & Aoyama, eq. 1): over the correctly predicted samples of class c,
 * A[f, c] = mean(Σ over the map of filter f) / mean(Σ over the input). A dense unit is a 1×1 map.
 * Without predictions all samples of a class count; without inputs, or with inputs that have no sum (token ids), A is the mean
 * sum over the map itself. A class with no such sample, or whose inputs sum to 0, is undefined and named.
 * Sums in float64. Throws `shape` on lengths that do not fit, `argument` on labels outside the classes, `not-finite`.
 * O(n · outputs) time, O(filters · classes) memory.
 */
export function analyseActivity(input: ActivityInput): ActivityPanel {
  const { outputs, inputs, labels, predictions, filters, classes, layer } = input;
  const [n, width] = outputs.shape;
  guard(
    filters > 0 && width % filters === 0,
    'shape',
    () => `layer ${layer}: ${width} outputs are not a multiple of ${filters} filters`,
    { layer, expected: filters, got: width },
  );
  for (const [name, length] of [
    ['inputs', 'reason' in inputs ? n : inputs.shape[0]],
    ['labels', labels.length],
    ['predictions', 'reason' in predictions ? n : predictions.length],
  ] as const) {
    guard(
      length === n,
      'shape',
      () => `layer ${layer}: ${n} samples of output need ${n} ${name}, got ${length}`,
      { layer, expected: n, got: length },
    );
  }
  const used = new Uint32Array(classes);
  const sums = new Float64Array(filters * classes);
  const inputSums = new Float64Array(classes);
  const [x, d] = 'reason' in inputs ? [null, 0] : [inputs.data, inputs.shape[1]];
  const predicted = 'reason' in predictions ? null : predictions;
  for (let s = 0; s < n; s++) {
    const label = labels[s]!;
    guard(
      Number.isInteger(label) && label >= 0 && label < classes,
      'argument',
      () => `label of sample ${s}: expected 0 … ${classes - 1}, got ${label}`,
      { sample: s, expected: classes - 1, got: label },
    );
    if (predicted && predicted[s] !== label) continue;
    used[label]!++;
    // Without inputs the mean over samples remains.
    let total = x ? 0 : 1;
    for (let i = s * d; i < (s + 1) * d; i++) total += x![i]!;
    inputSums[label]! += total;
    for (let i = s * width, f = 0; i < (s + 1) * width; i++) {
      sums[f * classes + label]! += outputs.data[i]!;
      if (++f === filters) f = 0;
    }
  }
  const activity = new Float64Array(filters * classes);
  const undefinedClasses: ActivityPanel['undefinedClasses'] = [];
  const defined: number[] = [];
  for (let c = 0; c < classes; c++) {
    if (!used[c])
      undefinedClasses.push({ class: c, reason: predicted ? 'no correctly predicted sample' : 'no sample' });
    else if (inputSums[c] === 0) undefinedClasses.push({ class: c, reason: 'its inputs sum to 0' });
    else {
      defined.push(c);
      // The two means have the same number of samples below, which cancels.
      for (let f = 0; f < filters; f++) activity[f * classes + c] = sums[f * classes + c]! / inputSums[c]!;
    }
  }
  const at = firstNotFinite(activity);
  guard(
    at < 0,
    'not-finite',
    () => `layer ${layer}: outputs of filter ${Math.floor(at / classes)} hold NaN or infinity`,
    { layer, filter: Math.floor(at / classes) },
  );
  const selectivity = Array.from({ length: filters }, (_, f) =>
    selectivityIndex(defined.map((c) => activity[f * classes + c]!)),
  );
  const values = selectivity.flatMap(({ value }) => (value === null ? [] : [value])).sort((a, b) => a - b);
  return {
    snapshot: input.snapshot,
    layer,
    filters,
    activity,
    used,
    ...('reason' in predictions ? { notSelected: predictions.reason } : {}),
    ...('reason' in inputs ? { notDivided: inputs.reason } : {}),
    undefinedClasses,
    selectivity,
    distribution: { q1: quantile(values, 0.25), median: quantile(values, 0.5), q3: quantile(values, 0.75) },
  };
}

/**
 * Class selectivity (Morcos et al. 2018): (largest − mean of the others) / (|largest| + |mean of the others|).
 * 0: the same for all classes; 1: silent but for one. For activities that may be negative (no ReLU) the magnitudes in
 * the denominator keep it within 0 … 1 when signs agree and at 1 when they differ.
 */
export function selectivityIndex(activities: readonly number[]): Figure {
  if (activities.length < 2) return { value: null, reason: 'fewer than two classes have an activity' };
  const largest = Math.max(...activities);
  const others = (activities.reduce((a, b) => a + b, 0) - largest) / (activities.length - 1);
  const size = Math.abs(largest) + Math.abs(others);
  return size === 0 ? { value: null, reason: 'the filter is silent' } : { value: (largest - others) / size };
}

/** Linear interpolation between order statistics (NumPy's default). */
function quantile(sorted: readonly number[], q: number): Figure {
  if (!sorted.length) return { value: null, reason: 'no filter has a selectivity' };
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.ceil(at);
  return { value: sorted[low]! + (sorted[high]! - sorted[low]!) * (at - low) };
}
