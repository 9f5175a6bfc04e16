import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GeometryResult } from '@epochscope/analysis';
import { openRun, readResult } from '@epochscope/analysis';
import { encodeNpy, encodeSafetensors } from '@epochscope/analysis/formats';
import { svdReference } from '@epochscope/core-wasm/reference';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeIdx } from './digits.js';
import { cliUntil } from './harness.js';

// `epochscope geometry` from outside, against a float64 Jacobian multiplied out here.

let folder: string;
let run: string;

const cli = (argv: string[], signal = new AbortController().signal) => cliUntil(argv, signal);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'epochscope-geometry-'));
  for (const [part, count] of [
    ['train', 200],
    ['t10k', 40],
  ] as const) {
    const images = Uint8Array.from({ length: count * 784 }, (_, i) => {
      const [n, p] = [Math.floor(i / 784), i % 784];
      return (
        255 * Math.exp(-(((p % 28) - 8 - 6 * (n % 3)) ** 2 + (Math.floor(p / 28) - 14) ** 2) / (20 + (n % 7)))
      );
    });
    writeIdx(
      folder,
      part,
      images,
      Uint8Array.from({ length: count }, (_, n) => n % 3),
    );
  }
  run = join(folder, 'run');
  const { code, err } = await cli(
    `train mlp --hidden 9,7 --data ${folder} --epochs 2 --batch 20 --snapshots init,2 --samples 30 -o ${run}`.split(
      ' ',
    ),
  );
  expect(code, err).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Log-softmax ∘ dense ∘ ReLU ∘ dense ∘ ReLU ∘ dense: its Jacobian in float64, [layer] → rows × 784. */
async function jacobians(snapshot: string, x: Float64Array): Promise<Map<string, Float64Array>> {
  const weights = await (await openRun(run)).weights(snapshot);
  const out = new Map<string, Float64Array>();
  let value = x;
  let jacobian: Float64Array | null = null;
  for (const layer of [1, 2, 3]) {
    const { data: kernel, shape } = weights.get(`F${layer}.kernel`)! as never as {
      data: Float32Array;
      shape: number[];
    };
    const bias = weights.get(`F${layer}.bias`)!.data as Float32Array;
    const [inner, units] = shape as [number, number];
    const next = Float64Array.from({ length: units }, (_, u) => {
      let sum = bias[u]!;
      for (let i = 0; i < inner; i++) sum += value[i]! * kernel[i * units + u]!;
      return sum;
    });
    let product = new Float64Array(units * 784);
    for (let u = 0; u < units; u++)
      for (let i = 0; i < inner; i++)
        for (let c = 0; c < 784; c++)
          product[u * 784 + c]! +=
            kernel[i * units + u]! * (jacobian ? jacobian[i * 784 + c]! : Number(i === c));
    if (layer < 3) {
      product = product.map((entry, i) => (next[Math.floor(i / 784)]! > 0 ? entry : 0));
      value = next.map((v) => Math.max(0, v));
      out.set(`R${layer}`, product);
    } else {
      const total = next.reduce((sum, v) => sum + Math.exp(v), 0);
      const mean = new Float64Array(784);
      for (let u = 0; u < units; u++)
        for (let c = 0; c < 784; c++) mean[c]! += (Math.exp(next[u]!) / total) * product[u * 784 + c]!;
      out.set(
        'S3',
        product.map((entry, i) => entry - mean[i % 784]!),
      );
    }
    jacobian = product;
  }
  return out;
}

