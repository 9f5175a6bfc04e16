import type { PruneResult } from '@epochscope/analysis';
import { EsPruneRounds, EsRemovalHistogram, EsWeightPictures, type WeightPalette } from '@epochscope/ui';
import { roundSnapshot, weightExtent } from '@epochscope/ui/drawing';
import type { Picture } from './index.js';

/** Units on one sheet. */
const MOST = 1024;

/**
 * The weights of all units before and after each round ("weights-round-01"), the regions left and how much each unit lost, on one scale;
 * and accuracy over rounds. `only`: these rounds.
 */
export function prunePictures(
  result: PruneResult,
  { palette = 'sign', only }: { palette?: WeightPalette; only?: readonly number[] } = {},
): Picture[] {
  const { layout, weightsBefore } = result;
  const rounds = only ? result.rounds.filter(({ round }) => only.includes(round)) : result.rounds;
  const extent = weightExtent(weightsBefore);
  const sheet = (
    name: string,
    weights: Float32Array,
    mask: Uint8Array | null,
    mode: 'weights' | 'regions',
  ): Picture => ({
    name,
    figure: Object.assign(new EsWeightPictures(), {
      data: { layout, weights, mask },
      result,
      mode,
      palette,
      extent,
      limit: MOST,
    }),
  });
  return [
    sheet('weights-before', weightsBefore, null, 'weights'),
    ...rounds.flatMap(({ round, weights, mask, removed }) => [
      sheet(`weights-${roundSnapshot(round)}`, weights, mask, 'weights'),
      sheet(`regions-${roundSnapshot(round)}`, weights, mask, 'regions'),
      {
        name: `removed-${roundSnapshot(round)}`,
        figure: Object.assign(new EsRemovalHistogram(), { data: removed, result }),
      },
    ]),
    ...(result.rounds.length
      ? [
          {
            name: 'rounds',
            figure: Object.assign(new EsPruneRounds(), {
              data: [{ ...result, name: result.options.ranking }],
              result,
            }),
          },
        ]
      : []),
  ];
}
