import { createInlineEngine } from '@epochscope/analysis';
import type { Linkage, Matrix } from '@epochscope/core-wasm';
import { correlationReference, linkageReference } from '@epochscope/core-wasm/reference';
import { describe, expect, it } from 'vitest';
import type { ColumnBlocks } from '../../engine/types.js';
import { random } from '../../random.js';
import { decodeAny, encodeInline } from '../../results/codec.js';
import { toolInfo } from '../../version.js';
import { cutModules, membersOf } from './clusters.js';
import {
  analyseModules,
  linkModules,
  type ModuleSnapshot,
  type ModulesInput,
  type ModulesOptions,
  type ModulesResult,
  silhouette,
  transitionMatrix,
  transitionOf,
  unitLayers,
  unitName,
  unitOutputs,
} from './index.js';
import { proposeTheta } from './sweep.js';

const engine = createInlineEngine();
const OPTIONS: ModulesOptions = { theta: 0.83, cut: 'level', sweep: null, seed: 1 };

/** Units that mix inputs in `groups` ways, with noise; unit 3 never changes, unit 5 follows nothing, input 2 is constant. */
function data(samples: number, units: number, seed: number, groups = 3) {
  const g = random(seed);
  const inputs = 7;
  const x = new Float32Array(samples * units);
  const y = new Float32Array(samples * (inputs + 2));
  for (let s = 0; s < samples; s++) {
    for (let i = 0; i < inputs; i++) y[s * 9 + i] = i === 2 ? 0.25 : g.normal();
    for (let u = 0; u < units; u++) {
      const k = u % groups;
      x[s * units + u] = u === 3 ? 7 : y[s * 9 + k + 3]! - 0.5 * y[s * 9 + ((k + 1) % 2)]! + 0.4 * g.normal();
    }
    for (let j = 0; j < 2; j++) y[s * 9 + inputs + j] = (x[s * units + j] ?? 0) + g.normal();
  }
  const source: ColumnBlocks = {
    units,
    inputs: 9,
    samples,
    blocks: function* () {
      for (let from = 0; from < samples; from += 100) {
        const to = Math.min(samples, from + 100);
        yield [
          { data: x.subarray(from * units, to * units), shape: [to - from, units] },
          { data: y.subarray(from * 9, to * 9), shape: [to - from, 9] },
        ] as const;
      }
    },
  };
  const input: ModulesInput = { snapshot: { id: 'epoch-0001', epoch: 1, step: 10 }, source, inputs };
  return {
    x: { data: x, shape: [samples, units] } as Matrix,
    y: { data: y, shape: [samples, 9] } as Matrix,
    input,
  };
}

/** Everything by definition in float64: features, cosine, O(n⁴) linkage. */
function byDefinition(x: Matrix, y: Matrix, kept: Uint32Array) {
  const r = correlationReference(x, y);
  const rows = [...kept].map((u) => [...r.subarray(u * 9, (u + 1) * 9)]);
  const norm = (v: number[]) => Math.sqrt(v.reduce((s, a) => s + a * a, 0));
  const cosine = (i: number, j: number) =>
    1 - rows[i]!.reduce((s, a, k) => s + a * rows[j]![k]!, 0) / (norm(rows[i]!) * norm(rows[j]!));
  return { rows, norm, cosine, tree: linkageReference(kept.length, cosine, 'average') };
}

