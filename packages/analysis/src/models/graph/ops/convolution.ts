import type { Tensor1D, Tensor4D, Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tf } from '../../backend.js';
import type { NodeOf, Sides } from '../types.js';
import { type CompiledOp, linear } from './compiled.js';
import { type Given, type OpDefinition, product, type Site } from './definition.js';

type ConvKind = 'conv1d' | 'conv2d' | 'conv3d';
type BackKind = 'conv1d-transpose' | 'conv2d-transpose' | 'conv3d-transpose';
type Conv = NodeOf<ConvKind>;
type Back = NodeOf<BackKind>;
type Pads = [[0, 0], [number, number], [number, number], [0, 0]];

/** Output side of a window moved over a padded image; a last window that does not fit is left out. */
export const windowed = (side: number, before: number, after: number, size: number, stride: number) =>
  Math.floor((side + before + after - size) / stride) + 1;

/** Space that a kernel covers with its dilations. */
const covered = (kernel: readonly number[], dilations: Sides) =>
  dilations.map((d, i) => (kernel[i]! - 1) * d + 1);

/**
 * A convolution of 1 to 3 spatial axes as sums of two-dimensional ones, one for each place of the kernel along the depth,
 * the depth of the values taken into the batch. Kernels are on tfjs one tensor a group, dilated by zeros in between, since
 * tfjs has no gradient of dilated ones.
 */
class Convolution {
  /** By place along the depth, then by group. */
  private readonly kernels: Tensor4D[][];
  /** Of one channel a group, in one plane: all groups beside each other, for tfjs's own operation. */
  private readonly depthwise: Tensor4D | null;
  private readonly pad: Pads;
  private readonly strides: [number, number];
  private readonly filters: number;

  /** `input`, `output`: [depth, height, width] of both sides. */
  constructor(
    private readonly tf: Tf,
    private readonly op: { strides: number[]; padding: number[]; dilations: number[]; groups: number },
    kernel: { data: Float32Array; shape: readonly number[] },
    private readonly input: readonly number[],
    private readonly output: readonly number[],
  ) {
    const { dilations, padding, groups } = op;
    const [d, h, w, inner, out] = kernel.shape as [number, number, number, number, number];
    const [, dh, dw] = dilations as [number, number, number];
    const [height, width] = [(h - 1) * dh + 1, (w - 1) * dw + 1];
    const filters = out / groups;
    this.filters = out;
    this.kernels = Array.from({ length: d }, (_, z) =>
      Array.from({ length: groups }, (_, g) => {
        const part = new Float32Array(height * width * inner * filters);
        for (let y = 0; y < h; y++)
          for (let x = 0; x < w; x++)
            for (let c = 0; c < inner; c++) {
              const from = (((z * h + y) * w + x) * inner + c) * out + g * filters;
              part.set(
                kernel.data.subarray(from, from + filters),
                ((y * dh * width + x * dw) * inner + c) * filters,
              );
            }
        return tf.tensor4d(part, [height, width, inner, filters]);
      }),
    );
    // Bits as by group up to 5 × 5: each output is one sum in the order of the kernel's places.
    const beside = d === 1 && groups > 1 && inner === 1 && filters === 1 && height * width <= 25;
    this.depthwise = beside
      ? (tf.tidy(() => tf.transpose(tf.concat(this.kernels[0]!, 3), [0, 1, 3, 2])) as Tensor4D)
      : null;
    this.strides = [op.strides[1]!, op.strides[2]!];
    this.pad = [
      [0, 0],
      [padding[2]!, padding[3]!],
      [padding[4]!, padding[5]!],
      [0, 0],
    ];
  }

  /** x: n × spatial × channels, as tfjs has it for the rank at hand → n × spatial × filters. */
  forward(x: TfTensor, n: number): TfTensor {
    const { tf, input, output } = this;
    const [depth, height, width] = input as [number, number, number];
    const channels = x.size / (n * product(input));
    if (depth === 1 && this.kernels.length === 1)
      return this.plane(tf.reshape(x, [n, height, width, channels]) as Tensor4D, 0);
    const padded = tf.pad(tf.reshape(x, [n, depth, height * width * channels]), [
      [0, 0],
      [this.op.padding[0]!, this.op.padding[1]!],
      [0, 0],
    ]);
    const count = output[0]!;
    const parts = this.kernels.map((_, z) => {
      const slices = this.places(z).map((place) => tf.slice(padded, [0, place, 0], [n, 1, -1]));
      return this.plane(
        tf.reshape(tf.concat(slices, 1), [n * count, height, width, channels]) as Tensor4D,
        z,
      );
    });
    return parts.length > 1 ? tf.addN(parts) : parts[0]!;
  }

