import {
  type ModuleSnapshot,
  type ModulesResult,
  RESULT_FORMAT,
  type Transition,
} from '@epochscope/analysis/results';
import { seeded } from './tendency.js';

const value = (v: number) => ({ value: v });

/** A snapshot of n units in `count` clusters, unit u in cluster (u·step mod count), sizes falling; some units removed. */
export function modulesSnapshot(
  n: number,
  count: number,
  epoch: number,
  shape: readonly [number, number, number] = [8, 8, 1],
): ModuleSnapshot {
  const random = seeded(n + 17 * count + epoch);
  const gone = Uint32Array.from({ length: 3 }, (_, k) => (epoch * 5 + k * 11) % n)
    .filter((u, i, all) => all.indexOf(u) === i)
    .sort();
  const kept = Uint32Array.from({ length: n }, (_, u) => u).filter((u) => !gone.includes(u));
  const m = kept.length;
  const raw = Uint32Array.from(kept, (u) =>
    Math.min(count - 1, Math.floor(count * (((u * 7 + (epoch > 1 && u % 4 === 0 ? 9 : 0)) % n) / n) ** 1.6)),
  );
  const groups = Array.from({ length: count }, (_, c) => [...raw.keys()].filter((k) => raw[k] === c))
    .filter((g) => g.length)
    .sort((a, b) => b.length - a.length);
  const labels = new Uint32Array(m);
  for (const [c, g] of groups.entries()) for (const k of g) labels[k] = c;

  const left: number[] = [];
  const right: number[] = [];
  const sizes: number[] = [];
  const total = m - groups.length;
  const join = (a: [number, number], b: [number, number]): [number, number] => {
    left.push(Math.min(a[0], b[0]));
    right.push(Math.max(a[0], b[0]));
    sizes.push(a[1] + b[1]);
    return [m + left.length - 1, a[1] + b[1]];
  };
  const tops = groups.map((g) => {
    let nodes = g.map((k): [number, number] => [k, 1]);
    while (nodes.length > 1) nodes = [...nodes.slice(2), join(nodes[0]!, nodes[1]!)];
    return nodes[0]!;
  });
  while (tops.length > 1) tops.splice(0, 2, join(tops[0]!, tops[1]!));
  const heights = Float32Array.from(left, (_, t) =>
    t < total ? (0.45 * (t + 1)) / total : 0.6 + (0.5 * (t - total)) / Math.max(1, groups.length - 1),
  );

  const [h, w, channels] = shape;
  const inputs = h * w * channels;
  const centroidInputs = Float32Array.from({ length: groups.length * inputs }, (_, k) => {
    const c = Math.floor(k / inputs);
    const p = Math.floor((k % inputs) / channels);
    const [y, x] = [Math.floor(p / w) / h, (p % w) / w];
    return 0.5 * Math.sin(6 * (x * Math.cos(c) + y * Math.sin(c)) + c + (k % channels)) + 0.05 * random();
  });
  const centroidOutputs = Float32Array.from({ length: groups.length * 10 }, () => 0.6 * (random() - 0.5));
  const clusters = groups.map((g, c) => ({
    size: g.length,
    diameter: g.length > 1 ? 0.5 + 0.3 * random() : 0,
    track: c,
    inputRange: { low: value(-0.5), high: value(0.55) },
    outputRange: { low: value(-0.3), high: value(0.3) },
    coherence: 0.6 + 0.3 * random(),
  }));
  const steps = Array.from({ length: 13 }, (_, k) => {
    const theta = Math.round(100 * (0.1 + 0.1 * k)) / 100;
    const number = Math.max(1, Math.round(m * Math.exp(-4 * theta)));
    return {
      theta,
      clusters: number,
      singletons: Math.max(0, number - 5),
      silhouette:
        number < 2
          ? ({ value: null, reason: 'there is one cluster only' } as const)
          : value(Math.max(0, 0.5 - (theta - 0.7) ** 2)),
      coherence: value(1 - 0.4 * theta),
      stability: value(0.4 + 0.5 * Math.exp(-((theta - 0.8) ** 2) * 4)),
    };
  });
  return {
    snapshot: { id: `epoch-${String(epoch).padStart(4, '0')}`, epoch, step: epoch * 100 },
    kept,
    removed: [{ reason: 'output of zero variance', units: gone }],
    constantInputs: Uint32Array.of(0, 1),
    constantOutputs: new Uint32Array(0),
    unitInputRange: { low: value(-0.71), high: value(0.99) },
    unitOutputRange: { low: value(-0.59), high: value(0.6) },
    tree: {
      left: Uint32Array.from(left),
      right: Uint32Array.from(right),
      heights,
      sizes: Uint32Array.from(sizes),
      diameters: heights.map((v) => 1.4 * v),
    },
    theta: 0.83,
    cut: 'level',
    labels,
    clusters,
    centroidInputs,
    centroidOutputs,
    sweep: {
      steps,
      proposal: value(0.8),
      why: 'largest silhouette × stability (0.49 × 0.90) among 9 thresholds with 2 … 60 clusters; it gives 5, coherence 0.68',
      silhouetteUnits: m,
      subsets: 3,
      subsetUnits: Math.floor(m / 2),
    },
    seconds: 1,
  };
}

