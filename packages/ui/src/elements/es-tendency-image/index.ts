import { blocksSentence, type TendencyPanel, type TendencyResult } from '@epochscope/analysis/results';
import { ivatValue } from '@epochscope/core-wasm';
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import {
  type ColourScale,
  type Drawing,
  drawn,
  EsFigure,
  type FigureTable,
  type Frame,
  painted,
  toCsv,
} from '../../figure/index.js';
import { paintScene, type Scene } from '../../scene/index.js';
import type { Selection } from '../../selection.js';
import { format, snapshotTitle } from '../../styles.js';
import {
  crossItems,
  FOLLOW,
  greyBar,
  greyScale,
  inkRamp,
  MARGIN,
  type MarkColour,
  markLegend,
  outlineNote,
  panelScene,
  positionAxis,
  shownMarks,
} from './draw.js';
import { rowNames } from './names.js';
import { blockAt, orderTable } from './order.js';
import { type Range, rangeByKey, shownRange, wholeRange, zoomed } from './range.js';
import styles from './styles.js';

export interface TendencySelectDetail {
  snapshot: string;
  layer: string;
  /** Position along the order, and the sample there. */
  position: number;
  sample: number;
  /** Block that holds it; −1 for none. */
  block: number;
}
export interface TendencyZoomDetail {
  from: number;
  to: number;
}

/** Height of the axis of positions; side of the small picture of the whole; pixels per CSS pixel in files. */
const AXIS = 34;
const MINI = 72;
const FILE_DENSITY = 3;
const DRAWN_BY = 'data mode markColor outlines from to scaleHigh full theme ink labels classes'.split(' ');
const FADE_MS = 250;

/** "layer S5, epoch 3"; a plain matrix is layer and snapshot at once. */
const placeOf = ({ layer, snapshot }: TendencyPanel) =>
  layer === snapshot.id ? layer : `layer ${layer}, ${snapshotTitle(snapshot)}`;

/**
 * One VAT or iVAT picture with marks along its edges: dark = similar. iVAT is computed from the weights at the screen's
 * resolution for any zoom; nothing n×n is kept. Blocks are outlined, and positions in none are grey along the edges. A drag, + or Ctrl and the wheel zoom, then the wheel alone; double click or 0 resets, arrows pan,
 * Enter selects.
 *
 * @fires es-select - `TendencySelectDetail`: a position was chosen by click or Enter.
 * @fires es-zoom - `TendencyZoomDetail`: the person changed the range shown.
 * @csspart canvas - the picture.
 */
export class EsTendencyImage extends EsFigure<TendencyPanel, TendencyResult> {
  static override styles = [...EsFigure.styles, styles];

  /** Which panel of `src` is drawn; default the last. */
  @property({ type: String }) layer: string = '';
  @property({ type: String }) snapshot: string = '';
  @property({ attribute: false }) classes: string[] | null = null;
  @property({ type: String, reflect: true }) mode: 'ivat' | 'vat' = 'ivat';
  @property({ type: String, attribute: 'mark-color', reflect: true }) markColor: MarkColour = 'class';
  /** `blocks`: each outlined, positions in none grey along the edges; or `none`. */
  @property({ type: String, reflect: true }) outlines: 'blocks' | 'none' = 'blocks';
  /** Positions shown: from … to − 1; NaN for the ends. */
  @property({ type: Number }) from: number = Number.NaN;
  @property({ type: Number }) to: number = Number.NaN;
  /** White end of the greys, to share one scale between pictures; NaN: the picture's own. */
  @property({ type: Number, attribute: 'scale-high' }) scaleHigh: number = Number.NaN;
  /** Greys up to the largest value, also where a few outliers leave all else dark. */
  @property({ type: Boolean }) full: boolean = false;
  /** The page's look: ink instead of greys, white outlines, no axis at full extent; pictures that follow each other cross-fade. */
  @property({ type: Boolean, reflect: true }) ink: boolean = false;
  /** Class of each sample: with it, every sample stands along the edges, not the marks alone. */
  @property({ attribute: false }) labels: Uint32Array | null = null;
  /** What a sample is called in the value beside the pointer. */
  @property({ attribute: false }) nameOf: ((sample: number) => string) | null = null;
  @property({ state: true }) private rubber: { start: number; end: number } | null = null;
  /** Position last chosen. */
  private cursor: number | null = null;

  /** Range shown, within the data. */
  private get range(): Range {
    return shownRange(this.data?.n ?? 0, this.from, this.to);
  }

