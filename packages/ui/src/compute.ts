import { createEngine, createInlineEngine, type Engine, toolInfo } from '@epochscope/analysis';
import { analyseTendency, type TendencyMetric } from '@epochscope/analysis/methods';
import type { TendencyResult } from '@epochscope/analysis/results';

// What elements compute themselves. Loaded when one of them is given points.

/** Rows of equally many numbers, or one array of them row by row. */
export type Points =
  | { readonly data: Float32Array | Float64Array; readonly shape: readonly [rows: number, columns: number] }
  | readonly (readonly number[])[];

export interface PointsOptions {
  /** Class of each row. */
  labels: ArrayLike<number> | null;
  classes: readonly string[] | null;
  metric: TendencyMetric;
}

let engine: Engine | null = null;
/** Workers where the page's modules can start them, else this thread: a classic script has no address of its own. */
const theEngine = () => (engine ??= import.meta.url ? createEngine() : createInlineEngine());

function matrixOf(points: Points) {
  if (!('data' in points)) {
    const rows = points as readonly (readonly number[])[];
    const columns = rows[0]?.length ?? 0;
    const uneven = rows.findIndex((row) => row.length !== columns);
    if (uneven >= 0)
      throw new Error(`points, row ${uneven}: expected ${columns} numbers, got ${rows[uneven]!.length}`);
    return { data: Float32Array.from(rows.flat()), shape: [rows.length, columns] as const };
  }
  const { data, shape } = points;
  if (data.length !== shape[0] * shape[1])
    throw new Error(`points: expected ${shape[0]} × ${shape[1]} numbers, got ${data.length}`);
  return { data: data instanceof Float32Array ? data : Float32Array.from(data), shape };
}

/** VAT and iVAT of points as `tendency` of the library computes them. Throws as it does, `cancelled` by the signal. */
export async function tendencyOfPoints(
  points: Points,
  { labels, classes, metric }: PointsOptions,
  signal: AbortSignal,
): Promise<TendencyResult> {
  const outputs = matrixOf(points);
  const own = labels && Uint32Array.from(labels);
  const place = { snapshot: { id: 'points', epoch: null, step: null }, layer: 'points' };
  const panel = await analyseTendency(
    theEngine(),
    { ...place, outputs, labels: own, predictions: null, logLikelihood: null },
    { metric, marks: own ? [{ rule: 'class' }] : [], vatSide: 256, seed: 1, signal },
  );
  return {
    format: 'epochscope-result/2',
    method: 'tendency',
    name: 'default',
    tool: toolInfo,
    input: { source: 'points', files: {} },
    parameters: { metric, samples: outputs.shape[0] },
    seeds: { analysis: 1 },
    seconds: panel.seconds,
    samples: { count: outputs.shape[0], labels: own, classes: classes && [...classes], images: null },
    panels: [panel],
  };
}
