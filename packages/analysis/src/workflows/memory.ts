import { formatBytes, guard } from '@epochscope/core-wasm';
import { platform } from '#platform';
import type { Plan } from './types.js';

let preset: number | undefined;

/** Bytes that workflows may take whose caller does not say (`--memory`), for a whole program; undefined: what the process may use. Throws `argument`. */
export function setDefaultMemory(bytes: number | undefined): void {
  guard(
    bytes === undefined || bytes > 0,
    'argument',
    () => `memory: expected a number of bytes > 0, got ${bytes}`,
  );
  preset = bytes;
}

/** The limit of a workflow whose caller gives none: Infinity where the place does not say what it has. */
export const defaultMemory = (): number => preset ?? platform.memory() ?? Number.POSITIVE_INFINITY;

/** Less goes without saying. */
const WORTH_SAYING = 250e6;

/** Throws `memory`, naming the largest part, if it is over the limit; else what is to be said before the work, null where it is little. */
export function checkMemory(plan: Plan, limit = defaultMemory()): string | null {
  const [largest] = [...plan.parts].sort((a, b) => b.memory - a.memory);
  guard(
    !largest || largest.memory <= limit,
    'memory',
    () =>
      `${plan.method}: ${largest!.title} needs ${formatBytes(largest!.memory)}, the limit is ${formatBytes(limit)} (option memory); ${plan.hint}`,
    { needed: largest?.memory, limit },
  );
  if (!largest || largest.memory < WORTH_SAYING) return null;
  return `needs up to ${formatBytes(largest.memory)} of memory${Number.isFinite(limit) ? `, of ${formatBytes(limit)}` : ''}`;
}
