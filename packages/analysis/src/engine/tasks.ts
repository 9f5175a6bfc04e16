import type { Kernels, Matrix, Metric } from '@epochscope/core-wasm';
import {
  addCorrelationSteps,
  correlationSteps,
  finishCorrelation,
  labelRegionsSteps,
  linkageFromPointsSteps,
  linkageOfPairwiseSteps,
  linkageSteps,
  pairwiseSteps,
  prepareCorrelation,
  releaseCorrelation,
  truncatedSvdSteps,
  vatFromMatrixSteps,
} from '@epochscope/core-wasm/jobs';
import { vatImageSteps } from './vat-image.js';

/**
 * What one worker can do alone: one entry a kernel. A task is a plain function, or a generator that yields `[done,
 * total]`
 * now and then: between yields the pool tells progress and notices cancelling, so a long task should yield every 50 ms
 * or so. A generator gives its memory back in `finally`, which also runs when the task is dropped.
 * Tasks never change their arguments: inline, these are the caller's own. Add the method people call to types.ts and
 * jobs.ts.
 */
export const TASKS = {
  correlation: correlationSteps,
  correlationAdd: addCorrelationSteps,
  correlationFinish: finishCorrelation,
  correlationPrepare: prepareCorrelation,
  correlationRelease: releaseCorrelation,
  labelRegions: labelRegionsSteps,
  linkage: linkageSteps,
  linkageFromPoints: linkageFromPointsSteps,
  linkageOfPairwise: linkageOfPairwiseSteps,
  truncatedSvd: truncatedSvdSteps,
  pairwise: (
    kernels: Kernels,
    x: Matrix,
    other: Matrix | null,
    options: { metric: Metric; condensed: boolean },
  ) => pairwiseSteps(kernels, x, { ...options, other: other ?? undefined }),
  vatFromMatrix: vatFromMatrixSteps,
  vatImage: vatImageSteps,
} satisfies Record<string, (kernels: Kernels, ...args: never[]) => unknown>;

export type TaskName = keyof typeof TASKS;
type Tail<F> = F extends (kernels: Kernels, ...args: infer A) => unknown ? A : never;
type Value<R> = R extends Generator<unknown, infer T> ? T : R;
export type TaskArguments<N extends TaskName> = Tail<(typeof TASKS)[N]>;
export type TaskResult<N extends TaskName> = Value<ReturnType<(typeof TASKS)[N]>>;

export type TaskProgress = [done: number, total: number];
export type TaskStep = { finished: true; value: unknown } | { finished: false; progress: TaskProgress };

/** A running task is left alone for this long between two looks at the signal. */
const SLICE_MS = 50;

/** Runs one task in slices. */
export class TaskRunner {
  private running: Iterator<TaskProgress, unknown> | null = null;
  private value: unknown;

  constructor(
    private readonly tasks: Record<string, (kernels: Kernels, ...args: never[]) => unknown> = TASKS,
  ) {}

  start(kernels: Kernels, name: string, args: unknown[]): void {
    this.drop();
    const made = this.tasks[name]!(kernels, ...(args as never[]));
    if (isIterator(made)) this.running = made;
    else this.value = made;
  }

  step(): TaskStep {
    const until = performance.now() + SLICE_MS;
    while (this.running) {
      const { done, value } = this.running.next();
      if (done) {
        this.running = null;
        this.value = value;
      } else if (performance.now() >= until) return { finished: false, progress: value };
    }
    const { value } = this;
    this.value = undefined;
    return { finished: true, value };
  }

  /** Ends the running task, if any, and lets it give back its memory. */
  drop(): void {
    this.running?.return?.();
    this.running = null;
    this.value = undefined;
  }
}

function isIterator(value: unknown): value is Iterator<TaskProgress, unknown> {
  return typeof (value as Iterator<unknown> | null)?.next === 'function';
}

/** The buffers of the typed arrays in a task's result, for moving them to the caller; shared ones stay. */
export function buffersIn(value: unknown, found = new Set<ArrayBuffer>()): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength)
      found.add(value.buffer);
  } else if (value && typeof value === 'object')
    for (const inner of Object.values(value)) buffersIn(inner, found);
  return [...found];
}
