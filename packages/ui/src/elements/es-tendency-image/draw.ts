import type { Mark, TendencyPanel } from '@epochscope/analysis/results';
import { guard, ivatImage } from '@epochscope/core-wasm';
import { CORRECT_COLOUR, classColour, greyLevel, PLAIN_COLOUR, WRONG_COLOUR } from '../../palette.js';
import { outline, type Scene, type SceneItem } from '../../scene/index.js';

export type MarkColour = 'class' | 'correct' | 'none';

/** Share of the picture's side that marks take at the top and left edge. */
export const MARGIN = 0.04;
const OUTLINE = '#ee7733';
/** Colour of the chosen sample's cross. */
const CHOSEN = '#d55e00';

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

/** Largest value of the whole picture, the white end of the scale: shared by every zoom. */
export function scaleOf(panel: TendencyPanel, mode: 'ivat' | 'vat'): number {
  let high = 0;
  for (const value of mode === 'vat' && panel.vat ? panel.vat.data : panel.weights)
    high = Math.max(high, value);
  return high;
}

export interface PanelSceneOptions {
  /** Side in pixels, the margin for marks included. */
  pixels: number;
  mode?: 'ivat' | 'vat';
  markColor?: MarkColour;
  /** Outline the blocks. */
  blocks?: boolean;
  /** Positions shown: from … to − 1; default all. */
  from?: number;
  to?: number;
}

/** One picture as the elements, the PNG and the SVG files show it. Throws `missing` for a VAT picture the panel does not hold. */
export function panelScene(panel: TendencyPanel, options: PanelSceneOptions): Scene {
  const { pixels, mode = 'ivat', markColor = 'class', blocks = false, from = 0, to = panel.n } = options;
  const scene: Scene = { width: pixels, height: pixels, background: null, items: [] };
  if (to <= from) return scene;
  guard(
    mode === 'ivat' || panel.vat,
    'missing',
    () =>
      `layer ${panel.layer}, snapshot ${panel.snapshot.id}: the result holds no VAT picture in this order; iVAT is drawn from its weights`,
    { layer: panel.layer, snapshot: panel.snapshot.id },
  );
  const items: SceneItem[] = scene.items;
  const margin = Math.round(pixels * MARGIN);
  const side = pixels - margin;
  const high = scaleOf(panel, mode);
  const values = imageValues(panel, mode, side, from, to);
  const data = new Uint8Array(values.length);
  // A loop: typed-array `from` goes through an iterator and takes ten times as long on a picture of 1000 × 1000.
  for (let i = 0; i < data.length; i++) data[i] = greyLevel(values[i]!, 0, high);
  items.push({ kind: 'grey', x: margin, y: margin, width: side, height: side, data });
  const place = (position: number) => margin + Math.round(((position - from) * side) / (to - from));
  const thick = Math.max(1, Math.round(pixels / 400), Math.floor(side / (to - from)));
  const long = Math.max(1, margin - Math.max(1, Math.round(pixels / 400)));
  for (const mark of shownMarks(panel.marks, markColor)) {
    const colour = markColour(mark, markColor);
    if (!colour || mark.position < from || mark.position >= to) continue;
    const at = place(mark.position);
    const width = Math.min(thick, pixels - at);
    items.push({ kind: 'fill', x: at, y: 0, width, height: long, colour });
    items.push({ kind: 'fill', x: 0, y: at, width: long, height: width, colour });
  }
  if (!blocks) return scene;
  const line = Math.max(1, Math.round(pixels / 500));
  for (let b = 0; b + 1 < panel.blocks.boundaries.length; b++) {
    const start = Math.max(from, panel.blocks.boundaries[b]!);
    const end = Math.min(to, panel.blocks.boundaries[b + 1]!);
    if (end <= start) continue;
    const [low, size] = [place(start), place(end) - place(start)];
    items.push(...outline(low, low, size, size, Math.min(line, size), OUTLINE));
  }
  return scene;
}

/** A cross through the picture at the chosen sample's position, where it is shown. */
export function drawCross(
  context: CanvasRenderingContext2D,
  pixels: number,
  position: number,
  [from, to]: readonly [number, number],
): void {
  if (position < from || position >= to) return;
  const margin = Math.round(pixels * MARGIN);
  const at = margin + Math.round(((position - from) * (pixels - margin)) / (to - from));
  const thick = Math.max(1, Math.round(pixels / 400), Math.floor((pixels - margin) / (to - from)));
  context.fillStyle = CHOSEN;
  context.fillRect(at, 0, thick, pixels);
  context.fillRect(0, at, pixels, thick);
  context.clearRect(0, 0, margin - 2, margin - 2);
}
