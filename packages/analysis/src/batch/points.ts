import { EpochscopeError, formatBytes, type Metric } from '@epochscope/core-wasm';
import { sampleOfVatPoints, vatPointsBytes, vatPointsPlan } from '@epochscope/core-wasm/jobs';
import type { Engine, JobOptions, VatPointsPlan, VatResult } from '../engine/types.js';
import { bytesOf, DTYPE_BYTES } from '../formats/dtypes.js';
import type { TensorData } from '../formats/types.js';
import { type Conversion, isRounded, kernelMetric } from '../matrices/conversion.js';
import { conversionOf, convertedPoints, countFlat } from '../matrices/points.js';
import { type RowChoice, type RowSource, tensorRows } from '../matrices/rows.js';
import type { Space } from '../methods/tendency/space.js';
import type { Store } from '../stores/types.js';
import { keyOf, sha256 } from '../workflows/keys.js';
import { EdgeBag, type Edges, edgesOf } from './edges.js';
import { mergeEdges } from './merge.js';
import { type StoredPart, writePart } from './parts.js';
import { notWorthARetry } from './plan.js';
import { blockStart, blocksOfOrder, ORDERS, projectiveCover } from './plane.js';
import { primOnEdges } from './prim.js';

/** VAT of n points over tasks: all that makes a task's bits those of one machine. Plain JSON. */
export interface PointsPlan {
  n: number;
  /** Rows of the file that the n points are: null for all; else their hash, as the list itself comes with the command. */
  chosen: string | null;
  conversion: Conversion;
  /** Rows without a direction, for cosine and correlation. */
  zeros: number;
  /** Of the kernels: order of coordinates, unit, form of the sum. */
  kernel: { dimensions: number[]; unit: number; records: boolean };
  /** Order of the cover, see `projectiveCover`. */
  order: number;
  /** SHA-256 of each block's rows as they were read. */
  hashes: string[];
}

/** What a task answers. */
export interface PointsPart {
  /** uint32[3·m]: key, higher and lower end of each edge, in this order. */
  edges: Uint32Array;
  /** Largest key of the task's pairs, and the lowest point that has it; −1 where there is no pair. */
  largest: number;
  start: number;
  /** Of the blocks that no earlier task holds, in turn: by how much rows were rounded (see `Space`); null where none was. */
  rounding: { errors: Float64Array; traces: Float64Array } | null;
}

/** Bytes of rows that are read at once, twice: as they stand and as float32. */
const READING = 40e6;
/** Bytes of a bare process with kernels and workers. */
const PROCESS = 130e6;

/** Bytes for each point of a task: what JavaScript holds while it prepares, then the edges; measured by scripts/batch-costs.mjs. */
const EDGES = 1100;

/** Points of the largest task. */
export const pointsOfTask = (n: number, order: number): number =>
  order === 0 ? n : Math.min(n, (order + 1) * Math.ceil(n / blocksOfOrder(order)));

/** Points of n × d in all that kernels keep twice, as records: the rule of the kernels' plan. */
const twice = (n: number, d: number): boolean => d >= 48 && n * d < 2 ** 28;

/**
 * Estimated peak of a task of m of n points of d coordinates, the process included: the kernels' memory, the points beside it, what JavaScript holds while
 * it prepares, the edges.
 */
export function taskBytes(m: number, d: number, n: number): number {
  const kernels = vatPointsBytes(m, d) - (twice(m, d) && !twice(n, d) ? 4 * m * d : 0);
  return PROCESS + READING + kernels + 4 * m * d + EDGES * m;
}

/** Points of so many bytes are read whole when parts are put together. */
export const WHOLE = 256e6;

/** Estimated peak of putting n points of d coordinates together. */
export const mergeBytes = (n: number, d: number): number =>
  PROCESS + 200e6 + 130 * n + (4 * n * d <= WHOLE ? 4 * n * d : 0);

/** Of what is allowed, bytes of edges that are kept then: Prim's algorithm takes more than as much again for them. */
const mergedEdges = (n: number, d: number, memory: number): number =>
  60 * n + (3 / 7) * Math.max(0, memory - mergeBytes(n, d));

/** The smallest order whose tasks fit, and that gives at least so many tasks. Throws `memory`, `argument`. */
export function orderFor(n: number, d: number, { memory, tasks }: { memory: number; tasks: number }): number {
  for (const order of ORDERS) {
    if (blocksOfOrder(order) < tasks) continue;
    const m = pointsOfTask(n, order);
    const kernels = vatPointsBytes(m, d);
    if (kernels < 4e9 && taskBytes(m, d, n) <= memory) return order;
  }
  const most = ORDERS.at(-1)!;
  const needed = taskBytes(pointsOfTask(n, most), d, n);
  throw new EpochscopeError(
    needed > memory ? 'memory' : 'argument',
    needed > memory
      ? `VAT of ${n} × ${d} points over ${blocksOfOrder(most)} tasks needs ${formatBytes(needed)} a task, ${formatBytes(memory)} are allowed; allow more by \`memory\``
      : `expected at most ${blocksOfOrder(most)} tasks, got ${tasks}`,
    { needed, limit: memory },
  );
}

