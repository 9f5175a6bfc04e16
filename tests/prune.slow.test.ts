import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createRun,
  openRun,
  type PruneResult,
  readResult,
  type Tensor,
  withFile,
} from '@epochscope/analysis';
import { readNpy, readSafetensors } from '@epochscope/analysis/formats';
import { buildModel, prepareTf, weightsOf } from '@epochscope/analysis/models';
import { labelRegionsReference } from '@epochscope/core-wasm/reference';
import { decode as decodePng } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from './harness.js';

// The prune command from outside: rates, exact zeros, files, runs that other commands read, and what it refuses.

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = join(root, 'packages', 'cli', 'dist', 'main.js');
let folder: string;
let digits: string;
let mlp: string;

async function done(...argv: string[]) {
  const result = await cli(...argv);
  expect(result.code, result.err).toBe(0);
  return result;
}
const resultOf = (run: string, name = 'default') =>
  readResult<PruneResult>(join(run, 'results', 'prune', name));

/** 200 + 60 pictures of two kinds. */
function writeDigits(place: string): void {
  const word = (n: number) => [n >> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255];
  for (const [part, count] of [
    ['train', 200],
    ['t10k', 60],
  ] as const) {
    const images = new Uint8Array(count * 784);
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 2);
    for (let i = 0; i < count; i++)
      for (let p = 0; p < 784; p++)
        images[i * 784 + p] = ((p % 28 < 14 ? 0 : 150) * (i % 2) + ((p * 7 + i * 13) % 90)) & 255;
    const write = (kind: string, shape: number[], data: Uint8Array) =>
      writeFileSync(
        join(place, `${part}-${kind}-ubyte`),
        Buffer.concat([Buffer.from([0, 0, 8, shape.length, ...shape.flatMap(word)]), data]),
      );
    write('images-idx3', [count, 28, 28], images);
    write('labels-idx1', [count], labels);
  }
}

