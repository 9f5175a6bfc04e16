import { addTo } from '../../grouped.js';
import { isTrainerState, some } from './names.js';

// Checkpoints that are known and not read: each is named, with the way out.

export type ForeignKind = keyof typeof FOREIGN;

const FOREIGN = {
  orbax:
    'Orbax checkpoints of JAX, which are not read: restore them in Python and save the arrays with np.savez("params_1.npz", **flatten_dict(orbax.checkpoint.PyTreeCheckpointer().restore(folder), sep=".")), flatten_dict of flax.traverse_util; see docs/guides/jax.md',
  flax: 'msgpack files of Flax, which are not read: restore them in Python and save the arrays with np.savez("params_1.npz", **flatten_dict(flax.serialization.msgpack_restore(open(file, "rb").read()), sep=".")), flatten_dict of flax.traverse_util; see docs/guides/jax.md',
  'saved model':
    'TensorFlow SavedModels, which are not read: save the Keras model as model.save("net-03.keras"), or its weights as model.save_weights("03.weights.h5"); where only the folder is left, at = folder + "/variables/variables" and np.savez("params_1.npz", **{n: tf.train.load_variable(at, n) for n, _ in tf.train.list_variables(at) if "OBJECT_GRAPH" not in n})',
  tensorflow:
    'TensorFlow checkpoints, which are not read: save as model.save_weights("03.weights.h5"), or np.savez("params_1.npz", **{n: tf.train.load_variable(at, n) for n, _ in tf.train.list_variables(at) if "OBJECT_GRAPH" not in n}), at the path without ".index"',
  gguf: 'GGUF files of llama.cpp, which are not read: torch.save(transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=name).state_dict(), "model_1.pt"), or import the checkpoint it was made from',
  shards:
    'Keras weights in shards, which are not read: save as model.save_weights("03.weights.h5") without max_shard_size',
  pickle:
    'Python pickles, which are not read: save arrays with np.savez("params_1.npz", **arrays), PyTorch weights with torch.save(model.state_dict(), "model_1.pt")',
} as const;

/** By a file's name; null for any other. */
export function foreignFile(name: string): ForeignKind | null {
  if (/\.data-\d+-of-\d+$/.test(name)) return 'tensorflow';
  if (name.endsWith('.weights.json')) return 'shards';
  if (name.endsWith('.msgpack')) return 'flax';
  if (name.toLowerCase().endsWith('.gguf')) return 'gguf';
  return /\.(pkl|pickle)$/.test(name) ? 'pickle' : null;
}

/** Folders that one of these wrote hold nothing else of ours. */
const WHOLE_FOLDER = new Set<ForeignKind>(['orbax', 'saved model']);

function folderKind(names: readonly string[]): ForeignKind | null {
  const has = (...wanted: string[]) => wanted.some((name) => names.includes(name));
  if (has('_CHECKPOINT_METADATA', 'manifest.ocdbt', '_METADATA')) return 'orbax';
  if (has('saved_model.pb')) return 'saved model';
  return null;
}

/** What other tools wrote among the files, by their paths. */
export function findForeign(paths: readonly string[]) {
  const folders = new Map<string, string[]>();
  for (const path of paths) {
    const at = path.lastIndexOf('/');
    const folder = at < 0 ? '' : path.slice(0, at);
    addTo(folders, folder, path.slice(at + 1));
  }
  const whole = new Map<string, ForeignKind>();
  const single: { path: string; folder: string; kind: ForeignKind }[] = [];
  for (const [folder, names] of folders) {
    const kind = folderKind(names);
    if (kind && WHOLE_FOLDER.has(kind)) whole.set(folder, kind);
    for (const name of names) {
      const own = isTrainerState(name) ? null : foreignFile(name);
      if (own) single.push({ path: folder ? `${folder}/${name}` : name, folder, kind: own });
    }
  }
  const inside = (path: string) =>
    [...whole.keys()].some((folder) => folder === '' || path.startsWith(`${folder}/`));
  return {
    /** Lies in a folder that is theirs. */
    inside,
    /** What is told: folders of theirs, and files in folders where nothing of ours lies. */
    kinds(places: readonly string[]): Map<ForeignKind, string[]> {
      const told = new Map<ForeignKind, Set<string>>();
      const tell = (kind: ForeignKind, path: string) =>
        told.set(kind, (told.get(kind) ?? new Set()).add(path));
      for (const [folder, kind] of whole)
        if (!inside(folder) || folder === '') tell(kind, folder === '' ? '.' : folder);
      for (const { path, folder, kind } of single)
        if (!inside(path) && !places.some((place) => place.startsWith(folder ? `${folder}/` : '')))
          tell(kind, folder || path);
      return new Map([...told].map(([kind, list]) => [kind, [...list]]));
    },
  };
}

/** One sentence for each kind found. */
export function foreignNotes(found: ReadonlyMap<ForeignKind, string[]>): string[] {
  return [...found].map(([kind, paths]) => `${some(paths)}: ${FOREIGN[kind]}`);
}
