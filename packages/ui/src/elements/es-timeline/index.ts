import { css, html, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { EsLoaded } from '../../figure/index.js';
import { snapshotTitle } from '../../styles.js';

export interface TimelineSnapshot {
  id: string;
  epoch: number | null;
  step: number | null;
}

const button = (label: string, path: string, disabled: boolean, act: () => void) =>
  html`<button type="button" aria-label=${label} title=${label} ?disabled=${disabled} @click=${act}><svg viewBox="0 0 16 16" aria-hidden="true"><path d=${path} fill="currentColor" stroke="currentColor" stroke-linejoin="round" /></svg></button>`;

/** Milliseconds a snapshot stays, at speed 1. */
const STAY = 900;

/**
 * A slider over snapshots with playback. It only tells, by `es-select`; whoever listens sets `selection`. Playing stops at
 * the end and when the person takes the slider.
 * @fires es-select - `{ snapshot }`.
 * @csspart slider - the range input. @csspart title - the chosen snapshot's name.
 */
export class EsTimeline extends EsLoaded<readonly TimelineSnapshot[]> {
  static override styles = [
    ...EsLoaded.styles,
    css`
      .row {
        display: flex;
        flex-wrap: wrap;
        gap: 0.4rem;
        align-items: center;
      }
      input {
        flex: 1 1 9rem;
        min-inline-size: 5rem;
        accent-color: var(--_accent);
      }
      button,
      select {
        font: inherit;
        color: inherit;
        background: var(--_surface);
        border: 1px solid var(--_line);
        border-radius: 6px;
        min-inline-size: 2rem;
        block-size: 2rem;
        cursor: pointer;
      }
      button svg {
        inline-size: 1rem;
        block-size: 1rem;
        vertical-align: middle;
      }
      button:hover:not(:disabled) {
        background: var(--_raised);
      }
      button:disabled {
        color: var(--_line);
        cursor: default;
      }
      .title {
        min-inline-size: 7.5rem;
        font-weight: 600;
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }
    `,
  ];
  @property({ type: Boolean, reflect: true }) playing: boolean = false;
  /** Times the usual pace. */
  @property({ type: Number }) speed: number = 1;
  private timer: ReturnType<typeof setTimeout> | undefined;
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  protected override emptyReason(data: readonly TimelineSnapshot[]): string {
    return data.length ? '' : 'The run has no snapshot yet.';
  }
  /** Place of the chosen snapshot; the last one when none is chosen. */
  private get at(): number {
    const data = this.data ?? [];
    const found = data.findIndex(({ id }) => id === this.selection.snapshot);
    return found >= 0 ? found : data.length - 1;
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (this.playing && this.data && this.at >= this.data.length - 1) this.playing = false;
  }
  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    if (!['playing', 'selection', 'data', 'speed'].some((name) => changed.has(name))) return;
    clearTimeout(this.timer);
    if (this.playing) this.timer = setTimeout(() => this.go(this.at + 1), STAY / Math.max(0.1, this.speed));
  }

  private go(at: number): void {
    const snapshot = this.data?.[at];
    if (snapshot) this.select({ snapshot: snapshot.id });
  }
  private step(by: number): void {
    this.playing = false;
    this.go(Math.min(Math.max(0, this.at + by), (this.data?.length ?? 1) - 1));
  }
  private toggle(): void {
    const last = (this.data?.length ?? 0) - 1;
    if (!this.playing && this.at >= last) {
      // Whoever listens sets the selection before the next update; our own copy bridges where nobody does.
      this.selection = { ...this.selection, snapshot: this.data?.[0]?.id ?? null };
      this.go(0);
    }
    this.playing = !this.playing && last > 0;
  }

  protected override content(data: readonly TimelineSnapshot[]): TemplateResult {
    const { at } = this;
    const title = snapshotTitle(data[at]!);
    return html`<div class="row" role="group" aria-label="Snapshot">
      ${button('First snapshot', 'M4 3v10M13 3 6 8l7 5z', at === 0, () => this.step(-data.length))}
      ${button('Previous snapshot', 'M11 3 4 8l7 5z', at === 0, () => this.step(-1))}
      ${button(this.playing ? 'Pause' : 'Play', this.playing ? 'M4 3h3v10H4zM9 3h3v10H9z' : 'M4 2v12l9-6z', data.length < 2, () => this.toggle())}
      ${button('Next snapshot', 'M5 3l7 5-7 5z', at === data.length - 1, () => this.step(1))}
      <input part="slider" type="range" aria-label="Snapshot" aria-valuetext=${title} min="0" max=${data.length - 1} step="1" .value=${String(at)}
        @input=${(e: Event) => {
          this.playing = false;
          this.go(Number((e.target as HTMLInputElement).value));
        }} />
      <span class="title" part="title">${title}</span>
      <select aria-label="Speed" @change=${(e: Event) => (this.speed = Number((e.target as HTMLSelectElement).value))}>
        ${[0.5, 1, 2, 5].map((speed) => html`<option value=${speed} ?selected=${speed === this.speed}>${speed}×</option>`)}
      </select>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-timeline': EsTimeline;
  }
}
