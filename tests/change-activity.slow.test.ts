import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ActivityResult,
  type ChangeResult,
  createRun,
  type RunInit,
  readResult,
  type Tensor,
  type TracksResult,
} from '@epochscope/analysis';
import { random } from '@epochscope/analysis/methods';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from './harness.js';

// `change` and `activity` from outside, on runs written here: figures against plain computation, and bad input.

const SEED = 5;
const N = 30;
const CLASSES = 3;
let folder: string;
let run: string;

const f32 = (data: ArrayLike<number>, shape: number[]): Tensor => ({
  data: Float32Array.from(data),
  shape,
  dtype: 'float32',
});
const numbers = (stream: number, count: number) => {
  const dice = random(SEED, stream);
  return Float32Array.from({ length: count }, () => dice.normal());
};
const init: RunInit = {
  model: null,
  layers: [
    { name: 'C1', kind: 'conv2d', shape: [2, 2, 4], parameters: ['C1.kernel', 'C1.bias'] },
    { name: 'R1', kind: 'relu', shape: [2, 2, 4], parameters: [] },
    { name: 'S', kind: 'log-softmax', shape: [CLASSES], parameters: [] },
  ],
  classes: ['ant', 'bee', 'cat'],
  inputShape: [3, 3, 1],
  training: null,
};
const weights = (k: number) =>
  new Map([
    ['C1.kernel', f32(numbers(k, 16), [2, 2, 1, 4])],
    ['C1.bias', f32(numbers(100 + k, 4), [4])],
  ]);
const info = (step: number, epoch: number | null = null) => ({
  id: step ? `step-${String(step).padStart(8, '0')}` : 'init',
  epoch: step ? epoch : 0,
  step,
  metrics: {},
});
const labels = Uint32Array.from({ length: N }, (_, i) => i % CLASSES);
/** Sample i is predicted right unless i % 4 = 1; class 2 never at step 1. */
const predicted = (i: number, step: number) =>
  i % 4 === 1 || (step === 1 && labels[i] === 2) ? (labels[i]! + 1) % CLASSES : labels[i]!;
const outputs = (step: number) =>
  new Map([
    ['R1', f32(numbers(200 + step, N * 16).map(Math.abs), [N, 2, 2, 4])],
    [
      'S',
      f32(
        Array.from({ length: N * CLASSES }, (_, k) =>
          k % CLASSES === predicted(Math.floor(k / CLASSES), step) ? -0.1 : -3,
        ),
        [N, CLASSES],
      ),
    ],
  ]);
const inputs = Uint8Array.from({ length: N * 9 }, (_, i) => (i * 37) % 256);