const TRAIN = [
  '--epochs',
  '12',
  '--snapshots',
  'init,2,12',
  '--batch',
  '20',
  '--noise',
  '0',
  '--samples',
  '30',
];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'epochscope-prune-'));
  digits = join(folder, 'digits');
  cpSync(mkdtempSync(join(folder, 'made-')), digits, { recursive: true });
  writeDigits(digits);
  mlp = join(folder, 'mlp');
  await done(
    'train',
    '--data',
    digits,
    '--model',
    'mlp',
    '--hidden',
    '20,10',
    ...TRAIN,
    '--optimizer',
    'sgd',
    '--lr',
    '0.1',
    '-o',
    mlp,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('epochscope prune', () => {
  it('meets its rates, holds removed weights at exactly 0, and says so in a table', async () => {
    const out = join(folder, 'a');
    const { out: text } = await done('prune', mlp, '--rounds', '2', '--epochs', '1', '-o', out);
    expect(text).toMatch(/round 2 +\d+ of \d+ +[\d.]+ %/);
    const result = await resultOf(out);
    expect(result).toMatchObject({
      layout: { layer: 'F1', tensor: 'F1.kernel', inputShape: [28, 28, 1], units: 20, apart: false },
      options: { magnitude: 0.5, regions: 0.4, rounds: 2, neighbours: 8, ranking: 'network' },
      complete: true,
      snapshot: { id: 'epoch-0012', epoch: 12 },
    });
    const [magnitude, first, second] = result.rounds as [never, never, never] as PruneResult['rounds'];
    expect(Math.abs(magnitude!.mask.filter((m) => !m).length - 0.5 * 15_680)).toBeLessThanOrEqual(1);
    const run = await openRun(out);
    expect(run.manifest.snapshots.map(({ id }) => id)).toEqual([
      'before',
      'magnitude',
      'round-01',
      'round-02',
    ]);
    expect(run.manifest.complete).toBe(true);
    for (const round of [first!, second!]) {
      expect(Math.abs(round.regions!.removed - 0.4 * round.regions!.before)).toBeLessThanOrEqual(1);
      const kernel = (await run.weights(`round-0${round.round}`)).get('F1.kernel')!;
      expect(kernel.data).toEqual(round.weights);
      let trained = 0;
      round.mask.forEach((kept, i) => {
        if (!kept) expect(round.weights[i]).toBe(0);
        else if (round.weights[i] !== result.weightsBefore[i]) trained++;
      });
      // It was really retrained, elsewhere too.
      expect(trained).toBeGreaterThan(0);
    }
    expect((await run.weights('round-02')).get('F2.kernel')!.data).not.toEqual(
      (await run.weights('before')).get('F2.kernel')!.data,
    );
    expect((await run.weights('before')).get('F1.kernel')!.data).toEqual(result.weightsBefore);
    // The number of regions is that of an independent labelling of the mask before removal.
    const pictures = new Uint8Array(15_680);
    magnitude!.mask.forEach((kept, i) => {
      pictures[(i % 20) * 784 + Math.floor(i / 20)] = kept;
    });
    expect(first!.regions!.before).toBe(labelRegionsReference(pictures, [20, 28, 28], 8).sizes.length);
  });

  it('writes mask.npy and pruned.safetensors that fit together', async () => {
    const out = join(folder, 'a');
    const place = join(out, 'results', 'prune', 'default');
    const { rounds } = await resultOf(out);
    const last = rounds[2]!;
    const mask = await withFile(join(place, 'mask.npy'), readNpy);
    expect(mask).toMatchObject({ shape: [784, 20], dtype: 'uint8', data: last.mask });
    const tensors = await withFile(join(place, 'pruned.safetensors'), readSafetensors);
    const get = (name: string) => tensors.get(`F1.${name}`) as Tensor<Float32Array>;
    expect([...tensors.keys()].sort()).toEqual(
      ['bias', 'indices', 'indptr', 'kernel', 'mask', 'region_index', 'regions', 'values'].map(
        (n) => `F1.${n}`,
      ),
    );
    expect(get('kernel').data).toEqual(last.weights);
    // The sparse form gives the dense one back.
    const dense = new Float32Array(15_680);
    for (let u = 0; u < 20; u++)
      for (let k = get('indptr').data[u]!; k < get('indptr').data[u + 1]!; k++)
        dense[get('indices').data[k]! * 20 + u] = get('values').data[k]!;
    expect(dense).toEqual(last.weights);
    // Each pixel's region index is the mean |w| of its region.
    expect(get('regions').shape).toEqual([20, 28, 28]);
    const pictures = new Uint8Array(15_680);
    last.mask.forEach((kept, i) => {
      pictures[(i % 20) * 784 + Math.floor(i / 20)] = kept;
    });
    const want = labelRegionsReference(pictures, [20, 28, 28], 8);
    expect(get('regions').data).toEqual(want.labels);
    for (const unit of [0, 7, 19]) {
      for (let r = 1; r <= want.counts[unit]!; r++) {
        let sum = 0;
        let n = 0;
        const at: number[] = [];
        for (let p = 0; p < 784; p++) {
          if (want.labels[unit * 784 + p] !== r) continue;
          sum += Math.abs(last.weights[p * 20 + unit]!);
          n++;
          at.push(unit * 784 + p);
        }
        for (const i of at) expect(get('region_index').data[i]).toBeCloseTo(sum / n, 6);
      }
    }
  });

  it('writes a run that other commands read, before and after', async () => {
    const out = join(folder, 'a');
    const info = JSON.parse((await done('info', out, '--json')).out);
    expect(info.warnings).toEqual([]);
    expect(info.results).toEqual([{ method: 'prune', name: 'default' }]);
    const { out: text } = await done(
      'tendency',
      out,
      '--layers',
      'F1,S3',
      '--snapshots',
      'before,round-02',
      '--vat-side',
      '0',
    );
    expect(text).toContain('round-02 S3');
    await done('report', out, '-o', join(folder, 'a.html'));
  });

  it('gives the same bits for the same seed, and when cut off by SIGINT and resumed', async () => {
    const options = ['--rounds', '3', '--epochs', '4', '--ranking', 'loss', '--neighbours', '8'];
    const whole = join(folder, 'whole');
    await done('prune', mlp, ...options, '-o', whole);
    const cut = join(folder, 'cut');
    const child = spawn(process.execPath, [bin, 'prune', mlp, ...options, '-o', cut], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let err = '';
    let told = false;
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text;
      if (!told && err.includes('round-01')) told = child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    const stopped = await openRun(cut);
    // Where the machine was faster than the signal, there is nothing to resume but the test still compares.
    if (!stopped.manifest.complete) {
      expect(code).toBe(130);
      expect(err).toMatch(/holds \d of 3 rounds, the same call goes on/);
      const rounds = (await resultOf(cut)).rounds.length;
      expect(rounds).toBeGreaterThanOrEqual(2);
      for (const name of readdirSync(cut)) expect(name).not.toContain('.tmp-');
      const other = await cli('prune', mlp, ...options, '--regions', '0.3', '-o', cut, '--resume');
      expect(other.code).toBe(1);
      expect(other.err).toContain('was begun with other options');
      await done('prune', mlp, ...options, '-o', cut, '--resume');
    }
    const a = await resultOf(whole);
    const b = await resultOf(cut);
    expect(b.rounds.map((r) => r.weights)).toEqual(a.rounds.map((r) => r.weights));
    expect(b.rounds.map((r) => r.removed)).toEqual(a.rounds.map((r) => r.removed));
    expect(b.accuracyBefore).toEqual(a.accuracyBefore);
    const last = async (run: string) =>
      (await (await openRun(run)).weights('round-03')).get('F3.kernel')!.data;
    expect(b.complete).toBe(true);
    expect(await last(cut)).toEqual(await last(whole));
    expect((await openRun(cut)).manifest.complete).toBe(true);
  });

  it('compares rankings at equal accuracy', async () => {
    const out = join(folder, 'compared');
    const { out: text } = await done(
      'prune',
      mlp,
      '--ranking',
      'net,unit,loss',
      '--rounds',
      '2',
      '--epochs',
      '1',
      '-o',
      out,
    );
    expect(text).toMatch(/^network .*%/m);
    const json = JSON.parse(readFileSync(join(out, 'comparison.json'), 'utf8'));
    expect(json.accuracy).toBeCloseTo(json.accuracyBefore - 0.004);
    expect(json.rankings.map((r: { ranking: string }) => r.ranking)).toEqual(['network', 'unit', 'loss']);
    for (const ranking of ['network', 'unit', 'loss']) {
      const { rounds } = await resultOf(join(out, ranking));
      expect(rounds.length).toBeGreaterThan(1);
      // Within each unit: every unit loses its share of regions, within one.
      if (ranking === 'unit') expect(rounds[rounds.length - 1]!.removed.emptied).toBe(0);
    }
  });

  it('ends when accuracy has fallen by more than it was told', async () => {
    const out = join(folder, 'ended');
    // All regions go in round 1: the net answers the same for every picture.
    await done(
      'prune',
      mlp,
      '--rounds',
      '9',
      '--regions',
      '1',
      '--epochs',
      '1',
      '--stop-after-loss',
      '0.2',
      '-o',
      out,
    );
    const { rounds, complete, accuracyBefore } = await resultOf(out);
    expect(complete).toBe(true);
    expect(accuracyBefore.value).toBeGreaterThan(0.8);
    expect(rounds.map(({ accuracyAfterRetraining }) => accuracyAfterRetraining.value)).toEqual([null, 0.5]);
    expect(rounds[1]!.left.perUnit).toMatchObject({
      value: null,
      reason: 'every unit lost all of its weights',
    });
    expect((await openRun(out)).manifest.complete).toBe(true);
  });

  it('prunes filters, and a dense layer over feature maps, of a convolutional net', async () => {
    const net = join(folder, 'lenet');
    await done(
      'train',
      '--data',
      digits,
      '--model',
      'lenet5',
      '--epochs',
      '1',
      '--batch',
      '50',
      '--samples',
      '20',
      '-o',
      net,
    );
    const maps = await done('prune', net, '--rounds', '1', '--epochs', '1', '-o', join(folder, 'maps'));
    expect(maps.err).toContain('F3: 120 units, 16 maps of 4×4, regions in each map');
    expect(maps.err).toContain('are small');
    expect((await resultOf(join(folder, 'maps'))).layout).toMatchObject({
      inputShape: [4, 4, 16],
      apart: true,
    });
    const filters = await done(
      'prune',
      net,
      '--layer',
      'C1',
      '--rounds',
      '1',
      '--epochs',
      '1',
      '-o',
      join(folder, 'filters'),
    );
    expect(filters.err).toContain('C1: 6 filters, one picture of 5×5 each');
    const result = await resultOf(join(folder, 'filters'));
    expect(result.rounds[1]!.mask.length).toBe(150);
    const kernel = (await (await openRun(join(folder, 'filters'))).weights('round-01')).get('C1.kernel')!;
    expect(kernel.shape).toEqual([5, 5, 1, 6]);
    result.rounds[1]!.mask.forEach((kept, i) => {
      if (!kept) expect(kernel.data[i]).toBe(0);
    });
    for (const [layer, message] of [
      ['F4', 'layer F4 takes [120], not pictures'],
      ['P1', 'layer P1 is max-pool'],
    ] as const) {
      const { code, err } = await cli('prune', net, '--layer', layer, '-o', join(folder, 'never'));
      expect(code).toBe(1);
      expect(err).toContain(message);
      expect(existsSync(join(folder, 'never'))).toBe(false);
    }
  });

  it('prunes RGB pictures with their channels together, also without a net', async () => {
    const source = join(folder, 'rgb');
    const tf = await prepareTf();
    const net = buildModel(tf, { name: 'mlp', inputShape: [8, 8, 3], classes: 2, seed: 1, hidden: [6] });
    const writer = await createRun(source, {
      model: null,
      layers: net.layers,
      classes: null,
      inputShape: [8, 8, 3],
      training: null,
    });
    await writer.writeSnapshot({ id: 'epoch-0001', epoch: 1, step: null, metrics: {} }, weightsOf(net));
    await writer.finish();
    const out = join(folder, 'rgb-pruned');
    const { err, out: text } = await done('prune', source, '-o', out);
    expect(err).toContain('does not say which net made it: the weights are pruned, with no accuracy');
    expect(err).toContain('8×8, 3 channels together');
    expect(text).toMatch(/round 3 .* – +–$/m);
    const { rounds, accuracyBefore } = await resultOf(out);
    expect(accuracyBefore).toMatchObject({ value: null, reason: expect.stringContaining('which net') });
    // Every channel of a removed region's pixels is gone: a pixel of the last mask is in one region or none.
    expect(rounds[3]!.removed.overall).toBeGreaterThan(0.5);
    expect((await openRun(out)).manifest.samples).toBe(null);
    const loss = await cli('prune', source, '--ranking', 'loss', '-o', join(folder, 'never'));
    expect(loss.err).toContain('ranking by loss needs the gradient');
    expect(existsSync(join(folder, 'never'))).toBe(false);
  });
});

describe('epochscope reproduce takehana', () => {
  const options = ['reproduce', 'takehana', '--quick', '--epochs', '1'];
  it('trains, prunes by three rankings and a control, and writes claims, runs and pictures', async () => {
    const out = join(folder, 'takehana');
    const { out: text } = await done(...options, '--data', digits, '-o', out);
    expect(text).toContain('The trained net classifies the digits');
    const json = JSON.parse(readFileSync(join(out, 'claims.json'), 'utf8'));
    expect(json).toMatchObject({
      format: 'epochscope-claims/2',
      experiment: 'takehana',
      quick: true,
      seeds: [1],
    });
    expect(json.claims.map((c: { id: string }) => c.id)).toEqual([
      'accuracy-before',
      'accuracy-kept',
      'units-split',
      'units-split-left',
      'units-split-less',
      'two-groups',
      'region-fills-unit',
      'ranking-causes-split',
    ]);
    const markdown = readFileSync(join(out, 'claims.md'), 'utf8');
    expect(markdown).toContain("The paper's open problem");
    const pruned = join(out, 'seed-1', 'pruned');
    for (const name of ['network', 'unit', 'loss', '8-neighbours-0.4', '4-neighbours', 'control']) {
      const { rounds } = await resultOf(join(pruned, name));
      expect(rounds.length).toBeGreaterThan(1);
      expect(rounds[rounds.length - 1]!.removed.overall > 0).toBe(name !== 'control');
    }
    const place = join(pruned, 'network', 'results', 'prune', 'default');
    // The first image of the SVG is the first unit's, each weight repeated; removed ones are black, the others the paper's colours.
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain(
      'Figure 5: a unit with about 35 % removed',
    );
    const sheet = readFileSync(join(place, 'weights-magnitude.svg'), 'utf8');
    const picture = decodePng(Buffer.from(/base64,([^"]+)"/.exec(sheet)![1]!, 'base64'));
    const cell = picture.width / 28;
    expect(Number.isInteger(cell)).toBe(true);
    const { rounds } = await resultOf(join(pruned, 'network'));
    for (const p of [0, 27, 400, 783]) {
      const at = 3 * (cell * Math.floor(p / 28) * picture.width + cell * (p % 28));
      const rgb = [...picture.data.subarray(at, at + 3)];
      const [mask, w] = [rounds[0]!.mask[p * 100], rounds[0]!.weights[p * 100]!];
      if (!mask) expect(rgb).toEqual([0, 0, 0]);
      else expect(w > 0 ? rgb[0]! > rgb[2]! : rgb[2]! > rgb[0]!).toBe(true);
    }
    // Not done twice by mistake.
    const again = await cli(...options, '--data', digits, '-o', out);
    expect(again.code).toBe(1);
    expect(again.err).toContain('already holds a reproduction');
    // Without its claims it is one that was cut off: what is done is taken over.
    rmSync(join(out, 'claims.json'));
    rmSync(join(out, 'seed-1', 'seed.json'));
    const resumed = await done(...options, '--data', digits, '-o', out);
    expect(resumed.err).toContain('is trained already');
    expect(resumed.err).not.toContain('round-01:');
    const after = JSON.parse(readFileSync(join(out, 'claims.json'), 'utf8'));
    expect(after.claims).toEqual(json.claims);
    rmSync(join(out, 'claims.json'));
    const other = await cli(...options, '--epochs', '2', '--data', digits, '-o', out);
    expect(other.err).toContain('was made with other options');
    rmSync(join(out, 'seed-1', 'seed.json'));
    const trained = await cli(...options, '--epochs', '2', '--data', digits, '-o', out);
    expect(trained.err).toContain('was trained with other options');
  }, 180_000);

  it('asks for data, and refuses pictures of another shape, before writing', async () => {
    const out = join(folder, 'never');
    const none = await cli('reproduce', 'takehana', '-o', out);
    expect(none.code).toBe(2);
    expect(none.err).toContain('give its folder as --data DIR');
    const wrong = await cli('reproduce', 'takehana', '--data', folder, '-o', out);
    expect(wrong.code).toBe(1);
    expect(existsSync(out)).toBe(false);
    expect((await cli('reproduce', 'nobody')).code).toBe(2);
    expect((await done('reproduce')).out).toContain('takehana');
  });
});

describe('bad input to prune is one line, with nothing half-written', () => {
  it.each<[string[], number, string]>([
    [['--magnitude', '1.5'], 2, 'expected a number 0 … 1'],
    [['--regions', 'half'], 2, 'expected a number 0 … 1'],
    [['--rounds', '-1'], 2, 'expected a whole number ≥ 0'],
    [['--neighbours', '6'], 2, 'expected one of 4, 8'],
    [['--ranking', 'size'], 2, 'expected net, unit or loss'],
    [['--ranking', 'net,net'], 2, 'expected each ranking once'],
    [['--layer', 'F9'], 1, 'there is no layer F9; layers that can be pruned: F1, F2, F3'],
    [['--layer', 'F2'], 1, 'layer F2 takes [20], not pictures'],
    [['--snapshot', '9'], 1, 'has no snapshot 9'],
    [['--data', '/nowhere'], 1, '/nowhere does not exist'],
    [['--lr', '0'], 1, 'learning rate: expected a number > 0'],
    [['--resume'], 1, 'does not exist'],
  ])('%j', async (more, code, message) => {
    const target = join(folder, 'refused');
    const { code: got, out, err } = await cli('prune', mlp, '--rounds', '1', ...more, '-o', target);
    expect(err).toContain(message);
    expect(got).toBe(code);
    expect(out).toBe('');
    expect(err).not.toContain('    at ');
    expect(existsSync(target)).toBe(false);
  });

  it('train refuses an activation for a net that has its own', async () => {
    const { code, err } = await cli(
      'train',
      '--data',
      digits,
      '--activation',
      'sigmoid',
      '-o',
      join(folder, 'never'),
    );
    expect(code).toBe(2);
    expect(err).toContain('--activation: only for mlp; lenet5 has its own');
  });

  it('refuses its own source, a folder with something else, and an existing run', async () => {
    expect((await cli('prune', mlp, '-o', mlp)).err).toContain('needs a folder of its own');
    const { code, err } = await cli('prune', mlp, '--rounds', '0', '-o', digits);
    expect(code).toBe(1);
    expect(err).toContain('is not empty and holds no run');
    const before = readFileSync(join(folder, 'a', 'run.json'), 'utf8');
    const again = await cli('prune', mlp, '--rounds', '0', '-o', join(folder, 'a'));
    expect(again.err).toContain('already holds a run');
    expect(readFileSync(join(folder, 'a', 'run.json'), 'utf8')).toBe(before);
  });

  it('refuses NaN among the weights, and weights that are no pictures of the inputs', async () => {
    const broken = async (change: (weights: Map<string, Tensor>) => void, inputShape = [28, 28, 1]) => {
      const place = mkdtempSync(join(folder, 'broken-'));
      const run = await openRun(mlp);
      const weights = await run.weights('last');
      change(weights);
      const writer = await createRun(place, { ...run.manifest, inputShape });
      await writer.writeSnapshot({ id: 'x', epoch: 1, step: null, metrics: {} }, weights);
      await writer.finish();
      return cli('prune', place, '-o', join(folder, 'never'));
    };
    const nan = await broken((weights) => {
      (weights.get('F1.kernel')!.data as Float32Array)[5] = Number.NaN;
    });
    expect(nan.err).toContain('expected finite numbers, got NaN at index 5');
    const missing = await broken((weights) => void weights.delete('F1.kernel'));
    expect(missing.err).toContain('holds no tensor F1.kernel');
    const shape = await broken(() => {}, [28, 28, 3]);
    expect(shape.err).toContain('expected [2352, units] for inputs of 28×28×3, got [784,20]');
    for (const { code } of [nan, missing, shape]) expect(code).toBe(1);
    expect(existsSync(join(folder, 'never'))).toBe(false);
  });
});
