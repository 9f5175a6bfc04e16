// The blocks of vat-points: Prim's order straight from points, on one worker or several over one memory. Nothing n×n is ever held.
//
// Points lie transposed in blocks of 16: row k of a block is coordinate k of its 16 points. Beside them lie a few bound rows a
// block: an orthonormal projection and the norm of what it leaves out (or chosen coordinates and the rest's L1 norm). From
// them follow lower and upper bounds of a distance; they only decide what need not be computed, with a margin for rounding, and
// so never change a result. A visited point's key is −1, and every so often the living are moved together in order.
//
// Memory contract (written by job.ts; u32 words). Job: 0 n, 1 d, 2 bound rows m, 3 L1, 4 workers, 5 tag rows (0 or 1), 6 order u32[n],
// 7 weights f32[n] and parents u32[n], 8 candidates, 9 bytes of one, 10 states, 11 sync, 12 f32 grow and 13 f32 slack (margin of the
// bounds), 14 blocks in all, 15 boxes: f32 lowest and highest of each of 16 box rows per block, 17 the last box row is such a norm,
// 18 visited points in order, each as a candidate, if 19 is 1: blocks may owe distances. Worker state: 0 points, 1 bounds, 2 keys, 3 ids, 4 parents, 5 out f32[16], 6 least key
// and 7 its id per block, 8 blocks, 9 Prim's step, 10 row of the search, 11 epoch, 12 f32 largest distance and 13 its lowest index,
// 14 f32[16] of +∞, 15 living points, 16 scratch of 16 candidates, 17 boxes of its own blocks: per box row the lowest of each block, then the highest,
// 19 floats of one of these, 18 f32 lower bound of what each block owes, 20 the number of the first visited point that it may owe, 21 largest key per block.
// 22 squared norms of its points, 23 products f32[4 × 16], 24 points left when the living were last moved together.
// Job word 20: 1 if products may decide which distances are computed, 21 f32 margin of these relative to the norms.
// Sync, one a cache line: byte 0 arrivals, 64 sleepers, 128 cancel, 192 abort, 256 largest distance, 320 step to stop after,
// 384 and 448 least key known in even and odd steps. A candidate: key, id, parent, slot, the worker's next key after this one, squared
// norm, 2 unused; then bound row and coordinates. Global block g is block ⌊g / workers⌋ of worker g mod workers.

export const NONE: u32 = 0xffffffff;
// Bytes of a candidate before its rows.
export const HEAD: usize = 32;
// Coordinates between two looks at the limits.
const GROUP: u32 = 16;

// @ts-ignore: decorator
@inline
export function word(base: usize, index: usize): u32 {
  return load<u32>(base + (index << 2));
}

// @ts-ignore: decorator
@inline
export function ptr(job: usize, index: usize): usize {
  return <usize>load<u32>(job + (index << 2));
}

// @ts-ignore: decorator
@inline
export function stateOf(job: usize, worker: u32): usize {
  return ptr(job, 10) + <usize>worker * 128;
}

// @ts-ignore: decorator
@inline
export function candidate(job: usize, parity: u32, worker: u32): usize {
  return ptr(job, 8) + <usize>((parity & 1) * word(job, 4) + worker) * ptr(job, 9);
}

// One term of a distance: (x−y)² or |x−y|.
// @ts-ignore: decorator
@inline
export function term(acc: v128, x: v128, y: v128, l1: bool): v128 {
  const t = f32x4.sub(x, y);
  return f32x4.add(acc, l1 ? f32x4.abs(t) : f32x4.mul(t, t));
}

// Distances (squared for L2) of point v (coordinates in a row at `v`) to a block's 16 points into out[16]; false, with out unfinished, once
// every partial sum is over the lane's limit. Sums only grow, so that nothing at or under its limit is ever given up.
// @ts-ignore: decorator
@inline
export function distances(block: usize, v: usize, d: u32, tagged: bool, l1: bool, limits: usize, out: usize): bool {
  const K0 = v128.load(limits), K1 = v128.load(limits, 16), K2 = v128.load(limits, 32), K3 = v128.load(limits, 48);
  let a = f32x4.splat(0), b = a, c = a, e = a;
  let p = block;
  let q = v;
  let k: u32 = 0;
  while (k < d) {
    const end = min(k + GROUP, d);
    for (; k < end; k++) {
      const y = v128.load32_splat(q);
      a = term(a, v128.load(p), y, l1);
      b = term(b, v128.load(p, 16), y, l1);
      c = term(c, v128.load(p, 32), y, l1);
      e = term(e, v128.load(p, 48), y, l1);
      p += 64;
      q += 4;
    }
    const open = v128.or(v128.or(f32x4.le(a, K0), f32x4.le(b, K1)), v128.or(f32x4.le(c, K2), f32x4.le(e, K3)));
    if (!v128.any_true(open)) return false;
  }
  if (tagged) {
    // Zero vectors of cosine and correlation carry tag 1: at exactly 2 (distance 1) from all that do not.
    const y = v128.load32_splat(q);
    const two = f32x4.splat(2);
    a = v128.bitselect(a, two, f32x4.eq(v128.load(p), y));
    b = v128.bitselect(b, two, f32x4.eq(v128.load(p, 16), y));
    c = v128.bitselect(c, two, f32x4.eq(v128.load(p, 32), y));
    e = v128.bitselect(e, two, f32x4.eq(v128.load(p, 48), y));
  }
  v128.store(out, a);
  v128.store(out, b, 16);
  v128.store(out, c, 32);
  v128.store(out, e, 48);
  return true;
}

// Writes slot's point as a worker's candidate, all but the next key.
export function publish(job: usize, state: usize, slot: u32, to: usize): void {
  const d = word(job, 1) + word(job, 5), m = word(job, 2);
  const at = <usize>slot << 2;
  store<f32>(to, load<f32>(ptr(state, 2) + at));
  store<u32>(to, load<u32>(ptr(state, 3) + at), 4);
  store<u32>(to, load<u32>(ptr(state, 4) + at), 8);
  store<u32>(to, slot, 12);
  store<f32>(to, load<f32>(ptr(state, 22) + at), 20);
  gather(ptr(state, 1), m, slot, to + HEAD);
  gather(ptr(state, 0), d, slot, to + HEAD + (<usize>m << 2));
}

export function gather(base: usize, rows: u32, slot: u32, to: usize): void {
  let p = base + <usize>(slot >> 4) * (<usize>rows << 6) + (<usize>(slot & 15) << 2);
  for (let k: u32 = 0; k < rows; k++) {
    store<f32>(to, load<f32>(p));
    p += 64;
    to += 4;
  }
}
