import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { platform } from '#platform';
import { npyParts, readNpy } from '../formats/npy.js';
import { readText, withStored } from '../stores/content.js';
import { updateIndex } from '../stores/index-file.js';
import { type Place, storeOf } from '../stores/of.js';
import { joinPath, shown } from '../stores/paths.js';
import type { Store } from '../stores/types.js';
import { arrayFiles, type DecodeOptions, decodeResult, parseResult, splitResult } from './codec.js';
import { samplesIn } from './samples.js';
import type { ResultBase } from './types.js';

/** A result.json longer than this is refused. */
export const MAX_RESULT_JSON = 500_000_000;

/** Times that a result is read again because it was replaced meanwhile. */
const TRIES = 20;

/** Where a run's result of a method lies in its store. */
export const resultPath = (method: string, name: string) => `results/${method}/${name}`;

const isDataFolder = (name: string) => /^data-[0-9a-f]{20}$/.test(name);

/**
 * Throws `io` unless a result may be written to `folder`: it is not there yet, is empty, or holds an older result, which will be
 * replaced; `unsupported` in a store that is read only.
 */
export async function checkResultFolder(place: Place, folder = ''): Promise<void> {
  const store = await storeOf(place);
  guard(
    store.writable,
    'unsupported',
    () =>
      `${store.name} is read only; put a store that can be written over it: overlay(store, memoryStore())`,
    { path: store.name },
  );
  const names = (await store.list(folder)).map(({ name }) => name);
  guard(
    names.every(isDataFolder) || names.includes('result.json'),
    'io',
    () => `${shown(store, folder)} is not empty and holds no result; choose another folder`,
    { path: shown(store, folder) },
  );
  guard(
    !(folder && (await store.has(folder))),
    'io',
    () => `${shown(store, folder)}: expected a folder to write a result to, got a file`,
    { path: shown(store, folder) },
  );
}

/**
 * Writes a result: its typed arrays, one .npy each, into a folder of their own (`data-<20 hex>/`), then result.json, which names
 * them; what belongs to an older result goes last. So that whoever reads at any moment, also after a crash, finds the old
 * result or the new one whole. What a killed writer left there is removed. A folder of anything else is never written to.
 * Throws `io`, `not-finite`.
 */
export async function writeResult(place: Place, folder: string, result: ResultBase): Promise<void> {
  const store = await storeOf(place);
  await checkResultFolder(store, folder);
  const token = platform.nextToken();
  const data = `data-${token}`;
  // Beside a run's own samples, their pictures are referred to and not copied.
  const inRun = (await store.has('run.json')) && (await store.has('samples/inputs.npy'));
  const { json, arrays } = splitResult(result, data, { samples: inRun ? 'reference' : 'inside' });
  const at = (path: string) => joinPath(folder, path);
  const file = at('result.json');
  writing.add(data);
  try {
    await removeAbandoned(store, folder, token.slice(0, WRITER));
    for (const [path, array] of arrays) await store.write(at(path), npyParts(array, [array.length]));
    // Read just before it is replaced: what is named afterwards is never what is removed below.
    const old = await readText(store, file, MAX_RESULT_JSON).catch(() => null);
    await store.write(file, json);
    if (old !== null) await removeOld(store, folder, data, old);
  } catch (cause) {
    await store.remove(at(data)).catch(() => {});
    throw cause;
  } finally {
    writing.delete(data);
  }
  if (await store.has('run.json')) await updateIndex(store, [folder]);
}

/** What belongs to the older result: its arrays, and pictures made of it. Data folders that another writer may be about to name stay. */
async function removeOld(store: Store, folder: string, data: string, oldJson: string): Promise<void> {
  const own = new Set(arrayFiles(oldJson).map((file) => file.split('/')[0]!));
  for (const { name } of await store.list(folder))
    if (name !== 'result.json' && name !== data && (own.has(name) || !isDataFolder(name)))
      await store.remove(joinPath(folder, name));
}

/** Data folders that this process is writing. */
const writing = new Set<string>();
/** Digits of a token that say whose it is. */
const WRITER = 12;

/** Data folders of writers that are gone, and those that this process (`own`) has done with, which no result.json names. */
async function removeAbandoned(store: Store, folder: string, own: string): Promise<void> {
  const gone: string[] = [];
  for (const { name } of await store.list(folder)) {
    if (!isDataFolder(name)) continue;
    const done = name.startsWith(`data-${own}`)
      ? !writing.has(name)
      : await platform.isAbandoned(name, () => lastChange(store, joinPath(folder, name)));
    if (done) gone.push(name);
  }
  if (!gone.length) return;
  // After it is known that their writers are gone: none of them can name its folder any more.
  const json = await readText(store, joinPath(folder, 'result.json'), MAX_RESULT_JSON).catch(() => '');
  for (const name of gone) if (!json.includes(name)) await store.remove(joinPath(folder, name));
}

const lastChange = async (store: Store, folder: string) =>
  (await store.list(folder)).reduce(
    (last, { modified }) => Math.max(last, modified ?? Number.POSITIVE_INFINITY),
    0,
  );

/** What the result in a folder was computed from; null where there is no result, or none that says so. */
export async function inputOfResult(place: Place): Promise<ResultBase['input'] | null> {
  const store = await storeOf(place);
  const text = await readText(store, 'result.json', MAX_RESULT_JSON).catch(() => null);
  if (text === null) return null;
  try {
    const { input } = parseResult(text, 'result.json');
    return typeof input?.source === 'string' ? { source: input.source, files: { ...input.files } } : null;
  } catch {
    return null;
  }
}

/** Reads a result with its arrays, and the images it refers to where the run's samples are in the same store. One that is replaced meanwhile is read again. Throws `missing`, `format`. */
export async function readResult<T extends ResultBase = ResultBase>(
  place: Place,
  folder = '',
  options: DecodeOptions = {},
): Promise<T> {
  const store = await storeOf(place);
  const file = joinPath(folder, 'result.json');
  for (let left = TRIES; ; left--) {
    const json = await readText(store, file, MAX_RESULT_JSON);
    try {
      return await decodeResult<T>(
        json,
        async (array) => (await withStored(store, joinPath(folder, array), readNpy)).data,
        shown(store, file),
        { samples: samplesIn(store), ...options },
      );
    } catch (cause) {
      if (
        !(cause instanceof EpochscopeError) ||
        !['missing', 'io', 'format'].includes(cause.code) ||
        left === 0
      )
        throw cause;
      if ((await readText(store, file, MAX_RESULT_JSON)) === json) throw cause;
    }
  }
}

/** All results of a run, as { method, name, folder }, sorted; `folder` is their path in the store. */
export async function listResults(place: Place): Promise<{ method: string; name: string; folder: string }[]> {
  const store = await storeOf(place);
  const found = [];
  const folders = async (path: string) =>
    (await store.list(path)).filter(({ kind }) => kind === 'folder').map(({ name }) => name);
  for (const method of await folders('results'))
    for (const name of await folders(`results/${method}`)) {
      const folder = resultPath(method, name);
      if (await store.has(`${folder}/result.json`)) found.push({ method, name, folder });
    }
  return found;
}
