import { join } from 'node:path';
import type { ModuleSnapshot, ModulesResult } from '@epochscope/analysis';
import { writeFileAtomic } from '@epochscope/analysis/node';
import { centroidPixels } from '@epochscope/ui';
import { encode } from 'fast-png';
import { paintText } from './text.js';

/** Smallest side of a centroid on the sheet. */
const SIDE = 128;
const GAP = 12;
const BARS = 40;
const TEXT = 30;
/** Clusters on one sheet; the largest first. The arrays hold all. */
const MAX_CLUSTERS = 100;

/**
 * Per snapshot a sheet of centroids, "centroids-epoch-0010.png", and beside it their figures as JSON: the true range that a picture's
 * full scale stands for. Under each picture its number and size, and the mean correlation with each output as a bar up (+) or down (−).
 */
export async function writeCentroids(folder: string, result: ModulesResult): Promise<string[]> {
  const files: string[] = [];
  for (const snapshot of result.snapshots) {
    if (!snapshot.clusters.length) continue;
    const name = join(folder, `centroids-${snapshot.snapshot.id}`);
    const sheet = centroidSheet(result, snapshot);
    await writeFileAtomic(`${name}.png`, encode({ ...sheet, channels: 3, depth: 8 }));
    const figures = snapshot.clusters.map((cluster, c) => ({
      cluster: c + 1,
      ...cluster,
      outputs: [...snapshot.centroidOutputs.subarray(c * result.outputs, (c + 1) * result.outputs)],
    }));
    await writeFileAtomic(
      `${name}.json`,
      `${JSON.stringify({ snapshot: snapshot.snapshot, classes: result.classes, clusters: figures }, null, 1)}\n`,
    );
    files.push(`${name}.png`, `${name}.json`);
  }
  return files;
}

/** The sheet as RGB bytes. */
export function centroidSheet(
  result: ModulesResult,
  snapshot: ModuleSnapshot,
): { data: Uint8Array; width: number; height: number } {
  const shape = pictureShape(result);
  const scale = Math.max(1, Math.floor(SIDE / Math.max(shape[0], shape[1])));
  const cell = {
    width: Math.max(160, shape[1] * scale) + GAP,
    height: shape[0] * scale + BARS + 2 * TEXT + GAP,
  };
  const shown = Math.min(MAX_CLUSTERS, snapshot.clusters.length);
  const columns = Math.min(shown, 10);
  const width = columns * cell.width + GAP;
  const height = Math.ceil(shown / columns) * cell.height + GAP;
  const raster = { data: new Uint8Array(3 * width * height).fill(255), width, height };
  const pixel = (x: number, y: number, rgb: ArrayLike<number>) => raster.data.set(rgb, 3 * (y * width + x));
  const highest = snapshot.centroidOutputs.reduce((top, v) => Math.max(top, Math.abs(v)), 0) || 1;
  for (let c = 0; c < shown; c++) {
    const left = GAP + (c % columns) * cell.width;
    const top = GAP + Math.floor(c / columns) * cell.height;
    const { size, inputRange } = snapshot.clusters[c]!;
    const ink = '#222222';
    const text = (line: string, y: number) =>
      paintText(raster, { kind: 'text', x: left, y, anchor: 'start', text: line, size: 22, colour: ink });
    text(`${c + 1} (${size})`, top + 22);
    const pixels = centroidPixels(
      snapshot.centroidInputs.subarray(c * result.inputs, (c + 1) * result.inputs),
      shape,
    );
    for (let y = 0; y < shape[0] * scale; y++)
      for (let x = 0; x < shape[1] * scale; x++) {
        const at = 3 * (Math.floor(y / scale) * shape[1] + Math.floor(x / scale));
        pixel(left + x, top + TEXT + y, pixels.subarray(at, at + 3));
      }
    const bars = top + TEXT + shape[0] * scale + 4;
    const middle = bars + BARS / 2;
    const step = Math.max(1, Math.floor((cell.width - GAP) / result.outputs));
    for (let j = 0; j < result.outputs; j++) {
      const value = snapshot.centroidOutputs[c * result.outputs + j]!;
      const length = Math.round((Math.abs(value) / highest) * (BARS / 2 - 1));
      for (let k = 0; k <= length; k++)
        for (let x = 0; x < Math.max(1, step - 2); x++)
          pixel(
            left + j * step + x,
            value < 0 ? middle + k : middle - k,
            value < 0 ? [178, 58, 58] : [52, 97, 173],
          );
    }
    const range = [inputRange.low, inputRange.high].map(({ value }) => value?.toFixed(2) ?? '–').join(' … ');
    text(range, bars + BARS + 22);
  }
  return raster;
}

/** [height, width, channels] of a centroid's picture; one row where inputs are no picture. */
export function pictureShape({ inputShape, inputs }: ModulesResult): [number, number, number] {
  if (inputShape?.length === 3 && (inputShape[2] === 1 || inputShape[2] === 3))
    return inputShape as [number, number, number];
  const side = Math.ceil(Math.sqrt(inputs));
  return [Math.ceil(inputs / side), side, 1];
}
