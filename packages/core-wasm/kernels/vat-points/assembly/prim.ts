// Prim's order on the edges that are left, with a heap of edges: the least distance first, of equals the lowest new
// point, of these the lowest visited one.
import { ptr, word } from '../../../assembly/words';
import { Edge, HeapEntry, Job, Neighbour, Tree } from '../memory';

const ENTRY: usize = HeapEntry.size << 2;
const EDGE: usize = Edge.size << 2;

/** Writes order, weights and parents of the job, from the point `start` on. */
export function primOnTree(job: usize, start: u32): void {
  const tree = ptr(job, Job.tree),
    n = word(job, Job.n),
    count = word(tree, Tree.edges);
  // Over both arrays to sort in: they have room for 28 bytes an edge (../layout.ts).
  const kept = ptr(tree, Tree.kept),
    neighbours = ptr(tree, Tree.sorted),
    heap = neighbours + ((<usize>count) << 4);
  const end = ptr(tree, Tree.componentSize),
    visited = ptr(tree, Tree.root);
  // Where each point's neighbours end; then, filled from behind, where they begin.
  memory.fill(end, 0, (<usize>n) << 2);
  memory.fill(visited, 0, (<usize>n) << 2);
  for (let e = kept; e < kept + <usize>count * EDGE; e += EDGE) {
    const i = end + ((<usize>word(e, Edge.from)) << 2),
      j = end + ((<usize>word(e, Edge.to)) << 2);
    store<u32>(i, load<u32>(i) + 1);
    store<u32>(j, load<u32>(j) + 1);
  }
  const begin = ptr(tree, Tree.next);
  let sum: u32 = 0;
  for (let i: usize = 0; i < (<usize>n) << 2; i += 4) {
    sum += load<u32>(end + i);
    store<u32>(end + i, sum);
    store<u32>(begin + i, sum);
  }
  for (let e = kept; e < kept + <usize>count * EDGE; e += EDGE) {
    const bits = word(e, Edge.distance),
      i = word(e, Edge.from),
      j = word(e, Edge.to);
    addNeighbour(neighbours, begin, i, j, bits);
    addNeighbour(neighbours, begin, j, i, bits);
  }
  const order = ptr(job, Job.order),
    weights = ptr(job, Job.weights),
    parents = weights + ((<usize>n) << 2);
  let v = start;
  let size: u32 = 0;
  store<u32>(order, v);
  for (let k: usize = 1; k < <usize>n; k++) {
    store<u32>(visited + ((<usize>v) << 2), 1);
    const stop = neighbours + ((<usize>load<u32>(end + ((<usize>v) << 2))) << 3);
    for (let p = neighbours + ((<usize>load<u32>(begin + ((<usize>v) << 2))) << 3); p < stop; p += 8) {
      const to = load<u32>(p);
      if (load<u32>(visited + ((<usize>to) << 2))) continue;
      push(heap, size, ((<u64>load<u32>(p, Neighbour.distance << 2)) << 32) | <u64>to, v);
      size++;
    }
    for (;;) {
      const key = load<u64>(heap),
        from = load<u32>(heap, HeapEntry.from << 2);
      size--;
      sift(heap, size);
      v = <u32>key;
      if (load<u32>(visited + ((<usize>v) << 2))) continue;
      store<u32>(order + (k << 2), v);
      store<u32>(weights + ((k - 1) << 2), u32(key >> 32));
      store<u32>(parents + ((k - 1) << 2), from);
      break;
    }
  }
}

// @ts-ignore: decorator
@inline
function addNeighbour(neighbours: usize, begin: usize, i: u32, j: u32, bits: u32): void {
  const p = begin + ((<usize>i) << 2);
  const at = load<u32>(p) - 1;
  store<u32>(p, at);
  const to = neighbours + ((<usize>at) << 3);
  store<u32>(to, j);
  store<u32>(to, bits, Neighbour.distance << 2);
}

// @ts-ignore: decorator
@inline
function less(key: u64, from: u32, entry: usize): bool {
  const other = load<u64>(entry);
  return key < other || (key == other && from < load<u32>(entry, HeapEntry.from << 2));
}

function push(heap: usize, size: u32, key: u64, from: u32): void {
  let i = size;
  while (i > 0) {
    const above = (i - 1) >> 1;
    const p = heap + <usize>above * ENTRY;
    if (!less(key, from, p)) break;
    put(heap, i, load<u64>(p), load<u32>(p, HeapEntry.from << 2));
    i = above;
  }
  put(heap, i, key, from);
}

// Takes the first entry out: the last, number `size`, finds a place from there down.
function sift(heap: usize, size: u32): void {
  const last = heap + <usize>size * ENTRY;
  const key = load<u64>(last),
    from = load<u32>(last, HeapEntry.from << 2);
  let i: u32 = 0;
  for (;;) {
    let child: u32 = 2 * i + 1;
    if (child >= size) break;
    let p = heap + <usize>child * ENTRY;
    if (child + 1 < size && less(load<u64>(p + ENTRY), load<u32>(p + ENTRY, HeapEntry.from << 2), p)) {
      child++;
      p += ENTRY;
    }
    if (!less(load<u64>(p), load<u32>(p, HeapEntry.from << 2), last)) break;
    put(heap, i, load<u64>(p), load<u32>(p, HeapEntry.from << 2));
    i = child;
  }
  put(heap, i, key, from);
}

// @ts-ignore: decorator
@inline
function put(heap: usize, i: u32, key: u64, from: u32): void {
  const p = heap + <usize>i * ENTRY;
  store<u64>(p, key);
  store<u32>(p, from, HeapEntry.from << 2);
}
