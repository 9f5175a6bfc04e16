import { RESULT_FORMAT, type ResultBase } from '../../results/types.js';
import type { Run } from '../../run/types.js';
import { toolInfo } from '../../version.js';
import { inputOfResult, PlanInput } from '../input.js';
import { runWorkflow, type WorkflowOptions } from '../run.js';
import { chooseSnapshots, withDefaults } from '../select.js';
import { PLAN_FORMAT, type Workflow } from '../types.js';
import { type CaptureOutput, type CaptureTask, captureParts, computeCapture } from './parts.js';

export interface CaptureRunOptions {
  /** null: all layers. */
  layers: readonly string[] | null;
  /** Ids, epochs, "first", "last", "init" or "all". */
  snapshots: readonly (string | number)[];
}

export const CAPTURE_DEFAULTS: CaptureRunOptions = { layers: null, snapshots: ['all'] };

export interface CaptureResult extends ResultBase {
  method: 'capture';
  /** Layers that were captured, by snapshot; none where the run held them all. */
  captured: { snapshot: string; layers: string[] }[];
}

/** Layer outputs that a run does not hold, from its own net on its own samples: a part a snapshot. */
export const captureWorkflow: Workflow<CaptureRunOptions, CaptureTask, CaptureOutput, CaptureResult> = {
  method: 'capture',
  async plan(run, given) {
    const options = withDefaults('capture', CAPTURE_DEFAULTS, given);
    const snapshots = chooseSnapshots(run, options.snapshots).map(({ id }) => id);
    const layers = options.layers ?? run.manifest.layers.map(({ name }) => name);
    const input = new PlanInput(run);
    const { parts } = await captureParts(run, input, snapshots, layers);
    return {
      format: PLAN_FORMAT,
      method: 'capture',
      tool: toolInfo,
      options: { layers: layers.map((layer) => run.layer(layer).name), snapshots },
      input: input.plan(),
      parts,
      hint: 'capture fewer layers at a time',
      notes: [],
    };
  },
  compute: computeCapture,
  async join(plan, { run, reads, seconds }) {
    return {
      format: RESULT_FORMAT,
      method: 'capture',
      name: 'default',
      tool: toolInfo,
      input: await inputOfResult(plan, run, reads),
      parameters: { ...plan.options },
      seeds: {},
      seconds,
      captured: plan.parts.map(({ task }) => ({
        snapshot: task.snapshot,
        layers: task.layers.map(({ name }) => name),
      })),
    };
  },
};

/**
 * Captures layer outputs that a run does not hold yet into it, by running its own net on its own samples. Throws `unsupported` for a run whose
 * net is not known, `missing`, `not-finite`, `memory`, `cancelled`.
 */
export const captureRun = (
  run: Run,
  options: Partial<CaptureRunOptions> = {},
  how: WorkflowOptions = {},
): Promise<CaptureResult> => runWorkflow(captureWorkflow, run, options, how);
