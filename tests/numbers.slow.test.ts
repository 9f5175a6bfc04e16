import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TendencyResult } from '@epochscope/analysis';
import { readResult } from '@epochscope/analysis';
import { encodeNpy } from '@epochscope/analysis/formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from './harness.js';

// Matrices as people have them, by the command line: the right value, or one line with the way out. Right values are SciPy's
// (tests/fixtures/write_numbers.py).

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const fixtures = join(root, 'tests', 'fixtures', 'numbers');
const expected: Record<string, number[]> = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8'));
let folder: string;
let runs = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'epochscope-numbers-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `tendency` on a file, its sorted weights and what was said. */
async function tendency(path: string, ...options: string[]) {
  const place = join(folder, `out-${runs++}`);
  const { code, out, err } = await cli('tendency', path, '--svg', '--vat-side', '0', '-o', place, ...options);
  if (code !== 0) return { code, err, out, place, result: null, weights: [] };
  const result = (await readResult(place)) as TendencyResult;
  const weights = [...result.panels[0]!.weights].sort((a, b) => a - b);
  return { code, err, out, place, result, weights };
}
const fixture = (name: string) => join(fixtures, name);
const file = (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
/** One line on standard error. */
async function refusal(path: string, ...options: string[]): Promise<string> {
  const { code, err } = await tendency(path, ...options);
  expect(code, err).toBe(1);
  const lines = err
    .trimEnd()
    .split('\n')
    .filter((line) => line.startsWith('epochscope: '));
  expect(lines, err).toHaveLength(1);
  return lines[0]!;
}

describe('weights are SciPy’s', () => {
  it.each([
    // Offsets of times, ids, Julian days and map coordinates.
    ...['offset-removed.npy', 'timestamps.npy', 'ids.npy', 'julian.npy', 'utm.npy', 'log.csv'].map((name) => [
      name,
      name,
      [] as string[],
    ]),
    ...['timestamps.npy', 'ids.npy', 'utm.npy'].map((name) => [
      `${name} manhattan`,
      name,
      ['--metric', 'manhattan'],
    ]),
    // An index column, as pandas and R write it.
    ...['without.csv', 'pandas.csv', 'r.csv', 'r-table.csv', 'r-names.csv'].map((name) => [name, name, []]),
    ...['one.csv', 'two-semicolon.csv', 'two-tab.csv'].map((name) => [
      `${name} decimal`,
      name,
      ['--decimal', ','],
    ]),
    ...['D.npy', 'condensed.npy', 'jaccard.npy'].map((name) => [name, name, ['--metric', 'precomputed']]),
    ['csr.npz', 'csr.npz', []],
    ['csr.npz cosine', 'csr.npz', ['--metric', 'cosine']],
    ['zero-rows.npy cosine', 'zero-rows.npy', ['--metric', 'cosine']],
    ['zero-rows.npy correlation', 'zero-rows.npy', ['--metric', 'correlation']],
    ['X.NPY', 'X.NPY', []],
    ...['X.CSV', 'x.csv.gz', 'x.tsv', 'x.txt'].map((name) => ['X.CSV', name, []]),
    ['bool.csv', 'bool.csv', []],
    ['bool.csv jaccard', 'bool.csv', ['--metric', 'jaccard']],
    ['mixed.csv gower', 'mixed.csv', ['--metric', 'gower']],
    ['missing.csv pairwise', 'missing.csv', ['--missing', 'pairwise']],
    ['points.csv', 'points.csv', []],
  ] as [string, string, string[]][])('%s: %s %j', async (key, name, options) => {
    const { code, err, weights } = await tendency(fixture(name), ...options);
    expect(code, err).toBe(0);
    const right = expected[key]!;
    expect(weights).toHaveLength(right.length);
    // SciPy's own 1 − cos is 1e-16 off; what float32 loses of small angles is said, by how many weights.
    const [, told = '0'] = /float32 keeps directions to ±[\d.e-]+: (\d+) of/.exec(err) ?? [];
    const angular = /cosine|correlation/.test(key);
    const off = right.filter(
      (weight, k) => !(Math.abs(weights[k]! - weight) <= 1e-5 * weight + (angular ? 2e-15 : 0)),
    );
    expect(off.length, `${off}`).toBeLessThanOrEqual(Number(told));
  });
});

describe('what was taken is said', () => {
  it('of rows, columns, header and row names', async () => {
    const said = async (name: string) => (await tendency(fixture(name))).err;
    expect(await said('pandas.csv')).toContain(
      '4 samples × 2 columns a b; header line 1; column 1 (unnamed) as row names',
    );
    expect(await said('r-names.csv')).toContain('column 1 (unnamed) as row names');
    expect(await said('one.csv')).toContain('if the comma is the decimal mark, give --decimal ,');
    expect(await said('D.npy')).toContain('give --metric precomputed');
    expect(await said('condensed.npy')).toContain('give --metric precomputed');
    expect(await said('csr.npz')).toContain('a sparse matrix (csr) of 20 × 2, 40 values stored (100 %)');
  });

  it('of a first line that holds values, by line and column, and never dropped', async () => {
    for (const [name, got, way] of [
      ['na', '"NA"', '--missing pairwise'],
      ['empty', 'nothing', '--missing pairwise'],
      ['inf', '"inf"', 'a plain finite number'],
      ['thousands', '"1,500"', 'write 1500; if the comma is the decimal mark, give --decimal ,'],
      ['dollar', '"$15"', 'a plain finite number'],
      ['minus', '"−1.5"', 'a plain finite number'],
      ['percent', '"15%"', 'a plain finite number'],
    ] as const) {
      const line = await refusal(fixture(join('first', `${name}.csv`)));
      expect(line).toContain(`${name}.csv: line 1, column 1: expected a finite number, got ${got}; `);
      expect(line).toContain('if this line names the columns, give --header');
      expect(line).toContain(way);
    }
    expect(await refusal(fixture('two-semicolon.csv'))).toContain(
      'line 1, column 1: expected a finite number, got "1,5"; if this line names the columns, give --header; if the comma is the decimal mark, give --decimal ,',
    );
  });

  it('of rows without a direction, in the result too', async () => {
    const { result, err } = await tendency(fixture('zero-rows.npy'), '--metric', 'cosine');
    const words =
      '20 of 60 rows are zero and have no direction: taken as 0 apart from each other and 1 from the rest';
    expect(err).toContain(words);
    expect(result!.notes).toContain(words);
  });

  it('of cells that are missing, texts and truths', async () => {
    expect(await refusal(fixture('missing.csv'))).toContain(
      'line 3, column 1 (a): expected a finite number, got "NA"; --missing pairwise leaves missing values out pair by pair, --drop a the column',
    );
    expect(await refusal(fixture('mixed.csv'))).toContain(
      '--labels column:colour takes the column as labels, --index colour as row names, --drop colour leaves it out, --metric gower compares text too',
    );
    expect((await tendency(fixture('bool.csv'))).err).toContain('true and false as 1 and 0');
  });
});

describe('names and pipes', () => {
  it('any name of a file is one', async () => {
    for (const name of ['my points.npy', 'Größe 数.npy', 'a:b.npy', 'x.npz:y.npy', '-dash.npy']) {
      copyFileSync(fixture('X.NPY'), join(folder, name));
      const { code, err, weights } = await tendency(join(folder, name));
      expect(code, err).toBe(0);
      expect(weights.at(-1)).toBeCloseTo(25.515338, 5);
    }
  });

  it('what plays no part is said', async () => {
    const { err } = await tendency(fixture('X.NPY'), '--layers', 'foo', '--samples', '99');
    expect(err).toContain('--layers is for runs and plays no part');
    expect(err).toContain('20 samples are all there are');
  });

  it('a name that begins with a dash is told apart from an option', async () => {
    const { code, err } = await cli('tendency', '-dash.npy');
    expect(code).toBe(2);
    expect(err).toContain("unknown option '-dash.npy'");
  });

  it('standard input, a process’s pipe and a named pipe', () => {
    const main = join(root, 'packages', 'cli', 'dist', 'main.js');
    const shell = (line: string) =>
      spawnSync('bash', ['-c', line.replaceAll('epochscope', `"${process.execPath}" "${main}"`)], {
        cwd: folder,
        encoding: 'utf8',
        timeout: 240_000,
      });
    copyFileSync(fixture('X.NPY'), join(folder, 'x.npy'));
    const all = shell(
      'cat x.npy | epochscope tendency - -o p1 --svg --vat-side 0; cat x.npy | epochscope tendency /dev/stdin -o p2 --svg --vat-side 0; epochscope tendency <(cat x.npy) -o p3 --svg --vat-side 0; mkfifo p.npy; epochscope tendency p.npy',
    );
    expect(all.stderr.match(/stdin: 20 samples × 2 columns of float64/g)).toHaveLength(3);
    expect(all.stderr).toContain(
      'epochscope: p.npy is a named pipe; read it as standard input: epochscope … - < p.npy',
    );
    for (const place of ['p1', 'p2', 'p3'])
      expect(statSync(join(folder, place, 'result.json')).size).toBeGreaterThan(0);
  }, 300_000);

  it('another input’s result is replaced only on request', async () => {
    const [one, other] = [fixture('X.NPY'), fixture('log.csv')];
    const place = join(folder, 'shared');
    const into = (path: string, ...more: string[]) =>
      cli('tendency', path, '-o', place, '--svg', '--vat-side', '0', ...more);
    expect((await into(one)).code).toBe(0);
    const { code, err } = await into(other);
    expect(code).toBe(1);
    expect(err).toContain('--force');
    expect(((await readResult(place)) as TendencyResult).samples.count).toBe(20);
    expect((await into(other, '--force')).code).toBe(0);
    expect(((await readResult(place)) as TendencyResult).samples.count).toBe(6);
  });
});

describe('large files, sparse on disk', () => {
  /** An .npy of zeros that takes no room. */
  function zeros(
    name: string,
    dtype: 'uint8' | 'float32' | 'float16',
    rows: number,
    columns: number,
    bytes: number,
  ) {
    const path = join(folder, name);
    const descr = { uint8: '|u1', float16: '<f2', float32: '<f4' }[dtype];
    const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
    const head = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${text.padEnd(117)}\n`, 'latin1');
    const handle = openSync(path, 'w');
    writeSync(handle, head);
    ftruncateSync(handle, head.length + rows * columns * bytes);
    closeSync(handle);
    return path;
  }

  it('134 million numbers of one and two bytes are read for 100 samples', async () => {
    for (const [dtype, bytes] of [
      ['uint8', 1],
      ['float16', 2],
    ] as const) {
      const path = zeros(`${dtype}.npy`, dtype, 65_536, 2048, bytes);
      const { code, err, result } = await tendency(path, '--samples', '100', '--stability', '0');
      expect(code, err).toBe(0);
      expect(result!.panels[0]).toMatchObject({ n: 100, d: 2048 });
    }
  }, 120_000);

  it('of 4.8 GB 1000 samples are read, and all are refused at once with the figure', async () => {
    const path = zeros('big.npy', 'float32', 2_000_000, 600, 4);
    const line = await refusal(path);
    expect(line).toMatch(
      /VAT of 2000000 × 600 points needs [\d.]+ GB, at most [\d.]+ GB fit; take fewer rows: --samples \d+/,
    );
    const { code, err, result } = await tendency(path, '--samples', '1000', '--stability', '0');
    expect(code, err).toBe(0);
    expect(result!.panels[0]!.n).toBe(1000);
    const square = zeros('D.npy', 'float32', 40_000, 40_000, 4);
    expect(await refusal(square)).toContain('GB fit; take fewer rows: --samples');
    expect(await refusal(square, '--metric', 'precomputed')).toMatch(/needs? [\d.]+ GB, .*--samples/);
  }, 120_000);

  it('a net whose embedding holds 131 million halves is imported', async () => {
    for (const step of [100, 200]) {
      const size = 32_000 * 4096 * 2;
      let head = JSON.stringify({
        'model.embed_tokens.weight': { dtype: 'F16', shape: [32_000, 4096], data_offsets: [0, size] },
      });
      head = head.padEnd(Math.ceil(head.length / 8) * 8);
      const path = join(folder, 'llm', `checkpoint-${step}`);
      mkdirSync(path, { recursive: true });
      const handle = openSync(join(path, 'model.safetensors'), 'w');
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(head.length));
      writeSync(handle, Buffer.concat([length, Buffer.from(head)]));
      ftruncateSync(handle, 8 + head.length + size);
      closeSync(handle);
    }
    const { code, err } = await cli('import', join(folder, 'llm'), '-o', join(folder, 'llm-run'));
    expect(code, err).toBe(0);
    const info = JSON.parse((await cli('info', join(folder, 'llm-run'), '--json')).out);
    expect(info.manifest.snapshots).toHaveLength(2);
  }, 120_000);
});

describe('the picture', () => {
  it('has the marks where the order has them, both edges, a scale and the names of rows', async () => {
    const { place, result } = await tendency(fixture('points.csv'), '--marks', 'index:0;5;59');
    const [panel] = result!.panels;
    expect(panel!.marks.map(({ sample }) => sample).sort((a, b) => a - b)).toEqual([0, 5, 59]);
    expect(panel!.marks.map(({ position }) => position).sort((a, b) => a - b)).toEqual([0, 3, 59]);
    for (const { sample, position } of panel!.marks) expect(panel!.order[position]).toBe(sample);
    const svg = readFileSync(join(place, 'points.svg'), 'utf8');
    expect(svg).toContain('<svg');
  });

  it('and its result keep the names of rows', async () => {
    const path = file(
      'named.csv',
      `,a,b\n${Array.from({ length: 12 }, (_, i) => `name-${i},${i < 6 ? i : i + 50},0`).join('\n')}\n`,
    );
    const { result, place } = await tendency(path);
    const svg = readFileSync(join(place, 'named.svg'), 'utf8');
    for (let i = 0; i < 12; i++) expect(svg).toContain(`name-${i}<`);
    expect(result!.samples.names).toEqual(Array.from({ length: 12 }, (_, i) => `name-${i}`));
  });
});

describe('numbers of any type', () => {
  it('64-bit integers beyond 2⁵³ keep their distances', async () => {
    const top = 2n ** 64n - 1n;
    const path = file('u64.npy', encodeNpy(BigUint64Array.of(top, top - 1n, top - 5n), [3, 1]));
    expect((await tendency(path)).weights).toEqual([1, 4]);
  });
});
