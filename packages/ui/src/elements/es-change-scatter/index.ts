import type { ChangeResult, ChangeStatistics, TensorChange } from '@epochscope/analysis/results';
import { css, html, svg, type TemplateResult } from 'lit';
import { chart, EsFigure, type FigureTable } from '../../figure/index.js';
import { CORRECT_COLOUR, WRONG_COLOUR } from '../../palette.js';
import { rgbOf } from '../../scene/index.js';
import { format } from '../../styles.js';

export interface ScatterData {
  /** "C1", or whatever the points are of. */
  title: string;
  /** Same lengths within a part; any number of points. */
  parts: readonly { before: Float32Array; delta: Float32Array }[];
  statistics: ChangeStatistics;
}

/** The weights (not biases, where there are both) of a layer of a change result. */
export function scatterOf(result: ChangeResult, layer: string): ScatterData | null {
  const entry = result.layers.find((one) => one.layer === layer);
  if (!entry) return null;
  const own = result.tensors.filter((tensor: TensorChange) => tensor.layer === layer);
  const weights = own.filter(({ shape }) => shape.length > 1);
  return { title: layer, parts: weights.length ? weights : own, statistics: entry.statistics };
}

const figure = ({ value }: { value: number | null }) => (value === null ? 'undefined' : format(value));
const percent = ({ value }: { value: number | null }) =>
  value === null ? 'undefined' : `${(100 * value).toFixed(1)} %`;

/**
 * Value before against change, a point a parameter, on a canvas: hundreds of thousands of points are counted per pixel and shaded by
 * their number. Blue: the change has the sign of the value (it grew away from 0), orange: it has the other.
 */
export class EsChangeScatter extends EsFigure<ScatterData, ChangeResult> {
  static override styles = [
    ...EsFigure.styles,
    css`
      .zero {
        stroke: var(--_quiet);
        stroke-dasharray: 2 3;
      }
      .fit {
        stroke: var(--_text);
        stroke-width: 1.5;
      }
      .key {
        display: flex;
        flex-wrap: wrap;
        gap: 0 1.2rem;
      }
      .key i {
        display: inline-block;
        inline-size: 0.8em;
        block-size: 0.8em;
        border-radius: 50%;
        margin-inline-end: 0.4em;
      }
    `,
  ];
  static override properties = { ...EsFigure.properties, layer: { type: String }, height: { type: Number } };
  /** With `src`: which layer; default the first. */
  declare layer: string;
  /** CSS pixels. */
  declare height: number;

  constructor() {
    super();
    this.layer = '';
    this.height = 300;
  }
  protected override get pickedBy(): readonly string[] {
    return ['layer'];
  }
  protected override pick(result: ChangeResult): ScatterData {
    const found = scatterOf(result, this.layer || (result.layers[0]?.layer ?? ''));
    if (!found)
      throw new Error(
        `The result has no layer ${this.layer}; it has ${result.layers.map((l) => l.layer).join(', ')}`,
      );
    return found;
  }
  protected override emptyReason({ title, parts }: ScatterData): string {
    return parts.some(({ before }) => before.length) ? '' : `${title} has no parameters.`;
  }
  protected override summary({ title, statistics: s }: ScatterData): string {
    return `${title}: ${s.count} values before against their change; Pearson r ${figure(s.pearson)}, slope ${figure(s.slope)}, equal signs ${percent(s.equalSigns)}`;
  }
  protected override hint({ statistics: s }: ScatterData): string {
    return `r ${figure(s.pearson)} · slope ${figure(s.slope)} · equal signs ${percent(s.equalSigns)} · n ${s.count}`;
  }
  protected override table({ parts }: ScatterData): FigureTable {
    const ends: number[] = [];
    let total = 0;
    for (const { before } of parts) ends.push((total += before.length));
    return {
      columns: ['Before', 'Change'],
      length: total,
      row: (i) => {
        const at = ends.findIndex((end) => i < end);
        const k = i - (ends[at - 1] ?? 0);
        return [parts[at]!.before[k]!, parts[at]!.delta[k]!];
      },
    };
  }
  protected override get fileName(): string {
    return `change-scatter-${this.data?.title ?? ''}`;
  }

