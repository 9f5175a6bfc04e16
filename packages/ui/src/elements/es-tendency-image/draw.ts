import type { Mark, TendencyPanel } from '@epochscope/analysis/results';
import { ivatImage } from '@epochscope/core-wasm';
import { CORRECT_COLOUR, classColour, greyLevel, PLAIN_COLOUR, WRONG_COLOUR } from '../../palette.js';

export type MarkColour = 'class' | 'correct' | 'none';

/** Colour of a mark, or null where it is not drawn. */
export function markColour(mark: Mark, by: MarkColour): string | null {
  if (by === 'none') return null;
  if (by === 'correct')
    return mark.correct === null ? PLAIN_COLOUR : mark.correct ? CORRECT_COLOUR : WRONG_COLOUR;
  return mark.label === null ? PLAIN_COLOUR : classColour(mark.label);
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

/** RGBA bytes of grey levels, dark = similar. */
export function greyPixels(values: Float32Array, high: number): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(values.length * 4);
  for (let i = 0; i < values.length; i++) {
    const grey = greyLevel(values[i]!, 0, high);
    pixels[4 * i] = pixels[4 * i + 1] = pixels[4 * i + 2] = grey;
    pixels[4 * i + 3] = 255;
  }
  return pixels;
}
