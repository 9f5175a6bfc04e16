import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { withFile } from '../../formats/file-source.js';
import { readHdf5Dataset } from '../../formats/hdf5/index.js';
import { readKerasFile } from '../../formats/keras.js';
import { readNpy } from '../../formats/npy.js';
import { readNpz, readNpzDirectory } from '../../formats/npz.js';
import { readSafetensors, readSafetensorsHeader } from '../../formats/safetensors.js';
import { readSharded, readShardIndex } from '../../formats/sharded.js';
import { readTfjsModel } from '../../formats/tfjs.js';
import { readTorch, readTorchHeader } from '../../formats/torch/index.js';
import type { Tensor } from '../../formats/types.js';
import { type Architecture, readOnnxFile } from './architecture.js';
import { endingOf, isTrainerState, isUnfinished, some } from './names.js';
import { openBeside } from './siblings.js';

/** How the weights of one snapshot are kept. */
export type WeightsKind =
  | 'safetensors'
  | 'sharded'
  | 'torch'
  | 'keras'
  | 'tfjs'
  | 'onnx'
  | 'npz'
  | 'npy folder'
  | 'npz folder';

export interface WeightsPlace {
  kind: WeightsKind;
  /** The file, or the folder for folders of arrays. */
  path: string;
}

/** Arrays in one folder. */
const MAX_FOLDER_ARRAYS = 20_000;
/** Folders that hold layer outputs rather than weights. */
export const OUTPUT_FOLDERS = ['outputs', 'activations', 'features'];

/** What a file holds by its ending; null for none that holds weights. */
export function placeOfFile(path: string, name: string): WeightsPlace | null {
  const ending = endingOf(name);
  if (!ending || isTrainerState(name) || isUnfinished(name)) return null;
  if (ending === '.bin')
    return /^(pytorch_model|model|weights|adapter_model)/.test(name) ? { kind: 'torch', path } : null;
  if (ending === '.npz') return { kind: 'npz', path };
  if (ending === '.onnx') return { kind: 'onnx', path };
  if (ending === '.safetensors') return { kind: 'safetensors', path };
  return { kind: ['.weights.h5', '.h5', '.hdf5', '.keras'].includes(ending) ? 'keras' : 'torch', path };
}

/** Where the weights lie in a snapshot's own folder; null where there are none. Throws `format` where several compete. */
export async function placeInFolder(folder: string): Promise<WeightsPlace | null> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && !isUnfinished(entry.name))
    .map(({ name }) => name);
  const index = files.find((name) => /\.(safetensors|bin)\.index\.json$/.test(name));
  if (index) return { kind: 'sharded', path: join(folder, index) };
  if (files.includes('model.json')) return { kind: 'tfjs', path: join(folder, 'model.json') };
  const arrays = files.filter((name) => name.endsWith('.npz'));
  if (arrays.length > 1) return { kind: 'npz folder', path: folder };
  const places = files.flatMap((name) => placeOfFile(join(folder, name), name) ?? []);
  // Weights are often kept twice; safetensors first.
  for (const kind of ['safetensors', 'keras', 'torch', 'npz', 'onnx'] as const) {
    const found = places.filter((place) => place.kind === kind);
    const usual = found.find(({ path }) => /(^|[/\\])(model|pytorch_model|weights)\.\w+$/.test(path));
    if (found.length === 1 || usual) return usual ?? found[0]!;
    guard(
      !found.length,
      'format',
      () =>
        `${folder} holds several files of weights: ${found.map(({ path }) => path.slice(folder.length + 1)).join(', ')}`,
      { path: folder },
    );
  }
  const inside = entries.filter((entry) => entry.isDirectory() && !OUTPUT_FOLDERS.includes(entry.name));
  const deep = await Promise.all(
    inside.map(async ({ name }) => (await readdir(join(folder, name))).some((file) => file.endsWith('.npy'))),
  );
  return files.some((name) => name.endsWith('.npy')) || deep.some(Boolean)
    ? { kind: 'npy folder', path: folder }
    : null;
}

export interface ReadWeights {
  tensors: Map<string, Tensor>;
  /** Numbers kept beside the weights of a PyTorch checkpoint: epoch, global_step, … */
  numbers: Record<string, number>;
  /** What the file says of the net itself. */
  architecture: Architecture | null;
  /** What the file holds besides, and is not taken. */
  notes?: string[];
}