/** Rows with the hash of what was read of them. */
function watched(source: RowSource, look: (data: TensorData) => void): RowSource {
  return {
    ...source,
    async rows(from, to) {
      const data = await source.rows(from, to);
      look(data);
      return data;
    },
  };
}

const rowsOfBlock = (chosen: RowChoice, n: number, blocks: number, b: number): Uint32Array => {
  const [from, to] = [blockStart(n, blocks, b), blockStart(n, blocks, b + 1)];
  return chosen ? chosen.subarray(from, to) : Uint32Array.from({ length: to - from }, (_, i) => from + i);
};

/**
 * Decides VAT of a file's rows over tasks: reads all of them once (from float64 and integers three times), a block at a time. Throws
 * `not-finite` with row and column, `memory`, `argument`, `cancelled`.
 */
export async function planPoints(
  source: RowSource,
  chosen: RowChoice,
  metric: Metric,
  { memory, tasks = 1, signal, onProgress }: JobOptions & { memory: number; tasks?: number },
): Promise<PointsPlan> {
  const n = chosen?.length ?? source.shape[0];
  const conversion = await conversionOf(source, chosen, metric);
  const order = orderFor(n, conversion.width, { memory, tasks });
  const blocks = blocksOfOrder(order);
  const angular = metric === 'cosine' || metric === 'correlation';
  const hashes: string[] = [];
  let { largest, zeros } = conversion;
  const sample = sampleOfRows(source, n);
  const stripe = stripeOf(source);
  let done = 0;
  for (let b = 0; b < blocks; b++) {
    const rows = rowsOfBlock(chosen, n, blocks, b);
    const parts: string[] = [];
    for (let from = 0; from < rows.length; from += stripe) {
      signal?.throwIfAborted();
      const some = rows.subarray(from, from + stripe);
      const seen: Uint8Array[] = [];
      const reader = watched(source, (data) => {
        seen.push(bytesOf(data));
        sample.add(data);
      });
      if (conversion.how === 'same') {
        // Throws for what is not finite, with its place.
        const { outputs } = await convertedPoints(reader, some, conversion);
        if (angular) zeros += countFlat(outputs, metric);
        else for (const x of outputs.data) largest = Math.max(largest, Math.abs(x));
      } else for (const row of runsOf(some)) await reader.rows(...row);
      parts.push(sha256(...seen));
      done += some.length;
      onProgress?.(done, n);
    }
    hashes.push(sha256(...parts));
  }
  const { outputs } = await convertedPoints(sample.rows(), null, conversion);
  const kernel = vatPointsPlan(outputs, kernelMetric(conversion), { n, largest });
  return {
    n,
    chosen: chosen && sha256(chosen),
    conversion,
    zeros,
    kernel: { ...kernel, dimensions: Array.from(kernel.dimensions) },
    order,
    hashes,
  };
}

/** Rows of one piece: some 16 MB. */
const stripeOf = ({ shape, dtype }: RowSource): number =>
  Math.max(1, Math.floor(16e6 / Math.max(1, shape[1] * DTYPE_BYTES[dtype])));

/** The rows that decide the kernels' plan, out of all as they come by. */
function sampleOfRows(source: RowSource, n: number): { add(data: TensorData): void; rows(): RowSource } {
  const d = source.shape[1];
  const wanted = sampleOfVatPoints(n);
  let out: TensorData | null = null;
  let [seen, count] = [0, 0];
  return {
    add(data) {
      out ??= new (data.constructor as new (length: number) => TensorData)(wanted.length * d);
      const rows = d ? data.length / d : 0;
      for (; count < wanted.length && wanted[count]! < seen + rows; count++) {
        const row = wanted[count]! - seen;
        (out as Float64Array).set((data as Float64Array).subarray(row * d, (row + 1) * d), count * d);
      }
      seen += rows;
    },
    rows: () =>
      tensorRows({ data: out ?? new Float32Array(0), shape: [count, d], dtype: source.dtype }, source.name),
  };
}

/** Rows that follow each other in a list, as from … to. */
function* runsOf(rows: Uint32Array): Generator<[from: number, to: number]> {
  for (let i = 0; i < rows.length; ) {
    let end = i + 1;
    while (end < rows.length && rows[end] === rows[end - 1]! + 1) end++;
    yield [rows[i]!, rows[i]! + end - i];
    i = end;
  }
}

