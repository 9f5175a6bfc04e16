import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { readKerasFile } from '../../formats/keras.js';
import { type OnnxModel, readOnnx } from '../../formats/onnx/index.js';
import { type OpenSibling, readJsonObject } from '../../formats/siblings.js';
import type { StoredTensor, Tensor } from '../../formats/types.js';
import { graphOfOnnx, type OnnxGraph } from '../../models/graph/onnx/index.js';
import { asFloat32, tensorsOf as tensorNames, withLogSoftmax } from '../../models/graph/spec.js';
import type { Graph, GraphNode } from '../../models/graph/types.js';
import { graphOfKeras } from '../../models/keras/index.js';
import { type FilePlace, openBeside } from '../../stores/file.js';
import { commonPrefix, torchNames, torchShape, torchTensor } from './canonical.js';
import { some } from './names.js';
import {
  asSource,
  isReference,
  renamed,
  sourcesOf,
  type TensorSources,
  type TorchTensors,
  tensorsOfSource,
  wrapper,
} from './sources.js';

/** What a net is made of, apart from its weights. */
export type Architecture =
  | { kind: 'keras'; config: unknown }
  | { kind: 'onnx'; onnx: OnnxGraph }
  /** A file that was read, but whose net cannot be run here. */
  | { kind: 'refused'; reason: EpochscopeError };

/**
 * The architecture in a file: .onnx, .keras, .h5 with a model, model.json of tfjs, or Keras's to_json(). `sample`: shape
 * of one sample, for sides that the file leaves open. Throws `format`, `unsupported`, `missing`.
 */
export async function readArchitecture(place: FilePlace, sample?: readonly number[]): Promise<Architecture> {
  const { name, open } = await openBeside(place);
  const file = typeof place === 'string' ? place : name;
  if (name.endsWith('.onnx')) {
    const read = await readOnnxFile(open, name, file, sample);
    return read.refused ? { kind: 'refused', reason: read.refused } : { kind: 'onnx', onnx: read.onnx };
  }
  if (name.endsWith('.json')) return { kind: 'keras', config: await open(name, readJsonObject) };
  if (!/\.(keras|h5|hdf5)$/.test(name))
    throw new EpochscopeError('unsupported', `${file}: expected a model as .onnx, .keras, .h5 or .json`, {
      file,
    });
  const { config } = await open(name, readKerasFile);
  guard(config, 'missing', () => `${file} holds weights alone; expected a model saved whole`, { file });
  return { kind: 'keras', config };
}

/**
 * A graph of an ONNX file under the names that its weights get in a run, or where the net cannot run here, why, and the
 * weights as the file has them.
 */
export async function readOnnxFile(
  open: OpenSibling,
  name: string,
  file: string,
  sample?: readonly number[],
): Promise<{ onnx: OnnxGraph; refused: null } | { refused: EpochscopeError; tensors: Map<string, Tensor> }> {
  const model = await readOnnx(open, name);
  try {
    return { onnx: named(await graphOfOnnx(model, file, { sample })), refused: null };
  } catch (cause) {
    if (!(cause instanceof EpochscopeError) || cause.code !== 'unsupported') throw cause;
    // Lists that the exporter made ("val_12", "/Constant_output_0") are no weights; its matrices are, turned.
    const own = [...tensorsOf(model)].filter(
      ([name, { shape }]) => shape.length > (/^(\/|val_\d+$|onnx::(?!MatMul|Conv|Gemm))/.test(name) ? 1 : 0),
    );
    if (!own.some(([, { dtype }]) => /float/.test(dtype))) throw cause;
    return { refused: cause, tensors: new Map(own) };
  }
}