async function writeRun(name: string, steps: number, change: Partial<RunInit> = {}): Promise<string> {
  const directory = join(folder, name);
  const writer = await createRun(directory, { ...init, ...change });
  await writer.writeSamples({
    inputs: { data: inputs, shape: [N, 3, 3, 1], dtype: 'uint8' },
    labels,
    source: 'test',
  });
  for (let k = 0; k < steps; k++)
    await writer.writeSnapshot(info(k, k === 2 ? 10 : null), weights(k), outputs(k));
  await writer.finish();
  return directory;
}
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'epochscope-change-'));
  run = await writeRun('run', 3);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('epochscope change', () => {
  it('writes Δ, its figures and the tracks, equal to a plain computation', async () => {
    const { code, out, err } = await cli(
      'change',
      run,
      '--from',
      'init',
      '--to',
      'epoch-10',
      '--paths',
      'C1.kernel@0:1:0:2,C1.bias@3',
    );
    expect(code, err).toBe(0);
    expect(out).toContain('Change from init to step-00000002');
    const result = await readResult<ChangeResult>(join(run, 'results', 'change', 'default'));
    const before = weights(0).get('C1.kernel')!.data as Float32Array;
    const after = weights(2).get('C1.kernel')!.data as Float32Array;
    const delta = before.map((w, i) => after[i]! - w);
    expect(result.tensors.map(({ name }) => name)).toEqual(['C1.kernel', 'C1.bias']);
    expect(result.tensors[0]!.delta).toEqual(delta);
    expect(result.layers.map(({ layer }) => layer)).toEqual(['C1']);
    const { pearson, slope, equalSigns } = result.layers[0]!.statistics;
    const mean = (list: ArrayLike<number>) => Array.from(list).reduce((a, b) => a + b, 0) / list.length;
    const [mb, md] = [mean(before), mean(delta)];
    const sum = (f: (w: number, d: number) => number) =>
      before.reduce((a, w, i) => a + f(w - mb, delta[i]! - md), 0);
    const [cov, vb, vd] = [sum((w, d) => w * d), sum((w) => w * w), sum((_, d) => d * d)];
    // float64 both ways; only the order of sums differs.
    expect(pearson.value).toBeCloseTo(cov / Math.sqrt(vb * vd), 12);
    expect(slope.value).toBeCloseTo(cov / vb, 12);
    expect(equalSigns.value).toBe(before.filter((w, i) => w * delta[i]! > 0).length / 16);
    expect(Object.keys(result.input.files)).toEqual([
      'snapshots/init/weights.safetensors',
      'snapshots/step-00000002/weights.safetensors',
    ]);

    const tracks = await readResult<TracksResult>(join(run, 'results', 'tracks', 'default'));
    expect(tracks.snapshots.map(({ id }) => id)).toEqual(['init', 'step-00000001', 'step-00000002']);
    expect(tracks.paths.map(({ index, position }) => [index, position])).toEqual([
      [6, [0, 1, 0, 2]],
      [3, [3]],
    ]);
    expect([...tracks.paths[0]!.values]).toEqual([0, 1, 2].map((k) => weights(k).get('C1.kernel')!.data[6]));
    const step = (k: number) =>
      Math.hypot(
        ...['C1.kernel', 'C1.bias'].flatMap((name) => {
          const [a, b] = [
            weights(k).get(name)!.data as Float32Array,
            weights(k + 1).get(name)!.data as Float32Array,
          ];
          return Array.from(a, (w, i) => b[i]! - w);
        }),
      );
    expect(tracks.updates[0]!.norm[0]).toBeCloseTo(step(0), 6);
    expect(tracks.updates[0]!.norm[1]).toBeCloseTo(step(1), 6);
  });

  it('follows the parameters that changed most, or random ones by their seed, all of a small layer', async () => {
    const target = join(folder, 'elsewhere');
    await cli('change', run, '--paths', 'largest:3', '-o', target);
    const { paths } = await readResult<TracksResult>(join(target, 'tracks'));
    const delta = (await readResult<ChangeResult>(target)).tensors.flatMap(({ name, delta: d }) =>
      Array.from(d, (value, index) => ({ name, index, size: Math.abs(value) })),
    );
    const most = delta.sort((a, b) => b.size - a.size).slice(0, 3);
    expect(paths.map(({ tensor, index }) => [tensor, index])).toEqual(
      most.map(({ name, index }) => [name, index]),
    );
    const draw = async (seed: string) => {
      await cli('change', run, '--paths', 'random:5', '--seed', seed, '-o', target);
      return (await readResult<TracksResult>(join(target, 'tracks'))).paths.map(
        (p) => `${p.tensor}@${p.index}`,
      );
    };
    expect(await draw('1')).toEqual(await draw('1'));
    expect(new Set(await draw('1')).size).toBe(5);
    expect(await draw('2')).not.toEqual(await draw('1'));
    await cli('change', run, '--paths', 'random:999', '-o', target);
    expect((await readResult<TracksResult>(join(target, 'tracks'))).paths).toHaveLength(20);
  });

  it.each([
    [['--from', 'init', '--to', 'first'], 1, 'are the same snapshot, init'],
    [['--from', 'epoch-99'], 1, 'has no snapshot epoch-99; it has init, step-00000001, step-00000002'],
    [['--layers', 'R1'], 1, 'layer R1 has no parameters; layers with parameters: C1'],
    [['--layers', 'X'], 1, 'has no layer X; it has C1, R1, S'],
    [['--paths', 'C9.kernel@1'], 1, 'there is no tensor C9.kernel; there are C1.kernel, C1.bias'],
    [['--paths', 'C1.kernel@16'], 1, 'C1.kernel has 16 values in shape [2,2,1,4], got place 16'],
    [['--paths', 'C1.kernel@0:0:0'], 1, 'got place 0:0:0'],
    [['--paths', 'most'], 2, 'expected largest:K, random:K or TENSOR@PLACE'],
    [['--tracks', 'step-7'], 1, 'has no snapshot step-7'],
  ])('%j: exit %i, one line', async (argv, expected, message) => {
    const target = join(folder, 'never');
    const { code, out, err } = await cli('change', run, ...argv, '-o', target);
    expect([code, out]).toEqual([expected, '']);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).toContain(message);
    expect(existsSync(target)).toBe(false);
  });

  it('names what differs between snapshots of different nets', async () => {
    const other = await writeRun('other-nets', 1);
    const { resumeRun } = await import('@epochscope/analysis');
    const writer = await resumeRun(other);
    await writer.writeSnapshot(info(1), new Map([...weights(1), ['D9.kernel', f32([1], [1])]]));
    await writer.writeSnapshot(info(2), new Map([...weights(2), ['C1.bias', f32([1, 2], [2])]]));
    await writer.writeSnapshot(
      info(3),
      new Map([...weights(3), ['C1.bias', f32([1, 2, Number.NaN, 4], [4])]]),
    );
    await writer.finish();
    for (const [to, message] of [
      [
        'step-1',
        'snapshots init and step-00000001 hold different tensors (only in step-00000001: D9.kernel)',
      ],
      ['step-2', 'tensor C1.bias is [4] in snapshot init and [2] in step-00000002'],
      ['step-3', 'snapshot step-00000003, tensor C1.bias: expected finite numbers, got NaN at index 2'],
    ] as const) {
      const { code, err } = await cli('change', other, '--from', 'init', '--to', to);
      expect(code).toBe(1);
      expect(err).toContain(message);
    }
    expect(existsSync(join(other, 'results'))).toBe(false);
  });

  it('takes a run cut off in the middle of a write, and says so', async () => {
    const cut = join(folder, 'cut');
    const writer = await createRun(cut, init);
    for (let k = 0; k < 3; k++) await writer.appendSnapshot(info(k), weights(k));
    await writer.close();
    await appendFile(join(cut, 'steps', 'index.jsonl'), '{"id":"step-0000');
    await appendFile(join(cut, 'steps', 'weights.bin'), Buffer.alloc(13));
    const { code, out, err } = await cli('change', cut, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ to: { id: 'step-00000002' }, tracks: { snapshots: 3 } });
    expect(err).toContain('the run is not complete');
    const { input } = await readResult(join(cut, 'results', 'change', 'default'));
    expect(Object.keys(input.files)).toEqual([
      'steps/weights.bin#bytes=0-79',
      'steps/weights.bin#bytes=160-239',
    ]);
  });
});

