import { EpochscopeError } from '@epochscope/core-wasm';
import { toFloat32 } from '../../formats/dtypes.js';
import { shown } from '../../formats/json.js';
import { variablesOf } from '../../formats/keras.js';
import type { Tensor } from '../../formats/types.js';
import { samePadding } from '../graph/from-model.js';
import type { GraphOp, Padding, Sides } from '../graph/types.js';
import type { KerasLayer } from './config.js';

/** One node of a layer, and what its name ends in where others follow. */
export type Step = GraphOp & { part?: string };

export interface Values {
  data: Float32Array;
  shape: readonly number[];
}

export function refuse(
  layer: KerasLayer,
  file: string,
  message: string,
  code: 'unsupported' | 'missing' | 'shape' = 'unsupported',
): never {
  throw new EpochscopeError(code, `${file}: layer ${layer.name} (${layer.kind}): ${message}`, {
    file,
    layer: layer.name,
  });
}

/** One layer while it becomes nodes: its configuration read and checked, its weights found and kept. */
export class LayerScope {
  readonly config: Record<string, unknown>;
  /** Shape of its first input. */
  readonly input: number[];

  constructor(
    readonly layer: KerasLayer,
    readonly inputs: readonly number[][],
    private readonly weights: ReadonlyMap<string, Tensor>,
    /** The graph's own, which grow. */
    private readonly kept: Map<string, Tensor>,
    private readonly file: string,
  ) {
    this.config = layer.config;
    this.input = inputs[0] ?? this.fail('expected an input, got none');
  }

  readonly fail = (message: string): never => refuse(this.layer, this.file, message);

  floats(variable: string): Values | null {
    const { name, kind } = this.layer;
    // Weights alone number the variables of a layer that has fewer than usual.
    const place = variablesOf(kind, this.config).indexOf(variable);
    const tensor = this.weights.get(`${name}.${variable}`) ?? this.weights.get(`${name}.vars.${place}`);
    return tensor ? { data: toFloat32(tensor.data), shape: tensor.shape } : null;
  }
  need(variable: string): Values {
    return (
      this.floats(variable) ??
      refuse(this.layer, this.file, `expected its ${variable} among the weights`, 'missing')
    );
  }
  /** One number for each channel. */
  needVector(variable: string, count: number): Float32Array {
    const { data, shape } = this.need(variable);
    return data.length === count
      ? data
      : refuse(this.layer, this.file, `expected a ${variable} of ${count} values, got [${shape}]`, 'shape');
  }
  /** Keeps a tensor for the graph and gives its name there. */
  put(variable: string, data: Float32Array, shape: readonly number[]): string {
    const name = `${this.layer.name}.${variable}`;
    this.kept.set(name, { data, shape, dtype: 'float32' });
    return name;
  }
  bias(): { bias?: string } {
    if (this.config.use_bias === false) return {};
    const { data, shape } = this.need('bias');
    return { bias: this.put('bias', data, shape) };
  }

  /** A number of the configuration, by the first of these keys that is there. Throws for what is none. */
  number(otherwise: number, ...keys: string[]): number {
    const value = this.given(keys) ?? otherwise;
    return Number.isFinite(value)
      ? (value as number)
      : this.fail(`expected ${keys[0]} to be a number, got ${shown(value)}`);
  }
  /** The same of a text. */
  text(otherwise: string, ...keys: string[]): string {
    const value = this.given(keys) ?? otherwise;
    return typeof value === 'string'
      ? value
      : this.fail(`expected ${keys[0]} to be a text, got ${shown(value)}`);
  }
  private given(keys: readonly string[]): unknown {
    return keys.map((key) => this.config[key]).find((value) => value !== undefined && value !== null);
  }

  pair(value: unknown, otherwise?: Sides): Sides {
    if ((value === undefined || value === null) && otherwise) return otherwise;
    const both = Array.isArray(value) ? value : [value, value];
    return both.length === 2 && both.every((n) => Number.isSafeInteger(n) && n > 0)
      ? (both as Sides)
      : this.fail(`expected one or two whole numbers > 0, got ${shown(value)}`);
  }
  image(): number[] {
    return this.input.length === 3 ? this.input : this.fail(`expected an image, got shape [${this.input}]`);
  }
  /** Zeros around the image for a window that goes over it. */
  windowed(size: Sides, strides: Sides): Padding {
    return this.config.padding === 'same' ? samePadding(this.image(), size, strides) : [0, 0, 0, 0];
  }
  /** Refuses any axis but the last, the only one that graphs know. */
  lastAxis(): void {
    const { axis } = this.config;
    const value = Array.isArray(axis) && axis.length === 1 ? axis[0] : (axis ?? -1);
    if (value !== -1 && value !== this.input.length)
      this.fail(`expected the last axis, got axis ${shown(value)}`);
  }
}
