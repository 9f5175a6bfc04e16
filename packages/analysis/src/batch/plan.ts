import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { isObject } from '../formats/json.js';
import { parseJsonInPieces } from '../formats/json-pieces.js';
import { count, finite, like, listOf, object, orNull, shaped, text } from '../formats/shape.js';
import type { FileIdentity } from '../results/types.js';
import { readText } from '../stores/content.js';
import { shown } from '../stores/paths.js';
import type { Store } from '../stores/types.js';
import { toolInfo } from '../version.js';
import type { FileState } from '../workflows/rows-file.js';
import type { Plan } from '../workflows/types.js';
import { faultOfPart } from './parts.js';
import type { PointsPlan } from './points.js';

export const BATCH_FORMAT = 'epochscope-batch/1';

/** What one process does at a time. */
export interface BatchTask {
  /** Hash of all that decides the part: parts/KEY/. */
  key: string;
  /** For people. */
  what: string;
  /** Estimated peak of the whole process, in bytes. */
  memory: number;
  /** Bytes of the input that it reads; null where that is not known. */
  reads: number | null;
  /** Estimated processor seconds of one thread of this machine; null where that is not known. */
  seconds: number | null;
  /** Tasks that must be done before, by index. */
  after: number[];
}

/** A command's work as tasks. Plain JSON, plan.json of a batch folder; its parts lie beside it. */
export interface BatchPlan {
  format: typeof BATCH_FORMAT;
  tool: { name: string; version: string };
  /** The command and its arguments, and the folder it was given in. */
  command: string[];
  directory: string;
  /** Bytes a task may take. */
  memory: number;
  /** By index. */
  tasks: BatchTask[];
  /** A method on a run; VAT of one file's points; or commands that are one task each. */
  work:
    | { kind: 'run'; plan: Plan }
    | {
        kind: 'points';
        points: PointsPlan;
        source: string;
        identity: Record<string, FileIdentity>;
        /** Of the file or files, in their order. */
        states: readonly FileState[];
      }
    | { kind: 'commands'; commands: string[][] };
}

const PLAN_FILE = 'plan.json';
const MAX_PLAN = 1_000_000_000;

export const writeBatchPlan = (store: Store, plan: BatchPlan): Promise<void> =>
  store.write(PLAN_FILE, `${JSON.stringify(plan)}\n`);

/** A failure that the same task meets again whenever it is tried. */
export const notWorthARetry = (message: string, fields: Record<string, unknown> = {}): EpochscopeError =>
  new EpochscopeError('format', message, { ...fields, retry: false });

/** Throws `missing`, `format`; with `retry: false` for a plan of another version of ours, whose bits may differ. */
export async function readBatchPlan(store: Store): Promise<BatchPlan> {
  const name = shown(store, PLAN_FILE);
  const json = await parseJsonInPieces(await readText(store, PLAN_FILE, MAX_PLAN), name);
  const { tool } = shaped(json, versioned, name);
  if (tool.version !== toolInfo.version)
    throw notWorthARetry(
      `${name} was made by version ${tool.version}, this is ${toolInfo.version}: use that one, or make a new plan`,
      { expected: tool.version, got: toolInfo.version },
    );
  const { tasks } = shaped(json, batchPlan, name);
  for (const [index, { after }] of tasks.entries())
    guard(
      after.every((other) => other < index),
      'format',
      () => `${name}: tasks[${index}].after: expected tasks before it`,
      { path: PLAN_FILE },
    );
  return json as BatchPlan;
}

const versioned = object({
  format: like(JSON.stringify(BATCH_FORMAT), (value) => value === BATCH_FORMAT),
  tool: object({ version: text }),
});
const hash = like<string>('a hash', (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value));
const batchPlan = object({
  command: listOf(text),
  directory: text,
  memory: finite,
  tasks: listOf(
    object({
      key: hash,
      what: text,
      memory: finite,
      reads: orNull(finite),
      seconds: orNull(finite),
      after: listOf(count),
    }),
  ),
  work: like(
    'a method on a run, points or commands',
    (value) =>
      isObject(value) &&
      ((value.kind === 'run' && isObject(value.plan)) ||
        (value.kind === 'points' && isObject(value.points)) ||
        (value.kind === 'commands' && Array.isArray(value.commands))),
  ),
});

/** A task that is not done, and why. */
export interface MissingTask {
  index: number;
  why: string;
}

/** What is missing; every array of every part is compared with its hash. */
export async function missingTasks(
  store: Store,
  { tasks }: BatchPlan,
  signal?: AbortSignal,
): Promise<MissingTask[]> {
  const missing: MissingTask[] = [];
  for (const [index, { key }] of tasks.entries()) {
    signal?.throwIfAborted();
    const why = await faultOfPart(store, key, toolInfo.version);
    if (why) missing.push({ index, why });
  }
  return missing;
}

/** Indices as Slurm's --array takes them: "0,3-7". */
export function arrayForm(indices: readonly number[]): string {
  const runs: string[] = [];
  for (let i = 0; i < indices.length; ) {
    let end = i + 1;
    while (end < indices.length && indices[end] === indices[end - 1]! + 1) end++;
    runs.push(end === i + 1 ? `${indices[i]}` : `${indices[i]}-${indices[end - 1]}`);
    i = end;
  }
  return runs.join(',');
}

/** The inverse. Throws `argument` for what is none, or names a task that is not there. */
export function parseArray(text: string, count: number): number[] {
  const indices = text.split(',').flatMap((part) => {
    const [, first, last] = /^\s*(\d{1,9})(?:-(\d{1,9}))?\s*$/.exec(part) ?? [];
    const [from, to] = [Number(first), Number(last ?? first)];
    guard(
      first !== undefined && from <= to && to < count,
      'argument',
      () => `expected indices of tasks such as 0,3-7, each under ${count}, got ${JSON.stringify(text)}`,
      { got: text },
    );
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
  return [...new Set(indices)].sort((a, b) => a - b);
}

/** Tasks in waves: each waits for none but those of earlier waves. */
export function wavesOf(tasks: readonly BatchTask[]): number[][] {
  const depth: number[] = [];
  for (const [index, { after }] of tasks.entries())
    depth[index] = after.reduce((most, other) => Math.max(most, depth[other]! + 1), 0);
  const waves: number[][] = [];
  depth.forEach((wave, index) => {
    waves[wave] ??= [];
    waves[wave].push(index);
  });
  return waves;
}
