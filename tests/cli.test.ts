import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readResult } from '@epochscope/analysis';
import { encodeNpy, encodeNpz, encodeSafetensors } from '@epochscope/analysis/formats';
import { decodeAny } from '@epochscope/analysis/results';
import { decode as decodePng } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { writeDigits } from './digits.js';
import { cli } from './harness.js';
import { trainDigits } from './trained.js';

// The CLI from outside: what it prints where, its exit codes, and what is left on disk.

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
let folder: string;
let digits: string;
let run: string;

beforeAll(async () => {
  ({ folder, digits, run } = await trainDigits());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the path through', () => {
  it('info says what the run holds, also as JSON', async () => {
    const { code, out } = await cli('info', run);
    expect(code).toBe(0);
    expect(out).toContain('epoch-0002');
    expect(out).toContain('C1.kernel C1.bias');
    const json = JSON.parse((await cli('info', run, '--json')).out);
    expect(json.manifest.snapshots.map((s: { id: string }) => s.id)).toEqual([
      'init',
      'epoch-0001',
      'epoch-0002',
    ]);
  });

  it('tendency captures, analyses and writes; report puts it into one page', async () => {
    const { code, err } = await cli(
      'tendency',
      run,
      '--layers',
      'P1@2,S5',
      '--snapshots',
      'last',
      '--marks',
      'top:2,random:3',
      '--vat-side',
      '20',
      '--png',
      '--dpi',
      '96',
      '--csv',
    );
    expect(code, err).toBe(0);
    const table = readFileSync(join(run, 'results', 'tendency', 'default', 'S5-epoch-0002.csv'), 'utf8');
    expect(table.split('\n')[0]).toBe('position,sample,weight,parent,block,class');
    expect(table.trim().split('\n')).toHaveLength(51);
    const result = await readResult<never>(join(run, 'results', 'tendency', 'default'));
    const panels = (
      result as {
        panels: {
          layer: string;
          n: number;
          d: number;
          order: Uint32Array;
          weights: Float32Array;
          vat: { side: number };
          marks: { rule: string }[];
        }[];
      }
    ).panels;
    expect(panels.map((p) => p.layer)).toEqual(['P1@2', 'S5']);
    expect(panels[0]).toMatchObject({ n: 50, d: 144 });
    expect(panels[0]!.vat.side).toBe(20);
    expect(panels[1]!.marks.filter((m) => m.rule === 'random').length).toBe(3);
    const png = decodePng(readFileSync(join(run, 'results', 'tendency', 'default', 'S5-epoch-0002.png')));
    // 640 px of 1/96 inch.
    expect(png.width).toBe(640);
    expect(png.height).toBeGreaterThan(640);
    const one = join(folder, 'one.epochscope');
    const sent = await cli('export', run, 'tendency', '-o', one);
    expect(sent.code, sent.err).toBe(0);
    const whole = await decodeAny<typeof result>(readFileSync(one));
    expect(whole).toEqual(await readResult(run, 'results/tendency/default'));
    expect(whole).toHaveProperty('samples.images.shape', [50, 28, 28, 1]);
    // The same from the result's own folder, which does not hold the run's samples.
    const alone = join(folder, 'alone.epochscope');
    expect((await cli('export', join(run, 'results', 'tendency', 'default'), '-o', alone)).code).toBe(0);
    expect(readFileSync(alone).equals(readFileSync(one))).toBe(true);
    expect((await cli('export', run, 'modules')).err).toContain(
      'holds no result modules; it has tendency/default',
    );
    expect((await cli('report', one, '-o', join(folder, 'one.html'))).code).toBe(0);
    const board = await cli('export', run, '--tensorboard', '-o', join(folder, 'board'), '--json');
    expect(board.code, board.err).toBe(0);
    // Loss and accuracy of the snapshots that have them, and what the two panels tell.
    expect(JSON.parse(board.out)).toMatchObject({ pictures: 2, numbers: expect.any(Number) });
    const events = readFileSync(JSON.parse(board.out).file, 'latin1');
    for (const tag of ['metrics/testAccuracy', 'tendency/S5/blocks', 'tendency/P1@2/iVAT'])
      expect(events).toContain(tag);
    const page = await cli('report', run, '-o', join(folder, 'page.html'));
    expect(page.code, page.err).toBe(0);
    const html = readFileSync(join(folder, 'page.html'), 'utf8');
    expect(html.match(/class="epochscope-result"/g)?.length).toBe(1);
    // Self-contained: nothing is fetched.
    expect(html).not.toMatch(/<(script|link|img)[^>]+(src|href)=/);
  });

  it('tendency works on a plain matrix with no run, labels optional', async () => {
    const data = Float32Array.from({ length: 60 }, (_, i) => (i % 2 ? 100 : 0) + Math.sin(i));
    writeFileSync(join(folder, 'points.npy'), encodeNpy(data, [60, 1]));
    writeFileSync(
      join(folder, 'labels.npy'),
      encodeNpy(
        Int32Array.from({ length: 60 }, (_, i) => i % 2),
        [60],
      ),
    );
    const plain = JSON.parse(
      (
        await cli(
          'tendency',
          join(folder, 'points.npy'),
          '--json',
          '--dpi',
          '60',
          '-o',
          join(folder, 'plain'),
        )
      ).out,
    );
    expect(plain.panels[0]).toMatchObject({
      n: 60,
      d: 1,
      blocks: 2,
      sentence: '2 blocks, every sample in one',
      scores: { inBlocks: { ari: { value: null, reason: 'there are no labels' } } },
    });
    const labelled = JSON.parse(
      (
        await cli(
          'tendency',
          join(folder, 'points.npy'),
          '--labels',
          join(folder, 'labels.npy'),
          '--csv',
          '--json',
          '--dpi',
          '60',
          '-o',
          join(folder, 'labelled'),
        )
      ).out,
    );
    // A table comes beside the picture, not in its place.
    expect(labelled.pictures.map((file: string) => basename(file))).toEqual(['points.png', 'points.csv']);
    expect(labelled.panels[0].scores.inBlocks.ari.value).toBe(1);
    // The same points from the other formats give the same order.
    writeFileSync(join(folder, 'points.csv'), `x\n${[...data].join('\n')}\n`);
    writeFileSync(
      join(folder, 'points.npz'),
      encodeNpz(
        new Map([
          ['a', { data, shape: [60, 1], dtype: 'float32' as const }],
          ['b', { data, shape: [60, 1], dtype: 'float32' as const }],
        ]),
      ),
    );
    writeFileSync(
      join(folder, 'points.safetensors'),
      encodeSafetensors(new Map([['a', { data, shape: [60, 1], dtype: 'float32' as const }]])),
    );
    const order = async (name: string) =>
      ((await readResult<never>(join(folder, name))) as { panels: { order: Uint32Array }[] }).panels[0]!
        .order;
    for (const [i, file] of ['points.csv', 'points.npz:b', 'points.safetensors'].entries()) {
      const { code, err } = await cli(
        'tendency',
        join(folder, file),
        '--svg',
        '-o',
        join(folder, `other-${i}`),
      );
      expect(code, err).toBe(0);
      expect(await order(`other-${i}`)).toEqual(await order('plain'));
    }
    const several = await cli('tendency', join(folder, 'points.npz'), '-o', join(folder, 'other-9'));
    expect(several.code).toBe(1);
    expect(several.err).toContain('holds the arrays a, b; choose one as');
  });
});

