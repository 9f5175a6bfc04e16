import { guard } from '@epochscope/core-wasm';
import type { Tf } from '../backend.js';
import { chain, type Net } from '../net.js';

export interface MlpOptions {
  /** Between the dense layers: R1, R2, … Default ReLU. */
  activation?: 'relu' | 'sigmoid';
  /** Standard deviation of normal initial weights; default Glorot uniform. */
  deviation?: number;
}

/** Dense layers F1, R1, F2, R2, … with ReLU (or sigmoid) between and log-softmax at the end; Takehana & Ozaki: hidden [100, 50]. */
export function mlp(
  tf: Tf,
  inputShape: readonly number[],
  classes: number,
  seed: number,
  hidden: readonly number[] = [100, 50],
  { activation = 'relu', deviation }: MlpOptions = {},
): Net {
  guard(
    hidden.every((units) => Number.isInteger(units) && units > 0),
    'argument',
    () => `hidden: expected whole numbers > 0, got ${hidden}`,
  );
  guard(
    activation === 'relu' || activation === 'sigmoid',
    'argument',
    () => `activation: expected relu or sigmoid, got ${activation}`,
  );
  guard(
    deviation === undefined || (deviation > 0 && Number.isFinite(deviation)),
    'argument',
    () => `deviation of initial weights: expected a number > 0, got ${deviation}`,
  );
  let net = chain(tf, inputShape, seed, deviation);
  hidden.forEach((units, i) => {
    net = net.dense(`F${i + 1}`, units)[activation](`R${i + 1}`);
  });
  const last = hidden.length + 1;
  return net.dense(`F${last}`, classes).logSoftmax(`S${last}`).build();
}
