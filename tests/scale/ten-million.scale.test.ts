// What is made of a result of ten million samples: memory grows with n, never with its square.
import {
  assignFree,
  blockLabels,
  findBlocks,
  labelScores,
  placeMarks,
  random,
} from '@epochscope/analysis/methods';
import type { TendencyPanel } from '@epochscope/analysis/results';
import { ivatImage } from '@epochscope/core-wasm';
import { panelScene } from '@epochscope/ui/drawing';
import { describe, expect, it } from 'vitest';

const n = 10_000_000;
const BLOCKS = 8;

/** Eight blocks of the order, tight inside and far apart, as VAT of eight clusters leaves them. */
function synthetic() {
  const draw = random(1);
  const order = draw.permutation(n);
  const weights = new Float32Array(n - 1);
  const parent = new Uint32Array(n - 1);
  for (let k = 0; k < n - 1; k++) {
    weights[k] = (k + 1) % (n / BLOCKS) === 0 ? 40 + draw.uniform() : 1 + draw.uniform();
    parent[k] = order[k]!;
  }
  const labels = new Uint32Array(n);
  order.forEach((sample, position) => {
    labels[sample] = Math.floor(position / (n / BLOCKS));
  });
  return { order, weights, parent, labels };
}

describe('a result of ten million samples', () => {
  it('has blocks, scores, a hundred thousand marks and a picture, in memory of O(n)', () => {
    const { labels, ...vat } = synthetic();
    const before = process.memoryUsage();
    const times: Record<string, number> = {};
    const timed = <T>(what: string, body: () => T): T => {
      const begun = process.cpuUsage();
      const value = body();
      const { user, system } = process.cpuUsage(begun);
      times[what] = Math.round((user + system) / 1000);
      return value;
    };
    const blocks = timed('blocks', () => findBlocks(vat.weights, n, { bySize: false }));
    expect(blocks.ranges.map(({ start, end }) => [start, end])).toEqual(
      Array.from({ length: BLOCKS }, (_, b) => [(b * n) / BLOCKS, ((b + 1) * n) / BLOCKS]),
    );
    const inBlocks = timed('labels of samples', () => blockLabels(blocks, vat.order));
    const scores = timed('scores', () => labelScores(assignFree(vat, inBlocks), labels, blocks.reason));
    expect(scores.ari.value).toBeCloseTo(1, 12);
    const marked = Array.from({ length: n / 100 }, (_, i) => 100 * i);
    const marks = timed('marks', () => placeMarks(marked, 'index', vat.order, labels, null));
    for (const { sample, position } of marks.slice(0, 1000)) expect(vat.order[position]).toBe(sample);
    const side = 512;
    const image = timed('picture', () => ivatImage(vat, { side }));
    expect(image[0]).toBeLessThan(2.01);
    expect(image[side - 1]).toBeGreaterThan(40);
    const none = { value: null, reason: 'not worked out' } as const;
    const panel: TendencyPanel = {
      snapshot: { id: 'points', epoch: null, step: null },
      layer: 'points',
      ...{ n, d: 84, metric: 'euclidean', start: vat.order[0]!, ...vat, vat: null, seconds: 0, marks },
      blocks: { ...blocks, stability: none },
      scores: { inBlocks: scores, overall: scores },
      rimScore: none,
    };
    const scene = timed('scene', () => panelScene(panel, { side, outlines: 'blocks' }));
    // As many marks as the edge has places, in one colour for each of its eight blocks.
    const colours = new Set(scene.items.flatMap((item) => (item.kind === 'rect' && item.fill) || []));
    expect(colours.size).toBe(BLOCKS);
    expect(scene.items.length).toBeLessThan(10 * side);
    const after = process.memoryUsage();
    const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    console.info(`n = ${n}, processor ms: ${JSON.stringify(times)}; ${Math.round(grown / 1e6)} MB more`);
    expect(grown).toBeLessThan(150 * n);
  }, 600_000);
});
