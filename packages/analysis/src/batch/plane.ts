import { guard } from '@epochscope/core-wasm';

/** Blocks of points, and tasks of several blocks each: every two blocks lie in exactly one task. */
export interface Cover {
  /** Prime, or 0 (one block, one task) or 1 (three blocks in pairs). */
  order: number;
  /** order² + order + 1 blocks, and as many tasks. */
  blocks: number;
  /** Blocks of each task, rising: order + 1 of them (of order 0: the one). */
  tasks: readonly (readonly number[])[];
}

/** Orders that a cover may have. */
export const ORDERS: readonly number[] = [0, 1, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47];

export const blocksOfOrder = (order: number): number => order * order + order + 1;

/**
 * The lines of the projective plane over the field of `order` elements as tasks, its points as blocks (Veblen & Young 1910): points are the
 * vectors (x, y, z) ≠ 0 but for a factor, a line is all that are orthogonal to one of them. Throws `argument` for an order that is not
 * prime. Time and memory O(order³).
 */
export function projectiveCover(order: number): Cover {
  guard(
    order === 0 || order === 1 || isPrime(order),
    'argument',
    () => `projectiveCover: expected a prime order, 0 or 1, got ${order}`,
    { got: order },
  );
  const blocks = blocksOfOrder(order);
  if (order === 0) return { order, blocks, tasks: [[0]] };
  if (order === 1)
    return {
      order,
      blocks,
      tasks: [
        [0, 1],
        [0, 2],
        [1, 2],
      ],
    };
  // One of each class, its first coordinate that is not 0 being 1: (1, y, z), (0, 1, z), (0, 0, 1).
  const points: [number, number, number][] = [];
  for (let y = 0; y < order; y++) for (let z = 0; z < order; z++) points.push([1, y, z]);
  for (let z = 0; z < order; z++) points.push([0, 1, z]);
  points.push([0, 0, 1]);
  const tasks = points.map(([a, b, c]) =>
    points.flatMap(([x, y, z], block) => ((a * x + b * y + c * z) % order === 0 ? [block] : [])),
  );
  return { order, blocks, tasks };
}

function isPrime(n: number): boolean {
  if (!Number.isInteger(n) || n < 2) return false;
  for (let k = 2; k * k <= n; k++) if (n % k === 0) return false;
  return true;
}

/** Where block `b` of `blocks` begins among n rows; that of `blocks` is n. Sizes differ by one at most. */
export const blockStart = (n: number, blocks: number, b: number): number => Math.floor((n * b) / blocks);
