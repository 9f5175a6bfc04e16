import type { Tensor as TfTensor } from '@tensorflow/tfjs';

/** A node's derivative at one input, on blocks of k vectors held as tensors k × shape. */
export interface LinearOp {
  /** J·v; an input that does not depend on what is varied is null. */
  forward(v: (TfTensor | null)[], k: number): TfTensor;
  /** Jᵀ·u, one for each input. */
  back(u: TfTensor, k: number): TfTensor[];
  dispose(): void;
}

/** A node with its weights on tfjs. */
export interface CompiledOp {
  /** On batches: n × shape. */
  run(inputs: TfTensor[]): TfTensor;
  /** `inputs`, `output`: values at x, 1 × shape; they may be disposed afterwards. Leaves no tensor but what its `dispose` frees. */
  at(inputs: TfTensor[], output: TfTensor): LinearOp;
  dispose(): void;
}

/** Where there is nothing to free. */
export const nothing = () => {};

/** A map that is linear already: the same derivative everywhere. */
export function linear(
  forward: (v: TfTensor, k: number) => TfTensor,
  back: (u: TfTensor, k: number) => TfTensor,
  dispose: () => void = nothing,
): CompiledOp {
  return {
    run: ([x]) => forward(x!, x!.shape[0]!),
    at: () => ({ forward: ([v], k) => forward(v!, k), back: (u, k) => [back(u, k)], dispose: nothing }),
    dispose,
  };
}
