import { guard } from '@epochscope/core-wasm';
import { byName } from '../../formats/natural.js';
import { groupBy } from '../../grouped.js';
import { readText } from '../../stores/content.js';
import type { HubOptions } from '../../stores/hub/index.js';
import type { Place } from '../../stores/of.js';
import type { Store } from '../../stores/types.js';
import { placesByContent, whatIsThere } from './by-content.js';
import { findForeign, foreignNotes } from './foreign.js';
import { gapsOf, parsePath, some } from './names.js';
import { storeOfSeries } from './place.js';
import { findPlaces, OUTPUT_FOLDERS, type TreeFile, type WeightsPlace } from './places.js';
import { groupSeries, type Member, type Series, type SeriesOptions } from './series.js';
import { readTrainerState } from './trainer-state.js';

/** Files and folders looked at. */
const MAX_ENTRIES = 200_000;
/** How deep: lightning_logs/version_0/checkpoints/epoch_1/encoder/kernel.npy. */
const MAX_DEPTH = 8;

export interface FoundSnapshot {
  epoch: number | null;
  step: number | null;
  metrics: Record<string, number>;
  /** File or folder, from the folder given. */
  path: string;
  /** null for a folder with layer outputs alone. */
  weights: WeightsPlace | null;
  /** Its own folder of layer outputs. */
  outputs: string | null;
}

export interface FoundRun {
  store: Store;
  /** "Lightning", "Keras", … */
  layout: string;
  /** In numeric order. */
  snapshots: FoundSnapshot[];
  /** Every series there is, the chosen one first: its name, and how many snapshots. */
  series: { name: string; snapshots: number }[];
  /** Gaps, doubts, what was left out: one sentence each. */
  notes: string[];
}

export interface RecogniseOptions extends SeriesOptions {
  /** Which of several series: its name, or a part of it ("unet", "seed_2"). Default: see `choose`. */
  series?: string;
  /** The epoch of the first snapshot: shifts all. Default: as named (Lightning counts from 0, which is shifted by one). */
  firstEpoch?: number;
  /** Of a model on a hub: which revisions, with * for any text ("step*"). Default: the one the address names, else main. */
  revisions?: string;
  /** How a hub is asked. */
  hub?: HubOptions;
  /** Files that are known to be something else (layer outputs). */
  except?: ReadonlySet<string>;
}

/** A place of weights, or a folder of layer outputs alone. */
interface Candidate {
  /** What is numbered and shown. */
  path: string;
  folder: boolean;
  weights: WeightsPlace | null;
  outputs: string | null;
  bytes: number;
}

/**
 * Finds the snapshots of a run made by other tools, by the names of files and folders; opens no weights. Throws `missing`
 * where nothing is recognised, naming what can be; `format` where several runs are there and none is chosen.
 */
export async function recogniseRun(place: Place, options: RecogniseOptions = {}): Promise<FoundRun> {
  const store = await storeOfSeries(place, options);
  const tree = await listTree(store);
  const except = options.except ?? new Set<string>();
  const files = tree.files.filter(({ path }) => !except.has(path));
  const foreign = findForeign(files.map(({ path }) => path));
  const { places, notes, leftOut } = findPlaces(files.filter(({ path }) => !foreign.inside(path)));
  if (!places.length && !except.size) places.push(...arraysAtRoot(files));
  if (!places.length || options.pattern) {
    const unknown = files.filter(({ path }) => !leftOut.has(path) && !foreign.inside(path));
    places.push(...(await placesByContent(store, unknown, places)));
  }
  notes.push(...foreignNotes(foreign.kinds(places.map(({ path }) => path))));
  const candidates = candidatesOf(places, files);
  if (!candidates.length && !notes.length) notes.push(...(await whatIsThere(store, files)));
  guard(
    candidates.length > 0,
    'missing',
    () =>
      `${store.name}: no snapshots recognised${notes.length ? ` (${notes.join('; ')})` : ''}; expected checkpoint-500/, epoch=1-step=938.ckpt, model_3.pth, 03.weights.h5, net-03.keras, net-3.onnx, epoch_3/*.npy or *.npz, or folders with model.safetensors or a tfjs model.json`,
    { path: store.name },
  );
  const { chosen, rest } = choose(store.name, groupSeries(candidates, options), options);
  return await arrange(store, chosen, rest, options, [...notes, ...emptyFolders(tree, chosen)]);
}

/** The last part of a store's name. */
export const nameOf = ({ name }: Store) => name.split(/[/\\]/).filter(Boolean).at(-1) ?? name;

interface Tree {
  files: TreeFile[];
  folders: string[];
}

