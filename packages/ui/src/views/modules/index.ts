import type { ModuleSnapshot, ModulesResult } from '@epochscope/analysis/results';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { type ChosenCluster, percent, relatives, titleOf } from '../../elements/es-module-flow/clusters.js';
import { EsLoaded } from '../../figure/index.js';

/** Clusters of another snapshot listed beside a chosen one. */
const KIN = 6;

/**
 * A whole modules result, linked: choosing a cluster anywhere shows its centroid, and the clusters its units were in before and go to.
 * @fires es-select - `{ snapshot, cluster }`, from the elements inside.
 */
export class EsModulesView extends EsLoaded<ModulesResult, ModulesResult> {
  static override styles = [
    ...EsLoaded.styles,
    css`
      :host {
        container-type: inline-size;
      }
      h3 {
        font-size: 1rem;
        margin: 1.8rem 0 0.5rem;
      }
      h3:first-child {
        margin-block-start: 0;
      }
      .controls {
        display: flex;
        flex-wrap: wrap;
        gap: 0.4rem 1.2rem;
        margin-block-end: 0.8rem;
      }
      fieldset {
        border: 0;
        padding: 0;
        margin: 0;
        display: flex;
        flex-wrap: wrap;
        gap: 0.8rem;
      }
      legend {
        float: left;
        padding: 0;
        color: var(--_quiet);
      }
      .kin {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr));
        gap: 1rem 2rem;
      }
      .kin h4 {
        margin: 0 0 0.4rem;
        font-size: 0.9rem;
      }
      .quiet {
        color: var(--_quiet);
      }
      ul {
        margin: 0.3rem 0;
        padding-inline-start: 1.2rem;
      }
    `,
  ];
  /** Snapshot whose clusters are shown. */
  @property({ state: true }) private shown: string = '';
  @property({ state: true }) private chosen: ChosenCluster | null = null;

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const has = (id: string | null | undefined) => this.data?.snapshots.some((s) => s.snapshot.id === id);
    if (changed.has('data') && this.data) {
      if (!has(this.shown)) this.shown = this.data.snapshots.at(-1)?.snapshot.id ?? '';
      this.chosen = null;
    }
    if ((changed.has('selection') || changed.has('data')) && has(this.selection.snapshot)) {
      this.shown = this.selection.snapshot!;
      if (this.chosen && this.chosen.snapshot !== this.shown) this.chosen = null;
    }
  }
  protected override emptyReason({ snapshots }: ModulesResult): string {
    return snapshots.length ? '' : 'No snapshot was analysed.';
  }

  private onSelect = (event: CustomEvent<{ snapshot?: string | null; cluster?: number }>) => {
    const { snapshot, cluster } = event.detail;
    if (!snapshot || cluster === undefined) return;
    this.chosen = { snapshot, cluster };
    this.shown = snapshot;
  };

  protected override content(data: ModulesResult): TemplateResult {
    const at = data.snapshots.findIndex(({ snapshot }) => snapshot.id === this.shown);
    const s = data.snapshots[at]!;
    const after = data.transitions[at];
    const before = data.transitions[at - 1];
    const centroid = (snapshot: ModuleSnapshot) => ({ ...data, snapshot });
    return html`<div @es-select=${this.onSelect}>
      ${data.snapshots.length > 1 && !this.compared ? html`<h3>Units between clusters</h3><es-module-flow .data=${data} .chosen=${this.chosen}></es-module-flow>` : nothing}
      <h3>${titleOf(s)}: ${s.clusters.length} clusters of ${s.kept.length} units</h3>
      ${this.snapshots(data)} ${this.left(s)}
      ${this.chosen && this.chosen.snapshot === s.snapshot.id ? this.kin(data, this.chosen) : nothing}
      <es-centroid-gallery .data=${this.cached(centroid, s)} .chosen=${this.chosen}></es-centroid-gallery>
      <h3>Tree and cut (θ ${s.theta}, ${s.cut})</h3>
      <es-module-dendrogram .data=${s} .chosen=${this.chosen}></es-module-dendrogram>
      ${before && !this.compared ? html`<h3>From ${before.from} to ${before.to}</h3><es-module-transition .data=${before} .chosen=${this.chosen}></es-module-transition>` : nothing}
      ${after && !this.compared ? html`<h3>From ${after.from} to ${after.to}</h3><es-module-transition .data=${after} .chosen=${this.chosen}></es-module-transition>` : nothing}
      ${s.sweep ? html`<h3>Choosing θ</h3><es-theta-sweep .data=${s}></es-theta-sweep>` : nothing}
    </div>`;
  }

  private caches = new WeakMap<ModuleSnapshot, object>();
  /** The same object for the same snapshot, so that nothing is drawn again for its own sake. */
  private cached<T extends object>(make: (s: ModuleSnapshot) => T, s: ModuleSnapshot): T {
    let found = this.caches.get(s) as T | undefined;
    if (!found) this.caches.set(s, (found = make(s)));
    return found;
  }

  private snapshots(data: ModulesResult) {
    if (data.snapshots.length < 2 || this.compared) return nothing;
    return html`<div class="controls"><fieldset><legend>Snapshot</legend>
      ${data.snapshots.map((s) => {
        const { id } = s.snapshot;
        return html`<label><input type="radio" name="snapshot" value=${id} .checked=${id === this.shown} @change=${() => {
          this.shown = id;
          this.chosen = null;
          this.select({ snapshot: id });
        }} /> ${titleOf(s)}</label>`;
      })}
    </fieldset></div>`;
  }

  /** Units and dimensions that take no part, with the reason. */
  private left({ removed, constantInputs, constantOutputs }: ModuleSnapshot) {
    const lines = [
      ...removed.map(
        ({ reason, units }) => `${units.length} ${units.length === 1 ? 'unit' : 'units'} removed: ${reason}`,
      ),
      ...(constantInputs.length
        ? [`${constantInputs.length} input dimensions have zero variance: their correlations are 0`]
        : []),
      ...(constantOutputs.length ? [`${constantOutputs.length} output dimensions have zero variance`] : []),
    ];
    return lines.length
      ? html`<ul class="quiet">${lines.map((line) => html`<li>${line}</li>`)}</ul>`
      : nothing;
  }

  /** The chosen cluster, and where its units were and will be. */
  private kin(data: ModulesResult, chosen: ChosenCluster) {
    const shares = relatives(data, chosen);
    const at = data.snapshots.findIndex(({ snapshot }) => snapshot.id === chosen.snapshot);
    const own = data.snapshots[at]!;
    const { size } = own.clusters[chosen.cluster]!;
    const side = (s: ModuleSnapshot | undefined, title: string) => {
      if (!s) return nothing;
      const all = [...(shares?.get(s.snapshot.id) ?? [])].sort((a, b) => b[1] - a[1]);
      const rest = size - all.reduce((sum, [, units]) => sum + units, 0);
      return html`<section><h4>${title} at ${titleOf(s)}</h4>
        ${
          all.length
            ? html`<p class="quiet">${all
                .slice(0, KIN)
                .map(([c, units]) => `cluster ${c + 1}: ${units} (${percent(units / size)})`)
                .join(
                  ', ',
                )}${all.length > KIN ? `, and ${all.length - KIN} more` : ''}${rest ? `; without a cluster: ${rest}` : ''}</p>
            <es-centroid-gallery still .data=${{ ...data, snapshot: s }} .clusters=${all.slice(0, KIN).map(([c]) => c)}></es-centroid-gallery>`
            : html`<p class="quiet">none of its units is in a cluster there</p>`
        }</section>`;
    };
    return html`<div class="kin" data-kin>
      <section><h4>Cluster ${chosen.cluster + 1}: ${size} units</h4>
        <p class="quiet">coherence ${own.clusters[chosen.cluster]!.coherence.toFixed(2)}, diameter ${own.clusters[chosen.cluster]!.diameter.toFixed(2)}</p>
        <es-centroid-gallery still .data=${this.cached((s) => ({ ...data, snapshot: s }), own)} .clusters=${[chosen.cluster]}></es-centroid-gallery></section>
      ${side(data.snapshots[at - 1], 'Ancestors')} ${side(data.snapshots[at + 1], 'Heirs')}
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-modules-view': EsModulesView;
  }
}
