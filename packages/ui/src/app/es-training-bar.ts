import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { tokens } from '../styles.js';
import controls from './control-styles.js';
import { duration } from './jobs.js';
import type { TrainingSource } from './work/client.js';
import { trainingCommand } from './work/types.js';

/** Bundled training images. */
const IMAGES = 8000;

/** A training in this page: how far it is, pause and go on, and the command that does the same. */
export class EsTrainingBar extends LitElement {
  static override styles = [
    tokens,
    controls,
    css`
      :host {
        display: flex;
        flex-wrap: wrap;
        gap: 6px 18px;
        align-items: center;
        border-block-end: 1px solid var(--line);
        background: var(--surface);
        color: var(--ink2);
        padding: 8px 32px;
        min-block-size: 36px;
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
      code {
        font:
          12px/16px ui-monospace,
          'DejaVu Sans Mono',
          monospace;
        overflow-wrap: anywhere;
      }
      .problem {
        color: var(--problem);
      }
      @media (max-width: 700px) {
        :host {
          padding-inline: 16px;
        }
        code {
          display: none;
        }
      }
    `,
  ];
  static override properties = { source: { attribute: false } };
  declare source: TrainingSource;
  private followed: TrainingSource | null = null;
  private onChange = () => this.requestUpdate();
  protected override willUpdate(): void {
    if (this.followed === this.source) return;
    this.followed?.events.removeEventListener('change', this.onChange);
    this.followed = this.source;
    this.source.events.addEventListener('change', this.onChange);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    // Nobody looks at it any more, and nobody could stop it.
    this.source.pause();
    this.followed?.events.removeEventListener('change', this.onChange);
    this.followed = null;
  }

  override render(): TemplateResult {
    const { state, progress, problem, options } = this.source;
    return html`${state === 'done' ? nothing : html`<button type="button" class="ink-button" @click=${() => (state === 'running' ? this.source.pause() : void this.source.go())}>${state === 'running' ? 'Pause' : 'Go on'}</button>`}
      <progress max="1" .value=${state === 'done' ? 1 : (progress?.share ?? 0)} aria-label="Share of the training done"></progress>
      <span role="status">${state === 'done' ? 'Trained in this page' : (progress?.title.replace(/^[^,]*, /, '') ?? 'Getting the digits')}${state === 'running' && progress?.secondsLeft != null ? `, about ${duration(progress.secondsLeft)} left` : ''}${state === 'paused' && progress ? ', paused' : ''}</span>
      ${problem ? html`<span class="problem" role="alert">${problem}</span>` : nothing}
      <code>${trainingCommand(options, Math.ceil(IMAGES / options.batchSize))}</code>`;
  }
}
