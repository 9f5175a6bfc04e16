import type { OnnxModel, OnnxNode } from '../../../formats/onnx/index.js';
import { addTo } from '../../../grouped.js';
import { numbers } from './attributes.js';
import { numbersOf } from './values.js';

// What older exporters spell out in many nodes, as the one operator that it is.

/**
 * The nodes with layer normalisation (nine nodes), RMS normalisation, group normalisation as PyTorch spells it, and in
 * nets with attention or embeddings GELU, as one node each. Others stay as they are, in order.
 */
export function fused(model: OnnxModel): OnnxNode[] {
  return new Fuser(model).run();
}

class Fuser {
  private readonly by = new Map<string, OnnxNode>();
  private readonly readers = new Map<string, OnnxNode[]>();
  private readonly gone = new Set<OnnxNode>();
  private readonly instead = new Map<OnnxNode, OnnxNode>();
  private readonly ends: Set<string>;

  constructor(private readonly model: OnnxModel) {
    this.ends = new Set(model.outputs.map(({ name }) => name));
    for (const node of model.nodes) {
      for (const output of node.outputs) if (output) this.by.set(output, node);
      for (const input of node.inputs) addTo(this.readers, input, node);
    }
  }

  run(): OnnxNode[] {
    const { nodes } = this.model;
    const tokens = this.hasTokens();
    for (const node of nodes) {
      if (node.op === 'Sqrt') this.layerNorm(node) || this.rmsNorm(node);
      else if (node.op === 'InstanceNormalization') this.groupNorm(node);
      else if (node.op === 'Erf' && tokens) this.gelu(node);
      else if (node.op === 'Tanh' && tokens) this.geluTanh(node);
    }
    return nodes.filter((node) => !this.gone.has(node)).map((node) => this.instead.get(node) ?? node);
  }

  /** Attention, embeddings, or linear layers beside convolutions: nets in which GELU is one layer. */
  private hasTokens(): boolean {
    const { nodes, tensors } = this.model;
    const products = nodes.filter(({ op }) => op === 'MatMul');
    const ids = new Set(
      this.model.inputs.filter(({ dtype }) => /int/.test(dtype ?? '')).map(({ name }) => name),
    );
    return (
      (products.length > 0 && nodes.some(({ op }) => op === 'Conv')) ||
      products.some(({ inputs }) =>
        inputs.every((name) => this.by.has(name) && !this.isTurnedWeight(name)),
      ) ||
      nodes.some(
        ({ op, inputs }) => op === 'Gather' && tensors.has(inputs[0] ?? '') && ids.has(inputs[1] ?? ''),
      )
    );
  }
  private isTurnedWeight(name: string): boolean {
    const node = this.by.get(name);
    return Boolean(
      node && ['Transpose', 'Constant'].includes(node.op) && !node.inputs.some((input) => this.by.has(input)),
    );
  }

  /** The one reader of a node's output, where it is of this kind. */
  private next(node: OnnxNode, op: string): OnnxNode | null {
    const [name] = node.outputs;
    const readers = this.readers.get(name ?? '') ?? [];
    return readers.length === 1 && readers[0]!.op === op && !this.ends.has(name!) ? readers[0]! : null;
  }

  /** The node that gives an input, where it is of this kind. */
  private before(node: OnnxNode, i: number, op: string): OnnxNode | null {
    const found = this.by.get(node.inputs[i] ?? '');
    return found?.op === op ? found : null;
  }

  /** One number that a name stands for; null for others. */
  private number(name: string | undefined): number | null {
    const tensor = this.model.tensors.get(name ?? '');
    if (tensor) return tensor.data.length === 1 ? numbersOf(tensor)[0]! : null;
    const node = this.by.get(name ?? '');
    if (node?.op !== 'Constant') return null;
    for (const attribute of node.attributes.values()) {
      if (attribute.kind === 'number') return attribute.value;
      if (attribute.kind === 'tensor' && attribute.value.data.length === 1)
        return numbersOf(attribute.value)[0]!;
    }
    return null;
  }

  /** The other input of a node of two, where one is this number (to float32's digits). */
  private besides(node: OnnxNode | null, value: number): string | null {
    if (node?.inputs.length !== 2) return null;
    for (const [i, name] of node.inputs.entries()) {
      const given = this.number(name);
      if (given !== null && Math.abs(given - value) <= 1e-6 * Math.abs(value)) return node.inputs[1 - i]!;
    }
    return null;
  }

