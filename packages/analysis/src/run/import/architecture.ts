import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { readKerasFile } from '../../formats/keras.js';
import { type OnnxModel, readOnnx } from '../../formats/onnx/index.js';
import { type OpenSibling, readJsonObject } from '../../formats/siblings.js';
import type { Tensor } from '../../formats/types.js';
import { graphOfOnnx, type OnnxGraph } from '../../models/graph/onnx/index.js';
import { asFloat32, tensorsOf as tensorNames, withLogSoftmax } from '../../models/graph/spec.js';
import type { Graph, GraphNode } from '../../models/graph/types.js';
import { graphOfKeras } from '../../models/keras/index.js';
import { type FilePlace, openBeside } from '../../stores/file.js';
import { commonPrefix, torchTensor } from './canonical.js';

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
    return { onnx: named(graphOfOnnx(model, file, { sample })), refused: null };
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

function named(read: OnnxGraph): OnnxGraph {
  const prefix = commonPrefix([...read.graph.weights.keys()]);
  if (!prefix) return read;
  const short = (name: string) => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
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
 * The net with a snapshot's weights (by our names), log-probabilities at its end. An ONNX model is read again with the
 * snapshot's tensors in place of its own. Throws `missing`, `shape`, `unsupported`.
 */
export function graphWith(
  architecture: Architecture,
  weights: ReadonlyMap<string, Tensor>,
  file: string,
): Graph {
  if (architecture.kind === 'refused') throw architecture.reason;
  if (architecture.kind === 'keras') return withLogSoftmax(graphOfKeras(architecture.config, weights, file));
  const { graph } = architecture.onnx;
  // Snapshots that are ONNX files themselves hold the graph's own tensors.
  const own = [...graph.weights].every(
    ([name, { shape }]) => weights.get(name)?.shape.join() === shape.join(),
  );
  if (own)
    return withLogSoftmax({
      ...graph,
      weights: asFloat32(new Map([...graph.weights.keys()].map((name) => [name, weights.get(name)!]))),
    });
  const { model, sample } = architecture.onnx;
  const made = named(graphOfOnnx({ ...model, tensors: replaced(model, weights, file) }, file, { sample }));
  refuseFolded(made, weights, file);
  return withLogSoftmax(made.graph);
}

/** What exporters fold or rename is not in a snapshot: how to export so that it is. */
const UNFOLDED =
  'export it with torch.onnx.export(…, optimize=False), or with dynamo=False, do_constant_folding=False, training=TrainingMode.PRESERVE, so that names and batch normalisations stay';

/** The model's tensors, each as the snapshot has it. Throws `missing` where one may have another name, `shape`. */
function replaced(model: OnnxModel, weights: ReadonlyMap<string, Tensor>, file: string): Map<string, Tensor> {
  const names = [...model.tensors.keys()].filter((name) => /float/.test(model.tensors.get(name)!.dtype));
  const plain = (name: string) => name.replace(/[/\\]/g, '.').replace(/^\.+/, '');
  // Wrappers put their name before every parameter: the ending that the most names share with the snapshot.
  const short = (name: string, drop: number) => plain(name).split('.').slice(drop).join('.');
  const hits = [0, 1, 2, 3].map(
    (drop) => names.filter((name) => torchTensor(weights, short(name, drop))).length,
  );
  const drop = hits.indexOf(Math.max(...hits));
  const out = new Map(model.tensors);
  const taken = new Set<string>();
  for (const name of names) {
    const own = short(name, drop);
    const tensor = torchTensor(weights, own);
    if (!tensor) continue;
    const { shape } = model.tensors.get(name)!;
    guard(
      tensor.shape.join() === shape.join(),
      'shape',
      () => `${file}: tensor ${own} is [${tensor.shape}], and [${shape}] in the model`,
      { file, tensor: own },
    );
    taken.add(own).add(own.replace(/weight$/, 'kernel'));
    out.set(name, tensor);
  }
  // A tensor of the model that the snapshot does not name is a constant, unless one that is left over could be it.
  const sorted = (shape: readonly number[]) =>
    shape
      .filter((side) => side > 1)
      .sort((a, b) => a - b)
      .join();
  const left = [...weights].filter(([name]) => !taken.has(name));
  const lacking = [...tensorsOf(model)].filter(
    ([name, { shape, dtype, data }]) =>
      /float/.test(dtype) &&
      data.length > 1 &&
      !torchTensor(weights, short(name, drop)) &&
      left.some(([, tensor]) => sorted(tensor.shape) === sorted(shape)),
  );
  guard(
    taken.size > 0 && !lacking.length,
    'missing',
    () =>
      `${file}: the model needs ${(lacking.length ? lacking.map(([name]) => name) : names).slice(0, 4).join(', ')}, and the snapshot has ${(lacking.length ? left.map(([name]) => name) : [...weights.keys()]).slice(0, 6).join(', ')}; ${UNFOLDED}`,
    { file, tensor: lacking[0]?.[0] },
  );
  return out;
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
