import { EpochscopeError, guard, type Matrix } from '@epochscope/core-wasm';
import type { ColumnBlocks, Engine, JobOptions } from '../../engine/types.js';
import type { Figure } from '../../results/types.js';
import type { Range, RemovedUnits } from './types.js';

/** Feature vectors of the units that have one. */
export interface UnitFeatures {
  /** float32[kept × (inputs + outputs)]: v_k = correlations with each input dimension, then with each output dimension. */
  features: Matrix;
  kept: Uint32Array;
  removed: RemovedUnits[];
  constantInputs: Uint32Array;
  constantOutputs: Uint32Array;
}

export interface FeatureOptions extends JobOptions {
  /** Units to leave out from the start, rising, with the reason. */
  without?: RemovedUnits;
}

/**
 * v_k = [corr(o_k, x_i) for each input i; corr(o_k, y_j) for each output j] over the samples (Watanabe, §2.1). Units of zero
 * variance, and units without any correlation, are removed with the reason; a constant input or output gets 0 and is named.
 * @param source x: units; y: inputs, then outputs.
 */
export async function unitFeatures(
  engine: Pick<Engine, 'correlationOfBlocks'>,
  source: ColumnBlocks,
  inputs: number,
  options: FeatureOptions = {},
): Promise<UnitFeatures> {
  guard(
    Number.isInteger(inputs) && inputs >= 0 && inputs <= source.inputs,
    'argument',
    () => `inputs: expected 0 … ${source.inputs} of the columns, got ${inputs}`,
    { inputs, columns: source.inputs },
  );
  const { r, constantUnits, constantInputs } = await engine.correlationOfBlocks(source, options);
  const [units, d] = r.shape;
  const constant = new Set(constantUnits);
  const out = new Set(options.without?.units ?? []);
  const empty: number[] = [];
  const kept: number[] = [];
  for (let u = 0; u < units; u++) {
    if (out.has(u) || constant.has(u)) continue;
    if (r.data.subarray(u * d, (u + 1) * d).every((value) => value === 0)) empty.push(u);
    else kept.push(u);
  }
  // In place: rows only move towards the front.
  for (const [k, u] of kept.entries()) if (k !== u) r.data.copyWithin(k * d, u * d, (u + 1) * d);
  const removed: RemovedUnits[] = [
    ...(options.without ? [options.without] : []),
    { reason: 'output of zero variance', units: constantUnits.filter((u) => !out.has(u)) },
    { reason: 'it is correlated with no input and no output', units: Uint32Array.from(empty) },
  ];
  return {
    features: { data: r.data.subarray(0, kept.length * d), shape: [kept.length, d] },
    kept: Uint32Array.from(kept),
    removed: removed.filter(({ units }) => units.length),
    constantInputs: constantInputs.filter((k) => k < inputs),
    constantOutputs: constantInputs.filter((k) => k >= inputs).map((k) => k - inputs),
  };
}

/** Range of columns [from, to) over rows. */
export function rangeOf({ data, shape: [n, d] }: Matrix, from: number, to: number): Range {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < n; i++)
    for (let k = i * d + from; k < i * d + to; k++) {
      if (data[k]! < low) low = data[k]!;
      if (data[k]! > high) high = data[k]!;
    }
  const none: Figure = { value: null, reason: n ? 'there are no such dimensions' : 'there are no units' };
  return low <= high ? { low: { value: low }, high: { value: high } } : { low: none, high: none };
}

/** A refusal for memory in the method's own words, with the ways out. */
export function explainMemory(cause: unknown, units: number): never {
  if (!(cause instanceof EpochscopeError) || cause.code !== 'memory') throw cause;
  throw new EpochscopeError(
    'memory',
    `clustering ${units} units: ${cause.message}: take channels instead of neurons, fewer layers, or a random part of the units`,
    { ...cause.fields, units },
    { cause },
  );
}
