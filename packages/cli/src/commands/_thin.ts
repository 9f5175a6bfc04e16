import type { ThinningPlan } from '@epochscope/analysis/methods';
import { InvalidArgumentError } from 'commander';
import { names, whole } from './_shared.js';

/** Agreement an automatic interval keeps unless another is asked for. */
const LEAST = 0.95;

/** "500,100,50", "every:2,5" or "auto", "auto:0.9". */
export function thinningPlan(text: string): ThinningPlan {
  const [, kind, value] = /^(?:(every|auto)(?::|$))?(.*)$/.exec(text)!;
  if (kind === 'auto') {
    const least = value === '' ? LEAST : Number(value);
    if (!(least >= 0 && least <= 1)) throw new InvalidArgumentError('expected auto:AGREEMENT of 0 … 1.');
    return { by: 'agreement', least };
  }
  const numbers = names(value!).map(whole(1));
  return kind === 'every' ? { by: 'interval', intervals: numbers } : { by: 'size', sizes: numbers };
}

/** "S5" or "S5/epoch-0010". */
export function panelName(text: string): { layer: string; snapshot: string } {
  const match = /^([^/]+)(?:\/([^/]+))?$/.exec(text);
  if (!match) throw new InvalidArgumentError('expected LAYER or LAYER/SNAPSHOT.');
  return { layer: match[1]!, snapshot: match[2] ?? 'last' };
}