describe('epochscope geometry', () => {
  it('gives σ and right vectors of the float64 Jacobian to 1e-5, for each layer, snapshot and input', async () => {
    const { code, out, err } = await cli([
      'geometry',
      run,
      '--snapshots',
      'all',
      '--inputs',
      '4',
      '--k',
      '7',
    ]);
    expect(code, err).toBe(0);
    expect(out).toContain('epoch-0002 S3');
    const result = await readResult<GeometryResult>(join(run, 'results', 'geometry', 'default'));
    expect(result.spectra.map((s) => `${s.snapshot.id} ${s.to}`)).toEqual(
      ['init', 'epoch-0002'].flatMap((id) => ['R1', 'R2', 'S3'].map((layer) => `${id} ${layer}`)),
    );
    // In turn from each class.
    expect(Array.from(result.samples.labels!)).toEqual([0, 1, 2, 0]);
    const whole = (await (await openRun(run)).inputs())!;
    const known = new Map<string, Map<string, Float64Array>>();
    for (const spectrum of result.spectra) {
      for (const [i, index] of result.samples.indices.entries()) {
        const x = Float64Array.from(whole.data.subarray(index * 784, (index + 1) * 784), (v) =>
          Math.fround(v / 255),
        );
        const place = `${spectrum.snapshot.id} ${i}`;
        if (!known.has(place)) known.set(place, await jacobians(spectrum.snapshot.id, x));
        const data = known.get(place)!.get(spectrum.to)!;
        const want = svdReference({ data, shape: [data.length / 784, 784] });
        const name = `${spectrum.snapshot.id} ${spectrum.to} input ${i}`;
        for (let t = 0; t < spectrum.k; t++) {
          expect(Math.abs(spectrum.sigma[i * spectrum.k + t]! - want.sigma[t]!), name).toBeLessThan(
            1e-5 * want.sigma[0]!,
          );
          const gap = Math.min(
            want.sigma[t]! - (want.sigma[t + 1] ?? 0),
            (want.sigma[t - 1] ?? Number.POSITIVE_INFINITY) - want.sigma[t]!,
          );
          if (gap < 0.02 * want.sigma[0]!) continue;
          const right = spectrum.vectors[i]!.right.subarray(t * 784, (t + 1) * 784);
          const sign = Math.sign(right.reduce((sum, v, c) => sum + v * want.v[t]![c]!, 0));
          const apart = right.reduce((most, v, c) => Math.max(most, Math.abs(v - sign * want.v[t]![c]!)), 0);
          expect(apart, name).toBeLessThan(1e-5);
        }
      }
    }
    expect(result.alignments.length).toBe(6);
    expect(result.classTrees[0]!.classes.length).toBe(3);
    expect(result.perturbations[0]!.names).toContain('normal');
    expect(existsSync(join(run, 'results', 'geometry', 'default.partial'))).toBe(false);
  });

  it('knows maps between layers, a class hierarchy, and no tangents', async () => {
    writeFileSync(join(folder, 'tree.json'), '[["0","1"],["2"]]');
    const { code, out, err } = await cli(
      `geometry ${run} --maps both --layers R1,S3 --inputs 6 --k 3 --no-tangents --png --svg --hierarchy ${join(folder, 'tree.json')} --name small --json`.split(
        ' ',
      ),
    );
    expect(code, err).toBe(0);
    const { folder: place, spectra } = JSON.parse(out);
    expect(spectra.map((s: { from: string; to: string }) => `${s.from}→${s.to}`)).toEqual([
      'input→R1',
      'input→R1',
      'input→S3',
      'R1→S3',
    ]);
    const result = await readResult<GeometryResult>(place);
    expect(result.alignments).toEqual([]);
    expect(readdirSync(place)).toEqual(
      expect.arrayContaining(['R1-epoch-0002-vectors.png', 'S3-epoch-0002-vectors.svg']),
    );
    expect(result.classTrees[0]!.agreement).toHaveProperty('value');
  });

  it('keeps what is done when it is cancelled, and goes on to the same figures', async () => {
    const argv = ['geometry', run, '--inputs', '10', '--k', '5', '--name', 'cut'];
    const place = join(run, 'results', 'geometry', 'cut');
    const controller = new AbortController();
    const watch = setInterval(() => {
      if (existsSync(`${place}.parts`) && readdirSync(`${place}.parts`).length > 4) controller.abort();
    }, 2);
    const cut = await cli(argv, controller.signal);
    clearInterval(watch);
    expect(cut.code).toBe(130);
    expect(cut.err).toMatch(/\d+ parts are kept, the same command goes on/);
    expect(existsSync(place)).toBe(false);
    const on = await cli(argv);
    expect(on.code, on.err).toBe(0);
    const fresh = await cli([...argv, '--name', 'fresh']);
    expect(fresh.code).toBe(0);
    const [a, b] = await Promise.all(
      ['cut', 'fresh'].map((name) => readResult<GeometryResult>(join(run, 'results', 'geometry', name))),
    );
    expect(a!.spectra).toEqual(b!.spectra);
    expect(a!.alignments).toEqual(b!.alignments);
    expect(a!.perturbations).toEqual(b!.perturbations);
    expect(readdirSync(join(run, 'results', 'geometry')).filter((name) => name.includes('parts'))).toEqual(
      [],
    );
  });

  it('refuses an unknown layer, a hierarchy that is none, k = 0 and pictures of another shape: one line each', async () => {
    const layer = await cli(['geometry', run, '--layers', 'Q9']);
    expect([layer.code, layer.err.trim().split('\n').length]).toEqual([1, 1]);
    expect(layer.err).toContain('Q9');
    writeFileSync(join(folder, 'bad.json'), '[["0","1"],{}]');
    const tree = await cli(['geometry', run, '--hierarchy', join(folder, 'bad.json')]);
    expect(tree.code).toBe(1);
    expect(tree.err).toContain('bad.json: expected nested lists of class names, got an object');
    expect((await cli(['geometry', run, '--k', '0'])).code).toBe(2);
    const file = join(folder, 'small.npy');
    writeFileSync(file, encodeNpy(new Float32Array(12), [1, 2, 2, 3]));
    const alex = await cli(['geometry', 'alexnet', '--images', file, '-o', join(folder, 'alex')]);
    expect(alex.code).toBe(1);
    expect(alex.err).toContain('expected pictures n × 227 × 227 × 3');
    const weights = join(folder, 'w.safetensors');
    writeFileSync(
      weights,
      encodeSafetensors(
        new Map([['conv1.weight', { data: new Float32Array(2), shape: [2], dtype: 'float32' }]]),
      ),
    );
    const missing = await cli(['geometry', 'alexnet', '--weights', weights, '-o', join(folder, 'alex')]);
    expect(missing.code).toBe(1);
    expect(missing.err).toContain('expected kernel and bias of conv1');
    expect(existsSync(join(folder, 'alex'))).toBe(false);
    expect(readFileSync(join(run, 'run.json'), 'utf8')).toContain('"complete": true');
  });
});
