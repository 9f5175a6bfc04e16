import type { Pair } from '../types.js';
import { AffineOperators } from './affine.js';
import { number, numbers, text } from './attributes.js';
import { floats, onnxSides, sidesOf } from './values.js';
import { ceilPadding, paddingOf, pairOf } from './windows.js';

/** The largest float32: an end that is left open. */
const MAX_FLOAT = 3.4028234663852886e38;

/** Operators that compute. */
export abstract class Operators extends AffineOperators {
  protected conv(): void {
    const kernel = this.constantAt(1, 'the kernel');
    const input = this.image(0);
    const [out, inner, height, width] = kernel.shape as [number, number, number, number];
    if (kernel.shape.length !== 4)
      this.refuse(`expected a kernel of two dimensions, got shape [${kernel.shape}]`);
    const name = this.names.of(this.node, this.node.inputs[1]);
    const data = new Float32Array(kernel.data.length);
    const from = floats(kernel);
    for (let y = 0, to = 0; y < height * width; y++)
      for (let c = 0; c < inner; c++)
        for (let o = 0; o < out; o++) data[to++] = from[(o * inner + c) * height * width + y]!;
    const given = this.node.inputs[2] ? this.vector(this.constantAt(2, 'the bias'), out, 'bias') : null;
    // A bias of zeros that is none of the file's tensors was made up by the exporter.
    const bias =
      given && (this.model.tensors.has(this.node.inputs[2]!) || given.some(Boolean)) ? given : null;
    const dilations = pairOf(this.node, this.fail, 'dilations', 1);
    const strides = pairOf(this.node, this.fail, 'strides', 1);
    const size: Pair = [(height - 1) * dilations[0] + 1, (width - 1) * dilations[1] + 1];
    this.put(
      {
        kind: 'conv2d',
        kernel: this.store(`${name}.kernel`, data, [height, width, inner, out]),
        ...(bias ? { bias: this.store(`${name}.bias`, bias, [out]) } : {}),
        strides,
        padding: paddingOf(this.node, this.fail, input.shape, size, strides),
        dilations,
        groups: number(this.node, 'group', 1),
      },
      [input],
      'image',
      name,
    );
  }

  protected dense(kernel: Float32Array, shape: [number, number], bias: Float32Array | null): void {
    const input = this.value(0);
    if (input.form !== 'vector') this.refuse('expected batch × values; flatten before it');
    const name = this.names.of(this.node, this.node.inputs[1]);
    this.put(
      {
        kind: 'dense',
        kernel: this.store(`${name}.kernel`, kernel, shape),
        ...(bias ? { bias: this.store(`${name}.bias`, bias, [shape[1]]) } : {}),
      },
      [input],
      'vector',
      name,
    );
  }

  protected matrix(): { data: Float32Array; shape: [number, number] } {
    const tensor = this.constantAt(1, 'the kernel');
    if (tensor.shape.length !== 2) this.refuse(`expected a kernel of two axes, got shape [${tensor.shape}]`);
    return { data: floats(tensor), shape: [...tensor.shape] as [number, number] };
  }

  protected gemm(): void {
    if (number(this.node, 'transA', 0)) this.refuse('transA is not known');
    const [alpha, beta] = [number(this.node, 'alpha', 1), number(this.node, 'beta', 1)];
    let { data, shape } = this.matrix();
    if (number(this.node, 'transB', 0)) {
      const [units, inner] = shape;
      const turned = new Float32Array(data.length);
      for (let u = 0; u < units; u++)
        for (let i = 0; i < inner; i++) turned[i * units + u] = data[u * inner + i]!;
      [data, shape] = [turned, [inner, units]];
    }
    const bias = this.node.inputs[2] ? this.vector(this.constantAt(2, 'the bias'), shape[1], 'bias') : null;
    this.dense(scaled(data, alpha), shape, bias && scaled(bias, beta));
  }

  protected matMul(): void {
    const { data, shape } = this.matrix();
    this.dense(data.slice(), shape, null);
  }

  protected softmax(kind: 'softmax' | 'log-softmax'): void {
    const value = this.value(0);
    const rank = value.form === 'vector' ? 2 : 4;
    const modern = this.model.opset >= 13;
    const given = number(this.node, 'axis', modern ? -1 : 1);
    const axis = given < 0 ? given + rank : given;
    const channels = value.form === 'image' || value.form === 'pooled' || value.form === 'vector' ? 1 : 3;
    // Before version 13 all axes from this one on were one.
    if (axis !== channels || (!modern && rank !== 2 && value.form !== 'pooled'))
      this.refuse(`axis ${given} of [batch, ${onnxSides(value)}]: expected the channels`);
    this.put({ kind }, [value], value.form);
  }

  protected pool(kind: 'max-pool' | 'average-pool'): void {
    const input = this.image(0);
    const size = pairOf(this.node, this.fail, 'kernel_shape');
    const strides = pairOf(this.node, this.fail, 'strides', 1);
    if (this.uses.get(this.node.outputs[1] ?? '')) this.refuse('its indices are read');
    if ((numbers(this.node, 'dilations') ?? []).some((n) => n !== 1)) this.refuse('dilations are not known');
    let padding = paddingOf(this.node, this.fail, input.shape, size, strides);
    const counted = number(this.node, 'count_include_pad', 0) === 1;
    if (number(this.node, 'ceil_mode', 0)) {
      const wider = ceilPadding(input.shape, padding, size, strides);
      if (counted && wider.join() !== padding.join())
        this.refuse('ceil_mode with count_include_pad is not known');
      padding = wider;
    }
    this.put(
      kind === 'max-pool'
        ? { kind, size, strides, padding }
        : { kind, size, strides, padding, countPadding: counted },
      [input],
      'image',
    );
  }

