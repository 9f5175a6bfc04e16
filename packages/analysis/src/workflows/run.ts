import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { openDataset } from '../datasets/index.js';
import type { Dataset } from '../datasets/types.js';
import { createEngine } from '../engine/create.js';
import type { Engine } from '../engine/types.js';
import type { ResultBase } from '../results/types.js';
import type { Run } from '../run/types.js';
import { checkHow, checkSubject } from './arguments.js';
import { paceClock } from './clock.js';
import { announce } from './memory.js';
import { Parts, type PartsPlace } from './parts.js';
import type { Part, PartContext, Plan, PlanContext, Workflow } from './types.js';

/** How far a workflow is. */
export interface WorkflowProgress {
  /** Share of all the work done, 0 … 1. */
  share: number;
  /** Kind of work at hand ("Cluster tendency"), and which piece ("epoch-0010 R4", perhaps with what is done in it). */
  stage: string;
  title: string;
  /** Share of this stage's work done, 0 … 1. */
  stageShare: number;
  /** Estimated from the work done so far; null at the beginning. */
  secondsLeft: number | null;
}

/** What every method on a run takes beside its own options. */
export interface WorkflowOptions {
  /** Default: one of its own, with the threads this process may use, closed at the end. */
  engine?: Engine;
  /** Stops between and within parts; rejects with code `cancelled`. */
  signal?: AbortSignal;
  onProgress?: (progress: WorkflowProgress) => void;
  onWarning?: (text: string) => void;
  /** What the plan assumed or left out, before the work; what is worth a line, on the way. */
  onNote?: (text: string) => void;
  /** Bytes a part may take by its estimate; default: `setDefaultMemory`, else what the process may use. */
  memoryLimit?: number;
  /** Called with each part's output once it is there, in order, also with those taken up from `parts`. */
  onPart?: (part: Part, output: unknown) => void | Promise<void>;
  /** Where parts are kept until the result is whole, and taken up again by key; default: in memory. */
  parts?: PartsPlace;
  /** Training data by name or place; default: folders and bundled digits in Node, none in a page. */
  dataset?: (where: string) => Promise<Dataset>;
  /** Does the work instead of the loop over parts here: as tasks of a cluster, for instance. */
  elsewhere?: Elsewhere;
}

/** Brings about a workflow's result in a way of its own; `plan` makes the plan, or gives the one that was made before. */
export type Elsewhere = <Options, Task, Output, Result extends ResultBase, Subject>(
  workflow: Workflow<Options, Task, Output, Result, Subject>,
  run: Subject,
  plan: () => Promise<Plan<Options, Task>>,
  how: WorkflowOptions,
) => Promise<Result>;

export type PlanOptions = Pick<WorkflowOptions, 'dataset'>;

/** What planning may use, from what a caller gives. */
export const planContext = ({ dataset }: PlanOptions): PlanContext => ({ dataset: lastOpened(dataset) });

/** Plans, computes what is not there yet, joins. Throws what plan and parts throw, `memory` before any work, `cancelled`. */
export async function runWorkflow<Options, Task, Output, Result extends ResultBase, Subject = Run>(
  workflow: Workflow<Options, Task, Output, Result, Subject>,
  run: Subject,
  options: Partial<Options> = {},
  how: WorkflowOptions = {},
): Promise<Result> {
  checkHow(workflow.method, how);
  checkSubject(workflow.method, run);
  const { dataset } = planContext(how);
  const plan = () => workflow.plan(run, options, { dataset });
  if (how.elsewhere) return how.elsewhere(workflow, run, plan, how);
  return runPlan(workflow, run, await plan(), { ...how, dataset });
}

/** What a run's parts will be, for elsewhere or later. Throws as the method does. */
export async function planWorkflow<Options, Task, Output, Result extends ResultBase, Subject = Run>(
  workflow: Workflow<Options, Task, Output, Result, Subject>,
  run: Subject,
  options: Partial<Options> = {},
  how: PlanOptions = {},
): Promise<Plan<Options, Task>> {
  checkHow(workflow.method, how);
  checkSubject(workflow.method, run);
  return workflow.plan(run, options, planContext(how));
}

/** Data sets are large, and each part asks for the same one. */
function lastOpened(open: WorkflowOptions['dataset'] = openDataset): (where: string) => Promise<Dataset> {
  let last: { where: string; data: Promise<Dataset> } | null = null;
  return (where) => {
    if (last?.where !== where) last = { where, data: open(where) };
    return last.data;
  };
}