  /** The number that stands beside another input. */
  private constantOf(node: OnnxNode): number | null {
    return this.number(node.inputs[1]) ?? this.number(node.inputs[0]);
  }

  /** A parameter, by itself or turned into a constant. */
  private parameter(node: OnnxNode | null, other: string): string | null {
    const name = node?.inputs.find((input) => input !== other);
    return name && (this.model.tensors.has(name) || this.by.get(name)?.op === 'Constant') ? name : null;
  }

  private isLastAxis(mean: OnnxNode | null): boolean {
    if (mean?.op !== 'ReduceMean') return false;
    const axes = numbers(mean, 'axes');
    return axes ? axes.join() === '-1' : this.number(mean.inputs[1]) === -1;
  }

  private replace(parts: (OnnxNode | null)[], last: OnnxNode, made: Partial<OnnxNode>): true {
    for (const part of parts) if (part && part !== last) this.drop(part);
    this.instead.set(last, {
      name: last.name,
      domain: '',
      op: '',
      inputs: [],
      attributes: new Map(),
      ...made,
      outputs: [last.outputs[0]!],
    });
    return true;
  }

  /** Gone, unless something else reads it too. */
  private drop(node: OnnxNode): void {
    const [name] = node.outputs;
    const readers = this.readers.get(name ?? '') ?? [];
    if (
      !this.ends.has(name!) &&
      readers.every((reader) => this.gone.has(reader) || this.instead.has(reader) || this.pending.has(reader))
    )
      this.gone.add(node);
  }
  private pending = new Set<OnnxNode>();

  private take(parts: (OnnxNode | null)[], last: OnnxNode, made: Partial<OnnxNode>): true {
    this.pending = new Set(parts.filter((part): part is OnnxNode => part !== null));
    this.pending.add(last);
    const done = this.replace(parts, last, made);
    this.pending = new Set();
    return done;
  }

  /** (x − mean) / √(mean of (x − mean)² + ε) · γ + β, from its square root. */
  private layerNorm(root: OnnxNode): boolean {
    const add = this.before(root, 0, 'Add');
    const variance = add && (this.before(add, 0, 'ReduceMean') ?? this.before(add, 1, 'ReduceMean'));
    const power = variance && (this.before(variance, 0, 'Pow') ?? this.before(variance, 0, 'Mul'));
    const centred = power && this.before(power, 0, 'Sub');
    const mean = centred && this.before(centred, 1, 'ReduceMean');
    const divide = this.next(root, 'Div');
    if (!add || !power || !centred || !divide || !this.isLastAxis(variance) || !this.isLastAxis(mean))
      return false;
    const squared =
      power.op === 'Mul' ? power.inputs[0] === power.inputs[1] : this.number(power.inputs[1]) === 2;
    const epsilon = this.constantOf(add);
    if (!squared || epsilon === null || divide.inputs[0] !== centred.outputs[0]) return false;
    if (mean!.inputs[0] !== centred.inputs[0]) return false;
    const times = this.next(divide, 'Mul');
    const gamma = this.parameter(times, divide.outputs[0]!);
    const plus = gamma ? this.next(times!, 'Add') : null;
    const beta = gamma ? this.parameter(plus, times!.outputs[0]!) : null;
    const last = beta ? plus! : gamma ? times! : divide;
    const parts = [
      mean,
      centred,
      power,
      variance,
      add,
      root,
      divide,
      gamma ? times : null,
      beta ? plus : null,
    ];
    return this.take(parts, last, {
      op: 'LayerNormalization',
      inputs: [centred.inputs[0]!, ...(gamma ? [gamma] : []), ...(beta ? [beta] : [])],
      attributes: new Map([['epsilon', { kind: 'number', value: epsilon }]]),
    });
  }

  /** x / √(mean of x² + ε) · γ. */
  private rmsNorm(root: OnnxNode): boolean {
    const add = this.before(root, 0, 'Add');
    const square = add && (this.before(add, 0, 'ReduceMean') ?? this.before(add, 1, 'ReduceMean'));
    const power = square && (this.before(square, 0, 'Pow') ?? this.before(square, 0, 'Mul'));
    if (!add || !power || !this.isLastAxis(square)) return false;
    const squared =
      power.op === 'Mul' ? power.inputs[0] === power.inputs[1] : this.number(power.inputs[1]) === 2;
    const epsilon = this.constantOf(add);
    const x = power.inputs[0]!;
    const inverse = this.next(root, 'Reciprocal') ?? this.next(root, 'Div');
    if (!squared || epsilon === null || !inverse) return false;
    // 1 / √ · x, or x / √.
    const direct = inverse.op === 'Div' && inverse.inputs[0] === x;
    if (inverse.op === 'Div' && !direct && this.number(inverse.inputs[0]) !== 1) return false;
    const product = direct ? inverse : this.next(inverse, 'Mul');
    if (!product?.inputs.includes(x)) return false;
    const times = this.next(product, 'Mul');
    const gamma = this.parameter(times, product.outputs[0]!);
    const last = gamma ? times! : product;
    return this.take([power, square, add, root, inverse, product, gamma ? times : null], last, {
      op: 'RMSNormalization',
      inputs: [x, ...(gamma ? [gamma] : [])],
      attributes: new Map([['epsilon', { kind: 'number', value: epsilon }]]),
    });
  }

