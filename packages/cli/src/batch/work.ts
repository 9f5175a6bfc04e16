import type { Store } from '@epochscope/analysis';
import { createEngine, toolInfo } from '@epochscope/analysis';
import {
  BATCH_FORMAT,
  type BatchPlan,
  type BatchTask,
  computePoints,
  computeRunPart,
  joinRunParts,
  mergeBytes,
  mergedTendency,
  planPoints,
  type TaskSeconds,
  taskBytes,
  taskSeconds,
  tasksOfPoints,
  tasksOfRun,
  writePointsPart,
} from '@epochscope/analysis/batch';
import { DTYPE_BYTES } from '@epochscope/analysis/formats';
import { checkMemory } from '@epochscope/analysis/workflows';
import { EpochscopeError, METRICS, type Metric } from '@epochscope/core-wasm';
import type { Batch, Output } from '../output.js';
import { Stop } from './command.js';

export interface PlanSettings {
  command: string[];
  memory: number;
  /** At least so many tasks, where their number is free. */
  tasks: number;
  /** Time some rows, to say how long it will take. */
  estimate: boolean;
}

export interface Planned {
  plan: BatchPlan;
  /** Bytes that putting the parts together takes; null: little. */
  reduce: number | null;
  seconds: TaskSeconds | null;
}

/** Plans a command's work and stops it; `take` gets the plan. */
export function planning(settings: PlanSettings, output: Output, take: (planned: Planned) => void): Batch {
  const { command, memory, tasks: least, estimate } = settings;
  const base = { format: BATCH_FORMAT, tool: toolInfo, command, directory: process.cwd(), memory } as const;
  return {
    async elsewhere(_, __, makePlan) {
      const plan = await makePlan();
      for (const note of plan.notes) output.say(note);
      const tasks = tasksOfRun(plan);
      checkMemory(
        { ...plan, parts: plan.parts.map((part, i) => ({ ...part, memory: tasks[i]!.memory })) },
        memory,
      );
      take({ plan: { ...base, tasks, work: { kind: 'run', plan } }, reduce: null, seconds: null });
      throw new Stop();
    },
    async points({ rows }, { metric, chosen, source, needsRows }, identities) {
      if (!METRICS.includes(metric as Metric) || needsRows)
        throw new EpochscopeError(
          'argument',
          `${needsRows ?? `--metric ${metric}`} needs all rows at once: only the VAT of points by ${METRICS.join(', ')} is done over tasks`,
        );
      const bar = output.progress('Reading the points');
      const points = await planPoints(rows, chosen, metric as Metric, {
        memory,
        tasks: least,
        signal: output.signal,
        onProgress: (done, total) => bar.update(done, total),
      }).finally(() => bar.stop());
      const state = identities();
      const seconds = estimate ? await timed() : null;
      const tasks = tasksOfPoints(points).map(
        ({ key, blocks, points: m }): BatchTask => ({
          key,
          what: `blocks ${blocks.join(' ')}: ${m} points`,
          memory: taskBytes(m, points.conversion.width, points.n),
          reads: m * rows.shape[1] * DTYPE_BYTES[rows.dtype],
          seconds: seconds?.high ?? null,
          after: [],
        }),
      );
      take({
        plan: { ...base, tasks, work: { kind: 'points', points, source, identity: state } },
        reduce: mergeBytes(points.n),
        seconds,
      });
      throw new Stop();

      async function timed(): Promise<TaskSeconds> {
        const engine = createEngine({ threads: 1 });
        try {
          return await taskSeconds(engine, rows, chosen, points, { signal: output.signal });
        } finally {
          await engine.close();
        }
      }
    },
  };
}

const unexpected = () =>
  new EpochscopeError('internal', 'the command does other work than when the plan was made');

/** Does one task of a plan and stops the command. */
export function doing(plan: BatchPlan, index: number, store: Store, output: Output): Batch {
  const { work } = plan;
  const { key, what } = plan.tasks[index]!;
  const withEngine = async (
    body: (how: {
      engine: ReturnType<typeof createEngine>;
      signal: AbortSignal;
      onProgress: (done: number, total: number) => void;
      onWarning: (text: string) => void;
    }) => Promise<void>,
  ): Promise<never> => {
    const engine = createEngine();
    const bar = output.progress(what);
    try {
      await body({
        engine,
        signal: output.signal,
        onProgress: (done, total) => bar.update(done, total),
        onWarning: output.warn,
      });
    } finally {
      bar.stop();
      await engine.close();
    }
    throw new Stop();
  };
  return {
    elsewhere(workflow, run, _, how) {
      if (work.kind !== 'run' || workflow.method !== work.plan.method) throw unexpected();
      return withEngine((own) =>
        computeRunPart(workflow, run, work.plan, index, store, { ...own, dataset: how.dataset }),
      );
    },
    points({ rows }, { chosen }) {
      if (work.kind !== 'points') throw unexpected();
      return withEngine(async ({ engine, ...how }) => {
        const begun = performance.now();
        const part = await computePoints(engine, rows, chosen, work.points, index, {
          ...how,
          memory: plan.memory,
        });
        await writePointsPart(store, key, (performance.now() - begun) / 1000, part);
      });
    },
  };
}

/** Puts the parts of a plan together where the command would have done the work. */
export function joining(plan: BatchPlan, store: Store, output: Output, memory: number): Batch {
  const { work } = plan;
  let joined = false;
  return {
    async elsewhere(workflow, run, makePlan, how) {
      const engine = how.engine ?? createEngine();
      try {
        if (!joined && work.kind === 'run' && workflow.method === work.plan.method) {
          joined = true;
          return await joinRunParts(workflow, run, work.plan, store, {
            engine,
            signal: output.signal,
            onWarning: output.warn,
            dataset: how.dataset,
          });
        }
        // What a command does beside, from what is there now.
        const { runPlan } = await import('@epochscope/analysis/workflows');
        return await runPlan(workflow, run, await makePlan(), { ...how, elsewhere: undefined, engine });
      } finally {
        if (!how.engine) await engine.close();
      }
    },
    async points(matrix, { chosen }) {
      if (work.kind !== 'points') throw unexpected();
      const engine = createEngine();
      const bar = output.progress('Putting parts together');
      const merged = await mergedTendency(engine, store, matrix.rows, chosen, work.points, {
        memory,
        signal: output.signal,
        onProgress: (done, total) => bar.update(done, total),
      }).finally(() => bar.stop());
      return { ...merged, identity: work.identity };
    },
  };
}
