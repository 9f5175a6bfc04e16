import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  createEngine,
  magnitudeMask,
  openRun,
  type PictureLayout,
  type PruneOptions,
  type PruneResult,
  type PruneRound,
  pictureLayout,
  pruneRounds,
  type RunWriter,
  weightsOf,
} from '@epochscope/analysis';
import { guard } from '@epochscope/core-wasm';
import { checkCancelled, noted } from './cancelled.js';
import { writeResultTo } from './files.js';
import type { Output } from './output.js';
import { writePruneFiles } from './prune/files.js';
import { describe, type Plan, type PruneRunOptions, retrainingOf } from './prune/plan.js';
import { fellBelow, infoOf, line } from './prune/round.js';
import { openWriter, rewind } from './prune/run.js';
import { openNet, type PruneNet, pruneTarget, type Retraining } from './prune/target.js';
import { dataOfRun } from './run-data.js';

export type { PruneRunOptions } from './prune/plan.js';
export type { Retraining } from './prune/target.js';

export interface PrunedRun {
  result: PruneResult;
  /** Where result.json, mask.npy and pruned.safetensors are. */
  folder: string;
}

/**
 * Prunes one layer of a run's snapshot and writes a run of its own: snapshots "before", "magnitude", "round-01", …,
 * each a whole net that every other command reads, and the result. A round is on disk whole or not at all; cancelled,
 * the rounds so far stay and `resume` goes on to the same bits. Throws `argument`, `missing`, `io`, `not-finite`,
 * `cancelled`.
 */
export async function pruneOfRun(
  directory: string,
  options: PruneRunOptions,
  output: Output,
): Promise<PrunedRun> {
  guard(
    resolve(options.output) !== resolve(directory),
    'argument',
    () => `${directory}: the pruned run needs a folder of its own`,
    { path: directory },
  );
  const run = await openRun(directory);
  for (const warning of run.warnings) output.warn(warning);
  const snapshot = run.snapshot(options.snapshot ?? 'last');
  const weights = await run.weights(snapshot.id);
  const where = `${directory}, snapshot ${snapshot.id}`;
  const layout = pictureLayout(
    run.manifest.layers,
    run.manifest.inputShape,
    (tensor) => weights.get(tensor)?.shape,
    options.layer,
  );
  const tensor = weights.get(layout.tensor)!;
  guard(
    tensor.data instanceof Float32Array,
    'format',
    () => `${where}: tensor ${layout.tensor}: expected float32, got ${tensor.dtype}`,
    { tensor: layout.tensor, got: tensor.dtype },
  );
  const kernel = tensor.data;
  // Refuses rates and numbers before anything is written.
  magnitudeMask(kernel, options.prune.magnitude);
  const data = run.manifest.model ? await dataOfRun(directory, run.manifest, options.data) : null;
  const own = await openNet(run, weights, data, where);
  if (!own)
    output.warn(
      `${directory} does not say which net made it: the weights are pruned, with no accuracy and no retraining`,
    );
  const retraining = retrainingOf(run, options.retraining);
  say(layout, retraining, options.prune, own, output);

  const plan: Plan = {
    run,
    snapshot,
    layout,
    kernel,
    shape: tensor.shape,
    weights,
    own,
    retraining,
    options,
    sha256: createHash('sha256')
      .update(new Uint8Array(kernel.buffer, kernel.byteOffset, kernel.byteLength))
      .digest('hex'),
    folder: join(options.output, 'results', 'prune', options.name ?? 'default'),
  };
  if (options.resume === 'if-there' && !(await exists(join(options.output, 'run.json'))))
    plan.options = { ...options, resume: false };
  return carryOut(plan, output);
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

async function carryOut(plan: Plan, output: Output): Promise<PrunedRun> {
  const { layout, kernel, own, retraining, options, folder } = plan;
  const { prune } = options;
  const progress = output.progress(`Pruning ${layout.layer}`);
  const engine = createEngine();
  const begun = performance.now();
  const done: PruneRound[] = [];
  let writer: RunWriter | null = null;
  try {
    const earlier = options.resume ? await rewind(plan) : null;
    done.push(...(earlier?.result.rounds ?? []));
    const target = pruneTarget(layout, kernel, own, retraining, prune.rounds, output, progress);
    // Refuses what cannot be done before a folder appears.
    const checked = pruneRounds(target, engine, { ...prune, signal: output.signal }, earlier?.last);
    const accuracyBefore = earlier?.result.accuracyBefore ?? (await target.evaluate(kernel));
    const spent = earlier?.result.seconds ?? 0;
    const resultOf = (complete: boolean): PruneResult => ({
      ...describe(plan, accuracyBefore),
      seconds: spent + (performance.now() - begun) / 1000,
      rounds: done,
      complete,
    });
    const ended = fellBelow(earlier?.last, accuracyBefore, options.stopAfterLoss);
    for await (const round of ended ? [] : checked) {
      checkCancelled(output, `cancelled in round ${round.round}`);
      writer ??= await openWriter(plan, accuracyBefore, Boolean(earlier));
      done.push(round);
      const now = own ? weightsOf(own.net) : new Map(plan.weights);
      now.set(layout.tensor, { data: round.weights, shape: plan.shape, dtype: 'float32' });
      await writer.writeSnapshot(infoOf(round), now);
      await writeResultTo(folder, resultOf(false));
      output.say(`  ${line(round)}`);
      if (fellBelow(round, accuracyBefore, options.stopAfterLoss)) break;
    }
    writer ??= await openWriter(plan, accuracyBefore, Boolean(earlier));
    const result = resultOf(true);
    await writeResultTo(folder, result);
    const last = await (await openRun(options.output)).weights('last');
    await writePruneFiles(folder, result, last, plan.shape);
    await writer.finish();
    return { result, folder };
  } catch (cause) {
    throw noted(cause, () =>
      done.length
        ? `${options.output} holds ${done.length - 1} of ${prune.rounds} rounds, --resume goes on`
        : null,
    );
  } finally {
    progress.stop();
    await engine.close();
    await writer?.close();
  }
}

function say(
  layout: PictureLayout,
  retraining: Retraining,
  prune: PruneOptions,
  own: PruneNet | null,
  output: Output,
): void {
  const [height, width, channels] = layout.inputShape;
  const unit = layout.kind === 'conv2d' ? 'filters' : 'units';
  const picture = layout.apart
    ? `${channels} maps of ${height}×${width}, regions in each map`
    : `one picture of ${height}×${width}${channels > 1 ? `, ${channels} channels together` : ''} each`;
  output.say(
    `${layout.layer}: ${layout.units} ${unit}, ${picture}; ${prune.rounds} rounds${own ? ` of ${retraining.epochs} epochs (${retraining.optimizer}, ${retraining.learningRate})` : ''}`,
  );
  if (height * width < 25)
    output.warn(
      `pictures of ${height}×${width} are small: most regions will be a weight or two, and region pruning comes near to magnitude pruning`,
    );
}
