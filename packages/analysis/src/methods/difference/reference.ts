/** Plain float64 from the definitions, for tests: O(n²) memory, O(n³) time. */

export interface ReferenceDifference {
  /** Of the common tree, by rising height. */
  bars: { height: number; apart: [number, number] }[];
  oneWay: [number, number];
}

/** The 0.9 quantile of all entries of a square matrix, diagonal included, between neighbours linearly. */
export function quantileOfMatrix(matrix: readonly (readonly number[])[], q = 0.9): number {
  const sorted = matrix.flat().sort((x, y) => x - y);
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}

/** Two square matrices of dissimilarities, divided by their scales already. */
export function differenceReference(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
): ReferenceDifference {
  const n = a.length;
  const least = a.map((row, i) => row.map((value, j) => Math.min(value, b[i]![j]!)));
  const common = kruskal(least);
  const bars = common.map(({ u, v, height }, k) => ({
    height,
    apart: [a, b].map((side) => joinedAt(n, kruskal(side), common.slice(0, k), u, v)) as [number, number],
  }));
  const sum = (side: 0 | 1) => bars.reduce((all, { height, apart }) => all + apart[side] - height, 0);
  return { bars, oneWay: [sum(0), sum(1)] };
}

interface Edge {
  u: number;
  v: number;
  height: number;
}

function kruskal(matrix: readonly (readonly number[])[]): Edge[] {
  const all: Edge[] = [];
  matrix.forEach((row, u) => {
    for (let v = u + 1; v < row.length; v++) all.push({ u, v, height: row[v]! });
  });
  all.sort((x, y) => x.height - y.height);
  const group = matrix.map((_, i) => i);
  return all.filter(({ u, v }) => join(group, u, v));
}

/** The least height at which the side's edges, with those before, join u and v. */
function joinedAt(n: number, side: readonly Edge[], before: readonly Edge[], u: number, v: number): number {
  const group = Array.from({ length: n }, (_, i) => i);
  for (const edge of before) join(group, edge.u, edge.v);
  for (const edge of side) {
    join(group, edge.u, edge.v);
    if (group[u] === group[v]) return edge.height;
  }
  return Number.NaN;
}

function join(group: number[], u: number, v: number): boolean {
  const [x, y] = [group[u], group[v]];
  if (x === y) return false;
  group.forEach((g, i) => {
    if (g === y) group[i] = x!;
  });
  return true;
}

/** Linear CKA from centred Gram matrices (Kornblith et al. 2019): rows are samples. */
export function ckaReference(x: readonly (readonly number[])[], y: readonly (readonly number[])[]): number {
  const gram = (rows: readonly (readonly number[])[]) => {
    const mean = rows[0]!.map((_, j) => rows.reduce((sum, row) => sum + row[j]!, 0) / rows.length);
    const centred = rows.map((row) => row.map((value, j) => value - mean[j]!));
    return centred.map((p) => centred.map((q) => p.reduce((sum, value, j) => sum + value * q[j]!, 0)));
  };
  const [k, l] = [gram(x), gram(y)];
  const dot = (p: number[][], q: number[][]) =>
    p.reduce((sum, row, i) => sum + row.reduce((part, value, j) => part + value * q[i]![j]!, 0), 0);
  return dot(k, l) / Math.sqrt(dot(k, k) * dot(l, l));
}
