import type { PruneResult, PruneRound } from '@epochscope/analysis/results';
import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { roundSnapshot } from '../../elements/es-prune-rounds/index.js';
import { type WeightMode, type WeightPalette, weightExtent } from '../../elements/es-weight-pictures/draw.js';
import type { WeightPicturesData } from '../../elements/es-weight-pictures/index.js';
import { EsLoaded } from '../../figure/index.js';
import { mergeSelection, type Selection } from '../../selection.js';
import { titleOfId } from '../../styles.js';

const percent = (value: number | null, digits = 1) =>
  value === null ? '–' : `${(100 * value).toFixed(digits)} %`;
type Stage = { id: string; round: PruneRound | null };

/**
 * A whole pruning: a slider over its rounds drives the weights of all units, how much each lost, and accuracy over
 * rounds; a chosen unit is shown before, now and as regions.
 * @fires es-select - `{ snapshot, layer, unit }`, from the slider and the elements inside.
 */
export class EsPruneView extends EsLoaded<PruneResult, PruneResult> {
  static override styles = [
    ...EsLoaded.styles,
    css`
      :host {
        container-type: inline-size;
      }
      .controls {
        display: flex;
        flex-wrap: wrap;
        gap: 0.4rem 1.5rem;
        align-items: center;
        margin-block: 0.5rem;
      }
      fieldset {
        border: 0;
        padding: 0;
        margin: 0;
        display: flex;
        flex-wrap: wrap;
        gap: 0 0.8rem;
      }
      legend {
        float: left;
        padding: 0;
        color: var(--_quiet);
      }
      .split {
        display: grid;
        grid-template-columns: minmax(0, 3fr) minmax(0, 2fr);
        gap: 2rem;
        margin-block-start: 1rem;
        align-items: start;
      }
      .unit {
        display: grid;
        grid-template-columns: repeat(3, minmax(0, 1fr));
        gap: 0.8rem;
        max-inline-size: 30rem;
      }
      .unit p {
        margin: 0 0 0.2rem;
        color: var(--_quiet);
      }
      @container (max-width: 800px) {
        .split {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      h3 {
        margin: 1.2rem 0 0.4rem;
        font-size: 1rem;
      }
      .split h3:first-child {
        margin-block-start: 0;
      }
      td:last-child {
        white-space: nowrap;
      }
      td .reason {
        white-space: normal;
      }
      .reason {
        color: var(--_quiet);
        font-style: italic;
      }
    `,
  ];
  @property({ type: String }) mode: WeightMode = 'weights';
  @property({ type: String }) palette: WeightPalette = 'sign';
  @property({ type: String }) sort: 'unit' | 'removed' = 'unit';
  private extent = 0;
  /** One object per stage, so that the elements draw only when it changes. */
  private pictures = new Map<string, WeightPicturesData>();

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (!changed.has('data') || !this.data) return;
    this.extent = weightExtent(this.data.weightsBefore);
    this.pictures.clear();
  }
  protected override emptyReason({ rounds }: PruneResult): string {
    return rounds.length ? '' : 'The result holds no round.';
  }

  private stages({ rounds }: PruneResult): Stage[] {
    return [
      { id: 'before', round: null },
      ...rounds.map((round) => ({ id: roundSnapshot(round.round), round })),
    ];
  }
  private drawn(data: PruneResult, { id, round }: Stage): WeightPicturesData {
    let found = this.pictures.get(id);
    if (!found) {
      found = {
        layout: data.layout,
        weights: round?.weights ?? data.weightsBefore,
        mask: round?.mask ?? null,
      };
      this.pictures.set(id, found);
    }
    return found;
  }

  protected override content(data: PruneResult): TemplateResult {
    const stages = this.stages(data);
    const stage = stages.find(({ id }) => id === this.selection.snapshot) ?? stages[stages.length - 1]!;
    const selection: Selection = { ...this.selection, snapshot: stage.id };
    const radio = (name: string, value: string, text: string, now: string, set: (value: string) => void) =>
      html`<label><input type="radio" name=${name} value=${value} .checked=${now === value} @change=${() => set(value)} /> ${text}</label>`;
    return html`<div @es-select=${this.onSelect}>
      <es-timeline .data=${stages.map(({ id }) => ({ id, epoch: null, step: null }))} .selection=${selection}></es-timeline>
      <div class="controls">
        <fieldset>
          <legend>Draw</legend>
          ${radio('mode', 'weights', 'weights', this.mode, (v) => (this.mode = v as WeightMode))} ${radio('mode', 'regions', 'regions left', this.mode, (v) => (this.mode = v as WeightMode))}
        </fieldset>
        <fieldset>
          <legend>Order</legend>
          ${radio('sort', 'unit', 'as in the layer', this.sort, (v) => (this.sort = v as 'unit'))} ${radio('sort', 'removed', 'least removed first', this.sort, (v) => (this.sort = v as 'removed'))}
        </fieldset>
        <label><input type="checkbox" .checked=${this.palette === 'red-blue'} @change=${(e: Event) => (this.palette = (e.target as HTMLInputElement).checked ? 'red-blue' : 'sign')} /> the paper’s colours</label>
      </div>
      <div class="split">
        <div>
          <h3>${data.layout.layer}, ${titleOfId(stage.id)}</h3>
          <es-weight-pictures .data=${this.drawn(data, stage)} .selection=${selection} mode=${this.mode} palette=${this.palette} sort=${this.sort} .extent=${this.extent}></es-weight-pictures>
          <h3>Accuracy over rounds</h3>
          <es-prune-rounds .data=${this.series(data)} .selection=${selection}></es-prune-rounds>
        </div>
        <div>
          ${this.figures(data, stage)}
          ${stage.round ? html`<h3>Removed per unit</h3><es-removal-histogram .data=${stage.round.removed}></es-removal-histogram>` : nothing}
          ${this.unit(data, stages[0]!, stage, selection)}
        </div>
      </div>
    </div>`;
  }

  private last: { data: PruneResult; series: object[] } | null = null;
  private series(data: PruneResult): object[] {
    if (this.last?.data !== data) this.last = { data, series: [{ ...data, name: data.options.ranking }] };
    return this.last.series;
  }

  private unit(data: PruneResult, before: Stage, stage: Stage, selection: Selection) {
    const { unit } = selection;
    const { kind } = data.layout;
    const name = kind === 'conv2d' ? 'filter' : kind === 'head' ? 'head' : 'unit';
    if (typeof unit !== 'number' || unit < 0 || unit >= data.layout.units)
      return html`<p class="reason">Choose a ${name} to see it before and now.</p>`;
    const picture = (text: string, of: Stage, mode: WeightMode) =>
      html`<div><p>${text}</p><es-weight-pictures still .data=${this.drawn(data, of)} .units=${[unit]} mode=${mode} palette=${this.palette} .extent=${this.extent} limit="1"></es-weight-pictures></div>`;
    const removed = stage.round
      ? `: ${percent(stage.round.removed.perUnit[unit]!)} of its weights removed`
      : '';
    return html`<h3>${name === 'unit' ? 'Unit' : 'Filter'} ${unit}${removed}</h3>
      <div class="unit">
        ${picture('before', before, 'weights')} ${stage.round ? html`${picture(titleOfId(stage.id), stage, 'weights')} ${picture('regions left', stage, 'regions')}` : nothing}
      </div>`;
  }

  private figures(data: PruneResult, { id, round }: Stage) {
    const { options, accuracyBefore, complete } = data;
    const ranking = {
      network: 'over the whole net',
      unit: 'within each unit',
      loss: 'by effect on the loss',
    };
    const rows: [string, string][] = round
      ? [
          ['Weights removed', percent(round.removed.overall)],
          ['Regions removed', round.regions ? `${round.regions.removed} of ${round.regions.before}` : '–'],
          ['Regions left', String(round.left.regions)],
          ['Regions of a unit, mean', round.left.perUnit.value?.toFixed(1) ?? '–'],
          ['Units with a region over half of them', percent(round.left.largestOverHalf.value, 0)],
          ['Units emptied', percent(round.removed.emptied, 0)],
          ['Accuracy after removal', percent(round.accuracyAfterRemoval.value, 2)],
          ['Accuracy after retraining', percent(round.accuracyAfterRetraining.value, 2)],
        ]
      : [];
    return html`<h3>Figures, ${titleOfId(id)}</h3>
      <p class="reason">Regions of ${options.neighbours} neighbours, ranked ${ranking[options.ranking]}; ${percent(options.magnitude, 0)} of weights, then ${percent(options.regions, 0)} of ${options.rateOf === 'count' ? 'regions' : 'the regions’ weight'} a round.${complete ? '' : ' The pruning was cut off.'}</p>
      <table>
        <tbody>
          <tr><td>Accuracy before</td><td>${accuracyBefore.value === null ? html`<span class="reason">${accuracyBefore.reason}</span>` : percent(accuracyBefore.value, 2)}</td></tr>
          ${rows.map(([name, value]) => html`<tr><td>${name}</td><td>${value}</td></tr>`)}
        </tbody>
      </table>`;
  }

  private onSelect = (event: CustomEvent<Selection>) => {
    // Other listeners get the same event: this only moves the view itself.
    this.selection = mergeSelection(this.selection, event.detail);
  };
}

declare global {
  interface HTMLElementTagNameMap {
    'es-prune-view': EsPruneView;
  }
}
