import { platform } from '#platform';
import type { Engine, JobOptions } from '../engine/types.js';
import { kernelMetric } from '../matrices/conversion.js';
import { convertedPoints } from '../matrices/points.js';
import type { RowChoice, RowSource } from '../matrices/rows.js';
import { type PointsPlan, pointsOfTask } from './points.js';

/** Rows are taken in so many stretches, so that few reads get them. */
const STRETCHES = 64;

/** Seconds of processor that a task of a plan takes on one thread of this machine. */
export interface TaskSeconds {
  /** As time grew between the two sizes tried. */
  low: number;
  /** As the square of the points. */
  high: number;
  /** Rows timed. */
  rows: number;
}

/** Times light edges of some rows, of half and of all of them, and scales up. Of points that lie thin more pairs matter than of all, so both are rough. */
export async function taskSeconds(
  engine: Pick<Engine, 'lightEdges'>,
  source: RowSource,
  chosen: RowChoice,
  plan: PointsPlan,
  { signal }: Pick<JobOptions, 'signal'> = {},
): Promise<TaskSeconds> {
  const { n, conversion, kernel, order } = plan;
  const m = pointsOfTask(n, order);
  const rows = Math.min(m, Math.max(3000, Math.round(Math.sqrt(1.5e10 / Math.max(16, conversion.width)))));
  const time = async (count: number) => {
    const length = Math.ceil(count / STRETCHES);
    const places = new Set<number>();
    for (let s = 0; s < STRETCHES; s++)
      for (let i = 0; i < length; i++) places.add(Math.min(n - 1, Math.floor((s * n) / STRETCHES) + i));
    const { outputs } = await convertedPoints(
      source,
      Uint32Array.from(places, (place) => chosen?.[place] ?? place),
      conversion,
    );
    // Not time that passes: others may be on this machine.
    const begun = platform.processorSeconds();
    await engine.lightEdges(outputs, {
      metric: kernelMetric(conversion),
      plan: { ...kernel, dimensions: Uint32Array.from(kernel.dimensions) },
      signal,
    });
    return platform.processorSeconds() - begun;
  };
  // The first brings the kernels up.
  await time(Math.floor(rows / 2));
  const half = await time(Math.floor(rows / 2));
  const whole = await time(rows);
  const power = Math.min(2, Math.max(1, Math.log2(whole / half)));
  return { low: whole * (m / rows) ** power, high: whole * (m / rows) ** 2, rows };
}
