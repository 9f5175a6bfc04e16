import type { Tensor } from '../../formats/types.js';

/** Zeros before and after each spatial axis: [top, bottom, left, right] for images. */
export type Padding = readonly number[];
/** One number for each spatial axis: [height, width] for images. */
export type Sides = readonly number[];

/** What windows that move over space share. */
interface Windowed {
  strides: Sides;
  padding: Padding;
}

export type ReduceKind = 'mean' | 'sum' | 'max' | 'min' | 'l2';
export type BinaryKind =
  | 'subtract'
  | 'divide'
  | 'maximum'
  | 'minimum'
  | 'greater'
  | 'greater-equal'
  | 'less'
  | 'less-equal'
  | 'equal';

/**
 * What a node does. Axes are those of one sample, from 0. Values with space have channels last: [length, channels],
 * [height, width, channels], [depth, height, width, channels]. Tensors are named in the graph's `weights`, float32.
 */
export type GraphOp =
  /** x · kernel [inputs, units] + bias [units], over the last axis. */
  | { kind: 'dense'; kernel: string; bias?: string }
  /** Of two: [..., m, k] · [..., k, n], each transposed in its last two axes where said; the axes before broadcast. */
  | { kind: 'matmul'; transposeA?: boolean; transposeB?: boolean }
  /** Whole numbers within the rows of `table` [rows, width] → its rows: token ids [tokens] → [tokens, width]. */
  | { kind: 'embedding'; table: string }
  /** The tensor itself, the same for every sample; no inputs. */
  | { kind: 'constant'; value: string }
  /** Kernel [spatial …, in / groups, out], bias [out]. */
  | ({
      kind: 'conv1d' | 'conv2d' | 'conv3d';
      kernel: string;
      bias?: string;
      dilations: Sides;
      groups: number;
    } & Windowed)
  /** The transpose of a convolution with the same fields, whose input has shape `size` (spatial); kernel [spatial …, out / groups, in]. */
  | ({
      kind: 'conv1d-transpose' | 'conv2d-transpose' | 'conv3d-transpose';
      kernel: string;
      bias?: string;
      dilations: Sides;
      groups: number;
      size: Sides;
    } & Windowed)
  | { kind: 'relu' | 'sigmoid' | 'tanh' | 'identity' | 'flatten' | 'global-average-pool' }
  /** gelu: x · Φ(x); gelu-tanh: its approximation; silu: x · sigmoid(x), also called swish. */
  | { kind: 'gelu' | 'gelu-tanh' | 'silu' | 'hard-swish' | 'mish' | 'softplus' | 'softsign' | 'erf' }
  | { kind: 'abs' | 'negative' | 'exp' | 'log' | 'sqrt' | 'reciprocal' | 'sin' | 'cos' }
  /** Steps: their derivative is 0. Round: half to even. */
  | { kind: 'sign' | 'floor' | 'ceil' | 'round' }
  /** x to a constant exponent. */
  | { kind: 'power'; exponent: number }
  /** Held within [min, max]: ReLU6. */
  | { kind: 'clip'; min: number; max: number }
  /** alpha · x + beta, held within [0, 1]. */
  | { kind: 'hard-sigmoid'; alpha: number; beta: number }
  /** factor · (x where x > 0, else alpha · (exp(x / width) − 1)): ELU, SELU and CELU; width 1 where it is not given. */
  | { kind: 'elu'; alpha: number; factor: number; width?: number }
  | { kind: 'leaky-relu'; slope: number }
  /** x where x > 0, else slope · x; slope: [1], or one a channel of the last axis. */
  | { kind: 'prelu'; slope: string }
  /** Over the last axis; `mask` is added to the input first, and may hold −∞. */
  | { kind: 'softmax' | 'log-softmax'; mask?: string }
  /** Over 1 to 3 spatial axes. Max: padding never wins. */
  | ({ kind: 'max-pool'; size: Sides } & Windowed)
  /** countPadding: zeros around the image count in the mean. */
  | ({ kind: 'average-pool'; size: Sides; countPadding: boolean } & Windowed)
  /** x · scale + offset, each [channels], over the last axis: batch normalisation with its moments folded in. */
  | { kind: 'batch-norm'; scale: string; offset: string }
  /** Over the last axis: (x − mean) / √(variance + epsilon) · scale + offset, each [channels]. */
  | { kind: 'layer-norm'; scale: string; offset: string; epsilon: number }
  /** Over the last axis: x / √(mean of x² + epsilon) · scale. */
  | { kind: 'rms-norm'; scale: string; epsilon: number }
  /** Moments over space and the channels of each group: (x − mean) / √(variance + epsilon), then · scale + offset where given. */
  | { kind: 'group-norm'; groups: number; scale?: string; offset?: string; epsilon: number }
  /** x · (bias + alpha/size · Σ x² of the `size` channels around)^−beta: AlexNet's, as Caffe and ONNX scale it. */
  | { kind: 'local-response-norm'; size: number; alpha: number; beta: number; bias: number }
  /** `padding`: before and after each axis but the last (the channels), or each axis where there are so many; of `value`, else 0. */
  | { kind: 'pad'; padding: Padding; value?: number }
  /** [height, width, channels] → channels first, then flat: how nets with channels first flatten. */
  | { kind: 'flatten-channels-first' }
  | { kind: 'reshape'; shape: number[] }
  /** Output axis i is input axis axes[i]. */
  | { kind: 'transpose'; axes: number[] }
  /** `size` values from `begin`, along every axis. */
  | { kind: 'slice'; begin: number[]; size: number[] }
  /** Along one axis, the places `indices`, which may repeat. */
  | { kind: 'take'; axis: number; indices: number[] }
  /** Repeated to this shape by the rules of broadcasting. */
  | { kind: 'expand'; shape: number[] }
  /** Along `axis`; the last where it is not given. */
  | { kind: 'concat'; axis?: number }
  /** Sum of all inputs, which broadcast. */
  | { kind: 'add' }
  /** Of two, which broadcast: an image and one number a channel [1, 1, channels]. */
  | { kind: 'multiply' }
  /** Of two, which broadcast. Comparisons give 1 or 0; their derivative is 0. */
  | { kind: BinaryKind }
  /** Of three, which broadcast: the second where the first is not 0, else the third. */
  | { kind: 'select' }
  /** Of two, which broadcast: the first where `mask` (of the output's rank) is not 0, else the second. */
  | { kind: 'where'; mask: string }
  /** Over the axes. l2: √Σx². */
  | { kind: ReduceKind; axes: number[]; keepDims: boolean }
  /** Interpolation along `axes`, each to its size; `scales`, `coordinates`, `rounding`, `cubic`: as ONNX's Resize. */
  | {
      kind: 'resize';
      axes: number[];
      sizes: number[];
      scales: number[];
      mode: 'nearest' | 'linear' | 'cubic';
      coordinates: string;
      rounding: string;
      cubic: number;
      excludeOutside: boolean;
    }
  /**
   * [steps, inputs] → [steps, units], from a state of zeros. Gates beside each other in kernel [inputs, gates · units],
   * recurrent [units, gates · units] and the two biases [gates · units]: lstm input, output, forget, cell (ONNX's order); gru
   * update, reset, hidden; rnn one, with tanh. reverse: from the last step on. resetAfter (gru): the reset gate acts on
   * the product, PyTorch's and Keras's way.
   */
  | {
      kind: 'lstm' | 'gru' | 'rnn';
      kernel: string;
      recurrent: string;
      bias: string;
      recurrentBias: string;
      reverse: boolean;
      resetAfter?: boolean;
    };

export type GraphKind = GraphOp['kind'];

/** One step. Its inputs are 'input' or nodes before it. */
export type GraphNode = { name: string; inputs: string[] } & GraphOp;
/** A node of one kind. */
export type NodeOf<K extends GraphKind> = { name: string; inputs: string[] } & Extract<GraphOp, { kind: K }>;

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
