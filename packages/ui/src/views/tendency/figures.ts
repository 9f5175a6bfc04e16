import {
  alignedView,
  type TendencyPanel,
  type TendencyResult,
  type ThinnedAgreement,
} from '@epochscope/analysis/results';
import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { type MarkColour, panelScene, shownMarks } from '../../elements/es-tendency-image/draw.js';
import { CORRECT_COLOUR, classColour, WRONG_COLOUR } from '../../palette.js';
import { moved, type Scene, type SceneItem, textWidth } from '../../scene/index.js';
import { snapshotTitle } from '../../styles.js';

/** The figures of the paper: 2 `layers`, 3 `marks` (right and wrong), 4 `thinning`. */
export const TENDENCY_FIGURES = ['layers', 'marks', 'thinning'] as const;
export type TendencyFigure = (typeof TENDENCY_FIGURES)[number];

export interface FigureOptions {
  /** Side of each picture in pixels, marks included; default 320. */
  side?: number;
  mode?: 'ivat' | 'vat';
  /** Draw the orders aligned between snapshots. */
  aligned?: boolean;
}

const TEXT = 22;
const INK = '#1d2329';
const QUIET = '#5a6570';
const PAD = 20;
const GAP = 22;

interface Cell {
  panel: TendencyPanel;
  caption: string;
}
interface Row {
  title: string;
  cells: (Cell | null)[];
}

/**
 * A figure of a whole result as a scene: snapshots as columns; layers, or numbers of samples, as rows. Throws `missing`
 * for what the result does not hold: right and wrong marks, or thinning.
 */
