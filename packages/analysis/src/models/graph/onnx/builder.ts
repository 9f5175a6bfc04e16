import { EpochscopeError } from '@epochscope/core-wasm';
import type { OnnxModel, OnnxNode } from '../../../formats/onnx/index.js';
import type { Tensor } from '../../../formats/types.js';
import { broadcast, product } from '../ops/definition.js';
import { shapeOf } from '../shapes.js';
import type { Graph, GraphNode, GraphOp } from '../types.js';
import { FOLDS, FoldError, transposed } from './fold.js';
import { Names } from './names.js';
import { floats, numbersOf, type Value, wide } from './values.js';

/** Copies of weights that nodes make of the file's tensors: this many times their bytes … */
const MAX_ONNX_COPIES = 4;
/** … or these bytes, whichever is more. */
const MIN_ONNX_COPIES = 64_000_000;
/** Numbers at or below this are masks: added before a softmax they leave nothing. */
export const MASKED = -1e30;

/** What is known while a model is turned into a graph, and the ways to add to it. `node` is the ONNX node at hand. */
export abstract class Builder {
  protected readonly weights = new Map<string, Tensor>();
  protected readonly nodes: GraphNode[] = [];
  protected readonly values = new Map<string, Value>();
  protected readonly constants: Map<string, Tensor>;
  protected readonly uses = new Map<string, number>();
  protected readonly names = new Names();
  /** Batch normalisations that are layers of the graph. */
  protected readonly norms = new Set<string>();
  /** Values that were moved already: "node>order" → where. */
  private readonly moved = new Map<string, Value>();
  protected graph: Graph = { inputShape: [], nodes: [], weights: this.weights };
  protected node!: OnnxNode;
  protected bytesLeft: number;

