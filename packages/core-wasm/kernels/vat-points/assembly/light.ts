// The tree made anew from the edges found: Kruskal's joins, which edges stay light, and what the rows of the next
// round need to know of it.
import { clearCounts, countKey, sortPairs } from '../../../assembly/sort';
import { float, ptr, setWord, word } from '../../../assembly/words';
import { Edge, Job, SortEntry, Tree, TreeWorker, Worker } from '../memory';
import { NONE, workerOf } from './blocks';
import { setLimits } from './quantised';

// Bytes of an edge.
const EDGE: usize = Edge.size << 2;

/**
 * The bottleneck distance of two points: the largest edge between them in the tree. Joins were made smaller under
 * larger, so that at most 2·log₂ n are climbed.
 */
export function between(tree: usize, i: u32, j: u32): f32 {
  const up = ptr(tree, Tree.up),
    height = ptr(tree, Tree.height);
  let m: f32 = 0;
  while (i != j) {
    const a = load<f32>(height + ((<usize>i) << 2)),
      b = load<f32>(height + ((<usize>j) << 2));
    if (a < b) {
      m = a;
      i = load<u32>(up + ((<usize>i) << 2));
    } else {
      m = b;
      j = load<u32>(up + ((<usize>j) << 2));
    }
  }
  return m;
}

/**
 * Takes the workers' new edges into the tree; of all edges those stay that are in some least spanning tree of what
 * was seen.
 */
export function makeTree(job: usize): void {
  const tree = ptr(job, Job.tree),
    n = word(job, Job.n);
  const sorted = ptr(tree, Tree.sorted),
    count = gather(job, tree);
  // Distances are not negative, so that their bits order like them.
  sortPairs(sorted, ptr(tree, Tree.spare), (<usize>count) << 3, ptr(tree, Tree.counts));
  const up = ptr(tree, Tree.up),
    height = ptr(tree, Tree.height),
    root = ptr(tree, Tree.root),
    size = ptr(tree, Tree.componentSize);
  const next = ptr(tree, Tree.next),
    head = ptr(tree, Tree.head),
    tail = ptr(tree, Tree.tail);
  for (let i: usize = 0; i < (<usize>n) << 2; i += 4) {
    const id = u32(i >> 2);
    store<u32>(up + i, NONE);
    store<f32>(height + i, Infinity);
    store<u32>(root + i, id);
    store<u32>(size + i, 1);
    store<u32>(next + i, NONE);
    store<u32>(head + i, id);
    store<u32>(tail + i, id);
  }
  // Into the array that sorting is done with: those kept so far are still read.
  const kept = ptr(tree, Tree.spare),
    room = word(tree, Tree.room);
  let to: u32 = 0;
  const end = sorted + ((<usize>count) << 3);
  for (let p = sorted; p < end; ) {
    const bits = load<u32>(p);
    let q = p;
    // Equal edges are light together.
    const first = to;
    for (; q < end && load<u32>(q) == bits; q += 8) {
      const e = load<usize>(q, SortEntry.edge << 2);
      const i = word(e, Edge.from),
        j = word(e, Edge.to);
      if (find(root, i) == find(root, j)) continue;
      if (to == room) {
        setWord(tree, Tree.overflow, 1);
        return;
      }
      const k = kept + <usize>to * EDGE;
      setWord(k, Edge.distance, bits);
      setWord(k, Edge.from, i);
      setWord(k, Edge.to, j);
      to++;
    }
    for (let e = first; e < to; e++) {
      const k = kept + <usize>e * EDGE;
      join(tree, find(root, word(k, Edge.from)), find(root, word(k, Edge.to)), reinterpret<f32>(bits));
    }
    p = q;
  }
  setWord(tree, Tree.edges, to);
  memory.copy(ptr(tree, Tree.kept), kept, <usize>to * EDGE);
  memory.fill(ptr(tree, Tree.blockOf), 0xff, (<usize>n) << 2);
}

// Pairs of a distance's bits and where the edge stands, counted for sorting, of the edges kept and of the workers'
// new ones.
function gather(job: usize, tree: usize): u32 {
  const counts = ptr(tree, Tree.counts);
  clearCounts(counts);
  let to = addPairs(ptr(tree, Tree.sorted), ptr(tree, Tree.kept), word(tree, Tree.edges), counts);
  for (let w: u32 = 0; w < word(job, Job.workers); w++) {
    const own = ptr(workerOf(job, w), Worker.tree);
    to = addPairs(to, ptr(own, TreeWorker.edges), word(own, TreeWorker.count), counts);
  }
  return u32((to - ptr(tree, Tree.sorted)) >> 3);
}

function addPairs(to: usize, from: usize, count: u32, counts: usize): usize {
  for (const end = from + <usize>count * EDGE; from < end; from += EDGE, to += 8) {
    const bits = word(from, Edge.distance);
    store<u32>(to, bits);
    store<usize>(to, from, SortEntry.edge << 2);
    countKey(counts, bits);
  }
  return to;
}

// @ts-ignore: decorator
@inline
function find(root: usize, i: u32): u32 {
  let up = load<u32>(root + ((<usize>i) << 2));
  while (up != i) {
    const above = load<u32>(root + ((<usize>up) << 2));
    store<u32>(root + ((<usize>i) << 2), above);
    i = above;
    up = load<u32>(root + ((<usize>i) << 2));
  }
  return i;
}