export function tendencyFigure(
  result: TendencyResult,
  figure: TendencyFigure,
  { side = 320, mode = 'ivat', aligned = false }: FigureOptions = {},
): Scene {
  const { panels, thinning } = result;
  guard(panels.length > 0, 'missing', 'the result holds no picture');
  const snapshots = [...new Map(panels.map(({ snapshot }) => [snapshot.id, snapshot])).values()];
  const markColor: MarkColour = figure === 'marks' ? 'correct' : 'class';
  const rowOf = (
    title: string,
    list: readonly TendencyPanel[],
    caption: (p: TendencyPanel, i: number) => string,
  ): Row => ({
    title,
    cells: snapshots.map(({ id }) => {
      const at = list.findIndex(({ snapshot }) => snapshot.id === id);
      return at < 0 ? null : { panel: list[at]!, caption: caption(list[at]!, at) };
    }),
  });
  let rows: Row[];
  if (figure === 'thinning') {
    if (!thinning)
      throw new EpochscopeError('missing', 'the result holds no thinning; analyse with --thin SIZES');
    const { layer } = thinning.reference;
    const own = (p: { layer: string }) => p.layer === layer;
    const all = panels.filter(own);
    rows = [
      ...(thinning.steps.some(({ interval }) => interval === 1)
        ? []
        : [rowOf(`${layer}, ${all[0]!.n} samples`, all, blockText)]),
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
        'the result marks no sample that is known to be right or wrong; analyse with --marks wrong,correct',
      );
    const caption =
      figure === 'layers'
        ? blockText
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
  const draw = (panel: TendencyPanel) =>
    panelScene(aligned ? alignedView(panel) : panel, { pixels: side, mode, markColor }).items;
  return compose(snapshots.map(snapshotTitle), rows, draw, side, legendOf(result, rows, markColor), mode);
}

const blockText = ({ blocks, scores }: TendencyPanel) =>
  `${blocks.count} ${blocks.count === 1 ? 'block' : 'blocks'}${scores.ari.value === null ? '' : ` · ARI ${scores.ari.value.toFixed(2)}`}`;
const agreementText = ({ blocks }: TendencyPanel, { correlation }: ThinnedAgreement) =>
  `${blocks.count} ${blocks.count === 1 ? 'block' : 'blocks'}${correlation.value === null ? '' : ` · r ${correlation.value.toFixed(2)}`}`;

type LegendItem = { colour: string; text: string };

function legendOf({ samples }: TendencyResult, rows: readonly Row[], markColor: MarkColour): LegendItem[] {
  const marks = rows.flatMap(({ cells }) =>
    cells.flatMap((cell) => (cell ? shownMarks(cell.panel.marks, markColor) : [])),
  );
  if (markColor === 'correct')
    return [
      { colour: CORRECT_COLOUR, text: 'right' },
      { colour: WRONG_COLOUR, text: 'wrong' },
    ].filter(({ text }) => marks.some(({ correct }) => correct === (text === 'right')));
  const labels = [...new Set(marks.flatMap(({ label }) => (label === null ? [] : [label])))].sort(
    (a, b) => a - b,
  );
  return labels.map((label) => ({
    colour: classColour(label),
    text: label < 0 ? 'no class' : (samples.classes?.[label] ?? String(label)),
  }));
}

function compose(
  columns: readonly string[],
  rows: readonly Row[],
  draw: (panel: TendencyPanel) => SceneItem[],
  side: number,
  legend: readonly LegendItem[],
  mode: 'ivat' | 'vat',
): Scene {
  const items: SceneItem[] = [];
  const text = (
    x: number,
    y: number,
    value: string,
    anchor: 'start' | 'middle' | 'end' = 'start',
    colour = INK,
  ) =>
    items.push({ kind: 'text', x: Math.round(x), y: Math.round(y), text: value, anchor, size: TEXT, colour });
  const wide = (value: string) => Math.ceil(textWidth(value, TEXT));
  // Two lines for "S5, 1000 samples".
  const titles = rows.map(({ title }) => title.split(', '));
  const left = PAD + Math.max(...titles.flat().map(wide)) + 14;
  const captions = rows.flatMap(({ cells }) => cells.map((cell) => (cell ? wide(cell.caption) : 0)));
  const step = Math.max(side, ...captions, ...columns.map(wide)) + GAP;
  const top = PAD + TEXT + 12;
  const high = side + TEXT + 26;
  columns.forEach((title, c) => {
    text(left + c * step + side / 2, PAD + TEXT - 4, title, 'middle');
  });
  rows.forEach(({ cells }, r) => {
    const y = top + r * high;
    titles[r]!.forEach((line, i) => {
      const middle = y + side / 2 + (i - (titles[r]!.length - 1) / 2) * (TEXT + 6);
      text(left - 14, middle + TEXT / 3, line, 'end');
    });
    cells.forEach((cell, c) => {
      const x = left + c * step;
      if (cell) items.push(...moved(draw(cell.panel), x, y));
      text(
        x + side / 2,
        y + side + TEXT + 4,
        cell?.panel.n === 0 ? 'no samples' : (cell?.caption ?? 'not analysed'),
        'middle',
        QUIET,
      );
    });
  });
  const width = Math.max(left + columns.length * step - GAP + PAD, left + 420);
  let [x, y] = [left, top + rows.length * high + 12];
  for (const { colour, text: name } of legend) {
    const need = TEXT + 8 + wide(name) + 24;
    if (x + need > width - PAD && x > left) [x, y] = [left, y + TEXT + 12];
    items.push({ kind: 'fill', x, y, width: TEXT - 4, height: TEXT - 4, colour });
    text(x + TEXT + 4, y + TEXT - 6, name);
    x += need;
  }
  if (legend.length) [x, y] = [left, y + TEXT + 14];
  const drawn = rows.some(({ cells }) =>
    cells.some((cell) => typeof cell?.panel.vat?.pairsPerPixel === 'number'),
  );
  const note = `${mode === 'vat' ? 'VAT' : 'iVAT'}: dark = similar, white = largest of each picture${mode === 'vat' && drawn ? ', pixels are means of pairs drawn with the seed' : ''}`;
  for (const line of wide(note) > width - left - PAD ? note.split(', ') : [note]) {
    text(left, y + TEXT - 6, line, 'start', QUIET);
    y += TEXT + 8;
  }
  return { width: Math.ceil(width), height: Math.ceil(y + PAD), background: '#ffffff', items };
}
