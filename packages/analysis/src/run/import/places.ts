import { addTo, groupBy } from '../../grouped.js';
import { endingOf, isTrainerState, isUnfinished, parsePath, some } from './names.js';

// Which files of a folder, known by their names alone, are the weights of one snapshot each. Works on a list of paths, so
// that a folder, a zip and a hub's listing are the same.

/** How the weights of one snapshot are kept. */
export type WeightsKind =
  | 'safetensors'
  | 'sharded'
  | 'shards'
  | 'modules'
  | 'distributed'
  | 'torch'
  | 'keras'
  | 'tfjs'
  | 'onnx'
  | 'npz'
  | 'npy folder'
  | 'npz folder';

export interface WeightsPlace {
  kind: WeightsKind;
  /** The file, the index of shards, or the folder for folders of arrays. */
  path: string;
  /** shards, modules: the files that make it up, in order. */
  files?: string[];
}

export interface TreeFile {
  /** From the folder given, parts separated by "/". */
  path: string;
  /** Bytes; null where not known. */
  size: number | null;
}

/** Folders that hold layer outputs rather than weights. */
export const OUTPUT_FOLDERS = ['outputs', 'activations', 'features'];

/** What a file holds by its ending; null for none that holds weights. */
export function placeOfFile(path: string): WeightsPlace | null {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const ending = endingOf(name);
  if (!ending || isTrainerState(name) || isUnfinished(name)) return null;
  if (ending === '.bin')
    return /^(.*model|weights|.*adapter|.*lora).*\.bin$/i.test(name) ? { kind: 'torch', path } : null;
  if (ending === '.npz') return { kind: 'npz', path };
  if (ending === '.onnx') return { kind: 'onnx', path };
  if (ending === '.safetensors') return { kind: 'safetensors', path };
  return { kind: ['.weights.h5', '.h5', '.hdf5', '.keras'].includes(ending) ? 'keras' : 'torch', path };
}

const folderOf = (path: string) => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '');
const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);
/** Of the folders above a file, the one whose name says which snapshot it is: the deepest with a word, else the first with a number. */
function snapshotFolder(folder: string): string | null {
  const parts = folder.split('/').filter(Boolean);
  const slots = parts.map((part) => parsePath(part, true).slots);
  const worded = slots.findLastIndex((list) => list.some(({ word }) => word === 'epoch' || word === 'step'));
  const at =
    worded >= 0 ? worded : slots.findIndex((list) => list.some(({ word, glued }) => word === null && !glued));
  return at >= 0 ? parts.slice(0, at + 1).join('/') : null;
}
const inOutputs = (path: string) => path.split('/').some((part) => OUTPUT_FOLDERS.includes(part));

/** Every place of weights among the files, and notes on what is not whole or not taken (`leftOut`). O(files). */
export function findPlaces(files: readonly TreeFile[]): {
  places: WeightsPlace[];
  notes: string[];
  leftOut: ReadonlySet<string>;
} {
  const { partial: leftOut, notes } = partialFiles(files);
  const unfinished = new Set<string>();
  const folders = new Map<string, string[]>();
  const arrays = new Map<string, { npy: boolean; npz: number }>();
  for (const { path } of files) {
    const parts = path.split('/');
    const half = parts.findIndex(isUnfinished);
    if (half >= 0) {
      unfinished.add(parts.slice(0, half + 1).join('/'));
      leftOut.add(path);
      continue;
    }
    if (leftOut.has(path)) continue;
    const folder = folderOf(path);
    addTo(folders, folder, path);
    if (inOutputs(folder)) continue;
    const npz = path.endsWith('.npz');
    if (!npz && !path.endsWith('.npy')) continue;
    const above = snapshotFolder(folder);
    if (above === null) continue;
    const own = arrays.get(above) ?? { npy: false, npz: 0 };
    arrays.set(above, { npy: own.npy || !npz, npz: own.npz + Number(npz) });
  }
  for (const path of unfinished) notes.push(`${path} is unfinished and left out`);
  const places: WeightsPlace[] = [];
  for (const [folder, { npy, npz }] of arrays)
    if (npy) places.push({ kind: 'npy folder', path: folder });
    else if (npz > 1) places.push({ kind: 'npz folder', path: folder });
  const taken = places.map(({ path }) => `${path}/`);
  for (const [folder, paths] of folders) {
    if (inOutputs(folder)) continue;
    const free = paths.filter(
      (path) => !(/\.np[yz]$/.test(path) && taken.some((prefix) => path.startsWith(prefix))),
    );
    places.push(...inFolder(folder, free, notes));
  }
  return { places: withModules(places, files), notes, leftOut };
}

