import type { ActivityPanel, ActivityResult } from '@epochscope/analysis/results';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { EsLoaded, state } from '../../figure/index.js';
import { snapshotTitle, titleOfId } from '../../styles.js';

/**
 * A whole activity result: how selective each layer's filters are, and the bars of the chosen layer and snapshot. Give `data`, or `src`.
 * @fires es-select - `{ layer, snapshot }`, and from the elements inside.
 */
export class EsActivityView extends EsLoaded<ActivityResult, ActivityResult> {
  static override styles = [
    ...EsLoaded.styles,
    css`
      h3 {
        margin: 1rem 0 0.4rem;
        font-size: 1rem;
      }
      .controls {
        display: flex;
        flex-wrap: wrap;
        gap: 0.4rem 1.2rem;
        margin-bottom: 0.6rem;
      }
    `,
  ];
  @property({ state: true }) private layer: string = '';
  @property({ state: true }) private snapshot: string = '';
  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const panels = this.data?.panels ?? [];
    const last = panels[panels.length - 1];
    if (!last) return;
    const { layer, snapshot } = this.selection;
    if (changed.has('selection')) {
      if (panels.some((p) => p.layer === layer)) this.layer = layer!;
      // A snapshot that was not analysed is said, not passed over.
      if (snapshot) this.snapshot = snapshot;
    }
    if (!panels.some((p) => p.layer === this.layer)) this.layer = last.layer;
    if (!this.snapshot) this.snapshot = last.snapshot.id;
  }
  protected override emptyReason({ panels }: ActivityResult): string {
    return panels.length ? '' : 'The result holds no layer.';
  }

  private choice(
    name: string,
    values: readonly { value: string; text: string }[],
    now: string,
    set: (value: string) => void,
  ): TemplateResult | typeof nothing {
    if (values.length < 2) return nothing;
    return html`<label>${name} <select @change=${(e: Event) => set((e.target as HTMLSelectElement).value)}>
      ${values.map(({ value, text }) => html`<option value=${value} ?selected=${value === now}>${text}</option>`)}
    </select></label>`;
  }

  protected override content(data: ActivityResult): TemplateResult {
    const { panels } = data;
    const layers = [...new Set(panels.map(({ layer }) => layer))];
    const snapshots = [...new Map(panels.map(({ snapshot }) => [snapshot.id, snapshot])).values()];
    const panel: ActivityPanel | undefined = panels.find(
      (p) => p.layer === this.layer && p.snapshot.id === this.snapshot,
    );
    const known = snapshots.some(({ id }) => id === this.snapshot);
    return html`
      <h3>Selectivity of filters</h3>
      <es-selectivity .data=${panels} .selection=${this.selection}></es-selectivity>
      <h3>Activity by class</h3>
      <div class="controls">
        ${this.choice(
          'Layer',
          layers.map((value) => ({ value, text: value })),
          this.layer,
          (layer) => {
            this.layer = layer;
            this.select({ layer });
          },
        )}
        ${this.choice(
          'Snapshot',
          [
            ...(known ? [] : [{ value: this.snapshot, text: `${this.snapshot} (not analysed)` }]),
            ...snapshots.map((s) => ({ value: s.id, text: snapshotTitle(s) })),
          ],
          this.snapshot,
          (snapshot) => {
            this.snapshot = snapshot;
            this.select({ snapshot });
          },
        )}
      </div>
      ${
        panel
          ? html`<es-activity-bars .data=${panel} .classes=${data.classes} .selection=${this.selection}></es-activity-bars>`
          : state(
              `Activity of ${this.layer} at ${titleOfId(this.snapshot)} was not analysed: choose ${snapshots
                .map(snapshotTitle)
                .slice(0, 6)
                .join(', ')}, or run "epochscope activity" for it.`,
            )
      }`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-activity-view': EsActivityView;
  }
}
