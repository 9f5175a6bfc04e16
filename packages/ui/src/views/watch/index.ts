import type { WatchResult } from '@epochscope/analysis/results';
import { css, html, type TemplateResult } from 'lit';
import { EsLoaded } from '../../figure/index.js';
import { sentence, snapshotTitle } from '../../styles.js';

/** What each alarm says, its snapshot called as everywhere on a page. */
export const alarmTexts = ({ alarms, snapshots }: Pick<WatchResult, 'alarms' | 'snapshots'>): string[] =>
  alarms.map(({ text, snapshot: id }) => {
    const snapshot = snapshots.find((one) => one.id === id);
    const title = snapshot && snapshotTitle(snapshot);
    return title
      ? text.replace(`at ${id} `, title === 'before training' ? `${title} ` : `at ${title} `)
      : text;
  });

/**
 * Rules on the snapshots of a run: what held, in words, and each rule's figure over the snapshots. Give `data`, or `src`.
 * @fires es-select - from the elements inside.
 */
export class EsWatchView extends EsLoaded<WatchResult, WatchResult> {
  static override styles = [
    ...EsLoaded.styles,
    css`
      p,
      ul {
        max-inline-size: 46rem;
        margin: 0.4rem 0;
      }
      h3 {
        margin: 1.2rem 0 0.4rem;
        font-size: 1rem;
      }
    `,
  ];
  protected override content(data: WatchResult): TemplateResult {
    const { alarms, rules, snapshots } = data;
    return html`
      ${
        alarms.length
          ? html`<ul>${alarmTexts(data).map((text) => html`<li>${sentence(text)}</li>`)}</ul>`
          : html`<p>No rule held at ${snapshots.length} snapshots.</p>`
      }
      <p>Each line is the figure that a rule looks at, and orange points are the snapshots at which the rule holds. A limit is worth what a sound training says: see how far the figure moves there.</p>
      ${rules.map(
        (rule) => html`<h3>${rule.text}</h3>
        <es-rule .data=${{ rule, snapshots }} .result=${data} .selection=${this.selection}></es-rule>`,
      )}`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-watch-view': EsWatchView;
  }
}
