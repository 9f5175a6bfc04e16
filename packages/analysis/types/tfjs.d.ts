// What of tfjs stands in this package's declarations, in place of tfjs's own: those fail without `skipLibCheck`, and bring WebGPU's,
// which clash with TypeScript's. Objects of the real tfjs fit. Where all of it is wanted: `(await prepareTf()) as unknown as typeof tf`,
// after `import type * as tf` from it. scripts/types.mjs puts this file into dist.

type Numbers = Float32Array | Int32Array | Uint8Array;
export interface Tensor {
  readonly shape: number[];
  readonly dtype: string;
  readonly size: number;
  data(): Promise<Numbers>;
  dataSync(): Numbers;
  dispose(): void;
}
export type Tensor2D = Tensor;
export type Variable = Tensor;
export interface Optimizer {
  getWeights(): Promise<{ name: string; tensor: Tensor }[]>;
}
export interface LayersModel {
  readonly name: string;
  countParams(): number;
  predict(x: Tensor | Tensor[], args?: { batchSize?: number }): Tensor | Tensor[];
  dispose(): unknown;
}
export declare namespace layers {
  function dense(config: object): { readonly name: string };
}
/** `shape` is that of the values. */
export declare function tensor(
  values: Numbers | number[],
  shape?: number[],
  dtype?: 'float32' | 'int32' | 'bool',
): Tensor;
export declare function dispose(container: Tensor | Tensor[]): void;
export declare function memory(): { numTensors: number; numBytes: number };
