import type { ChangeResult, TracksResult } from '@epochscope/analysis';
import { EsChangeHeatmap, EsChangeScatter, EsParameterPaths, EsUpdateSizes } from '@epochscope/ui';
import { type DivergingName, scatterOf } from '@epochscope/ui/drawing';
import type { Picture } from './index.js';

/** Per tensor its values before and their change ("change-C1.kernel"), per layer one against the other; update sizes and paths. */
export function changePictures(
  result: ChangeResult,
  tracks: TracksResult | null,
  palette: DivergingName = 'sign',
): Picture[] {
  const { inputShape } = result;
  const pictures: Picture[] = result.tensors
    // Of a sample there is no picture of the tensor.
    .filter(({ shape, delta, sample }) => shape.length > 1 && delta.length > 0 && !sample)
    .flatMap((data) =>
      (['before', 'delta'] as const).map((values) => ({
        name: `${values === 'delta' ? 'change' : 'before'}-${data.name}`,
        figure: Object.assign(new EsChangeHeatmap(), { data, result, inputShape, values, palette }),
      })),
    );
  for (const { layer } of result.layers) {
    const data = scatterOf(result, layer);
    if (data?.parts.some(({ before }) => before.length))
      pictures.push({
        name: `scatter-${layer}`,
        figure: Object.assign(new EsChangeScatter(), { data, result }),
      });
  }
  if (tracks && tracks.snapshots.length > 1) {
    const own = { data: tracks, result: tracks };
    if (tracks.updates.length)
      pictures.push({ name: 'updates', figure: Object.assign(new EsUpdateSizes(), own) });
    if (tracks.paths.length)
      pictures.push({ name: 'paths', figure: Object.assign(new EsParameterPaths(), own) });
  }
  return pictures;
}
