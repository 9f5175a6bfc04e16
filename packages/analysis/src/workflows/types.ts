import type { Dataset } from '../datasets/types.js';
import type { Engine } from '../engine/types.js';
import type { FileIdentity, ResultBase } from '../results/types.js';
import type { Run } from '../run/types.js';

export const PLAN_FORMAT = 'epochscope-plan/1';

/** One piece of a method's work on a run: a panel, a snapshot, an input, a round. Plain JSON, so that any machine can do it. */
export interface Part<Task = unknown> {
  /** Hash (hex) of all that decides the part's output: method, options, what it reads. Equal keys, equal outputs (but for seconds). */
  key: string;
  /** For people: what kind of work, the same for many parts ("Cluster tendency"), and which ("epoch-0010 R4"). */
  stage: string;
  title: string;
  /** Keys of parts that must be done before: a capture whose files it reads, the round before. */
  after: readonly string[];
  /** Estimated peak of memory, in bytes, beside what a bare process takes. */
  memory: number;
  /** Share of the work, in any unit that is the same over the plan, for progress and time left. */
  work: number;
  /** Files that this part alone reads and no result names, by path in the run's store: those of a capture. */
  reads?: Readonly<Record<string, FileIdentity | null>>;
  task: Task;
}

/** A method's work on a run, decided but not done. Plain JSON. */
export interface Plan<Options = unknown, Task = unknown> {
  format: typeof PLAN_FORMAT;
  method: string;
  tool: { name: string; version: string };
  /** As given, defaults filled in, names resolved ("last" → "epoch-0010"). */
  options: Options;
  /** The run's name, and which state of its files the parts read, by path in its store; null for those that a part captures. */
  input: { source: string; files: Readonly<Record<string, FileIdentity | null>> };
  /** Every part after those it waits for. */
  parts: readonly Part<Task>[];
  /** What to do if a part does not fit into memory: "take fewer samples". */
  hint: string;
  /** What was assumed or left out, one sentence each. */
  notes: readonly string[];
  /** What joining needs to know that planning found out. */
  facts?: Readonly<Record<string, unknown>>;
}

/** What planning may use beside the run. */
export interface PlanContext {
  /** Training data by name or place. Throws `missing` where it cannot be had here. */
  dataset(where: string): Promise<Dataset>;
}

/** What computing a part may use. */
export interface PartContext<Subject = Run> extends PlanContext {
  /** What the workflow works on: a run; a file; the places to read from and to write to. */
  run: Subject;
  engine: Engine;
  signal?: AbortSignal;
  /** Share of this part done, 0 … 1, and what is at hand. */
  onProgress?: (share: number, note?: string) => void;
  onWarning?: (text: string) => void;
  /** What is worth a line on the way: a snapshot's accuracy. */
  onNote?: (text: string) => void;
  /** For the run's reading functions: which state of each file was read. Kept with the part. */
  reads: Record<string, FileIdentity>;
  /** The output of a part named in `after`. Throws `missing`. */
  output<T = unknown>(key: string): Promise<T>;
  /**
   * Keeps one thing of each `kind` for the parts that follow in this process: a net, a layer's outputs. The kept one if it has the same
   * key; else it is given back by its `dispose`, and `open` makes the new one. It may change no figure: another process starts without it.
   */
  keep<T extends object>(kind: string, key: string, open: () => T | Promise<T>): Promise<T>;
}

/** What joining may use: `output` gives each part's output, so that they need not be in memory at once. */
export interface JoinContext<Subject = Run> {
  run: Subject;
  engine: Engine;
  signal?: AbortSignal;
  onWarning?: (text: string) => void;
  output<T = unknown>(key: string): Promise<T>;
  /** Seconds that computing the parts took, all together. */
  seconds: number;
  /** Which state of each file the parts read. */
  reads: Record<string, FileIdentity>;
}

/**
 * A method on a run (or another subject), defined once: the command line and a page loop over the parts, a cluster runs them as tasks; the same bits.
 * It knows no terminal, no page, and no disk but the run's store.
 */
export interface Workflow<Options, Task, Output, Result extends ResultBase, Subject = Run> {
  readonly method: string;
  /** Checks the options, fills in defaults. Throws `argument`, `missing`. Reads what decides the keys: whole files, once. */
  plan(run: Subject, options: Partial<Options>, context: PlanContext): Promise<Plan<Options, Task>>;
  /** One part's output: a tree of plain values and typed arrays, as results are. */
  compute(part: Part<Task>, context: PartContext<Subject>): Promise<Output>;
  join(plan: Plan<Options, Task>, context: JoinContext<Subject>): Promise<Result>;
}
