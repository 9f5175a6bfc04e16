import { EpochscopeError } from '@epochscope/core-wasm';
import type { OnnxModel, OnnxNode } from '../../../formats/onnx/index.js';
import type { Tensor } from '../../../formats/types.js';
import { shapeOf } from '../shapes.js';
import type { Graph, GraphNode, GraphOp } from '../types.js';
import { Names } from './names.js';
import { type Form, floats, type Sides, type Value } from './values.js';

/** Copies of weights that nodes make of the file's tensors: this many times their bytes … */
export const MAX_ONNX_COPIES = 4;
/** … or these bytes, whichever is more. */
export const MIN_ONNX_COPIES = 64_000_000;

/** What is known while a model is turned into a graph, and the ways to add to it. `node` is the ONNX node at hand. */
export abstract class Builder {
  protected readonly weights = new Map<string, Tensor>();
  protected readonly nodes: GraphNode[] = [];
  protected readonly values = new Map<string, Value>();
  protected readonly constants: Map<string, Tensor>;
  protected readonly sides = new Map<string, Sides>();
  protected readonly uses = new Map<string, number>();
  protected readonly names = new Names();
  protected readonly norms = new Map<string, number>();
  /** Constants that are added or multiplied: one that is a parameter would differ between snapshots. */
  protected readonly initializers = new Set<string>();
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
    for (const { inputs } of model.nodes)
      for (const name of inputs) this.uses.set(name, (this.uses.get(name) ?? 0) + 1);
  }

  protected readonly fail = (message: string): never => this.refuse(message);

  protected refuse(message: string, code: 'unsupported' | 'format' = 'unsupported'): never {
    const where = this.node ? `node ${this.node.name || this.node.outputs[0] || ''} (${this.node.op}): ` : '';
    throw new EpochscopeError(code, `${this.file}: ${where}${message}`, {
      file: this.file,
      node: this.node?.name,
    });
  }

  /** The value at an input; refused where a constant or nothing stands there. */
  protected value(i: number): Value {
    const name = this.node.inputs[i] ?? '';
    const value = this.values.get(name);
    if (value) return value;
    return this.constants.has(name) || this.sides.has(name)
      ? this.refuse(`input ${i}: expected what the net computes, got the constant ${name}`)
      : this.refuse(`input ${i}: no node before it gives ${JSON.stringify(name)}`, 'format');
  }

  protected constantAt(i: number, what: string): Tensor {
    const name = this.node.inputs[i] ?? '';
    return (
      this.constants.get(name) ?? this.refuse(`expected ${what} as a constant, got ${JSON.stringify(name)}`)
    );
  }

  /** An image; a pooled value is one of one pixel. */
  protected image(i: number): Value {
    const value = this.value(i);
    if (value.form === 'image') return value;
    if (value.form !== 'pooled') return this.refuse(`input ${i}: expected batch × channels × height × width`);
    const node = this.names.own(`${value.node}.image`);
    return this.push({ kind: 'reshape', shape: [1, 1, value.shape[0]!] }, [value], node, 'image');
  }

  protected push(op: GraphOp, inputs: Value[], name: string, form: Form): Value {
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

  protected put(op: GraphOp, inputs: Value[], form: Form, name = this.names.of(this.node)): void {
    this.values.set(this.node.outputs[0] ?? '', this.push(op, inputs, name, form));
  }

  /** An operation that keeps shape and layout. */
  protected same(op: GraphOp): void {
    const value = this.value(0);
    this.put(op, [value], value.form);
  }

  /** One tensor may be read by many nodes: their copies stay within bounds. */
  protected spend(bytes: number): void {
    this.bytesLeft -= bytes;
    if (this.bytesLeft < 0)
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
