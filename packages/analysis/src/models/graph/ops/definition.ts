import type { Tf } from '../../backend.js';
import type { GraphNode } from '../types.js';
import type { CompiledOp } from './compiled.js';

/** How a field of a node is checked where it comes from run.json; with "?" it may be left out. */
export type FieldKind = 'number' | 'numbers' | 'counts' | 'integers' | 'flag' | 'text' | 'tensor';
export type Fields = Readonly<Record<string, FieldKind | `${FieldKind}?`>>;

/** What shape inference sees of a node's surroundings. */
export interface Given {
  /** Shapes of the inputs, for one sample. */
  inputs: number[][];
  /** Checks a tensor's shape (null: any side) and answers it. Throws `missing`, `format`, `shape`. */
  tensor(name: string, expected: readonly (number | null)[]): number[];
  /** A tensor's shape, of any rank. */
  shapeOf(name: string): number[];
  /** Throws `shape`: expected … , got the inputs' shapes. */
  fail(expected: string): never;
  /** Throws `format`. */
  refuse(message: string): never;
}

/** What a node is compiled for: shapes of one sample, and its tensors. */
export interface Site {
  inputs: number[][];
  out: number[];
  weight(name: string): { data: Float32Array; shape: number[] };
}

/**
 * All that is known of one kind of node but its float64 reference (reference.ts): its fields, its shape, and on tfjs its
 * value, J·v and Jᵀ·u (`CompiledOp`).
 */
export interface OpDefinition<N extends GraphNode = GraphNode> {
  /** How many inputs; 'some': one or more. */
  inputs: number | 'some';
  fields?: Fields;
  infer(node: N, given: Given): number[];
  compile(tf: Tf, node: N, site: Site): CompiledOp;
}

export const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Kinds of nodes that change neither values nor their order. */
export const PASSED: ReadonlySet<string> = new Set(['identity', 'flatten', 'reshape']);

/** The shape that several broadcast to; null where they do not. */
export function broadcast(shapes: readonly (readonly number[])[]): number[] | null {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const out: number[] = new Array(rank).fill(1);
  for (const shape of shapes)
    for (const [i, side] of shape.entries()) {
      const at = i + rank - shape.length;
      if (side !== 1 && out[at] !== 1 && out[at] !== side) return null;
      if (side !== 1) out[at] = side;
    }
  return out;
}
