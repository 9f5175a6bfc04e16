/** The definition in plain float64 on inputs × inputs matrices, for tests. Rows are units' weights: w float64[units × inputs]. */
export interface FeaturesReference {
  agop: Float64Array;
  correlation: number;
  rootCorrelation: number;
  values: Float64Array;
  vectors: Float64Array;
}

/** Jacobians by the layer's patches, each float64[outputs × inputs], of all patches of all samples. O(inputs³). */
export function featuresReference(
  w: Float64Array,
  jacobians: readonly Float64Array[],
  inputs: number,
  samples: number,
): FeaturesReference {
  const agop = new Float64Array(inputs * inputs);
  for (const j of jacobians)
    for (let r = 0; r < j.length; r += inputs)
      for (let a = 0; a < inputs; a++)
        for (let b = 0; b < inputs; b++) agop[a * inputs + b]! += (j[r + a]! * j[r + b]!) / samples;
  const nfm = new Float64Array(inputs * inputs);
  for (let u = 0; u < w.length; u += inputs)
    for (let a = 0; a < inputs; a++)
      for (let b = 0; b < inputs; b++) nfm[a * inputs + b]! += w[u + a]! * w[u + b]!;
  const { values, vectors } = jacobiEigen(agop, inputs);
  const root = new Float64Array(inputs * inputs);
  values.forEach((value, l) => {
    for (let a = 0; a < inputs; a++)
      for (let b = 0; b < inputs; b++)
        root[a * inputs + b]! +=
          Math.sqrt(Math.max(0, value)) * vectors[l * inputs + a]! * vectors[l * inputs + b]!;
  });
  return {
    agop,
    correlation: pearsonOfEntries(nfm, agop),
    rootCorrelation: pearsonOfEntries(nfm, root),
    values,
    vectors,
  };
}

/** Pearson correlation of two lists. */
export function pearsonOfEntries(a: Float64Array, b: Float64Array): number {
  const mean = (m: Float64Array) => m.reduce((sum, value) => sum + value, 0) / m.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    ab += (value - ma) * (b[i]! - mb);
    aa += (value - ma) ** 2;
    bb += (b[i]! - mb) ** 2;
  });
  return ab / Math.sqrt(aa * bb);
}

/** Eigenvalues, falling, and vectors as rows of a symmetric matrix, by cyclic Jacobi rotations (Golub & Van Loan, section 8.5). */
export function jacobiEigen(
  matrix: Float64Array,
  n: number,
): { values: Float64Array; vectors: Float64Array } {
  const a = matrix.slice();
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const apq = a[p * n + q]!;
        off += apq * apq;
        if (Math.abs(apq) < 1e-300) continue;
        const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < n; k++) {
          const [x, y] = [a[k * n + p]!, a[k * n + q]!];
          a[k * n + p] = c * x - s * y;
          a[k * n + q] = s * x + c * y;
        }
        for (let k = 0; k < n; k++) {
          const [x, y] = [a[p * n + k]!, a[q * n + k]!];
          a[p * n + k] = c * x - s * y;
          a[q * n + k] = s * x + c * y;
          const [vx, vy] = [v[p * n + k]!, v[q * n + k]!];
          v[p * n + k] = c * vx - s * vy;
          v[q * n + k] = s * vx + c * vy;
        }
      }
    if (off === 0) break;
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j]! - a[i * n + i]!);
  const vectors = new Float64Array(n * n);
  order.forEach((i, row) => {
    vectors.set(v.subarray(i * n, (i + 1) * n), row * n);
  });
  return { values: Float64Array.from(order, (i) => a[i * n + i]!), vectors };
}