it('--data mnist is fetched into --download, and a mirror that fails is named', async () => {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url);
    return new Response('', { status: 404 });
  });
  try {
    const place = join(folder, 'fetched');
    for (const argv of [
      ['train', '--data', 'mnist', '--download', place, '-o', join(folder, 'never')],
      ['reproduce', 'satoh', '--download', place, '-o', join(folder, 'never')],
    ]) {
      const { code, err } = await cli(...argv);
      expect(code).toBe(1);
      expect(err).toContain('train-images-idx3-ubyte.gz could not be downloaded');
      expect(err).toContain('expected status 200, got 404');
      expect(readdirSync(join(place, 'mnist'))).toEqual([]);
      expect(existsSync(join(folder, 'never'))).toBe(false);
    }
    expect(asked.length).toBe(4);
  } finally {
    vi.unstubAllGlobals();
  }
});

describe('memory', () => {
  it('what a run or a file would take is held against --memory before any work, in the words of the command line', async () => {
    const refused = await cli('change', run, '--memory', '1kB', '-o', join(folder, 'too-large'));
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/^epochscope: \w+: .* needs [\d.]+ [kM]B, the limit is 1 kB \(--memory\); /m);
    const file = join(folder, 'wide.npy');
    writeFileSync(file, encodeNpy(new Float32Array(4000), [1000, 4]));
    const metric = ['tendency', file, '--metric', 'gower', '-o', join(folder, 'too-large')];
    const small = await cli(...metric, '--memory', '11MB');
    expect(small.code).toBe(1);
    expect(small.err).toContain(
      'tendency: wide needs 12 MB, the limit is 11 MB (--memory); take fewer samples',
    );
    expect(existsSync(join(folder, 'too-large'))).toBe(false);
    const json = await cli('change', run, '--memory', '1kB', '-o', join(folder, 'too-large'), '--json');
    expect(JSON.parse(json.out).error).toMatchObject({
      code: 'memory',
      message: expect.stringContaining('(--memory)'),
    });
  });
});

