import type { Mark, TendencyPanel } from '@epochscope/analysis/results';
import { guard, ivatImage } from '@epochscope/core-wasm';
import { axisScale, type ColourScale, hexColour, type LegendEntry } from '../../figure/index.js';
import { CORRECT_COLOUR, classColour, greyLevel, PLAIN_COLOUR, WRONG_COLOUR } from '../../palette.js';
import { type Measure, rgbOf, type Scene, type SceneItem } from '../../scene/index.js';
import { format } from '../../styles.js';

export type MarkColour = 'class' | 'correct' | 'none';

/** Share of the picture's side that marks take at the top and left edge. */
export const MARGIN = 0.04;
const OUTLINE = '#ee7733';
/** Along the edge of positions in no block. */
const FREE = '#888888';
/** Colour of what is followed: the chosen sample's cross. */
export const FOLLOW = 'light-dark(#d10a55, #ff5c93)';

/** Colour of a mark, or null where it is not drawn. */
export function markColour(mark: Mark, by: MarkColour): string | null {
  if (by === 'none') return null;
  if (by === 'correct')
    return mark.correct === null ? PLAIN_COLOUR : mark.correct ? CORRECT_COLOUR : WRONG_COLOUR;
  return mark.label === null ? PLAIN_COLOUR : classColour(mark.label);
}

const byCorrectness = ({ rule }: Mark) => rule === 'wrong' || rule === 'correct';

/**
 * The marks that are drawn, in drawing order. Those chosen for being right or wrong are shown in those colours, the
 * others in class colours, as long as there are any of the kind; a wrong one is never hidden below a right one.
 */
export function shownMarks(marks: readonly Mark[], by: MarkColour): readonly Mark[] {
  if (by === 'none') return [];
  const kind = marks.filter((mark) => byCorrectness(mark) === (by === 'correct'));
  const shown = kind.length ? kind : marks;
  return by === 'correct' ? [...shown].sort((a, b) => Number(b.correct) - Number(a.correct)) : shown;
}

/** Places along an edge that marks are told apart at, per CSS pixel. */
const PLACES = 4;

/** Of marks at one place along an edge the one drawn last, which hides the others; few marks as they are. In drawing order. */
function seenMarks(
  marks: readonly Mark[],
  [from, to]: readonly [number, number],
  side: number,
): readonly Mark[] {
  const places = Math.ceil(PLACES * side);
  if (marks.length <= places) return marks;
  const last = new Map<number, Mark>();
  for (const mark of marks) {
    const { position } = mark;
    if (position < from || position >= to) continue;
    const place = Math.floor(((position - from) * places) / (to - from));
    last.delete(place);
    last.set(place, mark);
  }
  return [...last.values()];
}

/** Values of side × side pixels for the positions from … to. */
export function imageValues(
  panel: TendencyPanel,
  mode: 'ivat' | 'vat',
  side: number,
  from: number,
  to: number,
): Float32Array {
  if (mode === 'ivat') return ivatImage(panel, { side, from, to });
  const out = new Float32Array(side * side);
  const { vat, n } = panel;
  if (!vat) return out;
  const at = (p: number) =>
    Math.min(vat.side - 1, Math.floor(((from + ((p + 0.5) * (to - from)) / side) * vat.side) / n));
  for (let p = 0; p < side; p++)
    for (let q = 0; q < side; q++) out[p * side + q] = vat.data[at(p) * vat.side + at(q)]!;
  return out;
}

/** The greys of a picture, shared by every zoom. */
export interface GreyScale {
  /** White from here on. */
  high: number;
  /** The largest value: above `high` where the few farthest pairs would leave all else dark. */
  most: number;
}
const scales = new WeakMap<TendencyPanel, Map<string, GreyScale>>();
/** Side of the picture that the scale is read off. */
const PROBE = 128;
/** White is a little beyond what this share of the pixels reaches: the ground goes pale, whatever a few outliers do. */
const GROUND = 0.8;
const BEYOND = 1.04;
/** Greys grow as value^1.7: what is near stays dark, and blocks stand out from their ground. */
export const EXPONENT = 1.7;

/** The greys of one panel: up to a little beyond the ground's value, or, with `full`, to the largest. */
export function greyScale(panel: TendencyPanel, mode: 'ivat' | 'vat', full = false): GreyScale {
  const key = `${mode} ${full}`;
  const known = scales.get(panel)?.get(key);
  if (known) return known;
  let most = 0;
  for (const value of mode === 'vat' && panel.vat ? panel.vat.data : panel.weights)
    most = Math.max(most, value);
  let high = most;
  if (!full && panel.n > 2) {
    const values = imageValues(panel, mode, PROBE, 0, panel.n).sort();
    const ground = values[Math.ceil(GROUND * values.length) - 1]!;
    if (ground > 0) high = Math.min(most, BEYOND * ground);
  }
  const scale = { high, most };
  if (!scales.has(panel)) scales.set(panel, new Map());
  scales.get(panel)!.set(key, scale);
  return scale;
}