function transition(a: ModuleSnapshot, b: ModuleSnapshot): Transition {
  const cells = new Map<number, number>();
  const left = new Uint32Array(a.clusters.length);
  const joined = new Uint32Array(b.clusters.length);
  const place = new Map([...b.kept].map((u, k) => [u, k]));
  for (const [k, u] of a.kept.entries()) {
    const there = place.get(u);
    if (there === undefined) left[a.labels[k]!]!++;
    else {
      const key = a.labels[k]! * 1000 + b.labels[there]!;
      cells.set(key, (cells.get(key) ?? 0) + 1);
    }
  }
  const before = new Set(a.kept);
  for (const [k, u] of b.kept.entries()) if (!before.has(u)) joined[b.labels[k]!]!++;
  const keys = [...cells.keys()].sort((x, y) => x - y);
  return {
    from: a.snapshot.id,
    to: b.snapshot.id,
    row: Uint32Array.from(keys, (key) => Math.floor(key / 1000)),
    column: Uint32Array.from(keys, (key) => key % 1000),
    count: Uint32Array.from(keys, (key) => cells.get(key)!),
    fromSizes: Uint32Array.from(a.clusters, ({ size }) => size),
    toSizes: Uint32Array.from(b.clusters, ({ size }) => size),
    left,
    joined,
    concentration: value(0.8),
    splitRows: value(0.1),
  };
}

/** A whole result over four snapshots. */
export function modulesResult(
  n = 120,
  counts: readonly number[] = [5, 7, 8, 12],
  shape: readonly [number, number, number] = [8, 8, 1],
): ModulesResult {
  const snapshots = counts.map((count, s) => modulesSnapshot(n, count, Math.max(1, 10 * s), shape));
  return {
    format: RESULT_FORMAT,
    method: 'modules',
    name: 'default',
    tool: { name: 'epochscope', version: 'fixture' },
    input: { source: 'fixture', files: {} },
    parameters: { theta: 0.83 },
    seeds: { analysis: 1 },
    seconds: 1,
    units: { mode: 'neuron', total: n, layers: [{ name: 'R3', shape: [n], first: 0, count: n }] },
    inputs: shape[0] * shape[1] * shape[2],
    inputShape: [...shape],
    outputs: 10,
    classes: Array.from({ length: 10 }, (_, c) => String(c)),
    samples: { count: 500, indices: Uint32Array.from({ length: 500 }, (_, i) => i) },
    snapshots,
    transitions: snapshots.slice(1).map((b, s) => transition(snapshots[s]!, b)),
  };
}