/** The tasks of a plan: key, blocks, points. */
export function tasksOfPoints(
  plan: PointsPlan,
): { key: string; blocks: readonly number[]; points: number }[] {
  const { n, order, hashes, conversion, kernel } = plan;
  const cover = projectiveCover(order);
  return cover.tasks.map((blocks) => ({
    key: keyOf('light edges', {
      n,
      order,
      conversion,
      kernel,
      blocks: blocks.map((b) => ({ b, hash: hashes[b] })),
    }),
    blocks,
    points: blocks.reduce(
      (sum, b) => sum + blockStart(n, cover.blocks, b + 1) - blockStart(n, cover.blocks, b),
      0,
    ),
  }));
}

const changed = (source: RowSource, rows: Uint32Array): EpochscopeError =>
  notWorthARetry(
    `${source.name}: rows ${rows[0]} to ${rows.at(-1)} are not as they were when the plan was made; make a new plan`,
    { file: source.name },
  );

/** Reads all rows, a piece at a time, and compares them with the plan's. Throws `format` with `retry: false`, `cancelled`. */
export async function checkRows(
  source: RowSource,
  chosen: RowChoice,
  { n, order, hashes }: PointsPlan,
  { signal }: Pick<JobOptions, 'signal'> = {},
): Promise<void> {
  const blocks = blocksOfOrder(order);
  const stripe = stripeOf(source);
  for (let b = 0; b < blocks; b++) {
    const rows = rowsOfBlock(chosen, n, blocks, b);
    const parts: string[] = [];
    for (let from = 0; from < rows.length; from += stripe) {
      signal?.throwIfAborted();
      const seen: Uint8Array[] = [];
      for (const run of runsOf(rows.subarray(from, from + stripe)))
        seen.push(bytesOf(await source.rows(...run)));
      parts.push(sha256(...seen));
    }
    if (sha256(...parts) !== hashes[b]) throw changed(source, rows);
  }
}

/** A task's light edges. Throws `format` with `retry: false` where rows are not as they were planned, `memory`, `cancelled`. */
export async function computePoints(
  engine: Pick<Engine, 'lightEdges'>,
  source: RowSource,
  chosen: RowChoice,
  plan: PointsPlan,
  index: number,
  { memory, signal, onProgress }: JobOptions & { memory: number },
): Promise<PointsPart> {
  const { n, conversion, kernel, order, hashes } = plan;
  const { width } = conversion;
  const cover = projectiveCover(order);
  const task = tasksOfPoints(plan)[index]!;
  const places = new Uint32Array(task.points);
  const data = new Float32Array(
    typeof SharedArrayBuffer === 'function'
      ? new SharedArrayBuffer(4 * task.points * width)
      : new ArrayBuffer(4 * task.points * width),
  );
  const errors: Float64Array[] = [];
  const traces: Float64Array[] = [];
  const stripe = stripeOf(source);
  let at = 0;
  for (const b of task.blocks) {
    const rows = rowsOfBlock(chosen, n, cover.blocks, b);
    const own = cover.tasks.findIndex((blocks) => blocks.includes(b)) === index;
    const parts: string[] = [];
    for (let from = 0; from < rows.length; from += stripe) {
      signal?.throwIfAborted();
      const seen: Uint8Array[] = [];
      const { outputs, space } = await convertedPoints(
        watched(source, (piece) => seen.push(bytesOf(piece))),
        rows.subarray(from, from + stripe),
        conversion,
      );
      parts.push(sha256(...seen));
      data.set(outputs.data, at * width);
      const first = blockStart(n, cover.blocks, b) + from;
      for (let i = 0; i < outputs.shape[0]; i++) places[at + i] = first + i;
      at += outputs.shape[0];
      if (own && space?.rounding) {
        errors.push(space.rounding.errors);
        traces.push(space.rounding.traces);
      }
    }
    if (sha256(...parts) !== hashes[b]) throw changed(source, rows);
  }
  const { edges, largest, start } = await lightEdgesOf(
    engine,
    { data, shape: [task.points, width] },
    places,
    kernelMetric(conversion),
    { ...kernel, dimensions: Uint32Array.from(kernel.dimensions) },
    { memory: memory - taskBytes(task.points, width, n) + EDGES * task.points, signal, onProgress },
  );
  const joined = (lists: Float64Array[]) => {
    const out = new Float64Array(lists.reduce((sum, list) => sum + list.length, 0));
    let to = 0;
    for (const list of lists) {
      out.set(list, to);
      to += list.length;
    }
    return out;
  };
  return {
    edges: interleaved(edges),
    largest,
    start,
    rounding: !isRounded(conversion) ? null : { errors: joined(errors), traces: joined(traces) },
  };
}

function interleaved({ low, high, keys }: Edges): Uint32Array {
  const out = new Uint32Array(3 * keys.length);
  for (let e = 0, to = 0; e < keys.length; e++) {
    out[to++] = keys[e]!;
    out[to++] = high[e]!;
    out[to++] = low[e]!;
  }
  return out;
}

