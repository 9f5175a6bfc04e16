import { EpochscopeError, guard } from '@epochscope/core-wasm';
import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../backend.js';
import type { CompiledOp, LinearOp } from './ops/compiled.js';
import { opOf } from './ops/table.js';
import { shapesOf } from './shapes.js';
import { type Graph, type GraphNode, INPUT } from './types.js';

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/**
 * A graph on tfjs: runs it on samples, and linearises it at one. Holds the weights once until `dispose`. Not for two
 * jobs at a time: tfjs works in this thread.
 */
export class GraphRunner {
  /** Shape of each node's output for one sample, 'input' too. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  private readonly ops = new Map<string, CompiledOp>();

  /** Throws what `shapesOf` throws. */
  constructor(
    private readonly tf: Tf,
    readonly graph: Graph,
  ) {
    this.shapes = shapesOf(graph);
    for (const node of graph.nodes)
      this.ops.set(
        node.name,
        opOf(node.kind)!.compile(tf, node, {
          inputs: node.inputs.map((name) => [...this.shapes.get(name)!]),
          out: [...this.shapes.get(node.name)!],
          weight: (name) => {
            const { data, shape } = graph.weights.get(name)!;
            return { data: data as Float32Array, shape: [...shape] };
          },
        }),
      );
  }

  /** Values a node has for one sample. Throws `missing`, naming those there are. */
  sizeOf(name: string): number {
    const shape = this.shapes.get(name);
    if (!shape)
      throw new EpochscopeError(
        'missing',
        `the net has no layer ${name}; it has ${[...this.shapes.keys()].join(', ')}`,
        { layer: name },
      );
    return product(shape);
  }

  /**
   * Outputs of the named nodes (default: the last) on n samples, n × shape float32 each, in one pass. x: n × input shape.
   * Throws `shape`, `missing`.
   */
  run(x: Float32Array, n: number, names: readonly string[] = [this.last]): Map<string, Float32Array> {
    for (const name of names) this.sizeOf(name);
    const wanted = new Set(names);
    const kept = new Map<string, Float32Array>();
    this.pass(x, n, (name, value) => {
      if (!wanted.has(name)) return;
      const values = value.dataSync<'float32'>();
      if (value.shape[0] === n) kept.set(name, values.slice());
      else {
        // The same for every sample: it is held once.
        const all = new Float32Array(n * values.length);
        for (let i = 0; i < n; i++) all.set(values, i * values.length);
        kept.set(name, all);
      }
    });
    return new Map(names.map((name) => [name, kept.get(name)!]));
  }

  /** The linearisation at one sample; or at n, whose products then take one vector a sample. Dispose it. */
  at(x: Float32Array, n = 1): LinearisedGraph {
    const { tf } = this;
    const linear = new Map<string, LinearOp>();
    const outputs = new Map<string, Float32Array>();
    try {
      this.pass(x, n, (name, value, inputs) => {
        if (n === 1) outputs.set(name, value.dataSync<'float32'>().slice());
        if (inputs) linear.set(name, this.ops.get(name)!.at(inputs, value));
      });
    } catch (cause) {
      for (const op of linear.values()) op.dispose();
      throw cause;
    }
    return new LinearisedGraph(tf, this, linear, outputs, n);
  }

  dispose(): void {
    for (const op of this.ops.values()) op.dispose();
    this.ops.clear();
  }

  /** The net's output. */
  get last(): string {
    return this.graph.nodes[this.graph.nodes.length - 1]!.name;
  }

  /** Runs nodes in order, showing each value while it and its inputs are there; a value is freed after its last use. */
  private pass(
    x: Float32Array,
    n: number,
    see: (name: string, value: TfTensor, inputs: TfTensor[] | null) => void,
  ): void {
    const { tf, graph } = this;
    const expected = n * product(graph.inputShape);
    guard(
      x.length === expected,
      'shape',
      () => `expected ${n} samples of shape [${graph.inputShape}] (${expected} values), got ${x.length}`,
      { expected, got: x.length },
    );
    const values = new Map<string, TfTensor>();
    const uses = usesOf(graph);
    try {
      values.set(INPUT, tf.tensor(x, [n, ...graph.inputShape]));
      see(INPUT, values.get(INPUT)!, null);
      for (const node of graph.nodes) {
        const inputs = node.inputs.map((name) => values.get(name)!);
        const value = tf.tidy(() => this.ops.get(node.name)!.run(inputs));
        values.set(node.name, value);
        see(node.name, value, inputs);
        release(node, uses, values);
      }
    } finally {
      tf.dispose([...values.values()]);
    }
  }
}

/**
 * A graph's derivative at one sample, as products with blocks of vectors; or at n samples, with one vector for each of them. Exact for
 * this x: masks and pool indices are stored.
 */
export class LinearisedGraph {
  /** Bytes of tfjs's heap that one vector of a block takes at most while a product runs. */
  readonly bytesPerVector: number;

  constructor(
    private readonly tf: Tf,
    private readonly runner: GraphRunner,
    private readonly linear: ReadonlyMap<string, LinearOp>,
    /** Each node's output at x, 'input' too; none of several samples. */
    readonly outputs: ReadonlyMap<string, Float32Array>,
    private readonly samples: number,
  ) {
    this.bytesPerVector = 4 * [...runner.shapes.values()].reduce((sum, shape) => sum + product(shape), 0);
  }