/** Tensors of a model, those in Constant nodes and in branches too. */
function tensorsOf(model: OnnxModel): Map<string, Tensor> {
  const found = new Map(model.tensors);
  for (const { op, outputs, attributes } of model.nodes)
    for (const attribute of attributes.values()) {
      if (attribute.kind === 'graph')
        for (const [name, tensor] of tensorsOf(attribute.value))
          if (!found.has(name)) found.set(name, tensor);
      if (op === 'Constant' && attribute.kind === 'tensor' && outputs[0])
        found.set(outputs[0], attribute.value);
    }
  return found;
}

/** Layers and tensors without what wrappers put before all their names; `wrapped`: another such word, of the model's modules. */
function named(read: OnnxGraph, wrapped = ''): OnnxGraph {
  const prefix = commonPrefix([...read.graph.weights.keys()]);
  const names = [...read.graph.weights.keys(), ...read.graph.nodes.map(({ name }) => name)];
  const without = (name: string) => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
  // A name that another would be mistaken for stays as it is.
  const taken = new Set(names.map(without));
  const short = (name: string) => {
    const own = without(name);
    const bare = wrapped && own.startsWith(wrapped) ? own.slice(wrapped.length) : own;
    return bare === own || !bare || taken.has(bare) ? own : bare;
  };
  if (names.every((name) => short(name) === name)) return read;
  const nodes = read.graph.nodes.map((node): GraphNode => {
    const named: Record<string, unknown> = {
      ...node,
      name: short(node.name),
      inputs: node.inputs.map(short),
    };
    for (const [key, tensor] of tensorNames(node)) named[key] = short(tensor);
    return named as unknown as GraphNode;
  });
  return {
    ...read,
    graph: {
      ...read.graph,
      nodes,
      weights: new Map([...read.graph.weights].map(([name, t]) => [short(name), t])),
    },
    norms: new Set([...read.norms].map(short)),
  };
}

/**
 * The net with a snapshot's weights (by our names), log-probabilities at its end where it scores `classes` classes. An ONNX model is read again with the
 * snapshot's tensors in place of its own: those that `sources` says, by names and modules where it is not given. Throws `missing`,
 * `shape`, `unsupported`.
 */
export async function graphWith(
  architecture: Architecture,
  weights: ReadonlyMap<string, Tensor>,
  file: string,
  sources?: TensorSources,
  classes: number | null = null,
): Promise<Graph> {
  if (architecture.kind === 'refused') throw architecture.reason;
  if (architecture.kind === 'keras')
    return withLogSoftmax(graphOfKeras(architecture.config, weights, file), classes);
  const { graph } = architecture.onnx;
  if (isOwn(graph, weights))
    return withLogSoftmax(
      {
        ...graph,
        weights: asFloat32(new Map([...graph.weights.keys()].map((name) => [name, weights.get(name)!]))),
      },
      classes,
    );
  const { sample } = architecture.onnx;
  const called = renamed(
    architecture.onnx.model,
    sources ?? (await sourcesOf(architecture.onnx.model, torchTensors(weights), null)),
  );
  const model = { ...called.model, tensors: replaced(called, weights, file) };
  const made = named(
    await graphOfOnnx(model, file, { sample }),
    wrapper(architecture.onnx.model, called.sources),
  );
  refuseFolded(made, weights, file);
  return withLogSoftmax(made.graph, classes);
}

/** Snapshots that are ONNX files themselves hold the graph's own tensors. */
const isOwn = (graph: Graph, weights: ReadonlyMap<string, Pick<Tensor, 'shape'>>): boolean =>
  [...graph.weights].every(([name, { shape }]) => weights.get(name)?.shape.join() === shape.join());

/** A snapshot's tensors under the names and in the layout that PyTorch has them. */
export function torchTensors(weights: ReadonlyMap<string, Tensor>): TorchTensors;
export function torchTensors(
  weights: ReadonlyMap<string, StoredTensor>,
  read: (name: string) => Promise<Tensor>,
): TorchTensors;
export function torchTensors(
  weights: ReadonlyMap<string, Pick<Tensor, 'dtype' | 'shape'>>,
  read?: (name: string) => Promise<Tensor>,
): TorchTensors {
  const names = torchNames(weights);
  return {
    shapes: new Map(
      [...names].map(([name, own]) => {
        const { shape } = weights.get(own)!;
        return [name, own === name ? shape : torchShape(shape)];
      }),
    ),
    async read(name) {
      const own = names.get(name)!;
      const tensor = read ? await read(own) : (weights.get(own) as Tensor);
      return torchTensor(new Map([[own, tensor]]), name)!;
    },
  };
}

