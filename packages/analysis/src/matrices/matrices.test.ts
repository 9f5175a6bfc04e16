import { describe, expect, it } from 'vitest';
import { createInlineEngine } from '../engine/inline.js';
import { encodeNpy } from '../formats/npy.js';
import { encodeNpz, readNpzDirectory, readNpzEntry } from '../formats/npz.js';
import { bytesSource } from '../formats/source.js';
import type { TensorData } from '../formats/types.js';
import { analyseTendency } from '../methods/tendency/analyse.js';
import type { TendencyMetric } from '../methods/tendency/space.js';
import { NO_CLASS } from '../methods/tendency/types.js';
import { type MatrixOptions, openMatrix, readInput, readLabels } from './index.js';

const engine = createInlineEngine();
const text = (value: string) => new TextEncoder().encode(value);
const npy = (data: TensorData, ...shape: number[]) => bytesSource('x.npy', encodeNpy(data, shape));

async function weightsOf(
  source: ReturnType<typeof bytesSource>,
  metric: TendencyMetric,
  options: MatrixOptions & { chosen?: Uint32Array } = {},
): Promise<number[]> {
  const categories = ['gower', 'hamming', 'jaccard'].includes(metric);
  const file = await openMatrix(source, { ...options, categories });
  const input = await readInput(file, { metric, missing: options.missing, chosen: options.chosen ?? null });
  const panel = await analyseTendency(
    engine,
    {
      ...input,
      snapshot: { id: 'x', epoch: null, step: null },
      layer: 'x',
      labels: null,
      predictions: null,
      logLikelihood: null,
    },
    { metric, marks: [], vatSide: 4, seed: 1 },
  );
  return [...panel.weights].sort((a, b) => a - b).map((w) => Number(w.toPrecision(6)));
}

