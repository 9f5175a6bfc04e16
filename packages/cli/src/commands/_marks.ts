import type { MarkRule } from '@epochscope/analysis/methods';
import { InvalidArgumentError } from 'commander';

/** "top:10,wrong@1;2,random:20" → rules. Undefined: the caller's default. "none": no marks. */
export function markRules(text: string | undefined, seed: number): MarkRule[] | undefined {
  if (text === undefined) return undefined;
  if (text === 'none') return [];
  return text.split(',').map((part): MarkRule => {
    const match = /^(top|wrong|correct|loss|random|index)(?::([\d;]+))?(?:@([\d;]+))?$/.exec(part.trim());
    if (!match)
      throw new InvalidArgumentError(
        `marks: expected top:K, wrong, correct, loss:K, random:K or index:I;J, got ${JSON.stringify(part)}`,
      );
    const [, rule, value, of] = match;
    const k = value === undefined ? 10 : Number(value);
    const classes = of ? of.split(';').map(Number) : undefined;
    if (rule !== 'index' && !Number.isInteger(k))
      throw new InvalidArgumentError(`marks: expected one number after ${rule}:`);
    if (rule === 'top') return { rule: 'top-likelihood', k, classes };
    if (rule === 'loss') return { rule: 'largest-loss', k };
    if (rule === 'random') return { rule: 'random', k, seed };
    if (rule === 'index')
      return { rule: 'index', samples: (value ?? '').split(';').filter(Boolean).map(Number) };
    return { rule: rule as 'wrong', classes };
  });
}
