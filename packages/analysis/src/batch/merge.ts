import { guard } from '@epochscope/core-wasm';
import type { Store } from '../stores/types.js';
import { EdgeFilter, type Edges } from './edges.js';
import { openPartArray, type StoredPart } from './parts.js';

/** Bytes of edges of all parts in memory at once. */
const AT_ONCE = 100e6;

/** Edges of one part, in order, a piece at a time: key, higher end, lower end of each. */
interface Stream {
  piece: Uint32Array;
  at: number;
  next: number;
  length: number;
  read(from: number, to: number): Promise<Uint32Array>;
}

/**
 * The edges that Prim needs of all parts together: they come in order, and so does their union. Memory O(n) and `AT_ONCE`, whatever the
 * number of edges. Throws `format` for edges that are none, `memory` past `limit`. `onProgress` counts edges.
 */
export async function mergeEdges(
  store: Store,
  heads: readonly StoredPart[],
  n: number,
  {
    limit,
    signal,
    onProgress,
  }: { limit: number; signal?: AbortSignal; onProgress?: (done: number, total: number) => void },
): Promise<Edges> {
  const room = 3 * Math.max(1024, Math.floor(AT_ONCE / 12 / Math.max(1, heads.length)));
  const streams: Stream[] = [];
  let total = 0;
  for (const { key, output } of heads) {
    const array = await openPartArray(store, key, (output as { edges: Record<string, unknown> }).edges);
    total += array.length;
    if (array.length)
      streams.push({ piece: new Uint32Array(0), at: 0, next: 0, length: array.length, read: array.read });
  }
  const fill = async (stream: Stream) => {
    const to = Math.min(stream.length, stream.next + room);
    stream.piece = await stream.read(stream.next, to);
    stream.next = to;
    stream.at = 0;
  };
  for (const stream of streams) await fill(stream);
  const filter = new EdgeFilter(n, limit);
  // A heap of streams by the edge at hand.
  const heap: Stream[] = [];
  const before = (a: Stream, b: Stream): boolean => {
    const [p, q] = [a.piece, b.piece];
    const [i, j] = [a.at, b.at];
    if (p[i] !== q[j]) return p[i]! < q[j]!;
    if (p[i + 1] !== q[j + 1]) return p[i + 1]! < q[j + 1]!;
    return p[i + 2]! < q[j + 2]!;
  };
  const sink = (from: number) => {
    const stream = heap[from]!;
    let i = from;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, stream)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = stream;
  };
  heap.push(...streams);
  for (let i = heap.length >> 1; i >= 0; i--) if (i < heap.length) sink(i);
  let done = 0;
  let told = 0;
  while (heap.length) {
    const stream = heap[0]!;
    const { piece, at } = stream;
    const [key, high, low] = [piece[at]!, piece[at + 1]!, piece[at + 2]!];
    guard(
      low < high && high < n && key <= 0x7f800000,
      'format',
      () => `a part holds an edge between ${low} and ${high} of ${n} points`,
    );
    filter.add(low, high, key);
    stream.at += 3;
    done += 3;
    if (stream.at === piece.length) {
      if (stream.next < stream.length) await fill(stream);
      else {
        const last = heap.pop()!;
        if (heap.length) heap[0] = last;
      }
      if (done - told > 3e5) {
        told = done;
        signal?.throwIfAborted();
        onProgress?.(done / 3, total / 3);
      }
    }
    if (heap.length) sink(0);
  }
  onProgress?.(total / 3, total / 3);
  return filter.finish();
}
