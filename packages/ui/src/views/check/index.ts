import type { SeriesCheckResult } from '@epochscope/analysis/results';
import { css, html, type TemplateResult } from 'lit';
import { snapshotsIn } from '../../elements/es-series-check/index.js';
import { EsLoaded } from '../../figure/index.js';

/**
 * Is a series what it says? The time line with faults and gaps, and each of them in words. Give `data`, or `src`.
 * @fires es-select - `{ snapshot }`, from the picture and from the words.
 */
export class EsCheckView extends EsLoaded<SeriesCheckResult, SeriesCheckResult> {
  static override styles = [
    ...EsLoaded.styles,
    css`
      ul {
        margin: 0.6rem 0 0;
        padding-inline-start: 1.1rem;
        max-inline-size: 52rem;
      }
      li {
        overflow-wrap: anywhere;
      }
      li.note {
        color: var(--_quiet);
      }
    `,
  ];
  protected override content(data: SeriesCheckResult): TemplateResult {
    const { findings, sampled, tensors, frozen, snapshots } = data;
    return html`<es-series-check .data=${data} .selection=${this.selection}></es-series-check>
      ${
        findings.length
          ? html`<ul>${findings.map(
              (finding) =>
                html`<li class=${finding.grade} data-snapshot=${snapshotsIn(finding).at(-1) ?? ''}>${finding.grade === 'note' ? 'Note: ' : ''}${finding.text}.</li>`,
            )}</ul>`
          : html`<p>Nothing odd was found in ${sampled} weights of ${tensors + frozen} tensors in ${snapshots.length} snapshots.</p>`
      }`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-check-view': EsCheckView;
  }
}
