import type { TendencyPanel, TendencyResult } from '@epochscope/analysis/results';
import { ivatValue } from '@epochscope/core-wasm';
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { canvasToPng } from '../../figure/export.js';
import { EsFigure, type FigureTable } from '../../figure/index.js';
import { drawScene, type Scene } from '../../scene/index.js';
import type { Selection } from '../../selection.js';
import { format } from '../../styles.js';
import { drawCross, MARGIN, type MarkColour, panelScene } from './draw.js';
import { blockAt, orderCsv } from './order.js';
import { type Range, rangeByKey, shownRange, wholeRange, zoomed } from './range.js';
import styles from './styles.js';

export interface TendencySelectDetail {
  snapshot: string;
  layer: string;
  /** Position along the order, and the sample there. */
  position: number;
  sample: number;
  /** Block that holds it. */
  block: number;
}
export interface TendencyZoomDetail {
  from: number;
  to: number;
}

/**
 * One VAT or iVAT picture with marks along its edges: dark = similar. iVAT is computed from the weights at the screen's
 * resolution for any zoom; nothing n×n is kept. Wheel or drag zooms, double click or 0 resets, arrows pan, Enter selects.
 *
 * @fires es-select - `TendencySelectDetail`: a position was chosen by click or Enter.
 * @fires es-zoom - `TendencyZoomDetail`: the person changed the range shown.
 * @csspart canvas - the picture.
 */
export class EsTendencyImage extends EsFigure<TendencyPanel, TendencyResult> {
  static override styles = [...EsFigure.styles, styles];
  static override properties = {
    ...EsFigure.properties,
    layer: { type: String },
    snapshot: { type: String },
    classes: { attribute: false },
    mode: { type: String, reflect: true },
    markColor: { type: String, attribute: 'mark-color', reflect: true },
    blocks: { type: Boolean, reflect: true },
    from: { type: Number },
    to: { type: Number },
    rubber: { state: true },
  };

  /** Which panel of `src` is drawn; default the last. */
  declare layer: string;
  declare snapshot: string;
  declare classes: string[] | null;
  declare mode: 'ivat' | 'vat';
  declare markColor: MarkColour;
  /** Outline the blocks found. */
  declare blocks: boolean;
  /** Positions shown: from … to − 1; NaN for the ends. */
  declare from: number;
  declare to: number;
  declare private rubber: { start: number; end: number } | null;
  /** Position last chosen. */
  private cursor: number | null = null;

  constructor() {
    super();
    this.layer = '';
    this.snapshot = '';
    this.classes = null;
    this.mode = 'ivat';
    this.markColor = 'class';
    this.blocks = false;
    this.from = Number.NaN;
    this.to = Number.NaN;
    this.rubber = null;
  }

  /** Range shown, within the data. */
  private get range(): Range {
    return shownRange(this.data?.n ?? 0, this.from, this.to);
  }

