import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { firstNotFinite } from '@epochscope/core-wasm/jobs';
import { toFloat32 } from '../../formats/dtypes.js';
import type { Tensor } from '../../formats/types.js';
import type { LayerInfo, SnapshotInfo } from '../../run/types.js';
import { layerFinder } from './parts.js';
import { changeStatistics } from './statistics.js';
import type { ChangeResult, TensorChange, TracksResult } from './types.js';

export {
  changeByParts,
  type FollowedParameters,
  layerFinder,
  type PartedTensor,
  type TensorPart,
  tracksByParts,
} from './parts.js';
export { choosePaths, type PathRule } from './paths.js';
export { type ShiftStatistics, shiftStatistics } from './shift.js';
export * from './types.js';
export { changeStatistics };

type Weights = ReadonlyMap<string, Tensor>;
type Point = { id: string; epoch: number | null; step: number | null };
const point = ({ id, epoch, step }: SnapshotInfo): Point => ({ id, epoch, step });

/** Biases, batch-norm offsets and the like: every tensor of rank 1. */
const isWeight = (tensor: { shape: readonly number[] }) => tensor.shape.length > 1;

function floats(tensor: Tensor, name: string, snapshot: string): Float32Array {
  guard(
    !(tensor.data instanceof BigInt64Array) && !(tensor.data instanceof BigUint64Array),
    'format',
    () => `snapshot ${snapshot}, tensor ${name}: expected numbers, got ${tensor.dtype}`,
    { snapshot, tensor: name, got: tensor.dtype },
  );
  const data = toFloat32(tensor.data);
  const at = firstNotFinite(data);
  if (at >= 0)
    throw new EpochscopeError(
      'not-finite',
      `snapshot ${snapshot}, tensor ${name}: expected finite numbers, got ${data[at]} at index ${at}`,
      { snapshot, tensor: name, index: at },
    );
  return data;
}

const list = (names: string[]) =>
  names.length > 6 ? `${names.slice(0, 6).join(', ')}, … (${names.length})` : names.join(', ');

/** Throws unless both hold the same names with the same shapes. */
function checkAlike(a: Weights, b: Weights, from: string, to: string): void {
  const gone = [...a.keys()].filter((name) => !b.has(name));
  const added = [...b.keys()].filter((name) => !a.has(name));
  if (gone.length || added.length) {
    const parts = [
      gone.length ? `only in ${from}: ${list(gone)}` : '',
      added.length ? `only in ${to}: ${list(added)}` : '',
    ];
    throw new EpochscopeError(
      'shape',
      `snapshots ${from} and ${to} hold different tensors (${parts.filter(Boolean).join('; ')})`,
      { from, to },
    );
  }
  for (const [name, tensor] of a) {
    const other = b.get(name)!;
    guard(
      tensor.shape.join() === other.shape.join(),
      'shape',
      () => `tensor ${name} is [${tensor.shape}] in snapshot ${from} and [${other.shape}] in ${to}`,
      { tensor: name, from, to, expected: `[${tensor.shape}]`, got: `[${other.shape}]` },
    );
  }
}

export interface ChangeInput {
  from: { snapshot: SnapshotInfo; weights: Weights };
  to: { snapshot: SnapshotInfo; weights: Weights };
  layers: readonly LayerInfo[];
  inputShape: number[] | null;
  /** Only these layers; default all. */
  only?: readonly string[];
}

/**
 * Δ = w_to − w_from for every parameter (Inagaki & Aoyama, §4.2), with the statistics of its claim: that what starts
 * positive grows and what starts negative shrinks. Throws `shape` on different tensors, `missing` for a layer without
 * parameters, `not-finite`. Time and memory O(parameters).
 */
