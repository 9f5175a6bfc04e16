import type { TendencyPanel, TendencyResult } from '@epochscope/analysis/results';
import { ivatValue } from '@epochscope/core-wasm';
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { canvasToPng } from '../../figure/export.js';
import { EsFigure, type FigureTable } from '../../figure/index.js';
import { drawScene, type Scene } from '../../scene/index.js';
import type { Selection } from '../../selection.js';
import { format } from '../../styles.js';
import { MARGIN, type MarkColour, panelScene } from './draw.js';
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

const SMALLEST_ZOOM = 4;
/** Colour of the chosen sample's cross. */
const CHOSEN = '#d55e00';

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
  private cursor = 0;

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
  private get range(): [number, number] {
    const n = this.data?.n ?? 0;
    const from = Number.isFinite(this.from) ? Math.min(Math.max(0, Math.round(this.from)), n) : 0;
    const to = Number.isFinite(this.to) ? Math.min(Math.max(from, Math.round(this.to)), n) : n;
    return from < to ? [from, to] : [0, n];
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
    this.paintChosen(canvas);
  }

  /** The chosen sample: a cross through the picture. */
  private paintChosen(canvas: HTMLCanvasElement): void {
    const { sample } = this.selection;
    const position = typeof sample === 'number' ? this.data!.order.indexOf(sample) : -1;
    const [from, to] = this.range;
    if (position < from || position >= to) return;
    const pixels = canvas.width;
    const margin = Math.round(pixels * MARGIN);
    const at = margin + Math.round(((position - from) * (pixels - margin)) / (to - from));
    const thick = Math.max(1, Math.round(pixels / 400), Math.floor((pixels - margin) / (to - from)));
    const context = canvas.getContext('2d')!;
    context.fillStyle = CHOSEN;
    context.fillRect(at, 0, thick, pixels);
    context.fillRect(0, at, pixels, thick);
    context.clearRect(0, 0, margin - 2, margin - 2);
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
    const [from, to] = this.range;
    const [x, y] = this.share(event);
    const centre = from + ((x + y) / 2) * (to - from);
    const size = (to - from) * (event.deltaY > 0 ? 1.25 : 0.8);
    this.zoom(centre - ((centre - from) * size) / (to - from), centre + ((to - centre) * size) / (to - from));
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
    const [from, to] = this.range;
    const n = this.data!.n;
    const size = to - from;
    const step = Math.max(1, Math.round(size / 10));
    const pan = (by: number) =>
      this.zoom(Math.min(Math.max(0, from + by), n - size), Math.min(Math.max(size, to + by), n));
    const keys: Record<string, () => void> = {
      ArrowLeft: () => pan(-step),
      ArrowUp: () => pan(-step),
      ArrowRight: () => pan(step),
      ArrowDown: () => pan(step),
      '+': () => this.zoom(from + size / 8, to - size / 8),
      '-': () => this.zoom(from - size / 6, to + size / 6),
      '0': () => this.zoom(0, n),
      Home: () => pan(-n),
      End: () => pan(n),
      Enter: () => this.choose(Math.min(to - 1, Math.max(from, this.cursor || Math.floor((from + to) / 2)))),
    };
    const action = keys[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  };

  private zoom(from: number, to: number): void {
    const n = this.data!.n;
    const low = Math.max(0, Math.floor(from));
    const high = Math.min(n, Math.ceil(to));
    if (high - low < Math.min(SMALLEST_ZOOM, n)) return;
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
    let block = 0;
    while (block + 2 < data.blocks.boundaries.length && data.blocks.boundaries[block + 1]! <= position)
      block++;
    const detail = {
      snapshot: data.snapshot.id,
      layer: data.layer,
      position,
      sample: data.order[position]!,
      block,
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
    const { order, weights, parent, blocks } = this.data!;
    let block = 0;
    const rows = [...order].map((sample, p) => {
      while (block + 2 < blocks.boundaries.length && blocks.boundaries[block + 1]! <= p) block++;
      return `${p},${sample},${p ? weights[p - 1] : ''},${p ? parent[p - 1] : ''},${block}`;
    });
    return `position,sample,weight,parent,block\n${rows.join('\n')}\n`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-tendency-image': EsTendencyImage;
  }
}
