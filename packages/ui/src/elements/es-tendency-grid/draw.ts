import type { TendencyPanel } from '@epochscope/analysis/results';
import type { Drawing, Frame } from '../../figure/index.js';
import { wrapText } from '../../figure/index.js';
import type { SceneItem } from '../../scene/index.js';
import {
  greyBar,
  type MarkColour,
  markLegend,
  outlineNote,
  panelScene,
  sharedScales,
  shownMarks,
} from '../es-tendency-image/draw.js';

/** A row of pictures: a layer, or a number of samples. */
export interface GridRow {
  title: string;
  /** A picture a column with its caption; null where none was analysed. */
  cells: readonly ({ panel: TendencyPanel; caption: string } | null)[];
}
export interface Grid {
  columns: readonly string[];
  rows: readonly GridRow[];
  mode: 'ivat' | 'vat';
  markColor: MarkColour;
  classes: readonly string[] | null;
}

const GAP = 10;
const SMALL = 11;
const LINE = 15;
/** Largest side of a picture; pixels per CSS pixel. */
const LARGEST = 320;
const DENSITY = 3;
/** After the caption of a picture that does not share its layer's greys. */
export const OWN_GREYS = ' · own greys';
const QUIET = 'var(--_quiet)';

/** Pictures of snapshots (columns) × layers (rows) with their captions, one grey scale for each layer (`sharedScales`). */
export function gridDrawing(
  { columns, rows, mode, markColor, classes }: Grid,
  { width, measure }: Frame,
): Drawing {
  const panels = rows.flatMap(({ cells }) => cells.flatMap((cell) => (cell ? [cell.panel] : [])));
  const scaleOf = sharedScales(panels, mode);
  const scales = panels.map(scaleOf);
  const titles = rows.map(({ title }) => wrapText(title, width * 0.2, measure));
  const left = Math.ceil(Math.max(...titles.flat().map((line) => measure(line)), 0)) + 10;
  const step = Math.min(LARGEST + GAP, (width - left + GAP) / columns.length);
  const side = Math.max(8, Math.floor(step - GAP));
  const heads = columns.map((title) => wrapText(title, step - 4, measure));
  const head = Math.max(...heads.map(({ length }) => length)) * LINE + 6;
  const captionOf = (cell: GridRow['cells'][number]) =>
    wrapText(
      !cell
        ? 'not analysed'
        : cell.panel.n === 0
          ? 'no samples'
          : `${cell.caption}${scaleOf(cell.panel).own ? OWN_GREYS : ''}`,
      step - 2,
      measure,
      SMALL,
    );
  const items: SceneItem[] = [];
  heads.forEach((lines, c) => {
    lines.forEach((text, i) => {
      const x = left + c * step + side / 2;
      items.push({ kind: 'text', x, y: i * LINE, text, anchor: 'middle', baseline: 'top' });
    });
  });
  let y = head;
  rows.forEach(({ cells }, r) => {
    titles[r]!.forEach((text, i) => {
      const middle = y + side / 2 + (i - (titles[r]!.length - 1) / 2) * LINE;
      items.push({ kind: 'text', x: left - 10, y: middle, text, anchor: 'end', baseline: 'middle' });
    });
    const captions = cells.map(captionOf);
    cells.forEach((cell, c) => {
      const x = left + c * step;
      if (cell && cell.panel.n > 0)
        items.push({
          kind: 'group',
          x,
          y,
          items: panelScene(cell.panel, {
            side,
            density: DENSITY,
            mode,
            markColor,
            high: scaleOf(cell.panel).high,
          }).items,
        });
      captions[c]!.forEach((text, i) => {
        items.push({
          kind: 'text',
          x: x + side / 2,
          y: y + side + 4 + i * (SMALL + 3),
          text,
          anchor: 'middle',
          baseline: 'top',
          size: SMALL,
          fill: QUIET,
        });
      });
    });
    y += side + 10 + Math.max(...captions.map(({ length }) => length)) * (SMALL + 3);
  });
  const one = new Set(scales.map(({ high }) => high)).size === 1 ? scales[0]! : null;
  const owns = scales.some(({ own }) => own);
  const drawnPairs = panels.some(({ vat }) => mode === 'vat' && typeof vat?.pairsPerPixel === 'number');
  return {
    width,
    height: Math.ceil(y),
    items,
    legend: markLegend(
      panels.flatMap(({ marks }) => shownMarks(marks, markColor)),
      markColor,
      classes,
    ),
    scales: [
      greyBar(
        mode,
        panels[0]?.metric ?? '',
        one ?? { high: 1, most: 1 },
        one ? undefined : 'largest of the layer',
      ),
    ],
    note: `Dark = similar.${outlineNote(panels)}${owns ? ' Own greys: a picture whose blocks could not be told in those of its layer.' : ''}${drawnPairs ? ' Pixels are means of pairs drawn with the seed.' : ''}`,
  };
}
