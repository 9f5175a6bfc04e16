import { guard } from '@epochscope/core-wasm';
import type { Tf } from '../backend.js';
import { chain, type Net } from '../net.js';

/**
 * A Deep Belief Network as a classifier: dense layers F1, H1, F2, H2, … with logistic units, and dense `classes` with
 * log-softmax on top. Mototake & Ikegami analyse one trained on MNIST; the hidden sizes are Hinton, Osindero & Teh's
 * (2006), whom they cite: 500, 500, 2000. `pretrain` sets the hidden layers as restricted Boltzmann machines.
 */
export function dbn(
  tf: Tf,
  inputShape: readonly number[],
  classes: number,
  seed: number,
  hidden: readonly number[] = [500, 500, 2000],
): Net {
  guard(
    hidden.length > 0 && hidden.every((units) => Number.isInteger(units) && units > 0),
    'argument',
    () => `hidden: expected whole numbers > 0, got ${hidden}`,
  );
  let net = chain(tf, inputShape, seed);
  hidden.forEach((units, i) => {
    net = net.dense(`F${i + 1}`, units).sigmoid(`H${i + 1}`);
  });
  const last = hidden.length + 1;
  return net.dense(`F${last}`, classes).logSoftmax(`S${last}`).build();
}
