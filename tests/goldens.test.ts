// The public kernels against figures from SciPy, fastcluster and R's seriation (tests/goldens/index.json says which and how).
import { readFileSync } from 'node:fs';
import {
  copheneticDistances,
  cutByDiameter,
  cutByHeight,
  ivatMatrix,
  type Kernels,
  linkage,
  linkageMatrix,
  loadKernels,
  type Matrix,
  type Metric,
  pairwise,
  pairwiseCondensed,
  truncatedSvd,
  vatFromMatrix,
  vatFromPoints,
} from '@epochscope/core-wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { golden, goldenSquare } from './golden.js';

interface Sums {
  superdiag_sum: number;
  total_sum: number;
  superdiag_first10: number[];
}
interface CutFigures {
  t: number;
  clusters: number;
  sizes: number[];
  labels: number[];
}
interface MetricFigures {
  max_pair_rowmajor: [number, number];
  max_distance: number;
  vat_lowstart_reordered: Sums;
  ivat_in_vat_R_order: Sums;
  minimax_max: number;
  avg_heights_sum?: number;
  avg_heights_top5?: number[];
  cut_by_height?: CutFigures[];
  cut_by_max_diameter?: CutFigures[];
}
interface SvdFigures {
  singular_values_top: number[];
  right_vectors_sign_fixed: string;
}
const index = JSON.parse(readFileSync(new URL('./goldens/index.json', import.meta.url), 'utf8')) as {
  datasets: Record<
    string,
    { euc: MetricFigures; cos: MetricFigures; svd_uncentred: SvdFigures; svd_column_centred: SvdFigures }
  >;
};

let kernels: Kernels;
beforeAll(async () => {
  kernels = await loadKernels();
});

const matrix = ({ data, shape }: { data: Float64Array; shape: number[] }): Matrix => ({
  data: Float32Array.from(data),
  shape: [shape[0]!, shape[1]!],
});
const sum = (values: Iterable<number>) => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

