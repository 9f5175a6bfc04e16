import { shapesOf, windowed } from './shapes.js';
import type { Graph, GraphNode, Padding, Pair } from './types.js';
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
  const last = side[side.length - 1]!;
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
    case 'conv2d': {
      const [h, wide, inner, filters] = graph.weights.get(node.kernel)!.shape as number[];
      const y = new Float64Array(out[0]! * out[1]! * filters!);
      for (let r = 0, p = 0; r < out[0]!; r++)
        for (let q = 0; q < out[1]!; q++)
          for (let f = 0; f < filters!; f++, p++) {
            const first = Math.floor(f / (filters! / node.groups)) * inner!;
            y[p] = node.bias ? w(node.bias)[f]! : 0;
            for (let dy = 0; dy < h!; dy++)
              for (let dx = 0; dx < wide!; dx++) {
                const at = pixel(side, r, q, dy * node.dilations[0], dx * node.dilations[1], node);
                if (at < 0) continue;
                for (let c = 0; c < inner!; c++)
                  y[p]! +=
                    x[at + first + c]! * w(node.kernel)[((dy * wide! + dx) * inner! + c) * filters! + f]!;
              }
          }
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
      const channels = side[2]!;
      const [rows, columns] = [
        windowed(side[0]!, node.padding[0], node.padding[1], node.size[0], node.strides[0]),
        windowed(side[1]!, node.padding[2], node.padding[3], node.size[1], node.strides[1]),
      ];
      return Float64Array.from({ length: rows * columns * channels }, (_, p) => {
        const c = p % channels;
        const q = Math.floor(p / channels) % columns;
        const r = Math.floor(p / channels / columns);
        const seen: number[] = [];
        for (let dy = 0; dy < node.size[0]; dy++)
          for (let dx = 0; dx < node.size[1]; dx++) {
            const at = pixel(side, r, q, dy, dx, node);
            if (at >= 0) seen.push(x[at + c]!);
          }
        if (node.kind === 'max-pool') return Math.max(...seen);
        const sum = seen.reduce((a, b) => a + b, 0);
        return sum / (node.countPadding ? node.size[0] * node.size[1] : seen.length);
      });
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
    case 'multiply': {
      const [a, b] = x.length >= inputs[1]!.length ? [x, inputs[1]!] : [inputs[1]!, x];
      return a.map((value, p) => value * b[p % b.length]!);
    }
    case 'softmax':
    case 'log-softmax': {
      const y = new Float64Array(x.length);
      for (let row = 0; row < x.length; row += last) {
        let sum = 0;
        for (let i = row; i < row + last; i++) sum += Math.exp(x[i]!);
        for (let i = row; i < row + last; i++)
          y[i] = node.kind === 'softmax' ? Math.exp(x[i]!) / sum : x[i]! - Math.log(sum);
      }
      return y;
    }
    case 'pad': {
      const y = new Float64Array(out[0]! * out[1]! * out[2]!);
      for (let r = 0; r < side[0]!; r++)
        for (let q = 0; q < side[1]!; q++)
          for (let c = 0; c < last; c++)
            y[((r + node.padding[0]) * out[1]! + q + node.padding[2]) * last + c] =
              x[(r * side[1]! + q) * last + c]!;
      return y;
    }
    case 'flatten-channels-first':
      return Float64Array.from({ length: x.length }, (_, p) => {
        const area = side[0]! * side[1]!;
        return x[(p % area) * last + Math.floor(p / area)]!;
      });
    case 'add':
      return x.map((_, p) => inputs.reduce((sum, input) => sum + input[p]!, 0));
    case 'concat': {
      const rows = x.length / last;
      const y: number[] = [];
      for (let r = 0; r < rows; r++)
        inputs.forEach((input, i) => {
          const width = sides[i]![sides[i]!.length - 1]!;
          y.push(...input.subarray(r * width, (r + 1) * width));
        });
      return Float64Array.from(y);
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
      return node.factor * (x > 0 ? x : node.alpha * Math.expm1(x));
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

/** Where the pixel under a window's entry starts; −1 in the padding. */
function pixel(
  [height, width, channels]: readonly number[],
  row: number,
  column: number,
  dy: number,
  dx: number,
  { strides, padding }: { strides: Pair; padding: Padding },
): number {
  const y = row * strides[0] - padding[0] + dy;
  const x = column * strides[1] - padding[2] + dx;
  return y < 0 || x < 0 || y >= height! || x >= width! ? -1 : (y * width! + x) * channels!;
}
