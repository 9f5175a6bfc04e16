import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readResult } from '@epochscope/analysis';
import { encodeNpy } from '@epochscope/analysis/formats';
import { decode as decodePng } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, cliUntilSaid } from './harness.js';
import { trainDigits } from './trained.js';

// The CLI from outside, where it takes seconds: thinning and its figures, degenerate matrices, what -o never replaces, cancelling.

let folder: string;
let run: string;

beforeAll(async () => {
  ({ folder, run } = await trainDigits());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('thinning', () => {
  it('reports agreement a size and panel, and its samples can be analysed alone', async () => {
    const out = join(folder, 'thinned');
    const {
      code,
      out: text,
      err,
    } = await cli('tendency', run, '--snapshots', '1,2', '--thin', '50,25', '-o', out, '--json');
    expect(code, err).toBe(0);
    const { thinning } = JSON.parse(text);
    expect(thinning.reference).toEqual({ layer: 'S5', snapshot: 'epoch-0002' });
    expect(thinning.steps.map((s: { size: number }) => s.size)).toEqual([50, 25]);
    expect(thinning.steps[0].panels.map((p: { ari: { value: number } }) => p.ari.value)).toEqual([1, 1]);
    const stored = JSON.parse(readFileSync(join(out, 'result.json'), 'utf8'));
    const kept = join(out, stored.thinning.steps[1].samples.$array);
    const again = await cli('tendency', run, '--samples', kept, '--json', '-o', join(folder, 'alone'));
    expect(again.code, again.err).toBe(0);
    expect(JSON.parse(again.out).panels.map((p: { n: number }) => p.n)).toEqual([25, 25, 25]);
    const [thin, alone] = await Promise.all(
      [out, join(folder, 'alone')].map((place) => readResult<never>(place) as Promise<unknown>),
    );
    type Panels = { panels: { order: Uint32Array }[]; samples: { indices?: Uint32Array } };
    const step = (thin as { thinning: { steps: Panels[] } }).thinning.steps[1]!;
    expect((alone as Panels).panels[2]!.order).toEqual(step.panels[1]!.order);
    expect((alone as Panels).samples.indices).toEqual((step as unknown as { samples: Uint32Array }).samples);
  });

  it('works with no labels: the likeliest of each predicted class are marked', async () => {
    const copy = join(folder, 'unlabelled');
    cpSync(run, copy, { recursive: true });
    rmSync(join(copy, 'samples', 'labels.npy'));
    const argv = ['tendency', copy, '--snapshots', '2', '-o', join(folder, 'unlabelled-out')];
    const { code, err } = await cli(...argv, '--figure', 'layers,thinning');
    expect(code, err).toBe(0);
    const result = (await readResult<never>(join(folder, 'unlabelled-out'))) as {
      panels: {
        marks: { rule: string; label: null }[];
        scores: { overall: { ari: { value: null; reason: string } } };
      }[];
    };
    expect(result.panels[0]!.marks.length).toBeGreaterThan(0);
    expect(
      result.panels[0]!.marks.every(({ rule, label }) => rule === 'top-likelihood' && label === null),
    ).toBe(true);
    expect(result.panels[0]!.scores.overall.ari).toEqual({ value: null, reason: 'there are no labels' });
    const wrong = await cli(...argv, '--marks', 'wrong');
    expect(wrong.code).toBe(1);
    expect(wrong.err).toContain('marks by wrong need labels');
  });

  it('report takes the folder of a single result too', async () => {
    const page = join(folder, 'single.html');
    const { code, err } = await cli('report', join(folder, 'thinned'), '-o', page);
    expect(code, err).toBe(0);
    const html = readFileSync(page, 'utf8');
    expect(html).toContain('<title>thinned</title>');
    expect(html.match(/class="epochscope-result"/g)?.length).toBe(1);
  });

  it('writes the figures of the paper, with what they need, as PNG, SVG and PDF of one column', async () => {
    const out = join(folder, 'figures');
    const { code, err } = await cli(
      'tendency',
      run,
      '--layers',
      'R4,S5',
      '--snapshots',
      '1,2',
      '--figure',
      'layers,marks,thinning',
      '--png',
      '--svg',
      '--pdf',
      '--width',
      '85mm',
      '--dpi',
      '150',
      '--letters',
      '--aligned',
      '-o',
      out,
    );
    expect(code, err).toBe(0);
    const pictures = readdirSync(out).filter((name) => /\.(png|svg|pdf)$/.test(name));
    expect(pictures.sort()).toEqual(
      ['layers', 'marks', 'thinning'].flatMap((name) =>
        ['pdf', 'png', 'svg'].map((kind) => `figure-${name}.${kind}`),
      ),
    );
    const png = decodePng(readFileSync(join(out, 'figure-layers.png')));
    const svg = readFileSync(join(out, 'figure-layers.svg'), 'utf8');
    expect(svg).toContain('width="85.2mm"');
    expect(Math.abs(png.width - (85 / 25.4) * 150)).toBeLessThan(3);
    // The file says its dots an inch, as dots a metre.
    expect(png.resolution).toEqual({ x: 5906, y: 5906, unit: 1 });
    const pdf = readFileSync(join(out, 'figure-marks.pdf'), 'latin1');
    expect(pdf).toMatch(/^%PDF-1\.7/);
    expect(Number(/MediaBox \[0 0 ([\d.]+)/.exec(pdf)![1])).toBeCloseTo((85 / 25.4) * 72, -0.5);
    // Letters of the panels, in their order; the caption with its seed.
    expect(svg).toMatch(/>a<\/text>/);
    expect(readFileSync(join(out, 'figure-marks.svg'), 'utf8')).toMatch(/>b<\/text>/);
    expect(/<desc>(.*)<\/desc>/s.exec(svg)![1]).toMatch(/metric euclidean.*seeds: analysis 1/);
    expect(svg).toMatch(/>epoch 1<.*>epoch 2</s);
    // Title and "epoch 1" stand above the first picture.
    const ink = [...Array(60 * png.width).keys()].filter((i) => png.data[png.channels * i]! < 100).length;
    expect(ink).toBeGreaterThan(100);
  });

  it('aligns the orders of each layer along the snapshots', async () => {
    const result = (await readResult<never>(join(folder, 'thinned'))) as {
      panels: { order: Uint32Array; aligned?: { reference: string; order: Uint32Array } }[];
    };
    const [first, last] = result.panels;
    expect(first!.aligned!.reference).toBe('epoch-0002');
    expect(last!.aligned).toBeUndefined();
  });
});

describe('little and degenerate matrices', () => {
  it.each([
    ['no sample', [0, 3], () => 0],
    ['one sample', [1, 3], () => 1],
    ['two samples', [2, 3], (i: number) => i],
    ['duplicates', [40, 3], (i: number) => i % 3],
    ['constants', [40, 2], () => 7],
  ] as const)('%s: a result, pictures and thinning, with no NaN', async (name, [n, d], value) => {
    const file = join(folder, `${name}.npy`);
    writeFileSync(
      file,
      encodeNpy(
        Float32Array.from({ length: n * d }, (_, i) => value(i)),
        [n, d],
      ),
    );
    const out = join(folder, `${name}-out`);
    const thin = n ? ['--thin', 'auto'] : [];
    const { code, out: text, err } = await cli('tendency', file, '--json', '--svg', ...thin, '-o', out);
    expect(code, err).toBe(0);
    const [panel] = JSON.parse(text).panels;
    expect(panel).toMatchObject({ n, d, blocks: 0 });
    expect(text).not.toContain('NaN');
    const drawn = readdirSync(out).filter((file) => /png|svg/.test(file)).length;
    expect(drawn).toBe(n ? 1 : 0);
    const figure = await cli('tendency', file, '--figure', 'layers', '--svg', '-o', out);
    expect(figure.code, figure.err).toBe(0);
  });
});

describe('an output folder', () => {
  it('-o never replaces what is no result: a file, the matrix itself, a folder of other things, a device', async () => {
    const matrix = join(folder, 'keep.npy');
    writeFileSync(
      matrix,
      encodeNpy(
        Float32Array.from({ length: 60 }, (_, i) => Math.sin(i)),
        [20, 3],
      ),
    );
    const precious = mkdtempSync(join(folder, 'precious-'));
    writeFileSync(join(precious, 'notes.txt'), 'mine');
    const before = readFileSync(matrix);
    for (const command of ['tendency', 'modules', 'change', 'activity', 'geometry'])
      for (const [target, message] of [
        [matrix, 'expected a folder to write a result to, got a file'],
        [precious, 'is not empty and holds no result; choose another folder'],
      ] as const) {
        const layer = command === 'activity' ? ['--layer', 'C1'] : [];
        const { code, out, err } = await cli(command, run, ...layer, '-o', target);
        expect(err, command).toContain(message);
        expect(code).toBe(1);
        expect(out).toBe('');
      }
    expect((await cli('tendency', matrix, '-o', matrix)).code).toBe(1);
    // A name that climbs out of its method's folder meets the same rule.
    expect((await cli('tendency', run, '--name', join('..', '..', 'snapshots'))).code).not.toBe(0);
    expect((await cli('report', run, '-o', precious)).err).toContain('is there and is no file');
    expect(readFileSync(matrix)).toEqual(before);
    expect(readdirSync(precious)).toEqual(['notes.txt']);
    expect(readdirSync(join(run, 'snapshots'))).toContain('init');
    // An older result is replaced.
    const again = mkdtempSync(join(folder, 'again-'));
    for (let i = 0; i < 2; i++) {
      const { code, err } = await cli('tendency', matrix, '-o', again);
      expect(code, err).toBe(0);
    }
    expect(readdirSync(again)).toContain('result.json');
  });
});

describe('cancelling', () => {
  it.each([
    ['Cluster tendency…', () => ['tendency', run, '--layers', 'P1,S5', '--thin', '20']],
    ['Thinning…', () => ['tendency', run, '--layers', 'P1,S5', '--thin', '20']],
  ])('at "%s" ends with 130 and nothing half-written', async (said, argv) => {
    const out = mkdtempSync(join(folder, 'cancelled-'));
    const { code, err } = await cliUntilSaid(said, ...argv(), '-o', out);
    expect(err).toContain(said);
    expect(err).toContain('cancelled');
    expect(code).toBe(130);
    const names = readdirSync(out, { recursive: true }).map((name) => basename(String(name)));
    for (const name of ['figure-2.png', 'result.json']) expect(names).not.toContain(name);
    expect(names.filter((name) => name.includes('.tmp-'))).toEqual([]);
  });
});
