import type { GeometryResult, GeometrySpectrum } from '@epochscope/analysis/results';
import { css, html, svg, type TemplateResult } from 'lit';
import {
  type DivergingName,
  diverging,
  drawMatrix,
  EsFigure,
  type FigureTable,
  mark,
} from '../../figure/index.js';
import { format } from '../../styles.js';
import { chosen } from '../es-spectrum/series.js';

/** What the gallery draws: a result has these fields. */
export type SingularVectorsData = Pick<GeometryResult, 'samples' | 'spectra'>;

const GAP = 6;
const HEAD = 20;
const CAPTION = 16;

/** A vector as cells: [rows, columns] of values, and which ones. */
interface Cells {
  shape: readonly [number, number];
  at(index: number): number;
}

/** [height, width], [height, width, channels] or [units] as cells; of several channels the one with most weight. */
function cellsOf(values: Float32Array, shape: readonly number[]): Cells {
  if (shape.length === 3) {
    const [height, width, channels] = shape as unknown as [number, number, number];
    let best = 0;
    let most = -1;
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let i = c; i < values.length; i += channels) sum += values[i]! ** 2;
      if (sum > most) {
        most = sum;
        best = c;
      }
    }
    return { shape: [height, width], at: (i) => values[i * channels + best]! };
  }
  const columns = Math.ceil(Math.sqrt(values.length));
  return { shape: [Math.ceil(values.length / columns), columns], at: (i) => values[i] ?? 0 };
}

/**
 * Singular vectors of the Jacobian at single inputs, a row an input: the input itself, then the vectors of the largest values and of the
 * smallest one computed. Right ones are in the input's space, left ones in the layer's (a layer of units as a square, row by row; of
 * several channels the one with most weight). Each vector has its own scale: its largest entry is full colour.
 * @fires es-select - `{ sample }`: the chosen input's index among the run's samples.
 */
export class EsSingularVectors extends EsFigure<SingularVectorsData, GeometryResult> {
  static override styles = [
    ...EsFigure.styles,
    css`
      .scroll {
        overflow-x: auto;
      }
      .cell {
        fill: transparent;
        stroke: var(--_line);
      }
      .cell:hover,
      .cell:focus-visible,
      .cell[aria-pressed='true'] {
        stroke: var(--_accent);
        stroke-width: 2;
      }
      text.small {
        font-size: 11px;
        fill: var(--_quiet);
      }
    `,
  ];
  static override properties = {
    ...EsFigure.properties,
    side: { type: String },
    palette: { type: String },
  };
  declare side: 'right' | 'left';
  declare palette: DivergingName;

  constructor() {
    super();
    this.side = 'right';
    this.palette = 'red-blue';
  }
  private spectrum({ spectra }: SingularVectorsData): GeometrySpectrum | null {
    return chosen(
      spectra.filter(({ kind, vectors }) => kind === 'depth' && vectors.length > 0),
      this.selection,
    );
  }
  private titleOf(data: SingularVectorsData, input: number): string {
    const { indices, labels, classes } = data.samples;
    const label = labels ? `, ${classes?.[labels[input]!] ?? labels[input]}` : '';
    return `sample ${indices[input]}${label}`;
  }
  protected override emptyReason(data: SingularVectorsData): string {
    return this.spectrum(data) ? '' : 'No singular vectors were kept.';
  }
  protected override summary(data: SingularVectorsData): string {
    const one = this.spectrum(data)!;
    return `${this.side === 'right' ? 'Right' : 'Left'} singular vectors at ${one.to} for ${one.vectors.length} inputs: ${one.vectors
      .map(({ input }) => `${this.titleOf(data, input)}, largest value ${format(one.sigma[input * one.k]!)}`)
      .join('; ')}`;
  }
  protected override table(data: SingularVectorsData): FigureTable {
    const one = this.spectrum(data)!;
    const rows = one.vectors.flatMap(({ input, triplets }) =>
      Array.from(triplets, (t) => [this.titleOf(data, input), t + 1, one.sigma[input * one.k + t]!]),
    );
    return { columns: ['Input', 'Vector', 'σ'], length: rows.length, row: (i) => rows[i]! };
  }
  protected override hint(): string {
    return 'Red is negative, white 0, blue positive; each picture has its own scale';
  }