/**
 * What the tensors of a model are in the snapshots of a series: by names and modules, and where those leave tensors of the snapshot
 * over, by the values of the snapshot whose weights the model holds, if there is one; and a note where the net does not read what
 * training changes. null: a net that is not read anew for each snapshot.
 */
export async function sourcesIn(
  architecture: Architecture,
  weights: ReadonlyMap<string, Tensor>,
  others: () => AsyncIterable<{ tensors: TorchTensors }>,
): Promise<{ sources: TensorSources; note: string | null } | null> {
  if (architecture.kind !== 'onnx' || isOwn(architecture.onnx.graph, weights)) return null;
  const { model } = architecture.onnx;
  const snapshot = torchTensors(weights);
  const named = await sourcesOf(model, snapshot, null);
  if (!unread(named, snapshot).length) return { sources: named, note: null };
  let found: TensorSources | null = null;
  if (await isReference(model, named, snapshot)) found = await sourcesOf(model, snapshot, snapshot);
  // Awaited here: the snapshot's files are closed when this loop is left.
  let changed: string[] | null = null;
  for await (const { tensors } of others()) {
    changed ??= await changedIn(unread(found ?? named, snapshot), snapshot, tensors);
    if (!found && (await isReference(model, named, tensors)))
      found = await sourcesOf(model, snapshot, tensors);
    if (found) break;
  }
  const sources = found ?? named;
  const left = unread(sources, snapshot).filter((name) => changed?.includes(name));
  return {
    sources,
    note: left.length
      ? `the net does not read ${some(left)}, which training changes: a head that was left out of it, or numbers folded into its constants, and then only the outputs of the snapshot that it was exported from are right; to be sure, ${UNFOLDED}`
      : null,
  };
}

/** The snapshot's numbers that no tensor of the model is made of; counters are none. */
const unread = (sources: TensorSources, { shapes }: TorchTensors): string[] => {
  const taken = new Set([...sources.values()].flatMap(tensorsOfSource));
  return [...shapes.keys()].filter(
    (name) => !taken.has(name) && !/\.(num_batches_tracked|running_mean|running_var)$/.test(name),
  );
};

async function changedIn(
  names: readonly string[],
  one: TorchTensors,
  other: TorchTensors,
): Promise<string[]> {
  const changed: string[] = [];
  for (const name of names) {
    if (!other.shapes.has(name)) continue;
    const [{ data }, { data: there }] = [await one.read(name), await other.read(name)];
    if (data.length === there.length && (data as Float32Array).some((value, i) => value !== there[i]))
      changed.push(name);
  }
  return changed;
}

/** What exporters fold or rename is not in a snapshot: how to export so that it is. */
const UNFOLDED =
  'export it with torch.onnx.export(…, optimize=False), or with dynamo=False, do_constant_folding=False, training=TrainingMode.PRESERVE, so that names and batch normalisations stay, and from one of the snapshots';

