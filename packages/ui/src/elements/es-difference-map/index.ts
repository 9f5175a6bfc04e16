import type { DifferenceMapResult } from '@epochscope/analysis/results';
import {
  type Drawing,
  EsFigure,
  type FigureTable,
  type Frame,
  fitText,
  hexColour,
  sequential,
} from '../../figure/index.js';
import { matrixPixels, type SceneItem } from '../../scene/index.js';
import { format, snapshotTitle } from '../../styles.js';

/** Room of the names at the left, as a share of the width; of a cell, and of the whole square, at most. */
const NAME_SHARE = 0.3;
const [MOST_CELL, MOST_SIDE] = [34, 620];
/** Cells of more pictures have no mark of their own: they are drawn as one image, and the table holds them. */
const MOST_MARKED = 60;
const [TOP, BOTTOM] = [4, 4];

/**
 * How much every two pictures of a run differ: rows and columns are the pictures, layer by layer and in each snapshot by snapshot, dark where
 * they are alike. A dark square is a span of snapshots, or layers, that show the same groups; a light cross a picture of its own.
 * @fires es-select - `{ snapshot, layer }`: the row's picture.
 */
export class EsDifferenceMap extends EsFigure<DifferenceMapResult, DifferenceMapResult> {
  protected override emptyReason({ pictures, undefinedPictures }: DifferenceMapResult): string {
    return pictures.length ? '' : `No distances: ${undefinedPictures[0]?.reason ?? 'no pictures'}.`;
  }
  protected override summary({ pictures, distances }: DifferenceMapResult): string {
    const m = pictures.length;
    let [at, most] = [0, -1];
    distances.forEach((value, i) => {
      if (value > most) [at, most] = [i, value];
    });
    const name = (i: number) => `${pictures[i]!.layer} at ${snapshotTitle(pictures[i]!.snapshot)}`;
    return `How much ${m} pictures differ, each from each${m > 1 ? `; most ${name(Math.floor(at / m))} and ${name(at % m)}: ${format(most)}` : ''}`;
  }
  protected override table({ pictures, distances }: DifferenceMapResult): FigureTable {
    const m = pictures.length;
    const name = (i: number) => `${pictures[i]!.layer} ${snapshotTitle(pictures[i]!.snapshot)}`;
    return {
      columns: ['Picture', ...pictures.map((_, i) => name(i))],
      length: m,
      row: (i) => [name(i), ...distances.subarray(i * m, (i + 1) * m)],
    };
  }

  protected override draw({ pictures, distances }: DifferenceMapResult, { width, measure }: Frame): Drawing {
    const m = pictures.length;
    const most = distances.reduce((a, b) => Math.max(a, b), 0) || 1;
    const dark = sequential();
    const colour = (value: number) => dark(most - value, 0, most);
    const layers = [...new Set(pictures.map(({ layer }) => layer))];
    const nameOf = (i: number) => {
      const title = snapshotTitle(pictures[i]!.snapshot);
      return layers.length > 1 ? `${pictures[i]!.layer} ${title}` : title;
    };
    const longest = Math.max(...pictures.map((_, i) => measure(nameOf(i), 11)));
    const left = Math.min(NAME_SHARE * width, longest + 12);
    const cell = Math.min(MOST_CELL, Math.min(MOST_SIDE, width - left - 2) / m);
    const side = cell * m;
    const items: SceneItem[] = [
      {
        kind: 'image',
        x: left,
        y: TOP,
        width: side,
        height: side,
        pixels: matrixPixels([m, m], (i) => colour(distances[i]!)),
      },
    ];
    // Every so many names that they do not touch.
    const every = Math.ceil(13 / cell);
    for (let i = 0; i < m; i++) {
      const selected =
        this.selection.snapshot === pictures[i]!.snapshot.id && this.selection.layer === pictures[i]!.layer;
      if (i % every === 0 || selected)
        items.push({
          kind: 'text',
          x: left - 6,
          y: TOP + (i + 0.5) * cell,
          text: fitText(nameOf(i), left - 8, (text) => measure(text, 11, selected)),
          anchor: 'end',
          baseline: 'middle',
          size: 11,
          bold: selected,
        });
      if (i && pictures[i]!.layer !== pictures[i - 1]!.layer)
        for (const [x1, y1, x2, y2] of [
          [left, TOP + i * cell, left + side, TOP + i * cell],
          [left + i * cell, TOP, left + i * cell, TOP + side],
        ] as const)
          items.push({ kind: 'line', x1, y1, x2, y2, stroke: 'var(--_accent)', strokeWidth: 1 });
      if (m <= MOST_MARKED)
        for (let j = 0; j < m; j++)
          items.push({
            kind: 'rect',
            class: 'cell',
            x: left + j * cell,
            y: TOP + i * cell,
            width: cell,
            height: cell,
            fill: '#808080',
            fillOpacity: 0,
            mark: {
              label: `${nameOf(i)} – ${nameOf(j)}: ${format(distances[i * m + j]!)}`,
              detail: { snapshot: pictures[i]!.snapshot.id, layer: pictures[i]!.layer },
              row: i,
              column: j,
            },
          });
    }
    return {
      width,
      height: TOP + side + BOTTOM,
      items,
      scales: [
        {
          title: 'distance, in scales',
          colours: Array.from({ length: 33 }, (_, i) => hexColour(colour((most * i) / 32))),
          low: '0',
          high: format(most),
        },
      ],
      note: 'columns are the same pictures in the same order',
    };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-difference-map': EsDifferenceMap;
  }
}
