import { type MinimaxPath, type PathResult, pathSentence } from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import { type Drawing, EsFigure, type FigureTable, type Frame, tableOf } from '../../figure/index.js';
import { classColour, WRONG_COLOUR } from '../../palette.js';
import type { SceneItem } from '../../scene/index.js';
import { format } from '../../styles.js';
import { samplePixels } from '../es-sample-gallery/index.js';

const SIDE = 34;
const LINK = 46;
const TALL = 64;
const TITLE = 22;

/**
 * The path between two samples as a strip of pictures, link by link, the weakest marked; below it, for each sample taken out, the path that
 * is then the best. Samples without pictures are numbers.
 * @fires es-select - `{ sample }`.
 */
export class EsPathStrip extends EsFigure<PathResult, PathResult> {
  /** Samples of a path that are drawn; of longer ones those round the weakest link. */
  @property({ type: Number }) limit: number = 60;

  private paths({ path, bridges, samples }: PathResult): { title: string; path: MinimaxPath }[] {
    return [
      { title: `longest link ${format(path.bottleneck)}`, path },
      ...bridges.map(({ sample, bottleneck, path }, i) => ({
        title: `without ${samples.names?.[sample] ?? `sample ${sample}`}${i ? ' too' : ''}: ${format(bottleneck)}`,
        path,
      })),
    ];
  }
  protected override summary(data: PathResult): string {
    return `How they hang together: ${pathSentence(data)}`;
  }
  protected override table(data: PathResult): FigureTable {
    const rows = this.paths(data).flatMap(({ title, path }) =>
      Array.from(path.samples, (sample, k) => ({ title, sample, link: path.links[k] ?? null })),
    );
    return tableOf(['Path', 'Sample', 'Class', 'Link to the next'], rows, ({ title, sample, link }) => [
      title,
      sample,
      this.classOf(data, sample),
      link,
    ]);
  }
  private classOf({ samples: { labels, classes } }: PathResult, sample: number): string {
    return labels ? (classes?.[labels[sample]!] ?? String(labels[sample])) : '';
  }

  protected override draw(data: PathResult, { width }: Frame): Drawing {
    const across = Math.max(2, Math.floor((width - 16) / LINK));
    const items: SceneItem[] = [];
    let y = 0;
    let cut = 0;
    for (const { title, path } of this.paths(data)) {
      items.push({ kind: 'text', x: 0, y: y + 14, text: title, bold: true });
      y += TITLE;
      const [first, last] = this.shown(path);
      cut += path.samples.length - (last - first);
      for (let k = first; k < last; k++) {
        const place = k - first;
        const [column, row] = [place % across, Math.floor(place / across)];
        items.push({
          kind: 'group',
          x: column * LINK,
          y: y + row * TALL,
          items: [
            ...this.sample(data, path.samples[k]!),
            ...(k < path.links.length && k < last - 1 ? this.link(path, k, column < across - 1) : []),
          ],
        });
      }
      y += Math.ceil((last - first) / across) * TALL + 6;
    }
    return {
      width,
      height: y,
      items,
      note: cut ? `${cut} samples far from the weakest links are not drawn; the table has them` : '',
    };
  }

  /** Places of the samples drawn: all, or those round the weakest link. */
  private shown({ samples, weakest }: MinimaxPath): [number, number] {
    const n = samples.length;
    if (n <= this.limit) return [0, n];
    const first = Math.min(Math.max(0, (weakest ?? 0) - Math.floor(this.limit / 2)), n - this.limit);
    return [first, first + this.limit];
  }

  private sample(data: PathResult, sample: number): SceneItem[] {
    const { labels, images, names } = data.samples;
    const name = this.classOf(data, sample);
    const shown = names?.[sample] ?? String(sample);
    const mark = {
      label: `sample ${shown}${name ? `, class ${name}` : ''}`,
      detail: { sample },
      selected: this.selection.sample === sample,
    };
    return [
      images
        ? { kind: 'image', x: 0, y: 0, width: SIDE, height: SIDE, pixels: samplePixels(images, sample), mark }
        : {
            kind: 'circle',
            x: SIDE / 2,
            y: SIDE / 2,
            r: SIDE / 2 - 2,
            fill: labels ? classColour(labels[sample]!) : 'var(--_line)',
            mark,
          },
      ...(mark.selected
        ? [
            {
              kind: 'rect' as const,
              x: -2,
              y: -2,
              width: SIDE + 4,
              height: SIDE + 4,
              stroke: 'var(--_accent)',
              strokeWidth: 2,
            },
          ]
        : []),
      ...(labels && images
        ? [
            {
              kind: 'rect' as const,
              x: 0,
              y: SIDE,
              width: SIDE,
              height: 3,
              fill: classColour(labels[sample]!),
            },
          ]
        : []),
      {
        kind: 'text',
        x: SIDE / 2,
        y: SIDE + 14,
        text: name || shown,
        anchor: 'middle',
        size: 10,
        fill: 'var(--_quiet)',
      },
    ] as SceneItem[];
  }

  /** The link to the next sample: a line between the two, or an arrow's beginning at the end of a row, with its length below. */
  private link({ links, weakest }: MinimaxPath, k: number, sameRow: boolean): SceneItem[] {
    const weak = k === weakest;
    return [
      {
        kind: 'line',
        x1: SIDE,
        x2: sameRow ? LINK : SIDE + 6,
        y1: SIDE / 2,
        y2: SIDE / 2,
        stroke: weak ? WRONG_COLOUR : 'var(--_quiet)',
        strokeWidth: weak ? 4 : 1,
        mark: { label: `link ${format(links[k]!)}${weak ? ', the longest' : ''}` },
      },
      {
        kind: 'text',
        x: (SIDE + LINK) / 2,
        y: SIDE + 25,
        text: format(links[k]!),
        anchor: 'middle',
        size: 9,
        bold: weak,
        fill: weak ? 'var(--_text)' : 'var(--_quiet)',
      },
    ];
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-path-strip': EsPathStrip;
  }
}
