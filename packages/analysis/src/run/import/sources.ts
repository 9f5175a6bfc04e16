import { guard } from '@epochscope/core-wasm';
import { elementCount } from '../../formats/dtypes.js';
import type { OnnxModel, OnnxNode } from '../../formats/onnx/index.js';
import type { Tensor } from '../../formats/types.js';
import { addTo } from '../../grouped.js';
import { transpose } from '../transpose.js';
import { canTell, gatheredFrom } from './gathered.js';

// Which tensor of a snapshot each of an ONNX model's is: by name, by the module that reads it, by its values.

/** What a tensor of the model is made of: one of the snapshot, as it is, turned, so many of its rows, or looked up in it; or gates in ONNX's order. */
export interface TensorSource {
  /** As PyTorch calls it. */
  tensor: string;
  how: 'same' | 'turned' | 'rows' | 'gathered' | keyof typeof GATES;
  /** The first of the rows. */
  from?: number;
  /** Of what is gathered: where each number lies in the snapshot's tensor. */
  places?: readonly number[];
  /** Of gates: the tensors of each direction, which stand below each other. */
  parts?: string[][];
}

/** Where each of ONNX's gates stands among PyTorch's: input, output, forget, cell; update, reset, hidden. */
const GATES = { LSTM: [0, 3, 1, 2], GRU: [1, 0, 2], RNN: [0] } as const;

/** The snapshot's tensors that one is made of. */
export const tensorsOfSource = ({ tensor, parts }: TensorSource): string[] => parts?.flat() ?? [tensor];
export type TensorSources = ReadonlyMap<string, TensorSource>;

/** A snapshot's tensors as PyTorch has them: names → shape, and the values where they are asked for. */
export interface TorchTensors {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  read(name: string): Promise<Tensor>;
}

const plain = (name: string) => name.replace(/[/\\]/g, '.').replace(/^\.+/, '');
const dropped = (name: string, count: number) => plain(name).split('.').slice(count).join('.');
const isFloat = (tensor: Tensor) => /float/.test(tensor.dtype);
const alike = (a: readonly number[], b: readonly number[]) => a.join() === b.join();
const areTurned = (a: readonly number[], b: readonly number[]) =>
  a.length === 2 && b.length === 2 && a[0] === b[1] && a[1] === b[0];

/** Names before every parameter that wrappers put in front: of the model, and of the snapshot. */
interface Alignment {
  drop: number;
  own: number;
  names: ReadonlyMap<string, string>;
}

/** How names of the model are names of the snapshot: the endings that the most have in common. */
function alignment(names: readonly string[], shapes: TorchTensors['shapes']): Alignment {
  let best: (Alignment & { hits: number }) | null = null;
  for (const own of [0, 1, 2]) {
    const short = new Map<string, string>();
    const twice = new Set<string>();
    for (const name of shapes.keys()) {
      const key = name.split('.').slice(own).join('.');
      if (short.has(key)) twice.add(key);
      short.set(key, name);
    }
    for (const key of twice) short.delete(key);
    short.delete('');
    for (const drop of [0, 1, 2, 3]) {
      const hits = names.filter((name) => short.has(dropped(name, drop))).length;
      if (!best || hits > best.hits) best = { drop, own, names: short, hits };
    }
  }
  return best!;
}

/** Path of the module that a node belongs to: said by the newer exporter, in the node's name by the older ("/encoder/query/MatMul"). */
export function modulePath({ scope, name }: OnnxNode): string | null {
  if (scope) return scope;
  if (!name.startsWith('/')) return null;
  return name.split('/').slice(1, -1).join('.');
}

/**
 * What the tensors of a model are in a snapshot. Exporters rename and fold: a linear layer's matrix is turned and called
 * "onnx::MatMul_12" or "val_3", an embedding that shares its weights with the head is stored once under one of both names, a table of
 * positions is cut to the sample's length. Matrices are found by the module that reads them; all others by values, which needs
 * `reference`: a snapshot whose weights are the model's own. What is a constant of the model has no source.
 */