/** Greys of one picture among others. */
export interface SharedScale extends GreyScale {
  /** Its own greys: on those of its layer its blocks could not be told. */
  own: boolean;
}
/** Levels of 255 by which a block must be darker than its ground to be told. */
const TOLD = 8;
/** Weights that a block's median is taken over, evenly spread. */
const SPREAD = 10_000;

/** By how many levels of grey blocks are darker than what they join: the median over the blocks, of the median inside. */
function blockContrast({ blocks, weights, n }: TendencyPanel, high: number): number {
  const grey = (value: number) => greyLevel(value, high, EXPONENT);
  const contrasts = blocks.ranges.map(({ start, end }) => {
    const step = Math.max(1, (end - 1 - start) / SPREAD);
    const inside = Float32Array.from(
      { length: Math.floor((end - 1 - start) / step) },
      (_, i) => weights[start + Math.floor(i * step)]!,
    ).sort();
    const joins = Math.min(
      start > 0 ? weights[start - 1]! : Number.POSITIVE_INFINITY,
      end < n ? weights[end - 1]! : Number.POSITIVE_INFINITY,
    );
    return grey(joins) - grey(inside[inside.length >> 1]!);
  });
  return contrasts.sort((a, b) => a - b)[contrasts.length >> 1] ?? 0;
}

/**
 * One scale for each layer over all its panels, so that snapshots can be compared; but a picture that counts blocks which
 * could not be told on that scale, because its distances are far smaller, keeps its own.
 */
export function sharedScales(
  panels: readonly TendencyPanel[],
  mode: 'ivat' | 'vat',
  full = false,
): (panel: TendencyPanel) => SharedScale {
  const layers = new Map<string, GreyScale>();
  for (const panel of panels) {
    const own = greyScale(panel, mode, full);
    const so = layers.get(panel.layer);
    layers.set(panel.layer, {
      high: Math.max(so?.high ?? 0, own.high),
      most: Math.max(so?.most ?? 0, own.most),
    });
  }
  return (panel) => {
    const own = greyScale(panel, mode, full);
    const layer = layers.get(panel.layer) ?? own;
    const hidden = panel.blocks.count > 0 && own.high < layer.high && blockContrast(panel, layer.high) < TOLD;
    return hidden ? { ...own, own: true } : { ...layer, own: false };
  };
}

/** What the outlines mean, below pictures that have any. */
export const outlineNote = (panels: readonly TendencyPanel[]): string =>
  panels.some(({ blocks }) => blocks.count > 0)
    ? ' Outlined: blocks; grey along the edges: samples in no block.'
    : '';

export interface PanelSceneOptions {
  /** Side in CSS pixels, the margin for marks included. */
  side: number;
  /** Pixels of the picture per CSS pixel; default 1. */
  density?: number;
  mode?: 'ivat' | 'vat';
  markColor?: MarkColour;
  /** Blocks outlined, positions in none grey along the edges; default so. */
  outlines?: 'blocks' | 'none';
  /** Positions shown: from … to − 1; default all. */
  from?: number;
  to?: number;
  /** White end of the grey scale; default the panel's own. */
  high?: number;
  /** Colours from near to far instead of greys: 256 × RGB. */
  ramp?: Uint8Array | null;
  /** Class of each sample: all of them stand along the edges, instead of marks. */
  labels?: Uint32Array | null;
  /** Colour of the outlines. */
  frame?: string;
}

/** The page's ramp: near is dark on light and dark pages alike. */
const INK = {
  light: ['#0c1018', '#2a303b', '#5a626f', '#949ba6', '#cfd2d6', '#f3f2ee'],
  dark: ['#050608', '#181c23', '#39404a', '#6a727e', '#a3aab4', '#c6cbd2'],
};
const ramps = new Map<boolean, Uint8Array>();
/** 256 × RGB, from near to far. */
export function inkRamp(dark: boolean): Uint8Array {
  let ramp = ramps.get(dark);
  if (ramp) return ramp;
  ramp = new Uint8Array(3 * 256);
  const stops = INK[dark ? 'dark' : 'light'].map(rgbOf);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (stops.length - 1);
    const k = Math.min(stops.length - 2, Math.floor(at));
    for (let c = 0; c < 3; c++)
      ramp[3 * i + c] = Math.round(stops[k]![c]! + (at - k) * (stops[k + 1]![c]! - stops[k]![c]!));
  }
  ramps.set(dark, ramp);
  return ramp;
}