/** All weights of one snapshot, under the names the files give them. Throws what the formats throw. */
export async function readWeights({ kind, path }: WeightsPlace): Promise<ReadWeights> {
  const only = async (tensors: Promise<Map<string, Tensor>>) => ({
    tensors: await tensors,
    numbers: {},
    architecture: null,
  });
  const name = path.slice(dirname(path).length).replace(/^[/\\]/, '');
  switch (kind) {
    case 'torch':
      return withFile(path, async (source) => {
        const header = await readTorchHeader(source);
        return {
          numbers: header.numbers,
          tensors: await readTorch(source),
          architecture: null,
          notes: [
            ...(header.beside.length
              ? [`weights are those under "${header.path.join('.')}"; not taken: ${some(header.beside)}`]
              : []),
            ...(header.unread.length ? [`left out, being no plain tensors: ${some(header.unread)}`] : []),
          ],
        };
      });
    case 'safetensors':
      return only(withFile(path, readSafetensors));
    case 'sharded':
      return only(readSharded(openBeside(path), name));
    case 'keras':
      return withFile(path, async (source) => {
        const file = await readKerasFile(source);
        const tensors = new Map<string, Tensor>();
        for (const [weight, dataset] of file.weights)
          tensors.set(weight, await readHdf5Dataset(file.source, dataset));
        return {
          tensors,
          numbers: {},
          architecture: file.config ? { kind: 'keras', config: file.config } : null,
        };
      });
    case 'tfjs':
      return readTfjsModel(openBeside(path), name).then(({ tensors, topology }) => ({
        tensors,
        numbers: {},
        architecture: topology ? { kind: 'keras', config: topology } : null,
      }));
    case 'onnx': {
      const read = await readOnnxFile(path);
      if (read.refused)
        return {
          tensors: read.tensors,
          numbers: {},
          architecture: null,
          notes: [`weights alone are imported, the net cannot be run here: ${read.refused.message}`],
        };
      const { onnx } = read;
      return { tensors: new Map(onnx.graph.weights), numbers: {}, architecture: { kind: 'onnx', onnx } };
    }
    case 'npz':
      return only(withFile(path, readNpz));
    default:
      return only(readArrays(path, kind === 'npy folder' ? '.npy' : '.npz'));
  }
}

/**
 * Whether a snapshot's files are whole, by their headers where the format has one: names of its tensors. Throws what the
 * formats throw.
 */
export async function checkWeights(place: WeightsPlace): Promise<string[]> {
  const { kind, path } = place;
  const name = path.slice(dirname(path).length).replace(/^[/\\]/, '');
  switch (kind) {
    case 'torch':
      return withFile(path, async (source) => [...(await readTorchHeader(source)).entries.keys()]);
    case 'safetensors':
      return withFile(path, async (source) => [...(await readSafetensorsHeader(source)).entries.keys()]);
    case 'keras':
      return withFile(path, async (source) => [...(await readKerasFile(source)).weights.keys()]);
    case 'npz':
      return withFile(path, async (source) => [...(await readNpzDirectory(source)).keys()]);
    case 'sharded': {
      const files = await readShardIndex(openBeside(path), name);
      for (const shard of new Set(files.values()))
        await checkWeights({
          kind: shard.endsWith('.safetensors') ? 'safetensors' : 'torch',
          path: join(dirname(path), shard),
        });
      return [...files.keys()];
    }
    default:
      return [...(await readWeights(place)).tensors.keys()];
  }
}

/** "conv/kernel.npy" → conv/kernel; "conv.npz" with kernel → conv/kernel. */
async function readArrays(folder: string, ending: '.npy' | '.npz'): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor>();
  const walk = async (path: string, prefix: string, depth: number): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))) {
      const inside = join(path, entry.name);
      if (entry.isDirectory() && depth < 4 && !OUTPUT_FOLDERS.includes(entry.name))
        await walk(inside, `${prefix}${entry.name}/`, depth + 1);
      if (!entry.isFile() || !entry.name.endsWith(ending)) continue;
      const name = `${prefix}${entry.name.slice(0, -ending.length)}`;
      if (ending === '.npy') tensors.set(name, await withFile(inside, readNpy));
      else
        for (const [array, tensor] of await withFile(inside, readNpz))
          tensors.set(`${name}/${array}`, tensor);
      if (tensors.size > MAX_FOLDER_ARRAYS)
        throw new EpochscopeError('format', `${folder}: expected at most ${MAX_FOLDER_ARRAYS} arrays`, {
          path: folder,
        });
    }
  };
  await walk(folder, '', 0);
  return tensors;
}