export async function sourcesOf(
  model: OnnxModel,
  snapshot: TorchTensors,
  reference: TorchTensors | null,
): Promise<Map<string, TensorSource>> {
  const { shapes } = snapshot;
  const names = [...model.tensors].flatMap(([name, tensor]) => (isFloat(tensor) ? [name] : []));
  const aligned = alignment(names, shapes);
  const found = new Map<string, TensorSource>();
  const own = (name: string) => aligned.names.get(dropped(name, aligned.drop));
  for (const name of names) {
    const tensor = own(name);
    if (tensor !== undefined) found.set(name, { tensor, how: 'same' });
  }
  const readers = readersOf(model);
  for (const [name, source] of gatesOf(model, own)) if (!found.has(name)) found.set(name, source);
  for (const name of names) {
    const { shape } = model.tensors.get(name)!;
    if (found.has(name) || shape.length !== 2) continue;
    const source = matrixOf(readers.get(name) ?? [], name, shape, own, shapes);
    if (source) found.set(name, source);
  }
  // Weights that are shared: the same numbers under a name that has a source.
  for (const name of names) {
    const tensor = model.tensors.get(name)!;
    if (found.has(name) || tensor.shape.length !== 2 || isFlat(tensor)) continue;
    for (const [other, source] of found) {
      if (source.how !== 'same' && source.how !== 'turned') continue;
      const how = howSame(model.tensors.get(other)!, tensor);
      if (!how) continue;
      found.set(name, {
        ...source,
        how: (how === 'turned') === (source.how === 'turned') ? 'same' : 'turned',
      });
      break;
    }
  }
  if (!reference) return found;
  const used = new Set([...found.values()].flatMap(tensorsOfSource));
  const left = [...reference.shapes.keys()].filter((name) => !used.has(name));
  for (const name of names) {
    const tensor = model.tensors.get(name)!;
    if (found.has(name) || tensor.data.length < 2 || isFlat(tensor)) continue;
    for (const candidate of left) {
      if (!couldBe(reference.shapes.get(candidate)!, tensor.shape)) continue;
      const source = partOf(await reference.read(candidate), tensor);
      if (!source) continue;
      found.set(name, { tensor: candidate, ...source });
      break;
    }
  }
  for (const name of names) {
    if (found.has(name) || !canTell(model.tensors.get(name)!)) continue;
    for (const candidate of left) {
      const places = gatheredFrom(await reference.read(candidate), model.tensors.get(name)!);
      if (!places) continue;
      found.set(name, { tensor: candidate, how: 'gathered', places });
      break;
    }
  }
  return found;
}

/** Which nodes read each tensor, those in branches too. */
function readersOf(model: OnnxModel): Map<string, OnnxNode[]> {
  const readers = new Map<string, OnnxNode[]>();
  const see = (nodes: readonly OnnxNode[]) => {
    for (const node of nodes) {
      for (const input of node.inputs) addTo(readers, input, node);
      for (const attribute of node.attributes.values())
        if (attribute.kind === 'graph') see(attribute.value.nodes);
    }
  };
  see(model.nodes);
  return readers;
}

/** Weights of recurrent layers, which exporters stack, gates in another order: by the module, and which of its layers it is. */
function gatesOf(model: OnnxModel, own: (name: string) => string | undefined): Map<string, TensorSource> {
  const found = new Map<string, TensorSource>();
  const layers = new Map<string, number>();
  for (const node of model.nodes) {
    const path = modulePath(node);
    if (path === null || !Object.hasOwn(GATES, node.op)) continue;
    const layer = layers.get(path) ?? 0;
    layers.set(path, layer + 1);
    const directions = model.tensors.get(node.inputs[1] ?? '')?.shape[0] ?? 0;
    for (const [input, words] of [
      [1, ['weight_ih']],
      [2, ['weight_hh']],
      [3, ['bias_ih', 'bias_hh']],
    ] as const) {
      const name = node.inputs[input] ?? '';
      if (!model.tensors.has(name)) continue;
      const parts = ['', '_reverse']
        .slice(0, directions)
        .map((end) => words.map((word) => own(`${path ? `${path}.` : ''}${word}_l${layer}${end}`)));
      if (parts.length && parts.flat().every((part) => part !== undefined))
        found.set(name, {
          tensor: parts[0]![0]!,
          how: node.op as keyof typeof GATES,
          parts: parts as string[][],
        });
    }
  }
  return found;
}

