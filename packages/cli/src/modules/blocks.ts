import { type ColumnBlocks, type UnitLayer, unitOutputs, unitTotal } from '@epochscope/analysis';
import type { ModulesRunOptions } from './options.js';
import { BLOCK, type Samples } from './samples.js';

/** Unit outputs beside inputs and outputs of the net, block by block. */
export function blocksOf(
  samples: Samples,
  snapshot: string,
  layers: readonly UnitLayer[],
  { units, outputs }: ModulesRunOptions,
  logarithms: boolean,
): ColumnBlocks {
  const names = layers.map(({ name }) => name);
  const width = samples.inputs + samples.outputs;
  return {
    units: unitTotal(layers),
    inputs: width,
    samples: samples.indices.length,
    async *blocks() {
      for (let from = 0; from < samples.indices.length; from += BLOCK) {
        const to = Math.min(samples.indices.length, from + BLOCK);
        const { layers: parts, x } = await samples.read(snapshot, names, from, to);
        const last = parts.at(-1)!;
        const y = new Float32Array((to - from) * width);
        for (let s = 0; s < to - from; s++) {
          y.set(x.data.subarray(s * samples.inputs, (s + 1) * samples.inputs), s * width);
          for (let j = 0; j < samples.outputs; j++) {
            const value = last.data[s * samples.outputs + j]!;
            y[s * width + samples.inputs + j] =
              logarithms && outputs === 'probability' ? Math.exp(value) : value;
          }
        }
        yield [
          unitOutputs(layers, parts.slice(0, -1), units),
          { data: y, shape: [to - from, width] },
        ] as const;
      }
    },
  };
}
