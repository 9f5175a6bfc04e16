import type { ChangeResult, TensorChange } from '@epochscope/analysis/results';
import { html, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import {
  type DivergingName,
  type Drawing,
  diverging,
  EsFigure,
  type FigureTable,
  type Frame,
  type Located,
  type Rgb,
  robustExtent,
} from '../../figure/index.js';
import { signScale } from '../../figure/sign-scale.js';
import { matrixPixels, type Pixels, type SceneItem } from '../../scene/index.js';
import { format, signed } from '../../styles.js';
import { MAX_TILES, type PlacedTile, placeTiles, tileGrid } from './tiles.js';

/** Tiles above this number are drawn but not each reachable by keyboard. */
const MARKED = 400;

/**
 * A tensor's change (or its values before) as a heatmap: decrease brown, increase teal; convolution filters as tiles, dense
 * units in the shape of the input.
 * @fires es-select - `{ layer, unit }`: a filter's or unit's tile was chosen.
 */
export class EsChangeHeatmap extends EsFigure<TensorChange, ChangeResult> {
  /** With `src`: which tensor of the result; default its first. */
  @property({ type: String }) tensor: string = '';
  /** What is drawn: the change, or the values before it. */
  @property({ type: String }) values: 'delta' | 'before' = 'delta';
  @property({ type: String }) palette: DivergingName = 'sign';
  /** Value at the ends of the colours; 0: from the values drawn. Give all figures of a page the same. */
  @property({ type: Number }) extent: number = 0;
  /** Colours up to the largest magnitude, also where a few outliers leave the rest pale. */
  @property({ type: Boolean }) full: boolean = false;
  /** Shape of the net's input, for dense units. */
  @property({ attribute: false }) inputShape: readonly number[] | null = null;
  /** First tile shown, where there are more than fit. */
  @property({ type: Number }) first: number = 0;

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
    return found;
  }
  private drawn(data: TensorChange): Float32Array {
    return this.values === 'before' ? data.before : data.delta;
  }
  /** Value at the ends of the colours, and the largest there is. */
  private range(data: TensorChange): { extent: number; most: number } {
    const values = this.drawn(data);
    return this.kept('range', [values, this.extent, this.full], () => {
      const most = values.reduce((top, v) => Math.max(top, Math.abs(v)), 0);
      return { most, extent: this.extent > 0 ? this.extent : this.full ? most : robustExtent(values) };
    });
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

  protected override draw(data: TensorChange, { width, dark }: Frame): Drawing {
    const values = this.drawn(data);
    const { extent, most } = this.range(data);
    const colour = diverging(this.palette, dark);
    const { tiles, height } = placeTiles(this.grid(data), width);
    const marked = tiles.length <= MARKED && tiles.some(({ unit }) => unit !== null);
    const perRow = tiles.filter(({ y }) => y === 0).length;
    const pixels = this.kept(
      'pixels',
      [values, this.palette, extent, this.first, this.inputShape, width, dark],
      () => tiles.map((tile) => tilePixels(tile, values, (value) => colour(value, extent))),
    );
    const said = this.values === 'before' ? 'value before' : 'change';
    return {
      width,
      height,
      items: [
        ...tiles.map(
          ({ x, y, width: wide, height: high }, i): SceneItem => ({
            kind: 'image',
            x,
            y,
            width: wide,
            height: high,
            pixels: pixels[i]!,
          }),
        ),
        ...tiles.map((tile, i): SceneItem => {
          const own = tile.unit !== null && this.selection.unit === tile.unit;
          const selected = this.selection.layer === data.layer && own;
          return {
            kind: 'rect',
            class: 'cell',
            x: tile.x + 0.5,
            y: tile.y + 0.5,
            width: Math.max(1, tile.width - 1),
            height: Math.max(1, tile.height - 1),
            // Filled for the pointer, with nothing to see: the picture lies below.
            fill: '#808080',
            fillOpacity: 0,
            stroke: selected ? 'var(--_accent)' : 'var(--_line)',
            strokeWidth: selected ? 2.5 : 1,
            ...(marked
              ? {
                  mark: {
                    label: tileLabel(data, tile, values),
                    row: Math.floor(i / perRow),
                    column: i % perRow,
                    ...(tile.unit === null ? {} : { detail: { layer: data.layer, unit: tile.unit } }),
                    selected,
                  },
                }
              : {}),
          };
        }),
      ],
      scales: [signScale(this.palette, extent, most, said)],
      locate: (x, y) => locateCell(data, tiles, x, y),
    };
  }
  private grid(data: TensorChange) {
    return tileGrid(data, this.inputShape, Math.max(0, this.first));
  }

  protected override controls(data: TensorChange): unknown {
    const { total, tiles } = this.grid(data);
    const { extent, most } = this.range(data);
    const pages =
      total > tiles.length
        ? html`<p class="note">Tiles ${this.first + 1} – ${this.first + tiles.length} of ${total}.
            <button type="button" ?disabled=${this.first === 0} @click=${() => (this.first = Math.max(0, this.first - MAX_TILES))}>Before</button>
            <button type="button" ?disabled=${this.first + tiles.length >= total} @click=${() => (this.first += MAX_TILES)}>Next</button></p>`
        : nothing;
    const clipped = this.full || (this.extent === 0 && most > extent);
    return html`${pages}${clipped ? html`<label class="note"><input type="checkbox" .checked=${this.full} @change=${(e: Event) => (this.full = (e.target as HTMLInputElement).checked)} /> colours up to the largest, ${format(most)}</label>` : nothing}`;
  }
}

/** The value of the cell at a place. */
function locateCell(data: TensorChange, tiles: readonly PlacedTile[], x: number, y: number): Located | null {
  const tile = tiles.find((t) => x >= t.x && y >= t.y && x < t.x + t.width && y < t.y + t.height);
  if (!tile) return null;
  const row = Math.floor(((y - tile.y) / tile.height) * tile.rows);
  const column = Math.floor(((x - tile.x) / tile.width) * tile.columns);
  const index = tile.index(row, column);
  return {
    x: tile.x + ((column + 0.5) * tile.width) / tile.columns,
    y: tile.y + ((row + 0.5) * tile.height) / tile.rows,
    label: `${data.name} [${placeOf(index, data.shape).join(', ')}]: before ${format(data.before[index]!)}, change ${signed(data.delta[index]!)}`,
    ...(tile.unit === null ? {} : { detail: { layer: data.layer, unit: tile.unit } }),
  };
}

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

/** A tile's cells; one smaller than its cells is averaged. */
function tilePixels(tile: PlacedTile, values: Float32Array, colour: (value: number) => Rgb): Pixels {
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
  return matrixPixels([down, across], (i) => colour(cells[i]!));
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
