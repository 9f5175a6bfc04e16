import { guard } from '@epochscope/core-wasm';
import { like, listOf, numbers, object, optional, orNull, type Shape, shaped } from '../../formats/shape.js';
import { assignFree } from './assign.js';
import { blockLabels, findBlocks } from './blocks.js';
import { labelScores } from './scores.js';
import type { TendencyPanel, TendencyResult } from './types.js';

/**
 * A tendency result as version 1 wrote it, which counted blocks by another rule: blocks and scores are found anew from the order, weights
 * and parents that it holds. Stability and the rim score need what it does not hold, and are null with the reason. Others come back as
 * they are. Throws `format`.
 */
export function ofVersion1(result: unknown, file: string): unknown {
  const { method, panels } = (result ?? {}) as Partial<TendencyResult>;
  if (method !== 'tendency' || !Array.isArray(panels) || !panels.some(isOld)) return result;
  const { samples, thinning, ...rest } = shaped(result, RESULT, file) as unknown as TendencyResult;
  const labels = samples?.labels ?? null;
  return {
    ...rest,
    samples,
    panels: panels.map((panel) => renewed(panel, labels, file)),
    ...(thinning
      ? {
          thinning: {
            ...thinning,
            steps: thinning.steps.map((step) => ({
              ...step,
              panels: step.panels.map((panel) =>
                renewed(panel, labels && Uint32Array.from(step.samples, (sample) => labels[sample]!), file),
              ),
            })),
          },
        }
      : {}),
  };
}

/** A tree of samples: `order` names each, `parent` and `weights` are one fewer. */
const PANEL: Shape<TendencyPanel> = like('an order of n samples with n − 1 weights and parents', (value) => {
  const { n, order, weights, parent, blocks } = (value ?? {}) as Partial<TendencyPanel>;
  return (
    Number.isSafeInteger(n) &&
    blocks !== null &&
    typeof blocks === 'object' &&
    order instanceof Uint32Array &&
    parent instanceof Uint32Array &&
    weights instanceof Float32Array &&
    order.length === n &&
    weights.length === Math.max(0, n - 1) &&
    parent.length === weights.length &&
    order.every((sample) => sample < n) &&
    parent.every((sample) => sample < n)
  );
});
const RESULT = object({
  panels: listOf(PANEL),
  samples: optional(object({ labels: optional(orNull(numbers)) })),
  thinning: optional(object({ steps: listOf(object({ samples: numbers, panels: listOf(PANEL) })) })),
});

const isOld = (panel: TendencyPanel | null) =>
  typeof panel?.blocks === 'object' && panel.blocks !== null && 'boundaries' in panel.blocks;

function renewed(panel: TendencyPanel, labels: ArrayLike<number> | null, file: string): TendencyPanel {
  if (!isOld(panel)) return panel;
  guard(
    !labels || labels.length === panel.n,
    'format',
    () => `${file}: expected ${panel.n} labels, got ${labels!.length}`,
    {
      file,
    },
  );
  const blocks = findBlocks(panel.weights, panel.n);
  const inBlocks = blockLabels(blocks, panel.order);
  const unknown = {
    value: null,
    reason: 'the result was written by version 1, which counted blocks by another rule',
  };
  return {
    ...panel,
    blocks: { ...blocks, stability: unknown },
    scores: {
      inBlocks: labelScores(inBlocks, labels, blocks.reason),
      overall: labelScores(assignFree(panel, inBlocks), labels, blocks.reason),
    },
    rimScore: unknown,
  };
}
