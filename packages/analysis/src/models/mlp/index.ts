import { guard } from '@epochscope/core-wasm';
import type { Tf } from '../backend.js';
import { chain, type Net } from '../net.js';

/** Dense layers F1, R1, F2, R2, … with ReLU between and log-softmax at the end; Takehana & Ozaki: hidden [100, 50]. */
export function mlp(
  tf: Tf,
  inputShape: readonly number[],
  classes: number,
  seed: number,
  hidden: readonly number[] = [100, 50],
): Net {
  guard(
    hidden.every((units) => Number.isInteger(units) && units > 0),
    'argument',
    () => `hidden: expected whole numbers > 0, got ${hidden}`,
  );
  let net = chain(tf, inputShape, seed);
  hidden.forEach((units, i) => {
    net = net.dense(`F${i + 1}`, units).relu(`R${i + 1}`);
  });
  const last = hidden.length + 1;
  return net.dense(`F${last}`, classes).logSoftmax(`S${last}`).build();
}
