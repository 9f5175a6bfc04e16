import type { Tensor1D, Tensor4D, Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../backend.js';
import type { GraphOp } from './types.js';

type Conv = Extract<GraphOp, { kind: 'conv2d' }>;

/** A convolution's kernel on tfjs: one tensor a group, dilated by zeros in between, since tfjs has no gradient of dilated ones. */
export class Convolution {
  private readonly kernels: Tensor4D[];
  private readonly bias: Tensor1D | null;
  private readonly pad: [[0, 0], [number, number], [number, number], [0, 0]];

  constructor(
    private readonly tf: Tf,
    private readonly op: Conv,
    kernel: { data: Float32Array; shape: number[] },
    bias: Float32Array | null,
  ) {
    const { dilations, padding, groups } = op;
    const [h, w, inner, out] = kernel.shape as [number, number, number, number];
    const [dh, dw] = dilations;
    const height = (h - 1) * dh + 1;
    const width = (w - 1) * dw + 1;
    const filters = out / groups;
    this.kernels = Array.from({ length: groups }, (_, g) => {
      const part = new Float32Array(height * width * inner * filters);
      for (let y = 0; y < h; y++)
        for (let x = 0; x < w; x++)
          for (let c = 0; c < inner; c++) {
            const from = ((y * w + x) * inner + c) * out + g * filters;
            part.set(
              kernel.data.subarray(from, from + filters),
              ((y * dh * width + x * dw) * inner + c) * filters,
            );
          }
      return tf.tensor4d(part, [height, width, inner, filters]);
    });
    this.bias = bias ? tf.tensor1d(bias) : null;
    this.pad = [
      [0, 0],
      [padding[0], padding[1]],
      [padding[2], padding[3]],
      [0, 0],
    ];
  }

  /** x: batch × height × width × channels. The bias is part of the map, not of its derivative. */
  forward(x: Tensor4D, withBias: boolean): Tensor4D {
    const { tf } = this;
    const parts = this.parted(x).map((part, g) =>
      tf.conv2d(part, this.kernels[g]!, [...this.op.strides], this.pad as never),
    );
    const y = parts.length > 1 ? tf.concat(parts, 3) : parts[0]!;
    return withBias && this.bias ? tf.add(y, this.bias) : y;
  }

  /** The transpose: from the output's space to the input's, `shape` [height, width, channels]. */
  back(u: Tensor4D, shape: readonly number[]): Tensor4D {
    const { tf } = this;
    const [height, width, channels] = shape as [number, number, number];
    const parts = this.parted(u).map((part, g) =>
      tf.conv2dTranspose(
        part,
        this.kernels[g]!,
        [part.shape[0], height, width, channels / this.op.groups],
        [...this.op.strides],
        this.pad as never,
      ),
    );
    return parts.length > 1 ? tf.concat(parts, 3) : parts[0]!;
  }

  dispose(): void {
    for (const kernel of this.kernels) kernel.dispose();
    this.bias?.dispose();
  }

  private parted(x: Tensor4D): Tensor4D[] {
    return this.op.groups > 1 ? (this.tf.split(x as TfTensor, this.op.groups, 3) as Tensor4D[]) : [x];
  }
}
