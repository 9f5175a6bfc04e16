import type { GeometryResult } from '@epochscope/analysis/results';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { DIMENSION_TITLES, type DimensionMeasure } from '../../elements/es-dimension/index.js';
import { EsLoaded } from '../../figure/index.js';
import { snapshotTitle } from '../../styles.js';

/**
 * A whole geometry result: spectra by layer and by snapshot, dimensions, singular vectors, tangents, steps along and across, the tree of
 * classes, all at one chosen snapshot and layer. Give `data`, or `src`.
 * @fires es-select - `{ snapshot }`, `{ layer }`, and from the elements inside.
 */
export class EsGeometryView extends EsLoaded<GeometryResult, GeometryResult> {
  static override styles = [
    ...EsLoaded.styles,
    css`
      :host {
        container-type: inline-size;
      }
      .controls {
        display: flex;
        flex-wrap: wrap;
        gap: 0.4rem 1.2rem;
        margin-block-end: 0.8rem;
      }
      .split {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
        gap: 1.2rem 2rem;
        align-items: start;
      }
      .wide {
        grid-column: 1 / -1;
      }
      @container (max-width: 860px) {
        .split {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      h3 {
        margin: 0 0 0.4rem;
        font-size: 1rem;
      }
      select {
        font: inherit;
        color: inherit;
        background: var(--_raised);
        border: 1px solid var(--_line);
        border-radius: 4px;
        padding: 0.1rem 0.3rem;
      }
    `,
  ];
  @property({ type: String }) measured: DimensionMeasure = 'atLeastOne';
  @property({ type: String }) side: 'right' | 'left' = 'right';
  @property({ state: true }) private snapshot: string = '';
  @property({ state: true }) private layer: string = '';
  protected override emptyReason({ spectra }: GeometryResult): string {
    return spectra.length ? '' : 'There is no spectrum.';
  }
  private snapshots(data: GeometryResult) {
    return [...new Map(data.spectra.map(({ snapshot }) => [snapshot.id, snapshot])).values()];
  }
  private layers(data: GeometryResult): string[] {
    return [...new Set(data.spectra.map(({ to }) => to))];
  }
  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const { data } = this;
    if (!data) return;
    const ids = this.snapshots(data).map(({ id }) => id);
    const layers = this.layers(data);
    const { snapshot, layer } = this.selection;
    if (changed.has('selection') && snapshot && ids.includes(snapshot)) this.snapshot = snapshot;
    if (changed.has('selection') && layer && layers.includes(layer)) this.layer = layer;
    if (!ids.includes(this.snapshot)) this.snapshot = ids.at(-1) ?? '';
    if (!layers.includes(this.layer)) this.layer = layers.at(-1) ?? '';
  }

  private choose(change: { snapshot?: string; layer?: string }): void {
    if (change.snapshot) this.snapshot = change.snapshot;
    if (change.layer) this.layer = change.layer;
    this.select(change);
  }
  /** A choice inside is shown at once, whether or not the page answers with a new selection. */
  private inside = (event: Event): void => {
    const { snapshot, layer } = (event as CustomEvent<{ snapshot?: string; layer?: string }>).detail;
    if (snapshot) this.snapshot = snapshot;
    if (layer) this.layer = layer;
  };

  protected override content(data: GeometryResult): TemplateResult {
    const snapshots = this.snapshots(data);
    const layers = this.layers(data);
    const here = { ...this.selection, snapshot: this.snapshot, layer: this.layer };
    const between = data.spectra.some(({ kind }) => kind === 'layer');
    const inputs = data.samples.indices.length;
    const title = snapshotTitle(snapshots.find(({ id }) => id === this.snapshot)!);
    return html`
      ${
        this.compared
          ? nothing
          : html`<div class="controls">
        <label>Snapshot <select @change=${(e: Event) => this.choose({ snapshot: (e.target as HTMLSelectElement).value })}>${snapshots.map((s) => html`<option value=${s.id} ?selected=${s.id === this.snapshot}>${snapshotTitle(s)}</option>`)}</select></label>
        <label>Layer <select @change=${(e: Event) => this.choose({ layer: (e.target as HTMLSelectElement).value })}>${layers.map((name) => html`<option ?selected=${name === this.layer}>${name}</option>`)}</select></label>
      </div>`
      }
      <div class="split" @es-select=${this.inside}>
        <section><h3>From the input to each layer, ${title}</h3>
          <es-spectrum .data=${data.spectra} .selection=${here}></es-spectrum></section>
        ${
          snapshots.length > 1
            ? html`<section><h3>${this.layer} over snapshots</h3>
          <es-spectrum by="snapshot" .data=${data.spectra} .selection=${here}></es-spectrum></section>`
            : nothing
        }
        ${
          between
            ? html`<section><h3>Between layers, ${title}</h3>
          <es-spectrum kind="layer" .data=${data.spectra} .selection=${here}></es-spectrum></section>`
            : nothing
        }
        <section><h3>Dimension, ${inputs} ${inputs === 1 ? 'input' : 'inputs'}</h3>
          <label class="controls">measured by <select @change=${(e: Event) => (this.measured = (e.target as HTMLSelectElement).value as DimensionMeasure)}>${Object.entries(DIMENSION_TITLES).map(([value, text]) => html`<option value=${value} ?selected=${value === this.measured}>${text}</option>`)}</select></label>
          <es-dimension measured=${this.measured} .data=${data.spectra} .selection=${here}></es-dimension></section>
        <section class="wide"><h3>Singular vectors at ${this.layer}, ${title}</h3>
          <label class="controls">of <select @change=${(e: Event) => (this.side = (e.target as HTMLSelectElement).value as 'right')}><option value="right" ?selected=${this.side === 'right'}>the input's space (right)</option><option value="left" ?selected=${this.side === 'left'}>the layer's space (left)</option></select></label>
          <es-singular-vectors side=${this.side} .data=${data} .selection=${here}></es-singular-vectors></section>
        ${
          data.alignments.length
            ? html`<section><h3>Tangent vectors in the span of right vectors, ${this.layer}</h3>
          <es-tangent-alignment .data=${data.alignments} .selection=${here}></es-tangent-alignment></section>`
            : nothing
        }
        ${
          data.perturbations.length
            ? html`<section><h3>Steps along and across, ${this.layer}</h3>
          <es-perturbation .data=${data.perturbations} .selection=${here}></es-perturbation></section>`
            : nothing
        }
        ${
          data.classTrees.length
            ? html`<section><h3>Classes by their spectra, ${this.layer}</h3>
          <es-class-dendrogram .data=${{ trees: data.classTrees, classes: data.samples.classes }} .selection=${here}></es-class-dendrogram></section>`
            : nothing
        }
      </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-geometry-view': EsGeometryView;
  }
}
