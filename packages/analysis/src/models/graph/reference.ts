import { resizeMatrix } from './ops/resize.js';
import { shapesOf } from './shapes.js';
import type { Graph, GraphNode, NodeOf, Padding, Sides } from './types.js';
import { INPUT } from './types.js';

/**
 * Every node's value for one sample, by plain float64 loops: what `GraphRunner` is tested against. `set` gives values to
 * nodes instead of working them out (for differences).
 */
export function referenceRun(
  graph: Graph,
  x: Float64Array,
  set: ReadonlyMap<string, Float64Array> = new Map(),
): Map<string, Float64Array> {
  const shapes = shapesOf(graph);
  const values = new Map<string, Float64Array>([[INPUT, set.get(INPUT) ?? x]]);
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => values.get(name)!);
    const sides = node.inputs.map((name) => shapes.get(name)!);
    values.set(node.name, set.get(node.name) ?? outputOf(graph, node, inputs, sides, shapes.get(node.name)!));
  }
  return values;
}

function outputOf(
  graph: Graph,
  node: GraphNode,
  inputs: Float64Array[],
  sides: number[][],
  out: number[],
): Float64Array {
  const [x] = inputs as [Float64Array];
  const [side] = sides as [number[]];
  const w = (name: string) => graph.weights.get(name)!.data as Float32Array;
  const last = side?.[side.length - 1] ?? 1;
  const tensor = (name: string) => {
    const { data, shape } = graph.weights.get(name)!;
    return { data: data as Float32Array, shape: [...shape] };
  };
  switch (node.kind) {
    case 'dense': {
      const units = out[out.length - 1]!;
      return Float64Array.from({ length: (x.length / last) * units }, (_, p) => {
        const row = Math.floor(p / units) * last;
        let sum = node.bias ? w(node.bias)[p % units]! : 0;
        for (let i = 0; i < last; i++) sum += x[row + i]! * w(node.kernel)[i * units + (p % units)]!;
        return sum;
      });
    }
    case 'conv1d':
    case 'conv2d':
    case 'conv3d': {
      const y = biased(out, node.bias ? w(node.bias) : null);
      eachTap(node, side, out, tensor(node.kernel), (from, to, weight) => {
        y[to]! += x[from]! * weight;
      });
      return y;
    }
    case 'conv1d-transpose':
    case 'conv2d-transpose':
    case 'conv3d-transpose': {
      // Each weight takes back what the convolution of the same strides would give.
      const y = biased(out, node.bias ? w(node.bias) : null);
      eachTap(node, out, side, tensor(node.kernel), (from, to, weight) => {
        y[from]! += x[to]! * weight;
      });
      return y;
    }
    case 'local-response-norm': {
      const reach = (node.size - 1) / 2;
      return x.map((value, p) => {
        const c = p % last;
        let sum = 0;
        for (let q = Math.max(0, c - reach); q <= Math.min(last - 1, c + reach); q++)
          sum += x[p - c + q]! ** 2;
        return value * (node.bias + (node.alpha / node.size) * sum) ** -node.beta;
      });
    }
    case 'max-pool':
    case 'average-pool': {
      const y = new Float64Array(product(out));
      let p = 0;
      for (const place of places(out)) {
        const seen: number[] = [];
        for (const offset of places(node.size)) {
          const at = under(place, offset, side, node, 1);
          if (at >= 0) seen.push(x[at + place[place.length - 1]!]!);
        }
        const sum = seen.reduce((a, b) => a + b, 0);
        y[p++] =
          node.kind === 'max-pool'
            ? Math.max(...seen)
            : sum / (node.countPadding ? product(node.size) : seen.length);
      }
      return y;
    }
    case 'global-average-pool':
      return Float64Array.from({ length: last }, (_, c) => {
        let sum = 0;
        for (let p = c; p < x.length; p += last) sum += x[p]!;
        return (sum * last) / x.length;
      });
    case 'batch-norm':
      return x.map((value, p) => value * w(node.scale)[p % last]! + w(node.offset)[p % last]!);
    case 'layer-norm': {
      const y = new Float64Array(x.length);
      for (let row = 0; row < x.length; row += last) {
        const values = x.subarray(row, row + last);
        const mean = values.reduce((sum, value) => sum + value, 0) / last;
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / last;
        for (let i = 0; i < last; i++)
          y[row + i] =
            ((values[i]! - mean) / Math.sqrt(variance + node.epsilon)) * w(node.scale)[i]! +
            w(node.offset)[i]!;
      }
      return y;
    }
    case 'rms-norm': {
      const y = new Float64Array(x.length);
      for (let row = 0; row < x.length; row += last) {
        const values = x.subarray(row, row + last);
        const root = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / last + node.epsilon);
        for (let i = 0; i < last; i++) y[row + i] = (values[i]! / root) * w(node.scale)[i]!;
      }
      return y;
    }
    case 'group-norm': {
      const y = new Float64Array(x.length);
      const width = last / node.groups;
      for (let g = 0; g < node.groups; g++) {
        const mine = [...x.keys()].filter((p) => Math.floor((p % last) / width) === g);
        const mean = mine.reduce((sum, p) => sum + x[p]!, 0) / mine.length;
        const variance = mine.reduce((sum, p) => sum + (x[p]! - mean) ** 2, 0) / mine.length;
        for (const p of mine)
          y[p] =
            ((x[p]! - mean) / Math.sqrt(variance + node.epsilon)) *
              (node.scale ? w(node.scale)[p % last]! : 1) +
            (node.offset ? w(node.offset)[p % last]! : 0);
      }
      return y;
    }
    case 'prelu':
      return x.map((value, p) => (value > 0 ? value : value * w(node.slope)[p % w(node.slope).length]!));
    case 'constant':
      return Float64Array.from(w(node.value));
    case 'embedding': {
      const [, width] = tensor(node.table).shape as [number, number];
      return Float64Array.from(
        { length: x.length * width },
        (_, p) => w(node.table)[x[Math.floor(p / width)]! * width + (p % width)]!,
      );
    }
    case 'matmul': {
      const turn = (values: Float64Array, shape: number[], yes?: boolean): [Float64Array, number[]] => {
        if (!yes) return [values, shape];
        const to = [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];
        return [gathered(values, shape, to, (at) => [...at.slice(0, -2), at.at(-1)!, at.at(-2)!]), to];
      };
      const [a, sideA] = turn(x, side, node.transposeA);
      const [b, sideB] = turn(inputs[1]!, sides[1]!, node.transposeB);
      const inner = sideA.at(-1)!;
      const y = new Float64Array(product(out));
      let p = 0;
      for (const at of places(out)) {
        for (let k = 0; k < inner; k++)
          y[p]! +=
            a[index([...at.slice(0, -1), k], sideA)]! * b[index([...at.slice(0, -2), k, at.at(-1)!], sideB)]!;
        p++;
      }
      return y;
    }
    case 'add':
    case 'multiply':
    case 'subtract':
    case 'divide':
    case 'maximum':
    case 'minimum':
    case 'greater':
    case 'greater-equal':
    case 'less':
    case 'less-equal':
    case 'equal':
    case 'select': {
      const y = new Float64Array(product(out));
      let p = 0;
      for (const at of places(out))
        y[p++] = combined(
          node.kind,
          inputs.map((values, i) => values[index(at, sides[i]!)]!),
        );
      return y;
    }
    case 'where': {
      const mask = tensor(node.mask);
      const y = new Float64Array(product(out));
      let p = 0;
      for (const at of places(out))
        y[p++] = mask.data[index(at, mask.shape)] ? x[index(at, side)]! : inputs[1]![index(at, sides[1]!)]!;
      return y;
    }
    case 'mean':
    case 'sum':
    case 'max':
    case 'min':
    case 'l2': {
      const groups = new Map<number, number[]>();
      const kept = side.map((s, axis) => (node.axes.includes(axis) ? 1 : s));
      let p = 0;
      for (const at of places(side)) {
        const key = index(at, kept);
        groups.set(key, [...(groups.get(key) ?? []), x[p++]!]);
      }
      return Float64Array.from(
        [...groups.keys()].sort((a, b) => a - b),
        (key) => {
          const values = groups.get(key)!;
          const sum = values.reduce((a, b) => a + b, 0);
          if (node.kind === 'max') return Math.max(...values);
          if (node.kind === 'min') return Math.min(...values);
          if (node.kind === 'l2') return Math.hypot(...values);
          return node.kind === 'sum' ? sum : sum / values.length;
        },
      );
    }
    case 'transpose':
      return gathered(x, side, out, (at) => {
        const from = new Array<number>(at.length);
        node.axes.forEach((axis, i) => {
          from[axis] = at[i]!;
        });
        return from;
      });
    case 'slice':
      return gathered(x, side, out, (at) => at.map((place, i) => place + node.begin[i]!));
    case 'take':
      return gathered(x, side, out, (at) =>
        at.map((place, i) => (i === node.axis ? node.indices[place]! : place)),
      );
    case 'expand':
      return gathered(x, side, out, (at) => at);
    case 'resize':
      return node.axes.reduce(
        ([values, shape], axis, i): [Float64Array, number[]] => {
          const matrix = resizeMatrix(node, i, shape[axis]!);
          const to = shape.map((s, j) => (j === axis ? node.sizes[i]! : s));
          const y = new Float64Array(product(to));
          let p = 0;
          for (const at of places(to)) {
            for (let k = 0; k < shape[axis]!; k++) {
              const from = at.map((place, j) => (j === axis ? k : place));
              y[p]! += matrix[at[axis]! * shape[axis]! + k]! * values[index(from, shape)]!;
            }
            p++;
          }
          return [y, to];
        },
        [x, side] as [Float64Array, number[]],
      )[0];
    case 'lstm':
    case 'gru':
    case 'rnn':
      return recurred(node, x, side, out, w);
    case 'softmax':
    case 'log-softmax': {
      const y = new Float64Array(x.length);
      const mask = node.mask ? tensor(node.mask) : null;
      let p = 0;
      const scores = mask ? x.slice() : x;
      if (mask) for (const at of places(side)) scores[p++]! += mask.data[index(at, mask.shape)]!;
      for (let row = 0; row < x.length; row += last) {
        const most = Math.max(...scores.subarray(row, row + last));
        let sum = 0;
        for (let i = row; i < row + last; i++) sum += Math.exp(scores[i]! - most);
        for (let i = row; i < row + last; i++)
          y[i] =
            node.kind === 'softmax' ? Math.exp(scores[i]! - most) / sum : scores[i]! - most - Math.log(sum);
      }
      return y;
    }
    case 'pad': {
      const y = new Float64Array(product(out)).fill(node.value ?? 0);
      let p = 0;
      for (const at of places(side))
        y[
          index(
            at.map((place, i) => place + (node.padding[2 * i] ?? 0)),
            out,
          )
        ] = x[p++]!;
      return y;
    }
    case 'flatten-channels-first':
      return Float64Array.from({ length: x.length }, (_, p) => {
        const area = side[0]! * side[1]!;
        return x[(p % area) * last + Math.floor(p / area)]!;
      });
    case 'concat': {
      const axis = node.axis ?? side.length - 1;
      const y = new Float64Array(product(out));
      let begin = 0;
      inputs.forEach((values, i) => {
        let p = 0;
        for (const at of places(sides[i]!))
          y[
            index(
              at.map((place, j) => (j === axis ? place + begin : place)),
              out,
            )
          ] = values[p++]!;
        begin += sides[i]![axis]!;
      });
      return y;
    }
    case 'identity':
    case 'flatten':
    case 'reshape':
      return x.slice();
    default:
      return x.map((value) => mapped(node, value));
  }
}

