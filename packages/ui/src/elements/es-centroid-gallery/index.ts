import type { ModuleSnapshot, ModulesResult } from '@epochscope/analysis/results';
import { css, html, type TemplateResult } from 'lit';
import {
  drawMatrix,
  EsFigure,
  type FigureTable,
  mark,
  painted,
  type Rgb,
  tableOf,
} from '../../figure/index.js';
import { format } from '../../styles.js';
import { pickSnapshot } from '../es-module-dendrogram/index.js';
import { type ChosenCluster, titleOf, trackColour } from '../es-module-flow/clusters.js';
import { centroidPixels } from './pixels.js';

/** What is drawn: a snapshot, and what its dimensions are. */
export interface CentroidData extends Pick<ModulesResult, 'inputs' | 'inputShape' | 'outputs' | 'classes'> {
  snapshot: ModuleSnapshot;
}

const SIDE = 96;
const BARS = 44;

/**
 * The clusters of a snapshot as pictures of their mean correlation with each input (mid grey 0, white + and black − at the largest magnitude; true range
 * below), with bars of the mean correlation with each output (up blue, down red). One tab stop: arrow keys, Home and End
 * move, Enter or Space chooses.
 * @fires es-select - `{ snapshot, cluster }`: a cluster was chosen.
 * @csspart item - one cluster.
 */
export class EsCentroidGallery extends EsFigure<CentroidData, ModulesResult> {
  static override properties = {
    ...EsFigure.properties,
    snapshot: { type: String },
    most: { type: Number },
    clusters: { attribute: false },
    chosen: { attribute: false },
  };
  static override styles = [
    ...EsFigure.styles,
    css`
      .cards {
        display: flex;
        flex-wrap: wrap;
        gap: 0.6rem;
      }
      .card {
        font: inherit;
        color: inherit;
        background: var(--_surface);
        border: 1px solid var(--_line);
        border-block-start: 4px solid var(--track);
        border-radius: 6px;
        padding: 0.35rem;
        inline-size: ${SIDE + 16}px;
        text-align: start;
        cursor: pointer;
      }
      .card[aria-pressed='true'] {
        outline: 3px solid var(--_accent);
      }
      .card:focus-visible {
        outline: 3px solid var(--_text);
      }
      .card canvas {
        display: block;
        margin-block: 0.25rem;
      }
      .card small {
        color: var(--_quiet);
        white-space: nowrap;
      }
    `,
  ];
  /** With `src`: the snapshot drawn; default the last. */
  declare snapshot: string;
  /** Clusters drawn, the largest; default 24. */
  declare most: number;
  /** Only these clusters, in this order; null for the largest. */
  declare clusters: readonly number[] | null;
  declare chosen: ChosenCluster | null;

  constructor() {
    super();
    this.snapshot = '';
    this.most = 24;
    this.clusters = null;
    this.chosen = null;
  }

