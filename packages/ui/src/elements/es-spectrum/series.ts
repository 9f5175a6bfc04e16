import type { GeometryResult, GeometrySpectrum } from '@epochscope/analysis/results';
import { css, html, nothing, svg, type TemplateResult } from 'lit';
import {
  type AxisSpec,
  bandPath,
  chart,
  EsFigure,
  type FigureTable,
  linePath,
  mark,
} from '../../figure/index.js';
import { lineColour } from '../../palette.js';
import type { Selection } from '../../selection.js';
import { format } from '../../styles.js';

/** One line of a chart, with a band where `sd` is given. */
export interface Series {
  name: string;
  values: ArrayLike<number>;
  sd?: ArrayLike<number>;
  dashed?: boolean;
  detail?: Selection;
  selected?: boolean;
}

export interface Lines {
  x: Pick<AxisSpec, 'title' | 'kind'> & { at: ArrayLike<number> | readonly string[] };
  y: Pick<AxisSpec, 'title' | 'kind' | 'zero'> & { ends?: readonly number[] };
  series: Series[];
  /** A line across. */
  level?: { at: number; name: string };
}

const DASHES = '5 4';

/** Lines over a common axis with bands of mean ± sd, names below; a subclass says what they are. */
export abstract class EsSeries<Data> extends EsFigure<Data, GeometryResult> {
  static override styles = [
    ...EsFigure.styles,
    css`
      .line {
        fill: none;
        stroke-width: 2;
        stroke-linejoin: round;
      }
      .line:hover,
      .line:focus-visible,
      .line[aria-pressed='true'] {
        stroke-width: 3.5;
      }
      .band {
        fill-opacity: 0.16;
        pointer-events: none;
      }
      .level {
        stroke: var(--_quiet);
        stroke-dasharray: 2 3;
      }
      svg text.name {
        paint-order: stroke;
        stroke: var(--_surface);
        stroke-width: 3px;
        stroke-linejoin: round;
        pointer-events: none;
      }
      .names {
        display: flex;
        flex-wrap: wrap;
        gap: 0 1.1rem;
      }
      .names svg {
        inline-size: 1.9em;
        block-size: 0.8em;
        margin-inline-end: 0.35em;
        vertical-align: middle;
      }
    `,
  ];
  static override properties = { ...EsFigure.properties, height: { type: Number } };
  /** CSS pixels. */
  declare height: number;

  constructor() {
    super();
    this.height = 260;
  }

  protected abstract lines(data: Data): Lines;

  protected override table(data: Data): FigureTable {
    const { x, series } = this.lines(data);
    return {
      columns: [x.title ?? '', ...series.flatMap(({ name, sd }) => (sd ? [name, `± ${name}`] : [name]))],
      length: x.at.length,
      row: (i) => [
        x.at[i]!,
        ...series.flatMap(({ values, sd }) => (sd ? [values[i]!, sd[i]!] : [values[i]!])),
      ],
    };
  }

  protected override drawing(data: Data): TemplateResult {
    const lines = this.lines(data);
    const { series, level } = lines;
    const log = lines.y.kind === 'log';
    const all = series.flatMap(({ values, sd }) =>
      Array.from(values).flatMap((value, i) => (sd && !log ? [value - sd[i]!, value + sd[i]!] : [value])),
    );
    const plan = chart({
      width: this.width,
      height: this.height,
      measure: this.measure,
      x: { ...lines.x, domain: lines.x.at, nice: false },
      y: { ...lines.y, domain: [...all, ...(lines.y.ends ?? []), ...(level ? [level.at] : [])] },
    });
    const { x, y, left, right, axes, top, bottom } = plan;
    const place = (i: number) => x.at(lines.x.at[i]!);
    const [low] = y.ends;
    const points = series.map(({ values }) =>
      Array.from(values, (value, i): readonly [number, number] => [place(i), y.at(value)]),
    );
    const clip = (pixel: number) => Math.min(bottom, Math.max(top, pixel));
    const across = level ? y.at(level.at) : Number.NaN;
    return html`${this.plot({
      width: this.width,
      height: this.height,
      marks: true,
      svg: svg`${axes}
        ${
          Number.isFinite(across)
            ? svg`<line class="level" x1=${left} x2=${right} y1=${across} y2=${across} />`
            : nothing
        }
        ${series.map(({ values, sd }, i) =>
          sd
            ? svg`<path class="band" style="fill:${lineColour(i)}" d=${bandPath(
                Array.from(values, (value, j): readonly [number, number, number] => [
                  place(j),
                  // What a logarithm cannot show goes down to the axis.
                  clip(y.at(log ? Math.max(low, value - sd[j]!) : value - sd[j]!)),
                  clip(y.at(value + sd[j]!)),
                ]),
              )} />`
            : nothing,
        )}
        ${series.map(
          ({ name, values, dashed, detail, selected }, i) => svg`<path class="line" d=${linePath(points[i]!)}
            style="stroke:${lineColour(i)}" stroke-dasharray=${dashed ? DASHES : nothing} ${mark({
              label: `${name}: ${format(values[0]!)} at ${textOf(lines.x.at[0]!)}, ${format(values[values.length - 1]!)} at ${textOf(lines.x.at[values.length - 1]!)}`,
              ...(detail ? { detail: { ...detail } } : {}),
              selected: selected ?? false,
            })} />
            ${values.length < 16 ? points[i]!.filter(([, py]) => Number.isFinite(py)).map(([px, py]) => svg`<circle cx=${px} cy=${py} r="3" style="fill:${lineColour(i)};pointer-events:none" />`) : nothing}`,
        )}
        ${
          Number.isFinite(across)
            ? svg`<text class="tick name" x=${right - 2} y=${across - 4} text-anchor="end">${level!.name}</text>`
            : nothing
        }`,
    })}
    <div class="names">${series.map(
      ({ name, dashed }, i) =>
        html`<span part="item"><svg viewBox="0 0 38 16" aria-hidden="true"><line x1="0" x2="38" y1="8" y2="8" stroke-width="3" style="stroke:${lineColour(i)}" stroke-dasharray=${dashed ? '8 6' : nothing} /></svg>${name}</span>`,
    )}</div>`;
  }
}

const textOf = (value: number | string) => (typeof value === 'number' ? format(value) : value);

/** One of a list by the selected snapshot and layer: the nearest there is, else the last. */
export function chosen<T extends { snapshot: GeometrySpectrum['snapshot']; to: string }>(
  list: readonly T[],
  { snapshot, layer }: Selection,
): T | null {
  const at = (id: string | null | undefined, to: string | null | undefined) =>
    list.filter((one) => (!id || one.snapshot.id === id) && (!to || one.to === to)).at(-1);
  return at(snapshot, layer) ?? at(null, layer) ?? at(snapshot, null) ?? list.at(-1) ?? null;
}