  /** The transpose: from the output's space to the input's. */
  back(u: TfTensor, n: number, channels: number): TfTensor {
    const { tf, input, output } = this;
    const [depth, height, width] = input as [number, number, number];
    const [count, rows, columns] = output as [number, number, number];
    if (depth === 1 && this.kernels.length === 1)
      return this.planeBack(tf.reshape(u, [n, rows, columns, this.filters]) as Tensor4D, 0, channels);
    const whole = depth + this.op.padding[0]! + this.op.padding[1]!;
    const area = height * width * channels;
    const sums: (TfTensor | null)[] = new Array(whole).fill(null);
    const flat = tf.reshape(u, [n * count, rows, columns, this.filters]) as Tensor4D;
    for (let z = 0; z < this.kernels.length; z++) {
      const part = tf.reshape(this.planeBack(flat, z, channels), [n, count, area]);
      for (const [i, place] of this.places(z).entries()) {
        const one = tf.slice(part, [0, i, 0], [n, 1, area]);
        sums[place] = sums[place] ? tf.add(sums[place]!, one) : one;
      }
    }
    const all = tf.concat(
      sums.map((sum) => sum ?? tf.zeros([n, 1, area])),
      1,
    );
    return tf.slice(all, [0, this.op.padding[0]!, 0], [n, depth, area]);
  }

  dispose(): void {
    for (const kernel of this.kernels.flat()) kernel.dispose();
    this.depthwise?.dispose();
  }

  /** Where the kernel's place z stands in the padded depth, for each output. */
  private places(z: number): number[] {
    return Array.from(
      { length: this.output[0]! },
      (_, i) => i * this.op.strides[0]! + z * this.op.dilations[0]!,
    );
  }

  private plane(x: Tensor4D, z: number): Tensor4D {
    const { tf } = this;
    if (this.depthwise) return tf.depthwiseConv2d(x, this.depthwise, [...this.strides], this.pad as never);
    const parts = this.parted(x).map((part, g) =>
      tf.conv2d(part, this.kernels[z]![g]!, [...this.strides], this.pad as never),
    );
    return parts.length > 1 ? tf.concat(parts, 3) : parts[0]!;
  }

  private planeBack(u: Tensor4D, z: number, channels: number): Tensor4D {
    const { tf } = this;
    const [, height, width] = this.input as [number, number, number];
    const parts = this.parted(u).map((part, g) =>
      tf.conv2dTranspose(
        part,
        this.kernels[z]![g]!,
        [part.shape[0], height, width, channels / this.op.groups],
        [...this.strides],
        this.pad as never,
      ),
    );
    return parts.length > 1 ? tf.concat(parts, 3) : parts[0]!;
  }

  private parted(x: Tensor4D): Tensor4D[] {
    return this.op.groups > 1 ? (this.tf.split(x as TfTensor, this.op.groups, 3) as Tensor4D[]) : [x];
  }
}

/** Leading axes of 1 up to three spatial ones. */
const three = (list: readonly number[], one = 1): number[] => [
  ...new Array<number>(3 - list.length).fill(one),
  ...list,
];
const threePads = (list: readonly number[]): number[] => [
  ...new Array<number>(6 - list.length).fill(0),
  ...list,
];

function made(tf: Tf, node: Conv | Back, site: Site, input: readonly number[], output: readonly number[]) {
  const { data, shape } = site.weight(node.kernel);
  const conv = new Convolution(
    tf,
    {
      strides: three(node.strides),
      padding: threePads(node.padding),
      dilations: three(node.dilations),
      groups: node.groups,
    },
    { data, shape: [...three(shape.slice(0, -2)), ...shape.slice(-2)] },
    three(input),
    three(output),
  );
  const bias: Tensor1D | null = node.bias ? tf.tensor1d(site.weight(node.bias).data) : null;
  return {
    conv,
    biased: (y: TfTensor): TfTensor => (bias ? tf.add(y, bias) : y),
    dispose: () => {
      conv.dispose();
      bias?.dispose();
    },
  };
}

function compileConvolution(tf: Tf, node: Conv, site: Site): CompiledOp {
  const { out } = site;
  const [input] = site.inputs as [number[]];
  const { conv, biased, dispose } = made(tf, node, site, input.slice(0, -1), out.slice(0, -1));
  const op = linear(
    (v, k) => tf.reshape(conv.forward(v, k), [k, ...out]),
    (u, k) => tf.reshape(conv.back(u, k, input[input.length - 1]!), [k, ...input]),
    dispose,
  );
  return { ...op, run: ([x]) => tf.reshape(biased(conv.forward(x!, x!.shape[0]!)), [x!.shape[0]!, ...out]) };
}