describe('index', () => {
  it('writes the index by which a run opens over http, and says how many files it names', async () => {
    const copy = join(folder, 'indexed');
    cpSync(run, copy, { recursive: true });
    rmSync(join(copy, 'index.json'), { force: true });
    const { code, out } = await cli('index', copy, '--json');
    expect(code).toBe(0);
    const { files } = JSON.parse(readFileSync(join(copy, 'index.json'), 'utf8'));
    expect(JSON.parse(out)).toEqual({ run: copy, files: Object.keys(files).length });
    expect(Object.keys(files)).toContain('run.json');
    expect(await cli('index', join(folder, 'no-run'))).toMatchObject({ code: 1 });
  });
});

describe('wrong usage is one line and exit 2', () => {
  it.each([
    [['nonsense'], 'unknown command'],
    [['train', '-o', 'x', '--epochs', 'many'], 'expected a whole number ≥ 0'],
    [['train', '-o', 'x', '--model', 'vgg'], 'expected one of lenet5, mlp, cifar-cnn'],
    [['train', '-o', 'x', '--snapshots', 'soon'], 'expected epochs'],
    [['tendency', '.', '--metric', 'angular'], 'expected one of euclidean'],
    [['tendency', '.', '--thin', 'every:'], 'expected names separated by commas'],
    [['tendency', '.', '--figure', 'layers,all'], 'expected one of layers, marks, thinning'],
    [['tendency', '.', '--thin', 'auto:2'], 'expected auto:AGREEMENT of 0 … 1'],
    [['tendency', '.', '--reference', 'a/b/c'], 'expected LAYER or LAYER/SNAPSHOT'],
    [['tendency', '.', '--marks', 'best'], 'marks: expected top:K'],
    [['info'], "missing required argument 'run'"],
    [['info', 'a', '--colour'], "unknown option '--colour'"],
  ])('%j', async (argv, message) => {
    const { code, out, err } = await cli(...argv);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(err).not.toContain('    at ');
    expect(out).toBe('');
    const json = await cli(...argv, '--json');
    expect(json.code).toBe(2);
    expect(JSON.parse(json.out).error).toMatchObject({ code: 'usage' });
  });
});

