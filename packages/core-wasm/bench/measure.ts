import { loadavg } from 'node:os';
import type { BenchCase, Contender } from './types.js';

export interface Timing {
  name: string;
  /** Seconds: median, fastest and slowest of the counted runs; null if it failed, with the reason. */
  median: number | null;
  min: number | null;
  max: number | null;
  runs: number;
  /** Calls in a row that one run is made of. */
  calls?: number;
  error?: string;
}

export interface CaseResult {
  kernel: string;
  /**
   * Day, and the load average over a minute before the case: over 1 the figures are too slow, and those of threads
   * most.
   */
  date: string;
  load: number;
  /** The processor, as several machines may have renewed their cases. */
  cpu?: string;
  /** Measured with --quick: small sizes only. */
  quick: boolean;
  work: string;
  data: string;
  flops?: number;
  elements?: number;
  bytes?: number;
  /** Versions of Python's peers, where they ran. */
  python?: Record<string, string>;
  timings: Timing[];
}

/** Seconds by the clock, or of the processor's time that this process took. */
const now = (clock: boolean) => {
  if (clock) return performance.now() / 1000;
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const median = (values: number[]) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/**
 * A run shorter than this is made of several calls: one call of some microseconds measures the clock and cold caches.
 */
const SHORTEST = 0.02;

/** Seconds of so many calls in a row. */
async function time({ run, selfTimed, threads }: Contender, calls: number): Promise<number> {
  if (selfTimed) return ((await run(calls)) as { seconds: number }).seconds;
  const start = now(threads === true);
  for (let k = 0; k < calls; k++) {
    const answer = run(1);
    if (answer instanceof Promise) await answer;
  }
  return now(threads === true) - start;
}

/**
 * Times every contender of a case in turns (A B A B …), so that a drift of the machine's speed hits all alike. As a
 * warm-up each is called until so many calls in a row as one run will have last `SHORTEST`; then up to `runs` rounds,
 * a contender dropping out once it has used `budget` seconds. Times are of one call.
 */
export async function measure(
  kernel: string,
  benchCase: BenchCase,
  runs: number,
  budget: number,
  quick: boolean,
): Promise<CaseResult> {
  const { contenders } = benchCase;
  const load = loadavg()[0]!;
  const times: number[][] = contenders.map(() => []);
  const spent = contenders.map(() => 0);
  const calls = contenders.map(() => 1);
  const errors: (string | undefined)[] = contenders.map(() => undefined);
  const run = async (c: number) => {
    const seconds = await time(contenders[c]!, calls[c]!);
    spent[c]! += seconds;
    return seconds;
  };
  for (let round = -1; round < runs; round++) {
    for (let c = 0; c < contenders.length; c++) {
      if (errors[c] || spent[c]! > budget) continue;
      try {
        let seconds = await run(c);
        while (round < 0 && seconds < SHORTEST) {
          calls[c] = Math.ceil(calls[c]! * Math.min(100, 1.2 * (SHORTEST / Math.max(seconds, 1e-9))));
          seconds = await run(c);
        }
        // A warm-up that alone used the budget counts, so that slow peers run once.
        if (round >= 0 || seconds > budget) times[c]!.push(seconds / calls[c]!);
      } catch (error) {
        errors[c] = error instanceof Error ? error.message : String(error);
      }
    }
  }
  for (const contender of contenders) await contender.dispose?.();
  return {
    kernel,
    date: new Date().toISOString().slice(0, 10),
    load,
    quick,
    work: benchCase.work,
    data: benchCase.data,
    flops: benchCase.flops,
    elements: benchCase.elements,
    bytes: benchCase.bytes,
    timings: contenders.map(({ name }, c) => {
      const t = times[c]!;
      return t.length && !errors[c]
        ? {
            name,
            median: median(t),
            min: Math.min(...t),
            max: Math.max(...t),
            runs: t.length,
            calls: calls[c],
          }
        : { name, median: null, min: null, max: null, runs: 0, error: errors[c] ?? 'did not run' };
    }),
  };
}
