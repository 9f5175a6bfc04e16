import { EpochscopeError } from '@epochscope/core-wasm';
import { rest } from '../../../formats/budget.js';
import type { OnnxModel, OnnxNode, OnnxValue } from '../../../formats/onnx/index.js';
import type { Tensor } from '../../../formats/types.js';
import { product } from '../ops/definition.js';
import { shapesOf } from '../shapes.js';
import { type Graph, INPUT } from '../types.js';
import { number, numbers, text } from './attributes.js';
import { fused } from './fuse.js';
import { SequenceOperators } from './sequences.js';
import { numbersOf, type Value } from './values.js';

/** A graph read from ONNX. */
export interface OnnxGraph {
  graph: Graph;
  /** The input has channels before space in ONNX and last here: [N, C, H, W] is [h, w, c]. */
  channelsFirst: boolean;
  /** Batch normalisations that are layers of their own. */
  norms: Set<string>;
  /** What was supplied or left aside: inputs that were filled in, outputs that are not the net's last. */
  notes: string[];
  /** What it was made from, so that it can be made again with other weights. */
  model: OnnxModel;
  /** Shape of one sample, where sides were open. */
  sample: readonly number[] | undefined;
}

export interface OnnxOptions {
  /** One sample's shape, for sides that the file leaves open. */
  sample?: readonly number[];
}

/**
 * An ONNX model as a graph, for one sample at a time: layouts, shapes and masks that it computes are worked out here,
 * values with space have channels last, weights are copied and turned. Layers are named after their weights
 * ("conv1.weight" → conv1) or their nodes. Of several inputs the first is the net's; masks are filled with 1, token
 * types with 0, positions in order. Of several outputs the first is the net's. Throws `unsupported`, naming node and
 * operator, `shape`, `format`, `cancelled`.
 */
export function graphOfOnnx(model: OnnxModel, file: string, options: OnnxOptions = {}): Promise<OnnxGraph> {
  return new Converter(model, file).run(options);
}

class Converter extends SequenceOperators {
  private readonly notes: string[] = [];

  async run({ sample }: OnnxOptions): Promise<OnnxGraph> {
    const { inputs, outputs } = this.model;
    if (!inputs.length || !outputs.length)
      this.refuse(`expected an input and an output, got ${inputs.length} and ${outputs.length}`);
    const main = inputs.find(({ name }) => roleOf(name) === null) ?? inputs[0]!;
    const input = this.input(main, sample);
    this.values.set(main.name, input);
    for (const other of inputs) if (other !== main) this.supply(other, input);
    await this.convertAll(fused(this.model));
    const [last, ...others] = outputs.map(({ name }) => this.values.get(name));
    if (!last || last.node === INPUT)
      throw new EpochscopeError('format', `${this.file}: no node gives the output ${outputs[0]!.name}`, {
        file: this.file,
      });
    if (others.length)
      this.notes.push(
        `the net's output is ${outputs[0]!.name}; layers too: ${outputs
          .slice(1)
          .map(({ name }) => name)
          .join(', ')}`,
      );
    const end = this.ending(last);
    const needed = new Set([end, ...others.flatMap((value) => (value ? [value.node] : []))]);
    for (let i = this.nodes.length - 1; i >= 0; i--)
      if (needed.has(this.nodes[i]!.name)) for (const name of this.nodes[i]!.inputs) needed.add(name);
    const kept = this.nodes.filter(({ name }) => needed.has(name));
    const at = kept.findIndex(({ name }) => name === end);
    const graph: Graph = {
      ...this.graph,
      nodes: [...kept.slice(0, at), ...kept.slice(at + 1), kept[at]!],
    };
    shapesOf(graph);
    return {
      graph,
      channelsFirst: this.channelsFirst,
      norms: this.norms,
      notes: this.notes,
      model: this.model,
      sample,
    };
  }
  private channelsFirst = false;

