import type { Tf } from '../backend.js';
import { chain, type Net } from '../net.js';

/**
 * A small convolutional net for 32×32 RGB pictures with padding 1 (k3), after Watanabe's experiment: two stages of
 * conv, ReLU, max pool (8 and 16 channels), dense 128, ReLU, dense `classes`, log-softmax. 10 368 hidden ReLU units.
 */
export function cifarCnn(tf: Tf, inputShape: readonly number[], classes: number, seed: number): Net {
  return chain(tf, inputShape, seed)
    .conv2d('C1', 8, 3, 'same')
    .relu('R1')
    .maxPool('P1')
    .conv2d('C2', 16, 3, 'same')
    .relu('R2')
    .maxPool('P2')
    .dense('F3', 128)
    .relu('R3')
    .dense('F4', classes)
    .logSoftmax('S4')
    .build();
}
