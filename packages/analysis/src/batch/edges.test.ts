import { describe, expect, it } from 'vitest';
import { random } from '../random.js';
import { EdgeFilter, edgeCount, sortEdges } from './edges.js';
import { primOnEdges } from './prim.js';

/** Plain Prim on a whole matrix of integer keys. */
function reference(n: number, key: (i: number, j: number) => number, start: number) {
  const order = [start];
  const weights: number[] = [];
  const parent: number[] = [];
  while (order.length < n) {
    let best: [key: number, to: number, from: number] | null = null;
    for (let to = 0; to < n; to++) {
      if (order.includes(to)) continue;
      for (const from of order) {
        const found: [number, number, number] = [key(from, to), to, from];
        const less =
          !best ||
          found[0] < best[0] ||
          (found[0] === best[0] && (found[1] < best[1] || (found[1] === best[1] && found[2] < best[2])));
        if (less) best = found;
      }
    }
    order.push(best![1]);
    weights.push(best![0]);
    parent.push(best![2]);
  }
  return { order, weights, parent };
}

const bitsOf = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0]!;

describe('edges thinned in parts', () => {
  it('give Prim’s order on all pairs, whatever ties there are', () => {
    const draw = random(1);
    for (let round = 0; round < 400; round++) {
      const n = 2 + draw.below(26);
      const levels = 1 + draw.below(6);
      const table = Array.from({ length: n * n }, () => draw.below(levels));
      const key = (i: number, j: number) => table[Math.min(i, j) * n + Math.max(i, j)]!;
      const start = draw.below(n);
      // Parts of the pairs, each thinned, then thinned together.
      const parts = 1 + draw.below(5);
      const filters = Array.from({ length: parts }, () => ({
        low: [] as number[],
        high: [] as number[],
        keys: [] as number[],
      }));
      for (let i = 0; i < n; i++)
        for (let j = i + 1; j < n; j++) {
          const part = filters[draw.below(parts)]!;
          part.low.push(i);
          part.high.push(j);
          part.keys.push(bitsOf(key(i, j)));
        }
      const thin = (edges: { low: number[]; high: number[]; keys: number[] }) => {
        const { low, high, keys } = sortEdges({
          low: Uint32Array.from(edges.low),
          high: Uint32Array.from(edges.high),
          keys: Uint32Array.from(edges.keys),
        });
        const filter = new EdgeFilter(n);
        for (let e = 0; e < keys.length; e++) filter.add(low[e]!, high[e]!, keys[e]!);
        return filter.finish();
      };
      const thinned = filters.map(thin);
      const edges = thin({
        low: thinned.flatMap(({ low }) => [...low]),
        high: thinned.flatMap(({ high }) => [...high]),
        keys: thinned.flatMap(({ keys }) => [...keys]),
      });
      const vat = primOnEdges(edges, { n, start, metric: 'manhattan', unit: 1 });
      const got = { order: [...vat.order], weights: [...vat.weights], parent: [...vat.parent] };
      expect(got, `round ${round}: n ${n}, levels ${levels}, parts ${parts}`).toEqual(
        reference(n, key, start),
      );
      if (levels === 1) expect(edgeCount(edges)).toBe(n - 1);
    }
  });

  it('are refused where ties alone take more than is allowed', () => {
    // A cycle of equal edges through many points, none of which has a lower one in common with another.
    const n = 4000;
    const filter = new EdgeFilter(n, 100_000);
    expect(() => {
      for (let high = 1; high < n; high++)
        for (let low = high - 1; low >= 0 && low > high - 40; low -= 2)
          if ((low + high) % 2) filter.add(low, high, 1);
    }).toThrow(/ties take more than 100 kB; allow more by `memory`/);
  });
});