  protected override get pickedBy(): readonly string[] {
    return ['snapshot'];
  }
  protected override pick(result: ModulesResult): CentroidData {
    const { inputs, inputShape, outputs, classes } = result;
    return { inputs, inputShape, outputs, classes, snapshot: pickSnapshot(result, this.snapshot) };
  }
  protected override emptyReason({ snapshot }: CentroidData): string {
    return snapshot.clusters.length ? '' : 'This snapshot has no cluster.';
  }
  private shown({ snapshot }: CentroidData): number[] {
    return this.clusters
      ? this.clusters.filter((c) => c < snapshot.clusters.length)
      : Array.from({ length: Math.min(this.most, snapshot.clusters.length) }, (_, c) => c);
  }
  protected override summary(data: CentroidData): string {
    return `Centroids of ${this.shown(data).length} of ${data.snapshot.clusters.length} clusters at ${titleOf(data.snapshot)}`;
  }
  protected override hint(data: CentroidData): string {
    const all = data.snapshot.clusters.length;
    const here = this.shown(data).length;
    return here < all && !this.clusters ? `The ${here} largest of ${all} clusters` : '';
  }
  protected override table({ snapshot, outputs, classes }: CentroidData): FigureTable {
    const names = Array.from({ length: outputs }, (_, j) => classes?.[j] ?? `output ${j}`);
    return tableOf(
      ['Cluster', 'Units', 'Diameter', 'Input r from', 'to', 'Coherence', ...names],
      snapshot.clusters,
      ({ size, diameter, inputRange, coherence }, c) => [
        c + 1,
        size,
        diameter,
        inputRange.low.value,
        inputRange.high.value,
        coherence,
        ...snapshot.centroidOutputs.subarray(c * outputs, (c + 1) * outputs),
      ],
    );
  }
  protected override get fileName(): string {
    return `centroids-${this.data?.snapshot.snapshot.id}`;
  }
  /** One picture of all that is shown, for export. */
  override toSVG(): string {
    const canvases = [...this.renderRoot.querySelectorAll<HTMLCanvasElement>('.card canvas')];
    if (!canvases.length || !this.data) throw new Error(`${this.localName} has drawn nothing to export`);
    const columns = Math.min(8, canvases.length);
    const [wide, tall] = [SIDE + 20, SIDE + BARS + 46];
    const { surface, text } = this.colours();
    const shown = this.shown(this.data);
    const cells = canvases.map((canvas, k) => {
      const { size, inputRange } = this.data!.snapshot.clusters[shown[k]!]!;
      const [x, y] = [10 + (k % columns) * wide, 10 + Math.floor(k / columns) * tall];
      return `<text x="${x}" y="${y + 12}">${shown[k]! + 1} (${size})</text><image x="${x}" y="${y + 18}" width="${SIDE}" height="${SIDE + BARS}" href="${canvas.toDataURL()}"/><text x="${x}" y="${y + SIDE + BARS + 32}">${rangeText(inputRange)}</text>`;
    });
    const [width, height] = [20 + columns * wide, 20 + Math.ceil(canvases.length / columns) * tall];
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="'DejaVu Sans', sans-serif" font-size="11" fill="${text}" role="img"><rect width="${width}" height="${height}" fill="${surface}"/>${cells.join('')}</svg>\n`;
  }

  protected override drawing(data: CentroidData): TemplateResult {
    const { snapshot, outputs, classes } = data;
    const { id } = snapshot.snapshot;
    const top = snapshot.centroidOutputs.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const cards = this.shown(data).map((c) => {
      const cluster = snapshot.clusters[c]!;
      const values = snapshot.centroidOutputs.subarray(c * outputs, (c + 1) * outputs);
      const best = values.length ? values.indexOf(Math.max(...values)) : -1;
      const units = `${cluster.size} ${cluster.size === 1 ? 'unit' : 'units'}`;
      // Begins with what stands on the card: what is seen and what is said must be the same.
      const words = `cluster ${c + 1}: ${units}, ${rangeText(cluster.inputRange)} correlation with inputs${best < 0 ? '' : `, most with output ${classes?.[best] ?? best} (${format(values[best]!)})`}`;
      const chosen = this.chosen?.snapshot === id && this.chosen.cluster === c;
      return html`<button type="button" class="card" part="item" style="--track:${trackColour(cluster.track)}" title=${words} ${mark({ label: words, detail: { snapshot: id, cluster: c }, selected: chosen })}>
          <strong>${c + 1}</strong> <small>${units}</small>
          <canvas aria-hidden="true" ${painted(SIDE, SIDE + BARS, (context) => this.paint(context, data, c, top), [data, c, this.theme])}></canvas>
          <small>${rangeText(cluster.inputRange)}</small>
        </button>`;
    });
    return this.marked(
      { class: 'cards', marks: true, label: this.summary(data) },
      cards.length ? cards : html`<span class="note">none</span>`,
    );
  }

  private paint(context: CanvasRenderingContext2D, data: CentroidData, c: number, top: number): void {
    const { snapshot, inputs, outputs } = data;
    const shape = pictureShape(data);
    const pixels = centroidPixels(snapshot.centroidInputs.subarray(c * inputs, (c + 1) * inputs), shape);
    const scale = SIDE / Math.max(shape[0], shape[1]);
    drawMatrix(
      context,
      pixels,
      [shape[0], shape[1]],
      (_, i): Rgb => [pixels[3 * i]!, pixels[3 * i + 1]!, pixels[3 * i + 2]!],
      [0, 0, shape[1] * scale, shape[0] * scale],
    );
    const { line } = this.colours();
    const middle = SIDE + BARS / 2 + 2;
    context.fillStyle = line;
    context.fillRect(0, middle, SIDE, 1);
    const step = SIDE / outputs;
    for (let j = 0; j < outputs; j++) {
      const value = snapshot.centroidOutputs[c * outputs + j]!;
      const length = top ? (Math.abs(value) / top) * (BARS / 2 - 3) : 0;
      context.fillStyle = value < 0 ? '#c0392b' : '#3d7cc9';
      context.fillRect(j * step, value < 0 ? middle + 1 : middle - length, Math.max(1, step - 2), length);
    }
  }
}

const rangeText = ({ low, high }: ModuleSnapshot['unitInputRange']) =>
  `${low.value?.toFixed(2) ?? '–'} … ${high.value?.toFixed(2) ?? '–'}`;

/** [height, width, channels]; a square of greys where inputs are no picture. */
export function pictureShape({
  inputShape,
  inputs,
}: Pick<CentroidData, 'inputShape' | 'inputs'>): [number, number, number] {
  if (inputShape?.length === 3 && (inputShape[2] === 1 || inputShape[2] === 3))
    return inputShape as [number, number, number];
  const side = Math.max(1, Math.ceil(Math.sqrt(inputs)));
  return [Math.max(1, Math.ceil(inputs / side)), side, 1];
}

declare global {
  interface HTMLElementTagNameMap {
    'es-centroid-gallery': EsCentroidGallery;
  }
}
