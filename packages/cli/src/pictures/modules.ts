import { join } from 'node:path';
import type { ModulesResult } from '@epochscope/analysis';
import {
  EsCentroidGallery,
  EsModuleDendrogram,
  EsModuleFlow,
  EsModuleTransition,
  EsThetaSweep,
} from '@epochscope/ui';
import type { DivergingName } from '@epochscope/ui/drawing';
import { writeFileWhole } from '../files.js';
import type { Picture } from './index.js';

/** Clusters on one sheet, and in one matrix; the largest first. The arrays hold all. */
const MOST = 100;
const MOST_IN_MATRIX = 40;

/**
 * Per snapshot its centroids ("centroids-epoch-0010"), its tree and the thresholds tried; per transition its matrix; and the flow of units
 * over all snapshots. `palette`: `grey` is the paper's.
 */
export function modulePictures(result: ModulesResult, palette: DivergingName = 'sign'): Picture[] {
  const { inputs, inputShape, outputs, classes } = result;
  const own = { result };
  const pictures: Picture[] = [];
  for (const snapshot of result.snapshots) {
    const { id } = snapshot.snapshot;
    if (snapshot.clusters.length) {
      const data = { inputs, inputShape, outputs, classes, snapshot };
      const figure = Object.assign(new EsCentroidGallery(), { ...own, data, most: MOST, palette });
      pictures.push({ name: `centroids-${id}`, figure });
    }
    if (snapshot.kept.length > 1)
      pictures.push({
        name: `tree-${id}`,
        figure: Object.assign(new EsModuleDendrogram(), { ...own, data: snapshot }),
      });
    if (snapshot.sweep?.steps.length)
      pictures.push({
        name: `thresholds-${id}`,
        figure: Object.assign(new EsThetaSweep(), { ...own, data: snapshot }),
      });
  }
  for (const data of result.transitions)
    if (data.fromSizes.length)
      pictures.push({
        name: `transition-${data.from}-${data.to}`,
        figure: Object.assign(new EsModuleTransition(), { ...own, data, most: MOST_IN_MATRIX }),
      });
  if (result.snapshots.length > 1 && result.snapshots.some(({ clusters }) => clusters.length))
    pictures.push({ name: 'flow', figure: Object.assign(new EsModuleFlow(), { ...own, data: result }) });
  return pictures;
}

/** Beside the pictures of centroids their figures as JSON: the true range that full colour stands for. Answers the files. */
export async function writeCentroidFigures(folder: string, result: ModulesResult): Promise<string[]> {
  const files: string[] = [];
  for (const snapshot of result.snapshots) {
    if (!snapshot.clusters.length) continue;
    const file = join(folder, `centroids-${snapshot.snapshot.id}.json`);
    const clusters = snapshot.clusters.map((cluster, c) => ({
      cluster: c + 1,
      ...cluster,
      outputs: [...snapshot.centroidOutputs.subarray(c * result.outputs, (c + 1) * result.outputs)],
    }));
    const text = JSON.stringify({ snapshot: snapshot.snapshot, classes: result.classes, clusters }, null, 1);
    await writeFileWhole(file, `${text}\n`);
    files.push(file);
  }
  return files;
}