/** Everything below a folder but hidden names (`.metadata` says what wrote a checkpoint). */
async function listTree(store: Store): Promise<Tree> {
  const tree: Tree = { files: [], folders: [] };
  const walk = async (folder: string, depth: number): Promise<void> => {
    const entries = await store.list(folder);
    for (const entry of entries.sort((a, b) => byName(a.name, b.name))) {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      if ((entry.name.startsWith('.') && entry.name !== '.metadata') || entry.name === '__MACOSX') continue;
      if (entry.kind === 'folder') {
        tree.folders.push(path);
        if (depth < MAX_DEPTH) await walk(path, depth + 1);
      } else tree.files.push({ path, size: entry.size });
    }
    guard(
      tree.files.length + tree.folders.length <= MAX_ENTRIES,
      'format',
      () => `${store.name}: expected at most ${MAX_ENTRIES} entries; choose a folder within`,
      { path: store.name },
    );
  };
  await walk('', 0);
  return tree;
}

/** One net as arrays, one a file, right in the folder given. */
function arraysAtRoot(files: readonly TreeFile[]): WeightsPlace[] {
  const npy = files.some(
    ({ path }) => path.endsWith('.npy') && !OUTPUT_FOLDERS.includes(path.split('/')[0]!),
  );
  return npy ? [{ kind: 'npy folder', path: '.' }] : [];
}

function candidatesOf(places: readonly WeightsPlace[], files: readonly TreeFile[]): Candidate[] {
  const sizes = new Map(files.map(({ path, size }) => [path, size ?? 0]));
  // epoch_3/outputs/*.npy belong to what lies in epoch_3.
  const outputs = new Map<string, string>();
  for (const { path } of files) {
    const match = /^(.+)\/([^/]+)\/[^/]+\.npy$/.exec(path);
    if (match && OUTPUT_FOLDERS.includes(match[2]!) && !outputs.has(match[1]!))
      outputs.set(match[1]!, `${match[1]}/${match[2]}`);
  }
  const used = new Set<string>();
  const found = places.map((weights): Candidate => {
    const path = shownPath(weights);
    const own = [...outputs.keys()].find(
      (folder) => path === folder || weights.path.startsWith(`${folder}/`),
    );
    if (own) used.add(own);
    const bytes = (weights.files ?? [weights.path]).reduce((sum, file) => sum + (sizes.get(file) ?? 0), 0);
    return {
      path,
      folder: path !== weights.path || weights.kind.endsWith('folder'),
      weights,
      outputs: outputs.get(own ?? '') ?? null,
      bytes,
    };
  });
  for (const [folder, own] of outputs)
    if (!used.has(folder) && parsePath(folder, true).slots.length)
      found.push({ path: folder, folder: true, weights: null, outputs: own, bytes: 0 });
  return found;
}

/** Usual names of the one model of a folder: the folder is what is numbered, and shown. */
const USUAL =
  /\/((pytorch_|tf_)?model(\.safetensors|\.bin|\.h5|-\d+-of-\d+\.\w+|\.(safetensors|bin)\.index\.json|\.json)|modules\.json|weights_manifest\.json|\.metadata|weights\.\w+)$/;

function shownPath({ path }: WeightsPlace): string {
  return path.includes('/') ? path.replace(USUAL, '') : path;
}

const isAverage = (name: string) => /(^|[^a-z])(ema|swa|averaged?|teacher|shadow)([^a-z]|$)/i.test(name);
const bytesOf = (one: Series<Candidate>) => one.members.reduce((sum, { item }) => sum + item.bytes, 0);

/**
 * The series asked for, or the one that is likely meant: numbered, no moving average, the longest, the largest. Several runs of one kind
 * (seeds, folds, versions) are never chosen among: throws `format`, naming them.
 */
function choose(
  directory: string,
  all: Series<Candidate>[],
  { series: wanted }: RecogniseOptions,
): { chosen: Series<Candidate>; rest: Series<Candidate>[] } {
  const ranked = all.sort(
    (a, b) =>
      Number(b.numbered) - Number(a.numbered) ||
      Number(isAverage(a.name)) - Number(isAverage(b.name)) ||
      b.members.length - a.members.length ||
      bytesOf(b) - bytesOf(a) ||
      a.name.split('/').length - b.name.split('/').length ||
      byName(a.name, b.name),
  );
  const listed = () => some(ranked.map(({ name, members }) => `${name} (${members.length})`));
  if (wanted !== undefined) {
    const parts = (name: string) => name.split('/');
    const fits =
      [
        (name: string) => name === wanted,
        (name: string) => parts(name).includes(wanted),
        (name: string) => name.includes(wanted),
      ]
        .map((test) => ranked.filter(({ name }) => test(name)))
        .find((list) => list.length > 0) ?? [];
    guard(
      fits.length === 1,
      fits.length ? 'format' : 'missing',
      () => `${directory}: ${fits.length ? 'several' : 'no'} series fit "${wanted}"; there are ${listed()}`,
      { path: directory, series: wanted },
    );
    return { chosen: fits[0]!, rest: ranked.filter((one) => one !== fits[0]) };
  }
  const [chosen, ...rest] = ranked as [Series<Candidate>, ...Series<Candidate>[]];
  const runs = ranked.filter((one) =>
    one.numbered ? isSameKind(one, chosen) : !chosen.numbered && one.family === chosen.family,
  );
  guard(
    runs.length <= 1,
    'format',
    () =>
      `${directory} holds several runs: ${some(runs.map(({ name, members }) => `${name} (${members.length})`))}; choose one of the folders, or with \`series: "${distinction(runs)}"\``,
    { path: directory },
  );
  return { chosen, rest };
}

