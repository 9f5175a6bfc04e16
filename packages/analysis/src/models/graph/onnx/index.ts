import { EpochscopeError } from '@epochscope/core-wasm';
import type { OnnxModel } from '../../../formats/onnx/index.js';
import { shapesOf } from '../shapes.js';
import { type Graph, INPUT } from '../types.js';
import { number, numbers, text } from './attributes.js';
import { Operators } from './operators.js';
import type { Form, Value } from './values.js';

export { MAX_ONNX_COPIES, MIN_ONNX_COPIES } from './builder.js';

/** A graph read from ONNX. */
export interface OnnxGraph {
  graph: Graph;
  /** The input is [N, C, H, W] in ONNX and [h, w, c] here. */
  channelsFirst: boolean;
  /** Batch normalisations → epsilon: their "scale" and "offset" are of weight, bias, running_mean and running_var. */
  norms: Map<string, number>;
  /** Names of the file's tensors that nodes add or multiply by. */
  constants: Set<string>;
}

/**
 * A feed-forward ONNX model with one input and one output as a graph, channels last; weights are copied and turned. Layers
 * are named after their weights ("conv1.weight" → conv1) or their nodes. Operators: those of `known` below; Pad with zeros;
 * Transpose between layouts; ReduceMean and ReduceMax over height and width; Mul of two values, also of an image and one
 * number a channel; Shape, Gather, Unsqueeze, Squeeze, Cast where they compute a shape.
 * Throws `unsupported`, naming node and operator, `shape`, `format`.
 */
export function graphOfOnnx(model: OnnxModel, file: string): OnnxGraph {
  return new Converter(model, file).run();
}

class Converter extends Operators {
  run(): OnnxGraph {
    const { inputs, outputs, nodes } = this.model;
    if (inputs.length !== 1 || outputs.length !== 1)
      this.refuse(`expected one input and one output, got ${inputs.length} and ${outputs.length}`);
    const input = this.input();
    this.values.set(inputs[0]!.name, input);
    for (const node of nodes) {
      this.node = node;
      if (node.domain !== '') this.refuse(`operator ${node.domain}.${node.op} is not known`);
      if (!this.folded()) this.convert();
    }
    const output = this.values.get(outputs[0]!.name);
    if (!output || output.node === INPUT)
      throw new EpochscopeError('format', `${this.file}: no node gives the output ${outputs[0]!.name}`, {
        file: this.file,
      });
    const needed = new Set([output.node]);
    for (let i = this.nodes.length - 1; i >= 0; i--)
      if (needed.has(this.nodes[i]!.name)) for (const name of this.nodes[i]!.inputs) needed.add(name);
    const kept = this.nodes.filter(({ name }) => needed.has(name));
    const last = kept.findIndex(({ name }) => name === output.node);
    const graph = { ...this.graph, nodes: [...kept.slice(0, last), ...kept.slice(last + 1), kept[last]!] };
    shapesOf(graph);
    return { graph, channelsFirst: input.form === 'image', norms: this.norms, constants: this.initializers };
  }

  private input(): Value {
    const { name, shape } = this.model.inputs[0]!;
    const sides = shape?.slice(1);
    if (!sides || (sides.length !== 1 && sides.length !== 3) || sides.some((side) => side === null))
      return this.refuse(
        `input ${name}: expected batch × values or batch × channels × height × width with known sides, got [${shape?.map((s) => s ?? '?') ?? '?'}]`,
      );
    const known = sides as number[];
    const readers = this.model.nodes.filter(({ inputs }) => inputs.includes(name));
    // What TensorFlow exports has channels last, and turns them at once.
    const last =
      known.length === 3 &&
      readers.every((reader) => reader.op === 'Transpose' && numbers(reader, 'perm')?.join() === '0,3,1,2');
    const form: Form = known.length === 1 ? 'vector' : last ? 'image-last' : 'image';
    this.graph = {
      inputShape: form === 'image' ? [known[1]!, known[2]!, known[0]!] : known,
      nodes: this.nodes,
      weights: this.weights,
    };
    return { node: INPUT, form, shape: this.graph.inputShape };
  }

  private convert(): void {
    const { op } = this.node;
    const known: Record<string, () => void> = {
      Conv: () => this.conv(),
      Gemm: () => this.gemm(),
      MatMul: () => this.matMul(),
      Add: () => this.arithmetic('Add'),
      Sub: () => this.arithmetic('Sub'),
      Mul: () => this.arithmetic('Mul'),
      Div: () => this.arithmetic('Div'),
      Relu: () => this.same({ kind: 'relu' }),
      Sigmoid: () => this.same({ kind: 'sigmoid' }),
      Tanh: () => this.same({ kind: 'tanh' }),
      LeakyRelu: () => this.same({ kind: 'leaky-relu', slope: number(this.node, 'alpha', 0.01) }),
      Clip: () => this.clip(),
      Elu: () => this.same({ kind: 'elu', alpha: number(this.node, 'alpha', 1), factor: 1 }),
      Selu: () =>
        this.same({
          kind: 'elu',
          alpha: number(this.node, 'alpha', 1.6732632423543772),
          factor: number(this.node, 'gamma', 1.0507009873554805),
        }),
      Erf: () => this.same({ kind: 'erf' }),
      Gelu: () =>
        this.same({ kind: text(this.node, 'approximate', 'none') === 'tanh' ? 'gelu-tanh' : 'gelu' }),
      HardSigmoid: () =>
        this.same({
          kind: 'hard-sigmoid',
          alpha: number(this.node, 'alpha', 0.2),
          beta: number(this.node, 'beta', 0.5),
        }),
      HardSwish: () => this.same({ kind: 'hard-swish' }),
      Mish: () => this.same({ kind: 'mish' }),
      Softplus: () => this.same({ kind: 'softplus' }),
      Swish: () =>
        number(this.node, 'alpha', 1) === 1 ? this.same({ kind: 'silu' }) : this.refuse('expected alpha 1'),
      Softmax: () => this.softmax('softmax'),
      LogSoftmax: () => this.softmax('log-softmax'),
      MaxPool: () => this.pool('max-pool'),
      AveragePool: () => this.pool('average-pool'),
      GlobalAveragePool: () => this.overImage('mean', true),
      GlobalMaxPool: () => this.overImage('max', true),
      ReduceMean: () => this.overImage('mean', false),
      ReduceMax: () => this.overImage('max', false),
      LayerNormalization: () => this.layerNorm(),
      Squeeze: () => this.squeeze(),
      Cast: () => this.cast(),
      Expand: () => this.expand(),
      BatchNormalization: () => this.batchNorm(),
      Dropout: () => this.dropout(),
      Identity: () => this.identity(),
      Flatten: () => this.flatten(),
      Reshape: () => this.reshape(),
      Concat: () => this.concat(),
      Pad: () => this.pad(),
      Transpose: () => this.transpose(),
      Constant: () => this.constant(),
      Shape: () => this.shapes(),
      Gather: () => this.shapes(),
      Unsqueeze: () => this.shapes(),
    };
    if (!Object.hasOwn(known, op)) this.refuse(`operator ${op || '(none)'} is not known`);
    known[op]!();
  }
}
