import { guard } from '@epochscope/core-wasm';
import type { LayerInfo } from '../../run/types.js';
import type { Tf } from '../backend.js';
import { logSoftmaxLayer, type Net } from '../net.js';
import { type AnyLayer, transformerLayers } from './layers.js';

type Value = ReturnType<Tf['input']>;

const WIDTH = 64;
const HEADS = 4;
const UNITS = 128;

/**
 * One layer of a transformer without normalisation, as it learns modular addition (Nanda et al. 2023, arXiv:2301.05217, with a width of 64,
 * 4 heads and 128 units): embedding E of one-hot tokens [tokens, vocabulary], learned positions P, attention A of the last token, the
 * residual stream X1 after it, a dense layer F1 with ReLU R1 and F2, the residual stream X2 after them, the unembedding U, log-softmax S.
 * Kernels and tables are Glorot uniform, seeded from `seed` and the layer's place; biases 0.
 */
export function transformer(tf: Tf, inputShape: readonly number[], classes: number, seed: number): Net {
  const [tokens, vocabulary, channels] = inputShape;
  guard(
    inputShape.length === 3 && channels === 1 && tokens! > 0 && vocabulary! > 0,
    'argument',
    () => `transformer: expected inputs of tokens × vocabulary × 1, got ${inputShape.join(' × ')}`,
    { got: inputShape.join(' × ') },
  );
  const { Position, Last, Attention } = transformerLayers(tf);
  const infos: LayerInfo[] = [];
  const add = (kind: string, layer: AnyLayer, from: Value | Value[], parameters: string[] = []): Value => {
    const out = layer.apply(from) as Value;
    infos.push({
      name: layer.name,
      kind,
      shape: out.shape.slice(1) as number[],
      parameters: parameters.map((name) => `${layer.name}.${name}`),
    });
    return out;
  };
  let place = 0;
  const own = () => (Math.imul(seed, 7919) + ++place) | 0;
  const dense = (name: string, units: number, useBias = true): AnyLayer =>
    tf.layers.dense({
      name,
      units,
      useBias,
      kernelInitializer: tf.initializers.glorotUniform({ seed: own() }),
    });

  const input = tf.input({ shape: [...inputShape] });
  const rows = tf.layers
    .reshape({ name: 'tokens', targetShape: [tokens!, vocabulary!] })
    .apply(input) as Value;
  const e = add('dense', dense('E', WIDTH, false), rows, ['kernel']);
  const p = add('position', new Position({ name: 'P', seed: own() }), e, ['table']);
  const a = add('attention', new Attention({ name: 'A', heads: HEADS, seed: own() }), p, [
    'query',
    'key',
    'value',
    'output',
  ]);
  const last = new Last({ name: 'last' }).apply(p) as Value;
  const x1 = add('add', tf.layers.add({ name: 'X1' }), [last, a]);
  const f1 = add('dense', dense('F1', UNITS), x1, ['kernel', 'bias']);
  const r1 = add('relu', tf.layers.reLU({ name: 'R1' }), f1);
  const f2 = add('dense', dense('F2', WIDTH), r1, ['kernel', 'bias']);
  const x2 = add('add', tf.layers.add({ name: 'X2' }), [x1, f2]);
  const u = add('dense', dense('U', classes, false), x2, ['kernel']);
  const s = add('log-softmax', new (logSoftmaxLayer(tf))({ name: 'S' }) as AnyLayer, u);
  return { model: tf.model({ inputs: input, outputs: s }), layers: infos };
}