  /** Over the channels of values; of an image it would be over its width. */
  protected layerNorm(): void {
    const value = this.value(0);
    if (value.form !== 'vector' && value.form !== 'image-last') this.refuse('expected batch × values');
    const axis = number(this.node, 'axis', -1);
    if (axis !== -1 && axis !== value.shape.length) this.refuse(`axis ${axis}: expected the last`);
    const channels = value.shape[value.shape.length - 1]!;
    const name = this.names.of(this.node, this.node.inputs[1]);
    const scale = this.vector(this.constantAt(1, 'the scale'), channels, 'scale').slice();
    const offset = this.node.inputs[2]
      ? this.vector(this.constantAt(2, 'the bias'), channels, 'bias').slice()
      : new Float32Array(channels);
    this.put(
      {
        kind: 'layer-norm',
        scale: this.store(`${name}.scale`, scale, [channels]),
        offset: this.store(`${name}.offset`, offset, [channels]),
        epsilon: number(this.node, 'epsilon', 1e-5),
      },
      [value],
      value.form,
      name,
    );
  }

  /** Over height and width, as an image of one pixel or as values. */
  protected overImage(kind: 'mean' | 'max', global: boolean): void {
    const value = this.image(0);
    const axes =
      numbers(this.node, 'axes') ?? sidesOf(this.constants.get(this.node.inputs[1] ?? ''))?.map(Number) ?? [];
    const keeps = global || number(this.node, 'keepdims', 1) !== 0;
    const places = axes.map((axis) => (axis < 0 ? axis + 4 : axis)).sort((a, b) => a - b);
    if (!global && places.join() !== '2,3')
      this.refuse(`axes [${axes}] of [batch, ${onnxSides(value)}]: expected height and width`);
    if (kind === 'mean') {
      this.put({ kind: 'global-average-pool' }, [value], keeps ? 'pooled' : 'vector');
      return;
    }
    const [height, width, channels] = value.shape as [number, number, number];
    const window = { size: [height, width] as Pair, strides: [1, 1] as Pair, padding: [0, 0, 0, 0] as const };
    this.put({ kind: 'max-pool', ...window }, [value], 'image');
    if (keeps) return;
    const pooled = this.values.get(this.node.outputs[0] ?? '')!;
    this.put({ kind: 'reshape', shape: [channels] }, [pooled], 'vector');
  }

  protected clip(): void {
    const bound = (i: number, key: string, otherwise: number): number => {
      const name = this.node.inputs[i];
      const given = name ? Number(this.constantAt(i, key).data[0]) : number(this.node, key, otherwise);
      return Math.min(MAX_FLOAT, Math.max(-MAX_FLOAT, given));
    };
    const [min, max] = [bound(1, 'min', -MAX_FLOAT), bound(2, 'max', MAX_FLOAT)];
    if (!(min < max)) this.refuse(`expected min < max, got ${min} and ${max}`);
    this.same(min === 0 && max === MAX_FLOAT ? { kind: 'relu' } : { kind: 'clip', min, max });
  }

  protected batchNorm(): void {
    const value = this.value(0);
    if (value.form === 'image-last') this.refuse('expected channels at axis 1');
    if (number(this.node, 'training_mode', 0)) this.refuse('export in evaluation mode: model.eval()');
    const channels = value.shape[value.shape.length - 1]!;
    const [gamma, beta, mean, variance] = ['scale', 'bias', 'mean', 'variance'].map((what, i) =>
      this.vector(this.constantAt(i + 1, what), channels, what),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const epsilon = number(this.node, 'epsilon', 1e-5);
    const name = this.names.of(this.node, this.node.inputs[1]);
    const scale = gamma.map((g, i) => g / Math.sqrt(variance[i]! + epsilon));
    this.norms.set(name, epsilon);
    this.put(
      {
        kind: 'batch-norm',
        scale: this.store(`${name}.scale`, scale, [channels]),
        offset: this.store(
          `${name}.offset`,
          beta.map((b, i) => b - mean[i]! * scale[i]!),
          [channels],
        ),
      },
      [value],
      value.form,
      name,
    );
  }

  protected pad(): void {
    const value = this.image(0);
    const given = numbers(this.node, 'pads') ?? sidesOf(this.constantAt(1, 'the padding'))?.map(Number) ?? [];
    const constant = this.constants.get(this.node.inputs[2] ?? '');
    if (text(this.node, 'mode', 'constant') !== 'constant' || Number(constant?.data[0] ?? 0) !== 0)
      this.refuse('expected zeros');
    const [, , top, left, , , bottom, right] = given as [0, 0, number, number, 0, 0, number, number];
    if (
      given.length !== 8 ||
      given.some((n, i) => !Number.isInteger(n) || n < 0 || n > 65_535 || (i % 4 < 2 && n !== 0))
    )
      this.refuse(`expected padding of height and width, got [${given.slice(0, 8)}]`);
    this.put({ kind: 'pad', padding: [top, bottom, left, right] }, [value], 'image');
  }
}

const scaled = (data: Float32Array, by: number): Float32Array =>
  by === 1 ? data.slice() : data.map((x) => x * by);
