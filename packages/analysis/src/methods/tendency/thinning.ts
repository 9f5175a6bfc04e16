import { guard } from '@epochscope/core-wasm';
import type { Engine } from '../../engine/types.js';
import type { Figure } from '../../results/types.js';
import { rowsOf } from '../rows.js';
import { thinnedAgreement } from './agreement.js';
import { alignPanels } from './align.js';
import { analyseTendency, type TendencyInput, type TendencyOptions } from './analyse.js';
import { defaultMinimumSize } from './blocks.js';
import type { MarkRule } from './marks.js';
import type { TendencyPanel, ThinnedAgreement, Thinning, ThinningStep } from './types.js';

/** Which subsets to try. */
export type ThinningPlan =
  /** Numbers of samples: every (n / size)-th along the order, the place rounded down. */
  | { by: 'size'; sizes: readonly number[] }
  /** Every i-th along the order. */
  | { by: 'interval'; intervals: readonly number[] }
  /** Intervals 2, 3, 4, … (see `INTERVALS`) until the agreement of some panel falls below `least`. */
  | { by: 'agreement'; least: number };

/** Tried by an automatic choice, and ten times these, and so on. */
export const INTERVALS = [2, 3, 4, 5, 6, 8, 10, 12, 15] as const;
/** An automatic choice leaves at least so many samples. */
export const LEAST_SAMPLES = 20;

export interface ThinningOptions extends TendencyOptions {
  plan: ThinningPlan;
  /** Whose order is thinned. */
  reference: { snapshot: string; layer: string };
}

/** A panel of all samples, and its input again when it is wanted: only one is held at a time. */
export interface ThinningSource {
  panel: TendencyPanel;
  input(): Promise<TendencyInput>;
}

/** Samples at the places ⌊k · interval⌋ of an order, `size` of them (default all there are), ascending by index. */
export function thinOrder(
  order: Uint32Array,
  interval: number,
  size = Math.ceil(order.length / interval),
): Uint32Array {
  return Uint32Array.from({ length: size }, (_, k) => order[Math.floor(k * interval)]!).sort();
}

/** What a plan tries on n samples. Throws `argument` for what n samples do not allow. */
export function thinningSteps(plan: ThinningPlan, n: number): { interval: number; size: number }[] {
  const check = (value: number, what: string) =>
    guard(
      Number.isInteger(value) && value >= 1 && value <= Math.max(1, n),
      'argument',
      () => `thinning: expected ${what} of 1 … ${n}, got ${value}`,
      { got: value, n },
    );
  if (plan.by === 'size') {
    for (const size of plan.sizes) check(size, 'a number of samples');
    return plan.sizes.map((size) => ({ interval: n / size, size }));
  }
  if (plan.by === 'interval') {
    for (const interval of plan.intervals) check(interval, 'an interval');
    return plan.intervals.map((interval) => ({ interval, size: Math.ceil(n / interval) }));
  }
  guard(
    plan.least >= 0 && plan.least <= 1,
    'argument',
    () => `thinning: expected an agreement of 0 … 1, got ${plan.least}`,
    { got: plan.least },
  );
  const steps = [];
  for (let ten = 1; n / (2 * ten) >= LEAST_SAMPLES; ten *= 10)
    for (const base of INTERVALS) {
      const size = Math.ceil(n / (base * ten));
      if (size >= LEAST_SAMPLES) steps.push({ interval: base * ten, size });
    }
  return steps;
}

const pick = <T extends ArrayLike<number>>(list: T | null, samples: Uint32Array) =>
  list && Float64Array.from(samples, (sample) => list[sample]!);

/** Rules within a subset: given indices become places in it, those outside are left out. */
function rulesWithin(rules: readonly MarkRule[], samples: Uint32Array): MarkRule[] {
  const place = new Map(Array.from(samples, (sample, i) => [sample, i]));
  return rules.map((rule) =>
    rule.rule === 'index' ? { ...rule, samples: rule.samples.flatMap((s) => place.get(s) ?? []) } : rule,
  );
}

/**
 * Thinning along a reference order (Satoh, §3.2): every i-th sample along the iVAT order of one layer at one snapshot is
 * kept, every panel is analysed anew with those only, and compared with its picture of all samples. For accepting or
 * refusing an interval: seconds, adjusted Rand index of the blocks, correlation of iVAT values. The smallest block that
 * counts is the same share of the samples.
 *
 * By `agreement`, intervals are tried from 2 upwards until the lower of index and correlation falls under `least` in some
 * panel; the interval before is chosen. That fall is kept in the result, so that it can be seen.
 *
 * Throws `missing` when the reference is not among the panels, `argument`, `cancelled`. Takes the time of the panels'
 * smaller analyses (a quarter of the full one for interval 2, a ninth for 3, …), one input in memory at a time.
 */
