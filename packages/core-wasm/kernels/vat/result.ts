/**
 * Prim order of a set of n samples (VAT; Bezdek & Hathaway 2002): O(n), and all that VAT and iVAT pictures need.
 * Position k+1 was attached by an edge of weight `weights[k]` to sample `parent[k]`.
 */
export interface VatResult {
  /** uint32[n]: the sample at each position, a permutation of 0..n−1. */
  order: Uint32Array;
  /** float32[max(n−1, 0)], ≥ 0: weight of the minimum spanning tree edge that attaches position k+1. */
  weights: Float32Array;
  /** uint32[max(n−1, 0)]: the sample (not position) to which position k+1 is attached. */
  parent: Uint32Array;
}
