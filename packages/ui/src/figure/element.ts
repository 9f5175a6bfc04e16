import type { ResultBase } from '@epochscope/analysis/results';
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { imagesOf, paintScene } from '../scene/canvas.js';
import { rgbOf, type Theme } from '../scene/colour.js';
import { FONT } from '../scene/svg.js';
import type { Measure, Scene } from '../scene/types.js';
import { painted } from './canvas.js';
import {
  type ColourScale,
  type Drawing,
  type Frame,
  type Located,
  legendSample,
  SAMPLE,
  SCALE_WIDTH,
  scaleHeight,
  scaleItems,
  scaleWidth,
} from './drawing.js';
import { drawn } from './drawn.js';
import { download, pdfOf, pngOf, svgOf } from './export.js';
import { EsLoaded } from './loaded.js';
import { keepFocus, markAt, rove, settleFocus } from './marks.js';
import { paperScene, provenance } from './paper.js';
import styles from './styles.js';
import { type FigureTable, tableTemplate, toCsv } from './table.js';
import { measureWith } from './text.js';

export type ExportKind = 'png' | 'svg' | 'pdf' | 'csv';
export interface ExportDetail {
  kind: ExportKind;
  blob: Blob;
  name: string;
}
/** How a figure is put into a file. */
export interface FileOptions {
  /** CSS pixels (1/96 inch); default as wide as on the page, or 640. */
  width?: number;
  /** "a" of a figure with several parts. */
  letter?: string;
  /** Default the element's own; '' for none. */
  title?: string;
  caption?: string;
}

const TOKENS = ['text', 'quiet', 'line', 'surface', 'raised', 'accent'] as const;
/** What changes around a picture, not in it. */
const AROUND = new Set<PropertyKey>(['readout', 'tableOpen', 'menuOpen', 'still', 'loading']);
const FILE_WIDTH = 640;

/** The box that `marked()` makes. */
interface MarkedBox {
  class: string;
  marks: boolean;
  /** What it is, where nothing inside says so. */
  label?: string;
}

/**
 * Base of presentational elements. A subclass writes `draw(data, frame)`: the picture as a scene, with its legend and scales; `summary(data)` and
 * `table(data)`. It gets `data`, `src`, `selection`, states, a width that follows the page, values beside the pointer, keyboard, and
 * one menu to save the figure (`toPNG()`, `toSVG()`, `toPDF()`, `toCSV()`) and to show its data as a table. `toScene()` works in Node too.
 *
 * @fires es-select - what was chosen. @fires es-export - `ExportDetail`; cancel it to keep the file from being saved.
 * @csspart plot - the picture. @csspart tip - the value beside the pointer. @csspart readout - the line below it. @csspart table - the data as
 * a table. @csspart export - the menu. @csspart state - the box shown instead of a picture. @csspart item - one entry of a legend.
 * @csspart scale - a colour scale.
 */
export abstract class EsFigure<Data, Result extends ResultBase = ResultBase> extends EsLoaded<Data, Result> {
  static override styles: typeof EsLoaded.styles = [...EsLoaded.styles, styles];
  /** A picture only: no read-out, table or menu. */
  @property({ type: Boolean, reflect: true }) still: boolean = false;
  /** Text of the line below the picture. */
  @property({ state: true }) protected readout: string = '';
  /** Width of the element's content, CSS pixels; 0 while it is not shown. */
  @property({ state: true }) protected width: number = 0;
  /** Counts changes of the colours; canvases are painted again. */
  @property({ state: true }) protected theme: number = 0;
  @property({ state: true }) private tableOpen: boolean = false;
  @property({ state: true }) private menuOpen: boolean = false;
  private lastDrawing: Drawing | null = null;
  private lastColours: { theme: number; colours: Theme } | null = null;
  private readonly memory = new Map<string, { deps: readonly unknown[]; value: unknown }>();
  private sizes: ResizeObserver | null = null;
  private resizing = 0;

