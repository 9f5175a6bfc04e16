import { EpochscopeError, guard, type Matrix } from '@epochscope/core-wasm';
import type { Engine, JobOptions, TruncatedSvdResult } from '../../engine/types.js';

/** The linear map of a network at an input: rows numbers out of columns numbers. Blocks are rows, `count` of them. */
export interface LinearMap {
  rows: number;
  columns: number;
  /** float32[count × columns] → float32[count × rows]: J·v. */
  jvp(block: Float32Array, count: number): Float32Array | Promise<Float32Array>;
  /** float32[count × rows] → float32[count × columns]: Jᵀ·u. */
  vjp(block: Float32Array, count: number): Float32Array | Promise<Float32Array>;
}

export type SvdEngine = Pick<Engine, 'truncatedSvd' | 'truncatedSvdOperator'>;

export interface SpectrumOptions extends JobOptions {
  /** Triplets wanted; cut to min(rows, columns). */
  k: number;
  seed: number;
  /** Which triplets' vectors are kept; default all. */
  vectors?: number | readonly number[];
  /** Vectors a product takes at a time. Default 32. */
  block?: number;
  /** Most values of a Jacobian that is written out. Default 16 million (64 MB). */
  explicitLimit?: number;
}

export interface Spectrum extends TruncatedSvdResult {
  explicit: boolean;
}

const EXPLICIT_LIMIT = 16e6;

/**
 * Whether writing the Jacobian out is worth it: it fits, and min(rows, columns) products cost no more than the
 * iteration's two products with some 2k vectors.
 */
export function isExplicit(rows: number, columns: number, k: number, limit = EXPLICIT_LIMIT): boolean {
  return rows * columns <= limit && Math.min(rows, columns) <= 6 * Math.min(k, rows, columns) + 64;
}

/**
 * Top-k singular triplets of a map, from its matrix where that is small, else from products alone.
 * Throws `not-finite` naming the side, `memory`, `cancelled`.
 */
export async function spectrumOf(
  engine: SvdEngine,
  map: LinearMap,
  options: SpectrumOptions,
): Promise<Spectrum> {
  const { rows, columns } = map;
  guard(
    Number.isInteger(options.k) && options.k >= 1,
    'argument',
    () => `k: expected a whole number ≥ 1, got ${options.k}`,
  );
  const k = Math.min(options.k, rows, columns);
  const { seed, block = 32, signal, onProgress } = options;
  const picks = options.vectors ?? k;
  const vectors = typeof picks === 'number' ? Math.min(picks, k) : picks.filter((i) => i < k);
  if (isExplicit(rows, columns, k, options.explicitLimit)) {
    const jacobian = await jacobianOf(map, block, signal);
    return {
      ...(await engine.truncatedSvd(jacobian, { k, seed, vectors, signal, onProgress })),
      explicit: true,
    };
  }
  const operator = {
    shape: [rows, columns] as const,
    forward: (v: Float32Array, count: number) => map.jvp(v, count),
    adjoint: (u: Float32Array, count: number) => map.vjp(u, count),
  };
  const result = await engine.truncatedSvdOperator(operator, {
    k,
    seed,
    vectors,
    block: Math.min(block, Math.max(4, k)),
    signal,
    onProgress,
  });
  return { ...result, explicit: false };
}

/** The Jacobian, float32[rows × columns], by products with the unit vectors of the smaller side. */
export async function jacobianOf(map: LinearMap, block: number, signal?: AbortSignal): Promise<Matrix> {
  const { rows, columns } = map;
  const data = new Float32Array(rows * columns);
  const byRows = rows <= columns;
  const side = byRows ? rows : columns;
  for (let from = 0; from < side; from += block) {
    if (signal?.aborted) throw new EpochscopeError('cancelled', 'the Jacobian was cancelled');
    const count = Math.min(block, side - from);
    const units = new Float32Array(count * side);
    for (let i = 0; i < count; i++) units[i * side + from + i] = 1;
    const answer = await (byRows ? map.vjp(units, count) : map.jvp(units, count));
    guard(
      answer.length === count * (byRows ? columns : rows),
      'shape',
      () => `Jacobian: ${count} products of a ${rows}×${columns} map gave ${answer.length} values`,
    );
    if (byRows) data.set(answer, from * columns);
    else
      for (let i = 0; i < count; i++)
        for (let r = 0; r < rows; r++) data[r * columns + from + i] = answer[i * rows + r]!;
  }
  return { data, shape: [rows, columns] };
}