  protected override summary(p: TendencyPanel): string {
    return `${this.mode === 'vat' ? 'VAT' : 'iVAT'} picture of ${placeOf(p)}: ${p.n} samples, ${blocksSentence(p)}`;
  }
  protected override table({ blocks }: TendencyPanel): FigureTable {
    return {
      caption: 'Blocks as a table',
      columns: ['Block', 'Positions', 'Samples', 'Clearness'],
      length: blocks.ranges.length,
      row: (b) => {
        const { start, end, clearness } = blocks.ranges[b]!;
        return [b + 1, `${start} – ${end - 1}`, end - start, Number(clearness.toFixed(2))];
      },
    };
  }
  protected override hint({ n, vat }: TendencyPanel): string {
    const [from, to] = this.range;
    if (this.mode === 'vat' && typeof vat?.pairsPerPixel === 'number')
      return `Each pixel: mean of ${vat.pairsPerPixel} pairs drawn with the seed`;
    return from > 0 || to < n
      ? `positions ${from} – ${to - 1} of ${n}`
      : `${this.outlines === 'blocks' ? 'Grey at the edge: in no block. ' : ''}Drag to zoom; click to select`;
  }
  protected override get fileName(): string {
    return `tendency-${this.data?.layer}-${this.data?.snapshot.id}`;
  }

  protected override get pickedBy(): readonly string[] {
    return ['layer', 'snapshot'];
  }
  protected override pick({ panels }: TendencyResult): TendencyPanel {
    const found = panels.filter(
      (p) => (!this.layer || p.layer === this.layer) && (!this.snapshot || p.snapshot.id === this.snapshot),
    );
    const last = found[found.length - 1];
    if (!last)
      throw new Error(
        `${this.src} holds no panel of layer ${this.layer || '(any)'}, snapshot ${this.snapshot || '(any)'}`,
      );
    return last;
  }
  protected override emptyReason(data: TendencyPanel): string {
    if (data.n === 0) return 'No samples';
    return this.mode === 'vat' && !data.vat
      ? 'This result holds no VAT picture; iVAT is drawn from its weights.'
      : '';
  }

  private get high(): number {
    return Number.isFinite(this.scaleHigh)
      ? this.scaleHigh
      : greyScale(this.data!, this.mode, this.full).high;
  }
  /** What is drawn of the marks: with a class chosen, its own. */
  private get panel(): TendencyPanel {
    const data = this.data!;
    const { class: label } = this.selection;
    if (typeof label !== 'number') return data;
    return this.kept('marked', [data, label], () => ({
      ...data,
      marks: data.marks.filter((mark) => mark.label === label),
    }));
  }
  private sceneOf(side: number, density: number, range: Range, dark: boolean): Scene {
    const [from, to] = range;
    const { mode, markColor, outlines, high } = this;
    const { sample } = this.selection;
    const cross = typeof sample === 'number' ? this.data!.order.indexOf(sample) : -1;
    const { panel } = this;
    const ramp = this.ink ? inkRamp(dark) : null;
    const labels = this.markColor === 'class' ? this.labels : null;
    const frame = this.ink ? '#ffffff' : undefined;
    // Choosing a sample draws the cross anew, not the picture.
    const scene = this.kept(
      `scene ${side}`,
      [panel, side, density, mode, markColor, outlines, from, to, high, ramp, labels],
      () =>
        panelScene(panel, { side, density, mode, markColor, outlines, from, to, high, ramp, labels, frame }),
    );
    if (cross < 0) return scene;
    const block = panel.blocks.ranges[blockAt(panel, cross)];
    return { ...scene, items: [...scene.items, ...crossItems(cross, side, range, block)] };
  }

  protected override draw(data: TendencyPanel, { width, measure, dark }: Frame): Drawing {
    const range = this.range;
    const numbers = measure(String(data.n)) + 12;
    const own = (this.result as TendencyResult | null)?.samples?.names;
    const names = own && rowNames(data, own, range, Math.min(width - numbers, 720), measure);
    const side = Math.min(width - Math.max(numbers, names?.room ?? 0), 720);
    return {
      width,
      height: side + AXIS,
      items: [
        ...this.sceneOf(side, FILE_DENSITY, range, dark).items,
        ...(names?.items(side) ?? []),
        { kind: 'group', y: side, items: positionAxis(side, range, measure) },
      ],
      legend: markLegend(shownMarks(this.panel.marks, this.markColor), this.markColor, this.classes),
      scales: [this.scale(data)],
      note: `Dark = similar.${this.outlines === 'blocks' ? outlineNote([data]) : ''}`,
    };
  }
  private scale(data: TendencyPanel): ColourScale {
    const { most } = greyScale(data, this.mode, this.full);
    return greyBar(this.mode, data.metric, { high: this.high, most });
  }