/** Grey levels 0 … 255 of values: neighbours are mostly equal, and the power is what costs. */
export function levelsOf(values: Float32Array, high: number): Uint8Array {
  const data = new Uint8Array(values.length);
  let last = Number.NaN;
  let level = 0;
  for (let i = 0; i < data.length; i++) {
    const value = values[i]!;
    if (value !== last) level = greyLevel((last = value), high, EXPONENT);
    data[i] = level;
  }
  return data;
}

/** Levels through a ramp, as RGBA. */
export function throughRamp(levels: Uint8Array, ramp: Uint8Array): Uint8Array {
  const data = new Uint8Array(4 * levels.length);
  const words = new Uint32Array(data.buffer);
  const table = new Uint32Array(256);
  const bytes = new Uint8Array(table.buffer);
  for (let i = 0; i < 256; i++) bytes.set([ramp[3 * i]!, ramp[3 * i + 1]!, ramp[3 * i + 2]!, 255], 4 * i);
  for (let i = 0; i < levels.length; i++) words[i] = table[levels[i]!]!;
  return data;
}

/** The classes along an edge of so many pixels, as runs of one class: [first pixel, pixels, class]. */
export function classRuns(
  order: Uint32Array,
  labels: Uint32Array,
  [from, to]: readonly [number, number],
  pixels: number,
): [at: number, length: number, label: number][] {
  const runs: [number, number, number][] = [];
  for (let i = 0; i < pixels; i++) {
    const label = labels[order[Math.min(to - 1, from + Math.floor(((i + 0.5) * (to - from)) / pixels))]!]!;
    const last = runs.at(-1);
    if (last?.[2] === label) last[1]++;
    else runs.push([i, 1, label]);
  }
  return runs;
}

/** One picture as elements and files show it. Throws `missing` for a VAT picture the panel does not hold. */
export function panelScene(panel: TendencyPanel, options: PanelSceneOptions): Scene {
  const { side: whole, density = 1, mode = 'ivat', markColor = 'class' } = options;
  const { from = 0, to = panel.n } = options;
  const items: SceneItem[] = [];
  const scene: Scene = { width: whole, height: whole, items };
  if (to <= from) return scene;
  guard(
    mode === 'ivat' || panel.vat,
    'missing',
    () =>
      `layer ${panel.layer}, snapshot ${panel.snapshot.id}: the result holds no VAT picture in this order; iVAT is drawn from its weights`,
    { layer: panel.layer, snapshot: panel.snapshot.id },
  );
  const margin = Math.round(whole * MARGIN);
  const side = whole - margin;
  const pixels = Math.max(1, Math.round(side * density));
  const high = options.high ?? greyScale(panel, mode).high;
  const values = imageValues(panel, mode, pixels, from, to);
  const levels = levelsOf(values, high);
  items.push({
    kind: 'image',
    x: margin,
    y: margin,
    width: side,
    height: side,
    pixels: options.ramp
      ? { width: pixels, height: pixels, channels: 4, data: throughRamp(levels, options.ramp) }
      : { width: pixels, height: pixels, channels: 1, data: levels },
  });
  // The ground may be as white as the page.
  items.push({ kind: 'rect', x: margin, y: margin, width: side, height: side, stroke: 'var(--_line)' });
  const place = (position: number) => margin + ((position - from) * side) / (to - from);
  const thick = Math.max(1, whole / 400, side / (to - from));
  const long = Math.max(1, margin - Math.max(1, whole / 400));
  const box = (x: number, y: number, width: number, height: number, fill: string) =>
    items.push({ kind: 'rect', x, y, width, height, fill, crisp: true });
  if (options.labels) {
    const [begin, thickness] = [Math.round(margin * 0.36), Math.max(1, Math.round(margin * 0.5))];
    const runs = classRuns(panel.order, options.labels, [from, to], pixels);
    for (const [at, length, label] of runs) {
      const [x, size] = [margin + (at * side) / pixels, (length * side) / pixels];
      box(x, begin, size, thickness, classColour(label));
      box(begin, x, thickness, size, classColour(label));
    }
  }
  const marks = options.labels ? [] : shownMarks(panel.marks, markColor);
  for (const mark of seenMarks(marks, [from, to], side)) {
    const colour = markColour(mark, markColor);
    if (!colour || mark.position < from || mark.position >= to) continue;
    const at = place(mark.position);
    const width = Math.min(thick, whole - at);
    box(at, 0, width, long, colour);
    box(0, at, long, width, colour);
  }
  if (options.outlines !== 'none') {
    const line = Math.max(1, whole / 500);
    const edge = Math.max(1, Math.round(whole / 200));
    let free = 0;
    for (const range of [...panel.blocks.ranges, { start: panel.n, end: panel.n }]) {
      // Positions before this block that are in none.
      const [first, last] = [Math.max(from, free), Math.min(to, range.start)];
      free = range.end;
      if (last > first) {
        const [at, length] = [place(first), place(last) - place(first)];
        box(at, margin - edge, length, edge, FREE);
        box(margin - edge, at, edge, length, FREE);
      }
      const [start, end] = [Math.max(from, range.start), Math.min(to, range.end)];
      if (end <= start) continue;
      const [low, size] = [place(start) + line / 2, place(end) - place(start) - line];
      if (size > 0)
        items.push({
          kind: 'rect',
          x: low,
          y: low,
          width: size,
          height: size,
          stroke: options.frame ?? OUTLINE,
          strokeWidth: line,
          crisp: true,
        });
    }
  }
  return scene;
}