export async function thinTendency(
  engine: Pick<Engine, 'vat'>,
  sources: readonly ThinningSource[],
  options: ThinningOptions,
): Promise<Thinning> {
  const { plan, reference, ...rest } = options;
  const order = sources.find(
    ({ panel }) => panel.snapshot.id === reference.snapshot && panel.layer === reference.layer,
  )?.panel.order;
  guard(
    order,
    'missing',
    () => `thinning: layer ${reference.layer} of snapshot ${reference.snapshot} is not among the panels`,
    { ...reference },
  );
  const n = order.length;
  for (const { panel } of sources)
    guard(panel.n === n, 'shape', () => `thinning: panels of ${panel.n} and ${n} samples cannot be compared`);
  const steps = thinningSteps(plan, n).map(({ interval, size }) => ({
    interval,
    size,
    samples: thinOrder(order, interval, size),
  }));
  const panels: TendencyPanel[][] = steps.map(() => []);
  const agreements: ThinnedAgreement[][] = steps.map(() => []);
  // Steps beyond the first that falls short for some panel are tried for no other.
  let limit = steps.length;
  const work = steps.map(({ size }) => size * size);
  const total = work.reduce((a, b) => a + b, 0) * sources.length;
  let done = 0;
  for (const { panel, input } of sources) {
    options.onProgress?.(done, total);
    const whole = limit > 0 ? await input() : null;
    for (let s = 0; s < limit; s++) {
      const { samples, size } = steps[s]!;
      const thinned = await analyseTendency(
        engine,
        {
          snapshot: panel.snapshot,
          layer: panel.layer,
          outputs: rowsOf(whole!.outputs, samples),
          labels: pick(whole!.labels, samples),
          predictions: pick(whole!.predictions, samples),
          logLikelihood: pick(whole!.logLikelihood, samples),
        },
        {
          ...rest,
          marks: rulesWithin(options.marks, samples),
          minimumBlock: Math.max(
            2,
            Math.round(((options.minimumBlock ?? defaultMinimumSize(n)) * size) / Math.max(1, n)),
          ),
          onProgress: (part, of) => options.onProgress?.(done + (part / (of || 1)) * work[s]!, total),
        },
      );
      done += work[s]!;
      panels[s]!.push(thinned);
      const agreement = thinnedAgreement(panel, thinned, samples, options.seed);
      agreements[s]!.push(agreement);
      const { value } = agreement.lowest;
      if (plan.by === 'agreement' && value !== null && value < plan.least) limit = s + 1;
    }
  }
  const out = steps.slice(0, limit).map(
    (step, s): ThinningStep => ({
      ...step,
      panels: alignPanels(panels[s]!),
      agreement: agreements[s]!,
      lowest: lowestOf(agreements[s]!),
      seconds: panels[s]!.reduce((sum, p) => sum + p.seconds, 0),
    }),
  );
  return {
    reference,
    by: plan.by,
    least: plan.by === 'agreement' ? plan.least : null,
    chosen:
      plan.by === 'agreement' ? chosenOf(out, plan.least) : { value: null, reason: `${plan.by}s were given` },
    steps: out,
    fullSeconds: sources.reduce((sum, { panel }) => sum + panel.seconds, 0),
  };
}

function lowestOf(agreements: readonly ThinnedAgreement[]): Figure {
  const values = agreements.flatMap(({ lowest }) => (lowest.value === null ? [] : [lowest.value]));
  return values.length
    ? { value: Math.min(...values) }
    : { value: null, reason: 'no panel has iVAT values that differ' };
}

function chosenOf(steps: readonly ThinningStep[], least: number): Figure {
  if (!steps.length)
    return {
      value: null,
      reason: `fewer than ${2 * LEAST_SAMPLES} samples: thinning would leave fewer than ${LEAST_SAMPLES}`,
    };
  const short = steps.findIndex(({ lowest }) => lowest.value !== null && lowest.value < least);
  const last = short < 0 ? steps.length - 1 : short - 1;
  return last < 0
    ? { value: null, reason: `interval ${steps[0]!.interval} already agrees less than ${least}` }
    : { value: steps[last]!.interval };
}