/** tfjs's list of weights without a model: of older converters, and of face-api.js ("face_model-weights_manifest.json"). */
const MANIFEST = /[-_.]?weights_manifest\.json$/;
/** NAME-00002-of-00005.safetensors → which of how many. */
const SHARD = /^(.*)-(\d{5,})-of-(\d{5,})(\.\w+)$/;

function inFolder(folder: string, paths: readonly string[], notes: string[]): WeightsPlace[] {
  const places: WeightsPlace[] = [];
  const rest = new Set(paths);
  const indexes = paths.filter((path) => /\.(safetensors|bin)\.index\.json$/.test(path));
  // Two indexes of one model (".fp16.", ".bin" beside ".safetensors"): each is a place, and the kinds are told apart below.
  for (const index of indexes) places.push({ kind: 'sharded', path: index });
  const groups = new Map<string, Map<number, string>>();
  for (const path of paths) {
    const match = SHARD.exec(nameOf(path));
    if (!match) continue;
    rest.delete(path);
    if (indexes.length) continue;
    const [, stem, at, count, ending] = match;
    const key = `${stem}-#-of-${count}${ending}`;
    groups.set(key, (groups.get(key) ?? new Map<number, string>()).set(Number(at), path));
  }
  for (const [key, shards] of groups) {
    const count = Number(/-of-(\d+)/.exec(key)![1]);
    // The count is a file's word: no list of so many.
    let first = 1;
    while (shards.has(first)) first++;
    // Some count their shards from 0.
    if (first < count || (first === count && !shards.has(0)))
      notes.push(`${folder ? `${folder}/` : ''}${key}: shard ${first} of ${count} is not there, left out`);
    else {
      const list = [...shards].sort(([a], [b]) => a - b).map(([, path]) => path);
      places.push({ kind: 'shards', path: list[0]!, files: list });
    }
  }
  // torch.distributed.checkpoint: what lies beside is its own; the optimizer's is no net.
  const metadata = paths.find((path) => nameOf(path) === '.metadata');
  if (metadata && paths.some((path) => path.endsWith('.distcp')))
    return /^optim\w*?(_\d+)?$/i.test(nameOf(folder)) ? [] : [{ kind: 'distributed', path: metadata }];
  const model = paths.find((path) => nameOf(path) === 'model.json');
  if (model) return [...places, { kind: 'tfjs', path: model }];
  for (const manifest of paths.filter((path) => MANIFEST.test(nameOf(path)))) {
    places.push({ kind: 'tfjs', path: manifest });
    // Its shards are named after it, or "group1-shard1of2"; what they hold is said by the manifest alone.
    const stem = nameOf(manifest).replace(MANIFEST, '');
    for (const path of paths) if (nameOf(path).startsWith(stem || 'group')) rest.delete(path);
  }
  const singles = [...rest].flatMap((path) => placeOfFile(path) ?? []);
  return [...places, ...withoutCopies(singles, places)];
}

