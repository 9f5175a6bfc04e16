// Bounds of distances to and between boxes of blocks: lowest and highest of each row side by side, as many rows as there are. The last may be the
// norm of what a projection leaves out.

/** Lower bound of the distances between two blocks' boxes. */
// @ts-ignore: decorator
@inline
export function leastBetween(a: usize, b: usize, rows: u32, l1: bool): f32 {
  const zero = f32x4.splat(0), signs = f32x4(1, -1, 1, -1);
  let sum = zero;
  const end = a + (<usize>(rows & ~1) << 3);
  for (; a < end; a += 16, b += 16) {
    const y = v128.load(b);
    const t = f32x4.pmax(zero, f32x4.mul(f32x4.sub(v128.load(a), i32x4.shuffle(y, y, 1, 0, 3, 2)), signs));
    sum = f32x4.add(sum, l1 ? t : f32x4.mul(t, t));
  }
  let all = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3));
  if (rows & 1) {
    const t = max<f32>(0, max(load<f32>(a) - load<f32>(b, 4), load<f32>(b) - load<f32>(a, 4)));
    all += l1 ? t : t * t;
  }
  return all;
}

/** Lower bound of the distances from bound rows at `v` to a block's box. */
// @ts-ignore: decorator
@inline
export function leastTo(box: usize, v: usize, rows: u32, l1: bool): f32 {
  const zero = f32x4.splat(0), signs = f32x4(-1, 1, -1, 1);
  let sum = zero;
  const end = v + (<usize>(rows & ~1) << 2);
  for (; v < end; v += 8, box += 16) {
    const y = v128.load64_zero(v);
    const t = f32x4.pmax(zero, f32x4.mul(f32x4.sub(i32x4.shuffle(y, y, 0, 0, 1, 1), v128.load(box)), signs));
    sum = f32x4.add(sum, l1 ? t : f32x4.mul(t, t));
  }
  let all = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3));
  if (rows & 1) {
    const t = max<f32>(0, max(load<f32>(box) - load<f32>(v), load<f32>(v) - load<f32>(box, 4)));
    all += l1 ? t : t * t;
  }
  return all;
}

/** Upper bound of the distances between two blocks' boxes. */
// @ts-ignore: decorator
@inline
export function mostBetween(a: usize, b: usize, rows: u32, norm: bool, l1: bool): f32 {
  const signs = f32x4(-1, 1, -1, 1);
  let sum = f32x4.splat(0);
  // The last row holds norms of what the projection leaves out: at worst they point apart.
  const plain = norm ? rows - 1 : rows;
  const end = a + (<usize>(plain & ~1) << 3);
  for (; a < end; a += 16, b += 16) {
    const y = v128.load(b);
    const t = f32x4.mul(f32x4.sub(v128.load(a), i32x4.shuffle(y, y, 1, 0, 3, 2)), signs);
    const u = f32x4.pmax(t, i32x4.shuffle(t, t, 1, 0, 3, 2));
    sum = f32x4.add(sum, l1 ? u : f32x4.mul(u, u));
  }
  let all = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 2);
  if (plain & 1) {
    const t = max(load<f32>(a, 4) - load<f32>(b), load<f32>(b, 4) - load<f32>(a));
    all += l1 ? t : t * t;
    a += 8;
    b += 8;
  }
  if (norm) {
    const t = load<f32>(a, 4) + load<f32>(b, 4);
    all += l1 ? t : t * t;
  }
  return all;
}

/** Upper bound of the distances from bound rows at `v` to a block's box. */
// @ts-ignore: decorator
@inline
export function mostTo(box: usize, v: usize, rows: u32, norm: bool, l1: bool): f32 {
  const signs = f32x4(1, -1, 1, -1);
  let sum = f32x4.splat(0);
  // The last row holds norms of what the projection leaves out: at worst they point apart.
  const plain = norm ? rows - 1 : rows;
  const end = v + (<usize>(plain & ~1) << 2);
  for (; v < end; v += 8, box += 16) {
    const y = v128.load64_zero(v);
    const t = f32x4.mul(f32x4.sub(i32x4.shuffle(y, y, 0, 0, 1, 1), v128.load(box)), signs);
    const u = f32x4.pmax(t, i32x4.shuffle(t, t, 1, 0, 3, 2));
    sum = f32x4.add(sum, l1 ? u : f32x4.mul(u, u));
  }
  let all = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 2);
  if (plain & 1) {
    const t = max(load<f32>(v) - load<f32>(box), load<f32>(box, 4) - load<f32>(v));
    all += l1 ? t : t * t;
    v += 4;
    box += 8;
  }
  if (norm) {
    const t = load<f32>(v) + load<f32>(box, 4);
    all += l1 ? t : t * t;
  }
  return all;
}
