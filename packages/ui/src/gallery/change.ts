import type { ActivityPanel, ActivityResult, ChangeResult, Tensor, TracksResult } from '@epochscope/analysis';
import { analyseActivity, analyseChange, random } from '@epochscope/analysis/methods';

// Fixtures of `change`, `tracks` and `activity`, seeded: a small convolutional net on 12 × 12 pictures.

const CLASSES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
const base = {
  format: 'epochscope-result/2' as const,
  name: 'default',
  tool: { name: 'epochscope', version: '0' },
  input: { source: 'fixture', files: {} },
  parameters: {},
  seeds: {},
  seconds: 0,
};
const point = (step: number) => ({
  id: step ? `step-${String(step).padStart(8, '0')}` : 'init',
  epoch: step ? null : 0,
  step,
});
const SHAPES: Record<string, number[]> = {
  'C1.kernel': [5, 5, 1, 6],
  'C1.bias': [6],
  'C2.kernel': [3, 3, 6, 16],
  'F3.kernel': [144, 20],
  'F4.kernel': [20, 10],
};
const layers = ['C1', 'C2', 'F3', 'F4'].map((name) => ({
  name,
  kind: name.startsWith('C') ? 'conv2d' : 'dense',
  shape: [1],
  parameters: Object.keys(SHAPES).filter((tensor) => tensor.startsWith(`${name}.`)),
}));

function weights(moved: number): Map<string, Tensor> {
  const dice = random(3);
  return new Map(
    Object.entries(SHAPES).map(([name, shape]) => {
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
        const start = dice.normal() * 0.2;
        return start + moved * (0.5 * start + 0.08 * dice.normal());
      });
      return [name, { data, shape, dtype: 'float32' as const }];
    }),
  );
}

export const changeResult = (): ChangeResult => ({
  ...base,
  method: 'change',
  ...analyseChange({
    from: { snapshot: { ...point(0), metrics: {} }, weights: weights(0) },
    to: { snapshot: { ...point(500), metrics: {} }, weights: weights(1) },
    layers,
    inputShape: [12, 12, 1],
  }),
});

/** Paths that drift and shake over `count` steps. */
export function tracksResult(count: number): TracksResult {
  const dice = random(4);
  const walk = (start: number) => {
    let value = start;
    return Float32Array.from({ length: count }, (_, i) => {
      if (i) value += (start * 0.8) / count + (0.6 * dice.normal()) / count;
      return value;
    });
  };
  return {
    ...base,
    method: 'tracks',
    snapshots: Array.from({ length: count }, (_, i) => point(i)),
    paths: ['C1.kernel', 'F4.kernel'].flatMap((tensor) =>
      Array.from({ length: 8 }, (_, i) => ({
        tensor,
        index: 7 * i,
        position: tensor === 'C1.kernel' ? [i % 5, 1, 0, i % 6] : [i, i % 10],
        values: walk(dice.normal() * 0.2),
      })),
    ),
    updates: ['C1', 'C2', 'F3', 'F4'].map((layer, k) => {
      const relative = Float64Array.from(
        { length: count - 1 },
        (_, i) => (0.05 / (k + 1)) * Math.exp((-3 * i) / count) * (1 + 0.3 * dice.uniform()),
      );
      return { layer, relative, norm: relative.map((x) => 8 * x) };
    }),
  };
}

/** Filters that respond more and more to single classes; `missing`: classes with no right sample. */
export function activityPanel(
  layer: string,
  filters: number,
  sharpness: number,
  missing: readonly number[] = [],
  step = 500,
): ActivityPanel {
  const dice = random(filters, step);
  const n = 200;
  const labels = Uint32Array.from({ length: n }, (_, i) => i % 10);
  const gain = Float32Array.from({ length: filters * 10 }, () => 1 + sharpness * dice.uniform() ** 3);
  return analyseActivity({
    snapshot: point(step),
    layer,
    filters,
    classes: 10,
    labels,
    predictions: labels.map((label) => (missing.includes(label) ? (label + 1) % 10 : label)),
    inputs: { data: new Float32Array(n * 4).fill(0.25), shape: [n, 4] },
    outputs: {
      data: Float32Array.from(
        { length: n * filters },
        (_, k) => gain[(k % filters) * 10 + labels[Math.floor(k / filters)]!]! * (0.9 + 0.2 * dice.uniform()),
      ),
      shape: [n, filters],
    },
  });
}

export const activityResult = (): ActivityResult => ({
  ...base,
  method: 'activity',
  classes: CLASSES,
  panels: [
    activityPanel('R1', 6, 0.2, [], 0),
    activityPanel('R2', 16, 0.3, [], 0),
    activityPanel('R1', 6, 0.4),
    activityPanel('R2', 16, 6),
  ],
});
