// The rule that counted blocks before: the number of runs that holds for the most cuts, or that before the largest fall of the weights.
// Kept here alone, so that docs/decisions/0003 can be measured again. Plain, O(n²).

/** @returns block of every position: the rule shares out all of them. */
export function plateauBlocks(weights, smallest) {
  const n = weights.length + 1;
  const ascending = [...weights.keys()].sort((a, b) => weights[a] - weights[b] || a - b);
  const falling = ascending.toReversed();
  const runsAt = (cuts) => {
    const at = falling.slice(0, cuts).sort((a, b) => a - b);
    const edges = [0, ...at.map((p) => p + 1), n];
    return edges
      .slice(1)
      .map((end, i) => end - edges[i])
      .filter((size) => size >= smallest);
  };
  const counts = [];
  const covered = [];
  for (let r = 0; r < n; r++) {
    const runs = runsAt(r);
    counts.push(runs.length);
    covered.push(runs.reduce((a, b) => a + b, 0));
  }
  let cuts = 0;
  let ratio = 2;
  for (let r = 1; r < n - 1; r++) {
    const [above, below] = [weights[falling[r - 1]], weights[falling[r]]];
    const clear = above > 0 && above >= ratio * below && counts[r] >= 2 && covered[r] >= 0.9 * n;
    if (!clear || (cuts && above === ratio * below)) continue;
    cuts = r;
    ratio = below > 0 ? above / below : Number.POSITIVE_INFINITY;
    if (below === 0) break;
  }
  if (!cuts) {
    const held = new Map([[1, 0]]);
    counts.forEach((count, r) => {
      if (covered[r] >= 0.5 * n) held.set(count, (held.get(count) ?? 0) + 1);
    });
    let best = 1;
    for (const [count, times] of held)
      if (times > held.get(best) || (times === held.get(best) && count > best)) best = count;
    cuts = Math.max(0, counts.indexOf(best));
  }
  return shareOut(weights, falling.slice(0, cuts), smallest);
}

/** Cuts there; runs under `smallest` join a neighbour, lowest weight first, until all positions are in blocks. */
function shareOut(weights, cut, smallest) {
  const n = weights.length + 1;
  const edges = [0, ...cut.map((p) => p + 1).sort((a, b) => a - b), n];
  let runs = edges.slice(1).map((end, i) => ({ start: edges[i], end, holds: end - edges[i] >= smallest }));
  for (const at of [...cut].sort((a, b) => weights[a] - weights[b] || a - b)) {
    const i = runs.findIndex(({ end }) => end === at + 1);
    const [left, right] = [runs[i], runs[i + 1]];
    if (left.holds && right.holds) continue;
    runs = runs.toSpliced(i, 2, { start: left.start, end: right.end, holds: left.holds || right.holds });
  }
  const labels = new Int32Array(n);
  for (const [b, { start, end }] of runs.entries()) labels.fill(b, start, end);
  return labels;
}
