import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { readStored, storedInMemory } from '../../formats/dtypes.js';
import { readHdf5Dataset } from '../../formats/hdf5/index.js';
import { readKerasFile } from '../../formats/keras.js';
import { byName } from '../../formats/natural.js';
import { readNpy } from '../../formats/npy.js';
import { oddDtype, readNpz, readNpzDirectory } from '../../formats/npz.js';
import { readSafetensorsHeader, storedEntry } from '../../formats/safetensors.js';
import { readShardIndex } from '../../formats/sharded.js';
import { contentOf, explained, headOf } from '../../formats/sniff.js';
import { readTfjsModel } from '../../formats/tfjs.js';
import { readDistributed, readTorchHeader, storedTorchEntry } from '../../formats/torch/index.js';
import type { ByteSource, StoredTensor, Tensor } from '../../formats/types.js';
import { withStored } from '../../stores/content.js';
import { joinPath, shown, splitPath } from '../../stores/paths.js';
import type { Store } from '../../stores/types.js';
import { type Architecture, readOnnxFile } from './architecture.js';
import { some } from './names.js';
import { OUTPUT_FOLDERS, placeOfFile, type WeightsPlace } from './places.js';
import { openBeside } from './siblings.js';
import { plainVariables } from './tensorflow-names.js';
import { WeightFiles } from './weight-files.js';

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

export interface OpenedWeights {
  /** Under the names the files give them, each read when it is wanted. */
  tensors: Map<string, StoredTensor>;
  /** Numbers kept beside the weights of a PyTorch checkpoint: epoch, global_step, … */
  numbers: Record<string, number>;
  /** What the file says of the net itself. */
  architecture: Architecture | null;
  /** What the file holds besides, and is not taken. */
  notes: string[];
  /** The files, for links to them. */
  files: WeightFiles;
  close(): Promise<void>;
}

/** All weights of one snapshot in memory. */
export interface ReadWeights extends Pick<OpenedWeights, 'numbers' | 'architecture' | 'notes'> {
  tensors: Map<string, Tensor>;
}

/** Keras 3's names begin with the model's own: "sequential/conv2d/kernel". */
function withoutModelName<T>(tensors: ReadonlyMap<string, T>): Map<string, T> {
  const names = [...tensors.keys()].map((name) => name.split('/'));
  const all = names.every((parts) => parts.length > 2 && parts[0] === names[0]![0]);
  return new Map(
    [...tensors].map(([name, tensor], i) => [all ? names[i]!.slice(1).join('/') : name, tensor]),
  );
}

/** Why a run has weights alone, and what to do about it. */
export const cannotRun = (why: EpochscopeError): string =>
  `weights alone are imported, the net cannot be run here: ${why.message}; change, modules of weights and prune go on with them, and layer outputs that another program computes are taken by \`outputs\``;

/** All weights of one snapshot, in memory. Throws what the formats throw. */
export async function readWeights(
  store: Store,
  place: WeightsPlace,
  sample?: readonly number[],
): Promise<ReadWeights> {
  const { tensors, numbers, architecture, notes, close } = await openWeights(store, place, sample);
  try {
    const read = new Map<string, Tensor>();
    for (const [name, tensor] of tensors) read.set(name, await readStored(tensor));
    return { tensors: read, numbers, architecture, notes };
  } finally {
    await close();
  }
}

/**
 * Opens the weights of one snapshot: headers are read, tensors of safetensors and PyTorch files when they are wanted, others at once.
 * Throws what the formats throw.
 */
export async function openWeights(
  store: Store,
  place: WeightsPlace,
  sample?: readonly number[],
): Promise<OpenedWeights> {
  const files = new WeightFiles(store);
  try {
    return { ...(await openPlace(files, place, sample)), files, close: () => files.close() };
  } catch (cause) {
    await files.close();
    throw cause;
  }
}

type Opened = Omit<OpenedWeights, 'files' | 'close'>;

const only = (tensors: Map<string, StoredTensor>, notes: string[] = []): Opened => ({
  tensors,
  numbers: {},
  architecture: null,
  notes,
});
const inMemory = (tensors: ReadonlyMap<string, Tensor>) =>
  new Map([...tensors].map(([name, tensor]) => [name, storedInMemory(tensor)]));
