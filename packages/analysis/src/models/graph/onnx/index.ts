import { EpochscopeError } from '@epochscope/core-wasm';
import type { OnnxModel, OnnxNode } from '../../../formats/onnx/index.js';
import type { Tensor } from '../../../formats/types.js';
import { shapeOf, shapesOf } from '../shapes.js';
import { type Graph, type GraphNode, type GraphOp, INPUT, type Pair } from '../types.js';
import { number, numbers, text } from './attributes.js';
import { Names } from './names.js';
import { type Form, floats, onnxSides, type Sides, sidesOf, type Value } from './values.js';
import { ceilPadding, paddingOf, pairOf } from './windows.js';

/** Copies of weights that nodes make of the file's tensors: this many times their bytes … */
export const MAX_ONNX_COPIES = 4;
/** … or these bytes, whichever is more. */
export const MIN_ONNX_COPIES = 64_000_000;

/** A graph read from ONNX. */
export interface OnnxGraph {
  graph: Graph;
  /** The input is [N, C, H, W] in ONNX and [h, w, c] here. */
  channelsFirst: boolean;
  /** Batch normalisations → epsilon: their "scale" and "offset" are of weight, bias, running_mean and running_var. */
  norms: Map<string, number>;
}

/**
 * A feed-forward ONNX model with one input and one output as a graph, channels last; weights are copied and turned. Layers
 * are named after their weights ("conv1.weight" → conv1) or their nodes. Operators: Conv, Gemm, MatMul, Add, Relu,
 * LeakyRelu, Sigmoid, Tanh, MaxPool, AveragePool, GlobalAveragePool, BatchNormalization, Flatten, Reshape, Concat, Softmax,
 * LogSoftmax, Dropout, Identity, Constant; Pad with zeros; Transpose between layouts; Shape, Gather, Unsqueeze where they compute a shape.
 * Throws `unsupported`, naming node and operator, `shape`, `format`.
 */
export function graphOfOnnx(model: OnnxModel, file: string): OnnxGraph {
  return new Converter(model, file).run();
}

class Converter {
  private readonly weights = new Map<string, Tensor>();
  private readonly nodes: GraphNode[] = [];
  private readonly values = new Map<string, Value>();
  private readonly constants: Map<string, Tensor>;
  private readonly sides = new Map<string, Sides>();
  private readonly uses = new Map<string, number>();
  private readonly names = new Names();
  private readonly norms = new Map<string, number>();
  private graph: Graph = { inputShape: [], nodes: [], weights: this.weights };
  private node!: OnnxNode;
  private bytesLeft: number;

