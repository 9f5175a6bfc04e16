import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { fileError } from '../../formats/file-source.js';
import { type ForeignKind, foreignFile, foreignFolder, foreignNotes } from './foreign.js';
import {
  bareNumbers,
  gapsOf,
  isTrainerState,
  isUnfinished,
  type NameParts,
  parseName,
  some,
} from './names.js';
import { OUTPUT_FOLDERS, placeInFolder, placeOfFile, type WeightsPlace } from './weights.js';

/** Entries of one folder. */
const MAX_ENTRIES = 200_000;
/** How deep the folder with the snapshots is looked for: lightning_logs/version_0/checkpoints. */
const MAX_DEPTH = 4;

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
  directory: string;
  /** "Lightning", "Keras", … */
  layout: string;
  /** In numeric order. */
  snapshots: FoundSnapshot[];
  /** Gaps, doubts, what was left out: one sentence each. */
  notes: string[];
}

export interface RecogniseOptions {
  /** What numbers count that no word explains; default epochs. */
  numbers?: 'epochs' | 'steps';
  /** The epoch of the first snapshot: shifts all. Default: as named (Lightning counts from 0, which is shifted by one). */
  firstEpoch?: number;
  /** Files that are known to be something else (layer outputs). */
  except?: ReadonlySet<string>;
}

interface Candidate extends Omit<FoundSnapshot, 'epoch' | 'step' | 'metrics'> {
  name: string;
  parts: NameParts;
}

/**
 * Finds the snapshots of a run made by other tools, by the names of files and folders; opens no weights. Throws `missing`
 * where nothing is recognised, naming what can be.
 */
export async function recogniseRun(directory: string, options: RecogniseOptions = {}): Promise<FoundRun> {
  try {
    guard((await stat(directory)).isDirectory(), 'missing', () => `${directory} is not a folder`, {
      path: directory,
    });
    const notes: string[] = [];
    const candidates = await findCandidates(directory, directory, options.except ?? new Set(), notes, 0);
    guard(
      candidates.length > 0,
      'missing',
      () =>
        `${directory}: no snapshots recognised${notes.length ? ` (${notes.join('; ')})` : ''}; expected checkpoint-500/, epoch=1-step=938.ckpt, model_3.pth, 03.weights.h5, net-03.keras, net-3.onnx, epoch_3/*.npy or *.npz, or folders with model.safetensors or a tfjs model.json`,
      { path: directory },
    );
    return await arrange(directory, candidates, options, notes);
  } catch (cause) {
    throw fileError(directory, cause);
  }
}

async function findCandidates(
  root: string,
  folder: string,
  except: ReadonlySet<string>,
  notes: string[],
  depth: number,
): Promise<Candidate[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  guard(
    entries.length <= MAX_ENTRIES,
    'format',
    () => `${folder}: expected at most ${MAX_ENTRIES} entries, got ${entries.length}`,
    { path: folder },
  );
  const found: Candidate[] = [];
  const others: string[] = [];
  const unread = new Map<ForeignKind, string[]>();
  const foreign = (path: string, kind: ForeignKind | null): boolean => {
    if (kind) unread.set(kind, [...(unread.get(kind) ?? []), path]);
    return kind !== null;
  };
  if (depth === 0 && foreign(basename(folder), await foreignOfRoot(folder))) entries.length = 0;
  for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))) {
    const { name } = entry;
    const path = join(folder, name);
    const shown = relative(root, path);
    if (except.has(path) || name.startsWith('.')) continue;
    if (isUnfinished(name)) {
      notes.push(`${shown} is unfinished and left out`);
      continue;
    }
    if (entry.isFile()) {
      const weights = isTrainerState(name) ? null : placeOfFile(path, name);
      if (weights) found.push({ name, path: shown, parts: parseName(name, false), weights, outputs: null });
      else foreign(shown, foreignFile(name));
    } else if (entry.isDirectory()) {
      const parts = parseName(name, true);
      const numbered = parts.epoch !== null || parts.step !== null || parts.bare.length > 0;
      const outputs = await outputsIn(path);
      // A folder whose entries are themselves numbered is no snapshot but holds them.
      const weights =
        numbered || !(await holdsSeries(path)) ? await placeInFolder(path).catch(asNote(notes)) : null;
      const free = weights && ![...except].some((file) => file.startsWith(weights.path));
      if ((weights && free) || (outputs && numbered))
        found.push({ name, path: shown, parts, weights: free ? weights : null, outputs });
      else if (!except.size && foreign(shown, await foreignFolder(path))) continue;
      else if (numbered && !weights && !except.size && !/^version_\d+$/.test(name)) {
        if (await holdsNothing(path)) notes.push(`${shown} holds no weights: incomplete, left out`);
        else others.push(path);
      } else others.push(path);
    }
  }
  notes.push(...foreignNotes(unread));
  if (found.length || depth >= MAX_DEPTH) return found;
  const deeper: Candidate[][] = [];
  for (const path of others) {
    const inside = await findCandidates(root, path, except, notes, depth + 1);
    if (inside.length) deeper.push(inside);
  }
  guard(
    deeper.length <= 1,
    'format',
    () =>
      `${root} holds several runs: ${deeper.map(([first]) => join(first!.path, '..')).join(', ')}; choose one of the folders`,
    { path: root },
  );
  if (deeper[0]) return deeper[0];
  const own = depth === 0 && !except.size ? await placeInFolder(root) : null;
  return own
    ? [
        {
          name: basename(own.path),
          path: relative(root, own.path) || '.',
          parts: parseName(basename(own.path), false),
          weights: own,
          outputs: null,
        },
      ]
    : [];
}

