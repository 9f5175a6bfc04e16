import { type FeaturesResult, featuresSentence } from '@epochscope/analysis/results';
import { css, html, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { FEATURE_MEASURES, type FeatureMeasure } from '../../elements/es-features/index.js';
import { EsLoaded } from '../../figure/index.js';
import { sentence, snapshotTitle } from '../../styles.js';

/**
 * A whole `features` result: when each layer has its features, the correlations over the snapshots, and the leading eigenvectors of one layer.
 * Give `data`, or `src`.
 * @fires es-select - `{ layer }`, and from the elements inside.
 */
export class EsFeaturesView extends EsLoaded<FeaturesResult, FeaturesResult> {
  static override styles = [
    ...EsLoaded.styles,
    css`
      p {
        max-inline-size: 46rem;
        margin: 0.4rem 0;
      }
      .controls {
        display: flex;
        flex-wrap: wrap;
        gap: 0.4rem 1.2rem;
        margin-block: 0.8rem;
      }
      select {
        max-inline-size: 100%;
        text-overflow: ellipsis;
        font: inherit;
        color: inherit;
        background: var(--_raised);
        border: 1px solid var(--_line);
        border-radius: 4px;
        padding: 0.1rem 0.3rem;
      }
      label {
        min-inline-size: 0;
      }
    `,
  ];
  @property({ type: String }) measured: FeatureMeasure = 'rootCorrelation';
  @property({ state: true }) private layer: string = '';
  protected override emptyReason({ panels }: FeaturesResult): string {
    return panels.length ? '' : 'No layer was looked at.';
  }
  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const layers = this.data?.panels.map(({ layer }) => layer) ?? [];
    const { layer } = this.selection;
    if (changed.has('selection') && layer && layers.includes(layer)) this.layer = layer;
    if (!layers.includes(this.layer)) this.layer = layers[0] ?? '';
  }
  private choose(layer: string): void {
    this.layer = layer;
    this.select({ layer });
  }
  private inside = (event: Event): void => {
    const { layer } = (event as CustomEvent<{ layer?: string }>).detail;
    if (layer) this.layer = layer;
  };

  protected override content(data: FeaturesResult): TemplateResult {
    const here = { ...this.selection, layer: this.layer };
    const measures = Object.entries(FEATURE_MEASURES);
    return html`
      <p>${sentence(featuresSentence(data, snapshotTitle))}.</p>
      <div class="controls">
        <label>Show <select @change=${(e: Event) => (this.measured = (e.target as HTMLSelectElement).value as FeatureMeasure)}>${measures.map(([id, name]) => html`<option value=${id} ?selected=${id === this.measured}>${name}</option>`)}</select></label>
        <label>Layer <select @change=${(e: Event) => this.choose((e.target as HTMLSelectElement).value)}>${[...new Set(data.panels.map(({ layer }) => layer))].map((name) => html`<option ?selected=${name === this.layer}>${name}</option>`)}</select></label>
      </div>
      <div @es-select=${this.inside}>
        <es-features .data=${data.panels} .result=${data} .measured=${this.measured} .selection=${here}></es-features>
        <es-feature-pictures .data=${data.panels} .result=${data} .selection=${here}></es-feature-pictures>
      </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-features-view': EsFeaturesView;
  }
}