/** Points that are compared as a dense matrix, whose edges always fit. */
const FEW = 1400;

/** `memory`: bytes that edges may take. */
async function lightEdgesOf(
  engine: Pick<Engine, 'lightEdges'>,
  x: { data: Float32Array; shape: [number, number] },
  places: Uint32Array,
  metric: Metric,
  plan: VatPointsPlan,
  { memory, signal, onProgress }: JobOptions & { memory: number },
): Promise<{ edges: Edges; largest: number; start: number }> {
  const [m, d] = x.shape;
  const n = places.length ? places.at(-1)! + 1 : 0;
  const ownPlaces = Uint32Array.from({ length: m }, (_, i) => i);
  const bag = new EdgeBag(m, memory);
  const options = { metric, plan, signal };
  // Points by their place here: the order is that of their numbers.
  const numbered = ({ edges, ...rest }: { edges: Edges; largest: number; start: number }) => ({
    ...rest,
    edges: {
      low: edges.low.map((i) => places[i]!),
      high: edges.high.map((i) => places[i]!),
      keys: edges.keys,
    },
    start: rest.start < 0 ? n : places[rest.start]!,
  });
  if (m < 2) return numbered({ edges: bag.finish(), largest: -1, start: -1 });
  const whole = await engine.lightEdges(x, { ...options, onProgress });
  if (whole) {
    bag.add(edgesOf(whole));
    return numbered({ edges: bag.finish(), largest: whole.largest, start: whole.start });
  }
  // Too many of them are equal. Pairs of small blocks, each thinned of what ties make needless.
  const half = FEW / 2;
  const blocks = Math.ceil(m / half);
  let [largest, start] = [-1, m];
  let done = 0;
  const pair = new Float32Array(FEW * d);
  for (let a = 0; a < blocks; a++)
    for (let b = a + 1; b < blocks; b++) {
      const part = [a, b].flatMap((block) =>
        Array.from(ownPlaces.subarray(block * half, (block + 1) * half)),
      );
      part.forEach((row, to) => {
        pair.set(x.data.subarray(row * d, (row + 1) * d), to * d);
      });
      const found = (await engine.lightEdges(
        { data: pair.subarray(0, part.length * d), shape: [part.length, d] },
        options,
      ))!;
      bag.add(edgesOf(found, part));
      const from = part[found.start]!;
      if (found.largest > largest || (found.largest === largest && from < start))
        [largest, start] = [found.largest, from];
      onProgress?.(++done, (blocks * (blocks - 1)) / 2);
    }
  return numbered({ edges: bag.finish(), largest, start });
}

/** Writes a task's part. */
export const writePointsPart = (
  store: Store,
  key: string,
  seconds: number,
  output: PointsPart,
): Promise<void> => writePart(store, { key, seconds, reads: {}, output });

/** What a task's part says beside its edges, read whole from its head. */
type PointsHead = Omit<PointsPart, 'edges' | 'rounding'>;

/** VAT of all points from the parts of every task, and by how much rows were rounded. Throws `format`, `memory`, `cancelled`. */
export async function mergePoints(
  store: Store,
  plan: PointsPlan,
  heads: readonly StoredPart[],
  readRounding: (key: string) => Promise<PointsPart>,
  { memory, signal, onProgress }: JobOptions & { memory: number },
): Promise<{ vat: VatResult; rounding: Space['rounding'] }> {
  const { n, conversion, kernel, order } = plan;
  let [largest, start] = [-1, 0];
  for (const { output } of heads) {
    const head = output as PointsHead;
    if (head.largest > largest || (head.largest === largest && head.start < start))
      [largest, start] = [head.largest, head.start];
  }
  const limit = mergedEdges(n, conversion.width, memory);
  const edges = await mergeEdges(store, heads, n, { limit, signal, onProgress });
  const vat = primOnEdges(edges, { n, start, metric: kernelMetric(conversion), unit: kernel.unit });
  if (!isRounded(conversion)) return { vat, rounding: undefined };
  const cover = projectiveCover(order);
  const errors = new Float64Array(n);
  const traces = new Float64Array(n);
  for (const [index, { key }] of heads.entries()) {
    const { rounding } = await readRounding(key);
    let at = 0;
    for (const b of cover.tasks[index]!) {
      if (cover.tasks.findIndex((blocks) => blocks.includes(b)) !== index) continue;
      const [from, to] = [blockStart(n, cover.blocks, b), blockStart(n, cover.blocks, b + 1)];
      errors.set(rounding!.errors.subarray(at, at + to - from), from);
      traces.set(rounding!.traces.subarray(at, at + to - from), from);
      at += to - from;
    }
  }
  return { vat, rounding: { errors, traces } };
}