/** Of the folder that was given: files in it are named one by one instead. */
async function foreignOfRoot(folder: string): Promise<ForeignKind | null> {
  const kind = await foreignFolder(folder);
  return kind === 'orbax' || kind === 'saved model' || kind === 'distributed' ? kind : null;
}

const asNote = (notes: string[]) => (cause: unknown) => {
  if (!(cause instanceof EpochscopeError)) throw cause;
  notes.push(cause.message);
  return null;
};

async function outputsIn(folder: string): Promise<string | null> {
  for (const name of OUTPUT_FOLDERS) {
    const files = await readdir(join(folder, name)).catch(() => [] as string[]);
    if (files.some((file) => file.endsWith('.npy'))) return join(folder, name);
  }
  return null;
}

/** Whether entries of a folder are snapshots themselves. */
async function holdsSeries(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true });
  const numbered = entries.filter((entry) => {
    if (entry.isFile() && !placeOfFile(entry.name, entry.name)) return false;
    const { epoch, step } = parseName(entry.name, entry.isDirectory());
    return epoch !== null || step !== null;
  });
  // A trainer that keeps its last file alone still says in the name which one it is.
  return numbered.length > 1 || numbered.some((entry) => entry.isFile());
}

async function holdsNothing(folder: string): Promise<boolean> {
  return (await readdir(folder, { withFileTypes: true })).every((entry) => !entry.isDirectory());
}

