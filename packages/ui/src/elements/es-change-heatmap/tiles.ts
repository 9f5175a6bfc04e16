/** One picture of a tensor's values: `index(row, column)` is the flat index of a cell. */
export interface Tile {
  /** "filter 3", "input channel 2 → filter 3", "unit 17", "bias". */
  label: string;
  /** Filter or unit; null for a picture of all. */
  unit: number | null;
  rows: number;
  columns: number;
  index(row: number, column: number): number;
}

export interface TileGrid {
  tiles: Tile[];
  /** Tiles in a row that belong together; null: as many as fit. */
  across: number | null;
  /** How many tiles there are in all; more than `tiles` when cut. */
  total: number;
}

/** More pictures than this are not drawn at once. */
export const MAX_TILES = 768;

export interface TensorShape {
  shape: readonly number[];
  kind: string;
}

/**
 * Pictures of a tensor. Convolution kernels [height, width, in, out]: a k×k tile for each pair of channels, inputs down, filters across.
 * Dense kernels [inputs, units]: a picture a unit in the input's shape where the inputs are the net's input (a tile a channel), else one
 * matrix, inputs down, units across. Anything else: one strip.
 */
export function tileGrid(
  { shape, kind }: TensorShape,
  inputShape: readonly number[] | null,
  from = 0,
  most = MAX_TILES,
): TileGrid {
  const cut = (total: number, across: number | null, tile: (i: number) => Tile): TileGrid => ({
    tiles: Array.from({ length: Math.max(0, Math.min(most, total - from)) }, (_, i) => tile(from + i)),
    across,
    total,
  });
  if (shape.length === 4) {
    const [rows, columns, inputs, filters] = shape as [number, number, number, number];
    return cut(inputs * filters, inputs > 1 ? filters : null, (i) => {
      const [channel, filter] = [Math.floor(i / filters), i % filters];
      return {
        label: inputs > 1 ? `input channel ${channel}, filter ${filter}` : `filter ${filter}`,
        unit: filter,
        rows,
        columns,
        index: (row, column) => ((row * columns + column) * inputs + channel) * filters + filter,
      };
    });
  }
  if (shape.length === 2 && kind === 'dense') {
    const [inputs, units] = shape as [number, number];
    const [height, width, channels] = inputShape?.length === 3 ? inputShape : [0, 0, 0];
    if (height! * width! * channels! === inputs && height! > 1) {
      return cut(units * channels!, channels! > 1 ? channels! : null, (i) => {
        const [unit, channel] = [Math.floor(i / channels!), i % channels!];
        return {
          label: channels! > 1 ? `unit ${unit}, input channel ${channel}` : `unit ${unit}`,
          unit,
          rows: height!,
          columns: width!,
          index: (row, column) => ((row * width! + column) * channels! + channel) * units + unit,
        };
      });
    }
    return cut(1, null, () => ({
      label: 'inputs down, units across',
      unit: null,
      rows: inputs,
      columns: units,
      index: (row, column) => row * units + column,
    }));
  }
  const count = shape.reduce((a, b) => a * b, 1);
  return cut(count ? 1 : 0, null, () => ({
    label: 'all values',
    unit: null,
    rows: 1,
    columns: count,
    index: (_, column) => column,
  }));
}

export interface PlacedTile extends Tile {
  x: number;
  y: number;
  width: number;
  height: number;
}

const GAP = 3;
const LARGEST_CELL = 18;
const SMALLEST_TILE = 26;

/** Places the tiles of a grid in a width, CSS pixels. Cells are whole pixels where there is room, tiles are never wider than the width. */
export function placeTiles(
  { tiles, across }: TileGrid,
  width: number,
): { tiles: PlacedTile[]; height: number } {
  const first = tiles[0];
  if (!first) return { tiles: [], height: 0 };
  const { rows, columns } = first;
  const fits = (cell: number) => Math.max(1, Math.floor((width + GAP) / (columns * cell + GAP)));
  let cell = LARGEST_CELL;
  // Small tiles keep a size that can be pointed at; with many, cells shrink until they stand in few rows.
  const wanted = across ?? Math.min(tiles.length, Math.max(8, Math.ceil(Math.sqrt(tiles.length * 2))));
  // A row of filters stays one row as long as its cells can be told apart.
  const smallest = across === null ? SMALLEST_TILE : columns * 2;
  while (cell > 1 && (columns * cell + GAP) * wanted - GAP > width && columns * (cell - 1) >= smallest)
    cell--;
  if (columns * cell > width) cell = Math.max(1, Math.floor(width / columns));
  const wide = Math.min(width, columns * cell);
  const high = Math.max(
    columns === 1 || rows === 1 ? Math.min(14, cell * rows + 8) : 1,
    Math.round((wide / columns) * rows),
  );
  const perRow = across !== null && across <= fits(cell) ? across : Math.min(tiles.length, fits(cell));
  return {
    tiles: tiles.map((tile, i) => ({
      ...tile,
      x: (i % perRow) * (wide + GAP),
      y: Math.floor(i / perRow) * (high + GAP),
      width: wide,
      height: high,
    })),
    height: Math.ceil(tiles.length / perRow) * (high + GAP) - GAP,
  };
}