/** A cross through the picture at the position of the sample that is followed, where it is shown. */
export function crossItems(
  position: number,
  whole: number,
  [from, to]: readonly [number, number],
  block?: { start: number; end: number },
): SceneItem[] {
  if (position < from || position >= to) return [];
  const margin = Math.round(whole * MARGIN);
  const side = whole - margin;
  const at = margin + ((position - from) * side) / (to - from);
  const thick = Math.max(1, whole / 400, side / (to - from));
  const place = (p: number) => margin + ((Math.min(to, Math.max(from, p)) - from) * side) / (to - from);
  const line = Math.max(2, whole / 280);
  return [
    { kind: 'rect', x: at, y: margin, width: thick, height: side, fill: FOLLOW, crisp: true },
    { kind: 'rect', x: margin, y: at, width: side, height: thick, fill: FOLLOW, crisp: true },
    ...(block
      ? [
          {
            kind: 'rect' as const,
            x: place(block.start) + line / 2,
            y: place(block.start) + line / 2,
            width: Math.max(0, place(block.end) - place(block.start) - line),
            height: Math.max(0, place(block.end) - place(block.start) - line),
            stroke: FOLLOW,
            strokeWidth: line,
          },
        ]
      : []),
    {
      kind: 'circle',
      x: at + thick / 2,
      y: at + thick / 2,
      r: Math.max(3, whole / 110),
      fill: 'light-dark(#ffffff, #15171c)',
      stroke: FOLLOW,
      strokeWidth: line,
    },
  ];
}

/** Positions along the lower edge of a picture of the given side. */
export function positionAxis(
  whole: number,
  [from, to]: readonly [number, number],
  measure: Measure,
): SceneItem[] {
  const margin = Math.round(whole * MARGIN);
  const quiet = 'var(--_quiet)';
  const scale = axisScale({ domain: [from, to], nice: false }, margin, whole);
  const ticks = scale
    .ticks(Math.max(2, Math.floor((whole - margin) / 90)))
    .filter(({ value }) => Number.isInteger(value));
  return [
    ...ticks.flatMap(({ value, label }): SceneItem[] => {
      const at = scale.at(value);
      const half = measure(label, 11) / 2;
      return [
        { kind: 'line', x1: at, x2: at, y1: 1, y2: 5, stroke: quiet, crisp: true },
        {
          kind: 'text',
          x: Math.min(at, whole - half),
          y: 8,
          text: label,
          anchor: 'middle',
          baseline: 'top',
          size: 11,
          fill: quiet,
        },
      ];
    }),
    {
      kind: 'text',
      x: (margin + whole) / 2,
      y: 22,
      text: 'position in the order',
      anchor: 'middle',
      baseline: 'top',
      size: 11,
      fill: quiet,
    },
  ];
}

/** The grey bar: 0 black, white from `high` on. */
export function greyBar(
  mode: 'ivat' | 'vat',
  metric: string,
  { high, most }: GreyScale,
  words?: string,
): ColourScale {
  const clipped = most > high * (1 + 1e-6);
  return {
    title: `${mode === 'vat' ? 'distance' : 'iVAT distance'}, ${metric}`,
    colours: Array.from({ length: 33 }, (_, i) => {
      const level = greyLevel(i, 32, EXPONENT);
      return hexColour([level, level, level]);
    }),
    low: '0',
    high: words ?? `${clipped ? '≥ ' : ''}${format(high)}`,
  };
}

/** What the colours of marks mean, of those that are drawn. */
export function markLegend(
  marks: readonly Mark[],
  by: MarkColour,
  classes: readonly string[] | null,
): LegendEntry[] {
  if (by === 'correct')
    return [
      { name: 'right', colour: CORRECT_COLOUR },
      { name: 'wrong', colour: WRONG_COLOUR },
    ].filter(({ name }) => marks.some(({ correct }) => correct === (name === 'right')));
  const labels = [...new Set(marks.flatMap(({ label }) => (label === null ? [] : [label])))];
  return labels
    .sort((a, b) => a - b)
    .map((label) => ({
      name: label < 0 ? 'no class' : (classes?.[label] ?? String(label)),
      colour: classColour(label),
    }));
}