  /** The output as ONNX has it, but for images, which keep channels last. */
  private ending(value: Value): string {
    if (value.mask)
      return this.plain(
        this.joined(
          { kind: 'add' },
          [{ ...value, mask: undefined }, this.constantValue(value.mask)],
          this.names.own('masked'),
        ),
      ).node;
    // Scores of one sample, where the samples' axis was lost on the way.
    if (value.shape.length === 2 && value.shape[0] === 1 && value.sides.length > 1)
      return this.plain({ ...value, batch: 0 }).node;
    const space = value.shape.length >= 3 && value.batch === 0 && value.order.at(-1) === 1;
    // Axes of one place may lie where the layer before left them.
    const lies = value.shape.length < 3 || value.sides.length < value.shape.length;
    return space || (lies && value.order.every((axis, i) => i === 0 || value.order[i - 1]! < axis))
      ? value.node
      : this.plain(value).node;
  }

  private input(main: OnnxValue, sample: readonly number[] | undefined): Value {
    const { name, shape, dtype } = main;
    const given = shape?.slice(1);
    const sides = given && filled(given, sample);
    if (!sides?.length)
      return this.refuse(
        `input ${name}: expected batch × values with known sides, got [${shape?.map((s) => s ?? '?') ?? '?'}]${sample ? `, and samples of [${sample}] do not fill them` : '; give the samples (option inputs): their shape says them'}`,
      );
    const readers = this.model.nodes.filter(({ inputs }) => inputs.includes(name));
    const spatial = new Set([
      'Conv',
      'ConvTranspose',
      'MaxPool',
      'AveragePool',
      'BatchNormalization',
      'InstanceNormalization',
    ]);
    // What TensorFlow exports has channels last, and turns them at once.
    const last = readers.every(
      (reader) => reader.op === 'Transpose' && numbers(reader, 'perm')?.join() === '0,3,1,2',
    );
    const integer =
      /int/.test(dtype ?? '') &&
      readers.some(({ op }) => ['Gather', 'Cast', 'Shape', 'Unsqueeze', 'Reshape'].includes(op));
    this.channelsFirst =
      !integer &&
      ((sides.length === 3 && !last) ||
        sides.length === 4 ||
        (sides.length === 2 && readers.some(({ op }) => spatial.has(op))));
    const whole = [1, ...sides];
    const axes = this.channelsFirst
      ? [...sides.slice(1).map((_, i) => i + 2), 1]
      : sides.map((_, i) => i + 1);
    this.graph = {
      inputShape: axes.map((axis) => whole[axis]!),
      nodes: this.nodes,
      weights: this.weights,
    };
    return {
      node: INPUT,
      shape: whole,
      order: axes.filter((axis) => whole[axis]! > 1),
      batch: 0,
      sides: this.graph.inputShape,
      integer,
    };
  }

  /** Inputs that only say what of the first is there. */
  private supply(input: OnnxValue, main: Value): void {
    const role = roleOf(input.name);
    if (!role)
      this.refuse(
        `expected one input and one output, got ${this.model.inputs.length} and ${this.model.outputs.length}: the net's input cannot be told from ${input.name}; export it with ${input.name} fixed`,
      );
    const rank = input.shape?.length ?? 2;
    const shape =
      input.shape?.map((side, axis) => (axis === 0 ? 1 : (side ?? main.shape[axis] ?? main.shape[1]!))) ??
      main.shape;
    const [count, tokens] = [product(shape), shape[rank - 1] ?? 1];
    const values = Float64Array.from({ length: count }, (_, i) =>
      role === 'ones' ? 1 : role === 'zeros' ? 0 : i % tokens,
    );
    const tensor: Tensor = {
      data: values,
      shape,
      dtype: input.dtype && !/float/.test(input.dtype) ? input.dtype : 'int64',
    };
    this.constants.set(
      input.name,
      /float/.test(input.dtype ?? '') ? { data: Float32Array.from(values), shape, dtype: 'float32' } : tensor,
    );
    this.notes.push(
      `input ${input.name} is filled with ${role === 'order' ? '0, 1, 2, …' : role === 'ones' ? '1' : '0'}`,
    );
  }