/** The model's tensors, each as the snapshot has it. Throws `missing` where one may have another name, `shape`. */
function replaced(
  { model, sources }: { model: OnnxModel; sources: TensorSources },
  weights: ReadonlyMap<string, Tensor>,
  file: string,
): Map<string, Tensor> {
  const out = new Map(model.tensors);
  const taken = new Set<string>();
  for (const [name, source] of sources) {
    const { shape } = model.tensors.get(name)!;
    out.set(
      name,
      asSource((own) => torchTensor(weights, own), source, shape, file),
    );
    for (const tensor of tensorsOfSource(source)) taken.add(tensor).add(tensor.replace(/weight$/, 'kernel'));
  }
  // A tensor of the model that the snapshot does not name is a constant, unless one that is left over could be it.
  const left = [...weights].filter(([name]) => !taken.has(name));
  const lacking = [...tensorsOf(model)].filter(
    ([name, { shape, dtype, data }]) =>
      /float/.test(dtype) &&
      data.length > 1 &&
      !sources.has(name) &&
      left.some(([own, tensor]) => couldStandFor(own, tensor.shape, shape)),
  );
  guard(
    taken.size > 0 && !lacking.length,
    'missing',
    () =>
      `${file}: the model needs ${(lacking.length ? lacking.map(([name]) => name) : [...model.tensors.keys()]).slice(0, 4).join(', ')}, and the snapshot has ${(lacking.length ? left.map(([name]) => name) : [...weights.keys()]).slice(0, 6).join(', ')}; ${UNFOLDED}`,
    { file, tensor: lacking[0]?.[0] },
  );
  return out;
}

/** Whether a tensor that is left over may be one of the model under another name: as many numbers along its axes, or a table cut to fewer rows. */
function couldStandFor(name: string, there: readonly number[], wanted: readonly number[]): boolean {
  const sorted = (shape: readonly number[]) =>
    shape
      .filter((side) => side > 1)
      .sort((a, b) => a - b)
      .join();
  if (sorted(there) === sorted(wanted)) return true;
  const sides = wanted.filter((side) => side > 1);
  return (
    /embed|wpe|position/i.test(name) &&
    there.length === 2 &&
    sides.length === 2 &&
    there[1] === sides[1] &&
    sides[0]! < there[0]!
  );
}

/** The model's own numbers must not stand for what a snapshot has of its own. Throws `unsupported`. */
function refuseFolded(read: OnnxGraph, weights: ReadonlyMap<string, Tensor>, file: string): void {
  const folded = [...weights.keys()]
    .filter((name) => /\.(running|moving)_mean$/.test(name))
    .map((name) => name.replace(/\.\w+$/, ''))
    .find((name) => ![...read.norms].some((norm) => norm === name || norm.endsWith(`.${name}`)));
  guard(
    folded === undefined,
    'unsupported',
    () =>
      `${file}: the model has no layer ${folded}: its batch normalisation was folded into another layer when it was exported; ${UNFOLDED}`,
    { file, layer: folded },
  );
}

/**
 * Samples as the net takes them: a net of images from PyTorch takes [n, h, w, c] here, and samples given as [n, c, h, w]
 * are turned, sound and volumes likewise; samples of one channel may come without it. Throws `shape`.
 */
export function samplesFor(inputs: Tensor, inputShape: readonly number[]): Tensor {
  const [n, ...shape] = inputs.shape as [number, ...number[]];
  if (shape.join() === inputShape.join()) return inputs;
  const space = inputShape.slice(0, -1);
  const channels = inputShape.at(-1)!;
  if (inputShape.length > 1 && channels === 1 && shape.join() === space.join())
    return { ...inputs, shape: [n, ...inputShape] };
  guard(
    inputShape.length > 1 && shape.join() === [channels, ...space].join(),
    'shape',
    () => `inputs: the net takes samples of shape [${inputShape}], got [${shape}]`,
    { expected: `[${inputShape}]`, got: `[${shape}]` },
  );
  const from = inputs.data as Float32Array;
  const data = new (from.constructor as Float32ArrayConstructor)(from.length);
  const area = space.reduce((a, b) => a * b, 1);
  for (let s = 0, to = 0; s < n; s++)
    for (let p = 0; p < area; p++)
      for (let k = 0; k < channels; k++) data[to++] = from[(s * channels + k) * area + p]!;
  return { data, shape: [n, ...inputShape], dtype: inputs.dtype };
}
