import type { GeometryResult, GeometrySpectrum } from '@epochscope/analysis/results';
import { css, html, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import {
  type DivergingName,
  type Drawing,
  diverging,
  EsFigure,
  type FigureTable,
  type Frame,
  fitText,
} from '../../figure/index.js';
import { signScale } from '../../figure/sign-scale.js';
import { matrixPixels, type Pixels, type SceneItem } from '../../scene/index.js';
import { format } from '../../styles.js';
import { chosen } from '../es-spectrum/series.js';

/** What the gallery draws: a result has these fields. */
export type SingularVectorsData = Pick<GeometryResult, 'samples' | 'spectra'>;

const GAP = 6;
const HEAD = 20;
const CAPTION = 16;
/** Of a picture: a column of a paper holds ten. */
const LEAST = 24;

/** A vector as cells: [rows, columns] of values, and which ones. */
export interface Cells {
  shape: readonly [number, number];
  at(index: number): number;
}

/** [height, width], [height, width, channels] or [units] as cells; of several channels the one with most weight. */
export function cellsOf(values: Float32Array, shape: readonly number[]): Cells {
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
    `,
  ];
  @property({ type: String }) side: 'right' | 'left' = 'right';
  @property({ type: String }) palette: DivergingName = 'sign';
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
    return 'Each picture has its own scale: full colour is its largest entry';
  }

  protected override picture(): TemplateResult {
    const { drawing } = this;
    return html`<div class="scroll" tabindex=${drawing.width > this.width ? 0 : -1} role="region" aria-label="Singular vectors">${this.plot(drawing)}</div>`;
  }
  protected override draw(data: SingularVectorsData, { width: room, measure, dark }: Frame): Drawing {
    const one = this.spectrum(data)!;
    const columns = Math.max(...one.vectors.map(({ triplets }) => triplets.length)) + 1;
    const side = Math.max(LEAST, Math.min(110, Math.floor((room - GAP * (columns - 1)) / columns)));
    const step = side + CAPTION + GAP;
    const left = (column: number) => column * (side + GAP);
    const pixels = this.kept('pixels', [one, this.side, this.palette, dark, data.samples], () =>
      this.pixelsOf(data, one, dark),
    );
    const letter = this.side === 'right' ? 'v' : 'u';
    const images: SceneItem[] = [];
    const items: SceneItem[] = [];
    const text = (column: number, y: number, words: string, size = 12): void => {
      items.push({
        kind: 'text',
        x: left(column) + side / 2,
        y,
        text: words,
        anchor: 'middle',
        size,
        fill: 'var(--_quiet)',
      });
    };
    text(0, HEAD - 7, 'input');
    const { triplets: first } = one.vectors[0]!;
    // The last is the smallest that is no rounding, and which that is differs from input to input.
    const shared = (i: number) => one.vectors.every(({ triplets }) => triplets[i] === first[i]);
    first.forEach((t, i) => {
      text(i + 1, HEAD - 7, shared(i) ? `${letter}${t + 1}` : 'smallest');
    });
    one.vectors.forEach(({ input, triplets }, row) => {
      const top = HEAD + row * step;
      const name = this.titleOf(data, input);
      const sample = data.samples.indices[input]!;
      const selected = this.selection.sample === sample;
      const cell = (column: number, label: string, below: string) => {
        const picture = pixels[row]![column];
        if (picture)
          images.push({ kind: 'image', x: left(column), y: top, width: side, height: side, pixels: picture });
        items.push({
          kind: 'rect',
          class: 'cell',
          x: left(column) + 0.5,
          y: top + 0.5,
          width: side - 1,
          height: side - 1,
          // Filled for the pointer, with nothing to see: the picture lies below.
          fill: '#808080',
          fillOpacity: 0,
          stroke: selected ? 'var(--_accent)' : 'var(--_line)',
          strokeWidth: selected ? 2 : 1,
          mark: { label, detail: { sample }, row, column, selected },
        });
        text(column, top + side + 12, fitText(below, side, measure, 11), 11);
      };
      cell(0, name, name.replace('sample ', '#'));
      triplets.forEach((t, i) => {
        const sigma = one.sigma[input * one.k + t]!;
        cell(
          i + 1,
          `${name}, ${letter}${t + 1}, σ = ${format(sigma)}`,
          shared(i) ? short(sigma) : `${letter}${t + 1} ${short(sigma)}`,
        );
      });
    });
    return {
      width: columns * (side + GAP) - GAP,
      height: HEAD + one.vectors.length * step,
      items: [...images, ...items],
      scales: [
        {
          ...signScale(this.palette, 1, 1, 'entry of the vector, each picture by itself'),
          low: '−largest',
          high: '+largest',
        },
      ],
    };
  }

  /** The input and the vectors of each row. */
  private pixelsOf(data: SingularVectorsData, one: GeometrySpectrum, dark: boolean): (Pixels | null)[][] {
    const { images } = data.samples;
    const colour = diverging(this.palette, dark);
    const [shape, size] = this.side === 'right' ? [one.columnShape, one.columns] : [one.rowShape, one.rows];
    return one.vectors.map((kept) => {
      let input: Pixels | null = null;
      if (images) {
        const [, height, width, channels] = images.shape;
        const from = kept.input * height * width * channels;
        input = matrixPixels([height, width], (i) => {
          const at = from + i * channels;
          const grey = images.data[at]!;
          return channels === 3 ? [grey, images.data[at + 1]!, images.data[at + 2]!] : [grey, grey, grey];
        });
      }
      const vectors = Array.from(kept.triplets, (_, t) => {
        const values = kept[this.side].subarray(t * size, (t + 1) * size);
        const cells = cellsOf(values, shape);
        const extent = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
        return matrixPixels(cells.shape, (i) => colour(cells.at(i), extent));
      });
      return [input, ...vectors];
    });
  }
}

/** Three digits, or the power of ten alone: it stands below a small picture. */
const short = (x: number) =>
  x < 0.001 ? format(Number(x.toExponential(0))).replace('.00e', 'e') : x.toPrecision(3);

declare global {
  interface HTMLElementTagNameMap {
    'es-singular-vectors': EsSingularVectors;
  }
}