/** Kinds that map each value by itself. */
function mapped(node: GraphNode, x: number): number {
  const clip = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
  switch (node.kind) {
    case 'relu':
      return Math.max(0, x);
    case 'leaky-relu':
      return x > 0 ? x : node.slope * x;
    case 'clip':
      return clip(x, node.min, node.max);
    case 'sigmoid':
      return 1 / (1 + Math.exp(-x));
    case 'hard-sigmoid':
      return clip(node.alpha * x + node.beta, 0, 1);
    case 'tanh':
      return Math.tanh(x);
    case 'erf':
      return erf(x);
    case 'elu':
      return node.factor * (x > 0 ? x : node.alpha * Math.expm1(x / (node.width ?? 1)));
    case 'softplus':
      return Math.log1p(Math.exp(x));
    case 'gelu':
      return (x * (1 + erf(x / Math.SQRT2))) / 2;
    case 'gelu-tanh':
      return (x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))) / 2;
    case 'silu':
      return x / (1 + Math.exp(-x));
    case 'hard-swish':
      return x * clip(x / 6 + 0.5, 0, 1);
    case 'mish':
      return x * Math.tanh(Math.log1p(Math.exp(x)));
    case 'softsign':
      return x / (1 + Math.abs(x));
    case 'abs':
      return Math.abs(x);
    case 'negative':
      return -x;
    case 'exp':
      return Math.exp(x);
    case 'log':
      return Math.log(x);
    case 'sqrt':
      return Math.sqrt(x);
    case 'reciprocal':
      return 1 / x;
    case 'sin':
      return Math.sin(x);
    case 'cos':
      return Math.cos(x);
    case 'sign':
      return Math.sign(x);
    case 'floor':
      return Math.floor(x);
    case 'ceil':
      return Math.ceil(x);
    case 'round':
      return Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x);
    case 'power':
      return x ** node.exponent;
    default:
      throw new TypeError(`no reference for ${node.kind}`);
  }
}

