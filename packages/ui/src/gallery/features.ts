import { random } from '@epochscope/analysis/methods';
import { type FeaturePanel, type FeaturesResult, RESULT_FORMAT } from '@epochscope/analysis/results';

// Fixtures of `features`, seeded: a convolution that has its features at once, a dense layer on images that learns them, one that is dead.

const IDS = ['init', 'epoch-0001', 'epoch-0002', 'epoch-0005', 'epoch-0010'];
const SIDE = 9;

/** Strokes that come out of noise. */
function vectorsOf(count: number, shape: readonly number[], learnt: number, seed: number): Float32Array {
  const source = random(seed);
  const size = shape.reduce((a, b) => a * b, 1);
  const wide = shape[1] ?? SIDE;
  const out = new Float32Array(count * size);
  for (let l = 0; l < count; l++) {
    const own = Float64Array.from({ length: size }, (_, i) => {
      const [x, y] = [(i % wide) / (wide - 1) - 0.5, Math.floor(i / wide) / (wide - 1) - 0.5];
      const stroke = Math.cos(3 * (l + 1) * (l % 2 ? x : y)) * Math.exp(-4 * (x * x + y * y));
      return learnt * stroke + 0.6 * (1 - learnt) * source.normal();
    });
    const length = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
    out.set(
      own.map((value) => value / length),
      l * size,
    );
  }
  return out;
}

export function featuresResult({
  dead = false,
  only,
}: {
  dead?: boolean;
  only?: string;
} = {}): FeaturesResult {
  const layers = [
    { layer: 'C1', shape: [5, 5, 1], units: 6, from: 0.93, to: 0.97 },
    { layer: 'F3', shape: [SIDE, SIDE, 1], units: 12, from: 0.55, to: 0.88 },
    { layer: 'F4', shape: [12], units: 8, from: 0.4, to: 0.71 },
  ];
  const panels = layers
    .filter(({ layer }) => !only || layer === only)
    .flatMap(({ layer, shape, units, from, to }) =>
      IDS.map((id, s): FeaturePanel => {
        const learnt = s / (IDS.length - 1);
        const inputs = shape.reduce((a, b) => a * b, 1);
        const gone = dead && layer === 'F4' && s > 2;
        const none = { value: null, reason: 'no output depends on what the layer reads' } as const;
        const rise = from + (to - from) * Math.sqrt(learnt);
        return {
          snapshot: { id, epoch: Number(id.slice(6)) || 0, step: null },
          layer,
          inputs,
          units,
          patches: layer === 'C1' ? 25 : 1,
          patchShape: shape,
          correlation: gone ? none : { value: rise ** 1.4 },
          rootCorrelation: gone ? none : { value: rise },
          startCorrelation: { value: 1 - 0.6 * learnt },
          settled: gone ? none : { value: 0.3 + 0.7 * learnt },
          trace: gone ? 0 : 10,
          values: gone ? new Float64Array(0) : Float64Array.of(4.1, 2.2, 1.3, 0.4, 0.04),
          vectors: gone ? new Float32Array(0) : vectorsOf(5, shape, learnt, s + 7),
        };
      }),
    );
  return {
    format: RESULT_FORMAT,
    method: 'features',
    name: 'default',
    tool: { name: 'epochscope', version: '0' },
    input: { source: 'fixture', files: {} },
    parameters: { layers: layers.map(({ layer }) => layer), snapshots: IDS, samples: 1000, k: 5 },
    seeds: { analysis: 1 },
    seconds: 0,
    samples: { count: 1000 },
    output: { node: 'F5', count: 10, probes: null },
    panels,
  };
}