describe('bad input is one line and exit 1, with nothing half-written', () => {
  const cases: [string, () => string[], string][] = [
    ['a missing folder', () => ['info', join(folder, 'nowhere')], 'nowhere does not exist'],
    ['a folder that is no run', () => ['tendency', digits], 'holds no run.json'],
    ['an unknown layer', () => ['tendency', run, '--layers', 'X9'], 'has no layer X9; it has C1'],
    ['an unknown channel', () => ['tendency', run, '--layers', 'P1@6'], 'layer P1 has channels 0 … 5, got 6'],
    [
      'more samples than there are for thinning',
      () => ['tendency', run, '--thin', '51'],
      'expected a number of samples of 1 … 50, got 51',
    ],
    [
      'a reference that is not analysed',
      () => ['tendency', run, '--thin', '20', '--reference', 'R3'],
      'the reference R3/epoch-0002 is not among',
    ],
    [
      'a list of samples with one twice',
      () => {
        writeFileSync(join(folder, 'twice.npy'), encodeNpy(Int32Array.of(3, 4, 3), [3]));
        return ['tendency', run, '--samples', join(folder, 'twice.npy')];
      },
      'row 2: expected a sample 0 … 49 that is not listed yet, got 3',
    ],
    ['an unknown snapshot', () => ['tendency', run, '--snapshots', '77'], 'has no snapshot 77; it has init'],
    [
      'a missing data folder',
      () => ['train', '--data', join(folder, 'nowhere'), '-o', join(folder, 'new')],
      'nowhere does not exist',
    ],
    ['an existing run', () => ['train', '--data', digits, '-o', run], 'already holds a run'],
    [
      'an epoch beyond the last',
      () => ['train', '--data', digits, '--epochs', '1', '--snapshots', '5', '-o', join(folder, 'new2')],
      'expected a whole number 0 … 1, got 5',
    ],
    [
      'NaN in a matrix',
      () => {
        writeFileSync(join(folder, 'nan.npy'), encodeNpy(Float32Array.of(1, 2, Number.NaN, 4), [2, 2]));
        return ['tendency', join(folder, 'nan.npy'), '-o', join(folder, 'new3')];
      },
      'got NaN at row 1, column 0 (from 0)',
    ],
    [
      'NaN in the outputs of a run',
      () => {
        const copy = join(folder, 'nan-run');
        cpSync(run, copy, { recursive: true });
        const values = new Float32Array(50 * 84);
        values[84 * 7 + 2] = Number.POSITIVE_INFINITY;
        const place = join(copy, 'snapshots', 'epoch-0002', 'outputs');
        mkdirSync(place, { recursive: true });
        writeFileSync(join(place, 'R4.npy'), encodeNpy(values, [50, 84]));
        return ['tendency', copy, '--layers', 'R4', '--snapshots', '2', '-o', join(folder, 'new6')];
      },
      'layer R4, snapshot epoch-0002: expected finite outputs, got Infinity for sample 7, unit 2',
    ],
    [
      'NaN in the outputs that predictions are read from',
      () => {
        const copy = join(folder, 'nan-last');
        cpSync(run, copy, { recursive: true });
        const place = join(copy, 'snapshots', 'epoch-0002', 'outputs');
        mkdirSync(place, { recursive: true });
        const shape = JSON.parse(readFileSync(join(copy, 'run.json'), 'utf8')).layers.at(-1).shape;
        writeFileSync(
          join(place, 'S5.npy'),
          encodeNpy(new Float32Array(50 * shape[0]).fill(Number.NaN), [50, shape[0]]),
        );
        return ['tendency', copy, '--layers', 'R4', '--snapshots', '2', '-o', join(folder, 'new12')];
      },
      'snapshot epoch-0002, layer S5: expected finite numbers, got NaN at row 0, column 0',
    ],
    [
      'outputs of another number of samples',
      () => {
        const copy = join(folder, 'short-run');
        cpSync(run, copy, { recursive: true });
        const place = join(copy, 'snapshots', 'epoch-0002', 'outputs');
        mkdirSync(place, { recursive: true });
        writeFileSync(join(place, 'R4.npy'), encodeNpy(new Float32Array(49 * 84), [49, 84]));
        return ['tendency', copy, '--layers', 'R4', '--snapshots', '2', '-o', join(folder, 'new7')];
      },
      'expected outputs of 50 samples, got 49',
    ],
    [
      'predictions of another length',
      () => {
        writeFileSync(join(folder, 'p.npy'), encodeNpy(new Float32Array(6), [3, 2]));
        writeFileSync(join(folder, 'q.npy'), encodeNpy(new Int32Array(2), [2]));
        return [
          'tendency',
          join(folder, 'p.npy'),
          '--predictions',
          join(folder, 'q.npy'),
          '-o',
          join(folder, 'new8'),
        ];
      },
      'expected one label for each of 3 rows, got 2',
    ],
    [
      'labels of another length',
      () => {
        writeFileSync(join(folder, 'p.npy'), encodeNpy(new Float32Array(6), [3, 2]));
        writeFileSync(join(folder, 'l.npy'), encodeNpy(new Int32Array(2), [2]));
        return [
          'tendency',
          join(folder, 'p.npy'),
          '--labels',
          join(folder, 'l.npy'),
          '-o',
          join(folder, 'new4'),
        ];
      },
      'expected one label for each of 3 rows, got 2',
    ],
    [
      'a cut IDX file',
      () => {
        const cut = mkdtempSync(join(folder, 'cut-'));
        writeDigits(cut);
        const file = join(cut, 'train-images-idx3-ubyte');
        writeFileSync(file, readFileSync(file).subarray(0, 1000));
        return ['train', '--data', cut, '-o', join(folder, 'new5')];
      },
      'train-images-idx3-ubyte: shape 200×28×28 needs 156800 bytes, got 984',
    ],
  ];
  it.each(cases)('%s', async (_, argv, message) => {
    const list = argv();
    const { code, out, err } = await cli(...list);
    expect(err).toContain(message);
    expect(code).toBe(1);
    expect(out).toBe('');
    const lines = err.split('\n').filter((line) => line.startsWith('epochscope: '));
    expect(lines.length).toBe(1);
    expect(err).not.toContain('    at ');
    for (const name of readdirSync(folder)) {
      expect(name).not.toMatch(/^new\d+$|\.tmp-/);
      if (!name.endsWith('.parts')) continue;
      // What was done is kept for the next try, and said.
      expect(err).toMatch(/parts? (is|are) kept/);
      rmSync(join(folder, name), { recursive: true });
    }
    const json = await cli(...list, '--json');
    expect(JSON.parse(json.out.trim().split('\n').at(-1)!).error.message).toContain(message);
  });

  it.skipIf(!existsSync('/proc/self'))('-o where no folder can be made', async () => {
    for (const argv of [
      ...['tendency', 'modules', 'change', 'geometry'].map((method) => [method, run]),
      ['activity', run, '--layer', 'C1'],
      ['train', '--data', digits],
      ['import', join(run, 'snapshots')],
      ['reproduce', 'satoh', '--quick'],
    ]) {
      const { code, out, err } = await cli(...argv, '-o', '/proc/nowhere/x');
      expect(out).toBe('');
      expect(err, argv[0]).toMatch(
        /epochscope: \/proc\/nowhere\S* could not be written: its folder does not exist/,
      );
      expect(code).toBe(1);
    }
  });

  it('lying safetensors offsets', async () => {
    const copy = join(folder, 'lying');
    cpSync(run, copy, { recursive: true });
    for (const made of ['results', join('snapshots', 'epoch-0001', 'outputs')])
      rmSync(join(copy, made), { recursive: true, force: true });
    const file = join(copy, 'snapshots', 'epoch-0001', 'weights.safetensors');
    const bytes = readFileSync(file);
    const length = Number(bytes.readBigUInt64LE(0));
    const header = bytes
      .subarray(8, 8 + length)
      .toString()
      .replace(
        /"data_offsets":\[0,(\d+)\]/,
        (_, end: string) => `"data_offsets":[0,${'9'.repeat(end.length)}]`,
      );
    writeFileSync(
      file,
      Buffer.concat([bytes.subarray(0, 8), Buffer.from(header), bytes.subarray(8 + length)]),
    );
    const { code, err } = await cli('tendency', copy, '--snapshots', '1');
    expect(code).toBe(1);
    expect(err).toMatch(/weights\.safetensors: tensor C1\.kernel: .*data_offsets/);
    expect(existsSync(join(copy, 'results'))).toBe(false);
  });
});

describe('the program itself', () => {
  const bin = join(root, 'packages', 'cli', 'dist', 'main.js');
  it('prints its version, and help with an example for every command', async () => {
    const version = spawnSync(process.execPath, [bin, '--version'], { encoding: 'utf8' });
    expect(version.stdout.trim()).toBe('0.1.0');
    const help = await cli('--help');
    expect(help.code).toBe(0);
    const names = [...help.out.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name!);
    expect(names).toEqual(expect.arrayContaining(['demo', 'train', 'tendency', 'report', 'info']));
    for (const name of names.filter((name) => name !== 'help'))
      expect((await cli(name, '--help')).out, name).toMatch(/Examples?:\n {2}epochscope/);
  });
});