/** The matrix of the module that reads it: turned under a product, as it is where rows are looked up. */
function matrixOf(
  readers: readonly OnnxNode[],
  name: string,
  shape: readonly number[],
  own: (name: string) => string | undefined,
  shapes: TorchTensors['shapes'],
): TensorSource | null {
  for (const reader of readers) {
    const path = modulePath(reader);
    const tensor = path === null ? undefined : own(`${path}.weight`);
    if (tensor === undefined) continue;
    const there = shapes.get(tensor)!;
    const isProduct =
      (reader.op === 'MatMul' || (reader.op === 'Gemm' && !transposes(reader))) && reader.inputs[1] === name;
    if (isProduct && areTurned(there, shape)) return { tensor, how: 'turned' };
    if (reader.op === 'Gather' && reader.inputs[0] === name && alike(there, shape))
      return { tensor, how: 'same' };
  }
  return null;
}

const transposes = ({ attributes }: OnnxNode): boolean => {
  const given = attributes.get('transB');
  return given?.kind === 'number' && given.value !== 0;
};

/** The same number everywhere: it says nothing of where it comes from. */
const isFlat = ({ data }: Tensor): boolean => {
  for (let i = 1; i < data.length; i++) if (data[i] !== data[0]) return false;
  return true;
};

/** float32's digits, and bfloat16 widened. */
const TOLERANCE = 1e-6;

/** Whether `count` numbers from `from` on are these. */
function areEqual(a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>, from = 0): boolean {
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [Number(a[from + i]), Number(b[i])];
    if (!(Math.abs(x - y) <= TOLERANCE * Math.max(Math.abs(x), Math.abs(y)))) return false;
  }
  return true;
}

/** How a tensor is another of as many numbers; null where it is not. */
function howSame(there: Tensor, wanted: Tensor): 'same' | 'turned' | null {
  if (there.data.length !== wanted.data.length) return null;
  if (alike(there.shape, wanted.shape) && areEqual(there.data, wanted.data)) return 'same';
  if (areTurned(there.shape, wanted.shape) && areEqual(transpose(there, [1, 0]).data, wanted.data))
    return 'turned';
  return null;
}

const couldBe = (there: readonly number[], wanted: readonly number[]) =>
  elementCount(there) === elementCount(wanted) || (there.length === 2 && there[1] === wanted.at(-1));

function partOf(there: Tensor, wanted: Tensor): Omit<TensorSource, 'tensor'> | null {
  if (there.data.length === wanted.data.length) {
    if (areEqual(there.data, wanted.data)) return { how: 'same' };
    return howSame(there, wanted) ? { how: 'turned' } : null;
  }
  const width = there.shape[1];
  if (there.shape.length !== 2 || !width || width !== wanted.shape.at(-1)) return null;
  for (let row = 0; row * width + wanted.data.length <= there.data.length; row++)
    if (areEqual(there.data, wanted.data, row * width)) return { how: 'rows', from: row };
  return null;
}

/** Whether a snapshot's weights are the model's own: by the smallest of its tensors that have many values, and the largest. */
export async function isReference(
  model: OnnxModel,
  sources: TensorSources,
  { shapes, read }: TorchTensors,
): Promise<boolean> {
  const named = [...sources].filter(
    ([name, { how, tensor }]) =>
      (how === 'same' || how === 'turned') && shapes.has(tensor) && model.tensors.get(name)!.data.length > 3,
  );
  const kept = named.filter(([name]) => !isFlat(model.tensors.get(name)!));
  kept.sort(([a], [b]) => model.tensors.get(a)!.data.length - model.tensors.get(b)!.data.length);
  for (const [name, { tensor, how }] of kept.length ? [kept[0]!, kept.at(-1)!] : []) {
    const there = await read(tensor);
    if (!areEqual((how === 'turned' ? transpose(there, [1, 0]) : there).data, model.tensors.get(name)!.data))
      return false;
  }
  return kept.length > 0;
}