const leftOut = (unread: readonly string[], why: string) =>
  unread.length ? [`left out, ${why}: ${some(unread)}`] : [];

async function openPlace(
  files: WeightFiles,
  place: WeightsPlace,
  sample?: readonly number[],
): Promise<Opened> {
  const { path } = place;
  const { store } = files;
  const [folder, name] = splitPath(path);
  switch (await actualKind(store, place)) {
    case 'shards':
    case 'modules':
      return openParts(files, place);
    case 'torch':
      return told(files, path, async (source) => {
        const header = await readTorchHeader(source);
        const tensors = new Map<string, StoredTensor>();
        for (const entry of header.entries.values())
          tensors.set(entry.name, await storedTorchEntry(source, header, entry));
        guard(tensors.size > 0, 'format', () => `${source.name}: the state dict holds no tensor`, {
          file: source.name,
        });
        return {
          ...only(tensors, [
            ...(header.beside.length
              ? [`weights are those under "${header.path.join('.')}"; not taken: ${some(header.beside)}`]
              : []),
            ...leftOut(header.unread, 'being no plain tensors'),
            ...leftOut(
              header.skipped.filter((name) => !header.unread.some((odd) => odd.startsWith(`${name} (`))),
              'being no tensors',
            ),
          ]),
          numbers: header.numbers,
        };
      });
    case 'distributed':
      return told(files, path, async (source) => {
        const { tensors, unread } = await readDistributed(source, (file) =>
          files.source(joinPath(folder, file)),
        );
        return withoutOptimizer(tensors, leftOut(unread, 'being of types that are not read'));
      });
    case 'safetensors':
      return told(files, path, async (source) => {
        const { entries, unread } = await readSafetensorsHeader(source);
        return only(
          new Map([...entries].map(([tensor, entry]) => [tensor, storedEntry(source, entry)])),
          leftOut(
            [...unread].map(([tensor, { dtype }]) => `${tensor} (${dtype})`),
            'being of types that are not read',
          ),
        );
      });
    case 'sharded': {
      const index = await readShardIndex(openBeside(store, path), name);
      const found = new Map<string, StoredTensor>();
      const notes: string[] = [];
      for (const shard of new Set(index.values())) {
        const own = await openPlace(files, placeOfShard(joinPath(folder, shard)));
        notes.push(...own.notes);
        const out = notes.join();
        for (const [tensor, file] of index) {
          if (file !== shard) continue;
          const stored = own.tensors.get(tensor);
          if (stored) found.set(tensor, stored);
          else
            guard(
              out.includes(tensor),
              'missing',
              () =>
                `${shown(store, joinPath(folder, shard))}: expected tensor ${tensor}, which ${name} says it holds`,
              { file: shard, tensor },
            );
        }
      }
      return only(
        new Map([...index.keys()].flatMap((key) => (found.has(key) ? [[key, found.get(key)!]] : []))),
        notes,
      );
    }
    case 'keras':
      return withStored(store, path, async (source) => {
        const file = await readKerasFile(source);
        const tensors = new Map<string, Tensor>();
        for (const [weight, dataset] of file.weights)
          tensors.set(weight, await readHdf5Dataset(file.source, dataset));
        return {
          ...only(inMemory(tensors)),
          architecture: file.config ? { kind: 'keras', config: file.config } : null,
        };
      });
    case 'tfjs': {
      const { tensors, topology, texts } = await readTfjsModel(openBeside(store, path), name);
      return {
        ...only(inMemory(withoutModelName(tensors)), leftOut(texts, 'being texts')),
        architecture: topology ? { kind: 'keras', config: topology } : null,
      };
    }
    case 'onnx': {
      const read = await told(files, path, () =>
        readOnnxFile(openBeside(store, path), name, shown(store, path), sample),
      );
      if (read.refused) return only(inMemory(read.tensors), [cannotRun(read.refused)]);
      const { onnx } = read;
      return { ...only(inMemory(new Map(onnx.graph.weights))), architecture: { kind: 'onnx', onnx } };
    }
    case 'npz': {
      const odd: string[] = [];
      const arrays = await withStored(store, path, (source) =>
        readNpz(source, (array, dtype) => odd.push(`${array} (${dtype})`)),
      );
      return numbersOnly(arrays, odd, shown(store, path));
    }
    default: {
      const odd: string[] = [];
      const arrays = await readArrays(store, path, place.kind === 'npy folder' ? '.npy' : '.npz', odd);
      return numbersOnly(arrays, odd, shown(store, path));
    }
  }
}

