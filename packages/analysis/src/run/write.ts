import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { platform } from '#platform';
import { storedInMemory } from '../formats/dtypes.js';
import { npyParts } from '../formats/npy.js';
import { safetensorsParts } from '../formats/safetensors.js';
import type { StoredTensor, Tensor } from '../formats/types.js';
import { INDEX_FILE, readIndex, updateIndex } from '../stores/index-file.js';
import { type Place, storeOf } from '../stores/of.js';
import type { Store } from '../stores/types.js';
import { toolInfo } from '../version.js';
import { checkName, sampleCount } from './check.js';
import { encodeLink, LINK_FILE, type WeightsLink } from './link.js';
import { readManifest, readRunJson } from './read.js';
import { openStepWriter, type StepWriter } from './steps/index.js';
import { RUN_FORMAT, type RunManifest, type RunWriter } from './types.js';

export type RunInit = Omit<RunManifest, 'format' | 'tool' | 'snapshots' | 'complete' | 'samples'>;

/** Where the work that writes a run keeps what it needs to go on after a stop; gone once the run is complete. */
export const UNFINISHED = 'unfinished';
/** What an older run leaves behind when it is overwritten: only what a run writes is removed. */
const OWN = ['run.json', INDEX_FILE, 'samples', 'snapshots', 'steps', 'results', UNFINISHED];
/** The index is brought up to date with a snapshot at most this often, and at the end: it grows with the run. */
const INDEX_MILLISECONDS = 1000;

/**
 * Starts a run: a folder's path (Node), a directory's handle, or a store, `memoryStore()` for one. What is there must be
 * empty, or hold a run and `overwrite` be true (its own files are removed, others kept). run.json is there from the start, with no
 * snapshots. Throws `io` where it cannot write.
 */
export async function createRun(
  place: Place,
  init: RunInit,
  options: { overwrite?: boolean } = {},
): Promise<RunWriter> {
  const store = await storeOf(place);
  await claim(store, options.overwrite ?? false);
  const manifest: RunManifest = {
    format: RUN_FORMAT,
    tool: toolInfo,
    ...init,
    samples: null,
    snapshots: [],
    complete: false,
  };
  // Before the long part, so that a place that cannot be written to is known.
  await store.write('run.json', textOf(manifest));
  return writer(store, manifest);
}

/** Goes on with a run that was cut off: later snapshots are added, one of the same id replaced. */
export async function resumeRun(place: Place): Promise<RunWriter & { manifest: RunManifest }> {
  const store = await storeOf(place);
  const own = { ...(await readRunJson(store)), complete: false };
  const manifest = { ...(await readManifest(store)), complete: false };
  await store.write('run.json', textOf(own));
  return { ...writer(store, own), manifest };
}

/** Throws `io` unless a run may be written to a place: nothing is there, or a run that may be replaced. Whether it is empty is answered. */
export async function checkRunPlace(store: Store, overwrite: boolean): Promise<boolean> {
  const names = (await store.list('')).map(({ name }) => name);
  if (!names.length) return true;
  guard(
    names.includes('run.json') || names.every((name) => OWN.includes(name)),
    'io',
    () => `${store.name} is not empty and holds no run; choose another folder`,
    { path: store.name },
  );
  guard(
    overwrite,
    'io',
    () => `${store.name} already holds a run; choose another place, or replace it (option overwrite)`,
    { path: store.name },
  );
  return false;
}

async function claim(store: Store, overwrite: boolean): Promise<void> {
  if (await checkRunPlace(store, overwrite)) return;
  // run.json first: from then on it is no run, rather than half of one.
  for (const name of OWN) if (name !== UNFINISHED) await store.remove(name);
}

const isLink = (weights: ReadonlyMap<string, Tensor | StoredTensor> | WeightsLink): weights is WeightsLink =>
  'files' in weights;
const storedOf = (tensor: Tensor | StoredTensor): StoredTensor =>
  'data' in tensor ? storedInMemory(tensor) : tensor;

const textOf = (manifest: RunManifest) => `${JSON.stringify(manifest, null, 1)}\n`;

