import { guard } from '@epochscope/core-wasm';
import type { Engine } from '../../engine/types.js';
import type { Figure } from '../../results/types.js';
import { thinnedAgreement } from './agreement.js';
import { alignPanels } from './align.js';
import { analyseTendency, type TendencyInput, type TendencyOptions } from './analyse.js';
import { defaultSmallest } from './blocks.js';
import type { MarkRule } from './marks.js';
import { inputOfSamples } from './space.js';
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
/** No smaller blocks count in a subset: crumbs of fewer samples come about by chance. */
const LEAST_BLOCK = 10;

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

/** Rules within a subset: given indices become places in it, those outside are left out. */
function rulesWithin(rules: readonly MarkRule[], samples: Uint32Array): MarkRule[] {
  const place = new Map(Array.from(samples, (sample, i) => [sample, i]));
  return rules.map((rule) =>
    rule.rule === 'index' ? { ...rule, samples: rule.samples.flatMap((s) => place.get(s) ?? []) } : rule,
  );
}

/** One panel's subsets, in the plan's order. */
export interface ThinnedPanel {
  panels: TendencyPanel[];
  agreement: ThinnedAgreement[];
}

/**
 * One panel on the subsets of a plan along `order` (the reference panel's), compared with its picture of all samples; the smallest block that
 * counts is the same share of the samples, at least 10; stability is left out. By `agreement` it ends with the first subset that falls short. One engine, the input of one panel.
 */
export async function thinPanel(
  engine: Pick<Engine, 'vat' | 'vatFromMatrix' | 'vatImage'>,
  { panel, input }: { panel: TendencyPanel; input: TendencyInput },
  order: Uint32Array,
  options: ThinningOptions,
): Promise<ThinnedPanel> {
  const { plan, ...rest } = options;
  const n = order.length;
  guard(panel.n === n, 'shape', () => `thinning: panels of ${panel.n} and ${n} samples cannot be compared`);
  const out: ThinnedPanel = { panels: [], agreement: [] };
  const steps = thinningSteps(plan, n);
  const total = steps.reduce((sum, { size }) => sum + size * size, 0);
  let done = 0;
  for (const { interval, size } of steps) {
    const samples = thinOrder(order, interval, size);
    const thinned = await analyseTendency(
      engine,
      { ...inputOfSamples(input, samples), snapshot: panel.snapshot, layer: panel.layer },
      {
        ...rest,
        marks: rulesWithin(options.marks, samples),
        smallestBlock: Math.max(
          LEAST_BLOCK,
          Math.round(((options.smallestBlock ?? defaultSmallest(n)) * size) / Math.max(1, n)),
        ),
        stabilitySubsets: 0,
        onProgress: (part, of) => options.onProgress?.(done + (part / (of || 1)) * size * size, total),
      },
    );
    done += size * size;
    const agreement = thinnedAgreement(panel, thinned, samples, options.seed);
    out.panels.push(thinned);
    out.agreement.push(agreement);
    const { value } = agreement.lowest;
    if (plan.by === 'agreement' && value !== null && value < plan.least) break;
  }
  return out;
}

/** The subsets that every panel has been tried on, aligned along the snapshots, and the interval that is chosen. */
export function joinThinning(
  thinned: readonly ThinnedPanel[],
  panels: readonly TendencyPanel[],
  order: Uint32Array,
  { plan, reference }: Pick<ThinningOptions, 'plan' | 'reference'>,
): Thinning {
  const tried = Math.min(...thinned.map(({ panels: steps }) => steps.length));
  const steps = thinningSteps(plan, order.length)
    .slice(0, tried)
    .map(({ interval, size }, s): ThinningStep => {
      const own = thinned.map(({ panels: all }) => all[s]!);
      const agreement = thinned.map(({ agreement: all }) => all[s]!);
      return {
        interval,
        size,
        samples: thinOrder(order, interval, size),
        panels: alignPanels(own),
        agreement,
        lowest: lowestOf(agreement),
        seconds: own.reduce((sum, p) => sum + p.seconds, 0),
      };
    });
  return {
    reference,
    by: plan.by,
    least: plan.by === 'agreement' ? plan.least : null,
    chosen:
      plan.by === 'agreement'
        ? chosenOf(steps, plan.least)
        : { value: null, reason: `${plan.by}s were given` },
    steps,
    fullSeconds: panels.reduce((sum, panel) => sum + panel.seconds, 0),
  };
}

/**
 * Thinning along a reference order (Satoh, §3.2): every i-th sample along the iVAT order of one layer at one snapshot is
 * kept, every panel is analysed anew with those only, and compared with its picture of all samples. For accepting or
 * refusing an interval: seconds, adjusted Rand index of the blocks, correlation of iVAT values.
 *
 * By `agreement`, intervals are tried from 2 upwards until the lower of index and correlation falls under `least` in some
 * panel; the interval before is chosen. That fall is kept in the result, so that it can be seen.
 *
 * Throws `missing` when the reference is not among the panels, `argument`, `cancelled`. Takes the time of the panels'
 * smaller analyses (a quarter of the full one for interval 2, a ninth for 3, …), one input in memory at a time.
 */
export async function thinTendency(
  engine: Pick<Engine, 'vat' | 'vatFromMatrix' | 'vatImage'>,
  sources: readonly ThinningSource[],
  options: ThinningOptions,
): Promise<Thinning> {
  const { reference } = options;
  const panels = sources.map(({ panel }) => panel);
  const order = panels.find(
    ({ snapshot, layer }) => snapshot.id === reference.snapshot && layer === reference.layer,
  )?.order;
  guard(
    order,
    'missing',
    () => `thinning: layer ${reference.layer} of snapshot ${reference.snapshot} is not among the panels`,
    { ...reference },
  );
  const thinned: ThinnedPanel[] = [];
  for (const [i, { panel, input }] of sources.entries())
    thinned.push(
      await thinPanel(engine, { panel, input: await input() }, order, {
        ...options,
        onProgress: (done, total) => options.onProgress?.(i + done / (total || 1), sources.length),
      }),
    );
  return joinThinning(thinned, panels, order, options);
}

function lowestOf(agreements: readonly ThinnedAgreement[]): Figure {
  const values = agreements.flatMap(({ lowest }) => (lowest.value === null ? [] : [lowest.value]));
  return values.length
    ? { value: Math.min(...values) }
    : { value: null, reason: 'no panel has blocks or iVAT values that differ' };
}

function chosenOf(steps: readonly ThinningStep[], least: number): Figure {
  if (!steps.length)
    return {
      value: null,
      reason: `fewer than ${2 * LEAST_SAMPLES} samples: thinning would leave fewer than ${LEAST_SAMPLES}`,
    };
  if (steps.every(({ lowest }) => lowest.value === null))
    return { value: null, reason: 'no agreement is defined' };
  const short = steps.findIndex(({ lowest }) => lowest.value !== null && lowest.value < least);
  const last = short < 0 ? steps.length - 1 : short - 1;
  return last < 0
    ? { value: null, reason: `interval ${steps[0]!.interval} already agrees less than ${least}` }
    : { value: steps[last]!.interval };
}
