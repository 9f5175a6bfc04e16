// linkage: what a row of a joined cluster is made of.

/**
 * Lance–Williams for average linkage in four columns: a + w·(b − a), never below the lower of the two. w: the share
 * of b's cluster.
 */
// @ts-ignore: decorator
@inline
export function mean(a: v128, b: v128, w: v128): v128 {
  return f32x4.pmax(f32x4.add(a, f32x4.mul(w, f32x4.sub(b, a))), f32x4.pmin(a, b));
}
