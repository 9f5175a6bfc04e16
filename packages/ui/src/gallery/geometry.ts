import type { GeometryResult } from '@epochscope/analysis';
import {
  alignmentSteps,
  type GeometryOfInput,
  PERTURBATION_LENGTHS,
  random,
  summariseAlignment,
  summarisePerturbation,
  summariseSpectrum,
} from '@epochscope/analysis/methods';

// Fixture of `geometry`, seeded: made-up spectra that steepen with depth, on soft 14 × 14 pictures.

const SIDE = 14;
const LAYERS = ['H1', 'H2', 'H3', 'S4'];
const SNAPSHOTS = [
  { id: 'init', epoch: 0, step: 0 },
  { id: 'rbm-3', epoch: null, step: 900 },
  { id: 'epoch-0010', epoch: 10, step: 1900 },
];

function wave(phase: number, turns: number, angle: number): Float32Array {
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = [(i % SIDE) - 6.5, Math.floor(i / SIDE) - 6.5];
    return (
      Math.cos(turns * (x * Math.cos(angle) + y * Math.sin(angle)) + phase) * Math.exp(-(x * x + y * y) / 40)
    );
  });
}

/** `snapshots`: the last so many of three. `colour`: pictures of three channels. */
export function geometryResult(snapshots = 3, colour = false): GeometryResult {
  const inputs = 8;
  const channels = colour ? 3 : 1;
  const columns = SIDE * SIDE * channels;
  const used = SNAPSHOTS.slice(3 - snapshots);
  const images = new Uint8Array(inputs * columns);
  for (let n = 0; n < inputs; n++) {
    const picture = wave(n, 0.5 + 0.1 * n, n);
    for (let i = 0; i < SIDE * SIDE; i++)
      for (let c = 0; c < channels; c++)
        images[(n * SIDE * SIDE + i) * channels + c] = 127 + (100 - 40 * c) * picture[i]!;
  }
  const result: GeometryResult = {
    format: 'epochscope-result/2',
    method: 'geometry',
    name: 'default',
    tool: { name: 'epochscope', version: '0' },
    input: { source: 'fixture', files: {} },
    parameters: {},
    seeds: {},
    seconds: 0,
    samples: {
      indices: Uint32Array.from({ length: inputs }, (_, i) => 3 * i),
      labels: Uint32Array.from({ length: inputs }, (_, i) => i % 4),
      classes: ['cat', 'dog', 'car', 'truck'],
      images: { data: images, shape: [inputs, SIDE, SIDE, channels] },
    },
    spectra: [],
    alignments: [],
    perturbations: [],
    classTrees: [],
  };
  used.forEach((snapshot, s) => {
    LAYERS.forEach((to, l) => {
      const rows = to === 'S4' ? 10 : 40;
      const k = to === 'S4' ? 10 : 30;
      const ks = alignmentSteps(k);
      const source = random(7, s, l);
      const list = Array.from({ length: inputs }, (_, n): GeometryOfInput => {
        const right = new Float32Array(5 * columns);
        for (let t = 0; t < 5; t++) {
          const picture = wave(n + t, 0.3 + 0.25 * t, n + t);
          for (let i = 0; i < columns; i++) right[t * columns + i] = picture[Math.floor(i / channels)]!;
        }
        const row = (level: number) => Array.from(ks, (step) => Math.min(1, level * (step / k) ** 0.4));
        return {
          sigma: Float64Array.from(
            { length: k },
            (_, i) =>
              (0.5 + 1.5 * (s + 3 - snapshots)) *
              Math.exp(-i * 0.05 * (l + 1)) *
              (1 + 0.1 * source.uniform()),
          ).sort((a, b) => b - a),
          residuals: new Float64Array(k),
          converged: new Uint8Array(k).fill(1),
          explicit: true,
          triplets: Uint32Array.of(0, 1, 2, 3, k - 1),
          right,
          left: Float32Array.from({ length: 5 * rows }, () => source.normal()),
          alignment: {
            cosine: Float64Array.from([0.7, 0.8, 0.75, 0.6, 0.5, 0.45, 0.2, 0.28].flatMap(row)),
            principal: new Float64Array(6),
            principalRandom: new Float64Array(6),
          },
          moved: Float64Array.from(
            [1, 0.05, 0.3, 0.8, 0.9, 0.85, 0.6, 0.5, 0.4].flatMap((level) =>
              PERTURBATION_LENGTHS.map((length) => level * length * (0.8 + 0.4 * source.uniform())),
            ),
          ),
        };
      });
      result.spectra.push(
        summariseSpectrum(
          {
            snapshot,
            kind: 'depth',
            from: 'input',
            to,
            rows,
            columns,
            rowShape: [rows],
            columnShape: [SIDE, SIDE, channels],
          },
          list,
          3,
        ),
      );
      result.alignments.push(
        summariseAlignment(
          snapshot,
          to,
          ks,
          list.map(({ alignment }) => alignment!),
        ),
      );
      result.perturbations.push(
        summarisePerturbation(
          snapshot,
          to,
          30,
          PERTURBATION_LENGTHS,
          list.map(({ moved }) => moved!),
        ),
      );
      result.classTrees.push({
        snapshot,
        to,
        classes: Uint32Array.of(0, 1, 2, 3),
        counts: Uint32Array.of(2, 2, 2, 2),
        logSpectra: new Float64Array(4 * k),
        floor: 1e-6,
        left: Uint32Array.of(0, 2, 4),
        right: Uint32Array.of(1, 3, 5),
        heights: Float32Array.of(0.4, 0.7 + 0.05 * l, 1.9),
        agreement: { value: 0.97 },
      });
    });
  });
  return result;
}