/** Seeds, folds, versions of one thing; or files of the same names in folders that differ. */
function isSameKind(one: Series<Candidate>, chosen: Series<Candidate>): boolean {
  if (one === chosen || one.family === chosen.family) return true;
  const file = (name: string) => name.slice(name.lastIndexOf('/') + 1);
  // A number in the folder's name, "checkpoint-#/unet", makes parts of one net of them.
  return (
    file(one.name) === file(chosen.name) &&
    file(one.name).includes('#') &&
    !isAverage(one.name) &&
    one.name.includes('/') &&
    chosen.name.includes('/')
  );
}

/** What the first of several runs has in its name and the second not. */
function distinction([first, second]: readonly Series<Candidate>[]): string {
  const other = new Set(second!.name.split('/'));
  return first!.name.split('/').find((part) => !other.has(part)) ?? first!.name;
}

/** Numbers the chosen series, and says what is odd about it. */
async function arrange(
  store: Store,
  chosen: Series<Candidate>,
  rest: readonly Series<Candidate>[],
  options: RecogniseOptions,
  notes: string[],
): Promise<FoundRun> {
  for (const [reason, group] of groupBy(rest, ({ numbered }) =>
    numbered ? 'another series' : 'no number in the name',
  ))
    for (const one of reason === 'another series' ? group : [null])
      notes.push(
        one
          ? `${one.name} (${one.members.length}): another series, left out; \`series: ${JSON.stringify(one.name)}\` takes it`
          : `${some(group.flatMap(({ members }) => members.map(({ path }) => path)))}: no number in the name, left out`,
      );
  const { members } = chosen;
  const lightning = members.every(({ path }) => path.endsWith('.ckpt') && /epoch=\d/.test(path));
  const snapshots = members.map(
    ({ item, path, epoch, step, metrics }: Member<Candidate>): FoundSnapshot => ({
      epoch,
      step,
      metrics: { ...metrics },
      path,
      weights: item.weights,
      outputs: item.outputs,
    }),
  );
  const huggingFace = members.every(({ path }) => /(^|\/)checkpoint[-_]\d+(\/|$)/.test(path));
  if (huggingFace) for (const snapshot of snapshots) notes.push(...(await addTrainerState(store, snapshot)));
  shiftEpochs(snapshots, lightning, options.firstEpoch, notes);
  sortSnapshots(snapshots, notes);
  const bySteps =
    snapshots.every(({ step }) => step !== null) &&
    !snapshots.every(({ epoch }) => epoch !== null && Number.isInteger(epoch));
  const numbers = snapshots.flatMap(({ epoch, step }) => (bySteps ? step! : (epoch ?? [])));
  const whole = numbers.length === snapshots.length && new Set(numbers).size === numbers.length;
  const word = bySteps ? 'step' : 'epoch';
  const gaps = whole ? gapsOf(numbers) : [];
  if (gaps.length) notes.push(`${word}${gaps.length > 1 ? 's' : ''} ${some(gaps.map(String))} missing`);
  if (whole && numbers.length > 1 && numbers[0]! > numbers[1]! - numbers[0]!)
    notes.push(`the first snapshot is ${word} ${numbers[0]}: earlier ones are not there`);
  const layout = lightning ? 'Lightning' : huggingFace ? 'Hugging Face' : layoutName(chosen);
  const series = [chosen, ...rest].map(({ name, members: own }) => ({ name, snapshots: own.length }));
  return { store, layout, snapshots, series, notes };
}

/**
 * By steps where every one has its own and epochs rise with them; else by epoch, then step (steps that begin anew in each epoch, or
 * after a break). An epoch that several snapshots share says less than their steps, and goes where those are enough.
 */
