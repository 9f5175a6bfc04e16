import type { Tf } from '../backend.js';
import { chain, type Net } from '../net.js';

/**
 * LeNet-5 as in Satoh's table 1: conv k5 (6), ReLU, max pool 2, conv k5 (16), ReLU, max pool 2, dense 120, ReLU, dense 84,
 * ReLU, dense `classes`, log-softmax. No padding: 28×28 → 24 → 12 → 8 → 4, so F3 has 256 inputs.
 */
export function lenet5(tf: Tf, inputShape: readonly number[], classes: number, seed: number): Net {
  return chain(tf, inputShape, seed)
    .conv2d('C1', 6, 5)
    .relu('R1')
    .maxPool('P1')
    .conv2d('C2', 16, 5)
    .relu('R2')
    .maxPool('P2')
    .dense('F3', 120)
    .relu('R3')
    .dense('F4', 84)
    .relu('R4')
    .dense('F5', classes)
    .logSoftmax('S5')
    .build();
}
