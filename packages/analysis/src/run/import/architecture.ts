import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { toFloat32 } from '../../formats/dtypes.js';
import { readKerasFile } from '../../formats/keras.js';
import { readOnnx } from '../../formats/onnx/index.js';
import { type OpenSibling, readJsonObject } from '../../formats/siblings.js';
import type { Tensor } from '../../formats/types.js';
import { graphOfOnnx, type OnnxGraph } from '../../models/graph/onnx/index.js';
import { foldNorms, withLogSoftmax } from '../../models/graph/spec.js';
import type { Graph, GraphNode } from '../../models/graph/types.js';
import { graphOfKeras } from '../../models/keras/index.js';
import { type FilePlace, openBeside } from '../../stores/file.js';
import { commonPrefix } from './canonical.js';

/** What a net is made of, apart from its weights. */
export type Architecture = { kind: 'keras'; config: unknown } | { kind: 'onnx'; onnx: OnnxGraph };

/**
 * The architecture in a file: .onnx, .keras, .h5 with a model, model.json of tfjs, or Keras's to_json(). Throws `format`,
 * `unsupported`, `missing`.
 */
export async function readArchitecture(place: FilePlace): Promise<Architecture> {
  const { name, open } = await openBeside(place);
  const file = typeof place === 'string' ? place : name;
  if (name.endsWith('.onnx')) {
    const read = await readOnnxFile(open, name, file);
    if (read.refused) throw read.refused;
    return { kind: 'onnx', onnx: read.onnx };
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
 * A graph of an ONNX file under the names that its weights get in a run; or where the net cannot run here, why, and the weights
 * as the file has them.
 */
export async function readOnnxFile(
  open: OpenSibling,
  name: string,
  file: string,
): Promise<{ onnx: OnnxGraph; refused: null } | { refused: EpochscopeError; tensors: Map<string, Tensor> }> {
  const model = await readOnnx(open, name);
  try {
    return { onnx: named(graphOfOnnx(model, file)), refused: null };
  } catch (cause) {
    if (!(cause instanceof EpochscopeError) || cause.code !== 'unsupported') throw cause;
    // Lists that the exporter made ("val_12", "/Constant_output_0") are no weights; its matrices are, turned.
    const own = [...model.tensors].filter(
      ([name, { shape }]) => shape.length > (/^(\/|val_\d+$|onnx::(?!MatMul|Conv|Gemm))/.test(name) ? 1 : 0),
    );
    if (!own.some(([, { dtype }]) => /float/.test(dtype))) throw cause;
    return { refused: cause, tensors: new Map(own) };
  }
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
    for (const key of ['kernel', 'bias', 'scale', 'offset'])
      if (typeof named[key] === 'string') named[key] = short(named[key]);
    return named as unknown as GraphNode;
  });
  return {
    ...read,
    graph: {
      ...read.graph,
      nodes,
      weights: new Map([...read.graph.weights].map(([name, t]) => [short(name), t])),
    },
    norms: new Map([...read.norms].map(([name, epsilon]) => [short(name), epsilon])),
    constants: new Set([...read.constants].map(short)),
  };
}

/** The net with a snapshot's weights (by our names), log-probabilities at its end. Throws `missing`, `shape`, `unsupported`. */
export function graphWith(
  architecture: Architecture,
  weights: ReadonlyMap<string, Tensor>,
  file: string,
): Graph {
  if (architecture.kind === 'keras') return withLogSoftmax(graphOfKeras(architecture.config, weights, file));
  const { graph, norms, constants } = architecture.onnx;
  refuseStale(graph, constants, weights, file);
  const folded = foldNorms(graph, norms, weights, file);
  const own = new Map<string, Tensor>();
  const lacking = [...graph.weights.keys()].filter((name) => !folded.has(name) && !weights.has(name));
  guard(
    !lacking.length,
    'missing',
    () =>
      `${file}: the model needs ${lacking.slice(0, 4).join(', ')}, and the snapshot has ${[...weights.keys()].slice(0, 6).join(', ')}; export it with torch.onnx.export(…, optimize=False), or with dynamo=False, do_constant_folding=False, training=TrainingMode.PRESERVE, so that names and batch normalisations stay`,
    { file, tensor: lacking[0] },
  );
  for (const [name, { shape }] of graph.weights) {
    const tensor = folded.get(name) ?? weights.get(name)!;
    guard(
      tensor.shape.join() === shape.join(),
      'shape',
      () => `${file}: tensor ${name} is [${tensor.shape}], and [${shape}] in the model`,
      { file, tensor: name },
    );
    own.set(name, { data: toFloat32(tensor.data), shape: tensor.shape, dtype: 'float32' });
  }
  return withLogSoftmax({ ...graph, weights: own });
}

/** The model's own numbers must not stand for what a snapshot has of its own. Throws `unsupported`. */
function refuseStale(
  graph: Graph,
  constants: ReadonlySet<string>,
  weights: ReadonlyMap<string, Tensor>,
  file: string,
): void {
  const layers = new Set(graph.nodes.map(({ name }) => name));
  const folded = [...weights.keys()]
    .filter((name) => /\.(running|moving)_mean$/.test(name))
    .map((name) => name.replace(/\.\w+$/, ''))
    .find((name) => !layers.has(name));
  guard(
    folded === undefined,
    'unsupported',
    () =>
      `${file}: the model has no layer ${folded}: its batch normalisation was folded into another layer when it was exported; export it with torch.onnx.export(…, optimize=False), or with dynamo=False, do_constant_folding=False, training=TrainingMode.PRESERVE`,
    { file, layer: folded },
  );
  const stale = [...constants].find((name) => weights.has(name));
  guard(
    stale === undefined,
    'unsupported',
    () =>
      `${file}: the model adds or multiplies by its parameter ${stale}, which is read from .onnx alone: export one file for each snapshot`,
    { file, tensor: stale },
  );
}

/**
 * Samples as the net takes them: an image net from PyTorch takes [n, h, w, c] here, and samples given as [n, c, h, w] are
 * turned; [n, h, w] of one channel is widened. Throws `shape`.
 */
export function samplesFor(inputs: Tensor, inputShape: readonly number[]): Tensor {
  const [n, ...shape] = inputs.shape as [number, ...number[]];
  if (shape.join() === inputShape.join()) return inputs;
  const [h, w, c] = inputShape as [number, number, number];
  if (inputShape.length === 3 && c === 1 && shape.join() === [h, w].join())
    return { ...inputs, shape: [n, h, w, 1] };
  guard(
    inputShape.length === 3 && shape.join() === [c, h, w].join(),
    'shape',
    () => `inputs: the net takes samples of shape [${inputShape}], got [${shape}]`,
    { expected: `[${inputShape}]`, got: `[${shape}]` },
  );
  const from = inputs.data as Float32Array;
  const data = new (from.constructor as Float32ArrayConstructor)(from.length);
  for (let s = 0, to = 0; s < n; s++)
    for (let p = 0; p < h * w; p++) for (let k = 0; k < c; k++) data[to++] = from[(s * c + k) * h * w + p]!;
  return { data, shape: [n, h, w, c], dtype: inputs.dtype };
}