/** The same for a plan that was made before, perhaps elsewhere. The parts kept are removed by the caller, once the result is written. */
export async function runPlan<Options, Task, Output, Result extends ResultBase, Subject = Run>(
  workflow: Workflow<Options, Task, Output, Result, Subject>,
  run: Subject,
  plan: Plan<Options, Task>,
  how: WorkflowOptions = {},
): Promise<Result> {
  checkHow(workflow.method, how);
  if (how.elsewhere) return how.elsewhere(workflow, run, async () => plan, how);
  announce(plan, how);
  const parts = new Parts(how.parts ?? null);
  const engine = how.engine ?? createEngine();
  const kept = new Kept();
  const dataset = lastOpened(how.dataset);
  try {
    for (const note of plan.notes) how.onNote?.(note);
    const progress = new ProgressOver(plan, how.onProgress);
    for (const part of inOrder(plan.parts)) {
      checkNotCancelled(how.signal, `${plan.method} was cancelled before ${part.stage}, ${part.title}`);
      if (await parts.find(part.key, how.onWarning)) {
        progress.skip(part);
        if (how.onPart) await how.onPart(part, await parts.output(part.key));
        continue;
      }
      progress.update(part, 0);
      const begun = performance.now();
      const reads = {};
      const output = await workflow.compute(part, {
        run,
        engine,
        signal: how.signal,
        onProgress: (share, note) => progress.update(part, share, note),
        onWarning: how.onWarning,
        onNote: how.onNote,
        reads,
        output: (key) => parts.output(key),
        keep: (kind, key, open) => kept.keep(kind, key, open),
        dataset,
      });
      await parts.put({ key: part.key, seconds: (performance.now() - begun) / 1000, reads, output });
      progress.done(part);
      await how.onPart?.(part, output);
    }
    await kept.clear();
    checkNotCancelled(how.signal, `${plan.method} was cancelled before its parts were joined`);
    return await workflow.join(plan, {
      run,
      engine,
      signal: how.signal,
      onWarning: how.onWarning,
      output: (key) => parts.output(key),
      ...parts.summary(plan.parts.map(({ key }) => key)),
    });
  } finally {
    await kept.clear();
    if (!how.engine) await engine.close();
  }
}

export function checkNotCancelled(signal: AbortSignal | undefined, message: string): void {
  if (signal?.aborted) throw new EpochscopeError('cancelled', message);
}

/** The parts in their own order, each after those it waits for. Throws `argument` where that is not so, or one is not there. */
function inOrder<Task>(parts: readonly Part<Task>[]): readonly Part<Task>[] {
  const before = new Set<string>();
  for (const part of parts) {
    for (const key of part.after)
      guard(
        before.has(key),
        'argument',
        () => `plan: part ${part.title} waits for part ${key.slice(0, 12)}, which is not before it`,
        { key },
      );
    before.add(part.key);
  }
  return parts;
}

/** What parts keep for those that follow. */
class Kept {
  private readonly things = new Map<string, { key: string; thing: Promise<object> }>();

  keep: PartContext['keep'] = async <T extends object>(
    kind: string,
    key: string,
    open: () => T | Promise<T>,
  ) => {
    const known = this.things.get(kind);
    if (known?.key === key) return (await known.thing) as T;
    const gone = this.drop(kind);
    this.things.delete(kind);
    await gone;
    const thing = Promise.resolve(open());
    this.things.set(kind, { key, thing });
    thing.catch(() => this.things.get(kind)?.thing === thing && this.things.delete(kind));
    return thing;
  };

  async clear(): Promise<void> {
    const all = [...this.things.keys()].map((kind) => this.drop(kind));
    this.things.clear();
    await Promise.all(all);
  }

  private async drop(kind: string): Promise<void> {
    const thing = await this.things.get(kind)?.thing.catch(() => null);
    await (thing as { dispose?: () => void | Promise<void> } | null | undefined)?.dispose?.();
  }
}

/** Progress over parts by their work. Parts taken up from before count as done and not for the time left. */
class ProgressOver {
  private readonly total: number;
  private readonly stages = new Map<string, { total: number; done: number }>();
  private finished = 0;
  private skipped = 0;
  private readonly clock = paceClock();

  constructor(
    plan: Plan,
    private readonly report: WorkflowOptions['onProgress'],
  ) {
    this.total = plan.parts.reduce((sum, { work }) => sum + work, 0) || 1;
    for (const { stage, work } of plan.parts) {
      const known = this.stages.get(stage) ?? { total: 0, done: 0 };
      this.stages.set(stage, { ...known, total: known.total + work });
    }
  }

  update(part: Part, share: number, note?: string): void {
    if (!this.report) return;
    const within = part.work * Math.min(1, Math.max(0, share));
    const own = this.finished + within;
    const stage = this.stages.get(part.stage)!;
    this.report({
      share: (this.skipped + own) / this.total,
      stage: part.stage,
      title: note ? `${part.title}, ${note}` : part.title,
      stageShare: (stage.done + within) / (stage.total || 1),
      secondsLeft: this.clock(own / (this.total - this.skipped || 1)),
    });
  }

  done(part: Part): void {
    this.update(part, 1);
    this.finished += part.work;
    this.stages.get(part.stage)!.done += part.work;
  }

  skip(part: Part): void {
    this.skipped += part.work;
    this.stages.get(part.stage)!.done += part.work;
  }
}