/** 2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (2n + 1)!!, whose terms are all of one sign. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Every place of a shape, in row-major order. */
function* places(shape: readonly number[]): Generator<number[]> {
  for (let p = 0; p < product(shape); p++) {
    let rest = p;
    const at = new Array<number>(shape.length);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    yield at;
  }
}

/** Where a place lies in a shape that broadcasts to that place's. */
function index(at: readonly number[], shape: readonly number[]): number {
  const offset = at.length - shape.length;
  return shape.reduce((sum, side, axis) => sum * side + (side === 1 ? 0 : at[axis + offset]!), 0);
}

function gathered(
  x: Float64Array,
  side: readonly number[],
  out: readonly number[],
  from: (at: number[]) => number[],
): Float64Array {
  const y = new Float64Array(product(out));
  let p = 0;
  for (const at of places(out)) y[p++] = x[index(from(at), side)]!;
  return y;
}

/** Where the values under a window's entry start; −1 in the padding. */
function under(
  place: readonly number[],
  offset: readonly number[],
  side: readonly number[],
  { strides, padding }: { strides: Sides; padding: Padding },
  dilation: number | Sides,
): number {
  let at = 0;
  for (const [axis, step] of offset.entries()) {
    const by = typeof dilation === 'number' ? dilation : dilation[axis]!;
    const own = place[axis]! * strides[axis]! - padding[2 * axis]! + step * by;
    if (own < 0 || own >= side[axis]!) return -1;
    at = at * side[axis]! + own;
  }
  return at * side[side.length - 1]!;
}