  constructor(
    private readonly model: OnnxModel,
    private readonly file: string,
  ) {
    this.constants = new Map(model.tensors);
    const bytes = [...model.tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
    this.bytesLeft = Math.max(MIN_ONNX_COPIES, MAX_ONNX_COPIES * bytes);
    for (const { inputs } of model.nodes)
      for (const name of inputs) this.uses.set(name, (this.uses.get(name) ?? 0) + 1);
  }

  run(): OnnxGraph {
    const { inputs, outputs, nodes } = this.model;
    if (inputs.length !== 1 || outputs.length !== 1)
      this.refuse(`expected one input and one output, got ${inputs.length} and ${outputs.length}`);
    const input = this.input();
    this.values.set(inputs[0]!.name, input);
    for (const node of nodes) {
      this.node = node;
      if (node.domain !== '') this.refuse(`operator ${node.domain}.${node.op} is not known`);
      this.convert();
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
    return { graph, channelsFirst: input.form === 'image', norms: this.norms };
  }

  private readonly fail = (message: string): never => this.refuse(message);

  private refuse(message: string, code: 'unsupported' | 'format' = 'unsupported'): never {
    const where = this.node ? `node ${this.node.name || this.node.outputs[0] || ''} (${this.node.op}): ` : '';
    throw new EpochscopeError(code, `${this.file}: ${where}${message}`, {
      file: this.file,
      node: this.node?.name,
    });
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
      Add: () => this.add(),
      Relu: () => this.same({ kind: 'relu' }),
      Sigmoid: () => this.same({ kind: 'sigmoid' }),
      Tanh: () => this.same({ kind: 'tanh' }),
      LeakyRelu: () => this.same({ kind: 'leaky-relu', slope: number(this.node, 'alpha', 0.01) }),
      Softmax: () => this.softmax('softmax'),
      LogSoftmax: () => this.softmax('log-softmax'),
      MaxPool: () => this.pool('max-pool'),
      AveragePool: () => this.pool('average-pool'),
      GlobalAveragePool: () => this.put({ kind: 'global-average-pool' }, [this.image(0)], 'pooled'),
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

  /** The value at an input; refused where a constant or nothing stands there. */
  private value(i: number): Value {
    const name = this.node.inputs[i] ?? '';
    const value = this.values.get(name);
    if (value) return value;
    return this.constants.has(name) || this.sides.has(name)
      ? this.refuse(`input ${i}: expected what the net computes, got the constant ${name}`)
      : this.refuse(`input ${i}: no node before it gives ${JSON.stringify(name)}`, 'format');
  }

  private constantAt(i: number, what: string): Tensor {
    const name = this.node.inputs[i] ?? '';
    return (
      this.constants.get(name) ?? this.refuse(`expected ${what} as a constant, got ${JSON.stringify(name)}`)
    );
  }

  /** An image; a pooled value is one of one pixel. */
  private image(i: number): Value {
    const value = this.value(i);
    if (value.form === 'image') return value;
    if (value.form !== 'pooled') return this.refuse(`input ${i}: expected batch × channels × height × width`);
    const node = this.names.own(`${value.node}.image`);
    return this.push({ kind: 'reshape', shape: [1, 1, value.shape[0]!] }, [value], node, 'image');
  }

  private push(op: GraphOp, inputs: Value[], name: string, form: Form): Value {
    const node = { name, inputs: inputs.map((value) => value.node), ...op } as GraphNode;
    const shape = shapeOf(
      this.graph,
      node,
      inputs.map((value) => value.shape),
    );
    if (!shape.every((side) => Number.isSafeInteger(side) && side > 0))
      this.refuse(`an input of shape [${inputs[0]?.shape}] gives an output of shape [${shape}]`, 'format');
    this.nodes.push(node);
    return { node: name, form, shape };
  }

  private put(op: GraphOp, inputs: Value[], form: Form, name = this.names.of(this.node)): void {
    this.values.set(this.node.outputs[0] ?? '', this.push(op, inputs, name, form));
  }

  /** An operation that keeps shape and layout. */
  private same(op: GraphOp): void {
    const value = this.value(0);
    this.put(op, [value], value.form);
  }

  private dropout(): void {
    if (this.uses.get(this.node.outputs[1] ?? '')) this.refuse('its mask is read');
    this.same({ kind: 'identity' });
  }

  /** Also of a constant, which only changes its name. */
  private identity(): void {
    const constant = this.constants.get(this.node.inputs[0] ?? '');
    if (constant) this.constants.set(this.node.outputs[0] ?? '', constant);
    else this.same({ kind: 'identity' });
  }

  /** One tensor may be read by many nodes: their copies stay within bounds. */
  private spend(bytes: number): void {
    this.bytesLeft -= bytes;
    if (this.bytesLeft < 0)
      this.refuse(
        `the weights of its nodes are more than ${MAX_ONNX_COPIES} times those of the file`,
        'format',
      );
  }

  private store(name: string, data: Float32Array, shape: number[]): string {
    this.spend(data.byteLength);
    this.weights.set(name, { data, shape, dtype: 'float32' });
    return name;
  }

  private vector(tensor: Tensor, length: number, what: string): Float32Array {
    const data = floats(tensor);
    if (data.length === 1 && length > 1) return new Float32Array(length).fill(data[0]!);
    if (data.length !== length || tensor.shape.filter((side) => side !== 1).length > 1)
      this.refuse(`${what}: expected ${length} values, got shape [${tensor.shape}]`, 'format');
    return data;
  }

  private conv(): void {
    const kernel = this.constantAt(1, 'the kernel');
    const input = this.image(0);
    const [out, inner, height, width] = kernel.shape as [number, number, number, number];
    if (kernel.shape.length !== 4)
      this.refuse(`expected a kernel of two dimensions, got shape [${kernel.shape}]`);
    const name = this.names.of(this.node, this.node.inputs[1]);
    const data = new Float32Array(kernel.data.length);
    const from = floats(kernel);
    for (let y = 0, to = 0; y < height * width; y++)
      for (let c = 0; c < inner; c++)
        for (let o = 0; o < out; o++) data[to++] = from[(o * inner + c) * height * width + y]!;
    const bias = this.node.inputs[2] ? this.vector(this.constantAt(2, 'the bias'), out, 'bias') : null;
    const dilations = pairOf(this.node, this.fail, 'dilations', 1);
    const strides = pairOf(this.node, this.fail, 'strides', 1);
    const size: Pair = [(height - 1) * dilations[0] + 1, (width - 1) * dilations[1] + 1];
    this.put(
      {
        kind: 'conv2d',
        kernel: this.store(`${name}.kernel`, data, [height, width, inner, out]),
        ...(bias ? { bias: this.store(`${name}.bias`, bias, [out]) } : {}),
        strides,
        padding: paddingOf(this.node, this.fail, input.shape, size, strides),
        dilations,
        groups: number(this.node, 'group', 1),
      },
      [input],
      'image',
      name,
    );
  }

  private dense(kernel: Float32Array, shape: [number, number], bias: Float32Array | null): void {
    const input = this.value(0);
    if (input.form !== 'vector') this.refuse('expected batch × values; flatten before it');
    const name = this.names.of(this.node, this.node.inputs[1]);
    this.put(
      {
        kind: 'dense',
        kernel: this.store(`${name}.kernel`, kernel, shape),
        ...(bias ? { bias: this.store(`${name}.bias`, bias, [shape[1]]) } : {}),
      },
      [input],
      'vector',
      name,
    );
  }

  private matrix(): { data: Float32Array; shape: [number, number] } {
    const tensor = this.constantAt(1, 'the kernel');
    if (tensor.shape.length !== 2) this.refuse(`expected a kernel of two axes, got shape [${tensor.shape}]`);
    return { data: floats(tensor), shape: [...tensor.shape] as [number, number] };
  }

  private gemm(): void {
    if (number(this.node, 'transA', 0)) this.refuse('transA is not known');
    const [alpha, beta] = [number(this.node, 'alpha', 1), number(this.node, 'beta', 1)];
    let { data, shape } = this.matrix();
    if (number(this.node, 'transB', 0)) {
      const [units, inner] = shape;
      const turned = new Float32Array(data.length);
      for (let u = 0; u < units; u++)
        for (let i = 0; i < inner; i++) turned[i * units + u] = data[u * inner + i]!;
      [data, shape] = [turned, [inner, units]];
    }
    const bias = this.node.inputs[2] ? this.vector(this.constantAt(2, 'the bias'), shape[1], 'bias') : null;
    this.dense(scaled(data, alpha), shape, bias && scaled(bias, beta));
  }

  private matMul(): void {
    const { data, shape } = this.matrix();
    this.dense(data.slice(), shape, null);
  }

  private add(): void {
    const [a, b] = this.node.inputs.map((name) => this.constants.get(name));
    if (!a && !b) {
      const [left, right] = [this.value(0), this.value(1)];
      if (left.form !== right.form || left.shape.join() !== right.shape.join())
        this.refuse(`expected equal shapes, got [${onnxSides(left)}] and [${onnxSides(right)}]`);
      this.put({ kind: 'add' }, [left, right], left.form);
      return;
    }
    const value = this.value(a ? 1 : 0);
    const constant = (a ?? b)!;
    const channels = value.shape[value.shape.length - 1]!;
    // In [N, C, H, W] a channel's constant is [C, 1, 1]; elsewhere channels are the last axis.
    const trailing = value.form === 'image' || value.form === 'pooled' ? 2 : 0;
    const sides = [...constant.shape];
    const ones = sides.splice(Math.max(0, sides.length - trailing), trailing);
    if (constant.data.length !== 1 && (ones.length !== trailing || ones.some((side) => side !== 1)))
      this.refuse(`a constant of shape [${constant.shape}] is not one number a channel`);
    const offset = this.vector(constant, channels, 'constant');
    const source = this.nodes[this.nodes.length - 1];
    if (
      source?.kind === 'dense' &&
      source.name === value.node &&
      !source.bias &&
      this.uses.get(this.node.inputs[a ? 1 : 0]!) === 1
    ) {
      // x · W + b in two nodes is one layer.
      source.bias = this.store(`${source.name}.bias`, offset, [channels]);
      this.values.set(this.node.outputs[0] ?? '', value);
      return;
    }
    const name = this.names.of(this.node);
    this.put(
      {
        kind: 'batch-norm',
        scale: this.store(`${name}.scale`, new Float32Array(channels).fill(1), [channels]),
        offset: this.store(`${name}.offset`, offset, [channels]),
      },
      [value],
      value.form,
      name,
    );
  }

  private softmax(kind: 'softmax' | 'log-softmax'): void {
    const value = this.value(0);
    const rank = value.form === 'vector' ? 2 : 4;
    const modern = this.model.opset >= 13;
    const given = number(this.node, 'axis', modern ? -1 : 1);
    const axis = given < 0 ? given + rank : given;
    const channels = value.form === 'image' || value.form === 'pooled' || value.form === 'vector' ? 1 : 3;
    // Before version 13 all axes from this one on were one.
    if (axis !== channels || (!modern && rank !== 2 && value.form !== 'pooled'))
      this.refuse(`axis ${given} of [batch, ${onnxSides(value)}]: expected the channels`);
    this.put({ kind }, [value], value.form);
  }

  private pool(kind: 'max-pool' | 'average-pool'): void {
    const input = this.image(0);
    const size = pairOf(this.node, this.fail, 'kernel_shape');
    const strides = pairOf(this.node, this.fail, 'strides', 1);
    if (this.uses.get(this.node.outputs[1] ?? '')) this.refuse('its indices are read');
    if ((numbers(this.node, 'dilations') ?? []).some((n) => n !== 1)) this.refuse('dilations are not known');
    let padding = paddingOf(this.node, this.fail, input.shape, size, strides);
    const counted = number(this.node, 'count_include_pad', 0) === 1;
    if (number(this.node, 'ceil_mode', 0)) {
      const wider = ceilPadding(input.shape, padding, size, strides);
      if (counted && wider.join() !== padding.join())
        this.refuse('ceil_mode with count_include_pad is not known');
      padding = wider;
    }
    this.put(
      kind === 'max-pool'
        ? { kind, size, strides, padding }
        : { kind, size, strides, padding, countPadding: counted },
      [input],
      'image',
    );
  }

  private batchNorm(): void {
    const value = this.value(0);
    if (value.form === 'image-last') this.refuse('expected channels at axis 1');
    if (number(this.node, 'training_mode', 0)) this.refuse('export in evaluation mode: model.eval()');
    const channels = value.shape[value.shape.length - 1]!;
    const [gamma, beta, mean, variance] = ['scale', 'bias', 'mean', 'variance'].map((what, i) =>
      this.vector(this.constantAt(i + 1, what), channels, what),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const epsilon = number(this.node, 'epsilon', 1e-5);
    const name = this.names.of(this.node, this.node.inputs[1]);
    const scale = gamma.map((g, i) => g / Math.sqrt(variance[i]! + epsilon));
    this.norms.set(name, epsilon);
    this.put(
      {
        kind: 'batch-norm',
        scale: this.store(`${name}.scale`, scale, [channels]),
        offset: this.store(
          `${name}.offset`,
          beta.map((b, i) => b - mean[i]! * scale[i]!),
          [channels],
        ),
      },
      [value],
      value.form,
      name,
    );
  }

  private pad(): void {
    const value = this.image(0);
    const given = numbers(this.node, 'pads') ?? sidesOf(this.constantAt(1, 'the padding'))?.map(Number) ?? [];
    const constant = this.constants.get(this.node.inputs[2] ?? '');
    if (text(this.node, 'mode', 'constant') !== 'constant' || Number(constant?.data[0] ?? 0) !== 0)
      this.refuse('expected zeros');
    const [, , top, left, , , bottom, right] = given as [0, 0, number, number, 0, 0, number, number];
    if (
      given.length !== 8 ||
      given.some((n, i) => !Number.isInteger(n) || n < 0 || n > 65_535 || (i % 4 < 2 && n !== 0))
    )
      this.refuse(`expected padding of height and width, got [${given.slice(0, 8)}]`);
    this.put({ kind: 'pad', padding: [top, bottom, left, right] }, [value], 'image');
  }

  private flatten(): void {
    const axis = number(this.node, 'axis', 1);
    const value = this.value(0);
    if (axis !== 1 && axis !== 1 - (value.form === 'vector' ? 2 : 4)) this.refuse(`axis ${axis}: expected 1`);
    this.flat(value);
  }

  private flat(value: Value): void {
    if (value.form === 'image') this.put({ kind: 'flatten-channels-first' }, [value], 'vector');
    else this.put({ kind: value.form === 'image-last' ? 'flatten' : 'identity' }, [value], 'vector');
  }

  private reshape(): void {
    const value = this.value(0);
    const name = this.node.inputs[1] ?? '';
    const wanted =
      this.sides.get(name) ??
      sidesOf(this.constants.get(name)) ??
      this.refuse('expected its shape as a constant');
    const before = ['batch' as const, ...onnxSides(value)];
    const size = value.shape.reduce((a, b) => a * b, 1);
    const sides = wanted.map((side, i) => (side === 0 ? (before[i] ?? 0) : side));
    // The batch comes first: open, or -1, or 1 as it was when exported.
    const [batch, ...rest] = sides;
    const known = rest.reduce<number>((a, b) => (b === -1 || b === 'batch' ? a : a * b), 1);
    const open = rest.filter((side) => side === -1).length;
    const shape = rest.map((side) => (side === -1 ? size / known : Number(side)));
    const fits =
      shape.reduce((a, b) => a * b, 1) === size && shape.every((side) => Number.isInteger(side) && side > 0);
    if (!fits || open > 1 || (batch !== 'batch' && batch !== -1 && batch !== 1))
      this.refuse(`shape [${wanted}] of [batch, ${onnxSides(value)}]: expected the batch first`);
    if (shape.length === 1) {
      this.flat(value);
      return;
    }
    if (shape.join() === onnxSides(value).join()) {
      this.put({ kind: 'identity' }, [value], value.form);
      return;
    }
    const [c, h, w] = shape as [number, number, number];
    // Only of one channel, or one pixel, is the order the same with channels first and last.
    if (shape.length !== 3 || value.form !== 'vector' || (c !== 1 && h * w !== 1))
      this.refuse(`to [batch, ${shape}]: only to batch × values, or to an image of one channel`);
    this.put({ kind: 'reshape', shape: [h, w, c] }, [value], 'image');
  }

  private concat(): void {
    const lists = this.node.inputs.map((name) => this.sides.get(name) ?? sidesOf(this.constants.get(name)));
    if (this.node.inputs.length && lists.every((list) => list)) {
      const joined = lists.flatMap((list) => list!);
      if (joined.length > 64) this.refuse('expected a shape of at most 64 sides');
      this.sides.set(this.node.outputs[0] ?? '', joined);
      return;
    }
    const values = this.node.inputs.map((_, i) => this.value(i));
    const form = values[0]?.form ?? 'vector';
    const rank = form === 'vector' ? 2 : 4;
    const given = number(this.node, 'axis', Number.NaN);
    if ((given < 0 ? given + rank : given) !== (form === 'image-last' ? 3 : 1))
      this.refuse(`axis ${given}: expected the channels`);
    if (values.some((value) => value.form !== form)) this.refuse('expected inputs of one layout');
    this.put({ kind: 'concat' }, values, form);
  }

  private transpose(): void {
    const constant = this.constants.get(this.node.inputs[0] ?? '');
    const perm = numbers(this.node, 'perm');
    if (constant) {
      if (constant.shape.length !== 2 || (perm && perm.join() !== '1,0'))
        this.refuse('of this constant is not known');
      const [rows, columns] = constant.shape as [number, number];
      const from = floats(constant);
      this.spend(from.byteLength);
      const data = new Float32Array(from.length);
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) data[j * rows + i] = from[i * columns + j]!;
      this.constants.set(this.node.outputs[0] ?? '', { data, shape: [columns, rows], dtype: 'float32' });
      return;
    }
    const value = this.value(0);
    const turns: Partial<Record<string, [Form, Form]>> = {
      '0,3,1,2': ['image-last', 'image'],
      '0,2,3,1': ['image', 'image-last'],
    };
    const turn = turns[perm?.join() ?? ''];
    if (turn?.[0] !== value.form)
      this.refuse(`perm [${perm}]: only between channels first and channels last`);
    this.values.set(this.node.outputs[0] ?? '', { ...value, form: turn[1] });
  }

  private constant(): void {
    const [out] = this.node.outputs;
    for (const [key, attribute] of this.node.attributes) {
      if (attribute.kind === 'tensor') {
        this.constants.set(out ?? '', attribute.value);
        return;
      }
      if (attribute.kind !== 'number' && attribute.kind !== 'numbers') continue;
      const list = attribute.kind === 'number' ? [attribute.value] : attribute.value;
      const whole = key.startsWith('value_int');
      this.constants.set(out ?? '', {
        data: whole ? Int32Array.from(list) : Float32Array.from(list),
        shape: attribute.kind === 'number' ? [] : [list.length],
        dtype: whole ? 'int32' : 'float32',
      });
      return;
    }
    this.refuse('expected numbers');
  }

  /** x.view(x.size(0), -1) comes out of PyTorch as nodes that compute the shape. */
  private shapes(): void {
    const [first, second] = this.node.inputs as [string, string?];
    const out = this.node.outputs[0] ?? '';
    if (this.node.op === 'Shape') {
      this.sides.set(out, ['batch', ...onnxSides(this.value(0))]);
      return;
    }
    const list = this.sides.get(first) ?? sidesOf(this.constants.get(first));
    if (!list) this.refuse('only where it computes a shape');
    if (this.node.op === 'Unsqueeze') this.sides.set(out, list);
    else {
      const at = sidesOf(this.constants.get(second ?? ''));
      const index = at?.length === 1 ? Number(at[0]) : Number.NaN;
      const side = list[index < 0 ? index + list.length : index];
      if (side === undefined) this.refuse(`expected an index within [${list}]`);
      this.sides.set(out, [side]);
    }
  }
}

const scaled = (data: Float32Array, by: number): Float32Array =>
  by === 1 ? data.slice() : data.map((x) => x * by);