describe('analyseModules', () => {
  it('equals the definition in float64: features, merges, diameters, cut, centroids', async () => {
    const { x, y, input } = data(350, 24, 5);
    const got = await analyseModules(engine, input, OPTIONS);
    expect([...got.kept]).toEqual([...Array(24).keys()].filter((u) => u !== 3));
    const want = byDefinition(x, y, got.kept);
    expect([...got.tree.left]).toEqual(want.tree.left);
    expect([...got.tree.right]).toEqual(want.tree.right);
    for (let t = 0; t < 22; t++) {
      // float32 correlations and cosines.
      expect(got.tree.heights[t]).toBeCloseTo(want.tree.heights[t]!, 5);
      expect(got.tree.diameters[t]).toBeCloseTo(want.tree.diameters[t]!, 5);
    }
    // The level: merges until one would be wider than θ.
    const stop = want.tree.diameters.findIndex((d) => d > 0.83);
    expect(got.clusters.length).toBe(23 - stop);
    for (const [c, members] of membersOf(got.labels, got.clusters.length).entries()) {
      const { size, diameter, coherence, inputRange, outputRange } = got.clusters[c]!;
      expect(size).toBe(members.length);
      let widest = 0;
      for (const i of members)
        for (const j of members) if (i !== j) widest = Math.max(widest, want.cosine(i, j));
      expect(diameter).toBeCloseTo(widest, 5);
      const mean = Array.from(
        { length: 9 },
        (_, k) => [...members].reduce((s, i) => s + want.rows[i]![k]!, 0) / size,
      );
      for (let i = 0; i < 7; i++) expect(got.centroidInputs[c * 7 + i]).toBeCloseTo(mean[i]!, 5);
      for (let j = 0; j < 2; j++) expect(got.centroidOutputs[c * 2 + j]).toBeCloseTo(mean[7 + j]!, 5);
      expect(inputRange.low.value).toBeCloseTo(Math.min(...mean.slice(0, 7)), 5);
      expect(outputRange.high.value).toBeCloseTo(Math.max(...mean.slice(7)), 5);
      const norms = [...members].reduce((s, i) => s + want.norm(want.rows[i]!), 0) / size;
      expect(coherence).toBeCloseTo(want.norm(mean) / norms, 5);
    }
    const all = want.rows.flatMap((row) => row.slice(0, 7));
    expect(got.unitInputRange.low.value).toBeCloseTo(Math.min(...all), 5);
    expect(got.unitInputRange.high.value).toBeCloseTo(Math.max(...all), 5);
  });

  it('finds planted groups, numbered by size', async () => {
    const { input } = data(400, 40, 9, 3);
    const got = await analyseModules(engine, input, { ...OPTIONS, theta: 0.5 });
    expect(got.clusters.map(({ size }) => size)).toEqual([13, 13, 13]);
    for (const [k, unit] of got.kept.entries()) expect(got.labels[k]).toBe([0, 1, 2][unit % 3]);
  });

  it('names units of zero variance, units without correlation, and constant dimensions', async () => {
    const { input } = data(120, 8, 3);
    const got = await analyseModules(engine, input, OPTIONS);
    expect(got.removed).toEqual([{ reason: 'output of zero variance', units: Uint32Array.of(3) }]);
    expect([...got.constantInputs]).toEqual([2]);
    expect([...got.constantOutputs]).toEqual([]);
    for (const [c] of got.clusters.entries()) expect(got.centroidInputs[c * 7 + 2]).toBe(0);
    // No input or output varies: no unit has a correlation.
    const flat = {
      ...input.source,
      blocks: () => [[pack(120, 8, (s, u) => s * (u + 1)), pack(120, 9, () => 1)] as const],
    };
    const none = await analyseModules(engine, { ...input, source: flat }, { ...OPTIONS, sweep: [0.5] });
    expect(none.removed).toEqual([
      {
        reason: 'it is correlated with no input and no output',
        units: Uint32Array.from([...Array(8).keys()]),
      },
    ]);
    expect([none.kept.length, none.clusters.length, none.labels.length]).toEqual([0, 0, 0]);
    expect(none.unitInputRange.low).toEqual({ value: null, reason: 'there are no units' });
    expect(none.sweep!.proposal.value).toBeNull();
    const without = { reason: 'not drawn', units: Uint32Array.of(0, 3) };
    const fewer = await analyseModules(engine, { ...input, without }, OPTIONS);
    expect([...fewer.kept]).toEqual([1, 2, 4, 5, 6, 7]);
    expect(fewer.removed).toEqual(
      [without, { reason: 'output of zero variance', units: new Uint32Array(0) }].slice(0, 1),
    );
  });

  it('takes no units, one and two', async () => {
    for (const units of [0, 1, 2]) {
      const { input } = data(50, units, 4);
      const got = await analyseModules(engine, input, { ...OPTIONS, sweep: [0.5, 1] });
      expect(got.kept.length).toBe(units);
      expect(got.clusters.length).toBeLessThanOrEqual(units);
      expect(got.tree.heights.length).toBe(Math.max(0, units - 1));
    }
  });

  it('cuts by level or by branch, never wider than θ', async () => {
    const { x, y, input } = data(200, 40, 12, 5);
    for (const theta of [0, 0.2, 0.6, 0.83, 1.2, 2]) {
      const level = await analyseModules(engine, input, { ...OPTIONS, theta });
      const branch = await analyseModules(engine, input, { ...OPTIONS, theta, cut: 'branch' });
      const { cosine } = byDefinition(x, y, level.kept);
      for (const { labels } of [level, branch])
        for (let i = 0; i < labels.length; i++)
          for (let j = 0; j < i; j++)
            if (labels[i] === labels[j]) expect(cosine(i, j)).toBeLessThanOrEqual(theta + 1e-5);
      expect(branch.clusters.length).toBeLessThanOrEqual(level.clusters.length);
    }
  });

  it('refuses a θ that is none, outputs that are not finite, and what cannot fit; can be cancelled', async () => {
    const { input } = data(50, 6, 1);
    await expect(analyseModules(engine, input, { ...OPTIONS, theta: Number.NaN })).rejects.toMatchObject({
      code: 'argument',
    });
    const bad = {
      ...input.source,
      blocks: () => [[pack(50, 6, () => Number.NaN), pack(50, 9, () => 1)] as const],
    };
    await expect(analyseModules(engine, { ...input, source: bad }, OPTIONS)).rejects.toMatchObject({
      code: 'not-finite',
      message: expect.stringContaining('snapshot epoch-0001'),
      fields: expect.objectContaining({ row: 0, column: 0 }),
    });
    const small = createInlineEngine({ memoryLimit: 1_400_000 });
    await expect(analyseModules(small, data(300, 600, 1).input, OPTIONS)).rejects.toMatchObject({
      code: 'memory',
      message: expect.stringMatching(
        /clustering 599 units: .* the limit is 1 MB.*channels instead of neurons/,
      ),
    });
    await expect(
      analyseModules(createInlineEngine({ memoryLimit: 1e4 }), input, OPTIONS),
    ).rejects.toMatchObject({ code: 'memory', message: expect.stringContaining('fewer layers') });
    const stop = new AbortController();
    await expect(
      analyseModules(engine, input, { ...OPTIONS, signal: stop.signal, onProgress: () => stop.abort() }),
    ).rejects.toMatchObject({ code: 'cancelled' });
    const seen: number[] = [];
    await analyseModules(engine, data(300, 30, 1).input, {
      ...OPTIONS,
      sweep: [0.5],
      onProgress: (done) => seen.push(done),
    });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
  });
});

