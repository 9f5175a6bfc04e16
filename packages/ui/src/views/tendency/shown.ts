import { alignedView, type TendencyPanel, type TendencyResult } from '@epochscope/analysis/results';

/** Samples by their number in the result, where a panel counts within a subset. */
function withSamples(panel: TendencyPanel, samples: Uint32Array): TendencyPanel {
  return {
    ...panel,
    order: panel.order.map((sample) => samples[sample]!),
    parent: panel.parent.map((sample) => samples[sample]!),
    start: samples[panel.start] ?? 0,
    marks: panel.marks.map((mark) => ({ ...mark, sample: samples[mark.sample]! })),
  };
}

/** The panels a view shows: of all samples (step −1) or of a thinning step, in their own or in aligned orders. */
export function shownPanels(
  { panels, thinning }: TendencyResult,
  step: number,
  aligned: boolean,
): readonly TendencyPanel[] {
  const chosen = thinning?.steps[step];
  const view = (panel: TendencyPanel) => (aligned ? alignedView(panel) : panel);
  return chosen
    ? chosen.panels.map((panel) => withSamples(view(panel), chosen.samples))
    : aligned
      ? panels.map(view)
      : panels;
}
