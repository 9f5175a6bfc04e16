import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bytesSource, encodeNpy, readNpy } from '@epochscope/analysis/formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from './harness.js';

const iris = fileURLToPath(new URL('goldens/iris.npy', import.meta.url));
const treeOf = (name: string) => fileURLToPath(new URL(`fixtures/trees/${name}.npy`, import.meta.url));
let folder: string;
let edges: Float64Array;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'epochscope-check-tree-'));
  const bytes = new Uint8Array(readFileSync(treeOf('sklearn')));
  edges = (await readNpy(bytesSource('sklearn.npy', bytes))).data as Float64Array;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What --check says of the committed tree once `change` was at it. */
async function changed(change: (edges: Float64Array) => Float64Array | undefined, columns = 3) {
  const copy = edges.slice();
  const data = change(copy) ?? copy;
  const file = join(folder, 'tree.npy');
  writeFileSync(file, encodeNpy(data, [data.length / columns, columns]));
  return cli('tendency', iris, '--check', file, '-o', folder);
}

describe('tendency --check', () => {
  it.each(['sklearn', 'hdbscan', 'fast_hdbscan', 'quitefastmst'])(
    'proves the tree of %s, written by fixtures/write_trees.py',
    async (name) => {
      const { code, out } = await cli('tendency', iris, '--check', treeOf(name), '--json');
      expect(code).toBe(0);
      const found = JSON.parse(out);
      expect(found).toMatchObject({ minimal: true, edges: 149 });
      // Tenths are no float32: what is compared is off by some 1e-7, weights of a tenth by ten times that.
      expect(Math.abs(found.total - 43.52377963829876)).toBeLessThan(1e-6);
      expect(Math.abs(found.total - found.minimalTotal)).toBeLessThan(1e-6);
      expect(found.largestWeightError).toBeLessThan(1e-5);
      expect(found.largestExcess).toBeLessThan(1e-5);
    },
  );

  it.each(['sklearn-5', 'hdbscan-5', 'fast_hdbscan-5', 'quitefastmst-5'])(
    'proves the tree of %s by mutual reachability, and refutes it of distances',
    async (name) => {
      const { code, out } = await cli('tendency', iris, '--core', '5', '--check', treeOf(name), '--json');
      expect(code).toBe(0);
      const found = JSON.parse(out);
      expect(Math.abs(found.total - found.minimalTotal)).toBeLessThan(1e-5);
      expect((await cli('tendency', iris, '--check', treeOf(name))).code).toBe(1);
    },
  );

  it('refutes an edge that a path of shorter ones makes needless, and names that path', async () => {
    // In Prim's order the last sample is a leaf: joined to the first one instead, the tree still spans.
    const { code, err } = await changed((tree) => {
      tree[tree.length - 3] = tree[0]!;
      return tree.filter((_, i) => i % 3 < 2);
    }, 2);
    expect(code).toBe(1);
    expect(err).toMatch(
      /is no minimum spanning tree: edge 148 joins samples \d+ and \d+ at [\d.]+, but a path/,
    );
    expect(err).toMatch(/lighter by [\d.]+ or more/);
  });

  it.each<[string, (tree: Float64Array) => Float64Array | undefined, RegExp]>([
    ['an edge too few', (tree) => tree.slice(3), /150 samples has 149 edges, one a row; got 148/],
    [
      'a cycle',
      (tree) => void tree.copyWithin(3, 0, 3),
      /edge 1, of samples \d+ and \d+, closes a cycle: .* some sample is left out/,
    ],
    [
      'an end that is no sample',
      (tree) => void (tree[6] = 150),
      /edge 2 ends at 150: expected a sample, 0 to 149/,
    ],
    [
      'samples numbered from 1',
      (tree) => tree.map((value, i) => (i % 3 < 2 ? value + 1 : value)),
      /numbered 1 to 150: expected 0 to 149/,
    ],
    [
      'a weight that is not the distance',
      (tree) => void (tree[3 * 40 + 2] = tree[3 * 40 + 2]! * 1.001),
      /edge 40 joins samples \d+ and \d+ at [\d.]+, but their euclidean distance is/,
    ],
    [
      'squares of distances',
      (tree) => tree.map((value, i) => (i % 3 === 2 ? value * value : value)),
      /of which it is the square/,
    ],
  ])('refutes %s, naming the first edge', async (_, change, message) => {
    const { code, out, err } = await changed(change);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(message);
  });

  it('refuses a file of other columns, and a run', async () => {
    const wide = join(folder, 'wide.npy');
    writeFileSync(wide, encodeNpy(new Float64Array(8), [2, 4]));
    expect((await cli('tendency', iris, '--check', wide)).err).toMatch(/from, to and weight, got 4 columns/);
    expect((await cli('tendency', folder, '--check', wide)).err).toMatch(
      /--check: only for a file of one matrix/,
    );
  });

  it('checks precomputed dissimilarities and other metrics', async () => {
    // A line: the tree is the chain, in any metric that grows with the difference.
    const n = 60;
    const line = Float64Array.from({ length: n }, (_, i) => (i * i) / 7);
    const square = Float64Array.from({ length: n * n }, (_, k) =>
      Math.abs(line[Math.floor(k / n)]! - line[k % n]!),
    );
    const chain = Float64Array.from({ length: 3 * (n - 1) }, (_, k) => {
      const e = Math.floor(k / 3);
      return k % 3 < 2 ? e + (k % 3) : line[e + 1]! - line[e]!;
    });
    const [points, matrix, tree] = ['points', 'matrix', 'chain'].map((name) => join(folder, `${name}.npy`));
    writeFileSync(points!, encodeNpy(line, [n, 1]));
    writeFileSync(matrix!, encodeNpy(square, [n, n]));
    writeFileSync(tree!, encodeNpy(chain, [n - 1, 3]));
    for (const argv of [
      [points!, '--metric', 'manhattan'],
      [matrix!, '--metric', 'precomputed'],
    ])
      expect(await cli('tendency', ...argv, '--check', tree!)).toMatchObject({ code: 0 });
  });
});