  constructor(
    protected readonly model: OnnxModel,
    protected readonly file: string,
  ) {
    this.constants = new Map(model.tensors);
    const bytes = [...model.tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
    this.bytesLeft = Math.max(MIN_ONNX_COPIES, MAX_ONNX_COPIES * bytes);
    this.count(model);
  }

  private count(model: OnnxModel): void {
    const see = (name: string) => name && this.uses.set(name, (this.uses.get(name) ?? 0) + 1);
    for (const { inputs, attributes } of model.nodes) {
      inputs.forEach(see);
      for (const attribute of attributes.values())
        if (attribute.kind === 'graph') this.count(attribute.value);
    }
    for (const { name } of model.outputs) see(name);
  }

  protected readonly fail = (message: string): never => this.refuse(message);

  /** An error that names the node at hand. */
  protected error(message: string, code: 'unsupported' | 'format' = 'unsupported'): EpochscopeError {
    const where = this.node ? `node ${this.node.name || this.node.outputs[0] || ''} (${this.node.op}): ` : '';
    return new EpochscopeError(code, `${this.file}: ${where}${message}`, {
      file: this.file,
      node: this.node?.name,
      operator: this.node?.op,
    });
  }
  protected refuse(message: string, code: 'unsupported' | 'format' = 'unsupported'): never {
    throw this.error(message, code);
  }

  /** A value or a constant at an input; null where it is left out. */
  protected at(i: number): Value | Tensor | null {
    const name = this.node.inputs[i] ?? '';
    if (!name) return null;
    return (
      this.values.get(name) ??
      this.constants.get(name) ??
      this.refuse(`input ${i}: no node before it gives ${JSON.stringify(name)}`, 'format')
    );
  }

  /** The value at an input, a constant as a node of its own. */
  protected value(i: number): Value {
    const found = this.at(i) ?? this.refuse(`input ${i} is missing`, 'format');
    return this.unmasked(isValue(found) ? found : this.constantValue(found));
  }

  protected constantAt(i: number, what: string): Tensor {
    const name = this.node.inputs[i] ?? '';
    return (
      this.constants.get(name) ?? this.refuse(`expected ${what} as a constant, got ${JSON.stringify(name)}`)
    );
  }

  /** Whole numbers of a constant input; null where it is left out. */
  protected integers(i: number, what: string): number[] | null {
    return this.node.inputs[i] ? Array.from(numbersOf(this.constantAt(i, what))) : null;
  }

  /** One number of a constant input, or null. */
  protected scalar(i: number, what: string): number | null {
    if (!this.node.inputs[i]) return null;
    const tensor = this.constantAt(i, what);
    return tensor.data.length === 1 ? numbersOf(tensor)[0]! : this.refuse(`expected one number as ${what}`);
  }

  /** ONNX's axis of a value, counted from 0. */
  protected axis(given: number, rank: number): number {
    const axis = given < 0 ? given + rank : given;
    return Number.isInteger(axis) && axis >= 0 && axis < rank
      ? axis
      : this.refuse(`axis ${given} of ${rank} axes`, 'format');
  }

  protected ownAxis(value: Value, given: number): number {
    const axis = this.axis(given, value.shape.length);
    if (axis === value.batch) this.refuse(`axis ${given} is that of the samples, which stay apart`);
    return axis;
  }

  // Nodes.

  protected push(op: GraphOp, inputs: readonly string[], name: string): { node: string; sides: number[] } {
    const node = { name, inputs: [...inputs], ...op } as GraphNode;
    const shapes = inputs.map((input) => this.sidesOf.get(input) ?? this.graph.inputShape);
    let sides: number[];
    try {
      sides = shapeOf(this.graph, node, shapes);
    } catch (cause) {
      // Where in the file says more than where in our graph.
      if (cause instanceof EpochscopeError)
        this.refuse(cause.message, cause.code === 'unsupported' ? cause.code : 'format');
      throw cause;
    }
    this.nodes.push(node);
    this.sidesOf.set(name, sides);
    return { node: name, sides };
  }
  private readonly sidesOf = new Map<string, number[]>();

  /** Sets what the ONNX node at hand gives. */
  protected set(value: Value, output = 0): void {
    this.values.set(this.node.outputs[output] ?? '', value);
  }

  /** An operation that keeps shape and layout. */
  protected same(op: GraphOp, value = this.value(0), name = this.names.of(this.node)): Value {
    const out = { ...value, ...this.push(op, [value.node], name), mask: undefined, integer: false };
    this.set(out);
    return out;
  }

  /** A constant as a node. */
  protected constantValue(tensor: Tensor, name = this.names.own('constant')): Value {
    const stored = this.store(name, floats(tensor), [...tensor.shape]);
    const made = this.push({ kind: 'constant', value: stored }, [], name);
    return { ...made, shape: [...tensor.shape], order: wide(tensor.shape), batch: -1 };
  }

  /** Adds a mask that no softmax came for. */
  private unmasked(value: Value): Value {
    if (!value.mask) return value;
    const mask = this.constantValue(value.mask);
    return this.joined(
      { kind: 'add' },
      [{ ...value, mask: undefined }, mask],
      this.names.own(`${value.node}.masked`),
    );
  }

  // Layout.

  /** The value with the axes `wanted`, all others of one place, in that order. */
  protected arranged(value: Value, wanted: readonly number[], suffix = 'shaped'): Value {
    const sides = wanted.map((axis) => value.shape[axis]!);
    const order = wanted.filter((axis) => value.shape[axis]! > 1);
    if (order.length !== value.order.length || !order.every((axis) => value.order.includes(axis)))
      this.refuse(`expected the axes [${wanted}] of [${value.shape}]`);
    const key = `${value.node}>${wanted.map((axis) => value.order.indexOf(axis))}>${sides}`;
    const before = this.moved.get(key);
    if (before) return { ...before, shape: value.shape, batch: value.batch, order };
    let { node } = value;
    if (order.join() !== value.order.join()) {
      // Axes of one place go last: they are nowhere in particular.
      const at: number[] = [];
      value.sides.forEach((side, i) => {
        if (side > 1) at.push(i);
      });
      const ones = value.sides.flatMap((side, i) => (side > 1 ? [] : [i]));
      const axes = [...order.map((axis) => at[value.order.indexOf(axis)]!), ...ones];
      ({ node } = this.push({ kind: 'transpose', axes }, [node], this.names.own(`${node}.transposed`)));
    }
    if (this.sidesAt(node).join() !== sides.join())
      ({ node } = this.push({ kind: 'reshape', shape: sides }, [node], this.names.own(`${node}.${suffix}`)));
    const out: Value = { ...value, node, order, sides };
    this.moved.set(key, out);
    return out;
  }
  private sidesAt(node: string): number[] {
    return this.sidesOf.get(node) ?? this.graph.inputShape;
  }

  /** Every axis but the batch, in ONNX's order. */
  protected plain(value: Value, keepBatch = false): Value {
    const axes = value.shape.map((_, axis) => axis).filter((axis) => keepBatch || axis !== value.batch);
    return this.arranged(value, axes);
  }

  /** [batch, channels, space …] with channels last; `rank`: spatial axes. */
  protected spatial(i: number, rank?: number): Value {
    const value = this.value(i);
    const space = value.shape.length - 2;
    if (value.shape.length < 3 || (rank !== undefined && space !== rank))
      this.refuse(
        `input ${i}: expected batch × channels × ${rank === 1 ? 'length' : rank === 3 ? 'depth × height × width' : 'height × width'}, got [${value.shape}]`,
      );
    return this.channelsLast(value);
  }

  protected channelsLast(value: Value): Value {
    const { shape } = value;
    if (shape[0] !== 1) this.refuse(`expected the samples at axis 0 of [${shape}]`);
    const axes = [...shape.slice(2).map((_, i) => i + 2), ...(shape.length > 1 ? [1] : [])];
    return this.arranged({ ...value, batch: 0 }, axes, 'image');
  }

  /** What a spatial operation gives, [1, channels, space …]. */
  protected fromSpace(made: { node: string; sides: number[] }): Value {
    const channels = made.sides.at(-1)!;
    const shape = [1, channels, ...made.sides.slice(0, -1)];
    const order = [...shape.slice(2).map((_, i) => i + 2), 1].filter((axis) => shape[axis]! > 1);
    return { ...made, shape, order, batch: 0 };
  }

  /**
   * Operands brought side by side by the rules of broadcasting: one order for all. Answers the nodes and what the result
   * is, but for its node.
   */
  protected aligned(operands: readonly Value[]): Omit<Value, 'node'> & { nodes: string[] } {
    const shape =
      broadcast(operands.map((each) => each.shape)) ??
      this.refuse(
        `expected shapes that broadcast, got ${operands.map((each) => `[${each.shape}]`).join(' and ')}`,
      );
    const rank = shape.length;
    const mapped = operands.map((each) => ({
      each,
      order: each.order.map((axis) => axis + rank - each.shape.length),
      batch: each.batch < 0 ? -1 : each.batch + rank - each.shape.length,
    }));
    const all = wide(shape);
    const lead = mapped.find(({ order }) => order.length === all.length) ?? {
      order: all,
      each: { sides: all.map((axis) => shape[axis]!) },
    };
    const { order } = lead;
    const batch = mapped.find((one) => one.batch >= 0 && shape[one.batch] === 1)?.batch ?? -1;
    // Where each of the leading operand's places stands among ONNX's axes; -1 for its axes of one place.
    let next = 0;
    const labels = lead.each.sides.map((side) => (side > 1 ? order[next++]! : -1));
    const nodes = mapped.map((one) => {
      const offset = rank - one.each.shape.length;
      const wanted = labels.map((axis) => (axis < offset ? -1 : axis - offset));
      const sides = wanted.map((axis) => (axis < 0 ? 1 : one.each.shape[axis]!));
      const strip = sides.findIndex((side) => side > 1);
      const short = strip < 0 ? [] : sides.slice(strip);
      const own = order.filter((axis) => one.order.includes(axis)).join();
      if (own === one.order.join() && [sides.join(), short.join()].includes(one.each.sides.join()))
        return one.each.node;
      const kept = wanted.filter((axis) => axis >= 0 && one.each.shape[axis]! > 1);
      const moved = this.arranged(one.each, kept);
      return moved.sides.join() === short.join()
        ? moved.node
        : this.push({ kind: 'reshape', shape: short }, [moved.node], this.names.own(`${moved.node}.image`))
            .node;
    });
    return { nodes, shape, order, batch, sides: labels.map((axis) => (axis < 0 ? 1 : shape[axis]!)) };
  }

  /** An operation of several values that broadcast. */
  protected joined(op: GraphOp, operands: readonly Value[], name: string): Value {
    const { nodes, ...out } = this.aligned(operands);
    return { ...out, ...this.push(op, nodes, name) };
  }

  /** A constant as it lies beside a value: its numbers in the value's order, its sides padded with 1 to the value's. */
  protected beside(value: Value, constant: Tensor): { data: Float32Array; sides: number[] } | null {
    const rank = value.shape.length;
    if (broadcast([value.shape, constant.shape])?.join() !== value.shape.join()) return null;
    const offset = rank - constant.shape.length;
    const own = value.order.filter((axis) => axis >= offset && constant.shape[axis - offset]! > 1);
    const rest = constant.shape.flatMap((side, axis) => (side > 1 ? [] : [axis]));
    const data = floats(transposed(constant, [...rest, ...own.map((axis) => axis - offset)]));
    let next = 0;
    const sides = value.sides.map((side) => {
      if (side <= 1) return 1;
      const axis = value.order[next++]!;
      return axis < offset ? 1 : constant.shape[axis - offset]!;
    });
    return { data, sides };
  }

  // Constants.

  /** Nodes of constants alone, and Shape of anything. Answers whether it was one. */
  protected folded(): boolean {
    const { op, inputs, outputs } = this.node;
    if (op === 'Shape' || op === 'Size') {
      const value = this.values.get(inputs[0] ?? '');
      if (value) {
        const shape = { data: new Float32Array(0), shape: value.shape, dtype: 'float32' as const };
        this.constants.set(outputs[0] ?? '', this.evaluated(op, [shape])[0]!);
        return true;
      }
    }
    if (!Object.hasOwn(FOLDS, op) || !inputs.length) return false;
    const list = inputs.map((name) => (name ? this.constants.get(name) : null));
    const like = op === 'CastLike' ? this.values.get(inputs[1] ?? '') : undefined;
    // Only what it holds counts.
    if (like) list[1] = { data: new Float32Array(0), shape: [], dtype: like.integer ? 'int64' : 'float32' };
    if (list.some((each) => each === undefined)) return false;
    const results = this.evaluated(op, list as (Tensor | null)[]);
    results.forEach((result, i) => {
      if (outputs[i]) this.constants.set(outputs[i]!, result);
    });
    return true;
  }

  protected evaluated(op: string, inputs: (Tensor | null)[]): Tensor[] {
    try {
      if (op === 'Expand' || op === 'ConstantOfShape')
        this.spend(4 * product(Array.from(numbersOf(inputs.at(-1)!))));
      const made = FOLDS[op]!(this.node, inputs, this.model.opset);
      const list = Array.isArray(made) ? made : [made];
      for (const each of list)
        if (!inputs.some((input) => input?.data === each.data)) this.spend(each.data.byteLength);
      return list;
    } catch (cause) {
      if (cause instanceof FoldError) return this.refuse(`of constants: ${cause.message}`);
      throw cause;
    }
  }

  /** One tensor may be read by many nodes: their copies stay within bounds. */
  protected spend(bytes: number): void {
    this.bytesLeft -= bytes;
    if (!(this.bytesLeft >= 0))
      this.refuse(
        `the weights of its nodes are more than ${MAX_ONNX_COPIES} times those of the file`,
        'format',
      );
  }

  protected store(name: string, data: Float32Array, shape: number[]): string {
    this.spend(data.byteLength);
    this.weights.set(name, { data, shape, dtype: 'float32' });
    return name;
  }

  protected vector(tensor: Tensor, length: number, what: string): Float32Array {
    const data = floats(tensor);
    if (data.length === 1 && length > 1) return new Float32Array(length).fill(data[0]!);
    if (data.length !== length || tensor.shape.filter((side) => side !== 1).length > 1)
      this.refuse(`${what}: expected ${length} values, got shape [${tensor.shape}]`, 'format');
    return data;
  }
}

export const isValue = (given: Value | Tensor): given is Value => 'node' in given;
