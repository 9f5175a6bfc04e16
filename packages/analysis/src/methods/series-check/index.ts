import { addTo } from '../../grouped.js';
import { type Random, random } from '../../random.js';
import type { ResultBase } from '../../results/types.js';
import { type Distances, distances, exchanged, farOut, outOfLine, ratio, SERIES_EXCESS } from './line.js';

export { SERIES_EXCESS } from './line.js';

/** Weights looked at of one tensor: enough to tell a fault, whatever its size (docs/guides, "Is the series what it says?"). */
const SAMPLED = 256;
export interface SeriesTensor {
  name: string;
  /** Number of values. */
  size: number;
}

/** `note`: seen in sound series too (a warm-up from rate 0, layers that are not trained yet). */
export type SeriesFinding = {
  grade: 'fault' | 'note';
  text: string;
} /** All tensors of these snapshots hold the same values: copies, or nothing was learned between them. */ & (
  | { kind: 'copy'; snapshots: [string, string] }
  /** Some tensors do, while others differ: part of a snapshot was taken from another. */
  | { kind: 'tensor-copy'; snapshots: [string, string]; tensors: string[] }
  /** One of several files of a snapshot is, to the byte, one of another's. */
  | { kind: 'file-copy'; snapshots: [string, string]; files: string[] }
  /** The snapshot does not lie between its neighbours: swapped, misnamed, or of another training. `excess` null: they are equal. */
  | { kind: 'out-of-line'; snapshot: string; excess: number | null }
  /** Some of its tensors do not. */
  | { kind: 'tensor-out-of-line'; snapshot: string; tensors: string[]; excess: number | null }
  /** A tensor holds NaN or infinite values. */
  | { kind: 'not-finite'; snapshot: string; tensors: string[] }
  /** Numbers that a series counting in even steps leaves out. */
  | { kind: 'gap'; of: 'epoch' | 'step'; numbers: number[] }
);

export interface SeriesCheck {
  /** What was found, in the order of the snapshots; empty for a series without fault. */
  findings: SeriesFinding[];
  /** Per snapshot (d(i−1, i) + d(i, i+1)) / d(i−1, i+1) over all sampled weights; null for the ends and where it is 0/0. */
  excess: (number | null)[];
  /** Tensors looked at, and those left out (integers, frozen in all snapshots), with how many there are. */
  tensors: number;
  frozen: number;
  sampled: number;
}

/** Of a run, as it is kept: results/check/NAME. */
export interface SeriesCheckResult extends ResultBase, SeriesCheck {
  method: 'check';
  snapshots: { id: string; epoch: number | null; step: number | null }[];
}

/** With fewer values a tensor is not judged by distances: a sound training turns round by chance. */
const LEAST = 4;
const { whole: WHOLE, tensor: TENSOR } = SERIES_EXCESS;

/**
 * Whether snapshots are in order and each its own, from up to 256 random weights of every tensor: copies by equality, faults by the excess
 * of the way over a snapshot against the way past it. Tensors that are the same in all snapshots are frozen, and not a fault.
 *
 * `read(tensor, indices)` gives float32[snapshots × indices]. Time O(snapshots · tensors · 256), memory O(snapshots · tensors) at most. What it cannot see:
 * a fault at either end of the series that is no copy, and a copy of which none of the sampled weights differs.
 */
