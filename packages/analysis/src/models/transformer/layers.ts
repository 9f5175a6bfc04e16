import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../backend.js';

// Layers that tfjs lacks. models/graph/from-model.ts says each as nodes of a graph.

/** As far as building a net goes; the published types name no more of tfjs's. */
export interface AnyLayer {
  name: string;
  apply(from: unknown): unknown;
}
type LayerClass<Config> = new (config: Config & { name: string }) => AnyLayer;

interface Seeded {
  seed: number;
}
export interface AttentionConfig extends Seeded {
  heads: number;
}

export interface TransformerLayers {
  /** [tokens, width] + a learned table of the same shape. */
  Position: LayerClass<Seeded>;
  /** [tokens, width] → its last row. */
  Last: LayerClass<object>;
  /**
   * What the last token reads from all: [tokens, width] → [width]. Weights query, key, value, output: [width, width]; head h has columns
   * h · width/heads on. softmax(q · k / √(width/heads)) over the tokens, without biases.
   */
  Attention: LayerClass<AttentionConfig>;
}

const one = (inputs: unknown): TfTensor => (Array.isArray(inputs) ? inputs[0] : inputs) as TfTensor;

let made: TransformerLayers | null = null;
/** The classes, made once. */
export function transformerLayers(tf: Tf): TransformerLayers {
  if (made) return made;
  const glorot = (seed: number) => tf.initializers.glorotUniform({ seed });
  const lastOf = (x: TfTensor): TfTensor => {
    const [n, tokens, width] = x.shape as [number, number, number];
    return tf.reshape(tf.slice(x, [0, tokens - 1, 0], [n, 1, width]), [n, width]);
  };

  class EpochscopePosition extends tf.layers.Layer {
    static className = 'EpochscopePosition';
    constructor(private readonly config: Seeded & { name: string }) {
      super(config as never);
    }
    override build(shape: never): void {
      this.addWeight('table', (shape as number[]).slice(1), 'float32', glorot(this.config.seed));
      super.build(shape);
    }
    override computeOutputShape(shape: never) {
      return shape;
    }
    override call(inputs: never) {
      return tf.tidy(() => tf.add(one(inputs), this.weights[0]!.read()));
    }
  }

  class EpochscopeLast extends tf.layers.Layer {
    static className = 'EpochscopeLast';
    constructor(config: object) {
      super(config as never);
    }
    override computeOutputShape(shape: never) {
      const [n, , width] = shape as number[];
      return [n, width] as never;
    }
    override call(inputs: never) {
      return tf.tidy(() => lastOf(one(inputs)));
    }
  }

  class EpochscopeAttention extends tf.layers.Layer {
    static className = 'EpochscopeAttention';
    readonly heads: number;
    constructor(private readonly config: AttentionConfig & { name: string }) {
      super(config as never);
      this.heads = config.heads;
    }
    override build(shape: never): void {
      const width = (shape as number[]).at(-1)!;
      for (const [i, name] of ['query', 'key', 'value', 'output'].entries())
        this.addWeight(name, [width, width], 'float32', glorot((Math.imul(this.config.seed, 31) + i) | 0));
      super.build(shape);
    }
    override computeOutputShape(shape: never) {
      const [n, , width] = shape as number[];
      return [n, width] as never;
    }
    override getConfig() {
      return { ...super.getConfig(), heads: this.heads };
    }
    override call(inputs: never) {
      return tf.tidy(() => {
        const x = one(inputs);
        const [n, tokens, width] = x.shape as [number, number, number];
        const { heads } = this;
        const [query, key, value, output] = this.weights.map((weight) => weight.read()) as [
          TfTensor,
          TfTensor,
          TfTensor,
          TfTensor,
        ];
        const rows = tf.reshape(x, [n * tokens, width]);
        const q = tf.matMul(lastOf(x) as never, query as never);
        const k = tf.matMul(rows as never, key as never);
        const v = tf.matMul(rows as never, value as never);
        // Sums over each head's columns as a product with 0 and 1: few tokens make many small products otherwise.
        const sums = tf.tensor2d(
          Float32Array.from({ length: width * heads }, (_, i) =>
            Number(Math.floor((Math.floor(i / heads) * heads) / width) === i % heads),
          ),
          [width, heads],
        );
        const each = tf.reshape(tf.concat(Array(tokens).fill(q), 1), [n * tokens, width]);
        const products = tf.mul(tf.matMul(tf.mul(each, k) as never, sums), Math.sqrt(heads / width));
        const scores = tf.transpose(tf.reshape(products, [n, tokens, heads]), [0, 2, 1]);
        const shares = tf.transpose(tf.softmax(scores), [0, 2, 1]);
        const spread = tf.matMul(tf.reshape(shares, [n * tokens, heads]) as never, sums, false, true);
        const read = tf.reshape(tf.mul(spread, v), [n, tokens * width]);
        return tf.matMul(tf.addN(tf.split(read, tokens, 1)) as never, output as never);
      });
    }
  }

  for (const layer of [EpochscopePosition, EpochscopeLast, EpochscopeAttention])
    tf.serialization.registerClass(layer as never);
  made = {
    Position: EpochscopePosition,
    Last: EpochscopeLast,
    Attention: EpochscopeAttention,
  } as unknown as TransformerLayers;
  return made;
}