describe('the sweep', () => {
  it('counts clusters as the cut does and takes the silhouette by its definition', async () => {
    const { x, y, input } = data(300, 30, 7);
    const got = await analyseModules(engine, input, { ...OPTIONS, sweep: [0.1, 0.5, 1.1] });
    const { steps } = got.sweep!;
    expect(steps.map(({ theta }) => theta)).toEqual([0.1, 0.5, 0.83, 1.1]);
    const { cosine } = byDefinition(x, y, got.kept);
    const n = got.kept.length;
    for (const step of steps) {
      const tree = { n, method: 'average', ...got.tree } as Linkage;
      const { labels, count } = cutModules(tree, step.theta, 'level');
      expect(step.clusters).toBe(count);
      let total = 0;
      for (let i = 0; i < n; i++) {
        const mean = (c: number) => {
          const others = [...labels.keys()].filter((j) => labels[j] === c && j !== i);
          return others.reduce((s, j) => s + cosine(i, j), 0) / others.length;
        };
        const own = [...labels].filter((l) => l === labels[i]).length;
        if (own === 1 || count === 1) continue;
        const a = mean(labels[i]!);
        const b = Math.min(
          ...Array.from({ length: count }, (_, c) => (c === labels[i] ? Infinity : mean(c))),
        );
        total += (b - a) / Math.max(a, b);
      }
      if (count === 1) expect(step.silhouette.value).toBeNull();
      else expect(step.silhouette.value).toBeCloseTo(total / n, 4);
    }
    expect(steps[2]!.clusters).toBe(got.clusters.length);
  });

  it('proposes the planted number of clusters, and says why', async () => {
    const got = await analyseModules(engine, data(500, 60, 8, 4).input, {
      ...OPTIONS,
      sweep: [0.05, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2],
    });
    const { proposal, why, steps } = got.sweep!;
    const chosen = steps.find(({ theta }) => theta === proposal.value)!;
    expect(chosen.clusters, JSON.stringify(steps)).toBe(4);
    expect(chosen.stability.value).toBeGreaterThan(0.95);
    expect(why).toContain('it gives 4');
    // Wider clusters cancel more.
    const coherence = steps.map((s) => s.coherence.value!);
    expect(coherence[0]).toBeGreaterThan(coherence.at(-1)!);
  });

  it('proposes none where no threshold gives clusters', () => {
    expect(proposeTheta([], 10).proposal.value).toBeNull();
    expect(
      silhouette({ data: new Float32Array(0), shape: [0, 0] }, new Uint32Array(0), new Uint32Array(0), [])
        .value,
    ).toBeNull();
  });
});