  /** Node by node; others get their turn in between, as constants are worked out here. */
  private async convertAll(nodes: readonly OnnxNode[], depth = 0): Promise<void> {
    for (const node of nodes) {
      await rest(this.file);
      this.node = node;
      if (node.domain !== '') this.refuse(`operator ${node.domain}.${node.op} is not known`);
      if (this.folded()) continue;
      if (node.op === 'If') await this.branch(depth);
      else this.convert();
    }
  }

  /** A branch that is chosen while the net is read. */
  private async branch(depth: number): Promise<void> {
    const { node } = this;
    const condition = numbersOf(this.constantAt(0, 'the condition'))[0];
    const chosen = node.attributes.get(condition ? 'then_branch' : 'else_branch');
    if (chosen?.kind !== 'graph' || depth > 8) throw this.error('expected its branches');
    const { model } = this;
    for (const [name, tensor] of chosen.value.tensors) this.constants.set(name, tensor);
    await this.convertAll(
      fused({ ...model, ...chosen.value, inputs: model.inputs, tensors: this.constants }),
      depth + 1,
    );
    chosen.value.outputs.forEach(({ name }, i) => {
      const out = node.outputs[i] ?? '';
      const [value, constant] = [this.values.get(name), this.constants.get(name)];
      if (value) this.values.set(out, value);
      else if (constant) this.constants.set(out, constant);
    });
    this.node = node;
  }

  private convert(): void {
    const { op } = this.node;
    const simple = SIMPLE[op];
    const known: Record<string, () => void> = {
      Conv: () => this.conv(false),
      ConvTranspose: () => this.conv(true),
      Gemm: () => this.gemm(),
      MatMul: () => this.matMul(),
      Einsum: () => this.einsum(),
      Add: () => this.binary('Add'),
      Sub: () => this.binary('Sub'),
      Mul: () => this.binary('Mul'),
      Div: () => this.binary('Div'),
      Max: () => this.binary('Max'),
      Min: () => this.binary('Min'),
      ...Object.fromEntries(
        ['Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Equal'].map((name) => [
          name,
          () => this.binary(name),
        ]),
      ),
      Sum: () => this.sum(),
      Pow: () => this.power(),
      Where: () => this.where(),
      IsNaN: () => {
        this.markers.set(this.node.outputs[0] ?? '', this.node.inputs[0] ?? '');
      },
      LeakyRelu: () => this.same({ kind: 'leaky-relu', slope: number(this.node, 'alpha', 0.01) }),
      PRelu: () => this.prelu(),
      Clip: () => this.clip(),
      Elu: () => this.same({ kind: 'elu', alpha: number(this.node, 'alpha', 1), factor: 1 }),
      Celu: () => {
        const alpha = number(this.node, 'alpha', 1);
        this.same({ kind: 'elu', alpha, factor: 1, width: alpha });
      },
      Selu: () =>
        this.same({
          kind: 'elu',
          alpha: number(this.node, 'alpha', 1.6732632423543772),
          factor: number(this.node, 'gamma', 1.0507009873554805),
        }),
      Gelu: () =>
        this.same({ kind: text(this.node, 'approximate', 'none') === 'tanh' ? 'gelu-tanh' : 'gelu' }),
      HardSigmoid: () =>
        this.same({
          kind: 'hard-sigmoid',
          alpha: number(this.node, 'alpha', 0.2),
          beta: number(this.node, 'beta', 0.5),
        }),
      Swish: () =>
        number(this.node, 'alpha', 1) === 1 ? this.same({ kind: 'silu' }) : this.refuse('expected alpha 1'),
      Softmax: () => this.softmax('softmax'),
      LogSoftmax: () => this.softmax('log-softmax'),
      MaxPool: () => this.pool('max-pool'),
      AveragePool: () => this.pool('average-pool'),
      GlobalAveragePool: () => this.globalPool('mean'),
      GlobalMaxPool: () => this.globalPool('max'),
      ReduceMean: () => this.reduce('mean'),
      ReduceSum: () => this.reduce('sum'),
      ReduceMax: () => this.reduce('max'),
      ReduceMin: () => this.reduce('min'),
      ReduceL2: () => this.reduce('l2'),
      ReduceL1: () => this.reduceOf({ kind: 'abs' }),
      ReduceSumSquare: () => this.reduceOf({ kind: 'power', exponent: 2 }),
      ReduceLogSumExp: () => this.reduceOf({ kind: 'exp' }, { kind: 'log' }),
      LayerNormalization: () => this.layerNorm(false),
      RMSNormalization: () => this.layerNorm(true),
      SimplifiedLayerNormalization: () => this.layerNorm(true),
      BatchNormalization: () => this.batchNorm(),
      InstanceNormalization: () => this.groupNorm(true),
      GroupNormalization: () => this.groupNorm(false),
      LRN: () => this.localResponse(),
      Squeeze: () => this.squeeze(),
      Unsqueeze: () => this.unsqueeze(),
      Cast: () => this.cast(),
      CastLike: () => this.cast(),
      Expand: () => this.expand(),
      Tile: () => this.tile(),
      Dropout: () => this.dropout(),
      Identity: () => this.identity(),
      Flatten: () => this.flatten(),
      Reshape: () => this.reshape(),
      Concat: () => this.concat(),
      Split: () => this.split(),
      Slice: () => this.slice(),
      Gather: () => this.gather(),
      ...Object.fromEntries(
        ['GatherND', 'GatherElements', 'ScatterND', 'ScatterElements'].map((name) => [
          name,
          () => this.moving(),
        ]),
      ),
      Pad: () => this.pad(),
      Transpose: () => this.transpose(),
      DepthToSpace: () => this.depthToSpace(false),
      SpaceToDepth: () => this.depthToSpace(true),
      Resize: () => this.resize(),
      Upsample: () => this.resize(),
      LSTM: () => this.recurrent('lstm'),
      GRU: () => this.recurrent('gru'),
      RNN: () => this.recurrent('rnn'),
      Attention: () => this.attention(),
      Constant: () => this.constant(),
    };
    if (simple && Object.hasOwn(SIMPLE, op)) this.same({ kind: simple } as never);
    else if (Object.hasOwn(known, op)) known[op]!();
    else this.refuse(`operator ${op || '(none)'} is not known`);
  }