export async function checkSeries(
  ids: readonly string[],
  tensors: readonly SeriesTensor[],
  read: (tensor: string, indices: readonly number[]) => Promise<Float32Array>,
  options: {
    seed?: number;
    /** Weights that are drawn together, one after another in the tensor: fewer reads. Default 1. */
    together?: number;
    /** Per snapshot the SHA-256 of each of its files, where it is known unread. */
    files?: readonly (readonly { name: string; sha256: string }[])[];
    signal?: AbortSignal;
    onProgress?: (done: number, total: number) => void;
  } = {},
): Promise<SeriesCheck> {
  const n = ids.length;
  const looked: { name: string; own: Distances; count: number }[] = [];
  const broken = new Map<string, string[]>();
  const whole = distances(n);
  // Pairs of snapshots, as "1/4", and the tensors that are equal in both.
  const twins = new Map<string, string[]>();
  // Tensors that are equal by chance: few values, or one value throughout (zeros of a unit that is dead).
  const weak = new Set<string>();
  let frozen = 0;
  let sampled = 0;
  for (const [t, { name, size }] of tensors.entries()) {
    options.signal?.throwIfAborted();
    const count = Math.min(SAMPLED, size);
    if (!count) continue;
    const indices = drawn(random(options.seed ?? 1, t), size, count, options.together ?? 1);
    const values = await read(name, indices);
    sampled += count;
    const row = (i: number) => values.subarray(i * count, (i + 1) * count);
    const keys = Array.from({ length: n }, (_, i) => keyOf(row(i)));
    for (let i = 0; i < n; i++)
      if (!row(i).every(Number.isFinite)) broken.set(ids[i]!, [...(broken.get(ids[i]!) ?? []), name]);
    options.onProgress?.(t + 1, tensors.length);
    if (new Set(keys).size === 1) {
      frozen++;
      continue;
    }
    const own = distances(n);
    for (let lag = 1; lag < own.length; lag++)
      for (let i = 0; i + lag < n; i++) {
        const d = squared(row(i), row(i + lag));
        own[lag]![i] = d;
        // A sampled weight stands for size / count of them.
        whole[lag]![i]! += (d * size) / count;
      }
    looked.push({ name, own, count });
    const first = new Map<string, number[]>();
    for (const [i, key] of keys.entries()) addTo(first, key, i);
    for (const same of first.values())
      for (let k = 1; k < same.length; k++) {
        const pair = `${same[k - 1]}/${same[k]}`;
        const own = row(same[k]!);
        if (count < LEAST || own.every((value) => value === own[0])) weak.add(`${pair} ${name}`);
        twins.set(pair, [...(twins.get(pair) ?? []), name]);
      }
  }
  const excess = Array.from({ length: n }, (_, i) => ratio(whole, i - 1, i, i + 1, n));
  const all = Array.from({ length: n }, (_, i) => i);
  const copied = new Set(
    [...twins].flatMap(([pair, same]) => (same.length === looked.length ? pair.split('/').map(Number) : [])),
  );
  const { order, places } = exchanged(whole, n, copied);
  const out = outOfLine(whole, order, n, WHOLE);
  for (const i of places.keys()) if (!out.has(i)) out.set(i, excess[i] ?? Number.POSITIVE_INFINITY);
  // Within a snapshot that is out of line as a whole, its tensors say nothing more.
  const sound = all.filter((i) => !out.has(i));
  const tensorsOut = looked.map(({ name, own, count }) => ({
    name,
    out: count >= SAMPLED ? outOfLine(own, sound, n, TENSOR) : farOut(own, count < LEAST ? [] : sound, n),
  }));
  const findings: ({ at: number } & SeriesFinding)[] = [];
  const equal = equalFiles(ids, options.files ?? []);
  for (const { a, b, names, whole, ids: snapshots } of equal)
    findings.push({
      at: b,
      grade: whole && a === 0 && b === 1 ? 'note' : 'fault',
      ...(whole ? { kind: 'copy', snapshots } : { kind: 'file-copy', snapshots, files: names }),
      text: whole
        ? `${snapshots[1]} is a copy of ${snapshots[0]}: the files are the same, byte by byte (SHA-256)`
        : `${snapshots[1]} and ${snapshots[0]} share ${names.length === 1 ? 'a file' : `${names.length} files`}, the same byte by byte (SHA-256): ${listed(names)}`,
    });
  for (const [pair, same] of twins) {
    const [a, b] = pair.split('/').map(Number) as [number, number];
    const snapshots: [string, string] = [ids[a]!, ids[b]!];
    const neighbours = b - a === 1;
    // Said already, and for certain.
    if (equal.some((one) => one.a === a && one.b === b)) continue;
    if (same.length === looked.length)
      findings.push({
        at: b,
        // Rates that rise from 0 leave the first step without effect.
        grade: a === 0 && neighbours ? 'note' : 'fault',
        kind: 'copy',
        snapshots,
        text: `${ids[b]} is a copy of ${ids[a]}: every tensor looked at holds the same values`,
      });
    else {
      const tensors = neighbours ? same : same.filter((name) => !weak.has(`${pair} ${name}`));
      if (!tensors.length) continue;
      findings.push({
        at: b,
        grade: neighbours ? 'note' : 'fault',
        kind: 'tensor-copy',
        snapshots,
        tensors,
        text: `${ids[b]} and ${ids[a]} hold the same values in ${tensors.length} of ${looked.length} tensors${neighbours ? ' (not trained meanwhile, or copied)' : ''}: ${listed(tensors)}`,
      });
    }
  }
  for (let i = 0; i < n; i++) {
    const bad = broken.get(ids[i]!);
    if (bad)
      findings.push({
        at: i,
        grade: 'fault',
        kind: 'not-finite',
        snapshot: ids[i]!,
        tensors: bad,
        text: `${ids[i]} holds values that are no finite numbers: ${listed(bad)}`,
      });
    const e = out.get(i);
    if (e !== undefined && !bad) {
      findings.push({
        at: i,
        grade: 'fault',
        kind: 'out-of-line',
        snapshot: ids[i]!,
        excess: told(e),
        text: places.has(i)
          ? `${ids[i]} is out of line: it and ${ids[places.get(i)!]} stand in each other's place`
          : `${ids[i]} is out of line (${e === Infinity ? 'its neighbours are equal' : e > WHOLE ? `the way over it is ${e.toFixed(1)} times the way past it, a sound one at most ${WHOLE}` : 'without it its neighbours lie in line'}): swapped, misnamed, or of another training`,
      });
      continue;
    }
    const apart = tensorsOut.flatMap(({ name, out: own }) =>
      own.has(i) ? [{ name, own: own.get(i)! }] : [],
    );
    if (apart.length && !bad) {
      const most = apart.reduce((a, b) => (b.own > a.own ? b : a));
      findings.push({
        at: i,
        grade: 'fault',
        kind: 'tensor-out-of-line',
        snapshot: ids[i]!,
        tensors: apart.map(({ name }) => name),
        excess: told(most.own),
        text: `${ids[i]} has ${apart.length} of ${looked.length} tensors out of line${most.own === Infinity ? '' : ` (up to ${most.own.toFixed(1)} times, a sound one at most ${TENSOR})`}: ${listed(apart.map(({ name }) => name))}`,
      });
    }
  }
  findings.sort((a, b) => a.at - b.at || Number(b.grade === 'fault') - Number(a.grade === 'fault'));
  return {
    findings: findings.map(({ at: _, ...finding }) => finding),
    excess: excess.map((e) => (e === null ? null : told(e))),
    tensors: looked.length,
    frozen,
    sampled,
  };
}