/** A snapshot that has nothing but clusters. */
function clustered(id: string, kept: number[], labels: number[]): ModuleSnapshot {
  const count = Math.max(-1, ...labels) + 1;
  return {
    snapshot: { id, epoch: null, step: null },
    kept: Uint32Array.from(kept),
    labels: Uint32Array.from(labels),
    clusters: Array.from({ length: count }, (_, c) => ({
      size: labels.filter((l) => l === c).length,
      track: c,
    })),
  } as unknown as ModuleSnapshot;
}

describe('transitions', () => {
  it('is |A ∩ B| / |A| by unit, and rows and the mass that left sum to 1', () => {
    const g = random(3);
    for (let round = 0; round < 20; round++) {
      const draw = (k: number) => {
        const kept = [...Array(40).keys()].filter(() => g.uniform() < 0.8);
        const labels = kept.map((_, i) => (i < k ? i : g.below(k)));
        return { kept, labels };
      };
      const [a, b] = [draw(5), draw(6)];
      const t = transitionOf(clustered('a', a.kept, a.labels), clustered('b', b.kept, b.labels));
      const { matrix, left } = transitionMatrix(t);
      for (let r = 0; r < 5; r++) {
        const rows = a.kept.filter((_, i) => a.labels[i] === r);
        for (let c = 0; c < 6; c++) {
          const columns = b.kept.filter((_, i) => b.labels[i] === c);
          expect(matrix[r * 6 + c]).toBe(rows.filter((u) => columns.includes(u)).length / rows.length);
        }
        const sum = matrix.subarray(r * 6, (r + 1) * 6).reduce((s, v) => s + v, left[r]!);
        expect(sum).toBeCloseTo(1, 12);
        expect(t.left[r]).toBe(rows.filter((u) => !b.kept.includes(u)).length);
      }
      expect(t.joined.reduce((s, v) => s + v, 0)).toBe(b.kept.filter((u) => !a.kept.includes(u)).length);
    }
  });

  it('measures how rows split', () => {
    const whole = transitionOf(
      clustered('a', [0, 1, 2, 3], [0, 0, 1, 1]),
      clustered('b', [0, 1, 2, 3], [1, 1, 0, 0]),
    );
    expect([whole.concentration.value, whole.splitRows.value]).toEqual([1, 0]);
    const split = transitionOf(
      clustered('a', [0, 1, 2, 3], [0, 0, 0, 0]),
      clustered('b', [0, 1, 2, 3], [0, 1, 2, 3]),
    );
    expect([split.concentration.value, split.splitRows.value]).toEqual([0.25, 1]);
    const apart = transitionOf(clustered('a', [0], [0]), clustered('b', [1], [0]));
    expect([apart.concentration.value, apart.splitRows.value]).toEqual([null, null]);
    expect([...apart.left, ...apart.joined]).toEqual([1, 1]);
    expect(transitionOf(clustered('a', [], []), clustered('b', [], [])).row.length).toBe(0);
  });

  it('matches clusters over time by their overlap, each once', () => {
    const snapshots = [
      clustered('a', [0, 1, 2, 3, 4, 5], [0, 0, 0, 1, 1, 2]),
      clustered('b', [0, 1, 2, 3, 4, 5], [1, 1, 0, 2, 2, 3]),
      clustered('c', [3, 4, 6], [0, 0, 1]),
    ];
    const transitions = linkModules(snapshots);
    expect(transitions.map(({ from, to }) => from + to)).toEqual(['ab', 'bc']);
    expect(snapshots.map(({ clusters }) => clusters.map(({ track }) => track))).toEqual([
      [0, 1, 2],
      [3, 0, 1, 2],
      [1, 4],
    ]);
  });
});

