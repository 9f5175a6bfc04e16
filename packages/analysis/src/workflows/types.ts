import type { Engine } from '../engine/types.js';
import type { ResultBase } from '../results/types.js';
import type { Run } from '../run/types.js';

export const PLAN_FORMAT = 'epochscope-plan/1';

/** One piece of a method's work on a run: a panel, a snapshot, an input, a round. Plain JSON, so that any machine can do it. */
export interface Part<Task = unknown> {
  /** Hash (hex) of all that decides the part's figures: method, options, what it reads. Equal keys, equal figures. */
  key: string;
  /** For people: "epoch-0010 R4". */
  title: string;
  /** Keys of parts that must be done before: a capture whose files it reads, the round before. */
  after: readonly string[];
  /** Estimated peak of memory, in bytes, beside what a bare process takes. */
  memory: number;
  /** Share of the work, in any unit that is the same over the plan, for progress and time left. */
  work: number;
  task: Task;
}

/** A method's work on a run, decided but not done. */
export interface Plan<Options = unknown, Task = unknown> {
  format: typeof PLAN_FORMAT;
  method: string;
  tool: { name: string; version: string };
  /** As given, defaults filled in, names resolved ("last" → "epoch-0010"). */
  options: Options;
  parts: readonly Part<Task>[];
  /** What was assumed or left out, one sentence each. */
  notes: readonly string[];
}

/** What computing a part may use. */
export interface PartContext {
  run: Run;
  engine: Engine;
  signal?: AbortSignal;
  /** Share of this part done, 0 … 1, and what is at hand. */
  onProgress?: (share: number, note?: string) => void;
  onWarning?: (text: string) => void;
  /** The output of a part named in `after`. Throws `missing`. */
  output(key: string): Promise<unknown>;
}

/**
 * A method on a run, defined once: the command line and a page loop over the parts, a cluster runs them as tasks; the same bits.
 * It knows no terminal, no page, and no disk but the run's store.
 */
export interface Workflow<Options, Task, Output, Result extends ResultBase> {
  readonly method: string;
  /** Checks the options, fills in defaults. Throws `argument`, `missing`; `memory` where a part cannot fit `memoryLimit`. */
  plan(run: Run, options: Partial<Options>): Promise<Plan<Options, Task>>;
  /** One part's output: a tree of plain values and typed arrays, as results are (`results/codec.ts` writes and reads it). */
  compute(part: Part<Task>, context: PartContext): Promise<Output>;
  /** The result; `output` gives each part's output, so that they need not be in memory at once. */
  join(
    plan: Plan<Options, Task>,
    context: { run: Run; engine: Engine; output(key: string): Promise<Output>; signal?: AbortSignal },
  ): Promise<Result>;
}