function sortSnapshots(snapshots: FoundSnapshot[], notes: string[]): void {
  const steps = snapshots.map(({ step }) => step);
  const own = steps.every((step) => step !== null) && new Set(steps).size === steps.length;
  const byStep = [...snapshots].sort((a, b) => (a.step ?? 0) - (b.step ?? 0));
  const rising = byStep.every(
    ({ epoch }, i) => i === 0 || epoch === null || epoch >= (byStep[i - 1]!.epoch ?? 0),
  );
  if (own && rising) {
    snapshots.sort((a, b) => a.step! - b.step!);
    const epochs = snapshots.map(({ epoch }) => epoch);
    if (epochs.some((epoch, i) => epoch !== null && epochs.indexOf(epoch) !== i)) {
      notes.push('several snapshots have the same epoch: they are told apart by their steps');
      for (const snapshot of snapshots) snapshot.epoch = null;
    }
    return;
  }
  snapshots.sort(
    (a, b) =>
      (a.epoch ?? a.step ?? 0) - (b.epoch ?? b.step ?? 0) ||
      (a.step ?? 0) - (b.step ?? 0) ||
      byName(a.path, b.path),
  );
  if (
    snapshots.length > 1 &&
    steps.every((step) => step !== null) &&
    snapshots.every(({ epoch }) => epoch !== null)
  )
    notes.push('steps begin anew within epochs: snapshots are in the order of epoch, then step');
}

/** Numbered folders of the chosen series that hold nothing. */
function emptyFolders({ files, folders }: Tree, chosen: Series<Candidate>): string[] {
  const holds = new Set<string>();
  const add = (path: string) => {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
      holds.add(path.slice(0, at));
  };
  for (const { item } of chosen.members) {
    add(`${item.path}/`);
    if (item.weights) add(`${item.weights.path}/`);
  }
  for (const folder of folders) add(folder);
  const depth = (path: string) => path.split('/').length;
  const forms = new Set(chosen.name.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/')));
  return folders
    .filter(
      (folder) =>
        !holds.has(folder) &&
        parsePath(folder, true).slots.length > 0 &&
        forms.has(parsePath(folder, true).template) &&
        depth(folder) <= depth(chosen.name) &&
        !files.some(
          ({ path }) =>
            path.startsWith(`${folder}/`) && chosen.members.some(({ item }) => item.weights?.path === path),
        ),
    )
    .map((folder) => `${folder} holds no weights: incomplete, left out`);
}

function layoutName({ members }: Series<Candidate>): string {
  const kinds: Record<string, string> = {
    keras: 'Keras',
    torch: 'PyTorch',
    tfjs: 'TensorFlow.js',
    onnx: 'ONNX',
    safetensors: 'safetensors',
    sharded: 'safetensors',
    shards: 'safetensors',
    modules: 'sentence-transformers',
    distributed: 'PyTorch distributed',
  };
  const kind = members.find(({ item }) => item.weights)?.item.weights?.kind;
  return kind ? (kinds[kind] ?? 'NumPy') : 'layer outputs';
}

/** Hugging Face keeps the epoch and the log in trainer_state.json. */
async function addTrainerState(store: Store, snapshot: FoundSnapshot): Promise<string[]> {
  const folder = /^(.*?checkpoint[-_]\d+)(\/|$)/.exec(snapshot.path)![1]!;
  const file = `${folder}/trainer_state.json`;
  if (!(await store.has(file))) return [];
  const state = readTrainerState(await readText(store, file, 50_000_000).catch(() => ''));
  if (!state) return [`${folder}: trainer_state.json is not JSON`];
  if (state.epoch !== null) snapshot.epoch = state.epoch;
  Object.assign(snapshot.metrics, snapshot.step === null ? {} : (state.metrics.get(snapshot.step) ?? {}));
  return state.step !== null && state.step !== snapshot.step
    ? [`${folder}: trainer_state.json says step ${state.step}`]
    : [];
}

function shiftEpochs(
  snapshots: FoundSnapshot[],
  lightning: boolean,
  firstEpoch: number | undefined,
  notes: string[],
): void {
  const epochs = snapshots.flatMap(({ epoch }) => epoch ?? []);
  if (!epochs.length) return;
  const first = Math.min(...epochs);
  const shift = firstEpoch !== undefined ? firstEpoch - first : lightning ? 1 : 0;
  if (lightning && firstEpoch === undefined)
    notes.push('Lightning counts epochs from 0: "epoch=0" is taken as the end of epoch 1');
  else if (first === 0 && firstEpoch === undefined && epochs.length > 1)
    notes.push(
      'epochs begin at 0: taken as before training; if the first was saved after one epoch, pass `firstEpoch: 1`',
    );
  for (const snapshot of snapshots) if (snapshot.epoch !== null) snapshot.epoch += shift;
}
