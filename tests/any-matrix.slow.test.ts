import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeNpy, encodeNpz, encodeSafetensors } from '@epochscope/analysis/formats';
import { gzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from './harness.js';

// The tables of formats and options in docs/guides/any-matrix.md: each row tried, and no flag in them that is not.

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const guide = readFileSync(join(root, 'docs', 'guides', 'any-matrix.md'), 'utf8');
const sparse = readFileSync(join(root, 'tests', 'fixtures', 'numbers', 'csr.npz'));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'epochscope-matrix-'));
  for (const [name, content] of Object.entries(FILES)) writeFileSync(join(folder, name), content);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** 42 points on a line, in two groups. */
const n = 42;
const x = Float64Array.from({ length: 3 * n }, (_, i) =>
  i % 3 ? i % 3 : Math.floor(i / 3) + (i < 1.5 * n ? 0 : 100),
);
const lines = (between: string, tail = (_: number) => '') =>
  Array.from({ length: n }, (_, i) => `${[...x.subarray(3 * i, 3 * i + 3)].join(between)}${tail(i)}`).join(
    '\n',
  );
const text = (content: string) => new TextEncoder().encode(content);
const array = { data: x, shape: [n, 3], dtype: 'float64' as const };
const square = new Float64Array(n * n);
for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) square[i * n + j] = Math.abs(x[3 * i]! - x[3 * j]!);
const condensed = Float64Array.from(
  Array.from({ length: n }, (_, i) => [...square.subarray(i * n + i + 1, (i + 1) * n)]).flat(),
);
const ones = [...Array(n - 1).keys()].map((i) => (i === n / 2 - 1 ? 101 : 1));

const FILES: Record<string, string | Uint8Array> = {
  'x.npy': encodeNpy(x, [n, 3]),
  'short.npy': encodeNpy(Int16Array.from(x), [n, 3]),
  'x.npz': encodeNpz(
    new Map([
      ['a', array],
      ['b', array],
    ]),
  ),
  'x.safetensors': encodeSafetensors(
    new Map([
      ['a', array],
      ['b', array],
    ]),
  ),
  'csr.npz': sparse,
  'x.csv': `u,v,w\n${lines(',')}\n`,
  'x.tsv': `u\tv\tw\n${lines('\t')}\n`,
  'x.txt': lines('  '),
  'bars.txt': lines('|'),
  'europe.csv': `u;v;w\n${lines(';').replaceAll(/(\d+)/g, '$1,0')}\n`,
  'named.csv': `name,u,v,w,kind,gap\n${Array.from({ length: n }, (_, i) => `row ${i},${[...x.subarray(3 * i, 3 * i + 3)].join(',')},${i < n / 2 ? 'left' : 'right'},${i ? i : ''}`).join('\n')}\n`,
  'utf16.csv': Buffer.from(`\ufeffu;v;w\n${lines(';')}\n`, 'utf16le'),
  'x.csv.gz': gzipSync(text(`u,v,w\n${lines(',')}\n`)),
  'x.npy.gz': gzipSync(encodeNpy(x, [n, 3])),
  'square.npy': encodeNpy(square, [n, n]),
  'condensed.npy': encodeNpy(condensed, [condensed.length]),
  'table.parquet': 'PAR1 and so on',
  'rows.npy': encodeNpy(Int32Array.of(3, 5, 8), [3]),
  'labels.csv': `kind\n${Array.from({ length: n }, (_, i) => (i < n / 2 ? 'left' : 'right')).join('\n')}\n`,
  'tree.npy': encodeNpy(Float64Array.from(ones.flatMap((weight, i) => [i, i + 1, weight])), [n - 1, 3]),
};

const tried = new Set<string>();
let runs = 0;
async function tendency(name: string, ...options: string[]) {
  for (const option of options) if (option.startsWith('--')) tried.add(option);
  const place = join(folder, `out-${runs++}`);
  const drawn = options.some((option) => /^--(?:png|pdf|svg|check)$/.test(option)) ? [] : ['--svg'];
  const { code, err, out } = await cli(
    'tendency',
    join(folder, name),
    '-o',
    place,
    '--json',
    '--vat-side',
    '8',
    '--stability',
    '0',
    ...drawn,
    ...options,
  );
  return { code, err, out, place, panel: code === 0 && out ? JSON.parse(out).panels?.[0] : null };
}

const ALL = { n, d: 3, blocks: 2 };

