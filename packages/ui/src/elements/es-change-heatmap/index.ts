import type { ChangeResult, TensorChange } from '@epochscope/analysis/results';
import { css, html, nothing, svg, type TemplateResult } from 'lit';
import {
  cssColour,
  type DivergingName,
  diverging,
  drawMatrix,
  EsFigure,
  type FigureTable,
  mark,
  type Rgb,
} from '../../figure/index.js';
import { format } from '../../styles.js';
import { MAX_TILES, type PlacedTile, placeTiles, tileGrid } from './tiles.js';

/** Tiles above this number are drawn but not each reachable by keyboard. */
const MARKED = 400;
const SCALE_HEIGHT = 34;

/**
 * A tensor's change (or its values before) as a heatmap: decrease red, 0 white, increase blue; convolution filters as tiles, dense
 * units in the shape of the input.
 * @fires es-select - `{ layer, unit }`: a filter's or unit's tile was chosen.
 */
export class EsChangeHeatmap extends EsFigure<TensorChange, ChangeResult> {
  static override styles = [
    ...EsFigure.styles,
    css`
      .tile {
        fill: transparent;
        stroke: var(--_line);
      }
      .tile[aria-pressed='true'] {
        stroke: var(--_accent);
        stroke-width: 2.5;
      }
    `,
  ];
  static override properties = {
    ...EsFigure.properties,
    tensor: { type: String },
    values: { type: String },
    palette: { type: String },
    extent: { type: Number },
    inputShape: { attribute: false },
    first: { type: Number },
  };
  /** With `src`: which tensor of the result; default its first. */
  declare tensor: string;
  /** What is drawn: the change, or the values before it. */
  declare values: 'delta' | 'before';
  declare palette: DivergingName;
  /** Value at the ends of the colours; 0: the largest magnitude drawn. Give all figures of a page the same. */
  declare extent: number;
  /** Shape of the net's input, for dense units. */
  declare inputShape: readonly number[] | null;
  /** First tile shown, where there are more than fit. */
  declare first: number;

  constructor() {
    super();
    this.tensor = '';
    this.values = 'delta';
    this.palette = 'red-blue';
    this.extent = 0;
    this.inputShape = null;
    this.first = 0;
  }

  protected override get pickedBy(): readonly string[] {
    return ['tensor'];
  }
  protected override pick(result: ChangeResult): TensorChange {
    const found = this.tensor ? result.tensors.find(({ name }) => name === this.tensor) : result.tensors[0];
    if (!found)
      throw new Error(
        `The result has no tensor ${this.tensor}; it has ${result.tensors.map(({ name }) => name).join(', ')}`,
      );
    this.inputShape = result.inputShape;
    this.extent ||= result.scale;
    return found;
  }
  private drawn(data: TensorChange): Float32Array {
    return this.values === 'before' ? data.before : data.delta;
  }
  private range(data: TensorChange): number {
    return this.extent > 0
      ? this.extent
      : this.drawn(data).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  }
  protected override emptyReason(data: TensorChange): string {
    return data.delta.length ? '' : `${data.name} has no values.`;
  }
  protected override summary(data: TensorChange): string {
    const values = this.drawn(data);
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
    return `${this.values === 'before' ? 'Values before' : 'Change'} of ${data.name}, ${data.shape.join('×')}: ${format(low)} to ${format(high)}`;
  }
  protected override hint(data: TensorChange): string {
    return this.values === 'before' ? `${data.name} before` : `Δ ${data.name}: point at a cell for its value`;
  }
  protected override table(data: TensorChange): FigureTable {
    return {
      columns: ['Place', 'Before', 'Change'],
      length: data.delta.length,
      row: (i) => [placeOf(i, data.shape).join(', '), data.before[i]!, data.delta[i]!],
    };
  }
  protected override get fileName(): string {
    return `${this.values}-${this.data?.name ?? ''}`;
  }

