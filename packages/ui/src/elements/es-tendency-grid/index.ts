import { blocksCaption, type TendencyPanel, type TendencyResult } from '@epochscope/analysis/results';
import { css, html, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { type Drawing, EsFigure, type FigureTable, type Frame, mark, tableOf } from '../../figure/index.js';
import type { Selection } from '../../selection.js';
import { snapshotTitle } from '../../styles.js';
import { type MarkColour, type SharedScale, sharedScales } from '../es-tendency-image/draw.js';
import { gridDrawing, OWN_GREYS } from './draw.js';

export interface GridSelectDetail {
  snapshot: string;
  layer: string;
}

type Snapshot = TendencyPanel['snapshot'];
const columnsOf = (panels: readonly TendencyPanel[]): Snapshot[] => [
  ...new Map(panels.map(({ snapshot }) => [snapshot.id, snapshot])).values(),
];

/**
 * VAT/iVAT pictures of snapshots (columns) × layers (rows), blocks outlined, with their number, the share of samples in none and the adjusted Rand index in blocks below each.
 * One tab stop: arrow keys move between pictures, Home and End to the first and the last, Enter or Space chooses. Uses es-tendency-image, which must be registered.
 * @fires es-select - `GridSelectDetail`: a picture was chosen.
 * @csspart cell - one picture with its caption.
 */
export class EsTendencyGrid extends EsFigure<readonly TendencyPanel[], TendencyResult> {
  static override styles = [
    ...EsFigure.styles,
    css`
      .scroll-x {
        overflow-x: auto;
      }
      .grid {
        display: grid;
        gap: 0.5rem;
        align-items: start;
        min-inline-size: min-content;
      }
      .head {
        font-weight: 600;
        text-align: center;
        color: var(--_quiet);
        align-self: center;
      }
      .layer {
        text-align: right;
        padding-inline-end: 0.3rem;
      }
      button[part='cell'] {
        all: unset;
        box-sizing: border-box;
        display: block;
        inline-size: 100%;
        padding: 4px;
        border-radius: 6px;
        border: 2px solid transparent;
        cursor: pointer;
      }
      button[part='cell']:hover {
        background: var(--_raised);
      }
      /* Within the border that marks the chosen one, and in another colour: outside, the box that scrolls would cut it off. */
      button[part='cell']:focus-visible {
        outline: 2px solid var(--_text);
        outline-offset: -4px;
      }
      button[aria-pressed='true'] {
        border-color: var(--_accent);
      }
      .caption {
        display: block;
        text-align: center;
        color: var(--_quiet);
        font-size: 0.8em;
        font-variant-numeric: tabular-nums;
        text-wrap: balance;
      }
    `,
  ];
  @property({ type: String }) mode: 'ivat' | 'vat' = 'ivat';
  @property({ type: String, attribute: 'mark-color' }) markColor: MarkColour = 'class';
  @property({ attribute: false }) selected: GridSelectDetail | null = null;

  protected override pick({ panels }: TendencyResult): readonly TendencyPanel[] {
    return panels;
  }
  protected override emptyReason(panels: readonly TendencyPanel[]): string {
    return panels.length ? '' : 'No pictures';
  }
  protected override summary(panels: readonly TendencyPanel[]): string {
    const [snapshots, layers] = [columnsOf(panels).length, new Set(panels.map(({ layer }) => layer)).size];
    return `${this.mode === 'vat' ? 'VAT' : 'iVAT'} pictures of ${layers} layers at ${snapshots} snapshots`;
  }
  protected override table(panels: readonly TendencyPanel[]): FigureTable {
    return tableOf(
      ['Layer', 'Snapshot', 'Blocks', 'In none', 'ARI in blocks', 'NMI in blocks', 'Purity in blocks'],
      panels,
      ({ layer, snapshot, blocks, scores }) => [
        layer,
        snapshotTitle(snapshot),
        blocks.count,
        blocks.shareInNone,
        scores.inBlocks.ari.value,
        scores.inBlocks.nmi.value,
        scores.inBlocks.purity.value,
      ],
    );
  }
  protected override get fileName(): string {
    return 'tendency-grid';
  }

  protected override draw(panels: readonly TendencyPanel[], frame: Frame): Drawing {
    const snapshots = columnsOf(panels);
    const grid = {
      columns: snapshots.map(snapshotTitle),
      rows: [...new Set(panels.map(({ layer }) => layer))].map((layer) => ({
        title: layer,
        cells: snapshots.map(({ id }) => {
          const panel = panels.find((p) => p.layer === layer && p.snapshot.id === id);
          return panel ? { panel, caption: blocksCaption(panel) } : null;
        }),
      })),
      mode: this.mode,
      markColor: this.markColor,
      classes: null,
    };
    return gridDrawing(grid, frame);
  }

  /** Buttons with pictures of their own: they scroll, and each is drawn when it is seen. */
  protected override picture(panels: readonly TendencyPanel[]): TemplateResult {
    const snapshots = columnsOf(panels);
    const layers = [...new Set(panels.map(({ layer }) => layer))];
    const scaleOf = sharedScales(panels, this.mode);
    const cells = html`<span></span>${snapshots.map((s) => html`<span class="head">${snapshotTitle(s)}</span>`)}
      ${layers.map(
        (layer, row) =>
          html`<span class="head layer">${layer}</span>${snapshots.map((s, column) =>
            this.cell(
              panels.find((p) => p.layer === layer && p.snapshot.id === s.id),
              scaleOf,
              { row, column },
            ),
          )}`,
      )}`;
    return html`<div class="scroll-x">${this.marked({ class: 'grid', marks: true, label: this.summary(panels) }, cells)}</div>`;
  }
  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    // Written as a property: style attributes are against strict policies.
    const grid = this.renderRoot.querySelector<HTMLElement>('.grid');
    if (grid && this.data)
      grid.style.gridTemplateColumns = `auto repeat(${columnsOf(this.data).length}, minmax(5rem, 22rem))`;
  }

  private cell(
    panel: TendencyPanel | undefined,
    scaleOf: (panel: TendencyPanel) => SharedScale,
    place: { row: number; column: number },
  ) {
    if (!panel) return html`<span class="caption">not analysed</span>`;
    const { layer, snapshot } = panel;
    const { high, own } = scaleOf(panel);
    const caption = `${blocksCaption(panel)}${own ? OWN_GREYS : ''}`;
    return html`<button type="button" part="cell" data-layer=${layer} data-snapshot=${snapshot.id} ${mark({
      label: `${layer}, ${snapshotTitle(snapshot)}: ${caption}`,
      detail: { snapshot: snapshot.id, layer },
      selected: this.selected?.layer === layer && this.selected.snapshot === snapshot.id,
      ...place,
    })}>
      <es-tendency-image still .data=${panel} .scaleHigh=${high} mode=${this.mode} mark-color=${this.markColor} aria-hidden="true"></es-tendency-image>
      <span class="caption">${caption}</span>
    </button>`;
  }

  protected override select<Detail extends Selection>(detail: Detail): void {
    this.selected = detail as unknown as GridSelectDetail;
    super.select(detail);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-tendency-grid': EsTendencyGrid;
  }
}
