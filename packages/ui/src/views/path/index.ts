import { type PathResult, pathSentence } from '@epochscope/analysis/results';
import { css, html, type TemplateResult } from 'lit';
import { EsLoaded } from '../../figure/index.js';
import { sentence } from '../../styles.js';

/**
 * Why two samples lie together: the sentence and the strip. Give `data`, or `src`.
 * @fires es-select - from the element inside.
 */
export class EsPathView extends EsLoaded<PathResult, PathResult> {
  static override styles = [
    ...EsLoaded.styles,
    css`
      p {
        max-inline-size: 46rem;
        margin: 0.4rem 0;
      }
    `,
  ];
  protected override content(data: PathResult): TemplateResult {
    return html`<p>${sentence(pathSentence(data))}.</p>
      <es-path-strip .data=${data} .selection=${this.selection}></es-path-strip>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-path-view': EsPathView;
  }
}