  protected override drawing(data: TensorChange): TemplateResult {
    const values = this.drawn(data);
    const extent = this.range(data);
    const colour = diverging(this.palette);
    const grid = tileGrid(data, this.inputShape, Math.max(0, this.first));
    const { tiles, height } = placeTiles(grid, this.width);
    const total = height + SCALE_HEIGHT;
    const marked = tiles.length <= MARKED && tiles.some(({ unit }) => unit !== null);
    const perRow = tiles.filter(({ y }) => y === 0).length;
    const gradient = `scale-${this.palette}`;
    const barWidth = Math.min(220, this.width);
    return html`<div @pointermove=${(event: PointerEvent) => this.point(event, data, tiles)}>
      ${this.plot({
        width: this.width,
        height: total,
        marks: marked,
        changes: [this.values, this.palette, extent, this.first, this.inputShape],
        paint: (context) => paintTiles(context, tiles, values, (value) => colour(value, extent)),
        svg: svg`
          <defs><linearGradient id=${gradient}>${Array.from({ length: 9 }, (_, i) => svg`<stop offset=${i / 8} stop-color=${cssColour(colour(-1 + i / 4, 1))} />`)}</linearGradient></defs>
          ${tiles.map((tile, i) => {
            const { x, y, width, height: high } = tile;
            const box = {
              x: x + 0.5,
              y: y + 0.5,
              width: Math.max(1, width - 1),
              height: Math.max(1, high - 1),
            };
            return marked
              ? svg`<rect class="tile" x=${box.x} y=${box.y} width=${box.width} height=${box.height} ${mark({
                  label: tileLabel(data, tile, values),
                  row: Math.floor(i / perRow),
                  column: i % perRow,
                  ...(tile.unit === null ? {} : { detail: { layer: data.layer, unit: tile.unit } }),
                  selected:
                    this.selection.layer === data.layer &&
                    tile.unit !== null &&
                    this.selection.unit === tile.unit,
                })} />`
              : svg`<rect class="tile" x=${box.x} y=${box.y} width=${box.width} height=${box.height} />`;
          })}
          <g transform="translate(0 ${height + 8})">
            <rect width=${barWidth} height="8" fill="url(#${gradient})" stroke="var(--_line)" />
            ${[
              [0, 'start', extent > 0 ? `−${format(extent)}` : '0'],
              [barWidth / 2, 'middle', '0'],
              [barWidth, 'end', extent > 0 ? `+${format(extent)}` : '0'],
            ].map(
              ([x, anchor, text]) =>
                svg`<text class="tick" x=${x!} y="22" text-anchor=${anchor!}>${text}</text>`,
            )}
          </g>`,
      })}
      ${
        grid.total > tiles.length
          ? html`<p class="note">Tiles ${this.first + 1} – ${this.first + tiles.length} of ${grid.total}.
            <button type="button" ?disabled=${this.first === 0} @click=${() => (this.first = Math.max(0, this.first - MAX_TILES))}>Before</button>
            <button type="button" ?disabled=${this.first + tiles.length >= grid.total} @click=${() => (this.first += MAX_TILES)}>Next</button></p>`
          : nothing
      }
    </div>`;
  }

  /** The value below the pointer. */
  private point(event: PointerEvent, data: TensorChange, tiles: readonly PlacedTile[]): void {
    const plot = this.renderRoot.querySelector('.plot');
    if (!plot) return;
    const box = plot.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const tile = tiles.find((t) => x >= t.x && y >= t.y && x < t.x + t.width && y < t.y + t.height);
    if (!tile) return;
    const row = Math.floor(((y - tile.y) / tile.height) * tile.rows);
    const column = Math.floor(((x - tile.x) / tile.width) * tile.columns);
    const index = tile.index(row, column);
    this.readout = `${data.name} [${placeOf(index, data.shape).join(', ')}]: before ${format(data.before[index]!)}, change ${signed(data.delta[index]!)}`;
  }
}

const signed = (value: number) => (value > 0 ? `+${format(value)}` : format(value).replaceAll('-', '−'));

function tileLabel(data: TensorChange, tile: PlacedTile, values: Float32Array): string {
  let sum = 0;
  let most = 0;
  for (let row = 0; row < tile.rows; row++)
    for (let column = 0; column < tile.columns; column++) {
      const value = values[tile.index(row, column)]!;
      sum += value;
      if (Math.abs(value) > Math.abs(most)) most = value;
    }
  return `${data.layer} ${tile.label}: mean ${signed(sum / (tile.rows * tile.columns))}, largest ${signed(most)}`;
}

/** Draws each tile's cells; a tile smaller than its cells is averaged. */
function paintTiles(
  context: CanvasRenderingContext2D,
  tiles: readonly PlacedTile[],
  values: Float32Array,
  colour: (value: number) => Rgb,
): void {
  for (const tile of tiles) {
    // Never more cells than pixels that can show them: blocks are averaged.
    const across = Math.min(tile.columns, Math.max(1, Math.ceil(tile.width * 2)));
    const down = Math.min(tile.rows, Math.max(1, Math.ceil(tile.height * 2)));
    const cells = new Float32Array(across * down);
    for (let r = 0; r < down; r++)
      for (let c = 0; c < across; c++) {
        const [r0, r1] = span(r, down, tile.rows);
        const [c0, c1] = span(c, across, tile.columns);
        let sum = 0;
        for (let row = r0; row < r1; row++)
          for (let column = c0; column < c1; column++) sum += values[tile.index(row, column)]!;
        cells[r * across + c] = sum / ((r1 - r0) * (c1 - c0));
      }
    drawMatrix(context, cells, [down, across], colour, [tile.x, tile.y, tile.width, tile.height]);
  }
}
const span = (i: number, parts: number, whole: number): [number, number] => [
  Math.floor((i * whole) / parts),
  Math.max(Math.floor((i * whole) / parts) + 1, Math.floor(((i + 1) * whole) / parts)),
];

/** Row-major place of a flat index. */
export function placeOf(index: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    place.unshift(rest % shape[axis]!);
    rest = Math.floor(rest / shape[axis]!);
  }
  return place;
}

declare global {
  interface HTMLElementTagNameMap {
    'es-change-heatmap': EsChangeHeatmap;
  }
}
