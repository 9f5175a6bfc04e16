import { join } from 'node:path';
import type { TendencyPanel, TendencyResult } from '@epochscope/analysis';
import { writeFileAtomic } from '@epochscope/analysis/node';
import { ivatImage } from '@epochscope/core-wasm';
import { CORRECT_COLOUR, classColour, greyLevel, WRONG_COLOUR } from '@epochscope/ui';
import { encode } from 'fast-png';

const SIDE = 768;
const MARGIN = 28;

/** The iVAT picture of a panel with its marks, as the elements draw it: RGB, dark = similar. */
export function tendencyPicture(
  panel: TendencyPanel,
  side = SIDE,
): { data: Uint8Array; width: number; height: number } {
  const width = side + MARGIN;
  const data = new Uint8Array(width * width * 3).fill(255);
  const values = ivatImage(panel, { side });
  const high = panel.weights.reduce((a, b) => Math.max(a, b), 0);
  for (let p = 0; p < side; p++) {
    for (let q = 0; q < side; q++)
      data.fill(
        greyLevel(values[p * side + q]!, 0, high),
        3 * ((p + MARGIN) * width + q + MARGIN),
        3 * ((p + MARGIN) * width + q + MARGIN) + 3,
      );
  }
  const thick = Math.max(2, Math.floor(side / panel.n));
  for (const mark of panel.marks) {
    const hex =
      mark.label !== null ? classColour(mark.label) : mark.correct === false ? WRONG_COLOUR : CORRECT_COLOUR;
    const rgb = [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
    const at = MARGIN + Math.round((mark.position * side) / panel.n);
    for (let a = at; a < Math.min(width, at + thick); a++) {
      for (let b = 0; b < MARGIN - 4; b++) {
        data.set(rgb, 3 * (b * width + a));
        data.set(rgb, 3 * (a * width + b));
      }
    }
  }
  return { data, width, height: width };
}

/** One PNG per panel, "S5-epoch-0010.png", beside the result. */
export async function writePictures(folder: string, result: TendencyResult): Promise<void> {
  for (const panel of result.panels) {
    if (panel.n === 0) continue;
    const { data, width, height } = tendencyPicture(panel);
    await writeFileAtomic(
      join(folder, `${panel.layer}-${panel.snapshot.id}.png`),
      encode({ data, width, height, channels: 3, depth: 8 }),
    );
  }
}
