import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { platform } from '#platform';
import type { Engine, JobOptions } from '../engine/types.js';
import type { FileIdentity, ResultBase } from '../results/types.js';
import type { Run } from '../run/types.js';
import { withStored } from '../stores/content.js';
import { identityOf } from '../stores/identity.js';
import type { Store } from '../stores/types.js';
import { canonicalJson } from '../workflows/keys.js';
import { type PlanOptions, planContext } from '../workflows/run.js';
import type { Part, Plan, Workflow } from '../workflows/types.js';
import { checkPart, readPart, type StoredPart, writePart } from './parts.js';
import { type BatchTask, notWorthARetry } from './plan.js';

/** Bytes of a bare process with kernels, workers and tfjs. */
const PROCESS = 200e6;

/** The tasks of a method on a run: its parts, one each. */
export function tasksOfRun({ parts }: Plan): BatchTask[] {
  const indices = new Map(parts.map(({ key }, index) => [key, index]));
  return parts.map(({ key, stage, title, memory, after }) => ({
    key,
    what: `${stage}: ${title}`,
    memory: PROCESS + memory,
    reads: null,
    seconds: null,
    after: after.map((other) => indices.get(other)!),
  }));
}

/** Throws `format` with `retry: false` where a file is not as it was when the plan was made. */
async function checkInput(subject: unknown, files: Plan['input']['files']): Promise<void> {
  const { store } = subject as Partial<Run>;
  if (!store) return;
  for (const [path, planned] of Object.entries(files)) {
    if (!planned) continue;
    let now: FileIdentity | null = null;
    try {
      now = await identityOf(store, path);
      // A copy has another time than the index says: its bytes decide then.
      if ('sha256' in planned && !('sha256' in now)) now = { sha256: await hashOf(store, path) };
    } catch (cause) {
      if (!(cause instanceof EpochscopeError) || cause.code !== 'missing') throw cause;
    }
    if (canonicalJson(now) !== canonicalJson(planned))
      throw notWorthARetry(
        `${store.name}/${path} ${now ? 'is not as it was' : 'is not there any more, as it was'} when the plan was made; make a new plan`,
        { path },
      );
  }
}

const PIECE = 1 << 24;

const hashOf = (store: Store, path: string): Promise<string> =>
  withStored(store, path, async (file) => {
    const hash = platform.sha256();
    for (let at = 0; at < file.size; at += PIECE)
      hash.update(await file.read(at, Math.min(PIECE, file.size - at)));
    return hash.digest();
  });

/** A part's output, of a part that must be done. Throws `missing`, `format`. */
async function outputOf<T>(store: Store, key: string): Promise<T> {
  return (await readPart(store, key)).output as T;
}

/** Computes one part of a run's plan and keeps it. Throws as the method does, `format` with `retry: false` for changed input. */
export async function computeRunPart<Options, Task, Output, Result extends ResultBase, Subject>(
  workflow: Workflow<Options, Task, Output, Result, Subject>,
  run: Subject,
  plan: Plan,
  index: number,
  store: Store,
  how: JobOptions & PlanOptions & { engine: Engine; onWarning?: (text: string) => void },
): Promise<void> {
  const part = plan.parts[index]!;
  await checkInput(run, { ...plan.input.files, ...part.reads });
  const begun = performance.now();
  const reads: Record<string, FileIdentity> = {};
  const kept = new Map<string, Promise<object>>();
  const output = await workflow.compute(part as never, {
    ...planContext(how),
    run,
    engine: how.engine,
    signal: how.signal,
    onProgress: (share) => how.onProgress?.(share, 1),
    onWarning: how.onWarning,
    reads,
    output: (key) => outputOf(store, key),
    // One part alone: nothing follows that could take it up but the part itself.
    keep: async <T extends object>(kind: string, key: string, open: () => T | Promise<T>) => {
      const name = JSON.stringify([kind, key]);
      const thing = kept.get(name) ?? Promise.resolve(open());
      kept.set(name, thing);
      return thing as Promise<T>;
    },
  });
  for (const thing of kept.values()) ((await thing) as { dispose?: () => void }).dispose?.();
  await writePart(store, {
    key: part.key,
    seconds: (performance.now() - begun) / 1000,
    reads,
    output,
  });
}

/** Joins the parts of a run's plan, all of which must be there; `onPart` gets each in its order first, as where they are computed here. */
export async function joinRunParts<Options, Task, Output, Result extends ResultBase, Subject>(
  workflow: Workflow<Options, Task, Output, Result, Subject>,
  run: Subject,
  plan: Plan,
  store: Store,
  how: JobOptions &
    PlanOptions & {
      engine: Engine;
      onWarning?: (text: string) => void;
      onPart?: (part: Part, output: unknown) => void | Promise<void>;
    },
): Promise<Result> {
  await checkInput(run, plan.input.files);
  const heads: StoredPart[] = [];
  for (const { key } of plan.parts) heads.push(await checkPart(store, key));
  guard(heads.length > 0, 'argument', `${plan.method}: the plan has no parts`);
  if (how.onPart) for (const part of plan.parts) await how.onPart(part, await outputOf(store, part.key));
  return workflow.join(plan as never, {
    run,
    engine: how.engine,
    signal: how.signal,
    onWarning: how.onWarning,
    output: (key) => outputOf(store, key),
    seconds: heads.reduce((sum, { seconds }) => sum + seconds, 0),
    reads: Object.fromEntries(heads.flatMap(({ reads }) => Object.entries(reads))),
  });
}
