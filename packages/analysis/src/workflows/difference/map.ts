import { guard } from '@epochscope/core-wasm';
import {
  type DifferenceMapResult,
  type DifferenceSide,
  differenceSide,
} from '../../methods/difference/index.js';
import { differenceMap } from '../../methods/difference/map.js';
import { RESULT_FORMAT } from '../../results/types.js';
import type { Run } from '../../run/types.js';
import { toolInfo } from '../../version.js';
import { type CaptureOutput, type CaptureTask, captureParts, computeCapture } from '../capture/parts.js';
import { inputOfResult, PlanInput } from '../input.js';
import { inputAt } from '../plain-input.js';
import { runWorkflow, type WorkflowOptions } from '../run.js';
import { chooseSnapshots, withDefaults } from '../select.js';
import { type Part, PLAN_FORMAT, type Workflow } from '../types.js';
import {
  DIFFERENCE_DEFAULTS,
  type DifferenceRunOptions,
  differenceOptions,
  HINT,
  type SideTask,
  sidePart,
} from './index.js';

export interface DifferenceMapRunOptions
  extends Pick<DifferenceRunOptions, 'metric' | 'samples' | 'seed' | 'name'> {
  /** "P1@3" is channel 3 of P1; null: the last. */
  layers: readonly string[] | null;
  /** Ids, epochs, "first", "last", "init" or "all". */
  snapshots: readonly (string | number)[];
}

export const DIFFERENCE_MAP_DEFAULTS: DifferenceMapRunOptions = {
  layers: null,
  snapshots: ['all'],
  metric: DIFFERENCE_DEFAULTS.metric,
  samples: null,
  seed: DIFFERENCE_DEFAULTS.seed,
  name: DIFFERENCE_DEFAULTS.name,
};

/** Distances between all pictures of chosen layers and snapshots (`differenceMap`): a part a picture's tree, captures before them. */
export const differenceMapWorkflow: Workflow<
  DifferenceMapRunOptions,
  CaptureTask | SideTask,
  CaptureOutput | DifferenceSide,
  DifferenceMapResult
> = {
  method: 'difference-map',

  async plan(run, given) {
    const {
      layers: named,
      snapshots: wanted,
      ...rest
    } = withDefaults('difference map', DIFFERENCE_MAP_DEFAULTS, given);
    const { metric, seed, samples, name } = differenceOptions(rest);
    const last = run.manifest.layers.at(-1)?.name;
    guard(named !== null || last !== undefined, 'missing', () => `${run.store.name} names no layer`, {
      path: run.store.name,
    });
    const layers = [...new Set(named ?? [last!])];
    const snapshots = chooseSnapshots(run, wanted);
    guard(
      layers.length * snapshots.length > 1,
      'argument',
      () => `difference: a map is of two pictures or more, got ${snapshots[0]!.id}, ${layers[0]} alone`,
    );
    const input = new PlanInput(run);
    const parts: Part<CaptureTask | SideTask>[] = [];
    for (const snapshot of snapshots) {
      const captures = await captureParts(run, input, [snapshot.id], layers);
      parts.push(...captures.parts);
      for (const layer of layers) {
        const count = run.manifest.samples?.count ?? (await run.outputCount(snapshot.id, layer)) ?? 0;
        const { part } = await sidePart(
          run,
          input,
          { snapshot, layer, after: captures.of(snapshot.id, layer) },
          { metric, samples, seed },
          count,
        );
        parts.push(part);
      }
    }
    return {
      format: PLAN_FORMAT,
      method: 'difference-map',
      tool: toolInfo,
      options: { layers, snapshots: snapshots.map(({ id }) => id), metric, seed, samples, name },
      input: input.plan(),
      parts,
      hint: HINT,
      notes: [],
    };
  },

  async compute(part, context) {
    const { task } = part;
    if (task.kind === 'capture') return computeCapture(part as Part<CaptureTask>, context);
    const { metric, seed } = task;
    const { engine, run, signal } = context;
    return differenceSide(engine, await inputAt(task, task, context), run.name, {
      metric,
      seed,
      signal,
      onProgress: (done, total) => context.onProgress?.(done / (total || 1)),
    });
  },

  async join(plan, { run, output, seconds, reads, signal }) {
    const begun = performance.now();
    const { layers, snapshots, metric, samples, seed, name } = plan.options;
    const sides: DifferenceSide[] = [];
    // Layer by layer, snapshot by snapshot in each.
    for (const layer of layers!)
      for (const { key, task } of plan.parts)
        if (task.kind === 'side' && task.layer === layer) sides.push(await output(key));
    const map = await differenceMap(sides, { signal });
    return {
      format: RESULT_FORMAT,
      method: 'difference-map',
      name,
      tool: toolInfo,
      input: await inputOfResult(plan, run, reads),
      parameters: { layers, snapshots, metric, samples: samples ?? sides[0]!.n },
      seeds: { analysis: seed },
      seconds: seconds + (performance.now() - begun) / 1000,
      samples: { count: sides[0]!.n },
      ...map,
    };
  },
};

/**
 * How much each two pictures of a run differ: all chosen layers at all chosen snapshots against each other. Outputs that the run does not hold are
 * captured first. Throws `argument` for a single picture, `missing`, `unsupported`, `memory`, `cancelled`.
 */
export const differenceMapOfRun = (
  run: Run,
  options: Partial<DifferenceMapRunOptions> = {},
  how: WorkflowOptions = {},
): Promise<DifferenceMapResult> => runWorkflow(differenceMapWorkflow, run, options, how);