describe('units', () => {
  it('numbers and names neurons and channels over layers, and takes channel means', () => {
    const shapes = [
      { name: 'P1', shape: [2, 2, 3] },
      { name: 'R3', shape: [4] },
    ];
    const neurons = unitLayers(shapes, 'neuron');
    const channels = unitLayers(shapes, 'channel');
    expect(neurons.map(({ first, count }) => [first, count])).toEqual([
      [0, 12],
      [12, 4],
    ]);
    expect(channels.map(({ first, count }) => [first, count])).toEqual([
      [0, 3],
      [3, 4],
    ]);
    expect([0, 7, 11, 12, 15].map((u) => unitName(neurons, u))).toEqual([
      'P1[0,0,0]',
      'P1[1,0,1]',
      'P1[1,1,2]',
      'R3[0]',
      'R3[3]',
    ]);
    expect([2, 3].map((u) => unitName(channels, u))).toEqual(['P1@2', 'R3[0]']);
    expect(() => unitName(channels, 7)).toThrow('unit 7');
    const outputs = [pack(2, 12, (s, k) => 100 * s + k), pack(2, 4, (s, k) => 0 - s - k)];
    expect([...unitOutputs(neurons, outputs, 'neuron').data]).toEqual([
      ...outputs[0]!.data.subarray(0, 12),
      ...outputs[1]!.data.subarray(0, 4),
      ...outputs[0]!.data.subarray(12),
      ...outputs[1]!.data.subarray(4),
    ]);
    expect([...unitOutputs(channels, outputs, 'channel').data]).toEqual([
      4.5, 5.5, 6.5, 0, -1, -2, -3, 104.5, 105.5, 106.5, -1, -2, -3, -4,
    ]);
    expect(() => unitOutputs(neurons, [outputs[1]!, outputs[1]!], 'neuron')).toThrow(
      'layer P1: expected 2×12',
    );
  });
});

it('a result survives encoding', async () => {
  const snapshots = [
    await analyseModules(engine, data(90, 12, 1).input, { ...OPTIONS, sweep: [0.5] }),
    await analyseModules(engine, data(90, 12, 2).input, OPTIONS),
  ];
  const result: ModulesResult = {
    format: 'epochscope-result/2',
    method: 'modules',
    name: 'default',
    tool: toolInfo,
    input: { source: 'x', files: {} },
    parameters: {},
    seeds: { analysis: 1 },
    seconds: 1,
    units: { mode: 'neuron', total: 12, layers: unitLayers([{ name: 'R3', shape: [12] }], 'neuron') },
    inputs: 7,
    inputShape: null,
    outputs: 2,
    classes: null,
    samples: { count: 90, indices: Uint32Array.from({ length: 90 }, (_, i) => i) },
    snapshots,
    transitions: linkModules(snapshots),
  };
  const back = await decodeAny<ModulesResult>(encodeInline(result));
  expect(back).toEqual(result);
});

function pack(rows: number, columns: number, value: (row: number, column: number) => number): Matrix {
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < data.length; i++) data[i] = value(Math.floor(i / columns), i % columns);
  return { data, shape: [rows, columns] };
}