describe.each([
  ['iris', 'euc', 'euclidean'],
  ['iris', 'cos', 'cosine'],
  ['moons200', 'euc', 'euclidean'],
] as const)('%s, %s', (name, short, metric: Metric) => {
  const figures = index.datasets[name]![short];
  const points = matrix(golden(name));
  const n = points.shape[0];
  /** SciPy's own dissimilarities: orders are compared on these, so that float32 points make no ties of their own. */
  const square = goldenSquare(`${name}_${short}_cond`);
  const exact: Matrix = { data: Float32Array.from(square.data), shape: [n, n] };

  it('has the dissimilarities of SciPy, full and condensed, to float32 accuracy', () => {
    const full = pairwise(kernels, points, { metric }).data;
    const condensed = pairwiseCondensed(kernels, points, { metric });
    const wanted = golden(`${name}_${short}_cond`).data;
    const close = metric === 'cosine' ? 1e-6 : 1e-5 * figures.max_distance;
    const wrong: string[] = [];
    let at = 0;
    for (let i = 0; i < n; i++)
      for (let j = i + 1; j < n; j++, at++) {
        const value = full[i * n + j]!;
        if (!(Math.abs(value - wanted[at]!) < close) || full[j * n + i] !== value || condensed[at] !== value)
          wrong.push(`(${i}, ${j}): ${value}, ${full[j * n + i]}, ${condensed[at]}; SciPy ${wanted[at]}`);
      }
    expect(wrong).toEqual([]);
  });

  it('starts VAT at the largest dissimilarity and sums as the reordered golden', () => {
    const { order, weights } = vatFromMatrix(kernels, exact);
    expect(order[0]).toBe(figures.max_pair_rowmajor[0]);
    const { superdiag_sum, superdiag_first10, total_sum } = figures.vat_lowstart_reordered;
    const along = Array.from({ length: n - 1 }, (_, k) => square.data[order[k]! * n + order[k + 1]!]!);
    if (!(name === 'iris' && short === 'euc')) {
      // Iris in Euclidean distance is half ties, which float32 parts differently: only the weights are compared there.
      expect(sum(along)).toBeCloseTo(superdiag_sum, 5);
      superdiag_first10.forEach((value, k) => {
        expect(along[k]).toBeCloseTo(value, 6);
      });
    }
    expect(sum(square.data)).toBeCloseTo(total_sum, 3);
    // A minimum spanning tree's weights are the same as a set, whatever the ties: single linkage's heights.
    const tree = linkage(kernels, exact, { method: 'single' });
    expect([...weights].sort((a, b) => a - b)).toEqual([...tree.heights]);
    const matrixFree = vatFromPoints(kernels, points, { metric });
    expect(sum(matrixFree.weights)).toBeCloseTo(sum(weights), metric === 'cosine' ? 5 : 3);
  });

  it("has the minimax distances of R's path_dist, by iVAT and by single linkage", () => {
    const wanted = goldenSquare(`${name}_${short}_pathdist_cond`).data;
    const vat = vatFromMatrix(kernels, exact);
    const image = ivatMatrix(kernels, vat).data;
    const cophenetic = copheneticDistances(linkage(kernels, exact, { method: 'single' }));
    const errors = { cophenetic: 0, image: 0 };
    const worse = (what: keyof typeof errors, got: number, value: number) => {
      errors[what] = Math.max(errors[what], Math.abs(got - value));
    };
    let at = 0;
    for (let i = 0; i < n; i++)
      for (let j = i + 1; j < n; j++) worse('cophenetic', cophenetic[at++]!, wanted[i * n + j]!);
    for (let a = 0; a < n; a++)
      for (let b = 0; b < n; b++)
        worse('image', image[a * n + b]!, wanted[vat.order[a]! * n + vat.order[b]!]!);
    expect(errors.cophenetic).toBeLessThan(5e-7);
    expect(errors.image).toBeLessThan(5e-7);
    expect(Math.max(...vat.weights)).toBeCloseTo(figures.minimax_max, 6);
    expect(sum(image)).toBeCloseTo(figures.ivat_in_vat_R_order.total_sum, 1);
  });

  const { avg_heights_top5: top, cut_by_height: heights, cut_by_max_diameter: diameters } = figures;
  it.runIf(top)("has fastcluster's average linkage, and cuts it as SciPy does", () => {
    const tree = linkage(kernels, exact, { method: 'average', diameters: true });
    const wanted = golden(`${name}_${short}_avg_Z`).data;
    const z = linkageMatrix(tree);
    for (let t = 0; t < n - 1; t++)
      expect(Math.abs(z[4 * t + 2]! - wanted[4 * t + 2]!)).toBeLessThan(1e-6 * figures.max_distance);
    expect(sum(tree.heights)).toBeCloseTo(figures.avg_heights_sum!, 4);
    [...tree.heights]
      .sort((a, b) => b - a)
      .slice(0, 5)
      .forEach((height, i) => {
        expect(height).toBeCloseTo(top![i]!, 5);
      });
    for (const [cuts, cut] of [
      [heights, (t: number) => cutByHeight(tree, t)],
      [diameters, (t: number) => cutByDiameter(tree, t, 'branch')],
    ] as const)
      for (const { t, clusters, labels } of cuts!) {
        const got = cut(t);
        expect(got.count, `cut at ${t}`).toBe(clusters);
        expect([...got.labels], `cut at ${t}`).toEqual(labels);
      }
  });
});

describe.each(['iris', 'moons200'])('singular values of %s', (name) => {
  it.each(['svd_uncentred', 'svd_column_centred'] as const)('%s are those of SciPy', (kind) => {
    const { data, shape } = golden(name);
    const [m, n] = shape as [number, number];
    const means = Array.from({ length: n }, (_, j) => sum(data.filter((_, i) => i % n === j)) / m);
    const values = kind === 'svd_uncentred' ? data : data.map((value, i) => value - means[i % n]!);
    const { singular_values_top: wanted, right_vectors_sign_fixed: file } = index.datasets[name]![kind];
    const got = truncatedSvd(kernels, matrix({ data: values, shape }), { k: wanted.length, seed: 1 });
    const vectors = golden(file.replace('.npy', '')).data;
    wanted.forEach((value, i) => {
      expect(got.converged[i]).toBeTruthy();
      expect(Math.abs(got.sigma[i]! - value) / value).toBeLessThan(1e-5);
      const row = [...got.v.data.subarray(i * n, (i + 1) * n)];
      const largest = row.reduce((best, x) => (Math.abs(x) > Math.abs(best) ? x : best), 0);
      row.forEach((x, j) => {
        expect(Math.sign(largest) * x).toBeCloseTo(vectors[i * n + j]!, 5);
      });
    });
  });
});