describe('dissimilarities', () => {
  // Of the points 0, 1, 3, 7 on a line, in SciPy's condensed order.
  const condensed = [1, 3, 7, 2, 6, 4];
  const square = [0, 1, 3, 7, 1, 0, 2, 6, 3, 2, 0, 4, 7, 6, 4, 0];

  it('precomputed come square, condensed, as a column of text, and as some of the rows', async () => {
    expect(await weightsOf(npy(Float64Array.from(square), 4, 4), 'precomputed')).toEqual([1, 2, 4]);
    expect(await weightsOf(npy(Float64Array.from(condensed), 6), 'precomputed')).toEqual([1, 2, 4]);
    expect(await weightsOf(bytesSource('d.csv', text(condensed.join('\n'))), 'precomputed')).toEqual([
      1, 2, 4,
    ]);
    const chosen = Uint32Array.of(3, 0, 1);
    expect(await weightsOf(npy(Float64Array.from(square), 4, 4), 'precomputed', { chosen })).toEqual([1, 6]);
    expect(await weightsOf(npy(Float64Array.from(condensed), 6), 'precomputed', { chosen })).toEqual([1, 6]);
    const read: [number, number][] = [];
    const file = await openMatrix(npy(Float64Array.from(condensed), 6));
    const rows = {
      ...file.rows,
      rows: (...range: [number, number]) => {
        read.push(range);
        return file.rows.rows(...range);
      },
    };
    await readInput({ ...file, rows }, { metric: 'precomputed', chosen: Uint32Array.of(1, 0) });
    // Of rows 1 and 0, and no more.
    expect(read).toEqual([
      [3, 5],
      [0, 3],
    ]);
  });

  it('precomputed are refused by row and column where they are none', async () => {
    const bad = (at: number, value: number) => {
      const data = Float64Array.from(square);
      data[at] = value;
      return weightsOf(npy(data, 4, 4), 'precomputed');
    };
    await expect(bad(6, 5)).rejects.toThrow('row 1, column 2 (from 0): expected a symmetric matrix');
    await expect(bad(5, 1)).rejects.toThrow(
      'row 1, column 1 (from 0): expected 0 on the diagonal, got 1; of similarities',
    );
    await expect(bad(6, -2)).rejects.toThrow('row 1, column 2 (from 0): expected a dissimilarity ≥ 0');
    await expect(bad(6, Number.NaN)).rejects.toMatchObject({ code: 'not-finite' });
    await expect(weightsOf(npy(new Float64Array(8), 2, 4), 'precomputed')).rejects.toMatchObject({
      code: 'shape',
    });
    // Off by rounding, as computed matrices are.
    expect(
      await weightsOf(
        npy(
          Float64Array.from(square, (x, i) => (i % 5 ? x * (1 + 1e-12 * i) : 1e-12)),
          4,
          4,
        ),
        'precomputed',
      ),
    ).toEqual([1, 2, 4]);
  });

  it('points that look like dissimilarities are told', async () => {
    const note = async (source: ReturnType<typeof bytesSource>) =>
      (await readInput(await openMatrix(source), { metric: 'euclidean', chosen: null })).notes.join();
    expect(await note(npy(Float64Array.from(square), 4, 4))).toContain('`metric: precomputed`');
    expect(
      await note(
        npy(
          Float64Array.from(square, (x) => x + 1),
          4,
          4,
        ),
      ),
    ).toBe('');
  });

  it('condensed ones taken as points are told, lists of numbers are not', async () => {
    const note = async (list: number[]) =>
      (
        await readInput(await openMatrix(npy(Float64Array.from(list), list.length)), {
          metric: 'euclidean',
          chosen: null,
        })
      ).notes.join();
    const pairs: number[] = [];
    for (let i = 0; i < 12; i++)
      for (let j = i + 1; j < 12; j++) pairs.push(Math.abs(Math.sin(i) - Math.sin(j)));
    expect(await note(pairs)).toContain('condensed matrix of 12 × 12');
    expect(await note(pairs.map((_, i) => i * i))).toBe('');
  });

  it('rows and columns are named by what the file calls them', async () => {
    const of = (content: string, metric: TendencyMetric) =>
      weightsOf(bytesSource('d.csv', text(content)), metric);
    await expect(of(',s1,s2\ns1,0,-3\ns2,-3,0\n', 'precomputed')).rejects.toThrow(
      'row 0 "s1", column 1 "s2" (from 0): expected a dissimilarity ≥ 0',
    );
    await expect(of('a,b\n0,1\n1,2\n', 'jaccard')).rejects.toThrow('row 1, column 1 "b" (from 0)');
    await expect(
      weightsOf(npy(Float64Array.of(1, 2, 3, 4, 5, Number.NaN), 2, 3), 'euclidean', { columns: ['3'] }),
    ).rejects.toThrow('row 1, column 0 "3" (from 0); `missing: true` leaves');
    await expect(openMatrix(npy(new Float64Array(0), 5, 0))).rejects.toThrow('5 rows have no columns');
  });

  // scipy.spatial.distance: jaccard([1,1,0,0],[1,0,1,0]) = 2/3; hamming = 1/2.
  it('jaccard and hamming are SciPy’s', async () => {
    const table = bytesSource('b.csv', text('a,b,c,d\n1,1,0,0\n1,0,1,0\n0,0,0,0\n'));
    expect(await weightsOf(table, 'jaccard')).toEqual([0.666667, 1]);
    expect(await weightsOf(table, 'hamming')).toEqual([0.5, 0.5]);
    const words = bytesSource('w.csv', text('a,b\nyes,no\nno,no\nyes,yes\n'));
    expect(await weightsOf(words, 'jaccard')).toEqual([0.5, 1]);
    await expect(weightsOf(bytesSource('w.csv', text('a,b\n2,0\n1,1\n')), 'jaccard')).rejects.toThrow(
      'binary',
    );
  });

  // R's cluster::daisy(metric = "gower") by its definition: |1 − 2|/3 and a mismatch: (1/3 + 1)/2.
  it('gower mixes numbers by range and texts, leaving out what is missing', async () => {
    const table = bytesSource('m.csv', text('a,colour\n1,red\n2,blue\n4,red\n'));
    expect(await weightsOf(table, 'gower')).toEqual([0.5, 0.666667]);
    const gaps = bytesSource('m.csv', text('a,colour\n1,red\nNA,red\n4,blue\n'));
    expect(await weightsOf(gaps, 'gower', { missing: true })).toEqual([0, 1]);
  });

  // R: dist(rbind(c(1,2), c(NA,3), c(4,5))): √(1·2) = 1.414214, √18 = 4.242641, √(4·2) = 2.828427.
  it('missing values are left out pair by pair, sums scaled up as R’s dist does', async () => {
    const table = bytesSource('m.csv', text('a,b\n1,2\nNA,3\n4,5\n'));
    expect(await weightsOf(table, 'euclidean', { missing: true })).toEqual([
      expect.closeTo(Math.SQRT2, 5),
      expect.closeTo(2 * Math.SQRT2, 5),
    ]);
    expect(await weightsOf(table, 'manhattan', { missing: true })).toEqual([2, 4]);
    const apart = bytesSource('m.csv', text('a,b\n1,NA\nNA,3\n'));
    await expect(weightsOf(apart, 'euclidean', { missing: true })).rejects.toThrow(
      'rows 0 and 1 (from 0) have no column',
    );
  });
});

