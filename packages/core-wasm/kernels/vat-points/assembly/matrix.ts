// Few points: all distances as a dense matrix, by the same sums, then VAT of it (../../vat).
import { sum4 } from '../../../assembly/lanes';
import { ptr, setWord, word } from '../../../assembly/words';
import { vatFarthest, vatSteps } from '../../vat/assembly';
import { Farthest } from '../../vat/memory';
import { Job, PointRecord, Sync, Worker } from '../memory';
import { atBarrier } from './barrier';
import { blockBytes, gather, record, workerOf } from './blocks';
import { clear, insert, mutual } from './cores';
import { distances, term } from './distances';

/**
 * One unit of a worker's work: a block's rows of the matrix; with the last of them VAT. 0: call again, 1: done, 2:
 * cancelled, 3: aborted.
 */
export function matrixUnit(job: usize, worker: u32, l1: bool): u32 {
  const state = workerOf(job, worker),
    sync = ptr(job, Job.sync),
    workers = word(job, Job.workers),
    blocks = word(job, Job.blocks);
  const row = word(state, Worker.row),
    g = row * workers + worker;
  if (g < blocks) {
    if (word(job, Job.asRecords)) rowsOfRecords(job, g, l1);
    else rowsOfBlocks(job, state, g, l1);
  }
  setWord(state, Worker.row, row + 1);
  if ((row + 1) * workers < blocks) return 0;
  if (!atBarrier(job, state)) return 3;
  if (worker == 0) {
    if (atomic.load<u32>(sync + (Sync.cancel << 2)) != 0) atomic.store<u32>(sync + (Sync.stopAfter << 2), 1);
    else order(job, state);
  }
  if (!atBarrier(job, state)) return 3;
  return atomic.load<u32>(sync + (Sync.stopAfter << 2)) ? 2 : 1;
}

// Four rows at a time, so that the others are read a quarter as often.
// @ts-ignore: decorator
@inline
function rowsOfRecords(job: usize, g: u32, l1: bool): void {
  const n = word(job, Job.n),
    size = ptr(job, Job.recordBytes),
    records = ptr(job, Job.records);
  const bytes = (<usize>((word(job, Job.d) + 3) >> 2)) << 4;
  for (let i = g << 4; i < min((g + 1) << 4, n); i += 4) {
    for (let j = i; j < n; j++) {
      const q = records + <usize>j * size;
      if (l1) {
        twoDistances(job, i, j, q, bytes, true);
        if (i + 2 < n) twoDistances(job, i + 2, j, q, bytes, true);
      } else {
        twoDistances(job, i, j, q, bytes, false);
        if (i + 2 < n) twoDistances(job, i + 2, j, q, bytes, false);
      }
    }
  }
}

// Distances of points i and i + 1, if there is one, to point j, whose record is at q: the sums of `recordDistance`.
// @ts-ignore: decorator
@inline
function twoDistances(job: usize, i: u32, j: u32, q: usize, bytes: usize, l1: bool): void {
  const n = word(job, Job.n),
    other = min(i + 1, n - 1);
  const a = record(job, i),
    b = record(job, other),
    tag = word(q, PointRecord.tag);
  const end = q + (PointRecord.size << 2) + bytes,
    whole = end - (bytes & 63);
  let p = a + (PointRecord.size << 2),
    r = b + (PointRecord.size << 2);
  const zero = f32x4.splat(0);
  let s0 = zero,
    s1 = zero,
    s2 = zero,
    s3 = zero,
    t0 = zero,
    t1 = zero,
    t2 = zero,
    t3 = zero;
  q += PointRecord.size << 2;
  for (; q < whole; p += 64, q += 64, r += 64) {
    const x0 = v128.load(q),
      x1 = v128.load(q, 16);
    s0 = term(s0, v128.load(p), x0, l1);
    t0 = term(t0, v128.load(r), x0, l1);
    s1 = term(s1, v128.load(p, 16), x1, l1);
    t1 = term(t1, v128.load(r, 16), x1, l1);
    const x2 = v128.load(q, 32),
      x3 = v128.load(q, 48);
    s2 = term(s2, v128.load(p, 32), x2, l1);
    t2 = term(t2, v128.load(r, 32), x2, l1);
    s3 = term(s3, v128.load(p, 48), x3, l1);
    t3 = term(t3, v128.load(r, 48), x3, l1);
  }
  for (; q < end; p += 16, q += 16, r += 16) {
    const x = v128.load(q);
    s0 = term(s0, v128.load(p), x, l1);
    t0 = term(t0, v128.load(r), x, l1);
  }
  setBoth(job, i, j, word(a, PointRecord.tag) == tag ? sum4(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3))) : 2);
  setBoth(job, other, j, word(b, PointRecord.tag) == tag ? sum4(f32x4.add(f32x4.add(t0, t1), f32x4.add(t2, t3))) : 2);
}

