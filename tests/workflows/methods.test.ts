import {
  activityOfRun,
  changeOfRun,
  createInlineEngine,
  type Engine,
  geometryOfRun,
  modulesOfRun,
  openRun,
  tracksOfRun,
} from '@epochscope/analysis';
import {
  analyseActivity,
  analyseChange,
  analyseTracks,
  choosePaths,
  type GeometryOfInput,
  geometryOfInput,
} from '@epochscope/analysis/methods';
import { type Dataset, GraphRunner, graphOfRun, prepareTf } from '@epochscope/analysis/models';
import {
  activityWorkflow,
  changeWorkflow,
  geometryWorkflow,
  modulesWorkflow,
  tracksWorkflow,
} from '@epochscope/analysis/workflows';
import { describe, expect, it } from 'vitest';
import { promises } from './every-workflow.js';
import { smallRun, smallSamples, withoutSeconds } from './small-run.js';

const engine = createInlineEngine();

/** Training data of the small run's kind. */
const dataset = async (where: string): Promise<Dataset> => {
  const split = (count: number, seed: number) => {
    const { inputs, labels } = smallSamples(count, seed);
    return { images: inputs, labels: Uint8Array.from(labels), count };
  };
  return {
    name: where,
    source: 'test',
    shape: [8, 8, 1],
    classes: ['a', 'b', 'c'],
    train: split(120, 5),
    test: split(30, 6),
  };
};

describe('modules of training samples, as every workflow,', () => {
  const options = { data: 'small', samples: 80, theta: 0.6, sweep: [0.3, 0.6] };
  promises(modulesWorkflow as never, options, { theta: 0.5 }, { engine, dataset });
});

describe('modules of the run’s own samples, as every workflow,', () => {
  const options = { samplesOf: 'run', samples: 60, sweep: null, units: 'channel' };
  promises(modulesWorkflow as never, options, { samples: 61 }, { engine });

  it('say which samples and units they are of', async () => {
    const { run } = await smallRun();
    const notes: string[] = [];
    const result = await modulesOfRun(
      run,
      { samplesOf: 'run', samples: 50, maxUnits: 10, sweep: null },
      { engine, onNote: (note) => notes.push(note) },
    );
    expect(notes.join()).toMatch(
      /19 units \(R1 12, R2 7\) × 67 dimensions, 50 samples of the 90 samples of the run/,
    );
    expect(result.samples.count).toBe(50);
    expect(result.snapshots[0]!.removed.some(({ units }) => units.length === 9)).toBe(true);
    expect(result.transitions).toHaveLength(1);
  });
});

describe('activity, as every workflow,', () => {
  promises(
    activityWorkflow as never,
    { snapshots: ['all'], layers: ['R1', 'F2'] },
    { samples: 70 },
    { engine },
  );

  it('is the direct loop', async () => {
    const { run } = await smallRun();
    const result = await activityOfRun(run, { snapshots: [2], layers: ['R1'] }, { engine });
    const labels = (await run.labels())!;
    const last = await run.outputs('epoch-0002', run.manifest.layers.at(-1)!.name);
    const inputs = (await run.inputs())!;
    const predictions = Array.from(labels, (_, i) => {
      const row = [...last.data.subarray(3 * i, 3 * i + 3)];
      return row.indexOf(Math.max(...row));
    });
    expect(result.panels).toEqual([
      analyseActivity({
        snapshot: { id: 'epoch-0002', epoch: 2, step: 20 },
        layer: 'R1',
        outputs: await run.outputs('epoch-0002', 'R1'),
        filters: 12,
        inputs: { data: inputs.data.map((x) => x / 255), shape: inputs.shape },
        labels,
        predictions,
        classes: 3,
      }),
    ]);
  });
});

describe('change, as every workflow,', () => {
  promises(changeWorkflow as never, {}, { from: 2, to: 1 });

  it('is Δ of the weights, and refuses a snapshot with itself', async () => {
    const { run } = await smallRun();
    const [a, b] = run.manifest.snapshots;
    const result = await changeOfRun(run, { from: 1, to: 'last' });
    const { layers, inputShape } = run.manifest;
    const direct = analyseChange({
      from: { snapshot: a!, weights: await run.weights(a!.id) },
      to: { snapshot: b!, weights: await run.weights(b!.id) },
      layers,
      inputShape,
    });
    expect(result).toMatchObject(direct);
    await expect(changeOfRun(run, { from: 2, to: 'last' })).rejects.toThrow(
      'are the same snapshot, epoch-0002',
    );
  });
});

describe('tracks, as every workflow,', () => {
  promises(
    tracksWorkflow as never,
    { paths: { rule: 'random', k: 3, seed: 4 } },
    { paths: { rule: 'largest', k: 2 } },
  );

  it('are the direct loop over snapshots', async () => {
    const { run } = await smallRun();
    const result = await tracksOfRun(run, { paths: { rule: 'largest', k: 2 } });
    const { layers, inputShape, snapshots } = run.manifest;
    const all = await Promise.all(
      snapshots.map(async (snapshot) => ({ snapshot, weights: await run.weights(snapshot.id) })),
    );
    const change = analyseChange({ from: all[0]!, to: all[1]!, layers, inputShape });
    expect(result).toMatchObject(
      await analyseTracks(all, layers, choosePaths(change.tensors, { rule: 'largest', k: 2 })),
    );
  });
});

describe('geometry, as every workflow,', () => {
  const options = { k: 4, inputs: 3, layers: ['R1', 'S3'], maps: ['depth', 'layer'] };
  promises(geometryWorkflow as never, options, { seed: 9 }, { engine });

  it('is the direct loop over inputs', async () => {
    const { run } = await smallRun();
    const result = await geometryOfRun(run, { k: 5, inputs: 2, layers: ['R2'], tangents: false }, { engine });
    const tf = await prepareTf();
    const net = new GraphRunner(tf, graphOfRun(tf, run.manifest, await run.weights('epoch-0002'), 'test'));
    const inputs = (await run.inputs())!;
    const direct: GeometryOfInput[] = [];
    for (const [input, sample] of [0, 1].entries()) {
      const at = net.at(inputs.data.slice(64 * sample, 64 * sample + 64).map((x) => x / 255));
      direct.push(
        await geometryOfInput(
          engine as Engine,
          {
            rows: 7,
            columns: 64,
            jvp: (v, count) => at.jvp(v, count, 'input', 'R2'),
            vjp: (u, count) => at.vjp(u, count, 'input', 'R2'),
          },
          { k: 5, seed: 1, input, pictures: 8, picture: null, evaluate: null },
        ),
      );
      at.dispose();
    }
    net.dispose();
    expect(result.samples.labels).toEqual(Uint32Array.of(0, 1));
    expect([...result.spectra[0]!.sigma]).toEqual(direct.flatMap(({ sigma }) => [...sigma]));
    expect(withoutSeconds(result.spectra[0]!.vectors[1]!.right)).toEqual(withoutSeconds(direct[1]!.right));
  });

  it('refuses a layer that is not there, and a run without its net', async () => {
    const { run, store } = await smallRun();
    await expect(geometryOfRun(run, { layers: ['Q9'] })).rejects.toThrow('has no layer Q9');
    const text = new TextDecoder().decode(store.files().get('run.json'));
    await store.write('run.json', JSON.stringify({ ...JSON.parse(text), model: null }));
    await expect(geometryOfRun(await openRun(store))).rejects.toMatchObject({ code: 'unsupported' });
  });
});
