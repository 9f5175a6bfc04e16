import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { firstNotFinite } from '@epochscope/core-wasm/jobs';
import { random } from '../../random.js';
import type { LayerInfo } from '../../run/types.js';
import { ChangeSums, momentsOf } from './statistics.js';
import type { ChangeResult, MagnitudeCounts, TensorChange, TracksResult } from './types.js';

// Nets too large to be held: tensors are gone through in parts, a few million values at a time.

/** One tensor of several snapshots, part by part: of each snapshot the same values. */
export interface TensorPart {
  /** Values of a snapshot (by its place among those asked for). */
  values(snapshot: number): Promise<Float32Array>;
  /** Flat index in the tensor of a value of the part. */
  index(at: number): number;
}

export interface PartedTensor {
  name: string;
  shape: readonly number[];
  size: number;
  parts(): AsyncIterable<TensorPart>;
  /** Values at flat indices. */
  at(snapshot: number, indices: readonly number[]): Promise<Float32Array>;
}

/** Counts between 2⁻⁴⁸ and 2¹⁶. */
const FIRST = -48;
const BINS = 64;

class Magnitudes implements MagnitudeCounts {
  readonly first = FIRST;
  zero = 0;
  readonly negative = new Float64Array(BINS);
  readonly positive = new Float64Array(BINS);

  add(values: Float32Array): void {
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!;
      const exponent = (word >>> 23) & 0xff;
      if ((word << 1) >>> 0 === 0) this.zero++;
      else {
        const bin = Math.max(0, Math.min(BINS - 1, exponent - 127 - FIRST));
        if (word >>> 31) this.negative[bin]!++;
        else this.positive[bin]!++;
      }
    }
  }

  plain = (): MagnitudeCounts => ({
    first: this.first,
    zero: this.zero,
    negative: this.negative,
    positive: this.positive,
  });
}

interface Sized {
  tensor: string;
  /** Of the tensor, in order. */
  place: number;
  index: number;
  size: number;
}

/** Largest |Δ| so far, ascending; among equals the earlier tensor and the lower index are larger. */
class Largest {
  private readonly best: Sized[] = [];
  constructor(private readonly k: number) {}

  /** Anything smaller need not be given. */
  get least(): number {
    return this.best.length < this.k ? 0 : (this.best[0]?.size ?? Number.POSITIVE_INFINITY);
  }

  add(one: Sized): void {
    const above = (other: Sized) =>
      one.size - other.size || other.place - one.place || other.index - one.index;
    if (this.best.length === this.k && (!this.k || above(this.best[0]!) < 0)) return;
    let at = this.best.length;
    while (at > 0 && above(this.best[at - 1]!) < 0) at--;
    this.best.splice(at, 0, one);
    if (this.best.length > this.k) this.best.shift();
  }

  list = () => [...this.best].reverse().map(({ tensor, index }) => ({ tensor, index }));
}

/** Looks through a part; reads an index only where a value could be among the largest. */
function seek(
  delta: Float32Array,
  among: Largest,
  tensor: string,
  place: number,
  { index }: TensorPart,
): void {
  let least = among.least;
  for (let i = 0; i < delta.length; i++) {
    const size = Math.abs(delta[i]!);
    if (size < least) continue;
    among.add({ tensor, place, index: index(i), size });
    least = among.least;
  }
}

/**
 * Δ between snapshot 0 and snapshot 1 of each tensor, as `analyseChange`, but of every tensor at most `sampled` values are kept (drawn by
 * the seed); statistics and counts are of all. Time O(parameters), memory of a few parts. Throws `not-finite`.
 */
