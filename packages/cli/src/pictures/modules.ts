import { join } from 'node:path';
import type { ModuleSnapshot, ModulesResult, Transition } from '@epochscope/analysis';

import { byPlace, centroidPixels, sequential, sharedUnits, shownClusters } from '@epochscope/ui';
import { encode } from 'fast-png';
import { writeFileWhole } from '../files.js';
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
    await writeFileWhole(`${name}.png`, encode({ ...sheet, channels: 3, depth: 8 }));
    const figures = snapshot.clusters.map((cluster, c) => ({
      cluster: c + 1,
      ...cluster,
      outputs: [...snapshot.centroidOutputs.subarray(c * result.outputs, (c + 1) * result.outputs)],
    }));
    await writeFileWhole(
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

/** Clusters drawn one by one in a transition; the smaller ones stand together. */
const MOST = 40;

/** Each transition as a matrix, "transition-epoch-0001-epoch-0010.png": rows and columns with their sizes, the last column what left. */
export async function writeTransitions(folder: string, { transitions }: ModulesResult): Promise<string[]> {
  const files: string[] = [];
  for (const t of transitions) {
    if (!t.fromSizes.length) continue;
    const file = join(folder, `transition-${t.from}-${t.to}.png`);
    await writeFileWhole(file, encode({ ...transitionSheet(t), channels: 3, depth: 8 }));
    files.push(file);
  }
  return files;
}

/** A transition's matrix as RGB bytes: white 0, dark blue 1. */
export function transitionSheet(t: Transition): { data: Uint8Array; width: number; height: number } {
  const rows = shownClusters(t.fromSizes.length, MOST);
  const columns = shownClusters(t.toSizes.length, MOST);
  const sizes = byPlace(t.fromSizes, rows);
  const toSizes = byPlace(t.toSizes, columns);
  const left = byPlace(t.left, rows);
  const side = 44;
  const [edge, head] = [150, 150];
  const width = edge + (toSizes.length + 1) * side + 20;
  const height = head + sizes.length * side + 20;
  const raster = { data: new Uint8Array(3 * width * height).fill(255), width, height };
  const colour = sequential();
  const text = (line: string, x: number, y: number, anchor: 'start' | 'middle' | 'end') =>
    paintText(raster, { kind: 'text', x, y, anchor, text: line, size: 22, colour: '#222222' });
  const cell = (r: number, c: number, share: number) => {
    const rgb = colour(share, 0, 1);
    for (let y = 0; y < side - 2; y++)
      for (let x = 0; x < side - 2; x++)
        raster.data.set(rgb, 3 * ((head + r * side + y) * width + edge + c * side + x));
  };
  for (const [key, units] of sharedUnits(t, rows, columns)) {
    const r = Math.floor(key / (columns.alone + 1));
    cell(r, key % (columns.alone + 1), units / sizes[r]!);
  }
  for (const [r, units] of left.entries()) if (units) cell(r, toSizes.length, units / sizes[r]!);
  const name = (place: number, alone: number) => (place < alone ? String(place + 1) : 'rest');
  for (const [r, units] of sizes.entries())
    text(`${name(r, rows.alone)} (${units})`, edge - 8, head + r * side + 30, 'end');
  // Columns have room for their number alone; sizes stand above every second, in turn higher.
  for (const [c, units] of toSizes.entries()) {
    text(name(c, columns.alone), edge + c * side + side / 2, head - 8, 'middle');
    text(`(${units})`, edge + c * side + side / 2, head - 40 - 28 * (c % 2), 'middle');
  }
  text('left', edge + toSizes.length * side + side / 2, head - 8, 'middle');
  text(`${t.from} → ${t.to}`, 12, 32, 'start');
  return raster;
}
