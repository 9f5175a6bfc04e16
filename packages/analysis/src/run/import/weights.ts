import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { readHdf5Dataset } from '../../formats/hdf5/index.js';
import { readKerasFile } from '../../formats/keras.js';
import { readNpy } from '../../formats/npy.js';
import { readNpz, readNpzDirectory } from '../../formats/npz.js';
import { readable, readSafetensors, readSafetensorsHeader } from '../../formats/safetensors.js';
import { readSharded, readShardIndex } from '../../formats/sharded.js';
import { contentOf, headOf } from '../../formats/sniff.js';
import { readTfjsModel } from '../../formats/tfjs.js';
import { readTorch, readTorchHeader } from '../../formats/torch/index.js';
import type { ByteSource, Tensor } from '../../formats/types.js';
import { withStored } from '../../stores/content.js';
import { joinPath, shown, splitPath } from '../../stores/paths.js';
import type { Store } from '../../stores/types.js';
import { type Architecture, readOnnxFile } from './architecture.js';
import { some } from './names.js';
import { OUTPUT_FOLDERS, placeOfFile, type WeightsPlace } from './places.js';
import { openBeside } from './siblings.js';

/** Arrays in one folder. */
const MAX_FOLDER_ARRAYS = 20_000;

/** The kind by a file's first bytes where its ending says another: PyTorch named .safetensors, safetensors named .pt. */
async function actualKind(store: Store, { kind, path }: WeightsPlace): Promise<WeightsPlace['kind']> {
  if (kind !== 'safetensors' && kind !== 'torch' && kind !== 'keras') return kind;
  const content = await withStored(store, path, async (source) =>
    contentOf(await headOf(source), source.size),
  );
  if (content === 'safetensors') return 'safetensors';
  if (content === 'zip' && kind === 'safetensors') return 'torch';
  return content === 'hdf5' && kind !== 'keras' ? 'keras' : kind;
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

/** Keras 3's names begin with the model's own: "sequential/conv2d/kernel". */
function withoutModelName(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const names = [...tensors.keys()].map((name) => name.split('/'));
  const all = names.every((parts) => parts.length > 2 && parts[0] === names[0]![0]);
  return new Map(
    [...tensors].map(([name, tensor], i) => [all ? names[i]!.slice(1).join('/') : name, tensor]),
  );
}

/** Why a run has weights alone, and what to do about it. */
export const cannotRun = (why: EpochscopeError): string =>
  `weights alone are imported, the net cannot be run here: ${why.message}; change, modules of weights and prune go on with them, and layer outputs that another program computes are taken by --outputs`;

/** All weights of one snapshot, under the names the files give them. Throws what the formats throw. */
export async function readWeights(
  store: Store,
  place: WeightsPlace,
  sample?: readonly number[],
): Promise<ReadWeights> {
  const { path } = place;
  const withFile = <T>(file: string, body: (source: ByteSource) => Promise<T>) =>
    withStored(store, file, body);
  const only = async (tensors: Promise<Map<string, Tensor>>) => ({
    tensors: await tensors,
    numbers: {},
    architecture: null,
  });
  const [, name] = splitPath(path);
  switch (await actualKind(store, place)) {
    case 'shards':
    case 'modules':
      return readParts(store, place);
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
      return only(readSharded(openBeside(store, path), name));
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
      return readTfjsModel(openBeside(store, path), name).then(({ tensors, topology }) => ({
        tensors: withoutModelName(tensors),
        numbers: {},
        architecture: topology ? { kind: 'keras', config: topology } : null,
      }));
    case 'onnx': {
      const read = await readOnnxFile(openBeside(store, path), name, shown(store, path), sample);
      if (read.refused)
        return {
          tensors: read.tensors,
          numbers: {},
          architecture: null,
          notes: [cannotRun(read.refused)],
        };
      const { onnx } = read;
      return { tensors: new Map(onnx.graph.weights), numbers: {}, architecture: { kind: 'onnx', onnx } };
    }
    case 'npz':
      return only(withFile(path, readNpz));
    default:
      return only(readArrays(store, path, place.kind === 'npy folder' ? '.npy' : '.npz'));
  }
}

/**
 * Whether a snapshot's files are whole, by their headers where the format has one: names of its tensors. Throws what the
 * formats throw.
 */
export async function checkWeights(store: Store, place: WeightsPlace): Promise<string[]> {
  const { path } = place;
  const withFile = <T>(file: string, body: (source: ByteSource) => Promise<T>) =>
    withStored(store, file, body);
  const [, name] = splitPath(path);
  switch (await actualKind(store, place)) {
    case 'shards':
    case 'modules':
      return (await Promise.all(partsOf(place).map(({ part }) => checkWeights(store, part)))).flat();
    case 'torch':
      return withFile(path, async (source) => [...(await readTorchHeader(source)).entries.keys()]);
    case 'safetensors':
      return withFile(path, async (source) => [
        ...readable(source, await readSafetensorsHeader(source)).entries.keys(),
      ]);
    case 'keras':
      return withFile(path, async (source) => [...(await readKerasFile(source)).weights.keys()]);
    case 'npz':
      return withFile(path, async (source) => [...(await readNpzDirectory(source)).keys()]);
    case 'sharded': {
      const files = await readShardIndex(openBeside(store, path), name);
      for (const shard of new Set(files.values()))
        await checkWeights(store, {
          kind: shard.endsWith('.safetensors') ? 'safetensors' : 'torch',
          path: joinPath(splitPath(path)[0], shard),
        });
      return [...files.keys()];
    }
    default:
      return [...(await readWeights(store, place)).tensors.keys()];
  }
}

/** The files that one net is made of: shards without an index, or sentence-transformers' modules, under their folder's name. */
function partsOf({ kind, path, files }: WeightsPlace): { part: WeightsPlace; prefix: string }[] {
  return (files ?? []).flatMap((file) => {
    const part = placeOfFile(file);
    const [folder] = splitPath(path);
    const inside = splitPath(file)[0].slice(folder ? folder.length + 1 : 0);
    return part ? [{ part, prefix: kind === 'modules' && inside ? `${inside}.` : '' }] : [];
  });
}

async function readParts(store: Store, place: WeightsPlace): Promise<ReadWeights> {
  const all: ReadWeights = { tensors: new Map(), numbers: {}, architecture: null, notes: [] };
  for (const { part, prefix } of partsOf(place)) {
    const { tensors, notes } = await readWeights(store, part);
    all.notes!.push(...(notes ?? []));
    for (const [name, tensor] of tensors) {
      guard(
        !all.tensors.has(prefix + name),
        'format',
        () => `${part.path}: tensor ${prefix + name} stands in two files of this net`,
        { file: part.path, tensor: name },
      );
      all.tensors.set(prefix + name, tensor);
    }
  }
  return all;
}

/** "conv/kernel.npy" → conv/kernel; "conv.npz" with kernel → conv/kernel. */
async function readArrays(
  store: Store,
  folder: string,
  ending: '.npy' | '.npz',
): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor>();
  const walk = async (path: string, prefix: string, depth: number): Promise<void> => {
    const entries = await store.list(path);
    for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))) {
      const inside = joinPath(path, entry.name);
      if (entry.kind === 'folder' && depth < 4 && !OUTPUT_FOLDERS.includes(entry.name))
        await walk(inside, `${prefix}${entry.name}/`, depth + 1);
      if (entry.kind !== 'file' || !entry.name.endsWith(ending)) continue;
      const name = `${prefix}${entry.name.slice(0, -ending.length)}`;
      if (ending === '.npy') tensors.set(name, await withStored(store, inside, readNpy));
      else
        for (const [array, tensor] of await withStored(store, inside, readNpz))
          tensors.set(`${name}/${array}`, tensor);
      if (tensors.size > MAX_FOLDER_ARRAYS)
        throw new EpochscopeError(
          'format',
          `${shown(store, folder)}: expected at most ${MAX_FOLDER_ARRAYS} arrays`,
          {
            path: shown(store, folder),
          },
        );
    }
  };
  await walk(folder === '.' ? '' : folder, '', 0);
  return tensors;
}