/** Chooses the series, numbers it, and says what is odd about it. */
async function arrange(
  directory: string,
  candidates: Candidate[],
  options: RecogniseOptions,
  notes: string[],
): Promise<FoundRun> {
  const series = new Map<string, Candidate[]>();
  for (const candidate of candidates)
    series.set(candidate.parts.template, [...(series.get(candidate.parts.template) ?? []), candidate]);
  const numbered = (c: Candidate) =>
    c.parts.epoch !== null || c.parts.step !== null || c.parts.bare.length > 0;
  const ranked = [...series.values()].sort(
    (a, b) => Number(numbered(b[0]!)) - Number(numbered(a[0]!)) || b.length - a.length,
  );
  const [chosen, ...rest] = ranked as [Candidate[], ...Candidate[][]];
  for (const group of rest)
    notes.push(
      `${some(group.map(({ path }) => path))}: ${numbered(group[0]!) ? 'another series' : 'no number in the name'}, left out`,
    );

  const bare = bareNumbers(chosen.map(({ parts }) => parts));
  const lightning = chosen.every(({ parts }) => parts.name.endsWith('.ckpt') && /epoch=\d/.test(parts.name));
  const explained = chosen.some(({ parts }) => parts.epoch !== null || parts.step !== null);
  let snapshots: FoundSnapshot[] = chosen.map(({ parts, path, weights, outputs }, i) => {
    const steps = !explained && options.numbers === 'steps';
    return {
      epoch: parts.epoch ?? (explained || steps ? null : bare[i]!),
      step: parts.step ?? (steps ? bare[i]! : null),
      metrics: parts.metrics,
      path,
      weights,
      outputs,
    };
  });
  if (chosen.every(({ parts }) => /^checkpoint[-_]\d+$/.test(parts.name)))
    for (const snapshot of snapshots) await addTrainerState(directory, snapshot, notes);
  shiftEpochs(snapshots, lightning, options.firstEpoch, notes);

  const key = (s: FoundSnapshot) => s.epoch ?? s.step ?? 0;
  const bySteps = snapshots.every(({ step }) => step !== null);
  const order = (s: FoundSnapshot) => (bySteps ? s.step! : key(s));
  snapshots.sort((a, b) => order(a) - order(b) || a.path.localeCompare(b.path, 'en', { numeric: true }));
  snapshots = snapshots.filter((s, i) => {
    const next = snapshots[i + 1];
    if (snapshots.length === 1 || !next || order(next) !== order(s)) return true;
    notes.push(`${s.path} and ${next.path} have the same number; the second is taken`);
    return false;
  });
  const epochs = snapshots.map(({ epoch }) => epoch);
  if (bySteps && epochs.some((epoch, i) => epoch !== null && epochs.indexOf(epoch) !== i)) {
    notes.push('several snapshots have the same epoch: they are told apart by their steps');
    for (const snapshot of snapshots) snapshot.epoch = null;
  }
  const word = bySteps ? 'step' : 'epoch';
  const gaps = gapsOf(snapshots.map(order));
  if (gaps.length) notes.push(`${word}${gaps.length > 1 ? 's' : ''} ${some(gaps.map(String))} missing`);
  const [first, second] = snapshots;
  if (first && second && order(first) > order(second) - order(first))
    notes.push(`the first snapshot is ${word} ${order(first)}: earlier ones are not there`);
  const layout = lightning ? 'Lightning' : layoutName(chosen);
  return { directory, layout, snapshots, notes };
}

function layoutName(chosen: Candidate[]): string {
  if (chosen.every(({ parts }) => /^checkpoint[-_]\d+$/.test(parts.name))) return 'Hugging Face';
  const kinds: Record<string, string> = {
    keras: 'Keras',
    torch: 'PyTorch',
    tfjs: 'TensorFlow.js',
    onnx: 'ONNX',
    safetensors: 'safetensors',
    sharded: 'safetensors',
  };
  const kind = chosen.find(({ weights }) => weights)?.weights?.kind;
  return kind ? (kinds[kind] ?? 'NumPy') : 'layer outputs';
}

/** Hugging Face keeps the epoch and the log in trainer_state.json. */
async function addTrainerState(directory: string, snapshot: FoundSnapshot, notes: string[]): Promise<void> {
  const file = join(directory, snapshot.path, 'trainer_state.json');
  const size = (await stat(file).catch(() => null))?.size;
  if (size === undefined || size > 50_000_000) return;
  try {
    const state = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown> | null;
    if (typeof state?.epoch === 'number' && Number.isFinite(state.epoch)) snapshot.epoch = state.epoch;
    if (typeof state?.global_step === 'number' && state.global_step !== snapshot.step)
      notes.push(`${snapshot.path}: trainer_state.json says step ${state.global_step}`);
    const log = Array.isArray(state?.log_history) ? (state.log_history as Record<string, unknown>[]) : [];
    for (const entry of log.filter((item) => item?.step === snapshot.step))
      for (const [name, value] of Object.entries(entry))
        if (typeof value === 'number' && Number.isFinite(value) && !['step', 'epoch'].includes(name))
          snapshot.metrics[name] = value;
  } catch {
    notes.push(`${snapshot.path}: trainer_state.json is not JSON`);
  }
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
      'epochs begin at 0: taken as before training; if the first was saved after one epoch, pass --first-epoch 1',
    );
  for (const snapshot of snapshots) if (snapshot.epoch !== null) snapshot.epoch += shift;
}
