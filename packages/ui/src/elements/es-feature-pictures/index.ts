import type { FeaturePanel, FeaturesResult } from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import {
  type DivergingName,
  type Drawing,
  diverging,
  EsFigure,
  type FigureTable,
  type Frame,
  fitText,
} from '../../figure/index.js';
import { signScale } from '../../figure/sign-scale.js';
import { matrixPixels, type SceneItem } from '../../scene/index.js';
import { format, snapshotTitle } from '../../styles.js';
import { cellsOf } from '../es-singular-vectors/index.js';

const [GAP, HEAD, CAPTION] = [6, 20, 16];
const [LEAST, MOST] = [24, 84];
/** Most of the width that names of rows take. */
const NAME_SHARE = 0.3;

/**
 * The AGOP's leading eigenvectors of one layer, a row a snapshot: what of its input the output depends on most. Where a patch of the input is
 * an image each is one (of several channels the one with most weight), else a square, row by row. Below each its share of the trace. Each has its
 * own scale: its largest entry is full colour, and positive.
 * @fires es-select - `{ snapshot, layer }`.
 */
export class EsFeaturePictures extends EsFigure<readonly FeaturePanel[], FeaturesResult> {
  /** Eigenvectors a row. */
  @property({ type: Number }) limit: number = 8;
  /** Snapshots, evenly among those there are, the last and the chosen one among them. */
  @property({ type: Number }) rows: number = 6;
  @property({ type: String }) palette: DivergingName = 'sign';
  protected override pick({ panels }: FeaturesResult): readonly FeaturePanel[] {
    return panels;
  }
  private shown(panels: readonly FeaturePanel[]): FeaturePanel[] {
    const layer = panels.some((panel) => panel.layer === this.selection.layer)
      ? this.selection.layer
      : panels.at(-1)?.layer;
    const own = panels.filter((panel) => panel.layer === layer && panel.values.length > 0);
    const count = Math.max(1, Math.min(this.rows, own.length));
    const places = new Set(
      Array.from({ length: count }, (_, i) =>
        count === 1 ? own.length - 1 : Math.round((i * (own.length - 1)) / (count - 1)),
      ),
    );
    return own.filter(({ snapshot }, i) => places.has(i) || snapshot.id === this.selection.snapshot);
  }
  protected override emptyReason(panels: readonly FeaturePanel[]): string {
    if (!panels.length) return 'No layer was looked at';
    return this.shown(panels).length ? '' : 'No eigenvectors: no output depends on what the layer reads';
  }
  protected override summary(panels: readonly FeaturePanel[]): string {
    const shown = this.shown(panels);
    const last = shown.at(-1)!;
    return `Leading eigenvectors of the AGOP at ${last.layer}, at ${shown.map(({ snapshot }) => snapshotTitle(snapshot)).join(', ')}; the first holds ${share(last, 0)} of the trace at ${snapshotTitle(last.snapshot)}`;
  }
  protected override table(panels: readonly FeaturePanel[]): FigureTable {
    const rows = this.shown(panels).flatMap((panel) =>
      Array.from(panel.values, (value, l) => [
        panel.layer,
        snapshotTitle(panel.snapshot),
        l + 1,
        value,
        value / panel.trace,
      ]),
    );
    return {
      columns: ['Layer', 'Snapshot', 'Eigenvector', 'Eigenvalue', 'Share of the trace'],
      length: rows.length,
      row: (i) => rows[i]!,
    };
  }
  protected override hint(): string {
    return 'Each picture has its own scale: full colour is its largest entry';
  }

  protected override draw(panels: readonly FeaturePanel[], { width, measure, dark }: Frame): Drawing {
    const shown = this.shown(panels);
    const columns = Math.min(this.limit, Math.max(...shown.map(({ values }) => values.length)));
    const names = shown.map(({ snapshot }) => measure(snapshotTitle(snapshot), 12, true));
    const left = Math.min(NAME_SHARE * width, Math.max(...names) + 10);
    const side = Math.max(LEAST, Math.min(MOST, Math.floor((width - left) / columns) - GAP));
    const fit = Math.max(1, Math.min(columns, Math.floor((width - left) / (side + GAP))));
    const step = side + CAPTION + GAP;
    const colour = diverging(this.palette, dark);
    const items: SceneItem[] = [];
    for (let l = 0; l < fit; l++)
      items.push({
        kind: 'text',
        x: left + l * (side + GAP) + side / 2,
        y: HEAD - 7,
        text: `v${l + 1}`,
        anchor: 'middle',
        fill: 'var(--_quiet)',
      });
    shown.forEach((panel, row) => {
      const { snapshot, layer, inputs, values, vectors, patchShape } = panel;
      const top = HEAD + row * step;
      const title = snapshotTitle(snapshot);
      const selected = this.selection.snapshot === snapshot.id;
      items.push({
        kind: 'text',
        x: left - 8,
        y: top + side / 2,
        text: fitText(title, left - 8, (text) => measure(text, 12, selected)),
        anchor: 'end',
        baseline: 'middle',
        bold: selected,
      });
      for (let l = 0; l < Math.min(fit, values.length); l++) {
        const vector = vectors.subarray(l * inputs, (l + 1) * inputs);
        const extent = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const cells = cellsOf(vector, patchShape);
        const [height, wide] = cells.shape;
        const scale = side / Math.max(height, wide);
        const x = left + l * (side + GAP);
        items.push(
          {
            kind: 'image',
            x,
            y: top,
            width: wide * scale,
            height: height * scale,
            pixels: matrixPixels(cells.shape, (i) => colour(cells.at(i), extent)),
          },
          {
            kind: 'rect',
            class: 'cell',
            x: x + 0.5,
            y: top + 0.5,
            width: wide * scale - 1,
            height: height * scale - 1,
            fill: '#808080',
            fillOpacity: 0,
            stroke: selected ? 'var(--_accent)' : 'var(--_line)',
            strokeWidth: selected ? 2 : 1,
            mark: {
              label: `${layer}, ${title}, v${l + 1}: eigenvalue ${format(values[l]!)}, ${share(panel, l)} of the trace`,
              detail: { snapshot: snapshot.id, layer },
              row,
              column: l,
              selected,
            },
          },
          {
            kind: 'text',
            x: x + side / 2,
            y: top + side + 12,
            text: share(panel, l),
            anchor: 'middle',
            size: 11,
            fill: 'var(--_quiet)',
          },
        );
      }
    });
    return {
      width,
      height: HEAD + shown.length * step,
      items,
      scales: [
        {
          ...signScale(this.palette, 1, 1, 'entry, each by itself'),
          low: '−largest',
          high: '+largest',
        },
      ],
      note: fit < columns ? `${columns - fit} more do not fit` : '',
    };
  }
}

/** "31 %". */
function share({ values, trace }: FeaturePanel, l: number): string {
  const part = (100 * values[l]!) / trace;
  return `${part < 1 ? part.toPrecision(1) : part.toFixed(0)} %`;
}

declare global {
  interface HTMLElementTagNameMap {
    'es-feature-pictures': EsFeaturePictures;
  }
}