  private sum(): void {
    const values = this.node.inputs.map((_, i) => this.value(i));
    this.set(this.joined({ kind: 'add' }, values, this.names.of(this.node)));
  }
}

/** Operators that map each value by itself and have no settings. */
const SIMPLE: Record<string, string> = {
  Relu: 'relu',
  Sigmoid: 'sigmoid',
  Tanh: 'tanh',
  Erf: 'erf',
  HardSwish: 'hard-swish',
  Mish: 'mish',
  Softplus: 'softplus',
  Softsign: 'softsign',
  Abs: 'abs',
  Neg: 'negative',
  Exp: 'exp',
  Log: 'log',
  Sqrt: 'sqrt',
  Reciprocal: 'reciprocal',
  Sin: 'sin',
  Cos: 'cos',
  Sign: 'sign',
  Floor: 'floor',
  Ceil: 'ceil',
  Round: 'round',
};

/** What an input that is not the net's first is filled with, by its name. */
function roleOf(name: string): 'ones' | 'zeros' | 'order' | null {
  if (/mask/i.test(name)) return 'ones';
  if (/(token_type|segment)/i.test(name)) return 'zeros';
  return /position/i.test(name) ? 'order' : null;
}

/** Open sides from a sample's shape, whose channels may stand first or last; null where it does not fit. */
function filled(sides: readonly (number | null)[], sample: readonly number[] | undefined): number[] | null {
  if (sides.every((side) => side !== null)) return sides as number[];
  if (!sample) return null;
  const fits = (shape: readonly number[]) =>
    shape.length === sides.length && sides.every((side, i) => side === null || side === shape[i]);
  const orders = [
    sample,
    [sample.at(-1)!, ...sample.slice(0, -1)],
    ...(sides.length === 3 && sample.length === 2 ? [[1, ...sample]] : []),
  ];
  return orders.find(fits)?.slice() ?? null;
}