export async function changeByParts(
  tensors: readonly PartedTensor[],
  layerOf: (name: string) => { layer: string; kind: string },
  ids: readonly [string, string],
  options: {
    sampled: number;
    seed: number;
    onTensor?: (done: number, name: string) => void;
  },
): Promise<Pick<ChangeResult, 'tensors' | 'layers' | 'scale'>> {
  const out: TensorChange[] = [];
  const sums = new Map<string, { kind: string; weights: ChangeSums; all: ChangeSums }>();
  for (const [t, tensor] of tensors.entries()) {
    const { layer, kind } = layerOf(tensor.name);
    const own = sums.get(layer) ?? {
      kind,
      weights: new ChangeSums(),
      all: new ChangeSums(),
    };
    sums.set(layer, own);
    const statistics = new ChangeSums();
    const counts = { before: new Magnitudes(), delta: new Magnitudes() };
    for await (const part of tensor.parts()) {
      const before = finite(await part.values(0), part, tensor.name, ids[0]);
      const after = finite(await part.values(1), part, tensor.name, ids[1]);
      const delta = difference(before, after);
      const moments = momentsOf({ before, delta });
      for (const one of [statistics, own.all, ...(tensor.shape.length > 1 ? [own.weights] : [])])
        one.merge(moments);
      counts.before.add(before);
      counts.delta.add(delta);
    }
    const indices = random(options.seed, t).sample(tensor.size, Math.min(options.sampled, tensor.size));
    const before = await tensor.at(0, [...indices]);
    const delta = (await tensor.at(1, [...indices])).map((value, i) => value - before[i]!);
    out.push({
      name: tensor.name,
      layer,
      kind,
      shape: [...tensor.shape],
      before,
      delta,
      statistics: statistics.statistics(),
      ...(indices.length < tensor.size
        ? { sample: { indices, before: counts.before.plain(), delta: counts.delta.plain() } }
        : {}),
    });
    options.onTensor?.(t + 1, tensor.name);
  }
  return {
    tensors: out,
    scale: Math.max(0, ...out.map(({ statistics }) => Math.abs(statistics.largestChange.value ?? 0))),
    layers: [...sums].map(([layer, { kind, weights, all }]) => ({
      layer,
      kind,
      statistics: (weights.statistics().count ? weights : all).statistics(),
    })),
  };
}

/** Parameters to follow: these, or per layer the k of largest |Δ| between two of the snapshots, the largest first. */
export type FollowedParameters =
  | readonly { tensor: string; index: number }[]
  | { k: number; from: number; to: number };

/**
 * Paths and update sizes as `analyseTracks`, tensor by tensor over all snapshots, in parts: each value is read once, whichever are
 * followed. `ids` are the snapshots that tracks run over, the first of those that tensors have. Throws `not-finite`, `argument`.
 */
export async function tracksByParts(
  tensors: readonly PartedTensor[],
  layerOf: (name: string) => { layer: string; kind: string },
  ids: readonly string[],
  followed: FollowedParameters,
  onTensor?: (done: number, name: string) => void,
): Promise<
  Pick<TracksResult, 'updates'> & { paths: { tensor: string; index: number; values: Float32Array }[] }
> {
  const sums = new Map<string, { moved: Float64Array; size: Float64Array; largest: Largest }>();
  const between = 'k' in followed ? followed : null;
  const steps = Math.max(0, ids.length - 1);
  for (const [t, tensor] of tensors.entries()) {
    const { layer } = layerOf(tensor.name);
    const own = sums.get(layer) ?? {
      moved: new Float64Array(steps),
      size: new Float64Array(steps),
      largest: new Largest(between?.k ?? 0),
    };
    sums.set(layer, own);
    for await (const part of tensor.parts()) {
      let previous: Float32Array | null = null;
      const ends: Float32Array[] = [];
      for (const [s, id] of ids.entries()) {
        const now = await part.values(s);
        if (previous) {
          const { moved, size } = step(previous, now);
          // Finite only where all of both are.
          if (!Number.isFinite(moved)) {
            finite(previous, part, tensor.name, ids[s - 1]!);
            finite(now, part, tensor.name, id);
          }
          own.moved[s - 1]! += moved;
          own.size[s - 1]! += size;
        }
        if (s === between?.from) ends[0] = now;
        if (s === between?.to) ends[1] = now;
        previous = now;
      }
      if (between) {
        const end = async (s: number) =>
          finite(await part.values(s), part, tensor.name, ids[s] ?? 'compared');
        const delta = difference(ends[0] ?? (await end(between.from)), ends[1] ?? (await end(between.to)));
        seek(delta, own.largest, tensor.name, t, part);
      }
    }
    onTensor?.(t + 1, tensor.name);
  }
  const chosen = 'k' in followed ? [...sums.values()].flatMap(({ largest }) => largest.list()) : followed;
  return {
    paths: await pathsOf(tensors, ids, chosen),
    updates: [...sums].map(([layer, { moved, size }]) => ({
      layer,
      norm: moved.map(Math.sqrt),
      relative: moved.map((square, i) => (size[i] ? Math.sqrt(square / size[i]!) : 0)),
    })),
  };
}

