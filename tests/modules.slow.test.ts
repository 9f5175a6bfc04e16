import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ModulesResult, openRun, readResult } from '@epochscope/analysis';
import { encodeNpy } from '@epochscope/analysis/formats';
import {
  buildModel,
  bundledMnist,
  captureOutputs,
  loadWeights,
  type ModelSpec,
  prepareTf,
} from '@epochscope/analysis/models';
import { writeOutputs } from '@epochscope/analysis/runs';
import { correlationReference } from '@epochscope/core-wasm/reference';
import { hexColour, sequential } from '@epochscope/ui/drawing';
import { decode as decodePng } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from './harness.js';

// The modules command from outside: what it writes, what it is computed from, and what it refuses.

let folder: string;
let run: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'epochscope-modules-'));
  run = join(folder, 'run');
  const made = await cli(
    ...['train', 'mlp', '--hidden', '12,9', '--epochs', '2', '--snapshots', 'init,1,2', '--batch', '500'],
    ...['--samples', '40', '-o', run],
  );
  expect(made.code, made.err).toBe(0);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const resultOf = (name = 'default') => readResult<ModulesResult>(join(run, 'results', 'modules', name));

describe('epochscope modules', () => {
  it('clusters the units of hidden layers over training samples drawn with the seed', async () => {
    const made = await cli(
      'modules',
      run,
      '--samples',
      '300',
      '--theta',
      '0.6',
      '--sweep',
      '0.3,0.6',
      '--json',
      '--svg',
    );
    expect(made.code, made.err).toBe(0);
    expect(made.err).toContain(
      '21 units (R1 12, R2 9) × 794 dimensions, 300 samples of the training samples',
    );
    const result = await resultOf();
    expect(result.snapshots.map(({ snapshot }) => snapshot.id)).toEqual(['init', 'epoch-0001', 'epoch-0002']);
    expect(result.transitions.map(({ from, to }) => [from, to])).toEqual([
      ['init', 'epoch-0001'],
      ['epoch-0001', 'epoch-0002'],
    ]);
    for (const s of result.snapshots) {
      const removed = s.removed.flatMap(({ units }) => [...units]);
      expect([...s.kept, ...removed].sort((a, b) => a - b)).toEqual([...Array(21).keys()]);
      for (const { diameter } of s.clusters) expect(diameter).toBeLessThanOrEqual(0.6);
      expect(s.sweep!.steps.map(({ theta }) => theta)).toEqual([0.3, 0.6]);
      // Corners of the digits never change.
      expect(s.constantInputs.length).toBeGreaterThan(20);
      expect(s.centroidInputs.length).toBe(s.clusters.length * 784);
    }
    const json = JSON.parse(made.out);
    expect(json.snapshots[2].sizes).toEqual(result.snapshots[2]!.clusters.map(({ size }) => size));
    expect(existsSync(join(run, 'snapshots', 'init', 'outputs'))).toBe(false);
    // A cell of the transition's picture has the colour of its share; here the largest cluster's largest part.
    const t = result.transitions[0]!;
    const sheet = readFileSync(
      join(run, 'results', 'modules', 'default', `transition-${t.from}-${t.to}.svg`),
      'utf8',
    );
    expect(sheet).toContain(`fill="${hexColour(sequential()(t.count[0]! / t.fromSizes[0]!, 0, 1))}"`);
  });

  it('has as the centroid of a cluster the mean of plain float64 correlations', async () => {
    const { code, err } = await cli(
      ...[
        'modules',
        run,
        '--snapshots',
        '2',
        '--samples',
        '200',
        '--theta',
        '0.6',
        '--name',
        'check',
        '--sweep',
        'none',
      ],
    );
    expect(code, err).toBe(0);
    const result = await resultOf('check');
    const opened = await openRun(run);
    const tf = await prepareTf();
    const net = buildModel(tf, opened.manifest.model as unknown as ModelSpec);
    loadWeights(tf, net, await opened.weights('epoch-0002'), 'test');
    const data = await bundledMnist();
    const { indices } = result.samples;
    const images = new Uint8Array(200 * 784);
    for (const [k, i] of indices.entries())
      images.set(data.train.images.subarray(i * 784, (i + 1) * 784), k * 784);
    const outputs = await captureOutputs(tf, net, { data: images, shape: [200, 28, 28, 1], dtype: 'uint8' });
    const units = new Float32Array(200 * 21);
    const targets = new Float32Array(200 * 794);
    const last = outputs.get(net.layers.at(-1)!.name)!.data;
    for (let s = 0; s < 200; s++) {
      units.set(outputs.get('R1')!.data.subarray(s * 12, (s + 1) * 12), s * 21);
      units.set(outputs.get('R2')!.data.subarray(s * 9, (s + 1) * 9), s * 21 + 12);
      for (let i = 0; i < 784; i++) targets[s * 794 + i] = images[s * 784 + i]! / 255;
      for (let j = 0; j < 10; j++) targets[s * 794 + 784 + j] = Math.exp(last[s * 10 + j]!);
    }
    const r = correlationReference({ data: units, shape: [200, 21] }, { data: targets, shape: [200, 794] });
    const { kept, labels, clusters, centroidInputs, centroidOutputs } = result.snapshots[0]!;
    let worst = 0;
    for (let c = 0; c < clusters.length; c++) {
      const members = [...kept].filter((_, k) => labels[k] === c);
      for (let k = 0; k < 794; k++) {
        const mean = members.reduce((sum, u) => sum + r[u * 794 + k]!, 0) / members.length;
        const got = k < 784 ? centroidInputs[c * 784 + k]! : centroidOutputs[c * 10 + k - 784]!;
        worst = Math.max(worst, Math.abs(got - mean));
      }
    }
    // float32 correlations of 200 samples.
    expect(worst).toBeLessThan(2e-6);
  });

  it('uses the samples and outputs that a run holds, without its net', async () => {
    const copy = join(folder, 'recorded');
    cpSync(run, copy, { recursive: true });
    const manifest = JSON.parse(readFileSync(join(copy, 'run.json'), 'utf8'));
    writeFileSync(join(copy, 'run.json'), JSON.stringify({ ...manifest, model: null }));
    const refused = await cli('modules', copy, '--snapshots', '2');
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toMatch(/holds no outputs of layer R1/);
    const outputs = new Map(
      ['R1', 'R2', manifest.layers.at(-1).name].map((name, l) => {
        const width = [12, 9, 10][l]!;
        const data = Float32Array.from({ length: 40 * width }, (_, k) => Math.sin(k * k + l));
        return [name, { data, shape: [40, width], dtype: 'float32' as const }];
      }),
    );
    await writeOutputs(copy, 'epoch-0002', outputs);
    const made = await cli(
      'modules',
      copy,
      '--snapshots',
      '2',
      '--samples',
      '30',
      '-o',
      join(folder, 'out'),
      '--png',
    );
    expect(made.code, made.err).toBe(0);
    expect(made.err).toContain('30 samples of the 40 samples of the run');
    const sheet = decodePng(readFileSync(join(folder, 'out', 'centroids-epoch-0002.png')));
    expect(sheet.width).toBe(2000);
    const figures = JSON.parse(readFileSync(join(folder, 'out', 'centroids-epoch-0002.json'), 'utf8'));
    expect(figures.clusters[0]).toMatchObject({ cluster: 1, inputRange: { low: {}, high: {} } });
    expect(figures.clusters[0].outputs.length).toBe(10);
  });

  it('takes channels, some layers and a draw of the units, and says so', async () => {
    const made = await cli(
      ...['modules', run, '--snapshots', 'last', '--layers', 'R1', '--units', 'channel', '--max-units', '7'],
      ...['--samples', '50', '--cut', 'branch', '--name', 'few', '--sweep', 'none'],
    );
    expect(made.code, made.err).toBe(0);
    const { snapshots, units, parameters } = await resultOf('few');
    expect(units).toMatchObject({ mode: 'channel', total: 12 });
    expect(parameters).toMatchObject({ maxUnits: 7, cut: 'branch' });
    expect(snapshots[0]!.removed[0]).toMatchObject({ reason: 'not among the 7 units drawn (seed 1)' });
    expect(snapshots[0]!.removed[0]!.units.length).toBe(5);
    expect(made.out).toContain('5 units removed: not among the 7 units drawn');
  });

  it('refuses bad input with one line, and leaves nothing behind', async () => {
    const before = readdirSync(join(run, 'results', 'modules'));
    for (const [argv, code, message] of [
      [['--layers', 'C9'], 1, /has no layer C9/],
      [['--snapshots', '9'], 1, /no snapshot 9|9/],
      [['--theta', 'wide'], 2, /expected a number/],
      [['--cut', 'tree'], 2, /level, branch/],
      [['--sweep', '0.5,x'], 2, /sweep/],
      [['--samples', '1'], 2, /≥ 2/],
      [['--data', join(folder, 'nowhere')], 1, /nowhere/],
    ] as const) {
      const got = await cli('modules', run, '--name', 'bad', ...argv);
      expect(got.code, argv.join(' ')).toBe(code);
      expect(got.out).toBe('');
      expect(got.err).toMatch(message);
      expect(got.err).not.toContain('    at ');
    }
    const copy = join(folder, 'nan');
    cpSync(run, copy, { recursive: true });
    const file = join(copy, 'snapshots', 'epoch-0002', 'outputs');
    await writeOutputs(
      copy,
      'epoch-0002',
      new Map([
        [
          'R1',
          { data: new Float32Array(40 * 12).fill(Number.NaN), shape: [40, 12], dtype: 'float32' as const },
        ],
      ]),
    );
    for (const [name, width] of [
      ['R2', 9],
      [(await openRun(copy)).manifest.layers.at(-1)!.name, 10],
    ] as const)
      writeFileSync(join(file, `${name}.npy`), encodeNpy(new Float32Array(40 * width), [40, width]));
    const got = await cli('modules', copy, '--samples-of', 'run', '--snapshots', '2', '--name', 'bad');
    expect(got.code).toBe(1);
    expect(got.err).toMatch(/snapshot epoch-0002: .*NaN/);
    expect(readdirSync(join(run, 'results', 'modules'))).toEqual(before);
  });
});
