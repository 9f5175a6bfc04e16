import {
  type Figure,
  RESULT_FORMAT,
  type TendencyPanel,
  type TendencyResult,
  type Thinning,
} from '@epochscope/analysis/results';

/** Seeded numbers in [0, 1) (mulberry32), so that fixtures are the same everywhere. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * A panel of n samples in `count` even blocks: small weights inside, large between; a tenth of the samples lies between the
 * blocks. A count of 1 is none: what cannot be told apart is no block.
 */
export function blocksPanel(
  n: number,
  count: number,
  snapshot: TendencyPanel['snapshot'] = { id: 'epoch-0010', epoch: 10, step: 1000 },
  layer = 'S5',
): TendencyPanel {
  const random = seeded(n * 31 + count);
  const weights = Float32Array.from({ length: Math.max(0, n - 1) }, () => 0.4 + random());
  const ranges = Array.from({ length: count > 1 ? count : 0 }, (_, b) => ({
    start: Math.round((b * n) / count),
    end: Math.round(((b + 0.9) * n) / count),
    clearness: 5 + random(),
  }));
  for (const { start, end } of ranges) {
    if (start > 0) weights[start - 1] = 5 + 3 * random();
    for (let p = end - 1; p < Math.min(n - 1, end + n / count / 10 - 1); p++) weights[p] = 4 + 3 * random();
  }
  const inside = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  const reason = 'no clear blocks: 2 candidates of mean clearness 3.4, 4.6 is needed';
  const undefinedHere = { value: null, reason } as const;
  const figure = (value: number): Figure => (ranges.length ? { value } : undefinedHere);
  const order = Uint32Array.from({ length: n }, (_, p) => (p * 7 + 3) % n);
  const none = { value: null, reason: 'there are no labels' } as const;
  return {
    snapshot,
    layer,
    n,
    d: 84,
    metric: 'euclidean',
    start: order[0] ?? 0,
    order,
    weights,
    parent: Uint32Array.from(order.subarray(0, Math.max(0, n - 1))),
    vat: null,
    blocks: {
      count: ranges.length,
      ...(ranges.length ? {} : { reason }),
      ranges,
      shareInNone: n ? 1 - inside / n : 1,
      clearness: figure(5.4),
      smallest: 14,
      bySize: {
        smallest: Uint32Array.of(2, 6, 14, 40),
        count: Uint32Array.of(count + 5, count + 1, ranges.length, 2),
        persistence: Float64Array.of(0.8, 0.9, 1.1, 0.4),
      },
      stability: figure(0.96),
    },
    scores: {
      inBlocks: { ari: figure(0.78), nmi: figure(0.81), purity: figure(0.8) },
      overall: { ari: figure(0.7), nmi: figure(0.75), purity: figure(0.74) },
    },
    rimScore: none,
    marks: Array.from({ length: Math.min(n, 60) }, (_, i) => {
      const position = Math.floor((i * n) / Math.min(n, 60));
      return {
        sample: order[position]!,
        position,
        label: Math.floor((position * count) / n) % 10,
        correct: i % 7 > 0,
        rule: 'index',
      };
    }),
    seconds: 0.1,
  };
}

/** A whole result: layers × snapshots whose blocks grow in number with training, with pictures of its samples. */
export function tendencyResult(
  n = 200,
  layers = ['P1', 'P3', 'S5'],
  epochs = [0, 1, 2, 5, 10],
): TendencyResult {
  const random = seeded(7);
  const labels = Uint32Array.from({ length: n }, (_, i) => i % 10);
  const side = 8;
  return {
    format: RESULT_FORMAT,
    method: 'tendency',
    name: 'default',
    tool: { name: 'epochscope', version: 'fixture' },
    input: { source: 'fixture', files: {} },
    parameters: { metric: 'euclidean' },
    seeds: { analysis: 1 },
    seconds: 1,
    samples: {
      count: n,
      labels,
      classes: Array.from({ length: 10 }, (_, c) => String(c)),
      images: {
        data: Uint8Array.from({ length: n * side * side }, (_, i) =>
          Math.floor(random() * 40 + 20 * labels[Math.floor(i / side / side)]!),
        ),
        shape: [n, side, side, 1],
      },
    },
    panels: epochs.flatMap((epoch) =>
      layers.map((layer, l) =>
        blocksPanel(
          n,
          Math.min(10, 1 + Math.ceil((epoch * (l + 1)) / 3)),
          { id: epoch ? `epoch-${String(epoch).padStart(4, '0')}` : 'init', epoch, step: epoch * 100 },
          layer,
        ),
      ),
    ),
  };
}

/** Thinning of the last layer to smaller numbers of samples, agreeing less and less. */
export function thinningOf(sizes = [100, 50, 20], epochs = [0, 1, 2, 5, 10], n = 200): Thinning {
  const all = tendencyResult(n, ['S5'], epochs).panels;
  const none = { value: null, reason: 'sizes were given' } as const;
  return {
    reference: { snapshot: all.at(-1)!.snapshot.id, layer: 'S5' },
    by: 'size',
    least: null,
    chosen: none,
    fullSeconds: 1,
    steps: sizes.map((size) => {
      const panels = all.map((p) => blocksPanel(size, Math.min(p.blocks.count, size), p.snapshot, 'S5'));
      return {
        interval: n / size,
        size,
        samples: Uint32Array.from({ length: size }, (_, i) => Math.floor((i * n) / size)),
        panels,
        seconds: 0.1,
        lowest: none,
        agreement: panels.map((p, i) => {
          const correlation = { value: Math.max(0, 1 - 0.08 * (n / size) + 0.04 * i) };
          const ari = { value: Math.max(0, correlation.value - 0.15) };
          return {
            snapshot: p.snapshot.id,
            layer: 'S5',
            ari,
            correlation,
            lowest: ari,
            pairs: 'all' as const,
            seconds: 0.01,
            fullSeconds: 0.1,
          };
        }),
      };
    }),
  };
}