  protected override summary(p: TendencyPanel): string {
    const ari = p.scores.ari.value;
    return `${this.mode === 'vat' ? 'VAT' : 'iVAT'} picture of layer ${p.layer}, snapshot ${p.snapshot.id}: ${p.n} samples, ${p.blocks.count} dark ${p.blocks.count === 1 ? 'block' : 'blocks'}${ari === null ? '' : `, adjusted Rand index ${ari.toFixed(2)}`}`;
  }
  protected override table({ blocks }: TendencyPanel): FigureTable {
    return {
      caption: 'Blocks as a table',
      columns: ['Block', 'Positions', 'Samples'],
      length: blocks.boundaries.length - 1,
      row: (b) => {
        const [start, end] = [blocks.boundaries[b]!, blocks.boundaries[b + 1]!];
        return [b + 1, `${start} – ${end - 1}`, end - start];
      },
    };
  }
  protected override hint({ n, vat }: TendencyPanel): string {
    const [from, to] = this.range;
    if (this.mode === 'vat' && typeof vat?.pairsPerPixel === 'number')
      return `Each pixel: mean of ${vat.pairsPerPixel} pairs drawn with the seed`;
    return from > 0 || to < n
      ? `positions ${from} – ${to - 1} of ${n}`
      : 'Drag or wheel to zoom; click to select';
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

  protected override drawing(data: TendencyPanel): TemplateResult {
    const inner = 1 - MARGIN;
    const rubber = this.rubber && {
      at: 100 * (MARGIN + inner * Math.min(this.rubber.start, this.rubber.end)),
      size: 100 * inner * Math.abs(this.rubber.end - this.rubber.start),
    };
    return html`<div class="frame" part="plot">
      <canvas
        part="canvas"
        role="img"
        aria-label=${this.summary(data)}
        tabindex=${this.still ? nothing : 0}
        @wheel=${this.still ? null : this.onWheel}
        @pointerdown=${this.still ? null : this.onDown}
        @pointermove=${this.still ? null : this.onMove}
        @pointerup=${this.still ? null : this.onUp}
        @pointerleave=${this.still ? null : () => ((this.readout = ''))}
        @pointercancel=${this.still ? null : () => ((this.rubber = null))}
        @dblclick=${this.still ? null : () => this.zoom(0, data.n)}
        @keydown=${this.still ? null : this.onKey}
      ></canvas>
      ${rubber ? html`<div class="rubber" style="left:${rubber.at}%;top:${rubber.at}%;width:${rubber.size}%;height:${rubber.size}%"></div>` : nothing}
    </div>`;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    const before = changed.get('selection') as Selection | undefined;
    const other =
      before !== undefined &&
      (before.sample !== this.selection.sample || before.class !== this.selection.class);
    if (['data', 'mode', 'markColor', 'blocks', 'from', 'to'].some((name) => changed.has(name)) || other)
      this.draw();
  }
  protected override resized(): void {
    this.draw();
  }

  private get canvas(): HTMLCanvasElement | null {
    return this.renderRoot?.querySelector('canvas') ?? null;
  }

  private draw(): void {
    const { canvas, data } = this;
    if (!canvas || !data || data.n === 0) return;
    const pixels = Math.max(
      16,
      Math.min(2048, Math.round(canvas.clientWidth * (globalThis.devicePixelRatio || 1))),
    );
    if (!canvas.clientWidth) return;
    this.paint(canvas, pixels);
  }

  /** The last scene with what it was made from: choosing a sample draws the cross anew, not the picture. */
  private last: { from: readonly unknown[]; scene: Scene } | null = null;
  private sceneOf(pixels: number): Scene {
    const [from, to] = this.range;
    const { mode, markColor, blocks } = this;
    const { class: label } = this.selection;
    const data = this.data!;
    const made = [data, pixels, mode, markColor, blocks, from, to, label];
    if (this.last?.from.every((value, i) => value === made[i])) return this.last.scene;
    const marks = typeof label === 'number' ? data.marks.filter((mark) => mark.label === label) : data.marks;
    const scene = panelScene({ ...data, marks }, { pixels, mode, markColor, blocks, from, to });
    this.last = { from: made, scene };
    return scene;
  }
  /** Draws into a canvas of the given side, marks and outlines included. */
  private paint(canvas: HTMLCanvasElement, pixels: number): void {
    canvas.width = pixels;
    canvas.height = pixels;
    drawScene(canvas.getContext('2d')!, this.sceneOf(pixels));
    const { sample } = this.selection;
    const position = typeof sample === 'number' ? this.data!.order.indexOf(sample) : -1;
    drawCross(canvas.getContext('2d')!, pixels, position, this.range);
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
    this.readout = `sample ${data.order[a]} (position ${a}) and ${data.order[b]} (${b}): iVAT ${format(value)}`;
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

  /** The picture as a PNG of the given side. */
  override async toPNG(side = 1024): Promise<Blob> {
    const canvas = document.createElement('canvas');
    this.paint(canvas, side);
    return canvasToPng(canvas);
  }
  /** The order as CSV: position, sample, weight of the edge that attached it, parent, block. */
  override toCSV(): string {
    return orderCsv(this.data!);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-tendency-image': EsTendencyImage;
  }
}
