import { join } from 'node:path';
import type { PruneResult } from '@epochscope/analysis';

import { type WeightPalette, weightExtent, weightSheet } from '@epochscope/ui';
import { encode } from 'fast-png';
import { writeFileWhole } from '../files.js';

/** Sheets larger than this on a side are drawn smaller, and beyond it with fewer units. */
const MAX_SIDE = 4096;

/**
 * One sheet of all units' weights per round ("weights-round-01.png": positive red, negative blue, removed black) and one of
 * the regions left ("regions-round-01.png": white on black), as the elements draw them, on one scale. `only`: these rounds.
 */
export async function writePrunePictures(
  folder: string,
  result: PruneResult,
  { palette = 'red-blue', only }: { palette?: WeightPalette; only?: readonly number[] } = {},
): Promise<string[]> {
  const { layout, weightsBefore } = result;
  const rounds = only ? result.rounds.filter(({ round }) => only.includes(round)) : result.rounds;
  const extent = weightExtent(weightsBefore);
  const side = Math.max(layout.inputShape[0], layout.inputShape[1]);
  const zoom = Math.max(1, Math.min(4, Math.floor(84 / side)));
  const columns = Math.max(1, Math.ceil(Math.sqrt(layout.units)));
  const most = Math.floor(MAX_SIDE / (side * zoom)) ** 2;
  const units = Array.from({ length: Math.min(layout.units, Math.max(1, most)) }, (_, u) => u);
  const whole = new Uint8Array(weightsBefore.length).fill(1);
  const name = (round: number) => (round === 0 ? 'magnitude' : `round-${String(round).padStart(2, '0')}`);
  const sheets = [
    { file: 'weights-before.png', weights: weightsBefore, mask: whole, mode: 'weights' as const },
    ...rounds.flatMap(({ round, weights, mask }) => [
      { file: `weights-${name(round)}.png`, weights, mask, mode: 'weights' as const },
      { file: `regions-${name(round)}.png`, weights, mask, mode: 'regions' as const },
    ]),
  ];
  for (const { file, weights, mask, mode } of sheets)
    await writeFileWhole(
      join(folder, file),
      encode({
        ...weightSheet(layout, weights, mask, { mode, palette, extent, columns, zoom, units }),
        channels: 3,
        depth: 8,
      }),
    );
  return sheets.map(({ file }) => file);
}