describe('the guide’s table of files', () => {
  it.each<[string, string[], object]>([
    ['x.npy', [], ALL],
    ['short.npy', [], ALL],
    ['x.npy', ['--samples', '10'], { n: 10, d: 3 }],
    ['x.npy', ['--columns', '1-2'], { n, d: 2, blocks: 2 }],
    ['x.npy', ['--drop', '3'], { n, d: 2, blocks: 2 }],
    ['x.npz:a', [], ALL],
    ['x.safetensors:b', [], ALL],
    ['csr.npz', [], { n: 20, d: 2 }],
    ['x.csv', ['--header'], ALL],
    ['x.tsv', [], ALL],
    ['x.txt', ['--no-header'], ALL],
    ['bars.txt', ['--delimiter', 'bar', '--no-header'], ALL],
    ['europe.csv', ['--decimal', ','], ALL],
    ['utf16.csv', [], ALL],
    ['named.csv', ['--index', 'name', '--labels', 'column:kind', '--drop', 'gap'], ALL],
    ['named.csv', ['--names', 'column:name', '--columns', 'u,v,w', '--drop', 'kind'], ALL],
    ['named.csv', ['--index', 'name', '--drop', 'kind', '--missing', 'pairwise'], { n, d: 4 }],
    ['x.csv.gz', ['--memory', '4GB'], ALL],
    ['x.npy.gz', [], ALL],
    ['square.npy', ['--metric', 'precomputed'], { n, blocks: 2 }],
    ['condensed.npy', ['--metric', 'precomputed'], { n, blocks: 2 }],
  ])('%s %j', async (name, options, right) => {
    const { code, err, panel } = await tendency(name, ...options);
    expect(code, err).toBe(0);
    expect(panel).toMatchObject(right);
  });

  it('what is not read is refused with the conversion', async () => {
    const { code, out } = await tendency('table.parquet');
    expect(code).toBe(1);
    expect(JSON.parse(out).error.message).toContain('pandas.read_parquet(');
  });
});

describe('the guide’s table of options', () => {
  it.each<[string[], object]>([
    ...['euclidean', 'cosine', 'correlation', 'manhattan', 'hamming', 'gower'].map(
      (metric): [string[], object] => [['--metric', metric], { n }],
    ),
    [['--core', '5'], { n }],
    [['--marks', 'index:3;17'], { n }],
    [['--marks', 'random:20'], { n }],
    [['--samples', 'ROWS'], { n: 3 }],
    [['--smallest-block', '20'], { n, blocks: 2 }],
    [['--stability', '5'], { n }],
    [['--thin', '20,10'], { n }],
    [['--thin', 'every:2'], { n }],
  ])('%j', async (options, right) => {
    const { code, err, panel } = await tendency(
      'x.npy',
      ...options.map((option) => (option === 'ROWS' ? join(folder, 'rows.npy') : option)),
    );
    expect(code, err).toBe(0);
    expect(panel).toMatchObject(right);
  });

  it('--predictions and --labels mark what is wrong', async () => {
    const labels = join(folder, 'labels.csv');
    const { code, err } = await tendency(
      'x.npy',
      '--labels',
      labels,
      '--predictions',
      labels,
      '--marks',
      'correct',
    );
    expect(code, err).toBe(0);
  });

  it('pictures, by width and dots, of VAT', async () => {
    const { place, code, err } = await tendency(
      'x.npy',
      '--png',
      '--svg',
      '--pdf',
      '--width',
      '60mm',
      '--dpi',
      '100',
      '--mode',
      'vat',
    );
    expect(code, err).toBe(0);
    for (const kind of ['png', 'svg', 'pdf']) expect(existsSync(join(place, `x.${kind}`)), kind).toBe(true);
  });

  it('--check proves another library’s tree', async () => {
    const { code, err } = await tendency('x.npy', '--check', join(folder, 'tree.npy'));
    expect(code, err).toBe(0);
  });

  it('names no flag that is not tried here', () => {
    const tables = guide.split('\n').filter((line) => line.startsWith('|') && !line.includes('seriation'));
    const named = new Set(tables.join('\n').match(/--[a-z][a-z-]+/g));
    // A font is a file that not every machine has; --json is in every call; --csv has tests of its own (tests/cli.test.ts).
    for (const known of ['--font', '--json', '--csv']) named.delete(known);
    expect(named.size).toBeGreaterThan(20);
    expect([...named].filter((flag) => !tried.has(flag))).toEqual([]);
  });
});