  protected override drawing(data: ScatterData): TemplateResult {
    const { parts, statistics } = data;
    const limits = (key: 'before' | 'delta') => {
      let [low, high] = [0, 0];
      for (const part of parts)
        for (const value of part[key]) {
          if (value < low) low = value;
          if (value > high) high = value;
        }
      return [low, high];
    };
    const width = Math.min(this.width, 640);
    const spec = chart({
      width,
      height: this.height,
      measure: this.measure,
      grid: 'none',
      x: { domain: limits('before'), title: 'value before' },
      y: { domain: limits('delta'), title: 'change' },
    });
    const { x, y, left, right, top, bottom, axes } = spec;
    const { slope, meanChange } = statistics;
    const meanBefore = this.meanBefore(data);
    const fit = (value: number) => meanChange.value! + slope.value! * (value - meanBefore);
    const clip = `clip-${Math.round(left)}-${Math.round(right)}`;
    return html`${this.plot({
      width,
      height: this.height,
      paint: (context) =>
        paintDensity(
          context,
          parts,
          [left, top, right - left, bottom - top],
          (w) => x.at(w),
          (d) => y.at(d),
        ),
      svg: svg`<clipPath id=${clip}><rect x=${left} y=${top} width=${right - left} height=${bottom - top} /></clipPath>
        ${axes}
        <line class="zero" x1=${x.at(0)} x2=${x.at(0)} y1=${top} y2=${bottom} />
        <line class="zero" x1=${left} x2=${right} y1=${y.at(0)} y2=${y.at(0)} />
        ${
          slope.value === null || meanChange.value === null
            ? ''
            : svg`<line class="fit" clip-path="url(#${clip})" x1=${left} x2=${right} y1=${y.at(fit(x.invert(left)))} y2=${y.at(fit(x.invert(right)))} />`
        }`,
    })}
    <div class="key"><span part="item"><i style="background:${CORRECT_COLOUR}"></i>same sign: grew away from 0</span><span part="item"><i style="background:${WRONG_COLOUR}"></i>opposite sign</span></div>`;
  }

  private meanBefore({ parts, statistics }: ScatterData): number {
    let sum = 0;
    for (const { before } of parts) for (const value of before) sum += value;
    return sum / statistics.count;
  }
}

/** Counts points per pixel and shades each by the logarithm of its count, single points as dots of 2 pixels. */
function paintDensity(
  context: CanvasRenderingContext2D,
  parts: ScatterData['parts'],
  [left, top, width, height]: readonly [number, number, number, number],
  xAt: (value: number) => number,
  yAt: (value: number) => number,
): void {
  const [across, down] = [Math.max(1, Math.round(width)), Math.max(1, Math.round(height))];
  // Scales are linear: two points give the map, and no call per point is needed.
  const [x0, x1, y0, y1] = [xAt(0), xAt(1), yAt(0), yAt(1)];
  const same = new Uint32Array(across * down);
  const other = new Uint32Array(across * down);
  let points = 0;
  let most = 1;
  for (const { before, delta } of parts) {
    points += before.length;
    for (let i = 0; i < before.length; i++) {
      const px = Math.round(x0 + (x1 - x0) * before[i]! - left);
      const py = Math.round(y0 + (y1 - y0) * delta[i]! - top);
      const at = Math.min(down - 1, Math.max(0, py)) * across + Math.min(across - 1, Math.max(0, px));
      const counts = before[i]! * delta[i]! >= 0 ? same : other;
      if (++counts[at]! > most) most = counts[at]!;
    }
  }
  const size = points > 20_000 ? 1 : points > 2_000 ? 2 : 4;
  const colours = [rgbOf(CORRECT_COLOUR), rgbOf(WRONG_COLOUR)];
  const floor = points > 20_000 ? 0.25 : points > 2_000 ? 0.55 : 0.8;
  for (const [k, counts] of [same, other].entries())
    for (let at = 0; at < counts.length; at++) {
      const count = counts[at]!;
      if (!count) continue;
      const alpha = most > 1 ? floor + ((1 - floor) * Math.log(count)) / Math.log(most) : floor;
      context.fillStyle = `rgb(${colours[k]!.join(' ')} / ${alpha.toFixed(2)})`;
      context.fillRect(
        left + (at % across) - (size >> 1),
        top + Math.floor(at / across) - (size >> 1),
        size,
        size,
      );
    }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-change-scatter': EsChangeScatter;
  }
}
