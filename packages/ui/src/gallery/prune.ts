import type { PruneResult, PruneRound, RemovalShares } from '@epochscope/analysis/results';

/** Sums as the method gives them. */
export function sharesOf(perUnit: Float64Array): RemovalShares {
  const n = Math.max(1, perUnit.length);
  const count = (test: (x: number) => boolean) => perUnit.filter(test).length / n;
  return {
    perUnit,
    overall: perUnit.reduce((a, b) => a + b, 0) / n,
    over90: count((x) => x > 0.9),
    under40: count((x) => x < 0.4),
    emptied: count((x) => x === 1),
  };
}

/** A pruning made up by formulas: each unit has two waves over its picture; rounds keep what is above a rising level. */
export function pruneResult({
  shape = [14, 14, 1],
  units = 12,
  rounds = 3,
  apart = false,
  kind = 'dense',
  net = true,
  cost = 0.06,
}: {
  shape?: [number, number, number];
  units?: number;
  rounds?: number;
  apart?: boolean;
  kind?: 'dense' | 'conv2d';
  net?: boolean;
  /** How much accuracy full removal costs. */
  cost?: number;
}): PruneResult {
  const [height, width, channels] = shape;
  const size = height * width * channels;
  const weightsBefore = new Float32Array(size * units);
  for (let i = 0; i < weightsBefore.length; i++) {
    const unit = i % units;
    const channel = Math.floor(i / units) % channels;
    const pixel = Math.floor(i / (units * channels));
    const y = Math.floor(pixel / width) / height;
    const x = (pixel % width) / width;
    weightsBefore[i] =
      (0.25 + 0.1 * Math.sin(unit)) *
      (Math.sin(6 * x + unit) * Math.cos(5 * y - unit / 2 + channel) + 0.15 * Math.sin(41 * x * y + i));
  }
  const figure = (value: number) =>
    net ? { value } : { value: null, reason: 'the run does not say which net made it' as const };
  const before = 0.945;
  const made = Array.from({ length: rounds + 1 }, (_, round): PruneRound => {
    const level = 0.05 + 0.04 * round;
    const mask = Uint8Array.from(weightsBefore, (w, i) =>
      Math.abs(w) > level * (1 + 0.8 * Math.sin((i % Math.max(1, units)) * 1.7)) ? 1 : 0,
    );
    const kept = new Float64Array(units);
    mask.forEach((one, i) => {
      kept[i % units]! += one;
    });
    const removed = sharesOf(kept.map((n) => 1 - n / size));
    return {
      round,
      regions: round ? { before: 400 >> round, removed: (160 >> round) | 0 } : null,
      removed,
      left: {
        regions: 400 >> (round + 1),
        perUnit: { value: (400 >> (round + 1)) / Math.max(1, units) },
        largestShare: { value: 0.4 },
        largestOverHalf: { value: 0.25 },
      },
      accuracyAfterRemoval: figure(before - cost * removed.overall ** 2 - 0.01 * round),
      accuracyAfterRetraining:
        round && net
          ? { value: before + 0.004 * round - cost * removed.overall ** 3 }
          : { value: null, reason: 'not retrained' },
      mask,
      weights: weightsBefore.map((w, i) => (mask[i] ? w : 0)),
    };
  });
  return {
    format: 'epochscope-result/2',
    method: 'prune',
    name: 'default',
    tool: { name: 'epochscope', version: '0.1.0' },
    input: { source: 'gallery', files: {} },
    parameters: {},
    seeds: {},
    seconds: 1,
    layout: { layer: 'F1', tensor: 'F1.kernel', kind, inputShape: shape, units, apart },
    snapshot: { id: 'epoch-0015', epoch: 15, step: null },
    options: { magnitude: 0.5, regions: 0.4, rounds, neighbours: 4, ranking: 'network', rateOf: 'count' },
    accuracyBefore: figure(before),
    weightsBefore,
    rounds: made,
    complete: true,
  };
}
