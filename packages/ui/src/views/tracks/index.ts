import type { TracksResult } from '@epochscope/analysis/results';
import { css, html, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { layerOfTensor } from '../../elements/es-parameter-paths/index.js';
import { EsLoaded } from '../../figure/index.js';

/**
 * A whole tracks result: update sizes of all layers, and the paths of the chosen parameters layer by layer. Give `data`, or `src`.
 * @fires es-select - from the elements inside.
 */
export class EsTracksView extends EsLoaded<TracksResult, TracksResult> {
  static override styles = [
    ...EsLoaded.styles,
    css`
      h3 {
        margin: 1rem 0 0.4rem;
        font-size: 1rem;
      }
      .paths {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr));
        gap: 0.5rem 1.5rem;
      }
      .paths > div {
        min-inline-size: 0;
      }
    `,
  ];
  /** ‖Δw‖ instead of ‖Δw‖ / ‖w‖. */
  @property({ type: Boolean }) absolute: boolean = false;
  protected override emptyReason({ snapshots }: TracksResult): string {
    return snapshots.length > 1 ? '' : 'Tracks need two snapshots.';
  }
  protected override content(data: TracksResult): TemplateResult {
    const layers = [...new Set(data.paths.map(({ tensor }) => layerOfTensor(tensor)))];
    return html`
      <h3>Size of updates, ${data.snapshots.length} snapshots</h3>
      <label><input type="checkbox" .checked=${this.absolute} @change=${(e: Event) => (this.absolute = (e.target as HTMLInputElement).checked)} /> not divided by the size of the weights</label>
      <es-update-sizes .data=${data} .selection=${this.selection} ?absolute=${this.absolute}></es-update-sizes>
      <div class="paths">${layers.map(
        (
          layer,
        ) => html`<div><h3>${layer}: paths of ${data.paths.filter(({ tensor }) => layerOfTensor(tensor) === layer).length} parameters</h3>
          <es-parameter-paths .data=${data} .selection=${this.selection} layer=${layer}></es-parameter-paths></div>`,
      )}</div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-tracks-view': EsTracksView;
  }
}