describe('what is worked out pair by pair', () => {
  const top = 2n ** 60n;
  const wide = npy(BigInt64Array.of(top, 1n, top + 1n, 1n, top + 4n, 2n), 3, 2);

  it('sees 64-bit integers that float64 does not tell apart', async () => {
    expect(await weightsOf(wide, 'hamming')).toEqual([0.5, 1]);
    // Ranges 4 and 1: (1/4 + 0)/2, and (3/4 + 1)/2 from the second to the third.
    expect(await weightsOf(wide, 'gower')).toEqual([0.125, 0.875]);
    expect(await weightsOf(wide, 'manhattan', { missing: true })).toEqual([1, 4]);
    expect(await weightsOf(npy(Float64Array.of(-1.7e308, 1.7e308, 0), 3, 1), 'gower')).toEqual([0.5, 0.5]);
    const sparse = encodeNpz(
      new Map<string, { data: TensorData; shape: number[] }>([
        ['format', { data: text('csr'), shape: [3] }],
        ['shape', { data: BigInt64Array.of(3n, 1n), shape: [2] }],
        ['data', { data: BigInt64Array.of(top, top + 1n, top + 4n), shape: [3] }],
        ['indices', { data: Int32Array.of(0, 0, 0), shape: [3] }],
        ['indptr', { data: Int32Array.of(0, 1, 2, 3), shape: [4] }],
      ]),
    );
    expect(await weightsOf(bytesSource('s.npz', sparse), 'euclidean')).toEqual([1, 3]);
  });

  it.each([1e200, 1e-200])('takes numbers of size %d', async (size) => {
    const values = [0, 0, 3, 4, Number.NaN, 4, 6, 9].map((x) => x * size);
    const input = async (metric: 'euclidean' | 'cosine') => {
      const file = await openMatrix(npy(Float64Array.from(values), 4, 2));
      const { outputs, space } = await readInput(file, { metric, missing: true, chosen: null });
      return Array.from(outputs.data, (x) =>
        Number(((x * (space?.unit ?? 1)) / (metric === 'cosine' ? 1 : size)).toPrecision(5)),
      );
    };
    // Rows 1 and 3: (3, 5); row 2 has its second column alone, which counts twice.
    expect((await input('euclidean'))[1 * 4 + 3]).toBe(Number(Math.sqrt(34).toPrecision(5)));
    expect((await input('euclidean'))[2 * 4 + 3]).toBe(Number(Math.sqrt(50).toPrecision(5)));
    expect((await input('cosine'))[1 * 4 + 3]).toBe(Number((1 - 54 / (5 * Math.sqrt(117))).toPrecision(5)));
  });
});