function compileTransposed(tf: Tf, node: Back, site: Site): CompiledOp {
  const { out } = site;
  const [input] = site.inputs as [number[]];
  const { conv, biased, dispose } = made(tf, node, site, out.slice(0, -1), input.slice(0, -1));
  const op = linear(
    (v, k) => tf.reshape(conv.back(v, k, out[out.length - 1]!), [k, ...out]),
    (u, k) => tf.reshape(conv.forward(u, k), [k, ...input]),
    dispose,
  );
  return {
    ...op,
    run: ([x]) => {
      const n = x!.shape[0]!;
      return biased(tf.reshape(conv.back(x!, n, out[out.length - 1]!), [n, ...out]));
    },
  };
}

/** Checks of strides, padding and dilations; answers the input. */
function checked(node: Conv | Back, given: Given, rank: number): number[] {
  const [input] = given.inputs as [number[]];
  if (input.length !== rank + 1)
    given.fail(rank === 2 ? 'an image [height, width, channels]' : `${rank} spatial axes and channels`);
  const { strides, padding, dilations, groups } = node;
  const steps = [...strides, ...dilations];
  if (
    strides.length !== rank ||
    dilations.length !== rank ||
    padding.length !== 2 * rank ||
    !steps.every((s) => Number.isInteger(s) && s > 0) ||
    !padding.every((p) => Number.isInteger(p) && p >= 0)
  )
    given.refuse(`strides [${strides}], dilations [${dilations}] or padding [${padding}] is not possible`);
  if (!Number.isInteger(groups) || groups < 1) given.refuse(`expected groups ≥ 1, got ${groups}`);
  return input;
}

function inferConvolution(node: Conv, given: Given, rank: number): number[] {
  const input = checked(node, given, rank);
  const channels = input[rank]!;
  const { groups, strides, padding } = node;
  if (channels % groups !== 0) given.refuse(`${channels} channels cannot be parted into ${groups} groups`);
  const kernel = given.tensor(node.kernel, [...new Array<null>(rank).fill(null), channels / groups, null]);
  const out = kernel[rank + 1]!;
  if (out % groups !== 0) given.refuse(`${out} filters cannot be parted into ${groups} groups`);
  if (node.bias) given.tensor(node.bias, [out]);
  const size = covered(kernel, node.dilations);
  return [
    ...size.map((s, i) => windowed(input[i]!, padding[2 * i]!, padding[2 * i + 1]!, s, strides[i]!)),
    out,
  ];
}

function inferTransposed(node: Back, given: Given, rank: number): number[] {
  const input = checked(node, given, rank);
  const channels = input[rank]!;
  const { groups, strides, padding, size } = node;
  const kernel = given.tensor(node.kernel, [...new Array<null>(rank).fill(null), null, channels]);
  const out = kernel[rank]! * groups;
  if (channels % groups !== 0) given.refuse(`${channels} channels cannot be parted into ${groups} groups`);
  if (node.bias) given.tensor(node.bias, [out]);
  const window = covered(kernel, node.dilations);
  if (
    size.length !== rank ||
    size.some(
      (side, i) => windowed(side, padding[2 * i]!, padding[2 * i + 1]!, window[i]!, strides[i]!) !== input[i],
    )
  )
    given.refuse(`a convolution of [${size}] does not give [${input.slice(0, -1)}]`);
  return [...size, out];
}

const FIELDS = {
  kernel: 'tensor',
  bias: 'tensor?',
  strides: 'counts',
  padding: 'counts',
  dilations: 'counts',
  groups: 'number',
} as const;

export const convolutions: Record<ConvKind | BackKind, OpDefinition> = Object.fromEntries(
  [1, 2, 3].flatMap((rank): [string, OpDefinition][] => [
    [
      `conv${rank}d`,
      {
        inputs: 1,
        fields: FIELDS,
        infer: (node, given) => inferConvolution(node as Conv, given, rank),
        compile: (tf, node, site) => compileConvolution(tf, node as Conv, site),
      },
    ],
    [
      `conv${rank}d-transpose`,
      {
        inputs: 1,
        fields: { ...FIELDS, size: 'counts' },
        infer: (node, given) => inferTransposed(node as Back, given, rank),
        compile: (tf, node, site) => compileTransposed(tf, node as Back, site),
      },
    ],
  ]),
) as never;
