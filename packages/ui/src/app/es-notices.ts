import type { WatchResult } from '@epochscope/analysis/results';
import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { property, state } from 'lit/decorators.js';
import { alarmTexts } from '../views/watch/index.js';
import type { RunInfo, RunSource } from './source.js';

/** More are in the tab of rules. */
const MOST = 3;

/** What rules of `epochscope watch` say of a run, as they begin to hold. Drawn into the page itself, with its styles. */
export class EsNotices extends LitElement {
  @property({ attribute: false }) source: RunSource | null = null;
  @property({ attribute: false }) info: RunInfo | null = null;
  @state() private texts: readonly string[] = [];

  protected override createRenderRoot(): HTMLElement {
    return this;
  }
  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('info') || changed.has('source')) void this.load();
  }
  private async load(): Promise<void> {
    const { source, info } = this;
    const names = info?.results.filter(({ method }) => method === 'watch') ?? [];
    // One that cannot be read is said in its tab.
    const results = await Promise.all(
      names.map((name) => source!.result(info!.key, name).catch(() => null) as Promise<WatchResult | null>),
    );
    if (this.info === info) this.texts = results.flatMap((result) => (result ? alarmTexts(result) : []));
  }
  override render() {
    const { texts } = this;
    if (!texts.length) return nothing;
    const last = texts.slice(-MOST);
    return html`<p class="warning" role="status">Rules: ${last.join('; ')}${texts.length > last.length ? `; and ${texts.length - last.length} before` : ''}.</p>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-notices': EsNotices;
  }
}
