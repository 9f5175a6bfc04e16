import {
  alignedView,
  blocksCaption,
  type TendencyPanel,
  type TendencyResult,
  type ThinnedAgreement,
} from '@epochscope/analysis/results';
import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { type GridRow, gridDrawing } from '../../elements/es-tendency-grid/draw.js';
import { type MarkColour, shownMarks } from '../../elements/es-tendency-image/draw.js';
import type { Drawing, Frame } from '../../figure/index.js';
import { snapshotTitle } from '../../styles.js';

/** The figures of the paper: 2 `layers`, 3 `marks` (right and wrong), 4 `thinning`. */
export const TENDENCY_FIGURES = ['layers', 'marks', 'thinning'] as const;
export type TendencyFigure = (typeof TENDENCY_FIGURES)[number];

export interface FigureOptions {
  mode?: 'ivat' | 'vat';
  /** Draw the orders aligned between snapshots. */
  aligned?: boolean;
}

/**
 * A figure of a whole result: snapshots as columns; layers, or numbers of samples, as rows. Throws `missing`
 * for what the result does not hold: right and wrong marks, or thinning.
 */
export function tendencyFigure(
  result: TendencyResult,
  figure: TendencyFigure,
  frame: Frame,
  { mode = 'ivat', aligned = false }: FigureOptions = {},
): Drawing {
  const { panels, thinning } = result;
  guard(panels.length > 0, 'missing', 'the result holds no picture');
  const snapshots = [...new Map(panels.map(({ snapshot }) => [snapshot.id, snapshot])).values()];
  const markColor: MarkColour = figure === 'marks' ? 'correct' : 'class';
  const rowOf = (
    title: string,
    list: readonly TendencyPanel[],
    caption: (p: TendencyPanel, i: number) => string,
  ): GridRow => ({
    title,
    cells: snapshots.map(({ id }) => {
      const at = list.findIndex(({ snapshot }) => snapshot.id === id);
      return at < 0 ? null : { panel: list[at]!, caption: caption(list[at]!, at) };
    }),
  });
  let rows: GridRow[];
  if (figure === 'thinning') {
    if (!thinning)
      throw new EpochscopeError('missing', 'the result holds no thinning; analyse with `thin: SIZES`');
    const { layer } = thinning.reference;
    const own = (p: { layer: string }) => p.layer === layer;
    const all = panels.filter(own);
    rows = [
      ...(thinning.steps.some(({ interval }) => interval === 1)
        ? []
        : [rowOf(`${layer}, ${all[0]!.n} samples`, all, blocksCaption)]),
      ...thinning.steps.map(({ size, panels: thin, agreement }) => {
        const agreed = agreement.filter(own);
        return rowOf(`${layer}, ${size} samples`, thin.filter(own), (p, i) => agreementText(p, agreed[i]!));
      }),
    ];
  } else {
    if (figure === 'marks')
      guard(
        panels.some(({ marks }) => marks.some(({ correct }) => correct !== null)),
        'missing',
        'the result marks no sample that is known to be right or wrong; analyse with `marks: wrong,correct`',
      );
    const caption =
      figure === 'layers'
        ? blocksCaption
        : (p: TendencyPanel) => {
            const marked = shownMarks(p.marks, 'correct');
            const wrong = marked.filter(({ correct }) => correct === false).length;
            return `${wrong} of ${marked.length} wrong`;
          };
    rows = [...new Set(panels.map(({ layer }) => layer))].map((layer) =>
      rowOf(
        layer,
        panels.filter((p) => p.layer === layer),
        caption,
      ),
    );
  }
  const shown = aligned
    ? rows.map((row) => ({
        ...row,
        cells: row.cells.map((cell) => cell && { ...cell, panel: alignedView(cell.panel) }),
      }))
    : rows;
  return gridDrawing(
    { columns: snapshots.map(snapshotTitle), rows: shown, mode, markColor, classes: result.samples.classes },
    frame,
  );
}

const agreementText = ({ blocks }: TendencyPanel, { correlation }: ThinnedAgreement) =>
  `${blocksCaption({ blocks })}${correlation.value === null ? '' : ` · r ${correlation.value.toFixed(2)}`}`;