  /** The picture as plain data. Reads no DOM, so that it works in Node. A throw is shown as an error state. */
  protected abstract draw(data: Data, frame: Frame): Drawing;
  /** What stands on the page: the drawing, unless a subclass lays out elements of its own. */
  protected picture(_data: Data): TemplateResult {
    return this.plot(this.drawing);
  }
  /** Buttons and notes below it, for the page alone. */
  protected controls(_data: Data): unknown {
    return nothing;
  }
  /** Title of the figure in a file; by default the beginning of its summary. */
  protected heading(data: Data): string {
    return this.summary(data).split(/[:;]/)[0]!;
  }
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
    if ([...changed.keys()].some((name) => !AROUND.has(name))) this.lastDrawing = null;
  }
  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    for (const plot of this.renderRoot.querySelectorAll('[data-marks]')) settleFocus(plot);
  }

  /** The picture at the page's width; made anew when something in it changed. */
  protected get drawing(): Drawing {
    const frame = { width: this.width, measure: this.measure, dark: this.colours().dark };
    this.lastDrawing ??= this.draw(this.data!, frame);
    return this.lastDrawing;
  }
  /** A value kept until one of what it depends on changes: pixels of a picture, mostly. */
  protected kept<Value>(name: string, deps: readonly unknown[], make: () => Value): Value {
    const known = this.memory.get(name);
    if (known?.deps.length === deps.length && known.deps.every((one, i) => Object.is(one, deps[i])))
      return known.value as Value;
    const value = make();
    this.memory.set(name, { deps, value });
    return value;
  }

  protected override content(data: Data): TemplateResult {
    const picture = this.picture(data);
    // The probe's colour changes with the theme, and its transition tells us so.
    const probe = html`<i class="probe" aria-hidden="true" @transitionend=${() => this.theme++}></i>`;
    if (this.still) return html`<figure>${picture}${probe}</figure>`;
    const table = this.table(data);
    return html`<figure>
      ${picture}${this.controls(data)}
      <div class="bar">
        <div class="readout" part="readout" role="status">${this.readout || this.hint(data)}</div>
        ${this.menu(table)}
      </div>
      ${table && this.tableOpen ? html`<div part="table" class="data">${tableTemplate(table)}</div>` : nothing}${probe}
    </figure>`;
  }

  private menu(table: FigureTable | null): TemplateResult {
    const kinds: ExportKind[] = table ? ['png', 'svg', 'pdf', 'csv'] : ['png', 'svg', 'pdf'];
    return html`<details part="export" class="menu" .open=${this.menuOpen}
      @toggle=${(e: Event) => (this.menuOpen = (e.target as HTMLDetailsElement).open)}
      @keydown=${(e: KeyboardEvent) => e.key === 'Escape' && this.closeMenu()}
      @focusout=${(e: FocusEvent) => !(e.currentTarget as Element).contains(e.relatedTarget as Node) && e.relatedTarget && ((this.menuOpen = false))}>
      <summary aria-label="Save this figure or show its data">⋯</summary>
      ${
        this.menuOpen
          ? html`<div class="items">${kinds.map((kind) => html`<button type="button" data-kind=${kind} @click=${() => this.export(kind)}>Save as ${kind.toUpperCase()}</button>`)}${
              table
                ? html`<button type="button" data-kind="table" @click=${() => {
                    this.tableOpen = !this.tableOpen;
                    this.closeMenu();
                  }}>${this.tableOpen ? 'Hide the table' : (table.caption ?? 'Data as a table')}</button>`
                : nothing
            }</div>`
          : nothing
      }
    </details>`;
  }
  private closeMenu(): void {
    this.menuOpen = false;
    this.renderRoot.querySelector<HTMLElement>('.menu summary')?.focus();
  }

  /** Saves the figure as a file, after `es-export` was not cancelled. What fails is said in the line below the picture. */
  async export(kind: ExportKind): Promise<void> {
    this.closeMenu();
    let blob: Blob;
    try {
      blob =
        kind === 'png'
          ? await this.toPNG()
          : kind === 'pdf'
            ? await this.toPDF()
            : kind === 'svg'
              ? new Blob([this.toSVG()], { type: 'image/svg+xml' })
              : new Blob([this.toCSV()], { type: 'text/csv' });
    } catch (error) {
      this.readout = (error as Error).message;
      return;
    }
    const detail: ExportDetail = { kind, blob, name: `${this.fileName}.${kind}` };
    const go = this.dispatchEvent(
      new CustomEvent<ExportDetail>('es-export', { detail, bubbles: true, composed: true, cancelable: true }),
    );
    if (go) download(blob, detail.name);
  }

  /** Title and caption of the figure in a file: its summary, and where it is known what was analysed, how and with which seeds. */
  captions({ title, caption }: Pick<FileOptions, 'title' | 'caption'> = {}): {
    title: string;
    caption: string;
  } {
    const { data } = this;
    if (data === null) return { title: '', caption: '' };
    const result = this.result ?? (typeof document === 'undefined' ? null : resultAround(this));
    const sentence = this.summary(data);
    return {
      title: title ?? this.heading(data),
      caption:
        caption ??
        `${/[.!?]$/.test(sentence) ? sentence : `${sentence}.`}${result ? ` ${provenance(result)}` : ''}`,
    };
  }
  /**
   * The figure as it goes into a file: title, picture, legend, scales and caption, at a width, laid out by `measure`. No browser is
   * needed: `Object.assign(new EsSpectrum(), { data }).toScene(measure)`. Throws where there is nothing to draw, with the reason.
   */
  toScene(measure: Measure, options: FileOptions = {}): Scene {
    const { data } = this;
    const reason = data === null ? this.problem || 'No data' : this.emptyReason(data);
    if (data === null || reason) throw new Error(`${this.constructor.name}: ${reason}`);
    const width = options.width ?? (this.width || FILE_WIDTH);
    const drawing = this.draw(data, { width: width - 16, measure, dark: false });
    return paperScene(drawing, { measure, ...this.captions(options), letter: options.letter });
  }
  private scene(options: FileOptions): Scene {
    return this.toScene(measureWith(FONT), options);
  }
  private texts(options: FileOptions) {
    const { title, caption } = this.captions(options);
    return { title, description: caption };
  }
  /** The figure as SVG, ink on white; pictures of numbers are images inside it. Throws when nothing is drawn. */
  toSVG(options: FileOptions = {}): string {
    return svgOf(this.scene(options), this.texts(options));
  }
  /** The figure as PNG, `scale` pixels per CSS pixel: 3.125 is 300 dots an inch. */
  async toPNG(scale = 2, options: FileOptions = {}): Promise<Blob> {
    return pngOf(this.scene(options), scale);
  }
  /** The figure as PDF of one page, text as text with its font inside. Loads the font when it is first asked for. */
  async toPDF(options: FileOptions = {}): Promise<Blob> {
    return pdfOf((measure) => this.toScene(measure, options), this.texts(options));
  }
  /** Whether there are numbers to list: `toCSV()` throws otherwise. */
  get hasTable(): boolean {
    return this.data !== null && this.table(this.data) !== null;
  }
  /** All rows of the table. */
  toCSV(): string {
    const table = this.data === null ? null : this.table(this.data);
    if (!table) throw new Error(`${this.localName} has no table to export`);
    return toCsv(table);
  }

  /** Measures text in the element's font. */
  protected get measure(): Measure {
    return measureWith(getComputedStyle(this).fontFamily || 'sans-serif');
  }
  /** The tokens resolved for this place and theme. */
  protected colours(): Theme {
    if (this.lastColours?.theme === this.theme) return this.lastColours.colours;
    const probe = document.createElement('i');
    probe.hidden = true;
    this.renderRoot.append(probe);
    const found = Object.fromEntries(
      TOKENS.map((name) => {
        probe.style.color = `var(--_${name})`;
        return [name, getComputedStyle(probe).color];
      }),
    ) as Record<(typeof TOKENS)[number], string>;
    probe.remove();
    const [r, g, b] = rgbOf(found.surface);
    const colours = { ...found, dark: 0.299 * r + 0.587 * g + 0.114 * b < 128 };
    if (this.isConnected) this.lastColours = { theme: this.theme, colours };
    return colours;
  }

  /** A drawing on the page: pictures on a canvas, the rest as SVG over it, marks focusable by arrow keys, legend and scales below. */
  protected plot(drawing: Drawing): TemplateResult {
    const { width, height, items, legend = [], scales = [], note } = drawing;
    const label = this.summary(this.data!);
    const images = imagesOf(items);
    const rest = items.some(({ kind }) => kind !== 'image');
    const marks = hasMarks(items);
    const paint = (context: CanvasRenderingContext2D) => paintScene(context, images, this.colours());
    const same = images.flatMap(({ pixels, x, y, width: w, height: h }) => [pixels, x, y, w, h]);
    return html`${this.marked(
      { class: 'plot', marks },
      html`
      ${images.length ? html`<canvas part="canvas" role=${rest ? nothing : 'img'} aria-hidden=${rest ? 'true' : nothing} aria-label=${rest ? nothing : label} ${painted(width, height, paint, [...same, this.theme])}></canvas>` : nothing}
      <svg part="svg" width=${width} height=${height} viewBox="0 0 ${width} ${height}" role=${marks ? 'group' : 'img'} aria-label=${label} ${drawn(items)}></svg>
      <div class="near" hidden></div><div class="tip" part="tip" hidden></div>
    `,
    )}
    ${this.legend(legend)}
    ${this.scaleBars(scales)}
    ${note ? html`<p class="note">${note}</p>` : nothing}`;
  }
  /** Bars of colours with the values at their ends. */
  protected scaleBars(scales: readonly ColourScale[]): unknown {
    if (!scales.length) return nothing;
    return html`<div class="scales">${scales.map((scale) => {
      const items = this.kept(`scale ${JSON.stringify(scale)}`, [], () => scaleItems(scale, SCALE_WIDTH));
      return html`<svg part="scale" width=${scaleWidth(scale, this.measure)} height=${scaleHeight(scale)} role="img" aria-label="${scale.title ?? 'Colours'}: ${scale.low} to ${scale.high}" ${drawn(items)}></svg>`;
    })}</div>`;
  }
  /** Samples and names of what is drawn. */
  protected legend(legend: NonNullable<Drawing['legend']>): unknown {
    if (!legend.length) return nothing;
    return html`<div class="legend">${legend.map(
      (entry) =>
        html`<span part="item"><svg width=${SAMPLE[0]} height=${SAMPLE[1]} aria-hidden="true" ${drawn(this.kept(`legend ${entry.colour} ${entry.kind} ${entry.dash}`, [], () => legendSample(entry)))}></svg>${entry.name}</span>`,
    )}</div>`;
  }
  /** A box around what is drawn. Its `mark()`s are read out, chosen by a click or Enter, and one tab stop: arrows, Home and End move. */
  protected marked(box: MarkedBox, content: unknown): TemplateResult {
    return html`<div class=${box.class} part="plot" role=${box.label ? 'group' : nothing} aria-label=${box.label ?? nothing} ?data-marks=${box.marks}
      @click=${this.onMarkClick} @keydown=${this.onMarkKey} @focusin=${this.onFocus} @pointermove=${this.onPoint} @pointerleave=${this.onLeave}>${content}</div>`;
  }

  /** The value at a pointer: of the drawing where it knows, else of the mark below it. */
  private located(event: MouseEvent): Located | null {
    const box = event.currentTarget as Element;
    const svg = box.querySelector('svg[part=svg]');
    const { left, top } = (svg ?? box).getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    const mark = markAt(event)?.mark;
    return (svg && this.lastDrawing?.locate?.(x, y)) || (mark ? { x, y, ...mark } : null);
  }
  private onMarkClick = (event: MouseEvent) => {
    // From a keyboard or a script there is no place to look at.
    const detail = markAt(event)?.mark.detail ?? (event.detail ? this.located(event)?.detail : undefined);
    if (detail) this.select(detail);
  };
  private onPoint = (event: PointerEvent) => {
    const found = this.located(event);
    this.readout = found?.label ?? '';
    this.point(found?.detail ?? null);
    this.tip(event.currentTarget as HTMLElement, found, found?.ring ? found : null);
  };
  private onFocus = (event: FocusEvent) => {
    const found = markAt(event);
    if (!found) return;
    const box = event.currentTarget as HTMLElement;
    keepFocus(box, found.element);
    this.readout = found.mark.label;
    if (!found.element.matches(':focus-visible')) return;
    const [outer, own] = [box.getBoundingClientRect(), found.element.getBoundingClientRect()];
    this.tip(box, { x: own.right - outer.left, y: own.top - outer.top, label: found.mark.label }, null);
  };
  private onLeave = (event: PointerEvent) => {
    this.readout = '';
    this.point(null);
    this.tip(event.currentTarget as HTMLElement, null, null);
  };
  /** The text beside a place, on the side where there is room, and a ring around the value that is meant. */
  protected tip(
    box: HTMLElement,
    at: { x: number; y: number; label: string } | null,
    ring: Located | null,
  ): void {
    const [tip, near] = [box.querySelector<HTMLElement>('.tip'), box.querySelector<HTMLElement>('.near')];
    if (!tip || !near) return;
    tip.hidden = !at || this.still;
    near.hidden = !ring || this.still;
    if (ring && !near.hidden) {
      near.style.left = `${ring.x}px`;
      near.style.top = `${ring.y}px`;
    }
    if (!at || tip.hidden) return;
    tip.textContent = at.label;
    const room = box.clientWidth;
    const [wide, tall] = [tip.offsetWidth, tip.offsetHeight];
    const left = at.x + 14 + wide > room ? at.x - 14 - wide : at.x + 14;
    tip.style.left = `${Math.max(0, Math.min(left, room - wide))}px`;
    tip.style.top = `${at.y - tall - 10 < -8 ? at.y + 16 : at.y - tall - 10}px`;
  }
  private onMarkKey = (event: KeyboardEvent) => {
    const found = markAt(event);
    if (!found || event.ctrlKey || event.metaKey || event.altKey) return;
    if ((event.key === 'Enter' || event.key === ' ') && found.mark.detail) {
      event.preventDefault();
      this.select(found.mark.detail);
    } else if (rove(event.currentTarget as Element, found.element, event.key)) event.preventDefault();
  };
}

function hasMarks(items: Scene['items']): boolean {
  return items.some((item) => (item.kind === 'group' ? hasMarks(item.items) : item.mark !== undefined));
}

/** The result that an element around this one draws. */
function resultAround(element: Element): ResultBase | null {
  for (let root = element.getRootNode(); root instanceof ShadowRoot; root = root.host.getRootNode()) {
    const { data } = root.host as { data?: ResultBase };
    if (data?.format && data.parameters) return data;
  }
  return null;
}