/** An output before its sums: the bias of each channel, the last side. */
function biased(out: readonly number[], bias: Float32Array | null): Float64Array {
  const channels = out[out.length - 1]!;
  return Float64Array.from({ length: product(out) }, (_, p) => (bias ? bias[p % channels]! : 0));
}

type Kernel = { data: Float32Array; shape: readonly number[] };

/** Every weight of a convolution: which number of the input it takes, to which of the output. */
function eachTap(
  node: { strides: Sides; padding: Padding; dilations: Sides; groups: number },
  side: readonly number[],
  out: readonly number[],
  kernel: Kernel,
  tap: (from: number, to: number, weight: number) => void,
): void {
  const rank = side.length - 1;
  const [inner, filters] = kernel.shape.slice(rank) as [number, number];
  let p = 0;
  for (const place of places(out)) {
    const f = place[rank]!;
    const first = Math.floor(f / (filters / node.groups)) * inner;
    let entry = 0;
    for (const offset of places(kernel.shape.slice(0, rank))) {
      const at = under(place, offset, side, node, node.dilations);
      if (at >= 0)
        for (let c = 0; c < inner; c++)
          tap(at + first + c, p, kernel.data[(entry * inner + c) * filters + f]!);
      entry++;
    }
    p++;
  }
}

function combined(kind: GraphNode['kind'], values: number[]): number {
  const [a, b, c] = values as [number, number, number];
  switch (kind) {
    case 'add':
      return values.reduce((sum, value) => sum + value, 0);
    case 'multiply':
      return a * b;
    case 'subtract':
      return a - b;
    case 'divide':
      return a / b;
    case 'maximum':
      return Math.max(a, b);
    case 'minimum':
      return Math.min(a, b);
    case 'greater':
      return Number(a > b);
    case 'greater-equal':
      return Number(a >= b);
    case 'less':
      return Number(a < b);
    case 'less-equal':
      return Number(a <= b);
    case 'equal':
      return Number(a === b);
    default:
      return a ? b : c;
  }
}

