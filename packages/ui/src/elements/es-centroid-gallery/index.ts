import type { ModuleSnapshot, ModulesResult } from '@epochscope/analysis/results';
import { property } from 'lit/decorators.js';
import {
  type DivergingName,
  type Drawing,
  EsFigure,
  type FigureTable,
  type Frame,
  fitText,
  MINUS,
  PLUS,
  tableOf,
} from '../../figure/index.js';
import { trackColour } from '../../palette.js';
import type { SceneItem } from '../../scene/index.js';
import { format, minus } from '../../styles.js';
import { pickSnapshot } from '../es-module-dendrogram/index.js';
import { type ChosenCluster, titleOf } from '../es-module-flow/clusters.js';
import { centroidPixels } from './pixels.js';

/** What is drawn: a snapshot, and what its dimensions are. */
export interface CentroidData extends Pick<ModulesResult, 'inputs' | 'inputShape' | 'outputs' | 'classes'> {
  snapshot: ModuleSnapshot;
}

const SIDE = 96;
const BARS = 44;
const PAD = 8;
const GAP = 8;
const CARD = [SIDE + 2 * PAD, SIDE + BARS + 50] as const;
/** Room for the names of classes below their bars, and their size; of more classes they would not be legible. */
const NAMES = 44;
const NAME = 8;
const MOST_NAMES = 12;

/**
 * The clusters of a snapshot as pictures of their mean correlation with each input (− brown, + teal, full colour at the largest
 * magnitude; true range below), with bars of the mean correlation with each output (up +, down −). One tab stop: arrow keys, Home and
 * End move, Enter or Space chooses.
 * @fires es-select - `{ snapshot, cluster }`: a cluster was chosen.
 */
export class EsCentroidGallery extends EsFigure<CentroidData, ModulesResult> {
  /** With `src`: the snapshot drawn; default the last. */
  @property({ type: String }) snapshot: string = '';
  /** Clusters drawn, the largest; default 24. */
  @property({ type: Number }) most: number = 24;
  /** Only these clusters, in this order; null for the largest. */
  @property({ attribute: false }) clusters: readonly number[] | null = null;
  @property({ attribute: false }) chosen: ChosenCluster | null = null;
  @property({ type: String }) palette: DivergingName = 'sign';

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
  protected override draw(data: CentroidData, { width, dark, measure }: Frame): Drawing {
    const { snapshot, outputs, classes } = data;
    const names =
      classes && outputs <= MOST_NAMES
        ? Array.from({ length: outputs }, (_, j) =>
            fitText(classes[j] ?? String(j), NAMES - 4, measure, NAME),
          )
        : [];
    const high = CARD[1] + (names.length ? NAMES : 0);
    const top = snapshot.centroidOutputs.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const shown = this.shown(data);
    const columns = Math.max(1, Math.min(shown.length, Math.floor((width + GAP) / (CARD[0] + GAP))));
    return {
      width,
      height: Math.max(0, Math.ceil(shown.length / columns) * (high + GAP) - GAP),
      items: shown.map((c, k) => ({
        kind: 'group' as const,
        x: (k % columns) * (CARD[0] + GAP),
        y: Math.floor(k / columns) * (high + GAP),
        items: this.card(data, c, { top, dark, names, high }, [Math.floor(k / columns), k % columns]),
      })),
      legend: outputs
        ? [
            { name: 'positive correlation', colour: PLUS },
            { name: 'negative correlation', colour: MINUS },
          ]
        : [],
      ...(shown.length ? {} : { note: 'none' }),
    };
  }

  private card(
    data: CentroidData,
    c: number,
    { top, dark, names, high }: { top: number; dark: boolean; names: readonly string[]; high: number },
    [row, column]: readonly [number, number],
  ): SceneItem[] {
    const { snapshot, inputs, outputs, classes } = data;
    const { id } = snapshot.snapshot;
    const { size, inputRange, track } = snapshot.clusters[c]!;
    const values = snapshot.centroidOutputs.subarray(c * outputs, (c + 1) * outputs);
    const best = values.length ? values.indexOf(Math.max(...values)) : -1;
    const units = `${size} ${size === 1 ? 'unit' : 'units'}`;
    const selected = this.chosen?.snapshot === id && this.chosen.cluster === c;
    const shape = pictureShape(data);
    const scale = SIDE / Math.max(shape[0], shape[1]);
    const middle = 26 + SIDE + BARS / 2 + 2;
    const step = SIDE / outputs;
    return [
      {
        kind: 'rect',
        class: 'cell',
        x: 0.5,
        y: 0.5,
        width: CARD[0] - 1,
        height: high - 1,
        radius: 4,
        // Filled for the pointer, with nothing to see: the picture lies below.
        fill: '#808080',
        fillOpacity: 0,
        stroke: selected ? 'var(--_accent)' : 'var(--_line)',
        strokeWidth: selected ? 3 : 1,
        mark: {
          label: `cluster ${c + 1}: ${units}, ${rangeText(inputRange)} correlation with inputs${best < 0 ? '' : `, most with output ${classes?.[best] ?? best} (${format(values[best]!)})`}`,
          detail: { snapshot: id, cluster: c },
          selected,
          row,
          column,
        },
      },
      {
        kind: 'rect',
        class: 'silent',
        x: 0.5,
        y: 0.5,
        width: CARD[0] - 1,
        height: 4,
        fill: trackColour(track),
      },
      { kind: 'text', x: PAD, y: 19, text: String(c + 1), bold: true },
      { kind: 'text', x: CARD[0] - PAD, y: 19, text: units, anchor: 'end', size: 11, fill: 'var(--_quiet)' },
      {
        kind: 'image',
        x: PAD,
        y: 26,
        width: shape[1] * scale,
        height: shape[0] * scale,
        pixels: this.kept(`pixels ${c}`, [data, this.palette, dark], () =>
          centroidPixels(
            snapshot.centroidInputs.subarray(c * inputs, (c + 1) * inputs),
            shape,
            this.palette,
            dark,
          ),
        ),
      },
      {
        kind: 'line',
        class: 'silent',
        x1: PAD,
        x2: PAD + SIDE,
        y1: middle,
        y2: middle,
        stroke: 'var(--_line)',
        crisp: true,
      },
      ...Array.from(values, (value, j): SceneItem => {
        const length = top ? (Math.abs(value) / top) * (BARS / 2 - 3) : 0;
        return {
          kind: 'rect',
          class: 'silent',
          x: PAD + j * step,
          y: value < 0 ? middle : middle - length,
          width: Math.max(1, step - 2),
          height: length,
          fill: value < 0 ? MINUS : PLUS,
        };
      }),
      ...names.map(
        (text, j): SceneItem => ({
          kind: 'text',
          x: PAD + (j + 0.5) * step - 1,
          y: 26 + SIDE + BARS + 5,
          text,
          anchor: 'end',
          baseline: 'middle',
          rotate: -90,
          size: NAME,
          fill: 'var(--_quiet)',
        }),
      ),
      {
        kind: 'text',
        x: PAD,
        y: high - 8,
        text: rangeText(inputRange),
        size: 11,
        fill: 'var(--_quiet)',
      },
    ];
  }
}

const rangeText = ({ low, high }: ModuleSnapshot['unitInputRange']) =>
  minus(`${low.value?.toFixed(2) ?? '–'} … ${high.value?.toFixed(2) ?? '–'}`);

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
