import { EpochscopeError, guard } from '@epochscope/core-wasm';
import type { Figure } from '../../results/types.js';
import type { Rule, RuleFigure } from './types.js';

export * from './types.js';

const FIGURES = [
  'block count',
  'share in no block',
  'difference to the last snapshot',
  'dead units',
] as const;
const EXAMPLES =
  '"block count of R4 fell", "share in no block over 0.4", "difference to the last snapshot over 20", "dead units over 0.5", "testLoss rose for 2 snapshots"';
const FORM =
  /^(.+?)(?: of (\S+))? (over|under|fell|rose)(?:(?: by)? (-?\d+(?:\.\d+)?(?:e-?\d+)?))?(?: for (\d+) snapshots?)?$/;

/**
 * "FIGURE [of LAYER] over X | under X | fell [by X] | rose [by X] [for N snapshots]", FIGURE being "block count", "share in no block",
 * "difference to the last snapshot" (or "difference"), "dead units" or a metric's name. Throws `argument`.
 */
export function parseRule(text: string): Rule {
  const [, name, layer, change, by, times] = FORM.exec(text.trim().replace(/\s+/g, ' ')) ?? [];
  const wrong = (why: string): never => {
    throw new EpochscopeError('argument', `rule "${text}": ${why}, such as ${EXAMPLES}`, { rule: text });
  };
  if (name === undefined)
    return wrong('expected FIGURE [of LAYER] over X, under X, fell [by X] or rose [by X] [for N snapshots]');
  const limited = change === 'over' || change === 'under';
  if (limited && by === undefined) wrong(`expected a number after "${change}"`);
  if (!limited && Number(by ?? 0) < 0) wrong(`expected a number ≥ 0 after "by", got ${by}`);
  if (times === '0') wrong('expected at least one snapshot after "for"');
  const known = name === 'difference' ? FIGURES[2] : FIGURES.find((one) => one === name);
  if (!known && layer !== undefined)
    wrong(`there is no figure "${name}" of a layer; there are ${FIGURES.join(', ')}`);
  return {
    text,
    figure: known ?? { metric: name },
    layer: layer ?? null,
    change: change as Rule['change'],
    by: Number(by ?? 0),
    times: Number(times ?? 1),
  };
}

/** "block count of R4", "testLoss". */
export const figureName = (figure: RuleFigure, layer: string | null): string =>
  typeof figure === 'object' ? figure.metric : layer === null ? figure : `${figure} of ${layer}`;

/**
 * Places at which a rule holds: its condition is met there and at the snapshots before, `times` in all. Falls and rises are to the snapshot
 * before; what is not defined meets no condition, and nothing falls or rises from it.
 */
export function whereHolds(
  { change, by, times }: Pick<Rule, 'change' | 'by' | 'times'>,
  values: readonly Figure[],
): number[] {
  const holds: number[] = [];
  let met = 0;
  values.forEach(({ value }, i) => {
    const before = values[i - 1]?.value ?? null;
    const now =
      value !== null &&
      (change === 'over'
        ? value > by
        : change === 'under'
          ? value < by
          : before !== null && (change === 'fell' ? before - value : value - before) > by);
    met = now ? met + 1 : 0;
    if (met >= times) holds.push(i);
  });
  return holds;
}

const short = (value: number) => Number(value.toPrecision(3)).toString();

/** "at epoch-0003 block count of R4 fell from 10 to 7". */
export function alarmText(
  { change, by, times, figure }: Pick<Rule, 'change' | 'by' | 'times'> & { figure: string },
  values: readonly Figure[],
  at: number,
  snapshot: string,
): string {
  const value = short(values[at]!.value!);
  const said =
    change === 'over' || change === 'under'
      ? `is ${value}, ${change} ${short(by)}`
      : `${change} from ${short(values[at - 1]!.value!)} to ${value}`;
  return `at ${snapshot} ${figure} ${said}${times > 1 ? `, the ${times}${times === 2 ? 'nd' : times === 3 ? 'rd' : 'th'} time in a row` : ''}`;
}

/**
 * Share of units with one and the same output on all samples: of feature maps [height, width, channels] whole channels, else single values.
 * null without samples or with one.
 */
export function deadShare(outputs: ArrayLike<number | bigint>, n: number, shape: readonly number[]): Figure {
  if (n < 2)
    return {
      value: null,
      reason: `${n === 0 ? 'no samples' : 'one sample'}: units are dead where all samples give the same`,
    };
  const size = outputs.length / n;
  const units = shape.length > 1 ? shape.at(-1)! : size;
  guard(
    units > 0 && size % units === 0,
    'shape',
    () => `dead units: ${size} values are not of shape [${shape}]`,
  );
  let dead = 0;
  for (let u = 0; u < units; u++) {
    const first = outputs[u]!;
    let same = true;
    for (let i = u; i < outputs.length && same; i += units) same = outputs[i] === first;
    if (same) dead++;
  }
  return { value: dead / units };
}