/** Values of single parameters over the snapshots. */
async function pathsOf(
  tensors: readonly PartedTensor[],
  ids: readonly string[],
  chosen: readonly { tensor: string; index: number }[],
) {
  const paths = chosen.map((one) => ({ ...one, values: new Float32Array(ids.length) }));
  for (const tensor of tensors) {
    const here = paths.filter((one) => one.tensor === tensor.name);
    for (const { index } of here)
      guard(
        Number.isInteger(index) && index >= 0 && index < tensor.size,
        'argument',
        () => `tensor ${tensor.name} has ${tensor.size} values, got index ${index}`,
        { tensor: tensor.name, index, expected: tensor.size },
      );
    const indices = here.map(({ index }) => index);
    for (const s of here.length ? ids.keys() : []) {
      const found = await tensor.at(s, indices);
      here.forEach(({ values }, k) => {
        values[s] = found[k]!;
      });
    }
  }
  return paths;
}

// Loops of their own, which the machine's compiler takes whole.

function difference(before: Float32Array, after: Float32Array): Float32Array {
  const delta = new Float32Array(before.length);
  for (let i = 0; i < delta.length; i++) delta[i] = after[i]! - before[i]!;
  return delta;
}

/** Squared lengths of the step and of what it starts from. */
function step(before: Float32Array, after: Float32Array): { moved: number; size: number } {
  // Two sums of each: one addition need not wait for the last.
  let [moved, size, movedOdd, sizeOdd] = [0, 0, 0, 0];
  const even = after.length & ~1;
  for (let i = 0; i < even; i += 2) {
    const [w, v] = [before[i]!, before[i + 1]!];
    const [d, e] = [after[i]! - w, after[i + 1]! - v];
    moved += d * d;
    movedOdd += e * e;
    size += w * w;
    sizeOdd += v * v;
  }
  if (even < after.length) {
    const w = before[even]!;
    moved += (after[even]! - w) ** 2;
    size += w * w;
  }
  return { moved: moved + movedOdd, size: size + sizeOdd };
}

function finite(values: Float32Array, part: TensorPart, name: string, snapshot: string): Float32Array {
  const at = firstNotFinite(values);
  if (at < 0) return values;
  const index = part.index(at);
  throw new EpochscopeError(
    'not-finite',
    `snapshot ${snapshot}, tensor ${name}: expected finite numbers, got ${values[at]} at index ${index}`,
    { snapshot, tensor: name, index },
  );
}

/** Which layer a tensor is of: the one that names it, else what precedes its last dot. */
export function layerFinder(layers: readonly LayerInfo[]): (name: string) => { layer: string; kind: string } {
  const owners = new Map(layers.flatMap((layer) => layer.parameters.map((name) => [name, layer] as const)));
  return (name) => {
    const owner = owners.get(name);
    const dot = name.lastIndexOf('.');
    return owner
      ? { layer: owner.name, kind: owner.kind }
      : { layer: dot > 0 ? name.slice(0, dot) : name, kind: 'unknown' };
  };
}
