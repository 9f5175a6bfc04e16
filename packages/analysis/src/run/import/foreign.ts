import { readdir } from 'node:fs/promises';
import { some } from './names.js';

// Checkpoints that are known and not read: each is named, with the way out.

export type ForeignKind = keyof typeof FOREIGN;

const FOREIGN = {
  orbax:
    'Orbax checkpoints of JAX, which are not read: restore them in Python and save the arrays with np.savez("params_1.npz", **flat), see docs/guides/jax.md',
  flax: 'msgpack files of Flax, which are not read: restore them in Python and save the arrays with np.savez("params_1.npz", **flat), see docs/guides/jax.md',
  distributed:
    'distributed checkpoints of PyTorch, which are not read: python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER model_1.pt',
  'saved model':
    'TensorFlow SavedModels, which are not read: save the Keras model as model.save("net-03.keras"), or its weights as model.save_weights("03.weights.h5")',
  tensorflow: 'TensorFlow checkpoints, which are not read: save as model.save_weights("03.weights.h5")',
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
  return /\.(pkl|pickle)$/.test(name) ? 'pickle' : null;
}

/** By what lies in a folder; null for any other. */
export async function foreignFolder(path: string): Promise<ForeignKind | null> {
  const names = await readdir(path);
  const has = (...wanted: string[]) => wanted.some((name) => names.includes(name));
  if (has('_CHECKPOINT_METADATA', 'manifest.ocdbt', '_METADATA')) return 'orbax';
  if (has('saved_model.pb')) return 'saved model';
  if (has('.metadata') && names.some((name) => name.endsWith('.distcp'))) return 'distributed';
  for (const name of names) {
    const kind = foreignFile(name);
    if (kind) return kind;
  }
  return null;
}

/** One sentence for each kind found. */
export function foreignNotes(found: ReadonlyMap<ForeignKind, string[]>): string[] {
  return [...found].map(([kind, paths]) => `${some(paths)}: ${FOREIGN[kind]}`);
}
