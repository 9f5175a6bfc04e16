import { differenceOf, minimaxPath, random } from '@epochscope/analysis/methods';
import {
  type DifferenceMapResult,
  type DifferenceResult,
  type PathResult,
  RESULT_FORMAT,
} from '@epochscope/analysis/results';
import { vatPointsReference } from '@epochscope/core-wasm/reference';

// Fixtures of `difference` and `path`, seeded: 120 samples of three classes, near each other before training and apart after.

const CLASSES = ['circle', 'cross', 'square'];
const N = 120;
const SIDE = 8;

const labels = Uint32Array.from({ length: N }, (_, i) => i % 3);
const images = {
  shape: [N, SIDE, SIDE, 1] as [number, number, number, number],
  data: Uint8Array.from({ length: N * SIDE * SIDE }, (_, at) => {
    const [x, y] = [(at % SIDE) - 3.5, (Math.floor(at / SIDE) % SIDE) - 3.5];
    const label = labels[Math.floor(at / (SIDE * SIDE))]!;
    const on = [
      Math.abs(Math.hypot(x, y) - 2.6) < 0.8,
      Math.abs(Math.abs(x) - Math.abs(y)) < 0.6,
      Math.max(Math.abs(x), Math.abs(y)) === 2.5,
    ];
    return on[label] ? 230 : 20;
  }),
};

function points(apart: number, seed: number) {
  const draw = random(seed);
  const centres = [
    [0, 0],
    [apart, 0],
    [apart / 2, apart],
  ];
  return {
    data: Float32Array.from({ length: 2 * N }, (_, i) => centres[(i >> 1) % 3]![i % 2]! + draw.normal()),
    shape: [N, 2] as const,
  };
}

const base = (method: string, parameters: object) => ({
  format: RESULT_FORMAT as typeof RESULT_FORMAT,
  method,
  name: 'default',
  tool: { name: 'epochscope', version: '0' },
  input: { source: 'fixture', files: {} },
  parameters: { ...parameters },
  seeds: {},
  seconds: 0,
});
const samples = (withImages: boolean) => ({
  count: N,
  labels,
  classes: CLASSES,
  images: withImages ? images : null,
});

function side(apart: number, seed: number, id: string) {
  const { order, weights, parent } = vatPointsReference(points(apart, seed), 'euclidean');
  const scale = apart;
  const rising = [...weights.keys()].sort((a, b) => weights[a]! - weights[b]! || a - b);
  const height = Float64Array.from(rising, (k) => weights[k]! / scale);
  return {
    source: 'fixture',
    snapshot: { id, epoch: id === 'init' ? 0 : 10, step: null },
    layer: 'R4',
    n: N,
    d: 2,
    metric: 'euclidean' as const,
    scale: { value: scale },
    scaleSamples: 'all' as const,
    length: height.reduce((sum, value) => sum + value, 0),
    edges: {
      from: Uint32Array.from(rising, (k) => parent[k]!),
      to: Uint32Array.from(rising, (k) => order[k + 1]!),
      height,
    },
  };
}

export function differenceResult({ same = false, withImages = true } = {}): DifferenceResult {
  const [a, b] = [side(2, 1, 'init'), side(14, same ? 1 : 2, 'epoch-0010')];
  return {
    ...base('difference', {
      from: 'init',
      to: 'epoch-0010',
      layer: 'R4',
      toLayer: 'R4',
      metric: 'euclidean',
    }),
    method: 'difference',
    ...differenceOf(a, same ? { ...a, snapshot: b.snapshot } : b),
    cka: { value: same ? 1 : 0.412 },
    ckaSamples: 'all',
    samples: samples(withImages),
  };
}

/** Pictures that come nearer to each other as training goes on. */
export function differenceMapResult(layers = ['R3', 'R4'], epochs = 5): DifferenceMapResult {
  const pictures = layers.flatMap((layer) =>
    Array.from({ length: epochs }, (_, epoch) => {
      const { edges: _edges, ...own } = side(
        4,
        1,
        epoch ? `epoch-${String(epoch).padStart(4, '0')}` : 'init',
      );
      return { ...own, layer, snapshot: { ...own.snapshot, epoch } };
    }),
  );
  const m = pictures.length;
  const far = ({ snapshot, layer }: (typeof pictures)[number]) =>
    30 * Math.exp(-snapshot.epoch! / 2) + 8 * layers.indexOf(layer);
  return {
    ...base('difference-map', { layers, snapshots: ['all'], metric: 'euclidean' }),
    method: 'difference-map',
    samples: { count: N },
    pictures,
    distances: Float64Array.from({ length: m * m }, (_, at) =>
      Math.abs(far(pictures[Math.floor(at / m)]!) - far(pictures[at % m]!)),
    ),
    undefinedPictures: [],
  };
}

export function pathResult({ bridges = true, withImages = true, apart = 6 } = {}): PathResult {
  const tree = vatPointsReference(points(apart, 3), 'euclidean');
  const path = minimaxPath(tree, 0, 1);
  const inner = path.samples[path.weakest!]!;
  return {
    ...base('path', { from: 0, to: 1, bridges: bridges ? 1 : 0, metric: 'euclidean' }),
    method: 'path',
    snapshot: { id: 'epoch-0010', epoch: 10, step: null },
    layer: 'R4',
    n: N,
    d: 2,
    metric: 'euclidean',
    from: 0,
    to: 1,
    path,
    direct: { value: 6.2 },
    bridges: bridges
      ? [{ sample: inner, bottleneck: path.bottleneck * 1.2, path: minimaxPath(tree, 0, 4) }]
      : [],
    noMore: null,
    samples: samples(withImages),
  };
}
