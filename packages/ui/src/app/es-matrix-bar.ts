import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { tokens } from '../styles.js';
import controls from './control-styles.js';
import { bytes, duration } from './jobs.js';
import type { MatrixSource } from './work/client.js';
import { MATRIX_START, type MatrixOptions } from './work/types.js';

const METRICS = [
  'euclidean',
  'cosine',
  'correlation',
  'manhattan',
  'jaccard',
  'hamming',
  'gower',
  'precomputed',
];
const list = (text: string) => text.split(/[,;]\s*|\s+/).filter(Boolean);

/** How a file of rows is read and compared: each change computes the picture anew. */
export class EsMatrixBar extends LitElement {
  static override styles = [
    tokens,
    controls,
    css`
      :host {
        display: block;
        border-block-end: 1px solid var(--line);
        background: var(--surface);
        color: var(--ink2);
        padding: 8px 32px;
      }
      form,
      .line {
        display: flex;
        flex-wrap: wrap;
        gap: 6px 14px;
        align-items: center;
      }
      label {
        display: flex;
        align-items: center;
        gap: 6px;
        white-space: nowrap;
      }
      label select,
      label input {
        inline-size: 8rem;
        min-block-size: 28px;
      }
      label input.short {
        inline-size: 5.5rem;
      }
      .line {
        margin-block-start: 4px;
        min-block-size: 26px;
        color: var(--ink3);
      }
      progress {
        inline-size: 10rem;
        block-size: 4px;
        appearance: none;
        border: 0;
        background: var(--line);
      }
      progress::-webkit-progress-bar {
        background: var(--line);
      }
      progress::-webkit-progress-value,
      progress::-moz-progress-bar {
        background: var(--ink);
      }
      .problem {
        color: var(--problem);
        overflow-wrap: anywhere;
      }
      @media (max-width: 700px) {
        :host {
          padding-inline: 16px;
        }
      }
    `,
  ];
  @property({ attribute: false }) source!: MatrixSource;
  @property({ state: true }) private options: MatrixOptions = MATRIX_START;
  private onChange = () => this.requestUpdate();
  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has('source')) return;
    (changed.get('source') as MatrixSource | undefined)?.removeEventListener('change', this.onChange);
    this.source.addEventListener('change', this.onChange);
    this.options = MATRIX_START;
    void this.source.analyse(this.options);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.source.removeEventListener('change', this.onChange);
    this.source.stop();
  }
  private set(change: Partial<MatrixOptions>): void {
    this.options = { ...this.options, ...change };
    void this.source.analyse(this.options);
  }

  override render(): TemplateResult {
    const { source, options } = this;
    const { facts, progress, problem } = source;
    const value = (e: Event) => (e.target as HTMLInputElement).value.trim();
    const columns = facts?.allColumns;
    const labels = options.labels ?? facts?.labels ?? '';
    return html`<form aria-label="How the file is read" @submit=${(e: Event) => e.preventDefault()}>
        ${facts && facts.arrays.length > 1 ? html`<label>Array <select name="array" @change=${(e: Event) => this.set({ array: value(e) })}>${facts.arrays.map((name) => html`<option ?selected=${name === facts.array}>${name}</option>`)}</select></label>` : nothing}
        <label>Metric <select name="metric" @change=${(e: Event) => this.set({ metric: value(e) })}>${METRICS.map((name) => html`<option ?selected=${name === options.metric}>${name}</option>`)}</select></label>
        <label>Columns ${columns ? html`<input type="text" name="columns" list="columns" placeholder="all numbers" .value=${options.columns.join(', ')} @change=${(e: Event) => this.set({ columns: list(value(e)) })} />` : html`<input type="text" name="columns" placeholder="all" .value=${options.columns.join(', ')} @change=${(e: Event) => this.set({ columns: list(value(e)) })} />`}</label>
        <label>Labels ${columns ? html`<select name="labels" @change=${(e: Event) => this.set({ labels: value(e) })}><option value="" ?selected=${!labels}>none</option>${columns.map((name) => html`<option ?selected=${name === labels}>${name}</option>`)}</select>` : html`<input type="text" class="short" name="labels" placeholder="column" .value=${labels} @change=${(e: Event) => this.set({ labels: value(e) })} />`}</label>
        <label>Samples <input class="short" name="samples" type="number" min="2" step="1" placeholder=${facts ? `all ${facts.rows}` : 'all'} @change=${(e: Event) => this.set({ samples: value(e) ? Math.max(2, Math.round(Number(value(e)))) : null })} /></label>
        <label>Also with fewer <input type="text" class="short" name="thin" placeholder="500, 100" @change=${(
          e: Event,
        ) =>
          this.set({
            thin: list(value(e))
              .map(Number)
              .filter((n) => Number.isInteger(n) && n > 1),
          })} /></label>
        ${columns ? html`<datalist id="columns">${columns.map((name) => html`<option>${name}</option>`)}</datalist>` : nothing}
      </form>
      <div class="line" role="status">
        ${
          source.busy
            ? html`<progress max="1" .value=${progress?.share ?? 0} aria-label="Share of the work done"></progress>
              <span>${progress?.stage ?? 'Opening'}${facts ? `: ${facts.rows} × ${facts.columns}, about ${bytes(facts.memory)}` : ''}${progress?.secondsLeft == null ? '' : `, about ${duration(progress.secondsLeft)} left`}</span>
              <button type="button" class="text-button" @click=${() => source.stop()}>Stop</button>`
            : problem
              ? html`<span class="problem" role="alert">${problem}</span>`
              : html`<span>${facts?.notes[0] ?? ''}${source.seconds ? `; computed here in ${source.seconds.toFixed(source.seconds < 10 ? 1 : 0)} s` : ''}</span>${facts && facts.notes.length > 1 ? html`<span title=${facts.notes.slice(1).join('\n')}>${facts.notes.slice(1).join('; ')}</span>` : nothing}`
        }
      </div>`;
  }
}
