import type { ResultBase } from '@epochscope/analysis/results';
import { html, nothing, type PropertyValues, type SVGTemplateResult, type TemplateResult } from 'lit';
import { type Painter, painted } from './canvas.js';
import { download, plotToSvg, svgToPng } from './export.js';
import { EsLoaded } from './loaded.js';
import { keepFocus, markAt, rove, settleFocus } from './marks.js';
import styles from './styles.js';
import { type FigureTable, tableTemplate, toCsv } from './table.js';
import { type Measure, measureWith } from './text.js';

export type ExportKind = 'png' | 'svg' | 'csv';
export interface ExportDetail {
  kind: ExportKind;
  blob: Blob;
  name: string;
}
/** The tokens as colours a canvas takes. */
export interface Colours {
  text: string;
  quiet: string;
  line: string;
  surface: string;
  raised: string;
  accent: string;
}
const TOKENS = ['text', 'quiet', 'line', 'surface', 'raised', 'accent'] as const;

/** Layers of a plot, drawn over one another: the canvas below, the SVG above. */
export interface PlotLayers {
  width: number;
  height: number;
  /** Drawn again only when the size, the colours or one of `changes` differs. */
  paint?: Painter;
  changes?: readonly unknown[];
  svg?: SVGTemplateResult | SVGTemplateResult[] | typeof nothing;
  /** True when the SVG holds `mark()`s. */
  marks?: boolean;
}

/** The box that `marked()` makes. */
interface MarkedBox {
  class: string;
  style?: string;
  marks: boolean;
  /** What it is, where nothing inside says so. */
  label?: string;
}

/**
 * Base of presentational elements. A subclass writes `drawing(data)` from `this.plot(…)`, `summary(data)` and `table(data)`;
 * it gets `data`, `src`, `selection`, states, a width that follows the page, colours, a read-out, keyboard, the data as
 * a table, `toPNG()`, `toSVG()`, `toCSV()` and the export menu.
 *
 * @fires es-select - what was chosen. @fires es-export - `ExportDetail`; cancel it to keep the file from being saved.
 * @csspart plot - the picture. @csspart readout - the line below it. @csspart table - the data as a table.
 * @csspart export - the export menu. @csspart state - the box shown instead of a picture.
 */
export abstract class EsFigure<Data, Result extends ResultBase = ResultBase> extends EsLoaded<Data, Result> {
  static override styles: typeof EsLoaded.styles = [...EsLoaded.styles, styles];
  static override properties = {
    ...EsLoaded.properties,
    still: { type: Boolean, reflect: true },
    readout: { state: true },
    width: { state: true },
    theme: { state: true },
    tableOpen: { state: true },
    menuOpen: { state: true },
  };
  /** A picture only: no read-out, table or menu. */
  declare still: boolean;
  /** Text of the line below the picture. */
  declare protected readout: string;
  /** Width of the element's content, CSS pixels; 0 while it is not shown. */
  declare protected width: number;
  /** Counts changes of the colours; canvases are painted again. */
  declare protected theme: number;
  declare private tableOpen: boolean;
  declare private menuOpen: boolean;
  private sizes: ResizeObserver | null = null;
  private resizing = 0;

  constructor() {
    super();
    this.still = false;
    this.readout = '';
    this.width = 0;
    this.theme = 0;
    this.tableOpen = false;
    this.menuOpen = false;
  }

