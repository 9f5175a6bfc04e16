import { formatBytes, guard } from '@epochscope/core-wasm';
import { platform } from '#platform';
import type { Part, Plan } from './types.js';

/** What of a plan says how much it takes. */
type Needs = Pick<Plan, 'method' | 'hint'> & { parts: readonly Pick<Part, 'title' | 'memory' | 'work'>[] };

let preset: number | undefined;

/** Bytes that workflows may take whose caller does not say (`memory` of the command line), for a whole program; undefined: what the process may use. Throws `argument`. */
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

/** Throws `memory`, naming the largest part, if it is over the limit. */
export function checkMemory(plan: Needs, limit = defaultMemory()): void {
  const [largest] = [...plan.parts].sort((a, b) => b.memory - a.memory);
  guard(
    !largest || largest.memory <= limit,
    'memory',
    () =>
      `${plan.method}: ${largest!.title} needs ${formatBytes(largest!.memory)}, the limit is ${formatBytes(limit)} (option memory); ${plan.hint}`,
    { needed: largest?.memory, limit },
  );
}

/** Units of a part's work that one thread of a machine of today does in a second at least: distances of points without clusters. */
const SLOW_PACE = 5e10;
/** Less is not worth a line. */
const SAID_BYTES = 100e6;
const SAID_SECONDS = 10;

/** What a plan will take, in a sentence, before any of it is done; null where that is little. */
export function estimateOf(plan: Needs): string | null {
  const memory = plan.parts.reduce((most, part) => Math.max(most, part.memory), 0);
  const seconds = plan.parts.reduce((sum, part) => sum + part.work, 0) / SLOW_PACE;
  if (memory < SAID_BYTES && seconds < SAID_SECONDS) return null;
  const time =
    seconds < 90
      ? `${Math.max(1, Math.ceil(seconds))} s`
      : seconds < 5400
        ? `${Math.ceil(seconds / 60)} min`
        : `${Math.ceil(seconds / 3600)} h`;
  const parts = plan.parts.length === 1 ? '' : ` in ${plan.parts.length} parts`;
  return `estimate${parts}: ${formatBytes(memory)} of memory beside the program, at most about ${time} on one processor`;
}

/** Refuses what does not fit, and says what it takes, before any of it is done. Throws `memory`. */
export function announce(
  needs: Needs,
  { memoryLimit, onNote }: { memoryLimit?: number; onNote?: (text: string) => void },
): void {
  checkMemory(needs, memoryLimit);
  const estimate = estimateOf(needs);
  if (estimate) onNote?.(estimate);
}