export function analyseChange(
  input: ChangeInput,
): Pick<ChangeResult, 'from' | 'to' | 'inputShape' | 'tensors' | 'layers' | 'scale'> {
  const { from, to, layers, only } = input;
  checkAlike(from.weights, to.weights, from.snapshot.id, to.snapshot.id);
  const layerOf = layerFinder(layers);
  const tensors: TensorChange[] = [];
  for (const [name, tensor] of from.weights) {
    const { layer, kind } = layerOf(name);
    if (only && !only.includes(layer)) continue;
    const before = floats(tensor, name, from.snapshot.id);
    const after = floats(to.weights.get(name)!, name, to.snapshot.id);
    const delta = new Float32Array(before.length);
    for (let i = 0; i < delta.length; i++) delta[i] = after[i]! - before[i]!;
    tensors.push({
      name,
      layer,
      kind,
      shape: [...tensor.shape],
      before: before.slice(),
      delta,
      statistics: changeStatistics([{ before, delta }]),
    });
  }
  const present = [...new Set(tensors.map((tensor) => tensor.layer))];
  const without = only?.filter((layer) => !present.includes(layer)) ?? [];
  if (without.length) {
    const having = [...new Set([...from.weights.keys()].map((name) => layerOf(name).layer))];
    const known = layers.some((layer) => layer.name === without[0]);
    throw new EpochscopeError(
      'missing',
      `layer ${without[0]} ${known ? 'has no parameters' : 'does not exist'}; layers with parameters: ${list(having)}`,
      { layer: without[0] },
    );
  }
  let scale = 0;
  for (const { delta } of tensors) for (const d of delta) scale = Math.max(scale, Math.abs(d));
  return {
    from: point(from.snapshot),
    to: point(to.snapshot),
    inputShape: input.inputShape,
    tensors,
    layers: present.map((layer) => {
      const own = tensors.filter((tensor) => tensor.layer === layer);
      const weights = own.filter(isWeight);
      return { layer, kind: own[0]!.kind, statistics: changeStatistics(weights.length ? weights : own) };
    }),
    scale,
  };
}

/** Row-major coordinates of a flat index. */
export function position(index: number, shape: readonly number[]): number[] {
  const at: number[] = [];
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    at.unshift(rest % shape[axis]!);
    rest = Math.floor(rest / shape[axis]!);
  }
  return at;
}

/**
 * Paths of chosen parameters and update sizes of every layer over snapshots, reading one snapshot at a time: memory is
 * two snapshots plus the tracks. `chosen`: tensor name and flat index. Throws as `analyseChange`.
 */
export async function analyseTracks(
  snapshots:
    | AsyncIterable<{ snapshot: SnapshotInfo; weights: Weights }>
    | Iterable<{ snapshot: SnapshotInfo; weights: Weights }>,
  layers: readonly LayerInfo[],
  chosen: readonly { tensor: string; index: number }[],
): Promise<Pick<TracksResult, 'snapshots' | 'paths' | 'updates'>> {
  const layerOf = layerFinder(layers);
  const points: Point[] = [];
  const values: number[][] = chosen.map(() => []);
  const updates = new Map<string, { norm: number[]; relative: number[] }>();
  let previous: { id: string; weights: Weights; values: Map<string, Float32Array> } | null = null;
  let shapes: Weights = new Map();
  for await (const { snapshot, weights } of snapshots) {
    points.push(point(snapshot));
    if (previous) checkAlike(previous.weights, weights, previous.id, snapshot.id);
    else shapes = weights;
    const now = new Map([...weights].map(([name, tensor]) => [name, floats(tensor, name, snapshot.id)]));
    chosen.forEach(({ tensor, index }, i) => {
      const data = now.get(tensor);
      guard(
        data,
        'missing',
        () => `snapshot ${snapshot.id} has no tensor ${tensor}; it has ${list([...weights.keys()])}`,
        { tensor, snapshot: snapshot.id },
      );
      guard(
        Number.isInteger(index) && index >= 0 && index < data.length,
        'argument',
        () => `tensor ${tensor} has ${data.length} values, got index ${index}`,
        { tensor, index, expected: data.length },
      );
      values[i]!.push(data[index]!);
    });
    if (previous) {
      const squares = new Map<string, [number, number]>();
      for (const [name, after] of now) {
        const { layer } = layerOf(name);
        const before = previous.values.get(name)!;
        const sums = squares.get(layer) ?? [0, 0];
        let moved = 0;
        let size = 0;
        for (let i = 0; i < after.length; i++) {
          const w = before[i]!;
          const d = after[i]! - w;
          moved += d * d;
          size += w * w;
        }
        squares.set(layer, [sums[0] + moved, sums[1] + size]);
      }
      for (const [layer, [moved, size]] of squares) {
        const track = updates.get(layer) ?? { norm: [], relative: [] };
        track.norm.push(Math.sqrt(moved));
        track.relative.push(size ? Math.sqrt(moved / size) : 0);
        updates.set(layer, track);
      }
    }
    previous = { id: snapshot.id, weights, values: now };
  }
  return {
    snapshots: points,
    paths: chosen.map(({ tensor, index }, i) => ({
      tensor,
      index,
      position: position(index, shapes.get(tensor)?.shape ?? []),
      values: Float32Array.from(values[i]!),
    })),
    updates: [...updates].map(([layer, { norm, relative }]) => ({
      layer,
      norm: Float64Array.from(norm),
      relative: Float64Array.from(relative),
    })),
  };
}
