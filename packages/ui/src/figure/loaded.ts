import type { ResultBase } from '@epochscope/analysis/results';
import { css, html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import type { EpochscopeEvents } from '../events.js';
import type { Selection } from '../selection.js';
import { SourceLoader } from '../source.js';
import { tokens } from '../styles.js';

/**
 * What every element that draws data has: `data`, or `src` to load it from; `selection`; and the loading, empty and error
 * states. A subclass writes `content(data)`, and `emptyReason` and `pick` where it needs them. Views extend this,
 * presentational elements extend `EsFigure`.
 */
export abstract class EsLoaded<Data, Result extends ResultBase = ResultBase> extends LitElement {
  static override styles = [
    tokens,
    css`
      :host {
        display: block;
        box-sizing: border-box;
        max-inline-size: 100%;
        min-inline-size: 0;
        /* Drawn to the width there is: one that followed the drawing would be none in a flex box. */
        inline-size: -webkit-fill-available;
        inline-size: -moz-available;
        inline-size: stretch;
      }
      .state {
        display: grid;
        place-items: center;
        min-block-size: 6rem;
        box-sizing: border-box;
        padding: 1rem;
        border: 1px dashed var(--_line);
        border-radius: 6px;
        color: var(--_quiet);
        text-align: center;
        overflow-wrap: anywhere;
      }
      .state[role='alert'] {
        color: light-dark(#a02020, #ff9a8a);
      }
      .state.busy {
        animation: busy 1.2s ease-in-out infinite alternate;
      }
      @media (prefers-reduced-motion: reduce) {
        .state.busy {
          animation: none;
        }
      }
      @keyframes busy {
        to {
          border-color: var(--_accent);
        }
      }
    `,
  ];

  /** What is drawn; never changed by the element. */
  @property({ attribute: false }) data: Data | null = null;
  /** Address of a result in one file, loaded instead of `data`. */
  @property({ type: String }) src: string = '';
  /** What is chosen on the page. */
  @property({ attribute: false }) selection: Selection = {};
  /** A text shown instead of the picture, as an error. Set by a failed `src`. */
  @property({ type: String }) problem: string = '';
  /** Shows the waiting state while there is no data. */
  @property({ type: Boolean, reflect: true }) loading: boolean = false;
  /** One side of a comparison of two snapshots: leaves out what is the same on both. */
  @property({ type: Boolean, reflect: true }) compared: boolean = false;
  /** The result that the data is of, which captions name: what `src` was, or set beside `data`. */
  result: ResultBase | null = null;
  private loader = new SourceLoader<Result>();
  /** The problem found here, not set from outside: that loading `src` or drawing `data` ended with; or ''. */
  private failed = '';

  /** The drawing. A throw is shown as an error state. */
  protected abstract content(data: Data): TemplateResult;
  /** A loaded result → this element's data. Throw an Error whose message names what is missing. */
  protected pick(result: Result): Data {
    return result as unknown as Data;
  }
  /** Why there is nothing to draw, or '' . */
  protected emptyReason(_data: Data): string {
    return '';
  }
  /** Names of properties that choose from the loaded result: `src` is read again when one changes. */
  protected get pickedBy(): readonly string[] {
    return [];
  }

  protected override willUpdate(changed: PropertyValues): void {
    // A page that has nothing yet hands over null or undefined.
    this.selection ??= {};
    this.data ??= null;
    if (changed.has('src') && !this.src) {
      this.loader.cancel();
      if (changed.get('src')) this.loading = false;
    }
    // Other data, or an end of `src`, ends what was found before.
    const other = changed.has('data') ? this.data !== null : changed.has('src') && !this.src;
    if (this.failed && this.problem === this.failed && other) this.problem = this.failed = '';
    if (!this.src || !['src', ...this.pickedBy].some((name) => changed.has(name))) return;
    this.problem = '';
    this.loading = true;
    this.loader.load(this.src, (result, problem) => {
      this.loading = false;
      this.problem = problem;
      this.result = result;
      try {
        this.data = result && this.pick(result);
      } catch (error) {
        this.data = null;
        this.problem = (error as Error).message;
      }
      this.failed = this.problem;
    });
  }

  // What `render` does not reach throws on data of another shape too, which would leave the page with an unhandled rejection.
  protected override performUpdate(): void {
    try {
      super.performUpdate();
    } catch (error) {
      if (this.data === null) throw error;
      this.data = null;
      this.problem = this.failed = undrawn(error);
    }
  }

  override render(): TemplateResult {
    if (this.problem) return state(this.problem, 'alert');
    const { data } = this;
    if (data === null || data === undefined)
      return this.loading ? state('Loading…', 'busy') : state('No data');
    try {
      const reason = this.emptyReason(data);
      return reason ? state(reason) : this.content(data);
    } catch (error) {
      return state(undrawn(error), 'alert');
    }
  }

  private lastPoint = 'null';
  /** Says by `es-point` what the pointer is on, once: others show it while it is there. Null: on nothing. */
  protected point(detail: Selection | null): void {
    const now = JSON.stringify(detail);
    if (now === this.lastPoint) return;
    this.lastPoint = now;
    this.dispatchEvent(
      new CustomEvent<Selection | null>('es-point', { detail, bubbles: true, composed: true }),
    );
  }
  /** Fires `es-select`: something was chosen by the person. */
  protected select<Detail extends Selection>(detail: Detail): void {
    this.dispatchEvent(new CustomEvent<Detail>('es-select', { detail, bubbles: true, composed: true }));
  }
}

const undrawn = (error: unknown) => `This could not be drawn: ${(error as Error).message}`;

/** The box that stands for a picture that is not there. */
export function state(text: string, kind: '' | 'alert' | 'busy' = ''): TemplateResult {
  if (kind === 'alert') return html`<div class="state" part="state" role="alert">${text}</div>`;
  return html`<div class="state ${kind}" part="state" role="status">${text}</div>`;
}

declare global {
  interface HTMLElementEventMap extends EpochscopeEvents {}
  interface DocumentEventMap extends EpochscopeEvents {}
}
