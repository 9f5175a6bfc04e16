import {
  type DifferenceResult,
  differenceSentence,
  longestBars,
  witnessSentence,
} from '@epochscope/analysis/results';
import { css, html, type TemplateResult } from 'lit';
import { sideName } from '../../elements/es-difference-bars/index.js';
import { EsLoaded } from '../../figure/index.js';
import { sentence, snapshotTitle } from '../../styles.js';

const WITNESSES = 3;

/**
 * A whole difference: its sentence, the bars of both sides, and of each side the groups of its longest bars with their samples. Give `data`,
 * or `src`.
 * @fires es-select - from the elements inside.
 */
export class EsDifferenceView extends EsLoaded<DifferenceResult, DifferenceResult> {
  static override styles = [
    ...EsLoaded.styles,
    css`
      h3 {
        margin: 1rem 0 0.4rem;
        font-size: 1rem;
      }
      p {
        max-inline-size: 46rem;
        margin: 0.4rem 0;
      }
    `,
  ];
  protected override content(data: DifferenceResult): TemplateResult {
    return html`
      <p>${sentence(differenceSentence(data, snapshotTitle))}.</p>
      <es-difference-bars .data=${data} .selection=${this.selection}></es-difference-bars>
      ${([0, 1] as const).map((side) => {
        const bars = longestBars(data, side, WITNESSES);
        return bars.length
          ? html`<h3>Kept apart: ${sideName(data, side)}</h3>
          ${bars.map(
            (bar) => html`<p>${sentence(witnessSentence(data, bar, data.samples, snapshotTitle))}.</p>
            ${
              data.samples.images
                ? html`<es-sample-gallery .data=${data.samples} .samples=${[...bar.pair, ...bar.small.filter((i) => !bar.pair.includes(i))]} limit="24" .selection=${this.selection}></es-sample-gallery>`
                : ''
            }`,
          )}`
          : '';
      })}`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-difference-view': EsDifferenceView;
  }
}
