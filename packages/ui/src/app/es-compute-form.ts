import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { tokens } from '../styles.js';
import controls from './control-styles.js';
import { bytes, duration, Job, jobsOf } from './jobs.js';
import { commandOf, type MethodInfo, type OptionField, optionsOf } from './methods.js';
import type { Page } from './page.js';

/**
 * A method's options with the command line's defaults, what computing would cost, the same as a command, and the work itself where the
 * page can do it. @fires es-computed - `ResultName`: a result was written into the run.
 */
export class EsComputeForm extends LitElement {
  static override styles = [
    tokens,
    controls,
    css`
      :host {
        display: block;
        max-inline-size: 46rem;
      }
      h2 {
        font-size: 0.875rem;
        line-height: 1.25rem;
        margin: 0 0 0.75rem;
        font-weight: 600;
      }
      .fields {
        display: grid;
        gap: 0.5rem;
        max-inline-size: 28rem;
      }
      .field {
        display: grid;
        grid-template-columns: minmax(7rem, 8.5rem) minmax(0, 1fr);
        gap: 0.5rem;
        align-items: center;
        color: var(--ink2);
      }
      @media (max-width: 480px) {
        .field {
          grid-template-columns: minmax(0, 1fr);
          gap: 0.15rem;
        }
      }
      .go {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem 0.9rem;
        align-items: center;
        margin-block: 1.2rem;
        color: var(--ink3);
      }
      .progress {
        max-inline-size: 28rem;
        margin-block: 1.2rem;
      }
      .progress p {
        display: flex;
        justify-content: space-between;
        gap: 1rem;
        margin: 0 0 0.4rem;
      }
      progress {
        inline-size: 100%;
        block-size: 4px;
        appearance: none;
        border: 0;
        border-radius: 2px;
        background: var(--line);
        overflow: hidden;
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
      .problem {
        color: var(--problem);
        overflow-wrap: anywhere;
      }
      .note {
        color: var(--ink3);
        margin: 0.2rem 0;
      }
    `,
  ];
  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) method!: MethodInfo;
  /** Of the run and method: options typed belong to it. */
  @property({ attribute: false }) key: string = '';
  @property({ state: true }) private typed: Readonly<Record<string, string>> = {};
  @property({ state: true }) private cost: string = '';
  @property({ state: true }) private copied: boolean = false;
  private followed: Job | null = null;
  private sizing = 0;

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('key') && changed.get('key') !== undefined) this.typed = {};
    if (changed.has('key') || changed.has('typed')) void this.size();
    this.follow(this.job);
  }
  private get job(): Job | null {
    return jobsOf(this.page.source).get(this.key) ?? null;
  }
  private follow(job: Job | null): void {
    if (job === this.followed) return;
    this.followed?.removeEventListener('change', this.onJob);
    this.followed = job;
    job?.addEventListener('change', this.onJob);
  }
  private onJob = () => this.requestUpdate();
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.follow(null);
  }
  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate();
  }

  private options(): { options: Record<string, unknown>; problem: string } {
    try {
      return { options: optionsOf(this.method, this.typed), problem: '' };
    } catch (error) {
      return { options: {}, problem: (error as Error).message };
    }
  }

  /** What computing would take; asked of the workflow itself, the newest wish alone. */
  private async size(): Promise<void> {
    const { computing } = this.page.source;
    const turn = ++this.sizing;
    this.cost = '';
    const { options, problem } = this.options();
    if (!computing || problem) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
    if (turn !== this.sizing) return;
    try {
      const plan = await computing.plan(this.page.info.key, this.method.workflow, options);
      if (turn !== this.sizing) return;
      this.cost = `${plan.parts} ${plan.parts === 1 ? 'part' : 'parts'}, up to ${bytes(plan.memory)}, ${computing.workers}`;
    } catch (error) {
      if (turn === this.sizing) this.cost = (error as Error).message;
    }
  }

  private start(): void {
    const { source, info } = this.page;
    const { options, problem } = this.options();
    if (problem || !source.computing) return;
    const job = new Job(source.computing, info.key, this.method.workflow, options);
    jobsOf(source).set(this.key, job);
    this.requestUpdate();
    void job.done.then((name) => {
      if (name) source.changed?.(info.key);
      this.dispatchEvent(new CustomEvent('es-computed', { detail: name, bubbles: true, composed: true }));
    });
  }

  override render(): TemplateResult {
    const { page, method } = this;
    const { options, problem } = this.options();
    const command = commandOf(method, page.info.key, options);
    const job = this.job;
    const busy = job?.state === 'running';
    const has = page.info.results.some(({ method: one }) => one === method.workflow);
    return html`<h2>${busy ? 'Computing in this page' : has ? 'Compute again' : 'Not computed for this run yet'}</h2>
      <form @submit=${(e: Event) => {
        e.preventDefault();
        this.start();
      }}>
        <div class="fields">${method.fields.map((field) => this.field(field, busy))}</div>
        ${busy ? this.progress(job) : this.go(problem, job)}
      </form>
      <h2>The same in a terminal</h2>
      <p class="command"><code tabindex="0">${command}</code><button type="button" class="text-button" @click=${() => {
        void navigator.clipboard?.writeText(command);
        this.copied = true;
        setTimeout(() => (this.copied = false), 1500);
      }}>${this.copied ? 'Copied' : 'Copy'}</button></p>`;
  }

  private go(problem: string, job: Job | null) {
    const { computing } = this.page.source;
    if (!computing)
      return html`<p class="note">${problem ? html`<span class="problem">${problem}</span>` : 'This page shows what was computed. The command below computes it; so does the Epochscope page when the run’s folder is dropped on it.'}</p>`;
    return html`<div class="go"><button type="submit" class="ink-button" ?disabled=${!!problem}>Compute here</button><span>${this.cost}</span></div>
      ${problem ? html`<p class="problem" role="alert">${problem}</p>` : nothing}
      ${job?.state === 'failed' ? html`<p class="problem" role="alert">${job.why}</p>` : nothing}
      ${job?.state === 'stopped' ? html`<p class="note" role="status">Stopped.</p>` : nothing}`;
  }

  private progress(job: Job): TemplateResult {
    const { progress } = job;
    const share = progress?.share ?? 0;
    return html`<div class="progress" role="status">
      <p><span><strong>${progress?.title ?? 'Getting ready'}</strong> ${progress ? progress.stage : ''}</span><span>${progress?.secondsLeft == null ? '' : `about ${duration(progress.secondsLeft)} left`}</span></p>
      <progress max="1" .value=${share} aria-label="Share of the work done"></progress>
      <div class="go"><button type="button" class="plain-button" @click=${() => job.stop()}>Stop</button><span>Goes on while you read other tabs</span></div>
      ${job.notes.map((note) => html`<p class="note">${note}</p>`)}
    </div>`;
  }

  private field(field: OptionField, busy: boolean): TemplateResult {
    const value = this.typed[field.name] ?? '';
    const standing = Array.isArray(field.default) ? field.default.join(', ') : String(field.default ?? '');
    const set = (e: Event) =>
      (this.typed = { ...this.typed, [field.name]: (e.target as HTMLInputElement).value });
    const input =
      field.kind === 'choice'
        ? html`<select ?disabled=${busy} @change=${set}>${field.choices!.map((one) => html`<option ?selected=${one === (value || field.default)}>${one}</option>`)}</select>`
        : html`<input type=${field.kind === 'number' ? 'number' : 'text'} ?disabled=${busy} min=${field.least ?? nothing} max=${field.most ?? nothing} step=${field.step ?? nothing} placeholder=${field.empty ?? standing} .value=${value} @input=${set} />`;
    return html`<label class="field"><span>${field.label}</span>${input}</label>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-compute-form': EsComputeForm;
  }
}
