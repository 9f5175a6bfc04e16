import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { tokens } from '../styles.js';
import controls from './control-styles.js';
import { duration } from './jobs.js';
import { speedOf } from './live.js';
import { thousands } from './model.js';
import type { LiveTraining } from './source.js';
import { netField, trainingFields, trainingOptions } from './training-form.js';
import { type TrainingOptions, trainingCommand, trainingStart } from './work/types.js';

/**
 * A training in this page: how far it is, pause, one step, go on, and the command that does the same; with other options it begins anew.
 * @fires es-train - `TrainingOptions`: begin anew with these.
 */
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
      progress::-webkit-progress-value {
        background: var(--ink);
      }
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
      .settings {
        position: relative;
      }
      .settings form {
        position: absolute;
        z-index: 40;
        inset: calc(100% + 8px) auto auto 0;
        display: grid;
        gap: 6px;
        inline-size: 16rem;
        padding: 12px;
        border: 1px solid var(--strong);
        border-radius: 8px;
        background: var(--surface);
      }
      .settings p {
        margin: 6px 0 0;
      }
      .settings label {
        display: grid;
        grid-template-columns: 4rem minmax(0, 1fr);
        align-items: center;
      }
      .step {
        min-inline-size: 32px;
      }
      .narrow {
        display: none;
      }
      @media (max-width: 700px) {
        .narrow {
          display: inline;
        }
        .wide {
          display: none;
        }
        :host {
          padding-inline: 16px;
        }
      }
    `,
  ];
  @property({ attribute: false }) source!: LiveTraining;
  /** Another net than the one that learns, chosen for a training to come. */
  @property({ state: true }) private other: TrainingOptions | null = null;
  private followed: LiveTraining | null = null;
  private onChange = () => this.requestUpdate();
  protected override willUpdate(): void {
    if (this.followed === this.source) return;
    this.followed?.events.removeEventListener('change', this.onChange);
    this.followed = this.source;
    this.other = null;
    this.source.events.addEventListener('change', this.onChange);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    // Nobody looks at it any more, and nobody could stop it.
    this.source.pause();
    this.followed?.events.removeEventListener('change', this.onChange);
    this.followed = null;
  }

  private now(): TemplateResult {
    const { state, progress } = this.source;
    if (state === 'done') return html`Trained in this page`;
    if (state === 'drawing') return html`Trained; drawing every snapshot…`;
    if (!progress) return html`Getting the digits`;
    const { epoch, epochs, step, steps, loss, secondsLeft } = progress;
    const [speed, unit] = speedOf(this.source, progress);
    return html`<span class="wide">${steps === epochs ? 'S' : html`Epoch ${epoch} of ${epochs}, s`}</span><span class="narrow">S</span>tep ${thousands(step)} of ${thousands(steps)}<span class="wide">, loss ${loss < 0.001 ? loss.toExponential(1).replace('-', '−') : loss.toFixed(3)}, ${speed} ${unit}/s</span>${state === 'paused' ? ', paused' : secondsLeft === null ? nothing : `, about ${duration(secondsLeft)} left`}`;
  }

  override render(): TemplateResult {
    const { source } = this;
    const { state, progress, problem, options, data } = source;
    const open = state === 'running' || state === 'paused';
    return html`${
      open
        ? html`<button type="button" class="ink-button" @click=${() => (state === 'running' ? source.pause() : void source.go())}>${state === 'running' ? 'Pause' : 'Go on'}</button>
          <button type="button" class="plain-button step" ?disabled=${state === 'running'} title="One step: a single batch, and its picture" aria-label="One step" @click=${() => void source.go(1)}>Step</button>`
        : nothing
    }
      <progress max="1" .value=${open && progress ? progress.step / progress.steps : open ? 0 : 1} aria-label="Share of the training done"></progress>
      <span role="status">${this.now()}</span>
      ${problem ? html`<span class="problem" role="alert">${problem}</span>` : nothing}
      <details class="settings"><summary>Net, rate, ${options.net === 'transformer' ? 'decay' : 'noise, batch'}, seed</summary><form @submit=${(
        e: SubmitEvent,
      ) => {
        e.preventDefault();
        const detail = trainingOptions(e.target as HTMLFormElement);
        this.renderRoot.querySelector('details')!.open = false;
        this.dispatchEvent(new CustomEvent('es-train', { detail, bubbles: true, composed: true }));
      }}>${netField((this.other ?? options).net, (net) => (this.other = net === options.net ? null : trainingStart(net)))}${trainingFields(this.other ?? options)}<button type="submit" class="ink-button">Train anew with these</button>
        <p>The same in a terminal</p><code tabindex="0">${trainingCommand(options, data)}</code></form></details>`;
  }
}