// Joins two components, smaller under larger, and their orders end to end.
function join(tree: usize, a: u32, b: u32, x: f32): void {
  if (a == b) return;
  const size = ptr(tree, Tree.componentSize),
    head = ptr(tree, Tree.head),
    tail = ptr(tree, Tree.tail);
  let p = (<usize>a) << 2,
    q = (<usize>b) << 2;
  if (load<u32>(size + p) < load<u32>(size + q)) {
    const swap = p;
    p = q;
    q = swap;
  }
  store<u32>(ptr(tree, Tree.up) + q, u32(p >> 2));
  store<f32>(ptr(tree, Tree.height) + q, x);
  store<u32>(ptr(tree, Tree.root) + q, u32(p >> 2));
  store<u32>(size + p, load<u32>(size + p) + load<u32>(size + q));
  const end = (<usize>load<u32>(tail + p)) << 2;
  store<u32>(ptr(tree, Tree.next) + end, load<u32>(head + q));
  store<f32>(ptr(tree, Tree.gap) + end, x);
  store<u32>(tail + p, load<u32>(tail + q));
}

/** For each of a worker's blocks its representative, and how far the others are from that one. */
export function describeBlocks(job: usize, worker: u32): void {
  const tree = ptr(job, Job.tree),
    total = word(job, Job.blocks),
    workers = word(job, Job.workers),
    state = workerOf(job, worker);
  const block = ptr(tree, Tree.blockOf),
    reach = ptr(tree, Tree.reach),
    limits = ptr(tree, Tree.reachLimits),
    tops = ptr(tree, Tree.maxReach);
  const relative4 = f32x4.splat(float(job, Job.relativeTolerance)),
    absolute4 = f32x4.splat(float(job, Job.absoluteTolerance));
  const quantised = word(job, Job.quantised) != 0;
  let ids = ptr(state, Worker.ids);
  for (let g = worker; g < total; g += workers, ids += 64) {
    const to = reach + ((<usize>g) << 6);
    let count: u32 = 0;
    while (count < 16 && load<u32>(ids + ((<usize>count) << 2)) != NONE) count++;
    for (let p = to + ((<usize>count) << 2); p < to + 64; p += 4) store<f32>(p, -1);
    // Of two points the one nearer to the others: one that lies apart would make all limits loose.
    let chosen = count >> 1;
    const other = reaches(tree, ids, count, chosen, to);
    if (reaches(tree, ids, count, 0, to) <= other) chosen = 0;
    else reaches(tree, ids, count, chosen, to);
    let top: f32 = 0;
    for (let p = to; p < to + 64; p += 4) top = max(top, load<f32>(p));
    store<f32>(tops + ((<usize>g) << 2), top);
    const id = load<u32>(ids + ((<usize>chosen) << 2));
    store<u32>(block + ((<usize>id) << 2), g);
    store<u32>(ptr(tree, Tree.representatives) + ((<usize>g) << 2), id);
    if (quantised) setLimits(job, to, limits + ((<usize>g) << 6), relative4, absolute4);
  }
}

/**
 * The blocks in the tree's order, with the largest edge between their representatives; and the largest reach
 * of each sixteen.
 */
export function orderBlocks(job: usize): void {
  const tree = ptr(job, Job.tree),
    tops = ptr(tree, Tree.maxReach),
    all = ptr(tree, Tree.maxReachOf16);
  for (let g: u32 = 0; g < word(job, Job.blocks); g++) {
    const to = all + ((<usize>(g >> 4)) << 2),
      top = load<f32>(tops + ((<usize>g) << 2));
    store<f32>(to, g & 15 ? max(load<f32>(to), top) : top);
  }
  const block = ptr(tree, Tree.blockOf),
    next = ptr(tree, Tree.next),
    gap = ptr(tree, Tree.gap),
    order = ptr(tree, Tree.blockOrder),
    gaps = ptr(tree, Tree.blockGaps),
    place = ptr(tree, Tree.blockPlace);
  let id = load<u32>(ptr(tree, Tree.head) + ((<usize>find(ptr(tree, Tree.root), 0)) << 2));
  let m: f32 = 0;
  let p: usize = 0;
  for (;;) {
    const b = load<u32>(block + ((<usize>id) << 2));
    if (b != NONE) {
      store<u32>(order + p, b);
      store<f32>(gaps + p, m);
      store<u32>(place + ((<usize>b) << 2), u32(p >> 2));
      p += 4;
      m = 0;
    }
    const after = load<u32>(next + ((<usize>id) << 2));
    if (after == NONE) break;
    m = max(m, load<f32>(gap + ((<usize>id) << 2)));
    id = after;
  }
}

function reaches(tree: usize, ids: usize, count: u32, lane: u32, to: usize): f32 {
  const from = load<u32>(ids + ((<usize>lane) << 2));
  let sum: f32 = 0;
  for (let i: usize = 0; i < (<usize>count) << 2; i += 4) {
    const x = between(tree, from, load<u32>(ids + i));
    store<f32>(to + i, x);
    sum += x;
  }
  return sum;
}
