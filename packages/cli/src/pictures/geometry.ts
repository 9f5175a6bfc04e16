import type { GeometryResult } from '@epochscope/analysis';
import {
  EsClassDendrogram,
  EsDimension,
  EsPerturbation,
  EsSingularVectors,
  EsSpectrum,
  EsTangentAlignment,
} from '@epochscope/ui';
import type { DivergingName } from '@epochscope/ui/drawing';
import type { Picture } from './index.js';

/**
 * Each depth spectrum's vectors beside their inputs ("H3-rbm-3-vectors"); per snapshot the spectra of all layers; the dimension over layers or
 * snapshots; alignment, steps and class trees. `palette` is that of the vectors.
 */
export function geometryPictures(result: GeometryResult, palette: DivergingName = 'sign'): Picture[] {
  const pictures: Picture[] = [];
  const depth = result.spectra.filter(({ kind }) => kind === 'depth');
  for (const { to, snapshot, vectors } of depth)
    if (vectors.length)
      pictures.push({
        name: `${to}-${snapshot.id}-vectors`,
        figure: Object.assign(new EsSingularVectors(), {
          data: result,
          result,
          palette,
          selection: { snapshot: snapshot.id, layer: to },
        }),
      });
  for (const id of new Set(depth.map(({ snapshot }) => snapshot.id)))
    pictures.push({
      name: `spectrum-${id}`,
      figure: Object.assign(new EsSpectrum(), {
        data: depth,
        result,
        selection: { snapshot: id },
      }),
    });
  if (depth.length)
    pictures.push({
      name: 'dimension',
      figure: Object.assign(new EsDimension(), { data: depth, result }),
    });
  const selectionOf = ({ to, snapshot }: { to: string; snapshot: { id: string } }) => ({
    snapshot: snapshot.id,
    layer: to,
  });
  for (const one of result.alignments)
    pictures.push({
      name: `${one.to}-${one.snapshot.id}-alignment`,
      figure: Object.assign(new EsTangentAlignment(), {
        data: result.alignments,
        result,
        selection: selectionOf(one),
      }),
    });
  for (const one of result.perturbations)
    pictures.push({
      name: `${one.to}-${one.snapshot.id}-steps`,
      figure: Object.assign(new EsPerturbation(), {
        data: result.perturbations,
        result,
        selection: selectionOf(one),
      }),
    });
  for (const one of result.classTrees)
    pictures.push({
      name: `${one.to}-${one.snapshot.id}-classes`,
      figure: Object.assign(new EsClassDendrogram(), {
        data: { trees: result.classTrees, classes: result.samples.classes },
        result,
        selection: selectionOf(one),
      }),
    });
  return pictures;
}
