import {
  createInlineEngine,
  createRun,
  featuresOfRun,
  memoryStore,
  openRun,
  type Run,
  readResult,
  writeResult,
} from '@epochscope/analysis';
import { random } from '@epochscope/analysis/methods';
import { type Graph, graphOfRun, prepareTf } from '@epochscope/analysis/models';
import { featuresWorkflow } from '@epochscope/analysis/workflows';
import { describe, expect, it } from 'vitest';
import { featuresReference } from '../../packages/analysis/src/methods/features/reference.js';
import { layersOfGraph, specOf } from '../../packages/analysis/src/models/graph/index.js';
import { referenceRun } from '../../packages/analysis/src/models/graph/reference.js';
import { promises } from './every-workflow.js';
import { smallRun } from './small-run.js';

const engine = createInlineEngine();
const how = { engine };

describe('features, as every workflow,', () => {
  promises(featuresWorkflow as never, { samples: 20, k: 2 }, { samples: 10 }, how);
});

/** A run of a graph with snapshots of given weights, and `count` random samples. */
async function graphRun(graph: Graph, count: number, snapshots = [graph.weights]): Promise<Run> {
  const store = memoryStore('net');
  const writer = await createRun(store, {
    model: specOf(graph, 1) as never,
    layers: layersOfGraph(graph),
    classes: null,
    inputShape: graph.inputShape,
    training: null,
  });
  const size = graph.inputShape.reduce((a, b) => a * b, 1);
  const source = random(5);
  await writer.writeSamples({
    inputs: {
      data: Float32Array.from({ length: count * size }, () => source.normal()),
      shape: [count, ...graph.inputShape],
      dtype: 'float32',
    },
    labels: null,
    source: 'test',
  });
  for (const [i, weights] of snapshots.entries())
    await writer.writeSnapshot({ id: `step-${i}`, epoch: null, step: i, metrics: {} }, weights);
  await writer.finish();
  return openRun(store);
}

const draw = random(9);
const tensor = (...shape: number[]) => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => draw.normal()),
  shape,
  dtype: 'float32' as const,
});
/** Image → convolution of 2 × 2 patches with steps of 2 → tanh → dense 6 → tanh → dense 3 → softmax. */
const net = (): Graph => ({
  inputShape: [4, 4, 2],
  nodes: [
    {
      name: 'C1',
      kind: 'conv2d',
      inputs: ['input'],
      kernel: 'c',
      strides: [2, 2],
      padding: [0, 0, 0, 0],
      dilations: [1, 1],
      groups: 1,
    },
    { name: 'T1', kind: 'tanh', inputs: ['C1'] },
    { name: 'flat', kind: 'flatten', inputs: ['T1'] },
    { name: 'F2.linear', kind: 'dense', inputs: ['flat'], kernel: 'd', bias: 'b' },
    { name: 'F2', kind: 'tanh', inputs: ['F2.linear'] },
    { name: 'F3', kind: 'dense', inputs: ['F2'], kernel: 'e' },
    { name: 'S3', kind: 'softmax', inputs: ['F3'] },
  ],
  weights: new Map([
    ['c', tensor(2, 2, 2, 5)],
    ['d', tensor(20, 6)],
    ['b', tensor(6)],
    ['e', tensor(6, 3)],
  ]),
});

