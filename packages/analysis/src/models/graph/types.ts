import type { Tensor } from '../../formats/types.js';

/** [top, bottom, left, right] zeros around an image. */
export type Padding = readonly [number, number, number, number];
export type Pair = readonly [height: number, width: number];

/** What a node does. Images are [height, width, channels]; tensors are named in the graph's `weights`, float32. */
export type GraphOp =
  /** x · kernel [inputs, units] + bias [units], over the last axis. */
  | { kind: 'dense'; kernel: string; bias?: string }
  /** Kernel [height, width, in / groups, out], bias [out]. */
  | {
      kind: 'conv2d';
      kernel: string;
      bias?: string;
      strides: Pair;
      padding: Padding;
      dilations: Pair;
      groups: number;
    }
  | { kind: 'relu' | 'sigmoid' | 'tanh' | 'identity' | 'flatten' | 'global-average-pool' }
  /** gelu: x · Φ(x); gelu-tanh: its approximation; silu: x · sigmoid(x), also called swish. */
  | { kind: 'gelu' | 'gelu-tanh' | 'silu' | 'hard-swish' | 'mish' | 'softplus' | 'erf' }
  /** Held within [min, max]: ReLU6. */
  | { kind: 'clip'; min: number; max: number }
  /** alpha · x + beta, held within [0, 1]. */
  | { kind: 'hard-sigmoid'; alpha: number; beta: number }
  /** factor · (x where x > 0, else alpha · (exp(x) − 1)): ELU, and SELU. */
  | { kind: 'elu'; alpha: number; factor: number }
  | { kind: 'leaky-relu'; slope: number }
  /** Over the last axis. */
  | { kind: 'softmax' | 'log-softmax' }
  /** Max: padding never wins. */
  | { kind: 'max-pool'; size: Pair; strides: Pair; padding: Padding }
  /** countPadding: zeros around the image count in the mean. */
  | { kind: 'average-pool'; size: Pair; strides: Pair; padding: Padding; countPadding: boolean }
  /** x · scale + offset, each [channels], over the last axis: batch normalisation with its moments folded in. */
  | { kind: 'batch-norm'; scale: string; offset: string }
  /** Over the last axis: (x − mean) / √(variance + epsilon) · scale + offset, each [channels]. */
  | { kind: 'layer-norm'; scale: string; offset: string; epsilon: number }
  /** x · (bias + alpha/size · Σ x² of the `size` channels around)^−beta: AlexNet's, as Caffe and ONNX scale it. */
  | { kind: 'local-response-norm'; size: number; alpha: number; beta: number; bias: number }
  | { kind: 'pad'; padding: Padding }
  /** [height, width, channels] → channels first, then flat: how nets with channels first flatten. */
  | { kind: 'flatten-channels-first' }
  | { kind: 'reshape'; shape: number[] }
  /** Along the last axis. */
  | { kind: 'concat' }
  | { kind: 'add' }
  /** Of two: of equal shape, or an image and one number a channel [1, 1, channels]. */
  | { kind: 'multiply' };

export type GraphKind = GraphOp['kind'];

/** One step. Its inputs are 'input' or nodes before it. */
export type GraphNode = { name: string; inputs: string[] } & GraphOp;

/** A feed-forward net as plain data: whatever a net was made with, this is what runs and what is linearised. */
export interface Graph {
  /** Shape of one sample. */
  inputShape: number[];
  /** In an order in which they can run; the last one is the net's output. */
  nodes: GraphNode[];
  weights: ReadonlyMap<string, Tensor>;
}

/** The name of the graph's input among nodes' inputs. */
export const INPUT = 'input';
