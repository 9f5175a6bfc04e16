import { elementCount } from '../../formats/dtypes.js';
import type { Tensor } from '../../formats/types.js';
import { asKernel, type PictureLayout, type PruneTarget } from '../../methods/prune/index.js';
import { GraphRunner, graphOfRun, inputScaleOf } from '../../models/graph/index.js';
import { prepareTf } from '../../models/index.js';
import type { Run } from '../../run/types.js';
import { notPredicting, predictingLayer } from '../predictions.js';

/** Samples that pass through the net at a time. */
const BLOCK = 100;

/** An imported net around the layer that is pruned: its accuracy on the run's own samples; how it was trained is not known. */
export function importedTarget(
  run: Run,
  layout: PictureLayout,
  kernel: Float32Array,
  weights: ReadonlyMap<string, Tensor>,
): PruneTarget {
  return {
    layout,
    weights: kernel,
    retrain: null,
    async evaluate(values) {
      const labels = await run.labels();
      const inputs = await run.inputs();
      if (!labels || !inputs)
        return { value: null, reason: `the run holds no ${labels ? 'samples' : 'labels'} to be right about` };
      if (!predictingLayer(run)) return { value: null, reason: notPredicting(run) };
      const tf = await prepareTf();
      const now = new Map(weights);
      now.set(layout.tensor, {
        data: asKernel(values, layout),
        shape: weights.get(layout.tensor)!.shape,
        dtype: 'float32',
      });
      const net = new GraphRunner(tf, graphOfRun(tf, run.manifest, now, run.store.name));
      try {
        const scale = inputScaleOf(run.manifest);
        const size = elementCount(run.manifest.inputShape!);
        let right = 0;
        for (let from = 0; from < labels.length; from += BLOCK) {
          const count = Math.min(BLOCK, labels.length - from);
          const x = inputs.data.slice(from * size, (from + count) * size).map((value) => value / scale);
          const scores = net.run(x, count).get(net.last)!;
          const classes = scores.length / count;
          for (let i = 0; i < count; i++) {
            let most = 0;
            for (let c = 1; c < classes; c++)
              if (scores[i * classes + c]! > scores[i * classes + most]!) most = c;
            if (most === labels[from + i]) right++;
          }
        }
        return { value: right / labels.length };
      } finally {
        net.dispose();
      }
    },
  };
}