/** Weights are often kept twice, for several tools: of files of one stem the first of these kinds is taken. */
const PREFERENCE: WeightsKind[] = ['safetensors', 'keras', 'torch', 'npz', 'onnx'];
/** Names that tools give the one model of a folder. */
const USUAL = /^(pytorch_model|tf_model|flax_model|rust_model|weights|model)$/;
const stemOf = (path: string) => {
  const name = nameOf(path);
  const stem = name.slice(0, name.length - (endingOf(name)?.length ?? 0));
  return USUAL.test(stem) ? 'model' : stem;
};

function withoutCopies(singles: readonly WeightsPlace[], sharded: readonly WeightsPlace[]): WeightsPlace[] {
  const stems = groupBy(singles, (place) => stemOf(place.path));
  if (sharded.length) stems.delete('model');
  return [...stems.values()].flatMap((same) => {
    const kind = PREFERENCE.find((one) => same.some((place) => place.kind === one));
    return same.filter((place) => place.kind === kind);
  });
}

/** sentence-transformers: modules.json beside a model and numbered folders "2_Dense", which are one net. */
function withModules(places: readonly WeightsPlace[], files: readonly TreeFile[]): WeightsPlace[] {
  let left = [...places];
  for (const { path } of files) {
    if (nameOf(path) !== 'modules.json') continue;
    const folder = folderOf(path);
    const prefix = folder ? `${folder}/` : '';
    const own = left.filter((place) => {
      const inside = place.path.startsWith(prefix) ? place.path.slice(prefix.length) : null;
      return inside !== null && place.kind !== 'sharded' && /^([^/]+|\d+_[A-Za-z]\w*\/[^/]+)$/.test(inside);
    });
    if (own.length < 2) continue;
    left = [
      ...left.filter((place) => !own.includes(place)),
      { kind: 'modules', path, files: own.flatMap((place) => place.files ?? [place.path]) },
    ];
  }
  return left;
}

/** Files of parallel trainings that hold parts of tensors or of nets, what they are, and the way out. */
const PARTIAL: readonly (readonly [RegExp, string])[] = [
  [
    /(^|\/)(consolidated\.\d\d\.pth|mp_rank_\d+_model_states\.pt|mp_rank_\d+(_\d+)*\/[^/]+\.pt)$/,
    'a model-parallel checkpoint, of which each file holds a part of every tensor; merge it where it was written and save one file',
  ],
  [
    /(^|\/)zero_pp_rank_\d+_mp_rank_\d+_model_states\.pt$/,
    "a checkpoint of DeepSpeed ZeRO-3, whose weights lie in the optimizer's files; write them as one: python zero_to_fp32.py . step_500 -t global_step500 (the script lies beside the checkpoint; older ones take a file, step_500.bin, in the folder's place)",
  ],
  [
    /(^|\/)layer_\d+-model_\d+-model_states\.pt$/,
    'a pipeline-parallel checkpoint, a file a layer; convert it with the tools of what trained it and save one file',
  ],
];

/** Those files, which are not taken, and notes on them. Rank 0 alone is the whole net. */
function partialFiles(files: readonly TreeFile[]): { partial: Set<string>; notes: string[] } {
  const partial = new Set<string>();
  const notes: string[] = [];
  for (const [k, [form, what]] of PARTIAL.entries()) {
    let found = files.flatMap(({ path }) => (form.test(path) ? [path] : []));
    // Of a net in one part the only file is that of rank 0.
    if (k === 0) {
      const setOf = (path: string) => path.replace(/(consolidated\.|mp_rank_)\d+/, '$1#');
      const several = new Set(
        found.filter((path) => /(consolidated\.|mp_rank_)0*[1-9]/.test(path)).map(setOf),
      );
      found = found.filter((path) => several.has(setOf(path)));
    }
    for (const path of found) partial.add(path);
    // Beside a file a layer that of rank 0 holds none of the weights.
    for (const path of found)
      if (/(^|\/)layer_/.test(path))
        partial.add(`${folderOf(path) && `${folderOf(path)}/`}mp_rank_00_model_states.pt`);
    if (found.length) notes.push(`${some(found)}: ${what}`);
  }
  return { partial, notes };
}
