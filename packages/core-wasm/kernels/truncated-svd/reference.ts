import type { Matrix } from '../../src/matrix.js';

/**
 * All singular triplets by one-sided Jacobi on the columns (Hestenes 1958), in float64: O(m·n²) a sweep. σ descending;
 * u[k × m], v[k × n] as rows, k = min(m, n). Where σ = 0 the row of u (for m < n: v) is left zero.
 */
export function svdReference(a: Matrix<Float32Array | Float64Array>): {
  sigma: Float64Array;
  u: Float64Array[];
  v: Float64Array[];
} {
  const [m, n] = a.shape;
  if (m < n) {
    const data = new Float64Array(m * n);
    for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) data[j * m + i] = a.data[i * n + j]!;
    const { sigma, u, v } = svdReference({ data, shape: [n, m] });
    return { sigma, u: v, v: u };
  }
  const columns = Array.from({ length: n }, (_, j) =>
    Float64Array.from({ length: m }, (_, i) => a.data[i * n + j]!),
  );
  const turns = Array.from({ length: n }, (_, j) =>
    Float64Array.from({ length: n }, (_, i) => Number(i === j)),
  );
  const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  const turn = (x: Float64Array, y: Float64Array, c: number, s: number) => {
    for (let i = 0; i < x.length; i++) {
      const p = x[i]!;
      const q = y[i]!;
      x[i] = c * p - s * q;
      y[i] = s * p + c * q;
    }
  };
  for (let sweep = 0, turned = true; turned && sweep < 100; sweep++) {
    turned = false;
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) {
        const alpha = dot(columns[i]!, columns[i]!);
        const beta = dot(columns[j]!, columns[j]!);
        const gamma = dot(columns[i]!, columns[j]!);
        if (gamma === 0 || Math.abs(gamma) <= 1e-15 * Math.sqrt(alpha * beta)) continue;
        turned = true;
        const zeta = (beta - alpha) / (2 * gamma);
        const t = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const c = 1 / Math.hypot(1, t);
        turn(columns[i]!, columns[j]!, c, c * t);
        turn(turns[i]!, turns[j]!, c, c * t);
      }
    }
  }
  const lengths = columns.map((column) => Math.sqrt(dot(column, column)));
  const order = lengths.map((_, j) => j).sort((x, y) => lengths[y]! - lengths[x]!);
  return {
    sigma: Float64Array.from(order, (j) => lengths[j]!),
    u: order.map((j) => columns[j]!.map((x) => (lengths[j]! > 0 ? x / lengths[j]! : 0))),
    v: order.map((j) => turns[j]!),
  };
}
