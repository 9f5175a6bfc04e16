import { assignFree } from './assign.js';
import { blockLabels, findBlocks } from './blocks.js';
import { labelScores } from './scores.js';
import type { TendencyPanel, TendencyResult } from './types.js';

/**
 * A tendency result as version 1 wrote it, which counted blocks by another rule: blocks and scores are found anew from the order, weights
 * and parents that it holds. Stability and the rim score need what it does not hold, and are null with the reason. Others come back as
 * they are.
 */
export function ofVersion1(result: unknown): unknown {
  const { method, panels, samples, thinning } = result as TendencyResult;
  if (method !== 'tendency' || !Array.isArray(panels) || !panels.some(isOld)) return result;
  const labels = samples?.labels ?? null;
  return {
    ...(result as TendencyResult),
    panels: panels.map((panel) => renewed(panel, labels)),
    ...(thinning
      ? {
          thinning: {
            ...thinning,
            steps: thinning.steps.map((step) => ({
              ...step,
              panels: step.panels.map((panel) =>
                renewed(panel, labels && Uint32Array.from(step.samples, (sample) => labels[sample]!)),
              ),
            })),
          },
        }
      : {}),
  };
}

const isOld = (panel: TendencyPanel) => panel.blocks !== undefined && 'boundaries' in panel.blocks;

function renewed(panel: TendencyPanel, labels: ArrayLike<number> | null): TendencyPanel {
  if (!isOld(panel)) return panel;
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
