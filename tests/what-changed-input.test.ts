import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createRun,
  difference,
  differenceMapOfRun,
  differenceOfRun,
  differenceOfRuns,
  featuresOfRun,
  memoryStore,
  openRun,
  path,
  pathOfRun,
  watchRun,
} from '@epochscope/analysis';
import { encodeNpy } from '@epochscope/analysis/formats';
import { afterAll, describe, expect, it } from 'vitest';
import { cli } from './harness.js';

// What cannot be answered, for difference, path, features and watch alike: too few samples, constants, copies, labels that are not there or
// too few, unequal numbers of samples. By the command line and as functions.

const folder = mkdtempSync(join(tmpdir(), 'epochscope-input-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

const npy = (name: string, n: number, valueAt: (i: number) => number) =>
  writeFileSync(
    at(name),
    encodeNpy(
      Float32Array.from({ length: 2 * n }, (_, i) => valueAt(i)),
      [n, 2],
    ),
  );
for (const n of [0, 1, 2, 3, 12]) npy(`n${n}.npy`, n, (i) => Math.sin(i * i));
npy('const.npy', 12, () => 7);
npy('copies.npy', 12, (i) => Math.floor(i / 8));
npy('nan.npy', 12, (i) => (i === 5 ? Number.NaN : i));
writeFileSync(at('five.npy'), encodeNpy(Int32Array.of(1, 2, 3, 4, 5), [5]));
writeFileSync(at('empty.csv'), '');

describe('files', () => {
  it.each([
    ['difference n0.npy n0.npy', 0, /^no distance: n0\.npy: no sample has no distances/],
    ['difference n1.npy n1.npy', 0, /^no distance: n1\.npy: one sample has no distances/],
    ['difference n2.npy n2.npy', 0, /^distance 0: .*no CKA: fewer than 3 samples/],
    [
      'difference n12.npy const.npy',
      0,
      /^no distance: const\.npy: nine tenths of the pairs or more are equal/,
    ],
    ['difference const.npy n12.npy --metric cosine', 0, /^no distance: const\.npy: nine tenths/],
    ['difference n12.npy copies.npy', 0, /^distance 1\.6: /],
    ['difference copies.npy copies.npy', 0, /^distance 0: .*CKA 1\.000/],
    ['difference n12.npy n3.npy', 1, /: n12\.npy has 12 samples, n3\.npy 3$/m],
    ['difference n12.npy nan.npy', 1, /nan\.npy: expected finite numbers, got NaN at row 2, column 1/],
    ['difference n12.npy gone.npy', 1, /gone\.npy does not exist/],
    ['difference n12.npy empty.csv', 1, /empty\.csv is empty/],
    [
      'difference n12.npy copies.npy --labels five.npy',
      1,
      /five\.npy: expected one label for each of 12 rows, got 5/,
    ],
    ['difference n12.npy copies.npy --labels gone.npy', 1, /gone\.npy does not exist/],
    ['path n0.npy --between 0,0', 1, /path: there are no samples/],
    ['path n1.npy --between 0,0 --bridges 1', 0, /^0 is one sample$/m],
    ['path n1.npy --between 0,1', 1, /expected a sample 0 … 0, got 1/],
    ['path n2.npy --between 0,1 --bridges 1', 0, /^samples 0 and 1 are joined directly, at 0\.87/],
    ['path n12.npy --between 0,12', 1, /expected a sample 0 … 11, got 12/],
    ['path n12.npy --between block:0,3', 1, /there is no block 0: too few samples to count blocks/],
    ['path const.npy --between 0,5 --bridges 2', 0, /joined directly, at 0$/m],
    ['path copies.npy --between 0,11 --bridges 1', 0, /no sample alone lengthens the weakest link/],
    ['path nan.npy --between 0,1', 1, /nan\.npy: expected finite numbers, got NaN/],
    [
      'path n12.npy --between 0,1 --labels five.npy',
      1,
      /five\.npy: expected one label for each of 12 rows, got 5/,
    ],
  ])('%s', async (words, exit, text) => {
    const argv = words.split(' ').map((word) => (/\.(npy|csv)$/.test(word) ? at(word) : word));
    const { code, out, err } = await cli(...argv, '-o', at('result'), '--force');
    // Only names of files are compared, not where they lie.
    const said = (exit === 0 ? out : err).replaceAll(`${folder}/`, '');
    expect(said).toMatch(text);
    expect(code).toBe(exit);
    expect(err).not.toContain('    at ');
  });
});

/** A run of one layer of three units at two snapshots. */
async function runOf(n: number, valueAt: (i: number) => number, { labels = true, snapshots = 2 } = {}) {
  const store = memoryStore('run');
  const writer = await createRun(store, {
    model: null,
    layers: [{ name: 'R1', kind: 'relu', shape: [3], parameters: [] }],
    classes: null,
    inputShape: null,
    training: null,
  });
  if (labels)
    await writer.writeSamples({
      inputs: null,
      labels: Uint32Array.from({ length: n }, (_, i) => i % 2),
      source: 'test',
    });
  for (let epoch = 1; epoch <= snapshots; epoch++)
    await writer.writeSnapshot(
      { id: `epoch-000${epoch}`, epoch, step: null, metrics: {} },
      new Map(),
      new Map([
        [
          'R1',
          {
            data: Float32Array.from(
              { length: n * 3 },
              (_, i) => valueAt(i) * (epoch === 1 ? 1 : Math.sin(i)),
            ),
            shape: [n, 3],
            dtype: 'float32',
          },
        ],
      ]),
    );
  await writer.finish();
  return openRun(store);
}
const RULES = ['block count fell', 'share in no block over 0.4', 'difference over 1', 'dead units over 0.5'];

describe('runs', () => {
  it.each([
    { n: 0, value: 1, reason: /^run epoch-0001 R1: no sample has no distances$/ },
    { n: 1, value: 1, reason: /^run epoch-0001 R1: one sample has no distances$/ },
    { n: 60, value: 0, reason: /^run epoch-0001 R1: nine tenths of the pairs or more are equal/ },
  ])(
    'of $n samples, values × $value: reasons instead of figures, and no alarm',
    async ({ n, value, reason }) => {
      const run = await runOf(n, (i) => value * ((i * i) % 17) + 3);
      const { distance, cka } = await differenceOfRun(run);
      expect(distance).toEqual({ value: null, reason: expect.stringMatching(reason) });
      expect(cka.value).toBeNull();
      const { pictures, undefinedPictures } = await differenceMapOfRun(run);
      expect(pictures.length + undefinedPictures.length).toBe(2);
      const { rules, alarms } = await watchRun(run, { rules: RULES.slice(0, 3) });
      expect(alarms.map(({ rule }) => rule)).toEqual(n === 60 ? ['share in no block over 0.4'] : []);
      for (const { values } of rules)
        for (const figure of values) if (figure.value === null) expect(figure.reason).toBeTruthy();
      const ends = { from: 0, to: Math.max(0, n - 1), bridges: 1 };
      if (n) expect((await pathOfRun(run, ends)).path.samples.length).toBeGreaterThan(0);
      else await expect(pathOfRun(run, ends)).rejects.toThrow('path: there are no samples');
    },
  );

  it('without labels, without snapshots, of other numbers of samples, without a net', async () => {
    const run = await runOf(20, (i) => (i * i) % 17, { labels: false });
    expect((await differenceOfRun(run)).distance.value).toBeGreaterThan(0);
    expect((await pathOfRun(run, { from: 0, to: 3 })).path.samples[0]).toBe(0);
    expect((await watchRun(run, { rules: RULES })).alarms.length).toBe(1);
    await expect(featuresOfRun(run)).rejects.toMatchObject({ code: 'missing' });
    const other = await runOf(21, (i) => i);
    await expect(differenceOfRuns([run, other])).rejects.toMatchObject({ code: 'shape' });
    const none = await runOf(20, (i) => i, { snapshots: 0 });
    for (const of of [
      () => differenceOfRun(none),
      () => differenceMapOfRun(none),
      () => pathOfRun(none, { from: 0, to: 1 }),
      () => featuresOfRun(none),
      () => watchRun(none, { rules: ['loss rose'] }),
    ])
      await expect(of()).rejects.toMatchObject({ code: 'missing' });
    for (const rules of [[], 'loss rose', undefined, [1]])
      await expect(watchRun(run, { rules: rules as never })).rejects.toMatchObject({ code: 'argument' });
  });
});

describe('matrices in memory', () => {
  it.each([
    ['unequal rows', () => difference([[1], [2, 3]], [[2], [5]]), 'shape'],
    ['unequal numbers of samples', () => difference([[1], [2]], [[2]]), 'shape'],
    ['no numbers', () => difference([[Number.NaN], [2]], [[2], [3]]), 'not-finite'],
    ['text', () => difference('x' as never, [[2], [3]]), 'argument'],
    ['too few labels', () => difference([[1], [2]], [[2], [3]], { labels: [1] }), 'shape'],
    ['an option there is not', () => difference([[1]], [[2]], { colour: 1 } as never), 'argument'],
    ['a path of nothing', () => path([], { from: 0, to: 0 }), 'argument'],
    ['half a sample', () => path([[1], [2]], { from: 0.5, to: 1 }), 'argument'],
    ['no ends', () => path([[1], [2]], {} as never), 'argument'],
  ])('%s', async (_, of, code) => {
    await expect(of()).rejects.toMatchObject({ code });
  });

  it('none, one, two, and copies', async () => {
    expect((await difference([], [])).distance.reason).toBe('first: no sample has no distances');
    expect((await difference([[1]], [[2]])).distance.reason).toBe('first: one sample has no distances');
    expect((await difference([[1], [2]], [[2], [5]])).distance.value).toBe(0);
    const { path: chain, noMore } = await path([[1], [1], [1], [9]], { from: 0, to: 3, bridges: 2 });
    expect([chain.bottleneck, noMore]).toEqual([8, 'the two are joined directly']);
  });
});