/** `count` indices below `size`, in stretches of `together`. */
function drawn(dice: Random, size: number, count: number, together: number): number[] {
  const stretches = Math.floor(size / together);
  if (together === 1 || stretches * together < count) return [...dice.sample(size, count)];
  return [...dice.sample(stretches, Math.ceil(count / together))]
    .flatMap((at) => Array.from({ length: together }, (_, k) => at * together + k))
    .slice(0, count);
}

/** Files that are equal in two snapshots, from hashes that a hub or an index knows: nothing is read. */
function equalFiles(ids: readonly string[], files: readonly (readonly { name: string; sha256: string }[])[]) {
  const seen = new Map<string, number>();
  const pairs = new Map<string, string[]>();
  for (const [i, list] of files.entries())
    for (const { name, sha256 } of list) {
      const before = seen.get(sha256);
      if (before !== undefined && before !== i)
        pairs.set(`${before}/${i}`, [...(pairs.get(`${before}/${i}`) ?? []), name]);
      seen.set(sha256, i);
    }
  return [...pairs].map(([pair, names]) => {
    const [a, b] = pair.split('/').map(Number) as [number, number];
    return {
      a,
      b,
      names,
      whole: names.length === files[b]!.length && names.length === files[a]!.length,
      ids: [ids[a]!, ids[b]!] as [string, string],
    };
  });
}

const told = (excess: number) => (excess === Infinity ? null : excess);

function squared(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const d = a[i]! - b[i]!;
    sum += d * d;
  }
  return sum;
}

/** Equal exactly for equal bits (NaN included). */
const keyOf = (values: Float32Array) =>
  new Uint32Array(values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength)).join();

const listed = (names: readonly string[]) =>
  names.length > 4 ? `${names.slice(0, 4).join(', ')}, … (${names.length})` : names.join(', ');
