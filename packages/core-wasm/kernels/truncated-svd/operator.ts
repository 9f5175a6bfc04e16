import { isFloat32, nameOf } from '../../src/arguments.js';
import { guard } from '../../src/errors.js';
import type { Kernels } from '../../src/load.js';
import { checkFinite } from '../../src/matrix.js';
import type { Product } from './iterate.js';
import type { LinearOperator } from './types.js';

/** Throws `argument`. */
export function checkOperator(operator: LinearOperator): void {
  guard(
    Array.isArray(operator?.shape) &&
      operator.shape.length === 2 &&
      typeof operator.forward === 'function' &&
      typeof operator.adjoint === 'function',
    'argument',
    () => `operator: expected { shape: [rows, columns], forward, adjoint }, got ${nameOf(operator)}`,
  );
}

/**
 * Hands rows to the operator, at most a block at a time, and checks what comes back. Images, which are as long as σ,
 * go back at a length near 1, as σ² may be no float32: by powers of two, which cost no digit.
 */
export async function apply(
  { arena }: Kernels,
  operator: LinearOperator,
  { kind, from, start, to, at, count }: Product,
  forward: boolean,
  most: number,
): Promise<void> {
  for (let done = 0; done < count; done += most) {
    const rows = Math.min(most, count - done);
    const size = rows * from.length;
    const place = from.pointer + (start + done) * from.length * from.width;
    const block =
      from.width === 8 ? Float32Array.from(arena.f64(place, size)) : arena.f32(place, size).slice();
    const units = kind === 'down' ? normalised(block, rows) : null;
    const answer = await (forward ? operator.forward(block, rows) : operator.adjoint(block, rows));
    const name = forward ? 'forward' : 'adjoint';
    guard(
      isFloat32(answer),
      'argument',
      () => `operator.${name}: expected a Float32Array, got ${nameOf(answer)}`,
    );
    guard(
      answer.length === rows * to.length,
      'shape',
      () => `operator.${name}: ${rows} vectors need ${rows * to.length} values, got ${answer.length}`,
      { expected: rows * to.length, got: answer.length },
    );
    checkFinite({ data: answer, shape: [rows, to.length] }, `operator.${name}`);
    const target = to.pointer + (at + done) * to.length * to.width;
    const values = to.width === 8 ? arena.f64(target, answer.length) : arena.f32(target, answer.length);
    values.set(answer);
    if (units) for (let i = 0; i < answer.length; i++) values[i]! *= units[Math.floor(i / to.length)]!;
  }
}

/**
 * Each of `rows` rows times a power of two that makes its largest entry about 1, but for rows of zeros; answers what
 * they were divided by.
 */
function normalised(block: Float32Array, rows: number): Float64Array {
  const length = block.length / rows;
  return Float64Array.from({ length: rows }, (_, i) => {
    const row = block.subarray(i * length, (i + 1) * length);
    let largest = 0;
    for (const x of row) largest = Math.max(largest, Math.abs(x));
    if (largest === 0) return 1;
    const unit = 2 ** Math.floor(Math.log2(largest));
    for (let j = 0; j < length; j++) row[j]! /= unit;
    return unit;
  });
}