  /** Reshape to [batch, groups, −1], instance normalisation by 1 and 0, reshape back: PyTorch's group normalisation. */
  private groupNorm(node: OnnxNode): void {
    const to = this.before(node, 0, 'Reshape');
    const back = this.next(node, 'Reshape');
    const shape = this.list(to?.inputs[1]);
    if (!to || !back || shape?.length !== 3 || shape[2] !== -1) return;
    const [ones, zeros] = [this.list(node.inputs[1]), this.list(node.inputs[2])];
    if (!ones?.every((value) => value === 1) || !zeros?.every((value) => value === 0)) return;
    this.take([to, node, back], back, {
      op: 'GroupNormalization',
      inputs: [to.inputs[0]!],
      attributes: new Map([
        ['num_groups', { kind: 'number', value: ones.length }],
        ['epsilon', node.attributes.get('epsilon') ?? { kind: 'number', value: 1e-5 }],
      ]),
    });
  }

  private list(name: string | undefined): number[] | null {
    const tensor = this.model.tensors.get(name ?? '');
    if (tensor) return Array.from(numbersOf(tensor));
    const node = this.by.get(name ?? '');
    for (const attribute of node?.op === 'Constant' ? node.attributes.values() : []) {
      if (attribute.kind === 'tensor') return Array.from(numbersOf(attribute.value));
      if (attribute.kind === 'numbers') return attribute.value;
    }
    return null;
  }

  /** x · ½ · (1 + erf(x / √2)), in any order. */
  private gelu(node: OnnxNode): void {
    const by = this.before(node, 0, 'Div') ?? this.before(node, 0, 'Mul');
    const x = by && this.besides(by, by.op === 'Div' ? Math.SQRT2 : Math.SQRT1_2);
    const plus = this.next(node, 'Add');
    if (x && plus && this.besides(plus, 1)) this.halves(x, plus, [by, node, plus], 'none');
  }

  /** x · ½ · (1 + tanh(√(2/π) · (x + 0.044715 x³))). */
  private geluTanh(node: OnnxNode): void {
    const by = this.before(node, 0, 'Mul');
    const inner = by && this.by.get(this.besides(by, Math.sqrt(2 / Math.PI)) ?? '');
    const cube = inner?.op === 'Add' ? (this.before(inner, 1, 'Mul') ?? this.before(inner, 0, 'Mul')) : null;
    const power = cube && this.by.get(this.besides(cube, 0.044715) ?? '');
    const plus = this.next(node, 'Add');
    if (power?.op !== 'Pow' || this.number(power.inputs[1]) !== 3 || !plus || !this.besides(plus, 1)) return;
    const x = power.inputs[0]!;
    if (inner!.inputs.includes(x)) this.halves(x, plus, [power, cube!, inner!, by, node, plus], 'tanh');
  }

  private halves(x: string, plus: OnnxNode, parts: (OnnxNode | null)[], approximate: string): void {
    const times = this.next(plus, 'Mul');
    if (!times) return;
    const made = {
      op: 'Gelu',
      inputs: [x],
      attributes: new Map([['approximate', { kind: 'text', value: approximate } as const]]),
    };
    const other = times.inputs.find((name) => name !== plus.outputs[0])!;
    const half = this.by.get(other);
    if (other === x) {
      // x · (1 + …), then halved.
      const last = this.next(times, 'Mul');
      if (last && this.besides(last, 0.5)) this.take([...parts, times, last], last, made);
    } else if (half?.op === 'Mul' && this.besides(half, 0.5) === x)
      this.take([...parts, half, times], times, made);
    else if (this.besides(times, 0.5)) {
      const last = this.next(times, 'Mul');
      if (last?.inputs.includes(x)) this.take([...parts, times, last], last, made);
    }
  }
}