function writer(store: Store, manifest: RunManifest): RunWriter {
  let steps: Promise<StepWriter> | null = null;
  /** Paths written since the index was, and hashes of them. */
  const changed = new Set<string>();
  const hashes = new Map<string, string>();
  let indexed = Number.NEGATIVE_INFINITY;
  const updateIndexNow = async (whole: boolean) => {
    changed.add('run.json');
    await updateIndex(store, whole ? [''] : [...changed], hashes);
    changed.clear();
    hashes.clear();
    indexed = performance.now();
  };
  const save = async (...paths: string[]) => {
    await store.write('run.json', textOf(manifest));
    for (const path of paths) changed.add(path);
    if (performance.now() - indexed > INDEX_MILLISECONDS) await updateIndexNow(false);
  };
  const put = async (path: string, parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) => {
    const hash = platform.sha256();
    async function* hashing() {
      for await (const part of parts) {
        hash.update(part);
        yield part;
      }
    }
    await store.write(path, hashing());
    hashes.set(path, hash.digest());
  };
  const close = async () => {
    const open = steps;
    steps = null;
    if (!open) return;
    await (await open).close();
    changed.add('steps');
  };
  return {
    store,
    async writeSamples({ inputs, labels, source }) {
      const count = sampleCount(inputs, labels);
      await store.remove('samples');
      if (inputs) await put('samples/inputs.npy', npyParts(inputs.data, inputs.shape));
      if (labels) await put('samples/labels.npy', npyParts(labels, [labels.length]));
      manifest.samples = { count, source };
      await save('samples');
    },
    async writeSnapshot(info, weights, outputs = new Map()) {
      checkName('snapshot id', info.id);
      for (const layer of outputs.keys()) checkName('layer name', layer);
      const folder = `snapshots/${info.id}`;
      const at = manifest.snapshots.findIndex(({ id }) => id === info.id);
      // Outputs of older weights must not stand beside new ones.
      await store.remove(at >= 0 ? `${folder}/outputs` : folder);
      for (const [layer, { data, shape }] of outputs)
        await put(`${folder}/outputs/${layer}.npy`, npyParts(data, shape));
      // Last: a snapshot with its weights is whole.
      if (isLink(weights)) {
        await store.remove(`${folder}/weights.safetensors`);
        await put(`${folder}/${LINK_FILE}`, [new TextEncoder().encode(encodeLink(weights))]);
      } else {
        const stored = new Map([...weights].map(([name, tensor]) => [name, storedOf(tensor)]));
        await put(`${folder}/weights.safetensors`, safetensorsParts(stored));
      }
      if (at >= 0) manifest.snapshots[at] = info;
      else manifest.snapshots.push(info);
      await save(folder);
    },
    async appendSnapshot(info, weights) {
      steps ??= openStepWriter(store);
      await (await steps).append(info, weights);
    },
    async close() {
      await close();
      if (changed.size) await updateIndexNow(false);
    },
    async finish({ snapshots } = {}) {
      await close();
      manifest.complete = true;
      if (snapshots) manifest.snapshots = [...snapshots];
      await store.write('run.json', textOf(manifest));
      await store.remove(UNFINISHED);
      await updateIndexNow(true);
    },
  };
}

/** Adds layer outputs to a snapshot that is already there; each file appears whole. */
export async function writeOutputs(
  place: Place,
  snapshotId: string,
  outputs: ReadonlyMap<string, Tensor>,
): Promise<void> {
  const store = await storeOf(place);
  checkName('snapshot id', snapshotId);
  const folder = `snapshots/${snapshotId}/outputs`;
  const hashes = new Map<string, string>();
  for (const [layer, { data, shape }] of outputs) {
    checkName('layer name', layer);
    const parts = npyParts(data, shape);
    const hash = platform.sha256();
    for (const part of parts) hash.update(part);
    await store.write(`${folder}/${layer}.npy`, parts);
    hashes.set(`${folder}/${layer}.npy`, hash.digest());
  }
  await updateIndex(store, [folder], hashes);
}

/** Adds the predicted classes of the analysis samples as samples/predictions.npy (uint32, n). Throws `shape`, `missing`. */
export async function writePredictions(place: Place, predictions: Uint32Array): Promise<void> {
  const store = await storeOf(place);
  const { samples } = await readManifest(store);
  if (!samples)
    throw new EpochscopeError('missing', `${store.name} holds no samples to predict`, { path: store.name });
  guard(
    predictions.length === samples.count,
    'shape',
    () => `${samples.count} samples need ${samples.count} predictions, got ${predictions.length}`,
    { expected: samples.count, got: predictions.length },
  );
  await store.write('samples/predictions.npy', npyParts(predictions, [predictions.length]));
  await updateIndex(store, ['samples']);
}

/** Writes the index of a run made by something else, so that it opens over http: every file, no hashes. Answers how many. */
export async function writeIndex(place: Place): Promise<number> {
  const store = await storeOf(place);
  await readRunJson(store);
  await updateIndex(store, ['']);
  return Object.keys((await readIndex(store))!.files).length;
}