// @ts-ignore: decorator
@inline
function setBoth(job: usize, i: u32, j: u32, x: f32): void {
  const n = word(job, Job.n),
    matrix = ptr(job, Job.matrix);
  store<f32>(matrix + ((<usize>i * n + j) << 2), x);
  store<f32>(matrix + ((<usize>j * n + i) << 2), x);
}

// Blocks stand in the order of indices.
// @ts-ignore: decorator
@inline
function rowsOfBlocks(job: usize, state: usize, g: u32, l1: bool): void {
  const n = word(job, Job.n),
    d = word(job, Job.d),
    rows = d + word(job, Job.tagRows),
    tagged = word(job, Job.tagRows) != 0;
  const workers = word(job, Job.workers),
    bytes = blockBytes(job),
    row = ptr(state, Worker.rows),
    out = ptr(state, Worker.out);
  const limits = ptr(state, Worker.infinities),
    points = ptr(state, Worker.points);
  for (let i = g << 4; i < min((g + 1) << 4, n); i++) {
    gather(points, rows, ((g / workers) << 4) | (i & 15), row);
    for (let b = g; b < word(job, Job.blocks); b++) {
      const block = ptr(workerOf(job, b % workers), Worker.points) + <usize>(b / workers) * bytes;
      if (l1) distances(block, row, d, tagged, true, limits, out);
      else distances(block, row, d, tagged, false, limits, out);
      const first = b << 4;
      for (let j = first; j < min(first + 16, n); j++) {
        setBoth(job, i, j, load<f32>(out + ((<usize>(j - first)) << 2)));
      }
    }
  }
}

// Distances become mutual reachabilities.
function toMutual(job: usize, state: usize): void {
  const n = word(job, Job.n),
    k = word(job, Job.core),
    matrix = ptr(job, Job.matrix),
    list = ptr(state, Worker.neighbours);
  for (let i: u32 = 0; i < n; i++) {
    clear(list, k, Infinity);
    let kth: f32 = Infinity;
    for (let j: u32 = 0; j < n; j++) if (j != i) kth = insert(list, k, load<f32>(matrix + ((<usize>i * n + j) << 2)));
    store<f32>(ptr(job, Job.cores) + ((<usize>i) << 2), kth);
  }
  for (let i: u32 = 0; i < n; i++) {
    for (let j: u32 = 0; j < i; j++)
      setBoth(job, i, j, mutual(job, load<f32>(matrix + ((<usize>i * n + j) << 2)), i, j));
  }
}

// The keys of VAT lie behind the matrix.
function order(job: usize, state: usize): void {
  const n = word(job, Job.n),
    matrix = ptr(job, Job.matrix),
    best = ptr(state, Worker.out),
    key = matrix + ((<usize>n * n) << 2);
  if (word(job, Job.core)) toMutual(job, state);
  for (let k: u32 = 0; k < <u32>Farthest.size; k++) setWord(best, k, 0);
  vatFarthest(matrix, n, 0, n, best);
  store<u32>(ptr(job, Job.order), word(best, Farthest.row));
  for (let i: usize = 0; i < (<usize>n) << 2; i += 4) store<f32>(key + i, Infinity);
  const weights = ptr(job, Job.weights);
  vatSteps(matrix, n, key, ptr(job, Job.order), weights, weights + ((<usize>n) << 2), 1, n + 1);
}
