import type { Store } from '@epochscope/analysis';
import { createEngine, toolInfo } from '@epochscope/analysis';
import {
  BATCH_FORMAT,
  type BatchPlan,
  type BatchTask,
  computePoints,
  computeRunPart,
  joinPoints,
  joinRunParts,
  mergeBytes,
  planPoints,
  type TaskSeconds,
  taskBytes,
  taskSeconds,
  tasksOfPoints,
  tasksOfRun,
  writePointsPart,
} from '@epochscope/analysis/batch';
import { DTYPE_BYTES } from '@epochscope/analysis/formats';
import {
  checkMemory,
  chosenSamples,
  type Elsewhere,
  type Plan,
  type RowsFile,
  runPlan,
  type TendencyFileOptions,
  tendencyOfFileWorkflow,
} from '@epochscope/analysis/workflows';
import { EpochscopeError, METRICS, type Metric } from '@epochscope/core-wasm';
import type { Output } from '../output.js';
import { usage } from '../usage.js';
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

/** The rows of a file, where they are what a workflow works on. */
function rowsOf(workflow: object, subject: unknown): RowsFile | null {
  return workflow === tendencyOfFileWorkflow ? (subject as RowsFile) : null;
}

/** Which of the rows, as the plan of a file says. */
const chosenOf = ({ options }: { options: unknown }, { count }: RowsFile) =>
  chosenSamples((options as TendencyFileOptions).samples, count);

/** What of the options cannot be worked out without all rows at once. */
function needsRows({ metric, core, missing, thin, stabilitySubsets }: TendencyFileOptions): string | null {
  if (!METRICS.includes(metric as Metric)) return `--metric ${metric}`;
  return core ? '--core' : missing ? '--missing' : thin ? '--thin' : stabilitySubsets ? '--stability' : null;
}

/** Plans a command's work and stops it; `take` gets the plan. */
export function planning(
  settings: PlanSettings,
  output: Output,
  take: (planned: Planned) => void,
): Elsewhere {
  const { command, memory, tasks: least, estimate } = settings;
  const base = { format: BATCH_FORMAT, tool: toolInfo, command, directory: process.cwd(), memory } as const;
  return async (workflow, subject, makePlan, { onNote }) => {
    const plan = await makePlan();
    for (const note of plan.notes) onNote?.(note);
    const rows = rowsOf(workflow, subject);
    if (rows) {
      take(await pointsOf(rows, plan));
      throw new Stop();
    }
    const tasks = tasksOfRun(plan);
    checkMemory(
      { ...plan, parts: plan.parts.map((part, i) => ({ ...part, memory: tasks[i]!.memory })) },
      memory,
    );
    take({ plan: { ...base, tasks, work: { kind: 'run', plan } }, reduce: null, seconds: null });
    throw new Stop();
  };

  async function pointsOf(file: RowsFile, plan: Plan): Promise<Planned> {
    const options = plan.options as TendencyFileOptions;
    const needing = needsRows(options);
    if (needing)
      throw usage(
        `${needing} needs all rows at once: only the VAT of points by ${METRICS.join(', ')} is done over tasks`,
      );
    const { rows } = file.matrix;
    const chosen = chosenOf(plan, file);
    const bar = output.progress('Reading the points');
    const points = await planPoints(rows, chosen, options.metric as Metric, {
      memory,
      tasks: least,
      signal: output.signal,
      onProgress: (done, total) => bar.update(done, total),
    }).finally(() => bar.stop());
    const identity = file.identities();
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
    return {
      plan: {
        ...base,
        tasks,
        work: { kind: 'points', points, source: file.source, identity, states: file.state.files },
      },
      reduce: mergeBytes(points.n, points.conversion.width),
      seconds,
    };

    async function timed(): Promise<TaskSeconds> {
      const engine = createEngine({ threads: 1 });
      try {
        return await taskSeconds(engine, rows, chosen, points, { signal: output.signal });
      } finally {
        await engine.close();
      }
    }
  }
}

const unexpected = () =>
  new EpochscopeError('internal', 'the command does other work than when the plan was made');

/** Does one task of a plan and stops the command. */
export function doing(plan: BatchPlan, index: number, store: Store, output: Output): Elsewhere {
  const { work } = plan;
  const { key, what } = plan.tasks[index]!;
  return async (workflow, subject, makePlan, { dataset }) => {
    const rows = rowsOf(workflow, subject);
    if (work.kind !== (rows ? 'points' : 'run')) throw unexpected();
    const engine = createEngine();
    const bar = output.progress(what);
    const how = {
      signal: output.signal,
      onProgress: (done: number, total: number) => bar.update(done, total),
    };
    try {
      if (rows && work.kind === 'points') {
        const chosen = chosenOf(await makePlan(), rows);
        const begun = performance.now();
        const part = await computePoints(engine, rows.matrix.rows, chosen, work.points, index, {
          ...how,
          memory: plan.memory,
        });
        await writePointsPart(store, key, (performance.now() - begun) / 1000, part);
      } else if (work.kind === 'run') {
        if (workflow.method !== work.plan.method) throw unexpected();
        await computeRunPart(workflow, subject, work.plan, index, store, {
          ...how,
          engine,
          onWarning: output.warn,
          dataset,
        });
      }
    } finally {
      bar.stop();
      await engine.close();
    }
    throw new Stop();
  };
}

/** Puts the parts of a plan together where the command would have done the work. */
export function joining(plan: BatchPlan, store: Store, output: Output, memory: number): Elsewhere {
  const { work } = plan;
  let joined = false;
  return async (workflow, subject, makePlan, how) => {
    const rows = rowsOf(workflow, subject);
    const engine = how.engine ?? createEngine();
    try {
      if (rows) {
        if (work.kind !== 'points') throw unexpected();
        const bar = output.progress('Putting parts together');
        const result = await joinPoints(rows, (await makePlan()) as never, store, work, {
          ...how,
          engine,
          memory,
          onMerge: (done, total) => bar.update(done, total),
        }).finally(() => bar.stop());
        return result as never;
      }
      if (!joined && work.kind === 'run' && workflow.method === work.plan.method) {
        joined = true;
        return await joinRunParts(workflow, subject, work.plan, store, {
          onPart: how.onPart,
          engine,
          signal: output.signal,
          onWarning: output.warn,
          dataset: how.dataset,
        });
      }
      // What a command does beside, from what is there now.
      return await runPlan(workflow, subject, await makePlan(), { ...how, elsewhere: undefined, engine });
    } finally {
      if (!how.engine) await engine.close();
    }
  };
}