/** Arrays of NumPy, and which of them were left out. Throws `format` where nothing is left. */
function numbersOnly(read: ReadonlyMap<string, Tensor>, odd: readonly string[], name: string): Opened {
  guard(
    read.size > 0 || !odd.length,
    'format',
    () => `${name}: expected arrays of numbers, got ${some(odd)}`,
    {
      file: name,
    },
  );
  const { arrays, optimizers } = plainVariables(read);
  return only(inMemory(arrays), [
    ...leftOut(odd, 'being no numbers'),
    ...leftOut(optimizers, "being the optimizer's"),
  ]);
}

/** The net's tensors of all that a training keeps in one checkpoint: those under "model", else all that are no optimizer's. */
function withoutOptimizer(tensors: Map<string, StoredTensor>, notes: string[]): Opened {
  const names = [...tensors.keys()];
  const model = names.filter((name) => /^(model|module|state_dict)\./.test(name));
  const kept = new Set(model.length ? model : names.filter((name) => !/^optim/i.test(name)));
  const beside = new Set(names.flatMap((name) => (kept.has(name) ? [] : [name.split('.')[0]!])));
  if (beside.size) notes.push(`not taken: what is kept under ${some([...beside])}`);
  return only(new Map([...tensors].filter(([name]) => kept.has(name))), notes);
}

/** A failure to read a file as what the file is instead, where its first bytes tell it. */
async function told<T>(
  files: WeightFiles,
  path: string,
  body: (source: ByteSource) => Promise<T>,
): Promise<T> {
  const source = await files.source(path);
  try {
    return await body(source);
  } catch (cause) {
    throw await explained(source, cause);
  }
}

const placeOfShard = (path: string): WeightsPlace => ({
  kind: path.endsWith('.safetensors') ? 'safetensors' : 'torch',
  path,
});

/**
 * Whether a snapshot's files are whole, by their headers where the format has one: names of its tensors. Throws what the
 * formats throw.
 */
export async function checkWeights(store: Store, place: WeightsPlace): Promise<string[]> {
  switch (await actualKind(store, place)) {
    case 'keras':
      return withStored(store, place.path, async (source) => [
        ...(await readKerasFile(source)).weights.keys(),
      ]);
    case 'npz':
      return withStored(store, place.path, async (source) => [...(await readNpzDirectory(source)).keys()]);
    default: {
      const { tensors, close } = await openWeights(store, place);
      await close();
      return [...tensors.keys()];
    }
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

async function openParts(files: WeightFiles, place: WeightsPlace): Promise<Opened> {
  const all = only(new Map());
  for (const { part, prefix } of partsOf(place)) {
    const { tensors, notes } = await openPlace(files, part);
    all.notes.push(...notes);
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

/** "conv/kernel.npy" → conv/kernel; "conv.npz" with kernel → conv/kernel. `odd` takes names of arrays that hold no numbers. */
async function readArrays(
  store: Store,
  folder: string,
  ending: '.npy' | '.npz',
  odd: string[],
): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor>();
  const walk = async (path: string, prefix: string, depth: number): Promise<void> => {
    const entries = await store.list(path);
    for (const entry of entries.sort((a, b) => byName(a.name, b.name))) {
      const inside = joinPath(path, entry.name);
      if (entry.kind === 'folder' && depth < 4 && !OUTPUT_FOLDERS.includes(entry.name))
        await walk(inside, `${prefix}${entry.name}/`, depth + 1);
      if (entry.kind !== 'file' || !entry.name.endsWith(ending)) continue;
      const name = `${prefix}${entry.name.slice(0, -ending.length)}`;
      if (ending === '.npy')
        try {
          tensors.set(name, await withStored(store, inside, readNpy));
        } catch (cause) {
          const dtype = oddDtype(cause);
          if (dtype === null) throw cause;
          odd.push(`${name} (${dtype})`);
        }
      else {
        const own = await withStored(store, inside, (source) =>
          readNpz(source, (array, dtype) => odd.push(`${name}/${array} (${dtype})`)),
        );
        for (const [array, tensor] of own) tensors.set(`${name}/${array}`, tensor);
      }
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