  /** The picture: `this.plot(…)`, and whatever stands around it. */
  protected abstract drawing(data: Data): TemplateResult;
  /** The picture in one sentence, with its main figures. */
  protected abstract summary(data: Data): string;
  /** Its numbers; null where there is nothing to list. */
  protected table(_data: Data): FigureTable | null {
    return null;
  }
  /** The read-out while nothing is pointed at. */
  protected hint(_data: Data): string {
    return '';
  }
  /** Name of exported files, without ending. */
  protected get fileName(): string {
    return this.localName;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.sizes = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry!.contentRect.width);
      cancelAnimationFrame(this.resizing);
      if (width === this.width) return;
      // Drawn here and now, it would change its height within the observer's own frame, which browsers report to the page as an
      // error ("ResizeObserver loop…").
      this.resizing = requestAnimationFrame(() => {
        this.width = width;
        this.resized();
      });
    });
    this.sizes.observe(this);
    // Put elsewhere, the colours may be others: no transition tells of that.
    if (this.hasUpdated) this.theme++;
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.sizes?.disconnect();
    cancelAnimationFrame(this.resizing);
  }
  /** After the size changed, for what is drawn by hand. */
  protected resized(): void {}

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    // The first drawing has its width at once; later ones hear from the observer.
    if (!this.width && this.isConnected && !this.hasUpdated) {
      const style = getComputedStyle(this);
      const padding = Number.parseFloat(style.paddingLeft) + Number.parseFloat(style.paddingRight);
      this.width = Math.max(0, Math.floor(this.clientWidth - (padding || 0)));
    }
  }
  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    for (const plot of this.renderRoot.querySelectorAll('[data-marks]')) settleFocus(plot);
  }

  protected override content(data: Data): TemplateResult {
    const drawing = this.drawing(data);
    // The probe's colour changes with the theme, and its transition tells us so.
    const probe = html`<i class="probe" aria-hidden="true" @transitionend=${() => this.theme++}></i>`;
    if (this.still) return html`<figure>${drawing}${probe}</figure>`;
    const table = this.table(data);
    return html`<figure>
      ${drawing}
      <div class="bar">
        <div class="readout" part="readout" role="status">${this.readout || this.hint(data)}</div>
        ${this.menu(table)}
      </div>
      ${table ? this.tableDetails(table) : nothing}${probe}
    </figure>`;
  }

  private tableDetails(table: FigureTable): TemplateResult {
    // Short tables are there at once; long ones cost nothing until opened.
    return html`<details part="table" class="data" @toggle=${(e: Event) => (this.tableOpen = (e.target as HTMLDetailsElement).open)}>
      <summary>${table.caption ?? 'Data as a table'}</summary>
      ${this.tableOpen || table.length <= 24 ? tableTemplate(table) : nothing}
    </details>`;
  }

  private menu(table: FigureTable | null): TemplateResult {
    const kinds: ExportKind[] = table ? ['png', 'svg', 'csv'] : ['png', 'svg'];
    return html`<details part="export" class="menu" .open=${this.menuOpen}
      @toggle=${(e: Event) => (this.menuOpen = (e.target as HTMLDetailsElement).open)}
      @keydown=${(e: KeyboardEvent) => e.key === 'Escape' && this.closeMenu()}
      @focusout=${(e: FocusEvent) => !(e.currentTarget as Element).contains(e.relatedTarget as Node) && e.relatedTarget && ((this.menuOpen = false))}>
      <summary aria-label="Export this figure">Export</summary>
      ${this.menuOpen ? html`<div class="items">${kinds.map((kind) => html`<button type="button" @click=${() => this.export(kind)}>${kind.toUpperCase()}</button>`)}</div>` : nothing}
    </details>`;
  }
  private closeMenu(): void {
    this.menuOpen = false;
    this.renderRoot.querySelector<HTMLElement>('.menu summary')?.focus();
  }

  /** Saves the figure as a file, after `es-export` was not cancelled. */
  async export(kind: ExportKind): Promise<void> {
    this.closeMenu();
    const blob =
      kind === 'png'
        ? await this.toPNG()
        : kind === 'svg'
          ? new Blob([this.toSVG()], { type: 'image/svg+xml' })
          : new Blob([this.toCSV()], { type: 'text/csv' });
    const detail: ExportDetail = { kind, blob, name: `${this.fileName}.${kind}` };
    const go = this.dispatchEvent(
      new CustomEvent<ExportDetail>('es-export', { detail, bubbles: true, composed: true, cancelable: true }),
    );
    if (go) download(blob, detail.name);
  }
  /** The picture as SVG; what is drawn on a canvas is a picture inside it. Throws when nothing is drawn. */
  toSVG(): string {
    const plot = this.renderRoot.querySelector<HTMLElement>('[part~=plot]');
    if (!plot || this.data === null) throw new Error(`${this.localName} has drawn nothing to export`);
    return plotToSvg(plot, this.colours().surface, this.summary(this.data));
  }
  /** The picture as PNG, `scale` pixels per CSS pixel. */
  async toPNG(scale = 2): Promise<Blob> {
    return svgToPng(this.toSVG(), scale);
  }
  /** All rows of the table. */
  toCSV(): string {
    const table = this.data === null ? null : this.table(this.data);
    if (!table) throw new Error(`${this.localName} has no table to export`);
    return toCsv(table);
  }

  /** Measures text in the element's font at the size of ticks. */
  protected get measure(): Measure {
    return measureWith(`12px ${getComputedStyle(this).fontFamily || 'sans-serif'}`);
  }
  /** The tokens resolved for this place and theme. */
  protected colours(): Colours {
    const probe = document.createElement('i');
    probe.hidden = true;
    this.renderRoot.append(probe);
    const found = TOKENS.map((name) => {
      probe.style.color = `var(--_${name})`;
      return [name, getComputedStyle(probe).color];
    });
    probe.remove();
    return Object.fromEntries(found) as unknown as Colours;
  }

  /** A plot of layers in CSS pixels, with the summary as its label and the marks inside focusable by arrow keys. */
  protected plot({
    width,
    height,
    paint,
    changes = [],
    svg: layer,
    marks = false,
  }: PlotLayers): TemplateResult {
    const label = this.summary(this.data!);
    return this.marked(
      { class: 'plot', style: `width:${width}px;height:${height}px`, marks },
      html`
      ${paint ? html`<canvas part="canvas" role=${layer ? nothing : 'img'} aria-hidden=${layer ? 'true' : nothing} aria-label=${layer ? nothing : label} ${painted(width, height, paint, [...changes, this.data, this.theme])}></canvas>` : nothing}
      ${layer ? html`<svg part="svg" width=${width} height=${height} viewBox="0 0 ${width} ${height}" role=${marks ? 'group' : 'img'} aria-label=${label}>${layer}</svg>` : nothing}
    `,
    );
  }
  /** A box around what is drawn. Its `mark()`s are read out, chosen by a click or Enter, and one tab stop: arrows, Home and End move. */
  protected marked(box: MarkedBox, content: unknown): TemplateResult {
    return html`<div class=${box.class} part="plot" style=${box.style ?? nothing} role=${box.label ? 'group' : nothing} aria-label=${box.label ?? nothing} ?data-marks=${box.marks}
      @click=${this.onMarkClick} @keydown=${this.onMarkKey} @focusin=${this.onMarkPoint} @pointerover=${this.onMarkPoint} @pointerleave=${this.onLeave}>${content}</div>`;
  }
  private onMarkClick = (event: Event) => {
    const found = markAt(event);
    if (found?.mark.detail) this.select(found.mark.detail);
  };
  private onMarkPoint = (event: Event) => {
    const found = markAt(event);
    if (found && event.type === 'focusin') keepFocus(event.currentTarget as Element, found.element);
    if (found) this.readout = found.mark.label;
    else if (event.type === 'pointerover') this.readout = '';
  };
  private onLeave = () => {
    this.readout = '';
  };
  private onMarkKey = (event: KeyboardEvent) => {
    const found = markAt(event);
    if (!found || event.ctrlKey || event.metaKey || event.altKey) return;
    if ((event.key === 'Enter' || event.key === ' ') && found.mark.detail) {
      event.preventDefault();
      this.select(found.mark.detail);
    } else if (rove(event.currentTarget as Element, found.element, event.key)) event.preventDefault();
  };
}