describe('epochscope activity', () => {
  it('is eq. 1 by plain sums over the rightly predicted samples, and names classes without one', async () => {
    const { code, out, err } = await cli('activity', run, '--layer', 'R1', '--snapshots', 'init,1');
    expect(code, err).toBe(1);
    expect(err).toContain('has no snapshot 1');
    const good = await cli('activity', run, '--layer', 'R1', '--snapshots', 'init,step-1');
    expect(good.code, good.err).toBe(0);
    expect(out).toBe('');
    expect(good.err).toContain('step-00000001: no correctly predicted sample, so no activity, for class cat');
    const { panels, classes } = await readResult<ActivityResult>(join(run, 'results', 'activity', 'default'));
    expect(classes).toEqual(['ant', 'bee', 'cat']);
    for (const [step, panel] of panels.entries()) {
      const data = outputs(step).get('R1')!.data as Float32Array;
      for (let f = 0; f < 4; f++)
        for (let c = 0; c < CLASSES; c++) {
          const right = Array.from({ length: N }, (_, i) => i).filter(
            (i) => labels[i] === c && predicted(i, step) === c,
          );
          expect(panel.used[c]).toBe(right.length);
          if (!right.length) continue;
          let map = 0;
          let input = 0;
          for (const i of right) {
            for (let p = 0; p < 4; p++) map += data[i * 16 + p * 4 + f]!;
            for (let p = 0; p < 9; p++) input += inputs[i * 9 + p]! / 255;
          }
          // Inputs are divided by 255 in float32.
          expect(panel.activity[f * CLASSES + c]).toBeCloseTo(map / input, 5);
        }
    }
    expect(panels[1]!.undefinedClasses).toEqual([{ class: 2, reason: 'no correctly predicted sample' }]);
    expect(panels[1]!.selectivity.every(({ value }) => value !== null && value >= 0 && value <= 1)).toBe(
      true,
    );
  });

  it('takes the activations of feature maps by default', async () => {
    const { out } = await cli('activity', run, '--json', '--samples', '12');
    const { panels } = JSON.parse(out);
    expect(panels.map((p: { layer: string; used: number[] }) => [p.layer, p.used])).toEqual([
      ['R1', [3, 3, 3]],
    ]);
  });

  it('says what is missing', async () => {
    let made = 0;
    for (const [change, argv, message] of [
      [{}, ['--layer', 'C1'], 'holds no outputs of layer C1'],
      [{}, ['--layer', 'P7'], 'has no layer P7; it has C1, R1, S'],
      [{ layers: [] }, [], 'has no layer of feature maps; name one (--layers)'],
    ] as const) {
      const directory = await writeRun(`missing-${made++}`, 3, change as Partial<RunInit>);
      const { code, err } = await cli('activity', directory, ...argv);
      expect(code).toBe(1);
      expect(err).toContain(message);
      expect(err.split('\n').filter((line) => line && !line.endsWith('…'))).toHaveLength(1);
      expect(existsSync(join(directory, 'results'))).toBe(false);
    }
  });

  it('without predictions, labels or inputs computes what can be, and says why not the rest', async () => {
    for (const [name, change, why] of [
      ['unclassed', { classes: null }, 'the samples have no labels: they count as one class'],
      [
        'unpredicted',
        { layers: [init.layers[1]!] },
        'its last layer, R1 (relu), gives [2,2,4] a sample, which is not one score for each of the 3 classes',
      ],
    ] as const) {
      const directory = await writeRun(`without-${name}`, 3, change as Partial<RunInit>);
      const { code, out, err } = await cli(
        'activity',
        directory,
        '--layer',
        'R1',
        '--samples',
        '12',
        '--json',
      );
      expect(code, err).toBe(0);
      expect(err).toContain(why);
      const [panel] = JSON.parse(out).panels;
      expect(panel.notSelected).toContain(why);
      // All twelve samples count.
      expect(panel.used).toEqual(name === 'unclassed' ? [12] : [4, 4, 4]);
    }
    const bare = join(folder, 'bare');
    const writer = await createRun(bare, init);
    await writer.writeSnapshot(info(0), weights(0), outputs(0));
    await writer.finish();
    const { code, out, err } = await cli('activity', bare, '--json');
    expect(code, err).toBe(0);
    expect(JSON.parse(out).panels[0]).toMatchObject({
      notDivided: 'the run holds no samples/inputs.npy',
      median: { value: null, reason: 'no filter has a selectivity' },
    });
  });
});