/** A snapshot's tensor in the form that the model has it. Throws `missing`, `shape`. */
export function asSource(
  read: (name: string) => Tensor | undefined,
  source: TensorSource,
  shape: readonly number[],
  file: string,
): Tensor {
  const own = (name: string): Tensor => {
    const found = read(name);
    guard(found, 'missing', () => `${file}: expected a tensor ${name}`, { file, tensor: name });
    return found;
  };
  const tensor = own(source.tensor);
  if (source.parts) return gatesAs(source, own, shape, file);
  if (source.places)
    return {
      data: Float32Array.from(source.places, (place) => Number(tensor.data[place])),
      shape: [...shape],
      dtype: 'float32',
    };
  const turned = source.how === 'turned' ? transpose(tensor, [1, 0]) : tensor;
  if (source.how === 'rows') {
    const begin = source.from! * tensor.shape[1]!;
    const data = (tensor.data as Float32Array).subarray(begin, begin + elementCount(shape));
    return { ...tensor, data, shape: [...shape] };
  }
  guard(
    elementCount(turned.shape) === elementCount(shape) &&
      (alike(turned.shape, shape) || turned.shape.length !== shape.length),
    'shape',
    () => `${file}: tensor ${source.tensor} is [${turned.shape}], and [${shape}] in the model`,
    { file, tensor: source.tensor },
  );
  return { ...turned, shape: [...shape] };
}

/** Directions and parts below each other, gates in ONNX's order. */
function gatesAs(
  { how, parts, tensor }: TensorSource,
  own: (name: string) => Tensor,
  shape: readonly number[],
  file: string,
): Tensor {
  const order = GATES[how as keyof typeof GATES];
  const data = new Float32Array(elementCount(shape));
  let to = 0;
  for (const name of parts!.flat()) {
    const from = own(name).data;
    const gate = from.length / order.length;
    guard(
      Number.isInteger(gate) && to + from.length <= data.length,
      'shape',
      () =>
        `${file}: tensor ${name}: expected ${order.length} gates that fit [${shape}], got ${from.length} numbers`,
      { file, tensor: name },
    );
    for (const place of order) for (let i = 0; i < gate; i++) data[to++] = Number(from[place * gate + i]);
  }
  guard(
    to === data.length,
    'shape',
    () => `${file}: tensor ${tensor} has ${to} numbers, and [${shape}] in the model`,
    { file, tensor },
  );
  return { data, shape: [...shape], dtype: 'float32' };
}

/** The model with its tensors called as the snapshot calls them, so that layers are; one that stands for two keeps the other's own name. */
export function renamed(
  model: OnnxModel,
  sources: TensorSources,
): { model: OnnxModel; sources: TensorSources } {
  const names = new Map<string, string>();
  const taken = new Set(model.tensors.keys());
  const readers = readersOf(model);
  for (const [name, { tensor }] of sources) {
    const path = modulePath(
      (readers.get(name) ?? [])[0] ?? {
        name: '',
        op: '',
        domain: '',
        inputs: [],
        outputs: [],
        attributes: new Map(),
      },
    );
    const wanted = [tensor, ...(path ? [`${path}.weight`] : [])].find(
      (own) => own === name || !taken.has(own),
    );
    if (wanted === undefined || wanted === name) continue;
    names.set(name, wanted);
    taken.delete(name);
    taken.add(wanted);
  }
  const own = (name: string) => names.get(name) ?? name;
  const inside = (nodes: readonly OnnxNode[]): OnnxNode[] =>
    nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(own),
      attributes: new Map(
        [...node.attributes].map(([key, attribute]) => [
          key,
          attribute.kind === 'graph'
            ? { ...attribute, value: { ...attribute.value, nodes: inside(attribute.value.nodes) } }
            : attribute,
        ]),
      ),
    }));
  return {
    model: {
      ...model,
      nodes: inside(model.nodes),
      tensors: new Map([...model.tensors].map(([name, tensor]) => [own(name), tensor])),
    },
    sources: new Map([...sources].map(([name, source]) => [own(name), source])),
  };
}

/** What the model's names and modules begin with, and the snapshot's do not: "net." */
export function wrapper(model: OnnxModel, sources: TensorSources): string {
  const found = [...model.tensors.keys()].flatMap((name) => {
    const own = plain(name);
    for (const { tensor } of sources.values())
      if (own.endsWith(`.${tensor}`)) return [own.slice(0, -tensor.length)];
    return [];
  });
  const [first] = found;
  return first && found.every((one) => one === first) ? first : '';
}
