import type { ChangeResult, TensorChange } from '@epochscope/analysis/results';
import { tileGrid } from '../../elements/es-change-heatmap/tiles.js';
import { scatterOf } from '../../elements/es-change-scatter/index.js';
import { type DivergingName, diverging } from '../../figure/colours.js';
import { CORRECT_COLOUR, WRONG_COLOUR } from '../../palette.js';
import { fill, QUIET, scenePlot, TEXT, words } from '../../scene/plot.js';
import { textWidth } from '../../scene/text.js';
import type { Scene, SceneItem } from '../../scene/types.js';
import { format, snapshotTitle } from '../../styles.js';

const MARGIN = 24;
const WIDTH = 1100;
const GAP = 6;
const LARGEST = 26;
/** More points than this are thinned by a fixed step. */
const POINTS = 20_000;

const hex = (rgb: readonly number[]) => `#${rgb.map((part) => part.toString(16).padStart(2, '0')).join('')}`;

/** Paper, figure 5: a convolution's filters before, and their change, as tiles with a scale each. */
export function filtersFigure(
  result: ChangeResult,
  layer: string,
  palette: DivergingName = 'red-blue',
): Scene {
  const tensor = result.tensors.find((one) => one.layer === layer && one.shape.length > 1);
  if (!tensor) throw new Error(`the result has no weights of layer ${layer}`);
  const items: SceneItem[] = [];
  let y = MARGIN;
  for (const [title, values] of [
    [`${tensor.name} ${snapshotTitle(result.from)}`, tensor.before],
    [`change up to ${snapshotTitle(result.to)}`, tensor.delta],
  ] as const) {
    items.push(words(MARGIN, y + TEXT, title));
    y += TEXT + 14;
    y = tilesAt(items, tensor, values, result.inputShape, palette, y) + 26;
  }
  const right = items.reduce(
    (most, item) => Math.max(most, item.kind === 'text' ? 0 : item.x + item.width),
    600,
  );
  return { width: right + MARGIN, height: y, background: '#ffffff', items };
}

function tilesAt(
  items: SceneItem[],
  tensor: TensorChange,
  values: Float32Array,
  inputShape: readonly number[] | null,
  palette: DivergingName,
  top: number,
): number {
  const { tiles, across } = tileGrid(tensor, inputShape);
  const first = tiles[0]!;
  const perRow = across ?? Math.min(tiles.length, 10);
  const cell = Math.max(1, Math.min(LARGEST, Math.floor(((WIDTH + GAP) / perRow - GAP) / first.columns)));
  const extent = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const colour = diverging(palette);
  let bottom = top;
  tiles.forEach((tile, i) => {
    const x = MARGIN + (i % perRow) * (tile.columns * cell + GAP);
    const y = top + Math.floor(i / perRow) * (tile.rows * cell + GAP);
    items.push(fill(x - 1, y - 1, tile.columns * cell + 2, tile.rows * cell + 2, '#9aa4ae'));
    for (let row = 0; row < tile.rows; row++)
      for (let column = 0; column < tile.columns; column++)
        items.push(
          fill(
            x + column * cell,
            y + row * cell,
            cell,
            cell,
            hex(colour(values[tile.index(row, column)]!, extent)),
          ),
        );
    bottom = Math.max(bottom, y + tile.rows * cell);
  });
  const labels = [`-${format(extent)}`, '0', `+${format(extent)}`];
  const bar = bottom + 14;
  const wide = 300;
  for (let i = 0; i < wide; i++) items.push(fill(MARGIN + i, bar, 1, 12, hex(colour((2 * i) / wide - 1, 1))));
  labels.forEach((label, i) => {
    const anchor = (['start', 'middle', 'end'] as const)[i]!;
    items.push(words(MARGIN + (i * wide) / 2, bar + 14 + TEXT, label, anchor, QUIET));
  });
  return bar + 14 + TEXT;
}

/** Paper, figure 6: value before against change, a point a weight, with the least-squares line. */
export function scatterFigure(result: ChangeResult, layer: string): Scene {
  const data = scatterOf(result, layer);
  if (!data) throw new Error(`the result has no weights of layer ${layer}`);
  const before = data.parts.flatMap((part) => [...part.before]);
  const delta = data.parts.flatMap((part) => [...part.delta]);
  const [width, height] = [900, 640];
  const plot = scenePlot(
    [MARGIN, MARGIN + TEXT + 12, width - 2 * MARGIN, height - 2 * MARGIN - TEXT - 12],
    { domain: [...before, 0], title: 'value before' },
    { domain: [...delta, 0], title: 'change' },
  );
  const { x, y, left, right, top, bottom } = plot;
  const { pearson, slope, equalSigns, meanChange } = data.statistics;
  const items: SceneItem[] = [
    ...plot.items,
    fill(x.at(0), top, 1, bottom - top, QUIET),
    fill(left, y.at(0), right - left, 1, QUIET),
  ];
  const every = Math.ceil(before.length / POINTS);
  for (let i = 0; i < before.length; i += every)
    items.push(
      fill(
        x.at(before[i]!) - 3,
        y.at(delta[i]!) - 3,
        6,
        6,
        before[i]! * delta[i]! >= 0 ? CORRECT_COLOUR : WRONG_COLOUR,
      ),
    );
  if (slope.value !== null && meanChange.value !== null) {
    const mean = before.reduce((a, b) => a + b, 0) / before.length;
    for (let px = left; px < right; px += 2) {
      const at = y.at(meanChange.value + slope.value * (x.invert(px) - mean));
      if (at >= top && at <= bottom) items.push(fill(px, at - 1, 2, 3, '#1d2329'));
    }
  }
  const figure = (value: number | null) => (value === null ? 'undefined' : value.toFixed(3));
  const title = `${layer}: r = ${figure(pearson.value)}, slope ${figure(slope.value)}, equal signs ${equalSigns.value === null ? 'undefined' : `${(100 * equalSigns.value).toFixed(1)} %`}, n = ${before.length}`;
  items.push(words(MARGIN, MARGIN + TEXT, title));
  return {
    width: Math.max(width, Math.ceil(textWidth(title, TEXT)) + 2 * MARGIN),
    height,
    background: '#ffffff',
    items,
  };
}