describe('featuresOfRun', () => {
  it('is the definition, by differences of the net in float64, patch by patch and layer by layer', async () => {
    const graph = net();
    const run = await graphRun(graph, 3);
    const result = await featuresOfRun(run, { k: 3 }, how);
    expect(result.output).toEqual({ node: 'F3', count: 3, probes: null });
    expect(result.panels.map(({ layer, inputs, units, patches }) => [layer, inputs, units, patches])).toEqual(
      [
        ['C1', 8, 5, 4],
        ['F2', 20, 6, 1],
        ['F3', 6, 3, 1],
      ],
    );
    const x = (await run.inputs())!;
    const kernels = { C1: 'c', F2: 'd', F3: 'e' } as const;
    for (const panel of result.panels) {
      const { layer, inputs, units } = panel;
      const node = layer === 'F2' ? 'F2.linear' : layer;
      const kernel = graph.weights.get(kernels[layer as 'C1'])!.data as Float32Array;
      const w = Float64Array.from({ length: units * inputs }, (_, at) =>
        Number(kernel[(at % inputs) * units + Math.floor(at / inputs)]),
      );
      const jacobians: Float64Array[] = [];
      for (let s = 0; s < 3; s++) {
        const sample = Float64Array.from(x.data.subarray(s * 32, (s + 1) * 32));
        const z = referenceRun(graph, sample).get(node)!;
        const h = 1e-5;
        for (let patch = 0; patch < z.length / units; patch++) {
          const jacobian = new Float64Array(3 * inputs);
          for (let i = 0; i < inputs; i++) {
            // A patch moves what its own units get, by its own weights.
            const moved = (by: number) => {
              const values = z.slice();
              for (let u = 0; u < units; u++) values[patch * units + u]! += by * w[u * inputs + i]!;
              return referenceRun(graph, sample, new Map([[node, values]])).get('F3')!;
            };
            const [plus, minus] = [moved(h), moved(-h)];
            for (let o = 0; o < 3; o++) jacobian[o * inputs + i] = (plus[o]! - minus[o]!) / (2 * h);
          }
          jacobians.push(jacobian);
        }
      }
      const expected = featuresReference(w, jacobians, inputs, 3);
      // Float32 products against float64 differences.
      expect(panel.correlation.value, layer).toBeCloseTo(expected.correlation, 5);
      expect(panel.rootCorrelation.value, layer).toBeCloseTo(expected.rootCorrelation, 4);
      panel.values.forEach((value, l) => {
        expect(value / expected.values[0]!, `${layer} ${l}`).toBeCloseTo(
          expected.values[l]! / expected.values[0]!,
          4,
        );
      });
    }
    const store = memoryStore('results');
    await writeResult(store, 'f', result);
    expect(await readResult(store, 'f')).toEqual(result);
  });

  it('random mixtures of the output have the same mean, and are drawn from the seed', async () => {
    const run = await graphRun(net(), 400);
    const exact = await featuresOfRun(run, {}, how);
    const mixed = await featuresOfRun(run, { probes: 4 }, how);
    expect(await featuresOfRun(run, { probes: 4 }, how)).toMatchObject({ panels: mixed.panels });
    expect(mixed.notes).toEqual([expect.stringContaining('4 random mixtures')]);
    mixed.panels.forEach((panel, i) => {
      // 1600 draws: a few hundredths.
      expect(Math.abs(panel.trace / exact.panels[i]!.trace - 1)).toBeLessThan(0.1);
      expect(Math.abs(panel.rootCorrelation.value! - exact.panels[i]!.rootCorrelation.value!)).toBeLessThan(
        0.05,
      );
    });
  });

  it('one sample and two give figures; a dead layer has none, with the reason, and the others theirs', async () => {
    for (const count of [1, 2])
      expect(
        (await featuresOfRun(await graphRun(net(), count), {}, how)).panels[1]!.correlation.value,
      ).toEqual(expect.any(Number));
    const graph = net();
    const dead = new Map(graph.weights);
    dead.set('e', { ...dead.get('e')!, data: new Float32Array(18) });
    const { panels } = await featuresOfRun(await graphRun(graph, 4, [graph.weights, dead]), {}, how);
    const at = (layer: string, step: number) =>
      panels.find((panel) => panel.layer === layer && panel.snapshot.step === step)!;
    expect(at('C1', 0).rootCorrelation.value).toEqual(expect.any(Number));
    for (const layer of ['C1', 'F2', 'F3']) {
      expect(at(layer, 1).rootCorrelation.reason).toContain('no output depends');
      expect(at(layer, 0).settled.reason).toContain('no output depends');
    }
    expect(at('F2', 1).startCorrelation.value).toBeCloseTo(1, 9);
    expect(at('F3', 1).startCorrelation.value).toBeNull();
  });

  it('looks at another layer than the scores where asked, of nets that classify nothing too', async () => {
    const graph = net();
    graph.nodes = graph.nodes.slice(0, 5);
    const run = await graphRun(graph, 5);
    expect((await featuresOfRun(run, {}, how)).output).toEqual({ node: 'F2', count: 6, probes: null });
    const inner = await featuresOfRun(run, { output: 'T1' }, how);
    expect(inner.panels.find(({ layer }) => layer === 'F2')!.correlation.reason).toContain('no output');
    expect(inner.panels[0]!.correlation.value).toEqual(expect.any(Number));
  });

  it.each([
    [{ layers: ['S3'] }, 'layer S3 of small is no dense layer or convolution; those that are: F1, F2, F3'],
    [{ layers: [] }, 'layers: expected a list'],
    [{ output: 'Q' }, 'the net has no layer Q'],
    [{ k: 0 }, 'k: expected an integer ≥ 1, got 0'],
    [{ probes: 1.5 }, 'probes: expected an integer ≥ 1, got 1.5'],
    [{ snapshots: [7] }, '7'],
    [{ samples: 0 }, 'samples: expected an integer ≥ 1, got 0'],
  ])('%j is refused in one line', async (options, message) => {
    const { run } = await smallRun();
    await expect(featuresOfRun(run, options as never, how)).rejects.toThrow(message);
  });

  it('needs samples, and a net with weights', async () => {
    const graph = net();
    const bare = await graphRun(
      { ...graph, nodes: [{ name: 'T', kind: 'tanh', inputs: ['input'] }], weights: new Map() },
      2,
    );
    await expect(featuresOfRun(bare, {}, how)).rejects.toMatchObject({ code: 'unsupported' });
    await expect(featuresOfRun(await graphRun(graph, 0), {}, how)).rejects.toMatchObject({ code: 'missing' });
  });

  it('takes our own nets, whose layers are those of the run', async () => {
    const { run } = await smallRun();
    const tf = await prepareTf();
    const graph = graphOfRun(tf, run.manifest, await run.weights('epoch-0001'), 'small');
    expect(graph.nodes.length).toBeGreaterThan(3);
    const { panels } = await featuresOfRun(run, {}, how);
    for (const { layer } of panels) expect(run.manifest.layers.map(({ name }) => name)).toContain(layer);
    // The second snapshot is the first times 1.7: the same features, the same correlation.
    const of = (id: string) => panels.filter(({ snapshot }) => snapshot.id === id);
    of('epoch-0001').forEach((panel, i) => {
      expect(of('epoch-0002')[i]!.startCorrelation.value).toBeCloseTo(1, 6);
      expect(panel.patchShape).toEqual(i === 0 ? [8, 8, 1] : [panel.inputs]);
    });
  });
});