  protected override drawing(data: SingularVectorsData): TemplateResult {
    const one = this.spectrum(data)!;
    const { images } = data.samples;
    const columns = Math.max(...one.vectors.map(({ triplets }) => triplets.length)) + 1;
    const side = Math.max(44, Math.min(110, Math.floor((this.width - GAP * (columns - 1)) / columns)));
    const width = columns * (side + GAP) - GAP;
    const step = side + CAPTION + GAP;
    const height = HEAD + one.vectors.length * step;
    const colour = diverging(this.palette);
    const shape = this.side === 'right' ? one.columnShape : one.rowShape;
    const size = this.side === 'right' ? one.columns : one.rows;
    const paint = (context: CanvasRenderingContext2D) => {
      one.vectors.forEach((kept, row) => {
        const top = HEAD + row * step;
        if (images) {
          const [, h, w, channels] = images.shape;
          const from = kept.input * h * w * channels;
          drawMatrix(
            context,
            { length: h * w } as ArrayLike<number>,
            [h, w],
            (_, i) => {
              const at = from + i * channels;
              const grey = images.data[at]!;
              return channels === 3 ? [grey, images.data[at + 1]!, images.data[at + 2]!] : [grey, grey, grey];
            },
            [0, top, side, side],
          );
        }
        kept.triplets.forEach((_, t) => {
          const values = kept[this.side].subarray(t * size, (t + 1) * size);
          const cells = cellsOf(values, shape);
          const extent = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
          drawMatrix(
            context,
            { length: cells.shape[0] * cells.shape[1] } as ArrayLike<number>,
            cells.shape,
            (_, i) => colour(cells.at(i), extent),
            [(t + 1) * (side + GAP), top, side, side],
          );
        });
      });
    };
    const letter = this.side === 'right' ? 'v' : 'u';
    const text = (x: number, y: number, words: string, kind = 'tick') =>
      svg`<text class=${kind} x=${x} y=${y} text-anchor="middle">${words}</text>`;
    const marks = one.vectors.flatMap(({ input, triplets }, row) => {
      const top = HEAD + row * step;
      const name = this.titleOf(data, input);
      const sample = data.samples.indices[input]!;
      const cell = (column: number, label: string) =>
        svg`<rect class="cell" x=${column * (side + GAP) + 0.5} y=${top + 0.5} width=${side - 1} height=${side - 1} ${mark(
          {
            label,
            detail: { sample },
            row,
            column,
            selected: this.selection.sample === sample,
          },
        )} />`;
      return [
        cell(0, name),
        text(side / 2, top + side + 12, fit(name.replace('sample ', '#'), side), 'small'),
        ...Array.from(triplets, (t, i) => {
          const sigma = one.sigma[input * one.k + t]!;
          return svg`${cell(i + 1, `${name}, ${letter}${t + 1}, σ = ${format(sigma)}`)}${text((i + 1) * (side + GAP) + side / 2, top + side + 12, short(sigma), 'small')}`;
        }),
      ];
    });
    const heads = [
      text(side / 2, HEAD - 7, 'input'),
      ...Array.from(one.vectors[0]!.triplets, (t, i) =>
        text((i + 1) * (side + GAP) + side / 2, HEAD - 7, `${letter}${t + 1}`),
      ),
    ];
    return html`<div class="scroll" tabindex=${width > this.width ? 0 : -1} role="region" aria-label="Singular vectors">${this.plot(
      {
        width,
        height,
        paint,
        changes: [one, this.side, this.palette, side],
        marks: true,
        svg: svg`${heads}${marks}`,
      },
    )}</div>`;
  }
}

const short = (x: number) => (x !== 0 && x < 0.01 ? x.toExponential(0) : x.toPrecision(3));
const fit = (text: string, side: number) =>
  text.length * 6 > side ? `${text.slice(0, Math.floor(side / 6) - 1)}…` : text;

declare global {
  interface HTMLElementTagNameMap {
    'es-singular-vectors': EsSingularVectors;
  }
}
