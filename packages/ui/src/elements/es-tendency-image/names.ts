import type { TendencyPanel } from '@epochscope/analysis/results';
import type { Measure, SceneItem } from '../../scene/index.js';
import { MARGIN } from './draw.js';

/** Largest and smallest text beside rows, in CSS pixels. */
const LARGEST = 11;
const SMALLEST = 7;
/** Longer names are cut: as a share of the side. */
const LONGEST = 0.35;
const GAP = 6;

/** Rows of a picture that are named at its right. */
export interface RowNames {
  /** CSS pixels that they take beside the picture. */
  room: number;
  /** For a picture of the given side. */
  items(side: number): SceneItem[];
}

/**
 * The names of the rows from … to − 1: of all where each is high enough to be read in a picture of `side` CSS pixels, else of those marked
 * one by one (not by class), leaving out a name that would stand on another. Null where none can be shown.
 */
export function rowNames(
  { order, marks }: TendencyPanel,
  names: readonly string[],
  [from, to]: readonly [number, number],
  side: number,
  measure: Measure,
): RowNames | null {
  const high = (whole: number) => (whole * (1 - MARGIN)) / (to - from);
  const all = high(side) > SMALLEST + 2;
  const marked = new Set(marks.flatMap(({ rule, position }) => (rule === 'class' ? [] : [position])));
  const rows: number[] = [];
  for (let p = from; p < to; p++)
    if (all || (marked.has(p) && !(high(side) * (p - (rows.at(-1) ?? Number.NEGATIVE_INFINITY)) < LARGEST)))
      rows.push(p);
  if (rows.length === 0) return null;
  const size = all ? Math.min(LARGEST, 0.8 * high(side)) : LARGEST;
  const cut = (name: string): string => {
    if (measure(name, size) <= LONGEST * side) return name;
    let end = Math.min(name.length, 200);
    while (end > 1 && measure(`${name.slice(0, end)}…`, size) > LONGEST * side) end--;
    return `${name.slice(0, end)}…`;
  };
  const texts = rows.map((p) => cut(names[order[p]!]!));
  return {
    room: Math.ceil(GAP + Math.max(...texts.map((text) => measure(text, size)))),
    items: (whole) =>
      rows.map((p, i) => ({
        kind: 'text',
        x: whole + GAP,
        y: whole * MARGIN + (p + 0.5 - from) * high(whole),
        text: texts[i]!,
        baseline: 'middle',
        size,
        fill: 'var(--_quiet)',
      })),
  };
}