  protected override picture(data: TendencyPanel): TemplateResult {
    const [from, to] = this.range;
    const rubber = this.rubber && {
      at: 100 * (MARGIN + (1 - MARGIN) * Math.min(this.rubber.start, this.rubber.end)),
      size: 100 * (1 - MARGIN) * Math.abs(this.rubber.end - this.rubber.start),
    };
    const live = !this.still;
    const axis = this.kept('axis', [this.width, from, to], () =>
      positionAxis(this.width, [from, to], this.measure),
    );
    return html`<div class="frame" part="plot">
      <canvas
        part="canvas"
        role="img"
        aria-label=${this.summary(data)}
        tabindex=${live ? 0 : nothing}
        @wheel=${live ? this.onWheel : null}
        @pointerdown=${live ? this.onDown : null}
        @pointermove=${live ? this.onMove : null}
        @pointerup=${live ? this.onUp : null}
        @pointerleave=${live ? this.onAway : null}
        @pointercancel=${live ? () => ((this.rubber = null)) : null}
        @dblclick=${live ? () => this.zoom(0, data.n) : null}
        @keydown=${live ? this.onKey : null}
      ></canvas>
      ${this.ink ? html`<canvas class="before" aria-hidden="true"></canvas>` : nothing}
      ${rubber ? html`<svg class="over" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true"><rect class="rubber" x=${rubber.at} y=${rubber.at} width=${rubber.size} height=${rubber.size} /></svg>` : nothing}
      ${live && this.zoomed ? html`<canvas class="mini" aria-hidden="true" ${painted(MINI, MINI, this.paintMini, [data, this.mode, from, to, this.theme, this.high])}></canvas>` : nothing}
      <div class="near" hidden></div><div class="tip" part="tip" hidden></div>
    </div>
    ${live && (!this.ink || this.zoomed) ? html`<svg class="axis" width=${this.width} height=${AXIS} aria-hidden="true" ${drawn(axis)}></svg>` : nothing}`;
  }
  private get zoomed(): boolean {
    const [from, to] = this.range;
    return from > 0 || to < (this.data?.n ?? 0);
  }
  private paintMini = (context: CanvasRenderingContext2D) => {
    const { n } = this.data!;
    const [from, to] = this.range;
    const { mode, high } = this;
    const { items } = panelScene(this.data!, { side: MINI, density: 1, mode, markColor: 'none', high });
    const at = (position: number) => MINI * (MARGIN + ((1 - MARGIN) * position) / n);
    paintScene(
      context,
      [
        ...items,
        {
          kind: 'rect',
          x: at(from),
          y: at(from),
          width: Math.max(3, at(to) - at(from)),
          height: Math.max(3, at(to) - at(from)),
          stroke: FOLLOW,
          strokeWidth: 2,
        },
      ],
      this.colours(),
    );
  };
  protected override controls(data: TendencyPanel): unknown {
    const [from, to] = this.range;
    const { high, most } = greyScale(data, this.mode, this.full);
    const own = !Number.isFinite(this.scaleHigh) && (this.full || most > high);
    if (this.ink && !this.zoomed) return nothing;
    return html`${this.ink ? nothing : this.scaleBars([this.scale(data)])}<div class="zoom">
      ${this.zoomed ? html`<span>Positions ${from} – ${to - 1} of ${data.n}</span><button type="button" @click=${() => this.zoom(0, data.n)}>Show all</button>` : nothing}
      ${own ? html`<label><input type="checkbox" .checked=${this.full} @change=${(e: Event) => (this.full = (e.target as HTMLInputElement).checked)} /> greys up to the largest, ${format(most)}</label>` : nothing}
    </div>`;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    const before = changed.get('selection') as Selection | undefined;
    const other =
      before !== undefined &&
      (before.sample !== this.selection.sample || before.class !== this.selection.class);
    if (!DRAWN_BY.some((name) => changed.has(name)) && !other) return;
    const { canvas } = this;
    if (this.ink && changed.has('data') && changed.get('data') && canvas) this.fade(canvas);
    this.paint();
  }
  protected override resized(): void {
    this.paint();
  }

  private get canvas(): HTMLCanvasElement | null {
    return this.renderRoot?.querySelector('canvas') ?? null;
  }
  private paint(): void {
    const { canvas, data } = this;
    if (!canvas || !data || data.n === 0 || !canvas.clientWidth) return;
    const ratio = globalThis.devicePixelRatio || 1;
    const pixels = Math.max(16, Math.min(2048, Math.round(canvas.clientWidth * ratio)));
    canvas.width = pixels;
    canvas.height = pixels;
    paintScene(
      canvas.getContext('2d')!,
      this.sceneOf(pixels, 1, this.range, this.colours().dark).items,
      this.colours(),
    );
  }
  /** What stood there fades out over the new picture; not where the person wants no motion. */
  private fade(canvas: HTMLCanvasElement): void {
    const over = this.renderRoot.querySelector<HTMLCanvasElement>('canvas.before');
    if (!over || !canvas.width || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    over.width = canvas.width;
    over.height = canvas.height;
    over.getContext('2d')!.drawImage(canvas, 0, 0);
    over.animate([{ opacity: 1 }, { opacity: 0 }], { duration: FADE_MS, fill: 'forwards' });
  }

  /** Place of a pointer along x and y as a share of the picture, within 0 … 1. */
  private share(event: PointerEvent | WheelEvent): [number, number] {
    const box = this.canvas!.getBoundingClientRect();
    const clamp = (value: number) => Math.min(1, Math.max(0, (value - MARGIN) / (1 - MARGIN)));
    return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
  }
  private positionAt(share: number): number {
    const [from, to] = this.range;
    return Math.min(to - 1, from + Math.floor(share * (to - from)));
  }

  private onWheel = (event: WheelEvent) => {
    // At its full extent the wheel belongs to the page, but with Ctrl, which a pinch sends too.
    if (!this.zoomed && !event.ctrlKey) return;
    event.preventDefault();
    const [x, y] = this.share(event);
    this.zoom(...zoomed(this.range, (x + y) / 2, event.deltaY > 0 ? 1.25 : 0.8));
  };
  private onDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    this.canvas!.setPointerCapture(event.pointerId);
    const [x] = this.share(event);
    this.rubber = { start: x, end: x };
  };
  private onMove = (event: PointerEvent) => {
    const [x, y] = this.share(event);
    if (this.rubber) this.rubber = { start: this.rubber.start, end: x };
    const data = this.data!;
    const a = this.positionAt(y);
    const b = this.positionAt(x);
    const value = a === b ? 0 : ivatValue(data, a, b);
    const [first, second] = [data.order[a]!, data.order[b]!];
    const { nameOf } = this;
    const names = (this.result as TendencyResult | null)?.samples?.names;
    const called = (sample: number) => (names ? `${sample} ${names[sample]}` : `${sample}`);
    this.readout = !nameOf
      ? `sample ${called(first)} (position ${a}) and ${called(second)} (${b}): iVAT ${format(value)}`
      : a === b
        ? nameOf(first)
        : `${nameOf(first)} and ${nameOf(second)}: joined at distance ${format(value)}`;
    this.point({ sample: first });
    const frame = this.canvas!.parentElement!;
    const box = frame.getBoundingClientRect();
    this.tip(frame, { x: event.clientX - box.left, y: event.clientY - box.top, label: this.readout }, null);
  };
  private onAway = () => {
    this.readout = '';
    this.point(null);
    this.tip(this.canvas!.parentElement!, null, null);
  };
  private onUp = (event: PointerEvent) => {
    const rubber = this.rubber;
    this.rubber = null;
    if (!rubber) return;
    const [low, high] = [
      this.positionAt(Math.min(rubber.start, rubber.end)),
      this.positionAt(Math.max(rubber.start, rubber.end)),
    ];
    if (Math.abs(rubber.end - rubber.start) > 0.02 && high - low >= 2) this.zoom(low, high + 1);
    else this.choose(this.positionAt(this.share(event)[0]));
  };
  private onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // At full extent there is nothing to pan: the page may have a use for the arrows.
    if (!this.zoomed && event.key.startsWith('Arrow')) return;
    const [from, to] = this.range;
    const asked = rangeByKey(event.key, [from, to], this.data!.n);
    if (asked) this.zoom(...asked);
    else if (event.key === 'Enter')
      this.choose(Math.min(to - 1, Math.max(from, this.cursor ?? Math.floor((from + to) / 2))));
    else return;
    event.preventDefault();
  };

  private zoom(from: number, to: number): void {
    const whole = wholeRange(this.data!.n, from, to);
    if (!whole) return;
    const [low, high] = whole;
    const [oldFrom, oldTo] = this.range;
    if (low === oldFrom && high === oldTo) return;
    this.from = low;
    this.to = high;
    this.dispatchEvent(
      new CustomEvent<TendencyZoomDetail>('es-zoom', {
        detail: { from: low, to: high },
        bubbles: true,
        composed: true,
      }),
    );
  }
  private choose(position: number): void {
    const data = this.data!;
    this.cursor = position;
    const detail = {
      snapshot: data.snapshot.id,
      layer: data.layer,
      position,
      sample: data.order[position]!,
      block: blockAt(data, position),
    };
    this.select<TendencySelectDetail>(detail);
  }

  /** The order as CSV: position, sample, weight of the edge that attached it, parent, block, and what the result knows of each sample. */
  override toCSV(): string {
    return toCsv(orderTable(this.data!, (this.result as TendencyResult | null)?.samples));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-tendency-image': EsTendencyImage;
  }
}