/** The recurrences, one number after the other. */
function recurred(
  node: NodeOf<'lstm' | 'gru' | 'rnn'>,
  x: Float64Array,
  [steps, width]: number[],
  [, units]: number[],
  w: (name: string) => Float32Array,
): Float64Array {
  const y = new Float64Array(steps! * units!);
  const all = w(node.bias).length;
  const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));
  let h = new Float64Array(units!);
  let c = new Float64Array(units!);
  for (let s = 0; s < steps!; s++) {
    const t = node.reverse ? steps! - 1 - s : s;
    const given = (g: number) => {
      let sum = w(node.bias)[g]!;
      for (let i = 0; i < width!; i++) sum += x[t * width! + i]! * w(node.kernel)[i * all + g]!;
      return sum;
    };
    const back = (g: number, state: Float64Array) => {
      let sum = w(node.recurrentBias)[g]!;
      for (let i = 0; i < units!; i++) sum += state[i]! * w(node.recurrent)[i * all + g]!;
      return sum;
    };
    const next = new Float64Array(units!);
    const cell = new Float64Array(units!);
    const reset = Float64Array.from({ length: units! }, (_, j) =>
      node.kind === 'gru' ? sigmoid(given(units! + j) + back(units! + j, h)) : 0,
    );
    const before = h.map((value, j) => value * reset[j]!);
    for (let j = 0; j < units!; j++) {
      const sum = (gate: number) => given(gate * units! + j) + back(gate * units! + j, h);
      if (node.kind === 'rnn') next[j] = Math.tanh(sum(0));
      else if (node.kind === 'lstm') {
        cell[j] = sigmoid(sum(2)) * c[j]! + sigmoid(sum(0)) * Math.tanh(sum(3));
        next[j] = sigmoid(sum(1)) * Math.tanh(cell[j]!);
      } else {
        const z = sigmoid(sum(0));
        const g = 2 * units! + j;
        const inner = node.resetAfter === false ? back(g, before) : reset[j]! * back(g, h);
        next[j] = (1 - z) * Math.tanh(given(g) + inner) + z * h[j]!;
      }
    }
    [h, c] = [next, cell];
    y.set(h, t * units!);
  }
  return y;
}
