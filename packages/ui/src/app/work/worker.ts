import {
  createEngine,
  directoryStore,
  type Engine,
  filesStore,
  httpStore,
  importRun,
  listResults,
  memoryStore,
  openRun,
  opfsStore,
  overlay,
  type Run,
  readResult,
  type Store,
  storeOf,
  trainRun,
  within,
  writeResult,
  zipOf,
} from '@epochscope/analysis';
import { recogniseRun } from '@epochscope/analysis/runs';
import {
  activityWorkflow,
  changeWorkflow,
  geometryWorkflow,
  modulesWorkflow,
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
import { type Context, serve } from './rpc.js';
import {
  type Given,
  type MatrixOptions,
  type Opened,
  PICTURES_AN_EPOCH,
  type TrainingOptions,
} from './types.js';

// The run worker: opens what a person gave, and computes. The page only draws.

let engine: Engine | null = null;
const theEngine = () => (engine ??= createEngine());

/** A place that was opened: a file of rows, or runs by their key. */
interface OpenPlace {
  store: Store;
  file: File | null;
  runs: Map<string, Store>;
  /** It grows: a run is opened anew each time, and panels that were computed are kept. */
  live?: Store;
}
const places: OpenPlace[] = [];
const placeAt = (id: number): OpenPlace => {
  const found = places[id];
  if (!found) throw new EpochscopeError('internal', `nothing was opened as ${id}`);
  return found;
};
const storeAt = (id: number, key: string): Store => {
  const store = placeAt(id).runs.get(key);
  if (!store) throw new EpochscopeError('missing', `there is no run ${key} here`);
  return store;
};
const opened = new Map<Store, Promise<Run>>();
/** A run is opened once; anew after it changed. */
function runOf(store: Store): Promise<Run> {
  if (places.some(({ live, store: own }) => live && own === store)) return openRun(store);
  let run = opened.get(store);
  if (!run) opened.set(store, (run = openRun(store)));
  run.catch(() => opened.delete(store));
  return run;
}

const MATRIX = /\.(npy|npz|csv|tsv|txt|safetensors)(\.gz)?$/i;

/** What was given, opened: one file of rows, one run, a folder of runs, a result alone, or the checkpoints of another tool. */
async function open(given: Given): Promise<Opened> {
  if (given.kind === 'files' && given.files.length === 1) {
    const [path, file] = given.files[0]!;
    if (MATRIX.test(path) && !path.includes('/')) {
      const id = places.push({ store: filesStore(given.files), file, runs: new Map() }) - 1;
      return { id, kind: 'matrix', name: path, notes: [], keeps: 'this page', volatile: true };
    }
  }
  const base = await baseOf(given);
  const runs = await runsIn(base);
  const notes: string[] = [];
  if (!runs.size) {
    const imported = memoryStore(nameOf(base));
    notes.push(...(await importedInto(imported, base)));
    runs.set(nameOf(base), imported);
  }
  const { upper, keeps, volatile } = await keptIn(given, base);
  const written = new Map([...runs].map(([key, store]) => [key, upper ? upper(key, store) : store]));
  const id = places.push({ store: base, file: null, runs: written }) - 1;
  return { id, kind: 'runs', name: nameOf(base), notes, keeps, volatile };
}

const nameOf = ({ name }: Store) =>
  name
    .split(/[/\\]/)
    .filter(Boolean)
    .at(-1)
    ?.replace(/\.zip$/i, '') ?? 'run';

async function baseOf(given: Given): Promise<Store> {
  if (given.kind === 'url') return httpStore(given.url);
  if (given.kind === 'handle') return directoryStore(given.handle);
  const [first, ...more] = given.files;
  if (!first) throw new EpochscopeError('missing', 'no file was given');
  if (!more.length && /\.zip$/i.test(first[0])) return storeOf(first[1]);
  return filesStore(given.files, given.name);
}

/** The run there, the result there, or the runs in its folders, by name. */
async function runsIn(base: Store): Promise<Map<string, Store>> {
  if ((await base.has('run.json')) || (await base.has('result.json'))) return new Map([[nameOf(base), base]]);
  const found = new Map<string, Store>();
  // An address without an index lists nothing.
  const folders = await base.list('').catch(() => []);
  for (const { name, kind } of folders)
    if (kind === 'folder' && (await base.has(`${name}/run.json`))) found.set(name, within(base, name));
  return found;
}

/** Checkpoints of another tool as a run. Throws `missing` with what was looked for. */
async function importedInto(store: Store, base: Store): Promise<string[]> {
  const found = await recogniseRun(base);
  const summary = await importRun(base, store);
  return [
    `${found.layout}: ${summary.snapshots.length} snapshots, ${summary.tensors} tensors`,
    ...summary.notes,
    ...summary.leftOut.map(({ path, reason }) => `${path} was left out: ${reason}`),
  ];
}

/** Where results of it go: into the folder itself where the page may write there, else into the browser's private files, else memory. */
async function keptIn(
  given: Given,
  base: Store,
): Promise<{ upper: ((key: string, store: Store) => Store) | null; keeps: string; volatile: boolean }> {
  if (given.kind === 'handle') {
    const handle = given.handle as FileSystemDirectoryHandle & {
      queryPermission?: (how: object) => Promise<string>;
    };
    if ((await handle.queryPermission?.({ mode: 'readwrite' })) === 'granted')
      return { upper: null, keeps: `the folder ${nameOf(base)}`, volatile: false };
  }
  const stamp = await stampOf(base);
  try {
    const folder = `epochscope/${nameOf(base).replace(/[^\w.-]+/g, '_')}-${stamp}`;
    const held = await opfsStore(folder);
    return {
      upper: (key, store) => overlay(store, within(held, key.replace(/[^\w.-]+/g, '_'))),
      keeps: 'this browser, to be saved as a zip',
      volatile: false,
    };
  } catch {
    return {
      upper: (key, store) => overlay(store, memoryStore(key)),
      keeps: 'this page, to be saved as a zip',
      volatile: true,
    };
  }
}

/** Tells runs of one name apart: the beginning of run.json's hash. */
async function stampOf(base: Store): Promise<string> {
  if (!(await base.has('run.json'))) return 'folder';
  const file = await base.open('run.json');
  try {
    const hash = await crypto.subtle.digest('SHA-256', new Uint8Array(await file.read(0, file.size)));
    return [...new Uint8Array(hash).subarray(0, 6)].map((b) => b.toString(16).padStart(2, '0')).join('');
  } catch {
    // Pages that are not from a safe place have no hashes.
    return String(file.size);
  } finally {
    await file.close();
  }
}

const WORKFLOWS = {
  tendency: tendencyWorkflow,
  modules: modulesWorkflow,
  change: changeWorkflow,
  tracks: tracksWorkflow,
  activity: activityWorkflow,
  geometry: geometryWorkflow,
  prune: pruneWorkflow,
} as const;
const workflowOf = (name: string) => {
  const found = WORKFLOWS[name as keyof typeof WORKFLOWS];
  if (!found) throw new EpochscopeError('argument', `there is no method ${name}`);
  return found as typeof tendencyWorkflow;
};

let digits: Promise<import('@epochscope/analysis/models').Dataset> | null = null;
/** The training data that methods ask for: bundled digits alone, which lie beside the page. */
async function dataset(where: string) {
  if (!/bundled/.test(where))
    throw new EpochscopeError(
      'missing',
      `a page has the bundled digits alone, not the training data ${where}`,
    );
  digits ??= import('@epochscope/analysis/models').then(({ bundledMnist }) => bundledMnist());
  digits.catch(() => (digits = null));
  return digits;
}

const versions = new Map<string, number>();
const versionOf = (id: number, key: string, folder: string) => versions.get(`${id}\n${key}\n${folder}`) ?? 0;

serve(
  {
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
    async plan({
      id,
      key,
      workflow,
      options,
    }: {
      id: number;
      key: string;
      workflow: string;
      options: object;
    }) {
      const plan = await planWorkflow(workflowOf(workflow), await runOf(storeAt(id, key)), options, {
        dataset,
      });
      return {
        parts: plan.parts.length,
        memory: Math.max(0, ...plan.parts.map(({ memory }) => memory)),
        notes: [...plan.notes],
      };
    },
    async compute(
      { id, key, workflow, options }: { id: number; key: string; workflow: string; options: object },
      context: Context,
    ): Promise<ResultName> {
      const store = storeAt(id, key);
      const run = await runOf(store);
      const { live } = placeAt(id);
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
      opened.delete(store);
      return { method: result.method, name: result.name, version: '' };
    },
    zip: async ({ id, key }: { id: number; key: string }) =>
      new Blob([(await zipOf(storeAt(id, key))) as Uint8Array<ArrayBuffer>], { type: 'application/zip' }),
    matrixFacts: ({ id, options }: { id: number; options: MatrixOptions }) =>
      matrixFacts(placeAt(id).file!, options),
    analyseMatrix: ({ id, options }: { id: number; options: MatrixOptions }, context: Context) =>
      analyseMatrix(placeAt(id).file!, options, theEngine(), context),
    /** A place for a training, empty yet. */
    trainingPlace({ name }: { name: string }): Opened {
      const store = memoryStore(name);
      const id =
        places.push({ store, file: null, runs: new Map([[name, store]]), live: memoryStore('parts') }) - 1;
      return { id, kind: 'runs', name, notes: [], keeps: 'this page, to be saved as a zip', volatile: true };
    },
    /** Trains there, or goes on where it was stopped; the run can be read meanwhile. */
    async train({ id, options }: { id: number; options: TrainingOptions }, context: Context) {
      const { net, epochs, batchSize, learningRate, noise, seed, samples } = options;
      const data = await dataset('bundled');
      const steps = Math.ceil(data.train.count / batchSize);
      return trainRun(
        placeAt(id).store,
        data,
        {
          model: { name: net, seed },
          epochs,
          batchSize,
          learningRate,
          noise,
          seed,
          samples,
          snapshots: { init: true, everySteps: Math.max(1, Math.round(steps / PICTURES_AN_EPOCH)) },
        },
        {
          signal: context.signal,
          stateSeconds: 1,
          onProgress: (progress) => context.tell({ progress }),
          onWarning: (note) => context.tell({ note }),
        },
      );
    },
    about: () => ({ threads: theEngine().threads, shared: theEngine().shared }),
  },
  self as unknown as Worker,
);