describe('files of one matrix', () => {
  const points = Float64Array.of(0, 0, 1, 0, 5, 5);
  const expected = [1, 6.40312];

  it('are told by their content: each format, gzipped or not, gives the same', async () => {
    const array = { data: points, shape: [3, 2] };
    const { gzipSync } = await import('fflate');
    for (const bytes of [
      encodeNpy(points, [3, 2]),
      gzipSync(encodeNpy(points, [3, 2])),
      encodeNpz(new Map([['a', array]])),
      encodeNpz(new Map([['a', array]]), { compress: true }),
      text('x,y\n0,0\n1,0\n5,5\n'),
      gzipSync(text('0;0\n1;0\n5;5\n')),
    ])
      expect(await weightsOf(bytesSource('any', bytes), 'euclidean')).toEqual(expected);
  });

  it('in Fortran order, of three axes, are read as NumPy flattens them', async () => {
    // np.asfortranarray(np.arange(12.).reshape(2, 2, 3)).
    const header = text(`${"{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2, 3), }".padEnd(117)}\n`);
    const data = Float64Array.of(0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11);
    const bytes = Uint8Array.from([
      0x93,
      ...text('NUMPY'),
      1,
      0,
      118,
      0,
      ...header,
      ...new Uint8Array(data.buffer),
    ]);
    const { rows } = await openMatrix(bytesSource('f.npy', bytes));
    expect([...(await rows.rows(0, 2))]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect([...(await rows.rows(1, 2))]).toEqual([6, 7, 8, 9, 10, 11]);
  });

  it('sparse ones of SciPy are written out', async () => {
    const arrays = (form: string, data: number[], indices: number[], indptr: number[]) =>
      new Map<string, { data: TensorData; shape: number[] }>([
        ['format', { data: text(form), shape: [3] }],
        ['shape', { data: BigInt64Array.of(3n, 2n), shape: [2] }],
        ['data', { data: Float64Array.from(data), shape: [data.length] }],
        ['indices', { data: Int32Array.from(indices), shape: [indices.length] }],
        ['indptr', { data: Int32Array.from(indptr), shape: [indptr.length] }],
      ]);
    for (const each of [
      arrays('csr', [1, 5, 5], [0, 0, 1], [0, 0, 1, 3]),
      arrays('csc', [1, 5, 5], [1, 2, 2], [0, 2, 3]),
    ])
      expect(await weightsOf(bytesSource('s.npz', encodeNpz(each)), 'euclidean')).toEqual(expected);
    await expect(
      openMatrix(bytesSource('s.npz', encodeNpz(arrays('coo', [1], [0], [0, 1, 1, 1])))),
    ).rejects.toThrow('tocsr()');
    await expect(
      openMatrix(bytesSource('s.npz', encodeNpz(arrays('csr', [1], [7], [0, 1, 1, 1])))),
    ).rejects.toThrow('index 7');
  });

  it('of other tools are named, with the conversion', async () => {
    for (const [start, message] of [
      ['PAR1', 'read_parquet'],
      ['\x89HDF\r\n\x1a\n', 'h5py'],
      ['\x80\x04\x95', 'pickle'],
      ['MATLAB 5.0 MAT-file', 'loadmat'],
      ['MATLAB 7.3 MAT-file', 'h5py'],
      ['\n[[1, 2], [3, 4]]', 'json.load'],
      ['[{"a": 1}, {"a": 2}]', 'read_json("f")'],
      ['{"a": 1}\n{"a": 2}\n', 'lines=True'],
      ['<table border="1">', 'read_html'],
    ]) {
      const bytes = Uint8Array.from(start!.padEnd(40, '\0'), (c) => c.charCodeAt(0));
      await expect(openMatrix(bytesSource('f', bytes))).rejects.toThrow(message);
    }
    await expect(openMatrix(bytesSource('f', new Uint8Array(0)))).rejects.toThrow('is empty');
    // MATLAB 4 and pickle's protocol 0 begin as anything may.
    const bytes = Uint8Array.of(0, 0, 0, 0, 50, 0, 0, 0);
    await expect(openMatrix(bytesSource('f.mat', bytes))).rejects.toThrow('loadmat("f.mat")');
    const { zipSync } = await import('fflate');
    await expect(openMatrix(bytesSource('t.csv.zip', zipSync({ 't.csv': text('1,2\n') })))).rejects.toThrow(
      'is a zip archive of t.csv and no .npy file; unpack it first',
    );
  });

  it('that would unpack to more than is held are refused before they are', async () => {
    const header = (shape: string) => {
      const literal = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`;
      return Uint8Array.from(`\x93NUMPY\x01\0\x76\0${literal.padEnd(117)}\n`, (c) => c.charCodeAt(0));
    };
    const { gzipSync } = await import('fflate');
    const packed = (shape: string) => bytesSource('x.npy.gz', gzipSync(header(shape)));
    await expect(openMatrix(packed('(2000000, 600)'))).rejects.toThrow('unpack it first (gunzip)');
    await expect(openMatrix(packed('(500000, 600)'))).rejects.toThrow(
      'would take 1.2 GB once unpacked, at most 200 MB are allowed; `memory: 1.3GB` allows it',
    );
    // What gzip's own field says plays no part beyond that.
    await expect(openMatrix(packed('(5, 600)'))).rejects.toThrow('needs 12000 bytes, got 0');

    const zip = bytesSource('two.npz', encodeNpz(new Map([['big', { data: points, shape: [3, 2] }]])));
    const big = (await readNpzDirectory(zip)).get('big')!;
    await expect(readNpzEntry(zip, { ...big, unpacked: 4.8e9, deflated: true })).rejects.toThrow(
      'takes 4.8 GB, more than the 4.3 GB that can be held at once; write it without compression',
    );
  });

  it('without rows are like any other', async () => {
    expect((await openMatrix(npy(new Float64Array(0), 0, 3))).rows.shape).toEqual([0, 3]);
  });

  it('hold arrays among what is none', async () => {
    const { zipSync, strToU8 } = await import('fflate');
    const zip = zipSync({ 'readme.txt': strToU8('hello'), 'a.npy': encodeNpy(points, [3, 2]) });
    expect(await weightsOf(bytesSource('x.npz', zip), 'euclidean')).toEqual(expected);
  });
});

describe('labels', () => {
  it('are integers, −1 for no class, or names in order', async () => {
    const labels = (content: string) => readLabels(bytesSource('l.csv', text(content)), undefined, 3);
    expect(await labels('2\n0\n-1\n')).toEqual({ codes: Uint32Array.of(2, 0, NO_CLASS), classes: null });
    expect(await labels('b\na\nb\n')).toEqual({ codes: Uint32Array.of(1, 0, 1), classes: ['a', 'b'] });
    expect(await labels('species\nb\na\nb\n')).toMatchObject({ classes: ['a', 'b'] });
    expect(await labels(',species\n0,b\n1,a\n2,b\n')).toMatchObject({ classes: ['a', 'b'] });
    expect(await labels('-2\n-1\n5\n')).toEqual({
      codes: Uint32Array.of(0, NO_CLASS, 1),
      classes: ['-2', '5'],
    });
    await expect(labels('1\n2\n')).rejects.toThrow('one label for each of 3 rows, got 2');
    await expect(labels('1\n2\n3\n4\n5\n')).rejects.toMatchObject({ code: 'shape' });
  });

  it('may be gzipped, as arrays too', async () => {
    const { gzipSync } = await import('fflate');
    const of = (bytes: Uint8Array) => readLabels(bytesSource('l.gz', gzipSync(bytes)), undefined, 3);
    expect([...(await of(encodeNpy(Int8Array.of(2, 0, -1), [3]))).codes]).toEqual([2, 0, NO_CLASS]);
    const literal = `{'descr': '|S1', 'fortran_order': False, 'shape': (3,), }`.padEnd(117);
    const texts = Uint8Array.from(`\x93NUMPY\x01\0\x76\0${literal}\nbab`, (c) => c.charCodeAt(0));
    expect((await of(texts)).classes).toEqual(['a', 'b']);
    expect([...(await of(text('2\n0\n-1\n'))).codes]).toEqual([2, 0, NO_CLASS]);
  });

  it('of text in an .npy are read', async () => {
    // np.array(['b', 'a', 'b']): UTF-32.
    const header = text(`${"{'descr': '<U1', 'fortran_order': False, 'shape': (3,), }".padEnd(117)}\n`);
    const bytes = Uint8Array.from([
      0x93,
      ...text('NUMPY'),
      1,
      0,
      118,
      0,
      ...header,
      98,
      0,
      0,
      0,
      97,
      0,
      0,
      0,
      98,
      0,
      0,
      0,
    ]);
    expect(await readLabels(bytesSource('l.npy', bytes), undefined, 3)).toEqual({
      codes: Uint32Array.of(1, 0, 1),
      classes: ['a', 'b'],
    });
  });
});