  sizeOf(name: string): number {
    return this.runner.sizeOf(name);
  }

  /**
   * J·v for k vectors: v k × size(from), answer k × size(to), J the derivative of node `to` by node (or input) `from`; 0
   * where the one does not depend on the other. Cost: one pass of the net on k samples. Throws `shape`, `missing`.
   */
  jvp(v: Float32Array, k: number, from: string, to: string): Float32Array {
    const { tf, runner } = this;
    this.check(v, k, from, to);
    const { graph, shapes } = runner;
    const uses = usesOf(graph);
    const values = new Map<string, TfTensor>([[from, tf.tensor(v, [k, ...shapes.get(from)!])]]);
    // Both ends are needed to the end.
    uses.set(to, Number.POSITIVE_INFINITY);
    try {
      for (const node of graph.nodes) {
        if (values.has(to)) break;
        if (node.name !== from) {
          const inputs = node.inputs.map((name) => values.get(name) ?? null);
          if (inputs.some((input) => input !== null)) {
            const op = this.linear.get(node.name)!;
            values.set(
              node.name,
              tf.tidy(() => op.forward(inputs, k)),
            );
          }
        }
        release(node, uses, values);
      }
      return values.get(to)?.dataSync<'float32'>().slice() ?? new Float32Array(k * this.sizeOf(to));
    } finally {
      tf.dispose([...values.values()]);
    }
  }

  /** Jᵀ·u for k vectors: u k × size(to), answer k × size(from). As `jvp`. */
  vjp(u: Float32Array, k: number, from: string, to: string): Float32Array {
    let found: Float32Array | null = null;
    this.gradients(u, k, [from], to, (_, gradient) => {
      found = gradient.dataSync<'float32'>().slice();
    });
    return found ?? new Float32Array(k * this.sizeOf(from));
  }

  /**
   * Jᵀ·u of several nodes in one pass: `see` gets each of `from` that `to` depends on, from the net's end on, with its k × shape while it is
   * there. As `vjp`.
   */
  gradients(
    u: Float32Array,
    k: number,
    from: readonly string[],
    to: string,
    see: (name: string, gradient: TfTensor) => void,
  ): void {
    const { tf, runner } = this;
    const { graph, shapes } = runner;
    for (const name of from) this.check(u, k, to, name);
    const wanted = new Set(from);
    // Nothing has to flow back to what does not depend on any of them.
    const needed = new Set(from);
    for (const { name, inputs } of graph.nodes)
      if (inputs.some((input) => needed.has(input))) needed.add(name);
    const gradients = new Map<string, TfTensor>([[to, tf.tensor(u, [k, ...shapes.get(to)!])]]);
    try {
      for (let i = graph.nodes.length - 1; i >= 0 && wanted.size; i--) {
        const node = graph.nodes[i]!;
        const gradient = gradients.get(node.name);
        if (!gradient) continue;
        if (wanted.delete(node.name)) see(node.name, gradient);
        gradients.delete(node.name);
        const op = this.linear.get(node.name)!;
        const more = wanted.size && node.inputs.some((name) => needed.has(name));
        const parts = more ? tf.tidy(() => op.back(gradient, k)) : [];
        gradient.dispose();
        if (!more) continue;
        node.inputs.forEach((name, j) => {
          if (!needed.has(name)) {
            parts[j]?.dispose();
            return;
          }
          const before = gradients.get(name);
          if (!before) gradients.set(name, parts[j]!);
          else {
            gradients.set(name, tf.add(before, parts[j]!));
            tf.dispose([before, parts[j]!]);
          }
        });
      }
      const input = gradients.get(INPUT);
      if (input && wanted.has(INPUT)) see(INPUT, input);
    } finally {
      tf.dispose([...gradients.values()]);
    }
  }

  dispose(): void {
    for (const op of this.linear.values()) op.dispose();
  }

  private check(v: Float32Array, k: number, from: string, to: string): void {
    this.sizeOf(to);
    const expected = k * this.sizeOf(from);
    guard(
      Number.isInteger(k) && k > 0 && v.length === expected,
      'shape',
      () => `expected ${k} vectors of ${this.sizeOf(from)} values, got ${v.length}`,
      { expected, got: v.length },
    );
    const { samples } = this;
    guard(
      samples === 1 || k === samples,
      'shape',
      () => `expected ${samples} vectors, one a sample, got ${k}`,
      { expected: samples, got: k },
    );
  }
}

/** How many nodes still read each value. */
function usesOf(graph: Graph): Map<string, number> {
  const uses = new Map<string, number>();
  for (const { inputs } of graph.nodes) for (const name of inputs) uses.set(name, (uses.get(name) ?? 0) + 1);
  return uses;
}

function release(node: GraphNode, uses: Map<string, number>, values: Map<string, TfTensor>): void {
  for (const name of node.inputs) {
    const left = uses.get(name)! - 1;
    uses.set(name, left);
    if (left <= 0) {
      values.get(name)?.dispose();
      values.delete(name);
    }
  }
}
